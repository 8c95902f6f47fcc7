#include "engine/hands.hpp"

#include "decide/look.hpp"
#include "engine/looks.hpp"
#include "model/version_facts.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace handyrep::engine {

using model::ServerName;
using std::chrono::milliseconds;

namespace {

/// How long a replay stands still, woken again and again, before what is left is taken for half a record.
constexpr Duration sure_rest = milliseconds{50};
constexpr Duration replay_patience = std::chrono::seconds{1};
/// And how long a replica whose port is refused is asked: it died, and its position will not be read in time.
constexpr Duration refusal_patience = milliseconds{500};

/// All that it holds whole is replayed. That it waits for WAL counts only for one that was surely woken and did not move since.
bool replayed_whole(const model::StandbyAnswer& standby, Duration awake_and_still) {
    return standby.replayed >= standby.received || (standby.replay_waits && awake_and_still >= sure_rest);
}

bool is_refused(const model::HeldSight& sight) {
    const auto* const closed = std::get_if<model::NotOpen>(&sight);
    return closed != nullptr && closed->why == model::DialOutcome::refused;
}

}  // namespace

Async<void> Hands::carry_out(const plans::Command& command, Instant deadline) {
    // Not std::visit: a coroutine lambda must not outlive the visit that made it, and here it would be suspended in it.
    if (const auto* it = std::get_if<plans::Fence>(&command)) co_return co_await fence(*it, deadline);
    if (const auto* it = std::get_if<plans::Detach>(&command)) co_return co_await detach(*it, deadline);
    if (const auto* it = std::get_if<plans::Reattach>(&command)) co_return co_await follow(it->replica, it->upstream, deadline);
    if (const auto* it = std::get_if<plans::ReadFinalPosition>(&command)) co_return co_await read_final_position(*it, deadline);
    if (const auto* it = std::get_if<plans::Salvage>(&command)) co_return co_await salvage(*it, deadline);
    if (const auto* it = std::get_if<plans::EndSalvage>(&command)) co_return co_await end_salvage(*it, deadline);
    if (const auto* it = std::get_if<plans::CheckGates>(&command)) co_return co_await check_gates(*it);
    if (const auto* it = std::get_if<plans::PrepareCandidate>(&command)) {
        co_return co_await state_.postgres(it->candidate).set_synchronous_standby_names(it->synchronous_standby_names, deadline);
    }
    if (const auto* it = std::get_if<plans::Promote>(&command)) co_return co_await promote(*it, deadline);
    if (const auto* it = std::get_if<plans::RecordPromotion>(&command)) co_return co_await record(*it, deadline);
    if (const auto* it = std::get_if<plans::ReadLoss>(&command)) co_return co_await read_loss(*it, deadline);
    if (const auto* it = std::get_if<plans::Checkpoint>(&command)) co_return co_await state_.postgres(it->server).checkpoint(deadline);
    if (const auto* it = std::get_if<plans::CatchUp>(&command)) co_return co_await catch_up(*it, deadline);
    if (const auto* it = std::get_if<plans::PrepareToFollow>(&command)) co_return co_await prepare_to_follow(*it, deadline);
    if (const auto* it = std::get_if<plans::StopCleanly>(&command)) co_return co_await stop_cleanly(*it, deadline);
    if (const auto* it = std::get_if<plans::StartAgain>(&command)) co_return co_await start_again(*it, deadline);
    if (const auto* it = std::get_if<plans::CheckHandover>(&command)) co_return co_await check_handover(*it, deadline);
    if (const auto* it = std::get_if<plans::StartAsReplica>(&command)) co_return co_await start_as_replica(*it, deadline);
    if (const auto* it = std::get_if<plans::StartReplica>(&command)) co_return co_await start_replica(*it, deadline);
    if (const auto* it = std::get_if<plans::RestartReplica>(&command)) co_return co_await restart_replica(*it, deadline);
    if (const auto* it = std::get_if<plans::Rewind>(&command)) co_return co_await rewind(*it, deadline);
    if (const auto* it = std::get_if<plans::PrepareDown>(&command)) co_return co_await prepare_down(*it, deadline);
    if (const auto* it = std::get_if<plans::EndRewind>(&command))
        co_return co_await state_.host(it->server).end_rewind(it->system_id, deadline);
    if (const auto* it = std::get_if<plans::StartRejoined>(&command)) co_return co_await start_rejoined(*it, deadline);
    if (const auto* it = std::get_if<plans::HoldDown>(&command)) co_return co_await hold_down(*it, deadline);
    if (const auto* it = std::get_if<plans::Repoint>(&command)) co_return co_await repoint(*it, deadline);
    co_return co_await carry_out_copy(command, deadline);
}

asio::awaitable<model::HeldSight> Hands::look(const ServerName& server, Instant deadline) {
    const Instant until = std::min(deadline, state_.clock().now() + look_limit);
    model::HeldSight sight = co_await state_.postgres(server).poll(true, until);
    state_.absorb({server, state_.clock().now(), sight});
    co_return sight;
}

