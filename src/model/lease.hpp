// model/lease.hpp — the primary's dead man's switch (S6): what it is told, what it answers, and what is known of it.
//
// A few lines of sh on the primary's node stop PostgreSQL when neither the manager nor a listed replica was heard for the TTL.
#pragma once

#include "base/time.hpp"
#include "model/names.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace handyrep::model {

/// A replica whose replies keep the primary alive, as the primary's pg_stat_replication shows it. Any other walsender keeps nothing
/// alive, also one that bears the same name at another address.
struct ListedReplica {
    ServerName server;
    std::string application_name;
    std::string address;  // empty: over a local socket
    friend bool operator==(const ListedReplica&, const ListedReplica&) = default;
};

struct LeaseTerms {
    Duration ttl{};
    std::vector<ListedReplica> listed{};
    friend bool operator==(const LeaseTerms&, const LeaseTerms&) = default;
};

/// The script's own word.
struct LeaseAnswer {
    std::uint32_t pid = 0;
    Duration ttl{};
    std::uint64_t sequence = 0;  // of the last renewal that it took
    /// As measured there: from the end of the TTL to the last process of PostgreSQL, at most. Its longest round, and the time that an
    /// immediate stop is given before SIGKILL.
    Duration stop_time{};
    bool asks = false;           // it can read PostgreSQL's pg_stat_replication
    bool autostart_off = false;  // nothing that is known there starts PostgreSQL at a boot, or again after its end
    std::string autostart{};     // what was found, for people
    friend bool operator==(const LeaseAnswer&, const LeaseAnswer&) = default;
};

/// What the manager knows of an armed one. Kept by one life of the manager only: another life asks the node.
struct Lease {
    ServerName server;
    LeaseAnswer answer{};
    Instant answered{};                // when the renewal was sent that it answered last
    Instant sent{};                    // when the last renewal was, answered or not: from here its TTL counts at the latest
    std::vector<ServerName> listed{};  // whoever may be listed: by what it answered, and by what was sent since
    friend bool operator==(const Lease&, const Lease&) = default;
};

}  // namespace handyrep::model
