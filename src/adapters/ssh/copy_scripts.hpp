// adapters/ssh/copy_scripts.hpp — what makes a data directory anew as a copy of another, as text; the rules of scripts.hpp hold.
//
// What is long runs by itself, in a session of its own, and keeps what it says below the folder of what HandyRep keeps on the node, in
// one folder per data directory: its number, whether it lives (a lock that the kernel takes away with its last process), what it said,
// how it ended, and the inodes of what it made and of what was set aside: those alone are ever deleted.
#pragma once

#include "adapters/ssh/scripts.hpp"
#include "ports/copier.hpp"

#include <cstdint>
#include <string>

namespace handyrep::adapters::ssh {

/// The beginning of all of these: where the copy is made, what is noted of it, and how to ask whether it lives.
[[nodiscard]] std::string script_about_copy(const Node& node, std::uint64_t operation);
/// Sets `programs`, the folder of a pg_basebackup of that version; empty: not found.
[[nodiscard]] std::string copy_programs_script(model::ServerVersion version);

[[nodiscard]] std::string target_look_script(const Node& node, model::ServerVersion version);
[[nodiscard]] std::string make_directory_script(const Node& node);
/// As its configuration file has it, within its quotes.
[[nodiscard]] std::string own_conninfo_script(const Node& node);
[[nodiscard]] std::string begin_copy_script(const Node& node, const ports::CopyOrder& order);
[[nodiscard]] std::string copy_progress_script(const Node& node, std::uint64_t operation);
[[nodiscard]] std::string abandon_copy_script(const Node& node, std::uint64_t operation);
[[nodiscard]] std::string place_copy_script(const Node& node, const ports::Placing& placing);
[[nodiscard]] std::string discard_old_script(const Node& node, std::uint64_t operation);

}  // namespace handyrep::adapters::ssh
