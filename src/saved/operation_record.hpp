// saved/operation_record.hpp — an operation as it is remembered: who, why, what plan, which steps with their times, what came of it.
//
// Made of the journal's records and nothing else: what is shown while it runs, what the history keeps and what a restarted
// manager finds open are the same thing.
#pragma once

#include "model/lsn.hpp"
#include "saved/journal.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace handyrep::saved {

struct StepRecord {
    std::string name;
    WallTime began;
    std::optional<std::chrono::microseconds> took{};  // nothing while it is being done
    std::string outcome = "running";                  // then "done", "failed", "unknown" or "undone"
    std::string text{};                               // why it failed, or what undoing it left
    friend bool operator==(const StepRecord&, const StepRecord&) = default;
};

/// What a promotion lost: as it was announced, and then as it was read on the old primary's disk, where that was possible.
struct LossRecord {
    std::optional<model::Bytes> at_least{};
    std::optional<model::Bytes> at_most{};
    std::string unbounded{};  // why there is no at_most; empty: there is
    std::optional<model::Bytes> read{};
    std::optional<std::uint64_t> transactions{};
    friend bool operator==(const LossRecord&, const LossRecord&) = default;
};

/// How far a long step is, as last seen.
struct ProgressRecord {
    model::Bytes done{};
    std::optional<model::Bytes> total{};  // as estimated when it began
    std::optional<model::Bytes> rate{};   // per second
    std::optional<Duration> left{};       // at that rate
    friend bool operator==(const ProgressRecord&, const ProgressRecord&) = default;
};

struct OperationRecord {
    std::uint64_t id = 0;
    std::string kind{};
    std::string by{};
    std::string reason{};
    std::vector<std::string> plan{};
    WallTime began{};
    std::optional<WallTime> ended{};
    std::vector<StepRecord> steps{};
    std::string outcome = "running";           // then "done", "refused: …", "failed: …", "unknown: …"
    std::optional<LossRecord> loss{};          // of a promotion
    std::optional<ProgressRecord> progress{};  // of a copy

    /// The step being done, or the last one.
    [[nodiscard]] std::string step() const { return steps.empty() ? std::string{} : steps.back().name; }
    friend bool operator==(const OperationRecord&, const OperationRecord&) = default;
};

/// Takes one more record of its journal in.
void note(OperationRecord& operation, const JournalRecord& record);

[[nodiscard]] std::string to_text(const OperationRecord& operation);
/// Fails with `invalid` when it is not what `to_text` writes.
[[nodiscard]] Result<OperationRecord> operation_record_from_text(std::string_view text);

}  // namespace handyrep::saved
