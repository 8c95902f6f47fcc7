// The hands' part of a handover while all is well: the old primary is stopped cleanly and comes back as a replica.
#include "decide/look.hpp"
#include "engine/changes.hpp"
#include "engine/hands.hpp"
#include "engine/looks.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace handyrep::engine {

using model::ServerName;

namespace {

/// Its session may end and be opened anew, for its upstream is stopped meanwhile; for so long nobody is worried by that.
constexpr Duration upstream_patience = std::chrono::seconds{10};
constexpr Duration between_starts = std::chrono::seconds{1};

}  // namespace

/// What the upstream has written by now, not what it goes on writing: the stop ships the rest.
Async<void> Hands::catch_up(const plans::CatchUp& command, Instant deadline) {
    const model::HeldSight above = co_await look(command.upstream, deadline);
    const auto* const written = std::get_if<model::Answered>(&above);
    if (written == nullptr || written->primary() == nullptr)
        co_return Error{ErrorKind::refused, fmt::format("{} {}", command.upstream.text(), words_of(above))};
    const model::Lsn goal = written->primary()->flushed;
    for (;;) {
        const model::HeldSight sight = co_await look(command.replica, deadline);
        const auto* const answer = std::get_if<model::Answered>(&sight);
        const auto* const standby = answer != nullptr ? answer->standby() : nullptr;
        if (standby != nullptr && standby->replayed >= goal) co_return Result<void>{};
        if (state_.clock().now() + 2 * look_interval >= deadline)
            co_return Error{
                ErrorKind::refused,
                standby == nullptr ? fmt::format("{} {}", command.replica.text(), words_of(sight))
                                   : fmt::format("{} has {} left to replay", command.replica.text(), text(gap(standby->replayed, goal)))};
        co_await state_.clock().sleep_until(state_.clock().now() + 2 * look_interval);
    }
}

Async<void> Hands::prepare_to_follow(const plans::PrepareToFollow& command, Instant deadline) {
    const model::ServerDefinition& to = state_.define(command.upstream);
    auto outcome = co_await state_.postgres(command.server).prepare_to_follow({to.hostname, to.port}, deadline);
    if (!outcome) co_return outcome.error().during(fmt::format("prepare {} to follow {}", command.server.text(), command.upstream.text()));
    co_return outcome;
}

Async<void> Hands::stop_cleanly(const plans::StopCleanly& command, Instant deadline) {
    const auto report = co_await state_.host(command.server).stop(command.system_id, deadline);
    if (!report) co_return report.error().during(fmt::format("stop {}", command.server.text()));
    findings_.stopped = *report;
    findings_.fence.host_answered = true;
    findings_.fence.processes_gone = report->processes_gone();
    if (report->processes_gone()) findings_.silenced = state_.clock().now();
    findings_.fence.text = fmt::format(
        "{}: {}, {} processes left, {}, autostart: {}", command.server.text(), word_for(report->state), report->left,
        report->marked ? "marked standby" : "not marked standby", report->autostart);
    const bool clean = report->processes_gone() && report->state == model::ControlState::shut_down;
    state_.tell(
        clean ? Level::info : Level::warning, "stopped",
        fmt::format("{}; its last checkpoint is at {}", findings_.fence.text, report->checkpoint.text()),
        {{"server", command.server.text()},
         {"proof", report->processes_gone() ? "processes_gone" : "nothing"},
         {"checkpoint", report->checkpoint.text()}},
        findings_.operation);
    if (!clean) co_return Error{ErrorKind::refused, fmt::format("it was not stopped cleanly in time: {}", findings_.fence.text)};
    co_return Result<void>{};
}

/// What gives writes back is done only while nobody else can have the role (S14).
std::optional<Error> Hands::may_not_be_primary_again(const ServerName& server) const {
    if (state_.saved.primary != server)
        return Error{ErrorKind::refused, fmt::format("{} is not the primary any more: it stays marked standby", server.text())};
    if (state_.saved.possible_primary)
        return Error{
            ErrorKind::refused, fmt::format(
                                    "{} was told to promote and may have: {} stays marked standby",
                                    state_.saved.possible_primary->server.text(), server.text())};
    for (const ServerName& writable : decide::writable_sightings(state_.input())) {
        if (writable != server)
            return Error{ErrorKind::refused, fmt::format("{} takes writes: {} stays marked standby", writable.text(), server.text())};
    }
    return std::nullopt;
}

Async<void> Hands::start_again(const plans::StartAgain& command, Instant deadline) {
    if (auto veto = may_not_be_primary_again(command.server)) co_return *std::move(veto);
    auto started = co_await state_.host(command.server).start(command.system_id, ports::StartAs::primary, deadline);
    // A host that cannot be reached for a moment leaves the cluster without a primary: it is asked again and again.
    while (!started && started.error().kind == ErrorKind::unreachable && state_.clock().now() + between_starts < deadline) {
        co_await state_.clock().sleep_until(state_.clock().now() + between_starts);
        started = co_await state_.host(command.server).start(command.system_id, ports::StartAs::primary, deadline);
    }
    if (!started) co_return started.error().during(fmt::format("start {} again", command.server.text()));
    findings_.fence = {};
    while (state_.clock().now() + look_interval < deadline) {
        const model::HeldSight sight = co_await look(command.server, deadline);
        const auto* const answer = std::get_if<model::Answered>(&sight);
        if (answer != nullptr && answer->primary() != nullptr) {
            state_.tell(
                Level::info, "started_again", fmt::format("{} takes writes again", command.server.text()),
                {{"server", command.server.text()}}, findings_.operation);
            co_return Result<void>{};
        }
        co_await state_.clock().sleep_until(state_.clock().now() + look_interval);
    }
    co_return Error{ErrorKind::timed_out, fmt::format("{} was started, and does not answer yet", command.server.text())};
}

