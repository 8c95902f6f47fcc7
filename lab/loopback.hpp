// lab/loopback.hpp — the lab without hosts of its own: real servers of one machine, on loopback, transport local.
#pragma once

#include "base/result.hpp"

#include <cstddef>

namespace handyrep::lab {

struct Wanted {
    std::size_t servers = 3;
    bool sync = false;  // synchronous_standby_names = ANY 1 of the replicas
};

/// A cluster with its daemon, both left running when it returns; says where they are.
Result<void> up(const Wanted& wanted);
/// What every lab on this machine looks like to HandyRep.
Result<void> status();
/// Ends and removes every lab on this machine (and what `./dev demo --keep` left). Fails when one could not be ended.
Result<void> down();

}  // namespace handyrep::lab
