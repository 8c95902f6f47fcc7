// saved/journal.hpp — the steps of operations that have not ended. Written durably *before* the step (S14).
#pragma once

#include "base/result.hpp"
#include "base/time.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace handyrep::saved {

enum class JournalEntry {
    begun,     // the operation; `detail` is its description
    starting,  // the step will be tried now
    done,      // and was seen to be done
    failed,    // certainly not done
    unknown,   // may have happened, or may still
    undone,    // the step was taken back
    ended,     // the operation; it is no longer open
};
[[nodiscard]] std::string_view word_for(JournalEntry entry);
[[nodiscard]] Result<JournalEntry> parse_journal_entry(std::string_view text);

struct JournalRecord {
    std::uint64_t operation;
    std::uint64_t sequence;  // within the operation, from 1
    WallTime at;
    JournalEntry entry;
    std::string step;  // the step's name; the operation's kind for begun and ended
    /// Of begun, and of the starting of a promotion: saved/operation.hpp; else one sentence. Never a secret.
    std::string detail;
    friend bool operator==(const JournalRecord&, const JournalRecord&) = default;
};

}  // namespace handyrep::saved