/// The start of a record that has been replayed lies before the position of replay (S22).
Async<void> Hands::check_handover(const plans::CheckHandover& command, Instant deadline) {
    if (!findings_.stopped || !findings_.stopped->processes_gone() || findings_.stopped->state != model::ControlState::shut_down)
        co_return Error{ErrorKind::refused, fmt::format("{} is not known to be shut down cleanly", command.old_primary.text())};
    const model::Lsn last_record = findings_.stopped->checkpoint;
    ReplayWatch replay;
    bool may_end = command.end_queries;
    for (;;) {
        const model::HeldSight sight = co_await look(command.candidate, deadline);
        const Instant now = state_.clock().now();
        const auto* const answer = std::get_if<model::Answered>(&sight);
        const auto* const standby = answer != nullptr ? answer->standby() : nullptr;
        if (standby != nullptr && standby->timeline && standby->replayed > last_record) {
            if (auto veto = writable_veto()) co_return *std::move(veto);
            open_handover_gates(command, {*standby->timeline, standby->replayed});
            co_return Result<void>{};
        }
        if (standby != nullptr) {
            replay.note(standby->replayed, now);
            if (may_end && replay.is_held_up(*standby, now)) {
                may_end = false;
                co_await end_queries(command.candidate, deadline);
            } else if (!standby->receiver) {
                // What was received before the receiver ended is read only when it wakes (T10).
                static_cast<void>(co_await state_.postgres(command.candidate).nudge(std::min(deadline, now + look_limit)));
            }
        }
        if (now + look_interval >= deadline)
            co_return Error{
                ErrorKind::refused, standby == nullptr
                                        ? fmt::format("{} {}", command.candidate.text(), words_of(sight))
                                        : fmt::format(
                                              "{} has replayed {} only, and the last record of {} is at {}", command.candidate.text(),
                                              standby->replayed.text(), command.old_primary.text(), last_record.text())};
        co_await state_.clock().sleep_until(now + look_interval);
    }
}

void Hands::open_handover_gates(const plans::CheckHandover& command, model::WalPosition position) {
    const std::string durable = fmt::format(
        "{} was shut down cleanly and {} has replayed past its last record, the shutdown checkpoint at {}", command.old_primary.text(),
        command.candidate.text(), findings_.stopped ? findings_.stopped->checkpoint.text() : "");
    findings_.old_position = position;
    findings_.fence_gate = decide::GateOpen{decide::Proof::processes_gone, findings_.fence.text};
    findings_.durability_gate = decide::GateOpen{decide::Proof::nothing, durable};
    findings_.loss = {.at_least = model::Bytes{0}, .at_most = model::Bytes{0}, .unbounded = {}};
    state_.tell(
        Level::info, "gates_open", "both gates are open",
        {{"proof", std::string(word_for(decide::Proof::processes_gone))},
         {"fence", findings_.fence.text},
         {"durability", durable},
         {"candidate", command.candidate.text()},
         {"position", text(position)}},
        findings_.operation);
}

/// Written down before it is started: from then on it may stream from the new primary, and whether it is seen counts for the next
/// failover as with any replica (S1). Barred it would count for nothing.
Async<void> Hands::let_take_part(const ServerName& server) {
    if (state_.saved.barred(server) == nullptr) co_return Result<void>{};
    std::erase_if(state_.saved.must_be_down, [&](const model::MustBeDown& it) { return it.server == server; });
    state_.tell(
        Level::info, "no_longer_barred", fmt::format("{} is started as a replica: it takes part again", server.text()),
        {{"server", server.text()}}, findings_.operation);
    co_return co_await state_.save();
}

/// Its WAL ends with the shutdown checkpoint, which the fork lies behind: judged by what the stop said, not by the order used (S3).
Async<void> Hands::start_as_replica(const plans::StartAsReplica& command, Instant deadline) {
    const auto fork = findings_.fork();
    const bool ends_before_fork =
        findings_.stopped && findings_.stopped->state == model::ControlState::shut_down && fork && findings_.stopped->checkpoint < fork->at;
    if (!ends_before_fork) {
        // An earlier life of the manager stopped it: its disk says where its WAL ends.
        if (!fork)
            co_return Error{ErrorKind::failed, "the timeline history of the promoted server is not known: nobody knows where it forked"};
        const auto read = co_await state_.host(command.server).read_wal_end({command.system_id, {fork->from, fork->at}}, deadline);
        if (read && read->end > fork->at)
            co_return Error{
                ErrorKind::refused,
                fmt::format(
                    "the WAL of {} ends {} behind the fork: it must be rewound", command.server.text(), text(gap(fork->at, read->end)))};
        // Held by processes: it was started already, and is looked at below.
        if (!read && read.error().kind != ErrorKind::conflict) co_return read.error();
    }
    auto unbarred = co_await let_take_part(command.server);
    if (!unbarred) co_return unbarred;
    auto started = co_await state_.host(command.server).start(command.system_id, ports::StartAs::standby, deadline);
    if (!started) co_return started.error().during(fmt::format("start {} as a replica", command.server.text()));
    co_return co_await see_it_follow(command.server, command.upstream, upstream_patience, deadline);
}

}  // namespace handyrep::engine
