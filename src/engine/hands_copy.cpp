// The hands' part of making a data directory anew: everything can be done once more and then changes nothing.
#include "decide/copying.hpp"
#include "engine/changes.hpp"
#include "engine/hands.hpp"
#include "engine/looks.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace handyrep::engine {

using model::CopyProgress;
using model::ServerName;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

constexpr Duration between_looks = seconds{1};
constexpr Duration copy_call_limit = seconds{30};
/// A host that is not reached says nothing of the copy, which goes on there; for so long nobody is worried.
constexpr Duration host_patience = minutes{60};
/// And one that does not get any further for so long will not.
constexpr Duration still_patience = minutes{30};
constexpr Duration upstream_patience = seconds{10};

bool is_there(const CopyProgress& seen) { return seen.state == CopyProgress::State::whole || seen.state == CopyProgress::State::in_place; }

Error ended_badly(const ServerName& server, const CopyProgress& seen) {
    if (seen.state == CopyProgress::State::lost)
        return {
            ErrorKind::refused,
            fmt::format("the copy on the host of {} ended without a word: it was killed, or the host restarted", server.text())};
    return {ErrorKind::refused, fmt::format("the copy failed: {}", seen.said.empty() ? "it says nothing" : seen.said)};
}

}  // namespace

Async<void> Hands::carry_out_copy(const plans::Command& command, Instant deadline) {
    if (const auto* it = std::get_if<plans::MakePlace>(&command)) co_return co_await make_place(*it, deadline);
    if (const auto* it = std::get_if<plans::CopyData>(&command)) co_return co_await copy_data(*it, deadline);
    if (const auto* it = std::get_if<plans::AbandonCopy>(&command)) co_return co_await abandon_copy(*it, deadline);
    if (const auto* it = std::get_if<plans::CheckPlace>(&command)) co_return co_await check_place(*it, deadline);
    if (const auto* it = std::get_if<plans::PutInPlace>(&command)) co_return co_await put_in_place(*it, deadline);
    if (const auto* it = std::get_if<plans::StartCopy>(&command)) co_return co_await start_copy(*it, deadline);
    co_return co_await discard_old(std::get<plans::DiscardOld>(command), deadline);
}

Async<void> Hands::make_place(const plans::MakePlace& command, Instant deadline) {
    for (;;) {
        const Instant now = state_.clock().now();
        auto made = co_await state_.copier(command.server).make_directory(std::min(deadline, now + copy_call_limit));
        // A host that is away for a while must not end an operation whose copy goes on there.
        const bool away = !made && (made.error().kind == ErrorKind::unreachable || made.error().kind == ErrorKind::timed_out);
        if (!away || state_.clock().now() + between_looks >= deadline) co_return made;
        co_await state_.clock().sleep_until(state_.clock().now() + between_looks);
    }
}

/// As the node would write it itself: with what stands in its own settings, and with its password in its passfile.
Async<std::string> Hands::conninfo_of_copy(const ServerName& server, const ServerName& upstream, Instant deadline) {
    auto own = co_await state_.copier(server).own_conninfo(deadline);
    if (!own) co_return own.error();
    const model::ServerDefinition& to = state_.define(upstream);
    co_return co_await state_.postgres(server).conninfo_to({to.hostname, to.port}, *std::move(own), deadline);
}

Async<void> Hands::begin_copy(const plans::CopyData& command, Instant deadline) {
    const Instant until = std::min(deadline, state_.clock().now() + copy_call_limit);
    auto source = co_await conninfo_of_copy(command.server, command.source, until);
    if (!source) co_return source.error();
    auto upstream = co_await conninfo_of_copy(command.server, command.upstream, until);
    if (!upstream) co_return upstream.error();
    const ports::CopyOrder order{
        .operation = findings_.operation,
        .system_id = command.system_id,
        .version = command.version,
        .source = *std::move(source),
        .upstream = *std::move(upstream),
        .wishes = command.wishes};
    auto begun = co_await state_.copier(command.server).begin(order, until);
    if (begun)
        state_.tell(
            Level::info, "copy_begun", fmt::format("{} is being copied to {}", command.source.text(), command.server.text()),
            {{"server", command.server.text()}, {"source", command.source.text()}}, findings_.operation);
    co_return begun;
}

void Hands::note_progress(const CopyProgress& seen, CopyPace& pace) const {
    const Instant now = state_.clock().now();
    if (!pace.since) pace = {now, seen.copied, now, seen.copied};
    if (seen.copied != pace.last) {
        pace.last = seen.copied;
        pace.moved = now;
    }
    saved::ProgressRecord out{.done = seen.copied, .total = seen.total};
    const double passed = std::chrono::duration<double>(now - *pace.since).count();
    if (passed >= 1 && seen.copied > pace.first) {
        const double rate = static_cast<double>(seen.copied.count - pace.first.count) / passed;
        out.rate = model::Bytes{static_cast<std::uint64_t>(rate)};
        if (seen.total)
            out.left = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(
                static_cast<double>(seen.total->count - std::min(seen.copied.count, seen.total->count)) / rate));
    }
    if (findings_.on_progress) findings_.on_progress(out);
}

