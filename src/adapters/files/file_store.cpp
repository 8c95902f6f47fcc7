#include "adapters/files/file_store.hpp"

#include "adapters/files/database.hpp"
#include "adapters/files/disk.hpp"
#include "adapters/files/history.hpp"
#include "adapters/files/journal.hpp"
#include "adapters/files/worker.hpp"
#include "saved/servers_file.hpp"

#include <fmt/format.h>

#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

namespace handyrep::adapters::files {

namespace {

constexpr const char* servers_file = "servers.save";
/// Many times what the records of one operation and a new servers.save take.
constexpr model::Bytes least_room{1U << 20U};
/// Events that wait for the disk; the oldest are dropped beyond it.
constexpr std::size_t most_waiting = 10'000;
constexpr std::size_t most_operations_waiting = 100;

struct Found {
    std::optional<std::string> text{};
    std::string kept_as{};
};

/// The next write would replace a file that nobody could read, and with it what a person could still learn from it.
Result<Found> find_servers(const std::string& folder, WallTime now) {
    const std::string path = folder + "/" + servers_file;
    auto text = read_file(path);
    if (!text) return std::move(text).error();
    Found found{.text = *std::move(text)};
    if (!found.text || saved::from_text(*found.text)) return found;
    const std::string kept = fmt::format("{}.damaged-{}", path, stamp(now));
    if (auto done = keep_as(path, kept); !done) return done.error();
    found.kept_as = kept;
    return found;
}

}  // namespace

struct FileStore::Truth {
    std::string folder;
    FileDescriptor lock;
    Journal journal;
    bool journal_lost = false;
};

struct FileStore::Past {
    explicit Past(History it) : history{std::move(it)} {}

    History history;  // of the thread alone
    std::mutex mutex;
    std::deque<saved::Event> waiting;
    std::map<std::uint64_t, saved::OperationRecord> operations;
    bool asked = false;  // a job is under way that will take them

    void write_waiting() {
        std::deque<saved::Event> events;
        std::map<std::uint64_t, saved::OperationRecord> changed;
        {
            const std::lock_guard lock{mutex};
            events.swap(waiting);
            changed.swap(operations);
            asked = false;
        }
        if (!events.empty()) history.write(events);
        for (const auto& [id, operation] : changed) history.write(operation);
    }
};

FileStore::FileStore(ports::Clock& clock, std::shared_ptr<Truth> truth, std::shared_ptr<Past> past)
    : clock_{clock},
      truth_{std::move(truth)},
      past_{std::move(past)},
      truth_worker_{std::make_unique<Worker>()},
      past_worker_{std::make_unique<Worker>()} {}

FileStore::~FileStore() = default;

Async<std::optional<std::string>> FileStore::read_servers(Instant deadline) {
    std::function<Result<Found>()> work = [truth = truth_, now = clock_.wall()] { return find_servers(truth->folder, now); };
    auto found = co_await on_worker(*truth_worker_, clock_, deadline, "read servers.save", std::move(work));
    if (!found) co_return std::move(found).error();
    if (!found->kept_as.empty()) {
        const std::string text = fmt::format("servers.save cannot be understood; as it was found it is kept as {}", found->kept_as);
        remember({.at = clock_.wall(), .level = Level::warning, .name = "saved_state_kept", .text = text});
    }
    co_return std::move(found->text);
}

Async<void> FileStore::write_servers(const std::string& text, Instant deadline) {
    std::function<Result<void>()> work = [truth = truth_, text] { return replace_file(truth->folder, servers_file, text); };
    co_return co_await on_worker(*truth_worker_, clock_, deadline, "write servers.save", std::move(work));
}

Async<void> FileStore::append(const saved::JournalRecord& record, Instant deadline) {
    std::function<Result<void>()> work = [truth = truth_, record] { return truth->journal.append(record); };
    co_return co_await on_worker(*truth_worker_, clock_, deadline, "write the journal", std::move(work));
}

Async<void> FileStore::check(Instant deadline) {
    std::function<Result<void>()> work = [truth = truth_]() -> Result<void> {
        const auto free = room_of(truth->folder);
        if (!free) return free.error();
        if (*free >= least_room) return {};
        return Error{
            ErrorKind::failed,
            fmt::format("only {} are free in {}; an operation's records may need {}", text(*free), truth->folder, text(least_room))};
    };
    co_return co_await on_worker(*truth_worker_, clock_, deadline, "look at the disk", std::move(work));
}

Async<std::vector<saved::JournalRecord>> FileStore::open_operations(Instant deadline) {
    std::function<Result<std::vector<saved::JournalRecord>>()> work = [truth = truth_] { return truth->journal.open_operations(); };
    co_return co_await on_worker(*truth_worker_, clock_, deadline, "read the journal", std::move(work));
}

bool FileStore::journal_lost() const { return truth_->journal_lost; }

Async<std::uint64_t> FileStore::last_operation(Instant deadline) {
    std::function<Result<std::uint64_t>()> work = [truth = truth_] { return truth->journal.last_operation(); };
    co_return co_await on_worker(*truth_worker_, clock_, deadline, "read the journal", std::move(work));
}

void FileStore::remember(const saved::Event& event) {
    {
        const std::lock_guard lock{past_->mutex};
        if (past_->waiting.size() >= most_waiting) past_->waiting.pop_front();
        past_->waiting.push_back(event);
        if (std::exchange(past_->asked, true)) return;
    }
    ask_to_write();
}

Async<std::vector<saved::Event>> FileStore::events(std::size_t count, Instant deadline) {
    std::function<Result<std::vector<saved::Event>>()> work = [past = past_, count]() -> Result<std::vector<saved::Event>> {
        return past->history.newest(count);
    };
    co_return co_await on_worker(*past_worker_, clock_, deadline, "read the history", std::move(work));
}

void FileStore::remember(const saved::OperationRecord& operation) {
    {
        const std::lock_guard lock{past_->mutex};
        if (past_->operations.size() >= most_operations_waiting) past_->operations.erase(past_->operations.begin());
        past_->operations.insert_or_assign(operation.id, operation);
        if (std::exchange(past_->asked, true)) return;
    }
    ask_to_write();
}

void FileStore::ask_to_write() {
    auto job = std::make_shared<Job>();
    job->work = [past = past_]() -> Delivery {
        past->write_waiting();
        return {};
    };
    past_worker_->ask(std::move(job));
}

Async<std::vector<saved::OperationRecord>> FileStore::operations(std::size_t count, Instant deadline) {
    std::function<Result<std::vector<saved::OperationRecord>>()> work =
        [past = past_, count]() -> Result<std::vector<saved::OperationRecord>> { return past->history.newest_operations(count); };
    co_return co_await on_worker(*past_worker_, clock_, deadline, "read the history", std::move(work));
}

/// The steps of open_store, which collect its warnings.
struct Opening {
    ports::Clock& clock;
    const Options& options;
    OpenStore out{};
    bool journal_lost = false;

