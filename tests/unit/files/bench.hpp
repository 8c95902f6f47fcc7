// A store in a folder of its own, with calls that run its loop until they are answered.
#pragma once

#include "adapters/files/file_store.hpp"
#include "adapters/system_clock/system_clock.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace handyrep::adapters::files {

struct Bench {
    asio::io_context loop;
    system_clock::SystemClock clock;
    std::filesystem::path root;
    std::filesystem::path folder = root / "state";
    std::size_t history_limit = 100'000;
    std::unique_ptr<FileStore> store;

    explicit Bench(std::filesystem::path in = made()) : root{std::move(in)} {}
    Bench(const Bench&) = delete;
    Bench& operator=(const Bench&) = delete;
    ~Bench() {
        store.reset();
        std::error_code ignored;
        std::filesystem::remove_all(root, ignored);
    }

    Result<OpenStore> open() {
        auto opened = open_store(clock, {.folder = folder.string(), .history_limit = history_limit});
        if (opened) store = std::move(opened->store);
        return opened;
    }
    void close() { store.reset(); }
    void reopen() {
        close();
        if (const auto opened = open(); !opened) throw std::runtime_error(opened.error().what);
    }

    template <class T>
    Result<T> wait(Async<T> work) {
        std::optional<Result<T>> answer;
        asio::co_spawn(loop, std::move(work), [&](const std::exception_ptr& thrown, Result<T> result) {
            if (thrown) std::rethrow_exception(thrown);
            answer.emplace(std::move(result));
        });
        loop.restart();
        while (!answer && loop.run_one() > 0) continue;
        if (!answer) throw std::runtime_error("the call was never answered");
        return *std::move(answer);
    }
    [[nodiscard]] Instant in(Duration patience) const { return clock.now() + patience; }
    [[nodiscard]] Instant soon() const { return in(std::chrono::seconds{30}); }

    Result<std::optional<std::string>> read_servers() { return wait(store->read_servers(soon())); }
    Result<void> write_servers(const std::string& text) { return wait(store->write_servers(text, soon())); }
    Result<void> append(const saved::JournalRecord& record) { return wait(store->append(record, soon())); }
    Result<std::vector<saved::JournalRecord>> open_operations() { return wait(store->open_operations(soon())); }
    Result<std::uint64_t> last_operation() { return wait(store->last_operation(soon())); }
    Result<std::vector<saved::Event>> events(std::size_t count) { return wait(store->events(count, soon())); }
    void remember(const saved::Event& event) const { store->remember(event); }

private:
    static std::filesystem::path made() {
        std::string name = (std::filesystem::temp_directory_path() / "handyrep-files-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
        return name;
    }
};

}  // namespace handyrep::adapters::files
