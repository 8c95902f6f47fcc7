// adapters/ssh/lease_scripts.hpp — the lease of S6 on the primary's node, as text; the rules of scripts.hpp hold.
//
// What runs there is one sh, apart from the shell that began it. It keeps everything in memory: renewals reach it through a folder in
// shared memory, which is gone after a boot as it is itself. Times are hundredths of a second of /proc/uptime.
#pragma once

#include "adapters/ssh/scripts.hpp"
#include "model/lease.hpp"

#include <cstdint>
#include <string>

namespace handyrep::adapters::ssh {

/// Begins it, or takes over the one that is there with the same TTL; expects `sent`, see Shell::run. Answers as read_lease reads it.
[[nodiscard]] std::string arm_lease_script(const Node& node, model::SystemId expected, const model::LeaseTerms& terms);
/// The same for one that is there; expects `sent` too.
[[nodiscard]] std::string renew_lease_script(const Node& node, const model::LeaseTerms& terms, std::uint64_t sequence);
[[nodiscard]] std::string disarm_lease_script(const Node& node);

/// Whether one could be armed there; arms none. Answers as read_lease_drill reads it.
[[nodiscard]] std::string drill_lease_script(const Node& node);

/// For a script that stops the server itself: no lease is left then. Needs `this`, see what_is_kept.
[[nodiscard]] std::string_view end_lease_script();

}  // namespace handyrep::adapters::ssh