    Result<OpenStore> run() {
        auto folder = make_private_folder(options.folder);
        if (!folder) return std::move(folder).error();
        const std::optional<std::string> warning = *std::move(folder);
        if (warning) out.warnings.push_back(*warning);
        auto lock = lock_folder(options.folder);
        if (!lock) return std::move(lock).error();
        auto journal = open_journal();
        if (!journal) return std::move(journal).error();
        History history = open_history();
        if (auto skipped = journal->skip_operations(history.highest_operation()); !skipped) return skipped.error();
        auto truth =
            std::make_shared<FileStore::Truth>(FileStore::Truth{options.folder, *std::move(lock), *std::move(journal), journal_lost});
        auto past = std::make_shared<FileStore::Past>(std::move(history));
        out.store = std::unique_ptr<FileStore>{new FileStore{clock, std::move(truth), std::move(past)}};
        return std::move(out);
    }

    Result<Journal> open_journal() {
        auto open = open_database(journal_plan(options.folder), clock.wall());
        if (!open) return std::move(open).error();
        if (!open->set_aside.empty()) {
            journal_lost = true;
            out.warnings.push_back(fmt::format(
                "journal.sqlite was damaged; it is kept as {} and a new one was begun, so what was under way is not known",
                open->set_aside));
        } else if (open->is_new && exists(options.folder + "/" + servers_file)) {
            journal_lost = true;
            out.warnings.push_back(
                "journal.sqlite was missing although servers.save is there; a new one was begun, so what was under way is not known");
        }
        return Journal{std::move(open->database)};
    }

    History open_history() {
        auto open = open_database(history_plan(options.folder), clock.wall());
        if (!open) {
            out.warnings.push_back(fmt::format("history.sqlite cannot be used, events are kept in memory only: {}", open.error().what));
            return History{std::nullopt, options.history_limit};
        }
        if (!open->set_aside.empty())
            out.warnings.push_back(fmt::format("history.sqlite was damaged; it is kept as {} and a new one was begun", open->set_aside));
        return History{std::move(open->database), options.history_limit};
    }
};

Result<OpenStore> open_store(ports::Clock& clock, const Options& options) { return Opening{clock, options}.run(); }

}  // namespace handyrep::adapters::files
