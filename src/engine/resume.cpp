// engine/resume.cpp — what an earlier life of the manager left open (S14).
//
// A commit step is never carried out from an old journal. Before it: undo, then decide afresh. Begun without an end: the
// candidate counts as a possible primary until it was seen. Done: what follows a promotion is done again, which changes
// nothing where it was done already.
#include "engine/loop.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace handyrep::engine {

using saved::JournalEntry;
using saved::JournalRecord;

namespace {

constexpr Duration journal_limit = std::chrono::seconds{10};

/// The last thing the journal says of `step`; nothing when it was never begun.
std::optional<JournalRecord> last_of(const std::vector<JournalRecord>& records, const std::string& step) {
    const auto found = std::ranges::find_if(records.rbegin(), records.rend(), [&](const JournalRecord& it) { return it.step == step; });
    return found == records.rend() ? std::nullopt : std::optional{*found};
}

std::optional<WallTime> expiry_in(const std::vector<JournalRecord>& records, const std::string& step) {
    for (const JournalRecord& it : records) {
        if (it.step != step || it.entry != JournalEntry::starting) continue;
        if (const auto expires = saved::expiry_from_text(it.detail)) return *expires;
    }
    return std::nullopt;
}

}  // namespace

/// False when the journal cannot be read now.
asio::awaitable<bool> Cluster::Loop::resume() {
    const auto last = co_await state_.store().last_operation(state_.clock().now() + journal_limit);
    const auto open = co_await state_.store().open_operations(state_.clock().now() + journal_limit);
    if (!last || !open) co_return false;
    last_operation_ = std::max(last_operation_, *last);
    std::map<std::uint64_t, std::vector<JournalRecord>> operations;
    for (const JournalRecord& it : *open) operations[it.operation].push_back(it);
    for (const auto& [number, records] : operations) co_await resume_one(records);
    co_return true;
}

asio::awaitable<void> Cluster::Loop::resume_one(const std::vector<JournalRecord>& records) {
    const std::uint64_t number = records.front().operation;
    last_operation_ = std::max(last_operation_, number);
    Findings findings;
    findings.operation = number;
    saved::OperationRecord known;
    for (const JournalRecord& it : records) saved::note(known, it);
    operation_ = known;
    Conductor conductor = conductor_for(findings);
    conductor.resume_at(records.back().sequence);

    const auto begun = saved::operation_begun_from_text(records.front().detail);
    if (records.front().entry != JournalEntry::begun || !begun) {
        state_.tell(
            Level::error, "operation_unreadable",
            fmt::format("the journal of operation {} cannot be read: it is closed, look at the servers", number), {}, number);
        co_return co_await close(conductor, findings, "unreadable after a restart");
    }
    const auto commit = last_of(records, begun->commit_step);
    const std::string where = commit ? fmt::format("at '{}' ({})", commit->step, word_for(commit->entry)) : "before its point of no return";
    state_.tell(
        Level::warning, "operation_found_open", fmt::format("operation {} ({}) was interrupted {}", number, begun->kind, where), {},
        number);

    const OpenOperation found{*begun, known, records.back().sequence};
    const bool never_happened = !commit || commit->entry == JournalEntry::failed || commit->entry == JournalEntry::undone;
    if (!begun->work.empty()) co_return resume_copy(found, commit && commit->entry == JournalEntry::done);
    if (!begun->candidate || !begun->old_primary) {
        // No step of these makes a second primary, so one that may or may not have been done is undone as well. A later promotion has led
        // everybody somewhere else meanwhile.
        const bool happened = commit && commit->entry == JournalEntry::done;
        if (happened || begun->undo.empty() || begun->epoch < state_.saved.epoch)
            co_return co_await close(conductor, findings, "interrupted by a restart: looked at afresh");
        waiting_.emplace_back(TakeBack{found});
        co_return;
    }
    const bool servers_known =
        state_.definition().find(*begun->candidate) != nullptr && state_.definition().find(*begun->old_primary) != nullptr;
    if (!servers_known) co_return co_await close(conductor, findings, "its servers are no longer configured");

    const OpenPromotion open{found, *begun->candidate, *begun->old_primary};
    // A promotion was recorded since, and not this one's: what led to it is no longer anybody's to undo or to finish.
    const bool recorded = !never_happened && state_.saved.primary == begun->candidate;
    if (begun->epoch < state_.saved.epoch && !recorded) co_return co_await close(conductor, findings, "overtaken by a later promotion");
    if (never_happened) {
        waiting_.emplace_back(TakeBack{found});
    } else if (recorded) {
        waiting_.emplace_back(FinishPromotion{open});
    } else {
        // Done, or begun with an unknown end: sight of the candidate settles both.
        const auto expires = expiry_in(records, begun->commit_step);
        unsettled_ = open;
        const auto& possible = state_.saved.possible_primary;
        if (!possible || possible->server != *begun->candidate)
            state_.saved.possible_primary =
                model::PossiblePrimary{*begun->candidate, expires.value_or(state_.clock().wall() + std::chrono::minutes{1})};
        want_save();
    }
}

}  // namespace handyrep::engine
