// adapters/ssh/scripts.hpp — what is run on a host, as text. Plain sh with coreutils; every answer is lines of "key value" that
// end with "end", read by report.cpp. Everything that comes from outside goes through quote().
#pragma once

#include "base/secret.hpp"
#include "base/time.hpp"
#include "model/server.hpp"
#include "model/wal_end.hpp"

#include <cstdint>
#include <string>

namespace handyrep::adapters::ssh {

/// The beginning of every script about a data directory: `data`, and how to read its control file and find its processes.
[[nodiscard]] std::string script_about(const std::string& pgdata);

/// Where things lie on one node.
struct Node {
    std::string pgdata;
    std::string debian = "/etc/postgresql";       // where Debian's tools keep who is started at boot
    std::string systemd = "/run/systemd/system";  // is there exactly where systemd runs
    std::string kept{};                           // what HandyRep keeps there; empty: .handyrep in the home of the data directory's owner
};

[[nodiscard]] std::string look_script(const Node& node);

/// And how to find out what may start the server: `debian_clusters`, `find_units`.
[[nodiscard]] std::string script_about(const Node& node);

/// The same, and `what_is_kept`, for a data directory that need not be there.
[[nodiscard]] std::string script_about_place(const Node& node);

[[nodiscard]] std::string fence_script(const Node& node, model::SystemId expected);

/// The first half of the same, and a fast stop in the place of the kill; in the scripts of service_scripts.hpp it finds its way back.
[[nodiscard]] std::string stop_script(const Node& node, model::SystemId expected);

/// Sets `kept`, the folder where is written down what to give back, and `this`, the data directory as it is called there.
[[nodiscard]] std::string what_is_kept(const Node& node);

/// Part of a script that has `script_about(node)`, `what_is_kept`, `autostart_off` (1) and `say`: disables what may start the server.
[[nodiscard]] std::string autostart_off_script();

/// The same script without its deeds; answers as it does.
[[nodiscard]] std::string drill_script(const Node& node, model::SystemId expected);

/// The end of the WAL of `timeline`, read from `from` on by pg_waldump, for at most `limit`.
[[nodiscard]] std::string wal_end_script(const std::string& pgdata, const model::WalEndQuestion& question, Duration limit);

/// Exit status 0 connected, 3 refused, 4 no answer, 5 cannot be found out.
[[nodiscard]] std::string reach_script(const std::string& hostname, std::uint16_t port, Duration limit);

/// Answers the path of the file. `folder`: empty for .handyrep in the owner's home.
[[nodiscard]] std::string passfile_script(const std::string& folder, const std::string& file, const Secret& line);

}  // namespace handyrep::adapters::ssh
