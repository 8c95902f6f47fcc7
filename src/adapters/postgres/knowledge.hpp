// adapters/postgres/knowledge.hpp — what the poll's one round trip cannot tell and a replication connection can: the history
// of a primary's timeline, the timeline of a standby that has no receiver. Fetched beside the polls, which never wait for it.
#pragma once

#include "adapters/postgres/target.hpp"
#include "model/sighting.hpp"
#include "ports/clock.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <memory>
#include <optional>

namespace handyrep::adapters::postgres {

class Knowledge {
public:
    Knowledge(asio::any_io_executor executor, ports::Clock& clock, Duration limit);
    ~Knowledge();
    Knowledge(const Knowledge&) = delete;
    Knowledge& operator=(const Knowledge&) = delete;

    /// A new session may be with another server, or with the same one after a promotion: nothing known before counts.
    void forget();
    /// Adds to the answer what is known, and has the rest fetched over `target`.
    void complete(model::Answered& answer, const Target& target);

private:
    struct Facts;

    bool fetch(const Target& target, bool with_history);
    static asio::awaitable<void> run(std::shared_ptr<Facts> facts, Target target, bool with_history, ports::Clock& clock, Instant deadline);

    asio::any_io_executor executor_;
    ports::Clock& clock_;
    Duration limit_;
    std::shared_ptr<Facts> facts_;  // outlives this object while a fetch is under way
};

}  // namespace handyrep::adapters::postgres
