// saved/fields.hpp — what a recording holds of each value, said once for writing and reading. Internal to saved/.
//
// Each list names every field of its struct, so that a new field does not compile before somebody decided whether a
// recording holds it. What can be a secret, or lead to one, is named and left out: users, key files, connection strings.
#pragma once

#include "saved/archive.hpp"
#include "saved/blank.hpp"
#include "saved/fields_of_state.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace handyrep::saved {

template <class Archive>
void describe(Archive& it, Error& value) {
    auto& [kind, what, while_doing] = value;
    it("kind", kind);
    it("what", what);
    it("while_doing", while_doing);
}

template <class Archive>
void describe(Archive& it, model::TimelineSwitch& value) {
    auto& [from, at] = value;
    it("timeline", from);
    it("left_at", at);
}

/// A class, so by its parts.
template <class Archive>
void describe(Archive& it, model::TimelineHistory& value) {
    if constexpr (Archive::writes) {
        it("timeline", value.current());
        it("switches", value.switches());
    } else {
        model::Timeline current{};
        std::vector<model::TimelineSwitch> switches;
        it("timeline", current);
        it("switches", switches);
        value = model::TimelineHistory{current, std::move(switches)};
    }
}

template <class Archive>
void describe(Archive& it, model::WalSender& value) {
    auto& [application_name, state, sync_state, address, flushed] = value;
    it("application_name", application_name);
    it("state", state);
    it("sync_state", sync_state);
    it("address", address);
    it("flushed", flushed);
}

template <class Archive>
void describe(Archive& it, model::PrimaryAnswer& value) {
    auto& [timeline, inserted, flushed, read_only, synchronous_standby_names, synchronous_commit, senders, history] = value;
    it("timeline", timeline);
    it("inserted", inserted);
    it("flushed", flushed);
    it("read_only", read_only);
    it("synchronous_standby_names", synchronous_standby_names);
    it("synchronous_commit", synchronous_commit);
    it("senders", senders);
    it("history", history);
}

template <class Archive>
void describe(Archive& it, model::WalReceiver& value) {
    auto& [status, sender_host, sender_port, message_age] = value;
    it("status", status);
    it("sender_host", sender_host);
    it("sender_port", sender_port);
    it("message_age_ns", message_age);
}

template <class Archive>
void describe(Archive& it, model::StandbyAnswer& value) {
    auto& [timeline, received, replayed, receiver, replay_paused, replay_waits, apply_delay, replay_delay] = value;
    it("timeline", timeline);
    it("received", received);
    it("replayed", replayed);
    it("receiver", receiver);
    it("replay_paused", replay_paused);
    it("replay_waits", replay_waits);
    it("apply_delay_ns", apply_delay);
    it("replay_delay_ns", replay_delay);
}

template <class Archive>
void describe(Archive& it, model::Answered& value) {
    auto& [system_id, version, server_time, started, as] = value;
    it("system_id", system_id);
    it("version", version);
    it("server_time", server_time);
    it("started", started);
    it("as", as);
}

template <class Archive>
void describe(Archive& it, model::Silent& value) {
    auto& [since] = value;
    it("since_ns_ago", since);
}

template <class Archive>
void describe(Archive& it, model::Lost& value) {
    auto& [words] = value;
    it("words", words);
}

template <class Archive>
void describe(Archive& it, model::NotOpen& value) {
    auto& [why, message] = value;
    it("why", why);
    it("message", message);
}

template <class Archive>
void describe(Archive& it, model::Complained& value) {
    auto& [sqlstate, message] = value;
    it("sqlstate", sqlstate);
    it("message", message);
}

template <class Archive>
void describe(Archive& it, model::DialSight& value) {
    auto& [outcome, message] = value;
    it("outcome", outcome);
    it("message", message);
}

template <class Archive>
void describe(Archive& it, model::Room& value) {
    auto& [size, free] = value;
    it("size_bytes", size);
    it("free_bytes", free);
}

template <class Archive>
void describe(Archive& it, model::Slot& value) {
    auto& [name, active, restart, wal_status, safe_size] = value;
    it("name", name);
    it("active", active);
    it("restart", restart);
    it("wal_status", wal_status);
    it("safe_size_bytes", safe_size);
}

template <class Archive>
void describe(Archive& it, model::SyncWait& value) {
    auto& [backends, oldest] = value;
    it("backends", backends);
    it("oldest_ns", oldest);
}

template <class Archive>
void describe(Archive& it, model::Capacity& value) {
    auto& [connections, worker_processes, wal_senders, prepared_transactions, locks_per_transaction] = value;
    it("max_connections", connections);
    it("max_worker_processes", worker_processes);
    it("max_wal_senders", wal_senders);
    it("max_prepared_transactions", prepared_transactions);
    it("max_locks_per_transaction", locks_per_transaction);
}

template <class Archive>
void describe(Archive& it, model::Details& value) {
    auto& [sync_wait, slots, archive_failing, can_rewind, keeps_wal, collation, stale_collation, recovery_target_timeline, capacity, offers_wal] =
        value;
    it("sync_wait", sync_wait);
    it("slots", slots);
    it("archive_failing", archive_failing);
    it("can_rewind", can_rewind);
    it("keeps_wal", keeps_wal);
    it("collation", collation);
    it("stale_collation", stale_collation);
    it("recovery_target_timeline", recovery_target_timeline);
    it("capacity", capacity);
    it("offers_wal", offers_wal);
}

