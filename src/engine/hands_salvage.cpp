// What the fenced old primary flushed and never sent is brought to the candidate before its promotion (S10).
//
// Whatever is changed on the candidate for it is put back by a step of its own, also when this one ran into its limit in the middle.
#include "engine/hands.hpp"
#include "engine/looks.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace handyrep::engine {

using model::Bytes;
using model::Lsn;
using model::WalStretch;
using std::chrono::milliseconds;

namespace {

/// In one piece, so that others get a turn at either shell meanwhile.
constexpr Bytes longest_piece{1ULL << 20};
/// Before so much is copied its pace says nothing.
constexpr Bytes pace_known_after{4ULL << 20};

/// So much before the step is cut off does it end by itself, and can still say how far it came.
constexpr Duration last_words = milliseconds{20};

/// What is left at the pace so far; nothing while that says little.
std::optional<Duration> time_left(Bytes copied, Bytes left, Duration took) {
    if (copied < pace_known_after) return std::nullopt;
    return std::chrono::duration_cast<Duration>(took * (static_cast<double>(left.count) / static_cast<double>(copied.count)));
}

}  // namespace

/// An earlier one may have been cut off before its end, by a standby that was away then or with the life of a manager.
std::optional<bool> Hands::left_before(const model::ServerName& candidate) const {
    const auto* const seen = state_.evidence.find(candidate);
    if (seen == nullptr || !seen->details || seen->details->at <= state_.offer_changed) return std::nullopt;
    return seen->details->what.offers_wal;
}

Async<void> Hands::salvage(const plans::Salvage& command, Instant deadline) {
    findings_.salvage_left = left_before(command.candidate);
    if (!findings_.fence.processes_gone)
        co_return Error{ErrorKind::refused, fmt::format("{} is not fenced: its WAL has no end yet", command.old_primary.text())};
    auto outcome = co_await bring_missing_wal(command, deadline - last_words);
    if (!outcome)
        state_.tell(
            Level::warning, "salvage_failed",
            fmt::format(
                "what {} flushed and never sent was not brought to {}: {}", command.old_primary.text(), command.candidate.text(),
                outcome.error().text()),
            {{"server", command.candidate.text()}, {"from", command.old_primary.text()}}, findings_.operation);
    co_return outcome;
}

/// Contiguous from where the candidate has replayed, on its timeline, of its system: anything else is an error, and replay itself checks
/// every record's link to the one before.
Async<Missing> Hands::read_missing(const plans::Salvage& command, Instant deadline) {
    const auto final_position = std::ranges::find(findings_.finals, command.candidate, &decide::FinalPosition::server);
    if (final_position == findings_.finals.end() || !final_position->detached)
        co_return Error{ErrorKind::refused, fmt::format("{} is not detached, or was not read", command.candidate.text())};
    const model::WalPosition holds = final_position->position;
    const model::HeldSight sight = co_await look(command.candidate, deadline);
    const auto* const answer = std::get_if<model::Answered>(&sight);
    if (answer == nullptr || answer->standby() == nullptr)
        co_return Error{ErrorKind::unreachable, fmt::format("{}: {}", command.candidate.text(), words_of(sight))};

    const model::WalPosition replayed{holds.timeline, answer->standby()->replayed};
    const model::WalEndQuestion question{command.system_id, replayed};
    const auto read = co_await state_.host(command.old_primary).read_wal_end(question, deadline);
    if (!read) co_return read.error();
    findings_.on_disk = model::WalPosition{replayed.timeline, read->end};
    const Bytes bytes = gap(std::max(replayed.lsn, holds.lsn), read->end);
    if (bytes.count > 0 && !read->all_counted)
        co_return Error{
            ErrorKind::failed, fmt::format(
                                   "{} of WAL are missing, and the first of that is recycled on {}: they do not follow on {}", text(bytes),
                                   command.old_primary.text(), replayed.lsn.text())};
    co_return Missing{replayed, *read, bytes};
}

Async<void> Hands::bring_missing_wal(const plans::Salvage& command, Instant deadline) {
    const auto missing = co_await read_missing(command, deadline);
    if (!missing) co_return missing.error();
    const std::string end = missing->end.end.text();
    if (missing->bytes.count == 0) {
        state_.tell(
            Level::info, "nothing_to_salvage",
            fmt::format("{} has everything that is on the disk of {}, up to {}", command.candidate.text(), command.old_primary.text(), end),
            {{"server", command.candidate.text()}, {"end", end}}, findings_.operation);
        co_return Result<void>{};
    }
    const Instant began = state_.clock().now();
    auto outcome = co_await copy_wal(command, *missing, deadline);
    if (outcome) outcome = co_await replay_to(command, *missing, deadline);
    if (!outcome) co_return outcome;
    state_.tell(
        Level::info, "salvaged",
        fmt::format(
            "{} that {} flushed and never sent were brought to {}: it has everything up to {} now; committed transactions in it: {}",
            text(missing->bytes), command.old_primary.text(), command.candidate.text(), end, missing->end.commits),
        {{"server", command.candidate.text()},
         {"from", command.old_primary.text()},
         {"bytes", fmt::format("{}", missing->bytes.count)},
         {"transactions", fmt::format("{}", missing->end.commits)},
         {"end", end},
         {"took", text(std::chrono::floor<milliseconds>(state_.clock().now() - began))}},
        findings_.operation);
    co_return outcome;
}

