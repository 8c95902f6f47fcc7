// cli/invocation.hpp — what was asked for on the command line, as a value.
#pragma once

#include "base/time.hpp"
#include "model/lsn.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace handyrep::cli {

enum class Output { table, json, yaml };

struct GlobalOptions {
    std::optional<std::string> config{};
    std::optional<std::string> cluster{};
    std::optional<std::string> url{};
    Output output = Output::table;
    bool no_color = false;
    std::optional<Duration> timeout{};
};

struct Daemon {};
struct Status {};
struct Check {};
struct Failover {
    std::optional<std::string> to{};
    bool alone = false;  // the verb promote
    bool dry_run = false;
    bool yes = false;
    std::vector<std::string> overrides{};
};
struct Switchover {
    std::optional<std::string> to{};
    bool dry_run = false;
    bool yes = false;
    bool drop_logical = false;
    std::optional<WallTime> at{};  // scheduled, instead of carried out now
    bool unschedule = false;       // what is scheduled is taken back
};
struct Follow {
    std::vector<std::string> replicas{};  // none: all that do not follow it yet
    std::optional<std::string> upstream{};
    bool dry_run = false;
    bool yes = false;
};
struct Service {
    std::string order{};   // the path's last word: shutdown, startup, restart or fence
    std::string server{};  // empty with `rolling`
    bool rolling = false;  // every replica, then the primary by handing the role over
    std::optional<std::string> to{};
    bool dry_run = false;
    bool yes = false;
};
struct Rejoin {
    std::string server{};
    bool only_rewind = false;  // the verb rewind
    bool dry_run = false;
    bool yes = false;
};
struct Clone {
    std::string server{};
    bool replaces = false;  // reclone
    std::optional<std::string> from{};
    std::optional<model::Bytes> rate{};  // per second
    std::optional<std::string> slot{};
    std::optional<std::string> wal_directory{};
    std::vector<std::string> tablespaces{};  // OLD=NEW
    bool keep_old = false;
    bool wait = true;
    bool dry_run = false;
    bool yes = false;
};
struct Cancel {
    std::uint64_t id = 0;
};
struct Events {
    std::size_t count = 20;
};
struct Operations {
    std::size_t count = 20;
};
struct Operation {
    std::uint64_t id = 0;
    bool follow = false;  // until it has ended
};
struct Acknowledge {};
struct MaintenanceOn {
    std::optional<std::string> server{};  // nothing: the cluster
    bool endless = false;                 // the verb disable: without an end where none is said
    std::optional<Duration> lasts{};
    std::optional<WallTime> until{};
    std::string reason{};
};
struct MaintenanceOff {
    std::optional<std::string> server{};  // also the verb enable
};
struct Pause {
    std::string reason{};
};
struct Resume {};
struct Explain {
    bool if_primary_died = false;
    std::size_t back = 0;                 // changes of situation or reason before now
    std::optional<std::string> replay{};  // a recording, instead of the daemon
};
struct Record {
    std::optional<std::string> out{};
};
struct Verify {
    std::optional<std::string> server{};
    bool all = false;   // also what is ok
    bool last = false;  // what the last round found, without a new one
};
struct ConfigCheck {
    std::optional<std::string> file{};
};
struct ConfigShow {};
struct Version {};
struct Help {
    std::string text;
};
using Verb = std::variant<
    Daemon, Status, Check, Failover, Switchover, Follow, Service, Rejoin, Clone, Cancel, Events, Operations, Operation, Acknowledge,
    MaintenanceOn, MaintenanceOff, Pause, Resume, Explain, Record, Verify, ConfigCheck, ConfigShow, Version, Help>;

struct Invocation {
    GlobalOptions global;
    Verb verb;
};

/// `arguments` without the program's name. The text names what is wrong and the nearest thing that is right.
struct UsageError {
    std::string text;
};
[[nodiscard]] std::variant<Invocation, UsageError> parse_arguments(const std::vector<std::string>& arguments);

}  // namespace handyrep::cli
