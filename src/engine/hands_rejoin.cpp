// The hands' part of a server's return as a replica: rewound by its host where it must be, prepared, started.
#include "engine/hands.hpp"
#include "engine/looks.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace handyrep::engine {

using model::RewindPhase;
using model::ServerName;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr Duration between_questions = milliseconds{500};
constexpr Duration question_limit = seconds{20};
/// A host that was silent for so long is not waited for: its job goes on by itself, and the same order finds it again.
constexpr Duration host_patience = seconds{60};
constexpr Duration upstream_patience = seconds{10};
/// A question that got lost is not waited for as long as the whole step may take.
constexpr Duration history_limit = seconds{10};
constexpr Duration read_limit = seconds{40};
constexpr Duration start_limit = seconds{45};

}  // namespace

void Hands::tell_rewind(const ServerName& server, const model::RewindProgress& progress) {
    state_.tell(
        Level::info, "rewind",
        fmt::format("the rewind of {}: {}{}{}", server.text(), word_for(progress.phase), progress.why.empty() ? "" : ", ", progress.why),
        {{"server", server.text()}, {"phase", std::string(word_for(progress.phase))}}, findings_.operation);
}

/// Told once, and before anything of it is given up.
void Hands::tell_saved(const ServerName& server, const model::DivergedWal& saved) {
    state_.tell(
        saved.commits == 0 && saved.whole ? Level::info : Level::warning, "diverged_wal_saved",
        fmt::format("only {} had: {}", server.text(), text(saved)),
        {{"server", server.text()},
         {"folder", saved.folder},
         {"transactions", saved.whole ? fmt::format("{}", saved.commits) : "unknown"},
         {"records", fmt::format("{}", saved.records)}},
        findings_.operation);
}

/// Asks until its host says how it ended.
Async<void> Hands::rewind(const plans::Rewind& command, Instant deadline) {
    const model::ServerDefinition& to = state_.define(command.upstream);
    const ports::Login login = state_.postgres(command.server).login_at({to.hostname, to.port});
    const ports::RewindWanted wanted{
        fmt::format("{}", findings_.operation), command.server.text(), command.behind, login.conninfo, login.passfile_line};
    model::RewindProgress before;
    Instant heard = state_.clock().now();
    for (;;) {
        const Instant now = state_.clock().now();
        const auto progress = co_await state_.host(command.server).rewind(wanted, std::min(deadline, now + question_limit));
        if (progress) {
            heard = state_.clock().now();
            if (progress->phase != before.phase) tell_rewind(command.server, *progress);
            if (progress->saved && !before.saved) tell_saved(command.server, *progress->saved);
            before = *progress;
            if (progress->phase == RewindPhase::done) co_return Result<void>{};
            if (progress->phase == RewindPhase::half)
                co_return Error{
                    ErrorKind::refused,
                    fmt::format("{} was half rewound and must be cloned anew: {}", command.server.text(), progress->why)};
            if (!under_way(progress->phase))
                co_return Error{
                    ErrorKind::refused,
                    fmt::format("{} was not rewound, and is as it was before: {}", command.server.text(), progress->why)};
        } else if (surely_not_done(progress.error().kind)) {
            co_return progress.error().during(fmt::format("rewind {}", command.server.text()));
        } else if (state_.clock().now() - heard > host_patience) {
            co_return Error{
                ErrorKind::timed_out,
                fmt::format(
                    "the host of {} does not say how far its rewind is ({}); what was begun goes on there by itself, give the order again",
                    command.server.text(), progress.error().text())};
        }
        if (state_.clock().now() + between_questions >= deadline)
            co_return Error{
                ErrorKind::timed_out, fmt::format("{} is still being rewound, and goes on with it by itself", command.server.text())};
        co_await state_.clock().sleep_until(state_.clock().now() + between_questions);
    }
}

Async<void> Hands::prepare_down(const plans::PrepareDown& command, Instant deadline) {
    const model::ServerDefinition& to = state_.define(command.upstream);
    auto outcome = co_await state_.postgres(command.server).prepare_while_down({to.hostname, to.port}, command.system_id, deadline);
    if (!outcome) co_return outcome.error().during(fmt::format("prepare {} to follow {}", command.server.text(), command.upstream.text()));
    co_return outcome;
}

Async<void> Hands::hold_down(const plans::HoldDown& command, Instant deadline) {
    const auto report = co_await state_.host(command.server).stop(command.system_id, deadline);
    if (!report) co_return report.error().during(fmt::format("stop {}", command.server.text()));
    const std::string text = fmt::format(
        "{}: {}, {} processes left, {}, autostart: {}", command.server.text(), word_for(report->state), report->left,
        report->marked ? "marked standby" : "not marked standby", report->autostart);
    state_.tell(
        report->processes_gone() ? Level::info : Level::warning, "stopped", text, {{"server", command.server.text()}}, findings_.operation);
    if (!report->processes_gone()) co_return Error{ErrorKind::refused, text};
    co_return Result<void>{};
}

/// What the order was decided on is read again: the primary may be another one, and the disk another's work, by now.
Async<void> Hands::start_rejoined(const plans::StartRejoined& command, Instant deadline) {
    const auto history =
        co_await state_.postgres(command.upstream).timeline_history(std::min(deadline, state_.clock().now() + history_limit));
    if (!history)
        co_return Error{
            ErrorKind::refused, fmt::format("the history of {} cannot be read: {}", command.upstream.text(), history.error().text())};
    findings_.history = *history;
    if (command.fork) {
        if (!history->contains(*command.fork))
            co_return Error{
                ErrorKind::refused, fmt::format("{} is no longer in the history of {}", text(*command.fork), command.upstream.text())};
        const auto read = co_await state_.host(command.server)
                              .read_wal_end({command.system_id, *command.fork}, std::min(deadline, state_.clock().now() + read_limit));
        if (read && read->end > command.fork->lsn)
            co_return Error{
                ErrorKind::refused, fmt::format(
                                        "the WAL of {} ends {} behind the fork: it must be rewound", command.server.text(),
                                        text(gap(command.fork->lsn, read->end)))};
        // Held by processes: it was started already, and is looked at below.
        if (!read && read.error().kind != ErrorKind::conflict) co_return read.error();
    }
    auto unbarred = co_await let_take_part(command.server);
    if (!unbarred) co_return unbarred;
    auto started = co_await state_.host(command.server)
                       .start(command.system_id, ports::StartAs::standby, std::min(deadline, state_.clock().now() + start_limit));
    if (!started) co_return started.error().during(fmt::format("start {} as a replica", command.server.text()));
    co_return co_await see_it_follow(command.server, command.upstream, upstream_patience, deadline);
}

}  // namespace handyrep::engine
