#include "sim/store.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace handyrep::sim {

using namespace std::chrono_literals;

namespace {

struct Nothing {};

template <class T>
std::vector<T> last_of(const std::vector<T>& all, std::size_t count) {
    return {all.end() - static_cast<std::ptrdiff_t>(std::min(count, all.size())), all.end()};
}

}  // namespace

std::vector<saved::JournalRecord> StoreDisk::open() const {
    std::vector<saved::JournalRecord> found;
    for (const saved::JournalRecord& record : records) {
        if (record.entry == saved::JournalEntry::begun) found.push_back(record);
        if (record.entry == saved::JournalEntry::ended)
            std::erase_if(found, [&](const auto& it) { return it.operation == record.operation; });
    }
    return found;
}

template <class T>
Async<T> SimStore::request(std::string what, Instant deadline, std::function<T()> work) {
    waits_->ensure_alive();
    const auto reply = std::make_shared<Reply<Result<T>>>();
    world_.agenda.after(
        world_.random.between(Duration{200us}, 4ms), [&world = world_, &disk = disk_, waits = waits_, reply, work = std::move(work), what] {
            if (disk.hangs) return;
            if (waits->closed() && world.random.chance(50)) return;  // killed before the disk had it
            if (!disk.fails) return reply->give(work());
            // An error after the write is as possible as one before it.
            if (world.random.chance(30)) static_cast<void>(work());
            reply->give(Error{ErrorKind::failed, fmt::format("{}: no space left on device", what)});
        });
    const auto answer = co_await answer_by(world_.agenda, waits_, reply, deadline);
    if (!answer) co_return Error{ErrorKind::timed_out, fmt::format("{} was not done in time", what)};
    co_return *answer;
}

Async<std::optional<std::string>> SimStore::read_servers(Instant deadline) {
    std::function<std::optional<std::string>()> work = [&disk = disk_] { return disk.servers; };
    co_return co_await request<std::optional<std::string>>("read servers.save", deadline, std::move(work));
}

Async<void> SimStore::write_servers(const std::string& text, Instant deadline) {
    std::function<Nothing()> work = [&disk = disk_, text] {
        disk.servers = text;
        return Nothing{};
    };
    const auto done = co_await request<Nothing>("write servers.save", deadline, std::move(work));
    if (!done) co_return done.error();
    co_return Result<void>{};
}

Async<void> SimStore::append(const saved::JournalRecord& record, Instant deadline) {
    std::function<Nothing()> work = [&disk = disk_, record] {
        disk.records.push_back(record);
        disk.last_operation = std::max(disk.last_operation, record.operation);
        if (disk.on_append) disk.on_append(record);
        if (disk.after_append) disk.after_append();
        return Nothing{};
    };
    const auto done = co_await request<Nothing>("append to the journal", deadline, std::move(work));
    if (!done) co_return done.error();
    co_return Result<void>{};
}

Async<void> SimStore::check(Instant deadline) {
    const auto done = co_await request<Nothing>("look at the disk", deadline, [] { return Nothing{}; });
    if (!done) co_return done.error();
    co_return Result<void>{};
}

Async<std::vector<saved::JournalRecord>> SimStore::open_operations(Instant deadline) {
    std::function<std::vector<saved::JournalRecord>()> work = [&disk = disk_] {
        const auto open = disk.open();
        std::vector<saved::JournalRecord> found;
        for (const saved::JournalRecord& record : disk.records) {
            if (std::ranges::any_of(open, [&](const auto& it) { return it.operation == record.operation; })) found.push_back(record);
        }
        return found;
    };
    co_return co_await request<std::vector<saved::JournalRecord>>("read the journal", deadline, std::move(work));
}

Async<std::uint64_t> SimStore::last_operation(Instant deadline) {
    std::function<std::uint64_t()> work = [&disk = disk_] { return disk.last_operation; };
    co_return co_await request<std::uint64_t>("read the journal", deadline, std::move(work));
}

void SimStore::remember(const saved::Event& event) {
    if (waits_->closed()) return;
    disk_.events.push_back(event);
    if (disk_.on_event) disk_.on_event(event);
}

Async<std::vector<saved::Event>> SimStore::events(std::size_t count, Instant deadline) {
    std::function<std::vector<saved::Event>()> work = [&disk = disk_, count] { return last_of(disk.events, count); };
    co_return co_await request<std::vector<saved::Event>>("read the history", deadline, std::move(work));
}

void SimStore::remember(const saved::OperationRecord& operation) {
    if (waits_->closed()) return;
    const auto known = std::ranges::find(disk_.operations, operation.id, &saved::OperationRecord::id);
    if (known == disk_.operations.end())
        disk_.operations.push_back(operation);
    else
        *known = operation;
}

Async<std::vector<saved::OperationRecord>> SimStore::operations(std::size_t count, Instant deadline) {
    std::function<std::vector<saved::OperationRecord>()> work = [&disk = disk_, count] { return last_of(disk.operations, count); };
    co_return co_await request<std::vector<saved::OperationRecord>>("read the history", deadline, std::move(work));
}

}  // namespace handyrep::sim
