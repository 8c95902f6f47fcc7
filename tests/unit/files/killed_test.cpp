#include "tests/unit/files/bench.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <random>
#include <string>

namespace handyrep::adapters::files {
namespace {

using namespace std::chrono_literals;
using saved::JournalEntry;

/// Long enough for many pages and writes; every line says which version it belongs to.
std::string text_of(std::uint64_t version) {
    std::string text;
    for (int i = 0; i < 2000; ++i) text += fmt::format("version {}\n", version);
    return text;
}

saved::JournalRecord record_of(std::uint64_t number) {
    // Operations of four records each, of which only the newest is open.
    const std::array<JournalEntry, 4> entries{JournalEntry::begun, JournalEntry::starting, JournalEntry::done, JournalEntry::ended};
    return {
        .operation = 1 + number / 4,
        .sequence = 1 + number % 4,
        .at = WallTime{},
        .entry = entries.at(number % 4),
        .step = fmt::format("step {}", number),
        .detail = ""};
}

/// What the child says when a write has returned: from then on it must be found.
struct Word {
    std::uint64_t version;
    std::uint64_t record;
};

[[noreturn]] void write_until_killed(const std::filesystem::path& folder, Word from, int pipe) {
    Bench bench{folder.parent_path()};  // never destroyed here: the folder is the parent process's
    if (!bench.open()) ::_exit(3);
    Word word = from;
    for (;;) {
        ++word.version;
        if (!bench.write_servers(text_of(word.version))) ::_exit(4);
        if (::write(pipe, &word, sizeof word) != sizeof word) ::_exit(5);
        ++word.record;
        if (!bench.append(record_of(word.record))) ::_exit(6);
        if (::write(pipe, &word, sizeof word) != sizeof word) ::_exit(7);
    }
}

/// The last word of the child, which is killed `patience` after its second one.
Word run_and_kill(const std::filesystem::path& folder, Word from, std::chrono::microseconds patience) {
    std::array<int, 2> pipe{};
    EXPECT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
    const pid_t child = ::fork();
    if (child == 0) write_until_killed(folder, from, pipe[1]);
    ::close(pipe[1]);
    Word last = from;
    // One write of each kind at least, however slow the machine is.
    for (int words = 0; words < 2; ++words) {
        pollfd next{.fd = pipe[0], .events = POLLIN, .revents = 0};
        EXPECT_EQ(::poll(&next, 1, 30'000), 1);
        EXPECT_EQ(::read(pipe[0], &last, sizeof last), sizeof last);
    }
    ::usleep(static_cast<useconds_t>(patience.count()));
    ::kill(child, SIGKILL);
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status)) << "the writer ended by itself with " << WEXITSTATUS(status);
    Word word{};
    while (::read(pipe[0], &word, sizeof word) == sizeof word) last = word;
    ::close(pipe[0]);
    return last;
}

TEST(Killed, InTheMiddleOfWritesTheStoreIsWholeAndNeverOlderThanWhatWasReported) {
    Bench bench;
    std::mt19937 random{20260122};  // NOLINT: the same kills in every run
    // Word.record counts from before the first record, which is number 1 of operation 1 in the child's loop.
    Word said{0, 3};
    for (int round = 1; round <= 50; ++round) {
        said = run_and_kill(bench.folder, said, std::chrono::microseconds{random() % 25'000});
        const auto open = bench.open();
        ASSERT_TRUE(open) << open.error().what;
        ASSERT_FALSE(bench.store->journal_lost()) << "round " << round;

        const auto text = bench.read_servers();
        ASSERT_TRUE(text && *text);
        const bool as_said = **text == text_of(said.version);
        ASSERT_TRUE(as_said || **text == text_of(said.version + 1))
            << "round " << round << ": " << (*text)->substr(0, 40) << " after version " << said.version;
        if (!as_said) ++said.version;

        // The newest record is the one that was reported, or the one after it.
        const auto records = bench.open_operations();
        const auto last = bench.last_operation();
        ASSERT_TRUE(records && last);
        const auto expected = [](std::uint64_t record) { return record % 4 == 3 ? 0U : record % 4 + 1; };
        const bool journal_as_said = records->size() == expected(said.record) && *last >= record_of(said.record).operation;
        const bool journal_next = records->size() == expected(said.record + 1) && *last == record_of(said.record + 1).operation;
        ASSERT_TRUE(journal_as_said || journal_next)
            << "round " << round << ": " << records->size() << " records after record " << said.record;
        if (!journal_as_said) ++said.record;
        for (const saved::JournalRecord& it : *records) ASSERT_EQ(it, record_of((it.operation - 1) * 4 + it.sequence - 1));
        bench.close();
    }
    EXPECT_GE(said.version, 50U);
    EXPECT_GE(said.record, 50U);
}

}  // namespace
}  // namespace handyrep::adapters::files
