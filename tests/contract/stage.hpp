// tests/contract/stage.hpp — a primary (db1) and a replica (db2) that streams from it, behind the ports: simulated, or real.
//
// The claims in this folder are compiled into two executables, each with its own `make_stage`. What they say of a port is what
// the engine relies on; where the two worlds differ, the simulation is wrong.
#pragma once

#include "model/names.hpp"
#include "ports/async.hpp"
#include "ports/clock.hpp"
#include "ports/copier.hpp"
#include "ports/host.hpp"
#include "ports/postgres.hpp"
#include "ports/store.hpp"

#include <memory>
#include <optional>
#include <utility>

namespace handyrep::contract {

enum class Which { primary, replica };

class Stage {
public:
    Stage() = default;
    Stage(const Stage&) = delete;
    Stage& operator=(const Stage&) = delete;
    virtual ~Stage() = default;

    virtual ports::Clock& clock() = 0;
    virtual ports::Postgres& postgres(Which which) = 0;
    virtual ports::Host& host(Which which) = 0;
    virtual ports::Copier& copier(Which which) = 0;
    virtual ports::Upstream address(Which which) = 0;

    virtual void kill(Which which) = 0;       // SIGKILL to every process
    virtual void fast_stop(Which which) = 0;  // and waits until it is down
    virtual void freeze(Which which) = 0;     // SIGSTOP to every process
    virtual void thaw(Which which) = 0;

    /// Runs `work` to its end; time goes on meanwhile.
    template <class T>
    T run(asio::awaitable<T> work) {
        std::optional<T> out;
        play(keep(std::move(work), out));
        return std::move(out).value();
    }
    void run(asio::awaitable<void> work) { play(std::move(work)); }
    [[nodiscard]] Instant in(Duration length) { return clock().now() + length; }

private:
    template <class T>
    static asio::awaitable<void> keep(asio::awaitable<T> work, std::optional<T>& out) {
        out.emplace(co_await std::move(work));
    }
    virtual void play(asio::awaitable<void> work) = 0;
};

/// Ready: the replica streams.
std::unique_ptr<Stage> make_stage();

/// The manager's disk, by itself. Opened again it is the disk as the last one left it.
class StoreStage {
public:
    StoreStage() = default;
    StoreStage(const StoreStage&) = delete;
    StoreStage& operator=(const StoreStage&) = delete;
    virtual ~StoreStage() = default;
    virtual ports::Clock& clock() = 0;
    virtual ports::Store& store() = 0;
    virtual void open_again() = 0;

    template <class T>
    T run(asio::awaitable<T> work) {
        std::optional<T> out;
        play(keep(std::move(work), out));
        return std::move(out).value();
    }
    [[nodiscard]] Instant in(Duration length) { return clock().now() + length; }

private:
    template <class T>
    static asio::awaitable<void> keep(asio::awaitable<T> work, std::optional<T>& out) {
        out.emplace(co_await std::move(work));
    }
    virtual void play(asio::awaitable<void> work) = 0;
};
std::unique_ptr<StoreStage> make_store_stage();

}  // namespace handyrep::contract
