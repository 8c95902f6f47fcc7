// lab/play.hpp — the verb `play`: stories of scenarios/ on real hosts, several at a time, and the table of what came of them.
#pragma once

#include "base/result.hpp"
#include "lab/drawn.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace handyrep::lab {

struct PlayOrder {
    std::vector<std::string> files{};  // empty: all of scenarios/
    std::size_t times = 1;
    std::size_t jobs = 1;
    bool lines = false;  // everything that happened, of stories that pass too
    std::string json{};  // a file for the report as JSON
};

struct RandomOrder {
    std::uint64_t from = 1;
    Replication replication = Replication::any;
    std::size_t runs = 1;
    std::size_t jobs = 1;
    bool lines = false;
    std::string json{};
};
/// The same with stories that seeds draw. Whatever happened, a row that a synchronous standby confirmed must be there afterwards, an
/// asynchronous failover must not have lost more than it announced, no two servers may have taken writes at one time unless the
/// failover said that nothing was proved, and the cluster must come to rest.
Result<std::size_t> play_random(const RandomOrder& order);

/// Plays them and prints. Fails when a file cannot be read; how many stories failed otherwise.
Result<std::size_t> play_stories(const PlayOrder& order);

}  // namespace handyrep::lab
