#include "adapters/files/file_store.hpp"
#include "tests/unit/files/bench.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace handyrep::adapters::files {
namespace {

using namespace std::chrono_literals;
using saved::JournalEntry;
using saved::JournalRecord;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr WallTime noon{std::chrono::microseconds{1'800'000'000'000'000}};

JournalRecord record(std::uint64_t operation, std::uint64_t sequence, JournalEntry entry, std::string step = "promote db2") {
    return {.operation = operation, .sequence = sequence, .at = noon, .entry = entry, .step = std::move(step), .detail = "detail"};
}

saved::Event event(std::string name, std::optional<std::uint64_t> operation = {}) {
    return {
        .at = noon,
        .level = Level::warning,
        .name = std::move(name),
        .text = "A sentence.",
        .operation = operation,
        .fields = {{"server", "db1"}}};
}

std::vector<std::string> names(const std::vector<saved::Event>& events) {
    std::vector<std::string> out;
    for (const saved::Event& it : events) out.push_back(it.name);
    return out;
}

std::string mode_of(const std::filesystem::path& path) {
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0) return "missing";
    return fmt::format("{:04o}", status.st_mode & 07777U);
}

void spoil(
    const std::filesystem::path& path, std::string_view content = "this is not a database, not at all, however long one looks at it\n") {
    std::ofstream{path, std::ios::trunc | std::ios::binary} << content;
}

std::size_t count_of(const std::filesystem::path& folder, std::string_view part) {
    std::size_t count = 0;
    for (const auto& it : std::filesystem::directory_iterator{folder}) {
        if (it.path().filename().string().find(part) != std::string::npos) ++count;
    }
    return count;
}

TEST(FileStore, MakesAFolderAndFilesThatNobodyElseCanRead) {
    Bench bench;
    ASSERT_TRUE(bench.open());
    ASSERT_TRUE(bench.write_servers("text"));
    EXPECT_EQ(mode_of(bench.folder), "0700");
    for (const char* const name : {"servers.save", "journal.sqlite", "history.sqlite", "lock"})
        EXPECT_EQ(mode_of(bench.folder / name), "0600") << name;
}

TEST(FileStore, ClosesAFolderThatWasOpenToOthersAndSaysSo) {
    Bench bench;
    std::filesystem::create_directories(bench.folder);
    ASSERT_EQ(::chmod(bench.folder.c_str(), 0755), 0);
    const auto open = bench.open();
    ASSERT_TRUE(open);
    EXPECT_THAT(open->warnings, ElementsAre(HasSubstr("was open to others (mode 0755)")));
    EXPECT_EQ(mode_of(bench.folder), "0700");
}

TEST(FileStore, HasNoServersAtFirstAndThenTheLastThatWereWritten) {
    Bench bench;
    ASSERT_TRUE(bench.open());
    const auto none = bench.read_servers();
    ASSERT_TRUE(none);
    EXPECT_FALSE(*none);
    ASSERT_TRUE(bench.write_servers("first\n"));
    ASSERT_TRUE(bench.write_servers("second\n"));
    bench.reopen();
    const auto last = bench.read_servers();
    ASSERT_TRUE(last && *last);
    EXPECT_EQ(**last, "second\n");
    EXPECT_EQ(count_of(bench.folder, "servers.save.new"), 0U);
}

TEST(FileStore, KeepsAServersFileThatNobodyCanReadWhenItIsReplaced) {
    Bench bench;
    ASSERT_TRUE(bench.open());
    spoil(bench.folder / "servers.save", "half a file");
    ASSERT_TRUE(bench.read_servers());
    ASSERT_TRUE(bench.write_servers("new"));
    EXPECT_EQ(count_of(bench.folder, "servers.save.damaged-"), 1U);
    const auto events = bench.events(1);
    ASSERT_TRUE(events);
    EXPECT_THAT(names(*events), ElementsAre("saved_state_kept"));
}

TEST(FileStore, IsRefusedToASecondManagerByTheFirstOnesProcessId) {
    Bench bench;
    ASSERT_TRUE(bench.open());
    const auto second = open_store(bench.clock, {.folder = bench.folder.string()});
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind, ErrorKind::conflict);
    EXPECT_THAT(second.error().what, HasSubstr(fmt::format("in use by another HandyRep, process {}", ::getpid())));
    bench.close();
    EXPECT_TRUE(open_store(bench.clock, {.folder = bench.folder.string()}));
}

TEST(Journal, KeepsTheRecordsOfOpenOperationsInOrderOverARestart) {
    Bench bench;
    ASSERT_TRUE(bench.open());
    ASSERT_TRUE(bench.append(record(2, 1, JournalEntry::begun)));
    ASSERT_TRUE(bench.append(record(3, 1, JournalEntry::begun)));
    ASSERT_TRUE(bench.append(record(2, 2, JournalEntry::starting)));
    bench.reopen();
    const auto records = bench.open_operations();
    ASSERT_TRUE(records);
    EXPECT_THAT(
        *records, ElementsAre(record(2, 1, JournalEntry::begun), record(2, 2, JournalEntry::starting), record(3, 1, JournalEntry::begun)));
}

TEST(Journal, ForgetsAnOperationThatEndedButNotItsNumber) {
    Bench bench;
    ASSERT_TRUE(bench.open());
    EXPECT_EQ(*bench.last_operation(), 0U);
    ASSERT_TRUE(bench.append(record(5, 1, JournalEntry::begun)));
    ASSERT_TRUE(bench.append(record(5, 2, JournalEntry::ended)));
    bench.reopen();
    EXPECT_THAT(*bench.open_operations(), IsEmpty());
    EXPECT_EQ(*bench.last_operation(), 5U);
}

TEST(Journal, TakesTheSameRecordTwiceAsOneAndRefusesAnotherInItsPlace) {
    Bench bench;
    ASSERT_TRUE(bench.open());
    ASSERT_TRUE(bench.append(record(1, 1, JournalEntry::begun)));
    ASSERT_TRUE(bench.append(record(1, 1, JournalEntry::begun)));
    EXPECT_EQ(bench.open_operations()->size(), 1U);
    const auto other = bench.append(record(1, 1, JournalEntry::begun, "another plan"));
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().kind, ErrorKind::conflict);
}

