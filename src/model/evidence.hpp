// model/evidence.hpp — the last sighting of each sensor, and what a run of sightings adds up to.
//
// `absorb` is a pure fold: the same sightings in the same order give the same evidence, here, in the simulator and in a
// recorded file. Nothing is judged here; decide/analysis does.
#pragma once

#include "base/time.hpp"
#include "model/sighting.hpp"

#include <algorithm>
#include <optional>
#include <vector>

namespace handyrep::model {

template <class T>
struct Seen {
    Instant at;
    T what;
};

/// How fast a primary was seen to write WAL. The highest pace counts for five to ten minutes.
struct WalPace {
    Instant asked_after;  // the question of the last answer was sent no earlier: the answer before it had come
    Instant since;        // of the five minutes that run
    Bytes peak{};         // in a second, within them
    Bytes former{};       // and within the five minutes before
    [[nodiscard]] Bytes highest() const { return std::max(peak, former); }
    friend bool operator==(const WalPace&, const WalPace&) = default;
};

struct ServerEvidence {
    ServerName server;
    std::optional<Seen<HeldSight>> held{};
    std::optional<Seen<DialSight>> dial{};
    std::optional<Seen<HostSight>> host{};
    std::optional<Seen<WitnessSight>> witness{};
    std::optional<Seen<Details>> details{};

    std::optional<Seen<Answered>> last_answer{};  // kept when the server falls silent
    std::optional<Seen<LastWords>> last_words{};  // of the session that ended last; forgotten at the next answer
    std::optional<Instant> bad_since{};           // when the held session stopped answering; nothing while it answers
    std::optional<Instant> silent_since{};        // the first unanswered question of this bad spell, when it went silent
    std::optional<Instant> dials_bad_since{};     // the first of an unbroken run of dials that nobody answered
    int bad_looks = 0;                            // dead dials since the held session went bad
    bool recovered = false;                       // in this bad spell a dial was told "starting up" or "in recovery"
    bool shut_down = false;                       // in this bad spell a dial was told "shutting down"
    std::optional<Instant> recovering_since{};    // unbroken run of such dials, but for single mute ones
    std::optional<Instant> unattached_since{};    // a standby that answers, and has had no WAL receiver since
    std::optional<Instant> host_heard{};          // when the question was asked that its host answered last, also with a no
    std::vector<std::string> wal_sinks{};         // programs that were seen receiving WAL for an archive or backup
    /// The last *writable sighting*: an answer of a server not in recovery whose flush position had moved since the look before.
    std::optional<Instant> writable_at{};
    std::optional<Instant> flush_stuck_since{};  // the insert position of this moment is not flushed yet
    std::optional<Lsn> flush_wanted{};           // that insert position
    std::optional<WalPace> pace{};               // kept when the server falls silent
};

struct Evidence {
    std::vector<ServerEvidence> servers;
    /// Silence counts from here at the earliest: what was before may only have been this program or its network (self-doubt).
    Instant counts_from{};

    [[nodiscard]] const ServerEvidence* find(const ServerName& server) const;
    /// Makes the entry when there is none.
    [[nodiscard]] ServerEvidence& of(const ServerName& server);
};

void absorb(Evidence& evidence, const Sighting& sighting);

/// Throws away what was seen, and counts again from `now`. The last answers stay: how far a server was is still true,
/// only its silence is no evidence any more; nor may doubt lose the veto of a writable sighting. They are older than our monotonic clock says by `slept`, which it did not count.
void discard(Evidence& evidence, Instant now, Duration slept = {});

/// What arrives as this program wakes may be as old as its sleep: no sign of life, but a writable sighting in it vetoes.
void absorb_veto(Evidence& evidence, const Sighting& sighting);

}  // namespace handyrep::model