Async<void> Hands::copy_wal(const plans::Salvage& command, const Missing& missing, Instant deadline) {
    ports::Host& from = state_.host(command.old_primary);
    ports::Host& to = state_.host(command.candidate);
    const Bytes segment = missing.end.segment;
    const auto stretch = [&](Lsn begin, Lsn end) { return WalStretch{command.system_id, missing.from.timeline, begin, end, segment}; };
    findings_.salvage_left = true;
    const WalStretch all = stretch(missing.from.lsn, missing.end.end);
    const auto place = co_await to.make_wal_place(all, deadline);
    if (!place) co_return place.error();
    const Instant began = state_.clock().now();
    for (Lsn at = place->from; at < missing.end.end;) {
        const Lsn end = std::min({missing.end.end, at + longest_piece, begin_of_segment(at, segment) + segment});
        const WalStretch piece = stretch(at, end);
        const auto wal = co_await from.read_wal(piece, deadline);
        if (!wal) co_return wal.error();
        const auto put = co_await to.put_wal(piece, *wal, deadline);
        if (!put) co_return put.error();
        at = end;
        const Instant now = state_.clock().now();
        const Bytes left = gap(at, missing.end.end);
        if (const auto needs = time_left(gap(place->from, at), left, now - began); needs && now + *needs > deadline)
            co_return Error{
                ErrorKind::timed_out,
                fmt::format("{} are left, which would take {}", text(left), text(std::chrono::floor<milliseconds>(*needs)))};
    }
    state_.offer_changed = state_.clock().now();
    co_return co_await state_.postgres(command.candidate).offer_wal(place->folder, findings_.operation, deadline);
}

Async<void> Hands::replay_to(const plans::Salvage& command, const Missing& missing, Instant deadline) {
    ReplayWatch replay;
    bool may_end = command.end_queries;
    Instant next_nudge = state_.clock().now();
    while (state_.clock().now() < deadline) {
        const model::HeldSight sight = co_await look(command.candidate, deadline);
        const Instant now = state_.clock().now();
        const auto* const answer = std::get_if<model::Answered>(&sight);
        const auto* const standby = answer != nullptr ? answer->standby() : nullptr;
        if (answer != nullptr && standby == nullptr)
            co_return Error{ErrorKind::refused, fmt::format("{} is out of recovery: somebody promoted it", command.candidate.text())};
        if (standby != nullptr) {
            replay.note(standby->replayed, now);
            if (standby->replayed >= missing.end.end) {
                note_final(command.candidate, *answer, true);
                co_return Result<void>{};
            }
            // What it lacks it never received, so that only its waiting for WAL tells whether it is held up.
            const bool by_person = standby->replay_paused || standby->apply_delay > Duration::zero();
            if (may_end && !standby->replay_waits && !by_person && replay.still(now) >= held_up) {
                may_end = false;
                co_await end_queries(command.candidate, deadline);
            }
        }
        if (now >= next_nudge) {
            // A nudge that fails changes nothing: the looks go on and tell.
            static_cast<void>(co_await state_.postgres(command.candidate).nudge(std::min(deadline, now + look_limit)));
            next_nudge = state_.clock().now() + nudge_interval;
        }
        co_await state_.clock().sleep_until(state_.clock().now() + look_interval);
    }
    co_return Error{
        ErrorKind::timed_out,
        fmt::format("{} was offered it and has not replayed up to {}", command.candidate.text(), missing.end.end.text())};
}

/// The folder matters to nobody once restore_command does not lead to it: that it stays is told, and is no failure.
Async<void> Hands::end_salvage(const plans::EndSalvage& command, Instant deadline) {
    if (findings_.salvage_left == false) co_return Result<void>{};
    auto back = co_await state_.postgres(command.candidate).end_offer(deadline);
    state_.offer_changed = state_.clock().now();
    if (!back) co_return back.error().during(fmt::format("put restore_command of {} back as it was", command.candidate.text()));
    findings_.salvage_left = false;
    const auto removed = co_await state_.host(command.candidate).remove_wal_place(deadline);
    if (!removed)
        state_.tell(
            Level::warning, "salvage_left",
            fmt::format("WAL that was brought to {} is still there: {}", command.candidate.text(), removed.error().text()),
            {{"server", command.candidate.text()}}, findings_.operation);
    co_return back;
}

}  // namespace handyrep::engine
