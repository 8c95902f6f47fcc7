// sim/service_scripts.hpp — what the scripts that stop and start a server do on a simulated machine: each step takes time, and what
// was done stays done when nobody waits for it any more.
#pragma once

#include "ports/host.hpp"
#include "sim/clock.hpp"
#include "sim/world.hpp"

#include <memory>
#include <optional>

namespace handyrep::sim {

/// What a script answers: a refusal is an answer too.
template <class T>
struct Said {
    std::optional<T> value{};
    std::optional<Error> refusal{};
};
struct Started {};

/// Answers to the manager, from the machine `from`.
void run_stop(World& world, ServerIndex server, Node from, Instant expires, const std::shared_ptr<Reply<Said<ports::StopReport>>>& reply);

struct StartWanted {
    model::SystemId expected;
    ports::StartAs as;
    Instant expires;
};
void run_start(World& world, ServerIndex server, Node from, const StartWanted& wanted, const std::shared_ptr<Reply<Said<Started>>>& reply);

}  // namespace handyrep::sim
