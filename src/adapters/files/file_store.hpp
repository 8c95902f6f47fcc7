// adapters/files/file_store.hpp — the manager's own disk: servers.save, journal.sqlite, history.sqlite in one folder.
//
// Everything that can hang runs on two threads, one for what the cluster depends on (in the order of the calls) and one for
// the history, each call under its deadline. While a call hangs, further calls on the same thread are refused at once.
#pragma once

#include "base/result.hpp"
#include "ports/clock.hpp"
#include "ports/store.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace handyrep::adapters::files {

class Worker;

struct Options {
    std::string folder;                   // state_dir; made with mode 0700 where it is not there
    std::size_t history_limit = 100'000;  // events
};

class FileStore final : public ports::Store {
public:
    ~FileStore() override;

    Async<std::optional<std::string>> read_servers(Instant deadline) override;
    Async<void> write_servers(const std::string& text, Instant deadline) override;
    Async<void> append(const saved::JournalRecord& record, Instant deadline) override;
    Async<void> check(Instant deadline) override;
    Async<std::vector<saved::JournalRecord>> open_operations(Instant deadline) override;
    [[nodiscard]] bool journal_lost() const override;
    Async<std::uint64_t> last_operation(Instant deadline) override;
    void remember(const saved::Event& event) override;
    Async<std::vector<saved::Event>> events(std::size_t count, Instant deadline) override;
    void remember(const saved::OperationRecord& operation) override;
    Async<std::vector<saved::OperationRecord>> operations(std::size_t count, Instant deadline) override;

private:
    friend struct Opening;
    struct Truth;  // what the cluster depends on: folder, lock, journal
    struct Past;   // the history and the events on their way to it

    FileStore(ports::Clock& clock, std::shared_ptr<Truth> truth, std::shared_ptr<Past> past);
    void ask_to_write();

    ports::Clock& clock_;
    // Shared with the threads: one that hangs in the disk outlives this object.
    std::shared_ptr<Truth> truth_;
    std::shared_ptr<Past> past_;
    std::unique_ptr<Worker> truth_worker_;
    std::unique_ptr<Worker> past_worker_;
};

struct OpenStore {
    std::unique_ptr<FileStore> store;
    std::vector<std::string> warnings;  // one sentence each, for the log
};

/// Blocks: for the start of the daemon, before its loop runs. Takes the folder's lock: `conflict`, naming the process, when
/// another HandyRep has it. The store must end before the io_context of its callers.
[[nodiscard]] Result<OpenStore> open_store(ports::Clock& clock, const Options& options);

}  // namespace handyrep::adapters::files