TEST(Journal, RefusesANewOperationWithANumberThatWasUsed) {
    Bench bench;
    ASSERT_TRUE(bench.open());
    ASSERT_TRUE(bench.append(record(4, 1, JournalEntry::begun)));
    ASSERT_TRUE(bench.append(record(4, 2, JournalEntry::ended)));
    const auto again = bench.append(record(4, 1, JournalEntry::begun));
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().kind, ErrorKind::conflict);
}

TEST(Journal, ThatIsDamagedIsKeptAsideReportedAndBegunAnew) {
    Bench bench;
    ASSERT_TRUE(bench.open());
    ASSERT_TRUE(bench.append(record(9, 1, JournalEntry::begun)));
    bench.remember(event("promoted", 9));
    bench.close();
    spoil(bench.folder / "journal.sqlite");
    const auto open = bench.open();
    ASSERT_TRUE(open);
    EXPECT_TRUE(bench.store->journal_lost());
    EXPECT_THAT(open->warnings, ElementsAre(HasSubstr("journal.sqlite was damaged; it is kept as")));
    EXPECT_EQ(count_of(bench.folder, "journal.sqlite.damaged-"), 1U);
    EXPECT_THAT(*bench.open_operations(), IsEmpty());
    EXPECT_EQ(*bench.last_operation(), 9U) << "the history still knows the number";
}

TEST(Journal, WithADamagedPageIsNoticedAtTheStart) {
    Bench bench;
    ASSERT_TRUE(bench.open());
    for (std::uint64_t i = 1; i <= 200; ++i)
        ASSERT_TRUE(bench.append(record(1, i, i == 1 ? JournalEntry::begun : JournalEntry::starting, std::string(200, 'x'))));
    bench.close();
    {
        std::fstream file{bench.folder / "journal.sqlite", std::ios::in | std::ios::out | std::ios::binary};
        file.seekp(4096 * 3);
        file << std::string(4096, '\x5A');
    }
    const auto open = bench.open();
    ASSERT_TRUE(open);
    EXPECT_TRUE(bench.store->journal_lost());
}

