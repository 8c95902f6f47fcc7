// scenarios/scenario.hpp — a story about a cluster as a value: what it is made of, what happens to it, what must be seen.
//
// The simulator and the lab play the same stories: nothing here knows who plays, and every name is one that both have.
#pragma once

#include "base/result.hpp"
#include "base/time.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace handyrep::scenarios {

/// What can be done to a cluster. What each means, and takes, stands in the table of words.cpp.
enum class DeedKind {
    // of a server's processes
    kill_all,
    kill_postmaster,
    kill_backend,
    fast_stop,
    immediate_stop,
    fast_restart,
    start,
    start_as_primary,
    promote,
    demote,
    freeze,
    stop_postmaster,
    end_sessions,
    kill_receiver,
    bulk_load,
    long_redo,
    // of its machine
    power_off,
    power_on,
    reboot,
    autostart_off,
    sshd_down,
    slow_logins,
    storage_stalled,
    wal_full,
    data_full,
    read_only_disk,
    disk_nearly_full,
    foreign,
    back_up,
    restore_backup,
    name_lost,
    address_changed,
    sudo_denied,
    sudo_denied_halfway,
    mark_denied,
    // of its settings
    set,
    connections_full,
    walsenders_full,
    password_broken,
    hba_broken,
    certificate_expired,
    detach,
    query,
    refuse_promotion,
    hang_promotion,
    port_closed,
    refuses_look,
    slot,
    wal_sink,
    // of the network
    silence,
    link_down,
    one_way,
    partition,
    loss,
    delay,
    reset,
    // of the manager
    dns_hangs,
    login_expired,
    kill_manager,
    stop_manager,
    start_manager,
    reboot_manager,
    manager_clock,
    configure,
    store_fails,
    store_hangs,
    lose_journal,
    maintenance,
    pause,
    disable,
    keep_state,
    stale_state,
    // accidents of the safety rules
    quiet,
    heartbeat,
    checkpoint,
    commit,
    stop_checkpointer,
    lose_mark,
    rewind,
    start_at_once,
    late_promotion,
    steady_load,
};
[[nodiscard]] std::string_view word_for(DeedKind kind);

/// A machine: a server's name, `manager`, `apps` (where the clients are), or one of what stands beside: `pgbouncer`, `haproxy`, `etcd`.
using NodeName = std::string;

/// Settings by their names.
using Settings = std::vector<std::pair<std::string, std::string>>;

struct Deed {
    DeedKind kind;
    std::vector<NodeName> on{};       // servers or nodes, as many as the kind wants
    std::vector<NodeName> other{};    // the second group of a partition
    Settings settings{};              // what `set` sets
    std::optional<Duration> lasts{};  // ends by itself
    std::string refused{};            // a part of what PostgreSQL says; empty: it must be done
};
/// What `manager_clock` says: {by: -3600}. `invalid` when it says anything else.
[[nodiscard]] Result<Duration> seconds_of_jump(const Deed& deed);

/// Ends what was begun with this word, on whatever it was.
struct End {
    DeedKind kind;
};
/// Lets time pass.
struct Run {
    Duration length;
};
/// An order of a person at the manager.
enum class Verb { failover, promote, switchover, follow, rejoin, shutdown, startup, restart, fence, clone, reclone };
[[nodiscard]] std::string_view word_for(Verb verb);
/// The member of the order that says which server: "to", "upstream" or "server".
[[nodiscard]] std::string_view names_server_by(Verb verb);
struct Order {
    Verb verb = Verb::failover;
    std::optional<std::string> to{};       // of rejoin: which server
    std::vector<std::string> replicas{};   // of follow
    std::vector<std::string> overrides{};  // gates, of failover and promote
    bool restart_all = false;              // of switchover
    std::optional<std::string> from{};     // of clone and reclone, whose `to` is the server that is made anew
    bool must_be_refused = false;
    std::string refusal{};  // a part of what the refusal must say
};
/// What is so in PostgreSQL itself, whatever the manager says of it: the ground of a safety rule.
enum class FactKind {
    past_fork,             // it has more of its timeline than the server that was promoted took over (S3)
    not_past_fork,         // and could follow
    acknowledged,          // its last `commit` was
    commit_waits,          // it was not, and has not failed
    still_says_streaming,  // the primary says so of it, and has not heard of it for ten seconds (S6)
    accepts_writes,        // it does, whoever else does
    in_step,               // it is the only one that does, or has replayed what that one wrote (S11)
    log_says,              // with a text
};
[[nodiscard]] std::string_view word_for(FactKind kind);
struct Fact {
    FactKind kind;
    std::string server;
    std::string text{};  // of log_says
};
/// What can be asked of the world and the manager at one moment; everything that is given must hold.
struct Question {
    std::optional<std::string> situation{};
    std::optional<std::string> finding{};
    std::optional<std::string> reason{};        // of the decision
    std::optional<std::string> event{};         // the name of one that was told since the story began
    std::optional<std::string> takes_writes{};  // this server does, and no other
    std::vector<std::string> replicas_of_it{};  // stream from the one server that takes writes
    Settings follows{};                         // each replica, and whom it streams from
    std::vector<NodeName> writes_through{};     // these routers lead clients' writes to the one server that takes writes
    std::optional<std::string> must_be_down{};
    std::optional<bool> promoted{};  // somebody was, since the story began
    std::vector<Fact> facts{};
};
/// Until the question is answered with yes, within a limit: else the story fails.
struct Until {
    Question question;
    Duration within;
};
using StepKind = std::variant<Deed, End, Run, Order, Until>;
struct Step {
    int line = 0;
    StepKind what;
};

