#include "tests/unit/files/bench.hpp"

#include <SQLiteCpp/Database.h>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <thread>

namespace handyrep::adapters::files {
namespace {

using namespace std::chrono_literals;

saved::JournalRecord begun(std::uint64_t operation) {
    return {
        .operation = operation, .sequence = 1, .at = WallTime{}, .entry = saved::JournalEntry::begun, .step = "failover", .detail = "{}"};
}

/// A disk that does not answer: opening a pipe for reading waits until somebody opens its other end.
class Hang {
public:
    explicit Hang(const Bench& bench) : path_{(bench.folder / "servers.save").string()} {
        if (::mkfifo(path_.c_str(), 0600) != 0) throw std::runtime_error("no pipe");
    }
    Hang(const Hang&) = delete;
    Hang& operator=(const Hang&) = delete;
    ~Hang() { end(); }
    void end() {
        if (path_.empty()) return;
        // Not blocking: fails while nobody waits on the other side, and then there is nothing to end.
        const int file = ::open(path_.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
        if (file >= 0) ::close(file);
        ::unlink(path_.c_str());
        path_.clear();
    }

private:
    std::string path_;
};

TEST(HungDisk, MakesACallReturnAtItsDeadlineWhileTheLoopGoesOn) {
    Bench bench;
    ASSERT_TRUE(bench.open());
    const Hang hang{bench};
    int ticks = 0;
    asio::co_spawn(
        bench.loop,
        [](Bench& on, int& count) -> asio::awaitable<void> {
            for (; count < 5; ++count) co_await on.clock.sleep_until(on.in(10ms));
        }(bench, ticks),
        asio::detached);
    const auto read = bench.wait(bench.store->read_servers(bench.in(300ms)));
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().kind, ErrorKind::timed_out);
    EXPECT_EQ(ticks, 5);
}

TEST(HungDisk, MakesFurtherCallsFailAtOnceAndCertainlyNotDone) {
    Bench bench;
    ASSERT_TRUE(bench.open());
    Hang hang{bench};
    ASSERT_FALSE(bench.wait(bench.store->read_servers(bench.in(100ms))));
    const auto append = bench.wait(bench.store->append(begun(1), bench.in(1h)));
    ASSERT_FALSE(append);
    EXPECT_EQ(append.error().kind, ErrorKind::refused);
    EXPECT_TRUE(surely_not_done(append.error().kind));
}

TEST(HungDisk, DoesNotHoldUpTheHistory) {
    Bench bench;
    ASSERT_TRUE(bench.open());
    const Hang hang{bench};
    ASSERT_FALSE(bench.wait(bench.store->read_servers(bench.in(100ms))));
    bench.remember({.at = WallTime{}, .name = "one", .text = ""});
    EXPECT_EQ(bench.events(1)->size(), 1U);
}

TEST(HungDisk, ThatComesBackIsUsedAgain) {
    Bench bench;
    ASSERT_TRUE(bench.open());
    Hang hang{bench};
    ASSERT_FALSE(bench.wait(bench.store->read_servers(bench.in(100ms))));
    hang.end();
    Result<void> append = Error{ErrorKind::refused, "not asked yet"};
    for (const Instant until = bench.soon(); !append && bench.clock.now() < until;) append = bench.append(begun(1));
    EXPECT_TRUE(append);
}

TEST(HungDisk, NeverBeginsACallWhoseDeadlinePassedWhileItWaited) {
    Bench bench;
    ASSERT_TRUE(bench.open());
    Hang hang{bench};
    asio::co_spawn(bench.loop, bench.store->read_servers(bench.soon()), [](const std::exception_ptr&, const auto&) {});
    bench.loop.poll();
    // The first call has not given up, so the second one waits behind it, and gives up.
    const auto append = bench.wait(bench.store->append(begun(1), bench.in(200ms)));
    ASSERT_FALSE(append);
    EXPECT_EQ(append.error().kind, ErrorKind::timed_out);
    hang.end();
    Result<std::uint64_t> last = Error{ErrorKind::refused, "not asked yet"};
    for (const Instant until = bench.soon(); !last && bench.clock.now() < until;) last = bench.last_operation();
    ASSERT_TRUE(last);
    EXPECT_EQ(*last, 0U);
}

TEST(HungDisk, DoesNotHoldTheEndOfTheStore) {
    Bench bench;
    ASSERT_TRUE(bench.open());
    const Hang hang{bench};
    ASSERT_FALSE(bench.wait(bench.store->read_servers(bench.in(50ms))));
    bench.close();
    EXPECT_EQ(bench.store, nullptr);
}

TEST(LockedJournal, MakesAnAppendReturnAtItsDeadline) {
    Bench bench;
    ASSERT_TRUE(bench.open());
    SQLite::Database other{(bench.folder / "journal.sqlite").string(), SQLite::OPEN_READWRITE};
    other.exec("BEGIN IMMEDIATE");
    const auto append = bench.wait(bench.store->append(begun(1), bench.in(200ms)));
    ASSERT_FALSE(append);
    EXPECT_EQ(append.error().kind, ErrorKind::timed_out);
    other.exec("ROLLBACK");
}

TEST(Stop, FliesPastACallThatWaits) {
    Bench bench;
    ASSERT_TRUE(bench.open());
    const Hang hang{bench};
    asio::cancellation_signal signal;
    std::exception_ptr thrown;
    bool ended = false;
    asio::co_spawn(
        bench.loop, bench.store->read_servers(bench.soon()),
        asio::bind_cancellation_slot(signal.slot(), [&](const std::exception_ptr& exception, const auto&) {
            thrown = exception;
            ended = true;
        }));
    bench.loop.restart();
    bench.loop.poll();
    signal.emit(asio::cancellation_type::terminal);
    while (!ended && bench.loop.run_one() > 0) continue;
    ASSERT_TRUE(thrown);
    try {
        std::rethrow_exception(thrown);
    } catch (const boost::system::system_error& stopped) {
        EXPECT_EQ(stopped.code(), asio::error::operation_aborted);
    }
}

}  // namespace
}  // namespace handyrep::adapters::files
