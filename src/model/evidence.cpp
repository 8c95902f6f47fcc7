#include "model/evidence.hpp"

#include "base/overloaded.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>
#include <utility>

namespace handyrep::model {

namespace {

void begin_bad_spell(ServerEvidence& it, Instant at) {
    if (it.bad_since) return;
    it.bad_since = at;
    it.bad_looks = 0;
}

void end_bad_spell(ServerEvidence& it) {
    it.bad_since.reset();
    it.silent_since.reset();
    it.last_words.reset();
    it.bad_looks = 0;
    it.recovered = false;
    it.recovering_since.reset();
    it.shut_down = false;
}

bool has_moved(const PrimaryAnswer& now, const Answered* before) {
    const PrimaryAnswer* const then = before != nullptr ? before->primary() : nullptr;
    return then != nullptr && now.flushed > then->flushed;
}

void note_flush(ServerEvidence& it, const PrimaryAnswer& now, const Answered* before, Instant at) {
    if (has_moved(now, before)) it.writable_at = at;
    // Stalled is what stays unflushed although it was inserted a while ago (S16), not what was inserted just now.
    if (it.flush_wanted && now.flushed < *it.flush_wanted) return;
    if (now.flushed < now.inserted) {
        it.flush_stuck_since = at;
        it.flush_wanted = now.inserted;
    } else {
        it.flush_stuck_since.reset();
        it.flush_wanted.reset();
    }
}

constexpr Duration pace_window = std::chrono::minutes{5};
/// Two looks closer together than this say nothing of a pace.
constexpr double shortest_pace = 0.01;

/// By the server's own clock, which stamped both answers where they were made.
Bytes pace_between(const Answered& before, const Answered& now) {
    const PrimaryAnswer* const then = before.primary();
    const double seconds = std::chrono::duration<double>(now.server_time - before.server_time).count();
    if (then == nullptr || then->timeline != now.primary()->timeline || seconds < shortest_pace) return {};
    return {static_cast<std::uint64_t>(static_cast<double>(gap(then->inserted, now.primary()->inserted).count) / seconds)};
}

void note_pace(ServerEvidence& it, const Answered& now, Instant at) {
    WalPace out = it.pace.value_or(WalPace{.asked_after = at - pace_window, .since = at});
    if (at - out.since >= pace_window) {
        out.former = std::exchange(out.peak, Bytes{});
        out.since = at;
    }
    if (it.last_answer) {
        out.asked_after = it.last_answer->at;
        out.peak = std::max(out.peak, pace_between(it.last_answer->what, now));
    }
    it.pace = out;
}

/// The usual names of programs that keep WAL elsewhere; what a replica or subscriber is called is anybody's choice.
void note_wal_sinks(ServerEvidence& it, const PrimaryAnswer& answer) {
    constexpr std::array<std::string_view, 3> known{"pg_receivewal", "pg_receivexlog", "barman_receive_wal"};
    for (const WalSender& sender : answer.senders) {
        if (sender.state != "streaming" || std::ranges::find(known, sender.application_name) == known.end()) continue;
        if (std::ranges::find(it.wal_sinks, sender.application_name) == it.wal_sinks.end()) it.wal_sinks.push_back(sender.application_name);
    }
}

void absorb_answer(ServerEvidence& it, const Answered& answer, Instant at) {
    end_bad_spell(it);
    if (const PrimaryAnswer* primary = answer.primary()) {
        note_wal_sinks(it, *primary);
        note_pace(it, answer, at);
        note_flush(it, *primary, it.last_answer ? &it.last_answer->what : nullptr, at);
        it.unattached_since.reset();
    } else {
        it.flush_stuck_since.reset();
        it.flush_wanted.reset();
        if (answer.standby()->receiver) it.unattached_since.reset();
        if (!answer.standby()->receiver && !it.unattached_since) it.unattached_since = at;
    }
    it.last_answer = Seen<Answered>{at, answer};
}

void absorb_held(ServerEvidence& it, const HeldSight& sight, Instant at, Instant counts_from) {
    it.held = Seen<HeldSight>{at, sight};
    std::visit(
        Overloaded{
            [&](const Answered& answer) { absorb_answer(it, answer, at); },
            [&](const Silent& silent) {
                const Instant since = std::max(silent.since, counts_from);
                begin_bad_spell(it, since);
                if (!it.silent_since) it.silent_since = since;
            },
            [&](const Lost& lost) {
                begin_bad_spell(it, at);
                it.last_words = Seen<LastWords>{at, lost.words};
            },
            [&](const NotOpen&) { begin_bad_spell(it, at); },
            [&](const Complained&) { end_bad_spell(it); },
        },
        sight);
}

void absorb_dial(ServerEvidence& it, const DialSight& sight, Instant at) {
    it.dial = Seen<DialSight>{at, sight};
    if (is_dead(sight.outcome)) {
        if (!it.dials_bad_since) it.dials_bad_since = at;
        if (it.bad_since && at >= *it.bad_since) ++it.bad_looks;
    } else {
        it.dials_bad_since.reset();
        it.bad_looks = 0;
    }
    if (is_recovery(sight.outcome)) {
        it.recovered = true;
        if (!it.recovering_since) it.recovering_since = at;
    } else if (sight.outcome != DialOutcome::startup_timeout) {
        // A machine that is busy with its recovery is late at times, and recovers for as long as before.
        it.recovering_since.reset();
    }
    if (sight.outcome == DialOutcome::shutting_down) it.shut_down = true;
}

}  // namespace

const ServerEvidence* Evidence::find(const ServerName& server) const {
    const auto found = std::ranges::find(servers, server, &ServerEvidence::server);
    return found == servers.end() ? nullptr : &*found;
}

ServerEvidence& Evidence::of(const ServerName& server) {
    const auto found = std::ranges::find(servers, server, &ServerEvidence::server);
    if (found != servers.end()) return *found;
    return servers.emplace_back(ServerEvidence{.server = server});
}

void absorb(Evidence& evidence, const Sighting& sighting) {
    ServerEvidence& it = evidence.of(sighting.server);
    std::visit(
        Overloaded{
            [&](const HeldSight& sight) { absorb_held(it, sight, sighting.taken_at, evidence.counts_from); },
            [&](const DialSight& sight) { absorb_dial(it, sight, sighting.taken_at); },
            [&](const HostSight& sight) {
                it.host = Seen<HostSight>{sighting.taken_at, sight};
                if (sight.answered()) it.host_heard = std::max(it.host_heard.value_or(Instant::min()), sighting.taken_at - sight.took);
            },
            [&](const WitnessSight& sight) { it.witness = Seen<WitnessSight>{sighting.taken_at, sight}; },
            [&](const Details& details) { it.details = Seen<Details>{sighting.taken_at, details}; },
        },
        sighting.saw);
}

void discard(Evidence& evidence, Instant now, Duration slept) {
    for (ServerEvidence& it : evidence.servers) {
        it = ServerEvidence{.server = it.server, .last_answer = std::move(it.last_answer), .writable_at = it.writable_at, .pace = it.pace};
        if (it.last_answer) it.last_answer->at -= slept;
        if (it.writable_at) *it.writable_at -= slept;
        if (it.pace) it.pace->asked_after -= slept;
    }
    evidence.counts_from = now;
}

void absorb_veto(Evidence& evidence, const Sighting& sighting) {
    const auto* const held = std::get_if<HeldSight>(&sighting.saw);
    const auto* const answer = held != nullptr ? std::get_if<Answered>(held) : nullptr;
    if (answer == nullptr || answer->primary() == nullptr) return;
    ServerEvidence& it = evidence.of(sighting.server);
    if (has_moved(*answer->primary(), it.last_answer ? &it.last_answer->what : nullptr)) it.writable_at = sighting.taken_at;
}

}  // namespace handyrep::model