/// Where a server's files are, and who proves by a certificate who he is, where that is not the usual.
inline constexpr std::array<std::string_view, 5> layouts{
    "wal_apart",           // pg_wal on a disk of its own
    "config_apart",        // postgresql.conf and pg_hba.conf in /etc, as Debian has them
    "tablespace_apart",    // the table of the clients in a tablespace outside the data directory
    "tls",                 // each server has a certificate for its name, which the manager and the replicas verify
    "certificate_logins",  // and the manager one that is its login, instead of a password
};

struct ClusterWanted {
    std::size_t servers = 3;
    std::string synchronous_standby_names{};
    std::vector<std::pair<std::string, std::string>> failover{};    // keys of the section `failover` of handyrep.conf
    std::vector<std::pair<std::string, std::string>> priorities{};  // server and failover_priority
    std::optional<Duration> restarted_after{};                      // something on each machine starts a server that died
    std::vector<std::pair<NodeName, NodeName>> follows{};           // replicas that follow another than db1
    std::vector<std::pair<NodeName, Settings>> settings{};          // of a server, as with the fault `set`
    std::vector<std::string> layout{};                              // words of `layouts`
    std::vector<NodeName> routers{};                                // pgbouncer, haproxy: through each a client writes besides
    bool etcd = false;                                              // a member of its own
    bool one_machine = false;                                       // transport local, manager and servers on one host
};

struct Expected {
    std::optional<std::size_t> promotions{};
    std::optional<std::size_t> failovers_begun{};
    std::vector<std::string> takes_writes{};     // exactly one of these does, at the end; `nobody`: none may
    std::vector<std::string> situations_seen{};  // at any time
    std::vector<std::string> situations_never{};
    std::vector<std::string> findings_seen{};
    std::vector<std::string> reasons_seen{};
    std::vector<std::string> events_seen{};
    std::optional<std::string> proof{};         // of the last promotion
    std::optional<std::size_t> lost_commits{};  // acknowledged and not on the server that takes writes at the end
    Question at_end{};
};

/// Who plays stories. The words are those of a story's `only`.
enum class PlayerKind { simulator, lab };
[[nodiscard]] std::string_view word_for(PlayerKind kind);

/// A story that one of the two plays, and why the other cannot.
struct Only {
    PlayerKind player;
    std::string reason;
    friend bool operator==(const Only&, const Only&) = default;
};

struct Scenario {
    std::string file;
    std::string title;
    std::vector<std::string> covers;  // "F1", or words of the list that nobody tests
    ClusterWanted cluster{};
    std::vector<Step> steps{};
    Expected expect{};
    std::optional<Only> only{};
    /// A seed drew it: it expects nothing of its own, and is judged by what must hold whatever happens.
    std::optional<std::uint64_t> seed{};
};

/// Why this one does not play it; nothing: it does.
[[nodiscard]] std::optional<std::string> why_not(const Scenario& scenario, PlayerKind player);

/// Reads one file. An error names file, line, column and what was expected there.
[[nodiscard]] Result<Scenario> read(std::string_view text, std::string_view file);

/// A drawn story as the text that `read` makes it of again; what it covers, expects and who alone plays it are left out.
[[nodiscard]] std::string yaml(const Scenario& scenario);

/// How a question reads in a report.
[[nodiscard]] std::string text(const Question& question);
[[nodiscard]] std::string text(const Step& step);

}  // namespace handyrep::scenarios
