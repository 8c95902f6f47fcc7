// lab/hold.hpp — a fault that a person begins in a lab that is up, and that stays until it is healed.
//
// Some faults live in a process (sessions that fill a server, a startup process that is held up), so each has one of its own.
#pragma once

#include "lab/site.hpp"

#include <string>
#include <vector>

namespace handyrep::lab {

/// Begins a fault of the vocabulary of scenarios: its word, and what it is done to ("db1", or "db1 db2" for a way between hosts,
/// "db1,db2 db3" for groups). Returns when it has begun; a process of its own holds it from then on, if it has an end.
Result<void> begin_fault(const Site& site, const std::string& word, const std::vector<std::string>& on);
/// Ends every fault that was begun so. How many there were.
Result<std::size_t> heal(const Site& site);
/// That process. Returns the exit code.
int hold(const std::string& folder, const std::string& word, const std::vector<std::string>& on);

}  // namespace handyrep::lab