Async<void> Hands::copy_data(const plans::CopyData& command, Instant deadline) {
    CopyPace pace;
    std::optional<Instant> unseen;
    for (bool begun = false;;) {
        const Instant now = state_.clock().now();
        auto seen = co_await state_.copier(command.server).progress(findings_.operation, std::min(deadline, now + copy_call_limit));
        if (!seen) {
            if (!unseen) unseen = now;
            if (now - *unseen > host_patience) co_return seen.error();
        } else {
            unseen.reset();
            if (is_there(*seen)) {
                note_progress(*seen, pace);
                co_return Result<void>{};
            }
            if (seen->state == CopyProgress::State::running) {
                note_progress(*seen, pace);
                if (now - pace.moved > still_patience)
                    co_return Error{ErrorKind::refused, fmt::format("the copy stands still since {}", text(now - pace.moved))};
            } else if (seen->state != CopyProgress::State::none || begun) {
                co_return ended_badly(command.server, *seen);
            } else {
                const auto told = co_await begin_copy(command, deadline);
                if (!told && surely_not_done(told.error().kind)) co_return told;
                begun = told.has_value();
                continue;
            }
        }
        if (state_.clock().now() + between_looks >= deadline) co_return Error{ErrorKind::timed_out, "the copy was not whole in time"};
        co_await state_.clock().sleep_until(state_.clock().now() + between_looks);
    }
}

Async<void> Hands::abandon_copy(const plans::AbandonCopy& command, Instant deadline) {
    auto done = co_await state_.copier(command.server).abandon(findings_.operation, deadline);
    if (!done) co_return done.error().during(fmt::format("take away what was copied to {}", command.server.text()));
    co_return done;
}

/// Asked of what is seen now; waits for a primary that is well again, and for nothing else.
Async<void> Hands::check_place(const plans::CheckPlace& command, Instant deadline) {
    for (;;) {
        const decide::AnalysisInput input = state_.input();
        const auto fit = decide::source_of_copy(input, decide::analyse(input), {.server = command.server, .from = command.upstream});
        if (fit) break;
        if (state_.clock().now() + between_looks >= deadline) co_return fit.error();
        co_await state_.clock().sleep_until(state_.clock().now() + between_looks);
    }
    const auto seen = co_await state_.copier(command.server).progress(findings_.operation, deadline);
    if (seen && seen->state == CopyProgress::State::in_place) co_return Result<void>{};
    const auto place = co_await state_.copier(command.server).look(command.version, deadline);
    if (!place) co_return Error{ErrorKind::refused, place.error().text()};
    if (place->processes > 0)
        co_return Error{
            ErrorKind::refused, fmt::format("{} processes hold the data directory of {}", place->processes, command.server.text())};
    co_return Result<void>{};
}

/// What was known of the old directory is not true of the new one.
Async<void> Hands::put_in_place(const plans::PutInPlace& command, Instant deadline) {
    const Instant first_limit = std::min(deadline, state_.clock().now() + copy_call_limit);
    auto upstream = co_await conninfo_of_copy(command.server, command.upstream, first_limit);
    if (!upstream) co_return Error{ErrorKind::refused, upstream.error().text()};
    const ports::Placing placing{
        .operation = findings_.operation,
        .system_id = command.system_id,
        .version = command.version,
        .port = state_.define(command.server).port,
        .upstream = *std::move(upstream),
        .slot = command.slot};
    auto done = co_await state_.copier(command.server).put_in_place(placing, deadline);
    // It may have happened, or may be half done: once more finds out, and does what is left.
    while (!done && !surely_not_done(done.error().kind) && state_.clock().now() + 2 * between_looks < deadline) {
        co_await state_.clock().sleep_until(state_.clock().now() + between_looks);
        done = co_await state_.copier(command.server).put_in_place(placing, deadline);
    }
    if (!done) co_return done.error().during(fmt::format("put the copy in place on {}", command.server.text()));
    std::erase_if(state_.saved.highest, [&](const model::HighestSeen& it) { return it.server == command.server; });
    state_.tell(
        Level::info, "copy_in_place", fmt::format("{} has a new data directory", command.server.text()),
        {{"server", command.server.text()}}, findings_.operation);
    co_return done;
}

Async<void> Hands::start_copy(const plans::StartCopy& command, Instant deadline) {
    auto unbarred = co_await let_take_part(command.server);
    if (!unbarred) co_return unbarred;
    auto started = co_await state_.host(command.server).start(command.system_id, ports::StartAs::standby, deadline);
    while (!started && started.error().kind == ErrorKind::unreachable && state_.clock().now() + 2 * between_looks < deadline) {
        co_await state_.clock().sleep_until(state_.clock().now() + between_looks);
        started = co_await state_.host(command.server).start(command.system_id, ports::StartAs::standby, deadline);
    }
    if (!started) co_return started.error().during(fmt::format("start {} as a replica", command.server.text()));
    co_return co_await see_it_follow(command.server, command.upstream, upstream_patience, deadline);
}

/// Only once the new one is seen to stream: until then somebody may want the old one back.
Async<void> Hands::discard_old(const plans::DiscardOld& command, Instant deadline) {
    const model::HeldSight sight = co_await look(command.server, deadline);
    const auto* const answer = std::get_if<model::Answered>(&sight);
    const bool streams = answer != nullptr && answer->standby() != nullptr &&
                         follows(*answer->standby(), state_.define(command.upstream), findings_.history);
    if (!streams)
        co_return Error{
            ErrorKind::refused,
            fmt::format("{0} does not stream yet: its old directory is kept at {1}.handyrep-old", command.server.text(), command.pgdata)};
    co_return co_await state_.copier(command.server).discard_old(findings_.operation, deadline);
}

}  // namespace handyrep::engine
