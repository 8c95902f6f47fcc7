#include "saved/journal.hpp"

#include <fmt/format.h>

#include <array>

namespace handyrep::saved {

namespace {
constexpr std::array<JournalEntry, 7> entries{JournalEntry::begun,   JournalEntry::starting, JournalEntry::done, JournalEntry::failed,
                                              JournalEntry::unknown, JournalEntry::undone,   JournalEntry::ended};
}  // namespace

std::string_view word_for(JournalEntry entry) {
    switch (entry) {
        case JournalEntry::begun: return "begun";
        case JournalEntry::starting: return "starting";
        case JournalEntry::done: return "done";
        case JournalEntry::failed: return "failed";
        case JournalEntry::unknown: return "unknown";
        case JournalEntry::undone: return "undone";
        case JournalEntry::ended: return "ended";
    }
    return "";
}

Result<JournalEntry> parse_journal_entry(std::string_view text) {
    for (const JournalEntry entry : entries) {
        if (word_for(entry) == text) return entry;
    }
    return Error{ErrorKind::invalid, fmt::format("'{}' is not a journal entry", text)};
}

}  // namespace handyrep::saved
