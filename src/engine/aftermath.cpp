// engine/aftermath.cpp — the hands' part right after a promotion: it is written down and told, and what was lost is read.
#include "engine/changes.hpp"
#include "engine/hands.hpp"

#include <fmt/format.h>

namespace handyrep::engine {

using std::chrono::milliseconds;

/// Fields that are the same in every life of the manager: what is not known is said so, never left out.
void Hands::tell_promotion(const plans::RecordPromotion& command) {
    const bool judged = findings_.fence_gate && is_open(*findings_.fence_gate);
    // A promotion that an earlier life of the manager ordered: what it knew is gone with it.
    if (!judged) findings_.loss.unbounded = "this life of the manager did not see the failover";
    const auto bytes = [](const std::optional<model::Bytes>& it) { return it ? fmt::format("{}", it->count) : std::string("unknown"); };
    const std::string age = findings_.loss.at_least && findings_.old_end ? text(std::chrono::floor<milliseconds>(findings_.old_end->age))
                                                                         : std::string("unknown");
    const auto fork = findings_.fork();
    std::vector<Field> fields{
        {"server", command.promoted.text()},
        {"from", command.old_primary.text()},
        {"epoch", fmt::format("{}", state_.saved.epoch)},
        {"proof", judged ? std::string(word_for(std::get<decide::GateOpen>(*findings_.fence_gate).proof)) : "unknown"},
        {"fork", fork ? text(model::WalPosition{fork->from, fork->at}) : "unknown"},
        {"loss_at_least_bytes", bytes(findings_.loss.at_least)},
        {"loss_seen_before", age},
        {"loss_at_most_bytes", bytes(findings_.loss.at_most)}};
    if (!findings_.loss.unbounded.empty()) fields.push_back({"loss_unbounded", findings_.loss.unbounded});
    state_.tell(
        Level::warning, "promoted",
        fmt::format(
            "{} is the primary now, {} must not run as one; lost: {}", command.promoted.text(), command.old_primary.text(),
            text(findings_.loss)),
        std::move(fields), findings_.operation);
}

void Hands::tell_loss(const plans::ReadLoss& command, const model::TimelineSwitch& fork, const model::WalEnd& read) {
    const model::Bytes lost = gap(fork.at, read.end);
    const std::string commits = read.all_counted ? fmt::format("{}", read.commits) : std::string("unknown");
    state_.tell(
        lost.count == 0 || (read.all_counted && read.commits == 0) ? Level::info : Level::warning, "loss_known",
        fmt::format(
            "the WAL of {} ends at {}, {} behind the fork at {}; committed transactions in it: {}", command.old_primary.text(),
            read.end.text(), text(lost), text(model::WalPosition{fork.from, fork.at}), commits),
        {{"server", command.old_primary.text()},
         {"fork", text(model::WalPosition{fork.from, fork.at})},
         {"end", read.end.text()},
         {"loss_bytes", fmt::format("{}", lost.count)},
         {"loss_transactions", commits}},
        findings_.operation);
}

/// Behind the promotion, so that nobody waits for it. Only a fence leaves nobody who could still write there: whoever is down
/// without one may be started as he is, and his WAL goes on.
Async<void> Hands::read_loss(const plans::ReadLoss& command, Instant deadline) {
    if (!findings_.fence.processes_gone)
        co_return Error{
            ErrorKind::refused,
            fmt::format(
                "{} is not fenced: it may start and go on writing, so nothing says where its WAL ends", command.old_primary.text())};
    const auto fork = findings_.fork();
    if (!fork) co_return Error{ErrorKind::failed, "the timeline history of the promoted server is not known: nobody knows where it forked"};
    const model::WalEndQuestion question{command.system_id, {fork->from, fork->at}};
    const auto read = co_await state_.host(command.old_primary).read_wal_end(question, deadline);
    if (!read) co_return read.error();
    findings_.lost = *read;
    tell_loss(command, *fork, *read);
    co_return Result<void>{};
}

Async<void> Hands::record(const plans::RecordPromotion& command, Instant deadline) {
    if (state_.saved.primary == command.promoted) co_return Result<void>{};
    if (!findings_.history) {
        const auto history = co_await state_.postgres(command.promoted).timeline_history(deadline);
        if (history) findings_.history = *history;
    }
    record_promotion(
        state_.saved, {.promoted = command.promoted,
                       .old_primary = command.old_primary,
                       .old_position = findings_.old_position,
                       .history = findings_.history,
                       .at = state_.clock().wall(),
                       .automatic = findings_.automatic});
    auto written = co_await state_.save();
    tell_promotion(command);
    if (!written) co_return written.error();
    co_return Result<void>{};
}

}  // namespace handyrep::engine