/// A failover by automation ends where the primary gives a sign of life, as long as it is not fenced.
std::optional<Error> Hands::life_veto() const {
    if (!findings_.automatic || findings_.fence.processes_gone) return std::nullopt;
    const decide::Situation situation = decide::analyse(state_.input()).situation;
    if (!decide::primary_lives(situation)) return std::nullopt;
    return Error{ErrorKind::refused, fmt::format("the primary lives after all: {}", decide::sentence_for(situation))};
}

/// Between the verdict and the deed a network heals, and then a fence that was held up by it reaches a healthy server. Whoever
/// was only mute is therefore asked once more, right after its host has answered; a refused port needs no second word.
Async<void> Hands::ask_once_more(const ServerName& server, Instant deadline) {
    if (!findings_.automatic || server != state_.saved.primary || decide::analyse(state_.input()).primary_port_refused)
        co_return Result<void>{};
    const Instant asked = state_.clock().now();
    const auto host = co_await state_.host(server).look(deadline);
    if (!host) co_return host.error();
    const Instant now = state_.clock().now();
    state_.absorb({server, now, model::HostSight{*host, now - asked}});
    const Instant until = std::min(deadline, state_.clock().now() + state_.settings().connect_timeout);
    model::DialSight dial = co_await state_.postgres(server).dial(until);
    state_.absorb({server, state_.clock().now(), std::move(dial)});
    if (auto life = life_veto()) co_return *std::move(life);
    co_return Result<void>{};
}

Async<void> Hands::fence(const plans::Fence& command, Instant deadline) {
    if (auto asked = co_await ask_once_more(command.server, deadline); !asked) {
        findings_.fence.host_answered = model::host_lives(asked.error().kind);
        findings_.fence.text = asked.error().text();
        co_return asked.error().during(fmt::format("fence {}", command.server.text()));
    }
    const auto report = co_await state_.host(command.server).fence(command.system_id, deadline);
    findings_.fence.host_answered = report || model::host_lives(report.error().kind);
    if (!report) {
        findings_.fence.text = report.error().text();
        co_return report.error().during(fmt::format("fence {}", command.server.text()));
    }
    findings_.fence.processes_gone = report->processes_gone();
    if (report->processes_gone()) findings_.silenced = state_.clock().now();
    findings_.fence.text = fmt::format(
        "{}: {} processes ended, {} left, {}, autostart: {}", command.server.text(), report->killed, report->left,
        report->marked ? "marked standby" : "not marked standby", report->autostart);
    state_.tell(
        report->processes_gone() ? Level::info : Level::warning, "fenced", findings_.fence.text,
        {{"server", command.server.text()}, {"proof", report->processes_gone() ? "processes_gone" : "nothing"}}, findings_.operation);
    if (!report->processes_gone()) co_return Error{ErrorKind::failed, findings_.fence.text};
    co_return Result<void>{};
}

Async<void> Hands::detach(const plans::Detach& command, Instant deadline) {
    auto outcome = co_await state_.postgres(command.replica).detach(deadline);
    if (!outcome) co_return outcome.error().during(fmt::format("detach {}", command.replica.text()));
    co_return outcome;
}

void Hands::note_final(const ServerName& server, const model::Answered& answer, bool replayed_whole) {
    const model::StandbyAnswer& standby = *answer.standby();
    const bool detached = !standby.receiver && (model::facts_of(answer.version).stays_detached || findings_.fence.processes_gone);
    std::erase_if(findings_.finals, [&](const decide::FinalPosition& it) { return it.server == server; });
    const auto* const seen = state_.saved.primary ? state_.evidence.find(*state_.saved.primary) : nullptr;
    const bool known = seen != nullptr && seen->last_answer && seen->last_answer->what.primary() != nullptr;
    const model::Timeline timeline = standby.timeline.value_or(known ? seen->last_answer->what.primary()->timeline : model::Timeline{0});
    const model::Lsn whole = replayed_whole ? standby.replayed : standby.received;
    findings_.finals.push_back({server, {}, detached, {timeline, whole}, replayed_whole, standby.received});
}

