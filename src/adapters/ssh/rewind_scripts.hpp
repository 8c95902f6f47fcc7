// adapters/ssh/rewind_scripts.hpp — what rewinds a server on its host (S7, S24), as text; the rules of scripts.hpp hold.
//
// The rewind itself is a job of its own on the node, which neither a broken connection nor a restarted manager ends: it keeps what it
// does and what it saved in a private folder there, and is asked how far it is. While it runs, and until its marks are checked, the
// data directory has a permission bit with which PostgreSQL itself refuses to start, whoever starts it: pg_rewind takes away every
// file that could have said so, the lock file and the mark of a standby too.
#pragma once

#include "adapters/ssh/scripts.hpp"
#include "model/rewind.hpp"
#include "ports/host.hpp"

#include <string>
#include <string_view>

namespace handyrep::adapters::ssh {

[[nodiscard]] std::string rewind_look_script(const Node& node);
[[nodiscard]] std::string divergence_script(const Node& node, const model::DivergenceQuestion& question);
/// Begins it where it does not run, and says how far it is.
[[nodiscard]] std::string rewind_script(const Node& node, const ports::RewindWanted& wanted);
/// Checks the marks and gives the directory free.
[[nodiscard]] std::string end_rewind_script(const Node& node, model::SystemId expected);

/// `refuse_half_rewound` of other scripts, which have `kept` and `this`: no start of what a rewind has not given free.
[[nodiscard]] std::string_view only_what_is_not_rewound();

/// The job, behind the functions that `rewind_script` gives it (rewind_job.cpp).
[[nodiscard]] std::string_view rewind_job();

}  // namespace handyrep::adapters::ssh
