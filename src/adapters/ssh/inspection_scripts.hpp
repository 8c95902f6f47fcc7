// adapters/ssh/inspection_scripts.hpp — what `verify` runs on a host, as text; the rules of scripts.hpp hold. Nothing stays changed.
#pragma once

#include "base/time.hpp"
#include "ports/inspector.hpp"

#include <string>
#include <string_view>

namespace handyrep::adapters::ssh {

/// Sets `version` and `programs`, the folder of the server's programs (empty: not found), behind `script_about`; and brings `number`, of an LSN, and
/// `dump_wal`, which reads WAL by pg_waldump.
[[nodiscard]] std::string_view programs_script();

/// `find_configuration` sets `config`, and fails where there is none; then `setting NAME` is what the next start would go by. Behind
/// `script_about(node)` and `programs_script`; since PostgreSQL 12, before which primary_conninfo is none.
[[nodiscard]] std::string_view settings_script();

[[nodiscard]] std::string inspection_script(const std::string& pgdata);

/// The password, where there is one, goes to psql by its environment, which only its user can read.
[[nodiscard]] std::string login_script(const std::string& pgdata, const ports::LoginQuestion& question, Duration limit);

}  // namespace handyrep::adapters::ssh