template <class Archive>
void describe(Archive& it, model::HostLook& value) {
    auto& [system_id, state, processes, marked_standby, data_room, wal_room, service] = value;
    it("system_id", system_id);
    it("state", state);
    it("processes", processes);
    it("marked_standby", marked_standby);
    it("data_room", data_room);
    it("wal_room", wal_room);
    it("service", service);
}

template <class Archive>
void describe(Archive& it, model::HostSight& value) {
    auto& [saw, took] = value;
    it("saw", saw);
    it("took_ns", took);
}

template <class Archive>
void describe(Archive& it, model::WitnessSight& value) {
    auto& [of, reach] = value;
    it("of", of);
    it("reach", reach);
}

template <class Archive, class T>
void describe(Archive& it, model::Seen<T>& value) {
    auto& [at, what] = value;
    it("ns_ago", at);
    it("what", what);
}

template <class Archive>
void describe(Archive& it, model::WalPace& value) {
    auto& [asked_after, since, peak, former] = value;
    it("asked_after_ns_ago", asked_after);
    it("since_ns_ago", since);
    it("peak_bytes_per_second", peak);
    it("former_bytes_per_second", former);
}

template <class Archive>
void describe(Archive& it, model::ServerEvidence& value) {
    auto& [server, held, dial, host, witness, details, last_answer, last_words, bad_since, silent_since, dials_bad_since, bad_looks, recovered, shut_down, recovering_since, unattached_since, host_heard, wal_sinks, writable_at, flush_stuck_since, flush_wanted, pace] =
        value;
    it("server", server);
    it("held", held);
    it("dial", dial);
    it("host", host);
    it("witness", witness);
    it("details", details);
    it("last_answer", last_answer);
    it("last_words", last_words);
    it("bad_since_ns_ago", bad_since);
    it("silent_since_ns_ago", silent_since);
    it("dials_bad_since_ns_ago", dials_bad_since);
    it("bad_looks", bad_looks);
    it("recovered", recovered);
    it("shut_down", shut_down);
    it("recovering_since_ns_ago", recovering_since);
    it("unattached_since_ns_ago", unattached_since);
    it("host_heard_ns_ago", host_heard);
    it("wal_sinks", wal_sinks);
    it("writable_ns_ago", writable_at);
    it("flush_stuck_since_ns_ago", flush_stuck_since);
    it("flush_wanted", flush_wanted);
    it("pace", pace);
}

template <class Archive>
void describe(Archive& it, model::ServerDefinition& value) {
    auto& [name, hostname, port, role, enabled, failover_priority, lag_limit, transport, ssh_user, ssh_key, ssh_config, database_user, pgdata] =
        value;
    it("name", name);
    it("hostname", hostname);
    it("port", port);
    it("role", role);
    it("enabled", enabled);
    it("failover_priority", failover_priority);
    it("lag_limit_bytes", lag_limit);
    it("transport", transport);
}

template <class Archive>
void describe(Archive& it, model::FailoverSettings& value) {
    auto& [auto_failover, poll_interval, poll_tries, connect_timeout, silence_timeout, stall_timeout, witness_freshness, sync_wait_limit, crash_grace, planned_grace, cooldown, fencing, max_lag_on_failover, remaster, end_blocking_queries, auto_rejoin, salvage, salvage_limit, selection_method, verify_frequency] =
        value;
    it("auto_failover", auto_failover);
    it("poll_interval_ns", poll_interval);
    it("poll_tries", poll_tries);
    it("connect_timeout_ns", connect_timeout);
    it("silence_timeout_ns", silence_timeout);
    it("stall_timeout_ns", stall_timeout);
    it("witness_freshness_ns", witness_freshness);
    it("sync_wait_limit_ns", sync_wait_limit);
    it("crash_grace_ns", crash_grace);
    it("planned_grace_ns", planned_grace);
    it("cooldown_ns", cooldown);
    it("fencing", fencing);
    it("max_lag_on_failover_bytes", max_lag_on_failover);
    it("remaster", remaster);
    it("end_blocking_queries", end_blocking_queries);
    it("auto_rejoin", auto_rejoin);
    it("salvage", salvage);
    it("salvage_limit_ns", salvage_limit);
    it("selection_method", selection_method);
    it("verify_frequency", verify_frequency);
}

template <class Archive>
void describe(Archive& it, model::Refusal& value) {
    auto& [until, in_a_row, why] = value;
    it("until_ns_ago", until);
    it("in_a_row", in_a_row);
    it("why", why);
}

template <class Archive>
void describe(Archive& it, model::Guards& value) {
    auto& [paused, maintenance, provisional, operation_running, journal_available, cooldown_left, refused] = value;
    it("paused", paused);
    it("maintenance", maintenance);
    it("provisional", provisional);
    it("operation_running", operation_running);
    it("journal_available", journal_available);
    it("cooldown_left_ns", cooldown_left);
    it("refused", refused);
}

/// `now` itself is left out: the ages count from it.
template <class Archive>
void describe(Archive& it, model::Moment& value) {
    auto& [at, since, now, settings, saved, evidence, guards] = value;
    auto& [servers, counts_from] = evidence;
    it("at", at);
    it("since", since);
    it("guards", guards);
    it("settings", settings);
    it("saved", saved);
    it("counts_from_ns_ago", counts_from);
    it("evidence", servers);
}

}  // namespace handyrep::saved