TEST(Journal, ThatIsMissingBesideASavedStateIsReported) {
    Bench bench;
    ASSERT_TRUE(bench.open());
    ASSERT_TRUE(bench.write_servers("text"));
    bench.close();
    std::filesystem::remove(bench.folder / "journal.sqlite");
    ASSERT_TRUE(bench.open());
    EXPECT_TRUE(bench.store->journal_lost());
}

TEST(Journal, OfAFirstStartIsNotReportedAsLost) {
    Bench bench;
    const auto open = bench.open();
    ASSERT_TRUE(open);
    EXPECT_FALSE(bench.store->journal_lost());
    EXPECT_THAT(open->warnings, IsEmpty());
}

TEST(Journal, OfANewerFormatIsRefusedAndLeftAlone) {
    Bench bench;
    ASSERT_TRUE(bench.open());
    bench.close();
    SQLite::Database{bench.folder / "journal.sqlite", SQLite::OPEN_READWRITE}.exec("PRAGMA user_version = 2");
    const auto open = bench.open();
    ASSERT_FALSE(open);
    EXPECT_EQ(open.error().kind, ErrorKind::unsupported);
    EXPECT_EQ(count_of(bench.folder, "damaged"), 0U);
}

TEST(History, GivesTheNewestEventsOldestFirstAlsoAfterARestart) {
    Bench bench;
    ASSERT_TRUE(bench.open());
    for (const char* const name : {"one", "two", "three"}) bench.remember(event(name, 7));
    bench.reopen();
    const auto events = bench.events(2);
    ASSERT_TRUE(events);
    ASSERT_THAT(names(*events), ElementsAre("two", "three"));
    const saved::Event& last = events->back();
    EXPECT_EQ(last.at, noon);
    EXPECT_EQ(last.level, Level::warning);
    EXPECT_EQ(last.text, "A sentence.");
    EXPECT_EQ(last.operation, 7U);
    ASSERT_EQ(last.fields.size(), 1U);
    EXPECT_EQ(last.fields[0].name, "server");
    EXPECT_EQ(last.fields[0].value, "db1");
}

TEST(History, ForgetsTheOldestBeyondItsLimit) {
    Bench bench;
    bench.history_limit = 10;
    ASSERT_TRUE(bench.open());
    for (int i = 0; i < 50; ++i) bench.remember(event(fmt::format("e{}", i)));
    ASSERT_TRUE(bench.events(1));
    bench.reopen();
    SQLite::Database database{bench.folder / "history.sqlite", SQLite::OPEN_READONLY};
    EXPECT_EQ(database.execAndGet("SELECT count(*) FROM event").getInt(), 10);
    EXPECT_THAT(names(*bench.events(1)), ElementsAre("e49"));
}

TEST(History, ThatIsDamagedIsKeptAsideAndDoesNotMakeTheClusterProvisional) {
    Bench bench;
    ASSERT_TRUE(bench.open());
    bench.close();
    spoil(bench.folder / "history.sqlite");
    const auto open = bench.open();
    ASSERT_TRUE(open);
    EXPECT_FALSE(bench.store->journal_lost());
    EXPECT_THAT(open->warnings, ElementsAre(HasSubstr("history.sqlite was damaged")));
}

TEST(History, ThatCannotBeOpenedIsKeptInMemory) {
    Bench bench;
    std::filesystem::create_directories(bench.folder / "history.sqlite");
    ASSERT_EQ(::chmod(bench.folder.c_str(), 0700), 0);
    const auto open = bench.open();
    ASSERT_TRUE(open);
    EXPECT_THAT(open->warnings, ElementsAre(HasSubstr("events are kept in memory only")));
    bench.remember(event("one"));
    EXPECT_THAT(names(*bench.events(5)), ElementsAre("one"));
}

}  // namespace
}  // namespace handyrep::adapters::files
