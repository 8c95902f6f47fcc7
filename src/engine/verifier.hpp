// engine/verifier.hpp — looks at every server as `verify` does, now and then by itself and whenever it is asked, and keeps what it read.
//
// One round at a time; whoever asks gets the round that began after the question. A full round looks everywhere and tries everything.
// A brief one, for the automatic rounds, asks each server over SQL only and judges by the last full round's word about the hosts.
// Changes nothing, decides nothing; waits while something is wrong, because then hosts and connections are needed for better.
#pragma once

#include "decide/readiness.hpp"
#include "engine/report.hpp"
#include "engine/state.hpp"

#include <functional>
#include <optional>
#include <vector>

namespace handyrep::engine {

class Verifier {
public:
    /// `calm`: whether an automatic round may begin now.
    Verifier(State& state, std::function<bool()> calm);

    /// Endless; run it beside the sensors.
    asio::awaitable<void> work();

    /// A full round, begun after this call. `refused` when the cluster stops before it ended.
    Async<Readiness> verify();
    /// The last round's word; nothing before the first.
    [[nodiscard]] const std::optional<Readiness>& last() const { return last_; }

private:
    asio::awaitable<void> round(ports::Depth depth);
    asio::awaitable<void> look_at(std::size_t index, ports::Depth depth, Instant began);
    asio::awaitable<void> try_host(std::size_t index, Instant deadline);
    void tell_news(const Readiness& now);
    [[nodiscard]] std::optional<ports::LoginQuestion> login_question(std::size_t from, std::size_t to) const;
    [[nodiscard]] std::optional<model::SystemId> system_id() const;
    [[nodiscard]] Duration interval() const;

    State& state_;
    std::function<bool()> calm_;
    ports::Bell asked_;
    ports::Bell done_;
    std::vector<model::ServerInspection> seen_;  // in the order of the state's servers
    std::optional<Readiness> last_;
    std::optional<Instant> full_at_;
    std::uint64_t wanted_ = 0;  // full rounds that somebody waits for: up to this number
    std::uint64_t begun_ = 0;   // full rounds
    std::uint64_t ended_ = 0;
    bool stopped_ = false;
};

}  // namespace handyrep::engine
