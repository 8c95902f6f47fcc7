// scenarios/scenario.hpp — a story about a cluster as a value: what it is made of, what happens to it, what must be seen.
//
// The simulator and the lab play the same stories: nothing here knows who plays, and every name is one that both have.
#pragma once

#include "base/result.hpp"
#include "base/time.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace handyrep::scenarios {

/// What can be done to a cluster. Each has one line in the table of read.cpp, which says what it takes.
enum class DeedKind {
    // of a server's processes
    kill_all,          // SIGKILL to every process
    kill_postmaster,   // and one backend goes on writing
    kill_backend,      // crash recovery
    fast_stop,         // by a person
    fast_restart,      // by a person
    start,             // by a person, as its directory is marked
    start_as_primary,  // by a person who takes the mark away
    promote,           // by a person, without asking the manager
    demote,            // by a person: stopped, marked, started as a standby that follows nobody
    freeze,            // SIGSTOP to every process
    stop_postmaster,   // SIGSTOP to it alone: what runs goes on, nothing new begins
    end_sessions,      // by a person, with pg_terminate_backend: those of the manager
    kill_receiver,     // the WAL receiver of a replica, which begins another after a while
    bulk_load,         // 50 MB of WAL at once
    long_redo,         // its next crash recovery takes 30 s more
    // of its machine
    power_off,
    power_on,
    sshd_down,
    storage_stalled,  // WAL is inserted, nothing is flushed
    wal_full,         // no room for WAL: PANIC
    disk_nearly_full,
    foreign,         // its data directory is replaced by one of another system
    back_up,         // as it is now
    restore_backup,  // its data directory is replaced by what was backed up
    name_lost,       // DNS does not know it any more
    sudo_denied,     // its host lets the manager in, and nothing be done there as the owner of the data
    // of its settings
    set,  // of PostgreSQL, by their names; the list is in sim/setup.cpp
    connections_full,
    password_broken,
    detach,  // somebody empties primary_conninfo
    query,   // a long one on a hot standby, which holds up replay
    refuse_promotion,
    hang_promotion,
    port_closed,   // for what is new
    refuses_look,  // the manager's rights are revoked
    slot,          // a replication slot that nobody uses
    wal_sink,      // pg_receivewal takes its WAL away
    // of the network
    silence,    // the machine neither hears nor is heard
    one_way,    // the first is not heard by the second
    partition,  // two groups
    loss,       // of a third of what two machines send each other
    delay,      // 400 ms on each way between two machines
    reset,      // the first's packets to the second are answered with a reset
    // of the manager
    kill_manager,
    stop_manager,  // SIGSTOP
    start_manager,
    store_fails,
    store_hangs,
    lose_journal,
    maintenance,  // of the cluster, by a person; with `for` it ends by itself
    pause,        // of automation, by a person; its end resumes it
};
[[nodiscard]] std::string_view word_for(DeedKind kind);

/// A machine: a server's name, `manager`, or `apps` (where the clients are).
using NodeName = std::string;

/// Settings by their names.
using Settings = std::vector<std::pair<std::string, std::string>>;

struct Deed {
    DeedKind kind;
    std::vector<NodeName> on{};       // servers or nodes, as many as the kind wants
    std::vector<NodeName> other{};    // the second group of a partition
    Settings settings{};              // what `set` sets
    std::optional<Duration> lasts{};  // ends by itself
};
/// Ends what was begun with this word, on whatever it was.
struct End {
    DeedKind kind;
};
/// Lets time pass.
struct Run {
    Duration length;
};
/// An order of a person at the manager.
struct Order {
    std::optional<std::string> to{};
    bool must_be_refused = false;
    std::string refusal{};  // a part of what the refusal must say
};
/// What can be asked of the world and the manager at one moment; everything that is given must hold.
struct Question {
    std::optional<std::string> situation{};
    std::optional<std::string> finding{};
    std::optional<std::string> reason{};        // of the decision
    std::optional<std::string> event{};         // the name of one that was told since the story began
    std::optional<std::string> takes_writes{};  // this server does, and no other
    std::vector<std::string> replicas_of_it{};  // stream from the one server that takes writes
    std::optional<std::string> must_be_down{};
    std::optional<bool> promoted{};  // somebody was, since the story began
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

struct ClusterWanted {
    std::size_t servers = 3;
    std::string synchronous_standby_names{};
    std::vector<std::pair<std::string, std::string>> failover{};    // keys of the section `failover` of handyrep.conf
    std::vector<std::pair<std::string, std::string>> priorities{};  // server and failover_priority
    std::optional<Duration> restarted_after{};                      // something on each machine starts a server that died
    std::vector<std::pair<NodeName, NodeName>> follows{};           // replicas that follow another than db1
    std::vector<std::pair<NodeName, Settings>> settings{};          // of a server, as with the fault `set`
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
};

/// Why this one does not play it; nothing: it does.
[[nodiscard]] std::optional<std::string> why_not(const Scenario& scenario, PlayerKind player);

/// Reads one file. An error names file, line, column and what was expected there.
[[nodiscard]] Result<Scenario> read(std::string_view text, std::string_view file);

/// How a question reads in a report.
[[nodiscard]] std::string text(const Question& question);
[[nodiscard]] std::string text(const Step& step);

}  // namespace handyrep::scenarios