/// Reads until the receiver is gone and what it left is replayed. A startup process whose receiver ended sleeps for
/// wal_retrieve_retry_interval and reads the rest only then (T10), so it is woken as long as anything is left. A replay that does
/// not move is not waited for long, and one that moves only a while: the promotion itself waits for that of the candidate.
Async<void> Hands::read_final_position(const plans::ReadFinalPosition& command, Instant deadline) {
    std::optional<Instant> gone;   // its receiver, as far as we saw
    std::optional<Instant> woken;  // surely, since the receiver is gone and the replay moved last
    ReplayWatch replay;
    bool may_end = command.end_queries;
    std::optional<Instant> refused;
    for (;;) {
        const model::HeldSight sight = co_await look(command.replica, deadline);
        const Instant now = state_.clock().now();
        const bool last = now + look_interval >= deadline;
        const auto* const answer = std::get_if<model::Answered>(&sight);
        const auto* const standby = answer != nullptr ? answer->standby() : nullptr;
        if (standby == nullptr) {
            refused = is_refused(sight) ? std::optional{refused.value_or(now)} : std::nullopt;
            if (last || (refused && now - *refused >= refusal_patience))
                co_return Error{ErrorKind::unreachable, fmt::format("{}: {}", command.replica.text(), words_of(sight))};
        } else {
            if (replay.note(standby->replayed, now) || !gone) {
                replay.begin_again(now);
                woken.reset();
            }
            const bool whole = replayed_whole(*standby, woken ? now - *woken : Duration::zero());
            note_final(command.replica, *answer, whole);
            if (!standby->receiver) {
                if (!gone) gone = now;
                if (may_end && replay.is_held_up(*standby, now)) {
                    may_end = false;
                    co_await end_queries(command.replica, deadline);
                    gone = state_.clock().now();
                    replay.begin_again(*gone);
                    continue;
                }
                if (whole || replay.still(now) >= held_up || now - *gone >= replay_patience) co_return Result<void>{};
                const auto nudged = co_await state_.postgres(command.replica).nudge(std::min(deadline, now + look_limit));
                if (nudged && !woken) woken = now;
            }
        }
        if (last) co_return Error{ErrorKind::timed_out, fmt::format("{} still has a WAL receiver", command.replica.text())};
        co_await state_.clock().sleep_until(now + look_interval);
    }
}

/// A sighting of the old primary is answered by the fence, or by the person who ordered this; any other server that takes writes
/// is a reason to stop.
std::optional<Error> Hands::writable_veto() const {
    for (const ServerName& writable : decide::writable_sightings(state_.input())) {
        if (writable == state_.saved.primary && (findings_.fence.processes_gone || !findings_.automatic)) continue;
        return Error{ErrorKind::refused, fmt::format("{} was seen taking writes a moment ago", writable.text())};
    }
    return std::nullopt;
}

/// A person's order opens a shut gate: the record keeps that it did, and what stood behind it.
void Hands::pass_by_order(decide::Gate& gate, bool overridden, std::string_view name) {
    const auto* const closed = std::get_if<decide::GateClosed>(&gate);
    if (closed == nullptr || !overridden) return;
    const std::string text =
        fmt::format("the {} gate is overridden by order; it was shut: {}: {}", name, word_for(closed->why), closed->text);
    state_.tell(Level::warning, "gate_overridden", text, {{"gate", std::string(name)}}, findings_.operation);
    gate = decide::GateOpen{decide::Proof::nothing, text};
}

Async<void> Hands::check_gates(const plans::CheckGates& command) {
    const decide::AnalysisInput input = state_.input();
    const decide::Analysis analysis = decide::analyse(input);
    if (auto veto = writable_veto()) co_return *std::move(veto);
    if (auto veto = life_veto()) co_return *std::move(veto);
    findings_.old_end = decide::last_known_end(input);
    const auto chosen = std::ranges::find(findings_.finals, command.candidate, &decide::FinalPosition::server);
    if (chosen == findings_.finals.end())
        co_return Error{ErrorKind::refused, fmt::format("the final WAL position of {} could not be read", command.candidate.text())};
    for (const decide::FinalPosition& it : findings_.finals) {
        if (it.position.lsn <= chosen->position.lsn || it.position.timeline != chosen->position.timeline) continue;
        findings_.better = it.server;
        co_return Error{
            ErrorKind::refused,
            fmt::format(
                "{} holds {} more than {}", it.server.text(), text(gap(chosen->position.lsn, it.position.lsn)), command.candidate.text())};
    }
    findings_.old_position = chosen->position;
    findings_.fence_gate = decide::fence_gate(input, analysis, findings_.fence, findings_.finals);
    findings_.durability_gate = decide::durability_gate(input, findings_.finals, command.candidate, findings_.on_disk);
    pass_by_order(*findings_.fence_gate, command.overrides.fence, "fence");
    pass_by_order(*findings_.durability_gate, command.overrides.durability, "durability");
    for (const auto* gate : {&*findings_.fence_gate, &*findings_.durability_gate}) {
        if (const auto* closed = std::get_if<decide::GateClosed>(gate))
            co_return Error{ErrorKind::refused, fmt::format("{}: {}", word_for(closed->why), closed->text)};
    }
    const auto proof = std::get<decide::GateOpen>(*findings_.fence_gate).proof;
    findings_.loss = decide::loss_bounds(input, *chosen, proof, findings_.silenced, findings_.on_disk);
    state_.tell(
        Level::info, "gates_open", "both gates are open",
        {{"proof", std::string(word_for(proof))},
         {"fence", text_of(*findings_.fence_gate)},
         {"durability", text_of(*findings_.durability_gate)},
         {"candidate", command.candidate.text()},
         {"position", text(chosen->position)}},
        findings_.operation);
    co_return Result<void>{};
}

}  // namespace handyrep::engine
