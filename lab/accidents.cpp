// lab/accidents.cpp — what a person or an accident does in the stories of the safety rules, and what PostgreSQL itself then shows.
#include "base/text.hpp"
#include "lab/deeds.hpp"
#include "tests/harness/temporary_folder.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <chrono>

namespace handyrep::lab {

using scenarios::DeedKind;
using scenarios::FactKind;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr std::array accidents{DeedKind::heartbeat,         DeedKind::checkpoint,  DeedKind::commit,
                               DeedKind::stop_checkpointer, DeedKind::lose_mark,   DeedKind::rewind,
                               DeedKind::late_promotion,    DeedKind::steady_load, DeedKind::start_at_once};

constexpr Duration longest_commit = seconds{60};

/// Nothing when it is in recovery, or does not answer.
std::optional<std::string> timeline_file_of_primary(const Server& server) {
    const auto name = server.ask(
        "SELECT CASE WHEN NOT pg_is_in_recovery() THEN substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) ELSE '' END", seconds{2});
    if (!name || name->empty()) return std::nullopt;
    return *name;
}

}  // namespace

bool is_accident(DeedKind kind) { return std::ranges::count(accidents, kind) != 0; }

Deeds::Outcome Deeds::to_accident(const scenarios::Deed& deed, Server& server) {
    const auto ask = [&server](const std::string& sql) -> Outcome {
        if (const auto asked = server.ask(sql, seconds{60}); !asked) return asked.error();
        return Undo{};
    };
    switch (deed.kind) {
        case DeedKind::heartbeat: return ask("SELECT pg_logical_emit_message(false, 'handyrep', '')::text");
        case DeedKind::checkpoint: {
            auto session = server.session();
            if (!session) return session.error();
            if (auto done = session->query("CHECKPOINT", seconds{60}); !done) return done.error();
            return Undo{};
        }
        case DeedKind::commit: return commit(server, deed.settings);
        case DeedKind::stop_checkpointer: {
            const auto found = server.processes("checkpointer");
            if (found.empty()) return Error{ErrorKind::failed, server.name() + " has no checkpointer"};
            ::kill(found.front(), SIGSTOP);
            return Undo{[process = found.front()]() -> Result<void> {
                ::kill(process, SIGCONT);
                return {};
            }};
        }
        case DeedKind::lose_mark: {
            if (auto done = server.mark_standby(false); !done) return done.error();
            return Undo{};
        }
        case DeedKind::rewind: return rewind(server);
        case DeedKind::late_promotion: {
            if (auto held = site_.fabric().hold_promotions(server.machine(), postgres_port, true); !held) return held.error();
            return Undo{[this, &server] { return site_.fabric().hold_promotions(server.machine(), postgres_port, false); }};
        }
        case DeedKind::steady_load: {
            auto session = server.session();
            if (!session) return session.error();
            auto sent = session->send(
                "DO $$ BEGIN LOOP PERFORM pg_logical_emit_message(true, 'load', repeat('x', 1048576)); COMMIT; END LOOP; END $$");
            if (!sent) return sent.error();
            sessions_[server.name()].push_back(std::move(*session));
            return Undo{};
        }
        case DeedKind::start_at_once: return start_at_once(server);
        default: break;
    }
    return Error{ErrorKind::unsupported, fmt::format("the lab cannot play {}", word_for(deed.kind))};
}

/// In a session of its own, which waits as long as PostgreSQL lets it.
Deeds::Outcome Deeds::commit(Server& server, const scenarios::Settings& settings) {
    auto session = server.session(seconds{5}, "one_commit");
    if (!session) return session.error();
    for (const auto& [name, value] : settings) {
        if (auto set = session->query(fmt::format("SET {} = {}", name, harness::sql_literal(value))); !set) return set.error();
    }
    const auto outcome = std::make_shared<std::atomic<CommitState>>(CommitState::waits);
    const int backend = session->backend();
    commits_[server.name()] = outcome;
    committers_.emplace_back([outcome, mine = std::make_shared<harness::Session>(std::move(*session))] {
        const auto done = mine->query("INSERT INTO lab_orphans DEFAULT VALUES", longest_commit);
        *outcome = done ? CommitState::acknowledged : CommitState::failed;
    });
    return Undo{[&server, outcome, backend]() -> Result<void> {
        if (*outcome != CommitState::waits) return {};
        if (auto ended = server.ask(fmt::format("SELECT pg_terminate_backend({})::text", backend)); !ended) return ended.error();
        return {};
    }};
}

/// As somebody does it in a hurry. The files that say who this server is are its own again afterwards.
Deeds::Outcome Deeds::rewind(Server& server) {
    by_hand_.insert(server.name());
    const Server* source = nullptr;
    for (const auto& it : site_.servers()) {
        if (it->name() != server.name() && timeline_file_of_primary(*it)) source = it.get();
    }
    if (source == nullptr) return Error{ErrorKind::failed, "there is no primary to rewind from"};
    auto session = source->session();
    if (!session) return session.error();
    // Up to 15 pg_rewind goes by the source's control file.
    if (auto done = session->query("CHECKPOINT", seconds{60}); !done) return done.error();
    const std::string disk = server.disk();
    const std::string script = fmt::format(
        "umask 077; cat >'{0}/rewind.pgpass'; cp '{1}/lab.conf' '{1}/pg_hba.conf' '{0}'; "
        "PGPASSFILE='{0}/rewind.pgpass' '{2}/pg_rewind' -D '{1}' --source-server='host={3} port={4} user=postgres dbname=postgres' 2>&1; status=$?; "
        "rm '{0}/rewind.pgpass'; mv '{0}/lab.conf' '{0}/pg_hba.conf' '{1}'; exit $status",
        disk, server.data().string(), server.programs().string(), source->machine().host_name(), postgres_port);
    auto done = server.as_owner(script, seconds{120}, fmt::format("*:*:*:postgres:{}\n", site_.passwords().superuser.reveal()));
    if (!done) return done.error();
    return Undo{};
}

/// What supervises it knows nothing of start.conf, as monit does.
Deeds::Outcome Deeds::start_at_once(Server& server) {
    const auto thread = std::make_shared<std::jthread>([&server](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            if (server.machine().on() && !server.has_processes()) static_cast<void>(server.begin_start());
            std::this_thread::sleep_for(milliseconds{500});
        }
    });
    return Undo{[thread]() -> Result<void> {
        thread->request_stop();
        return {};
    }};
}

/// A promotion begins when replay has come to its end, and that waits for a query. The story's policy must leave queries alone.
Deeds::Outcome Deeds::hold_up_promotion(Server& server) {
    if (auto set = server.set("max_standby_streaming_delay", "-1"); !set) return set.error();
    auto held = hold_up_replay(server);
    if (!held) return held;
    return Undo{[&server, let_go = *std::move(held)]() -> Result<void> {
        if (auto gone = let_go(); !gone) return gone;
        return server.reset("max_standby_streaming_delay");
    }};
}

// --- what is so

bool Deeds::is_so(const scenarios::Fact& fact) {
    const auto found = site_.server(fact.server);
    if (!found) return false;
    switch (fact.kind) {
        case FactKind::past_fork: return past_fork(**found) == std::optional{true};
        case FactKind::not_past_fork: return past_fork(**found) == std::optional{false};
        case FactKind::acknowledged: return commits_.contains(fact.server) && *commits_[fact.server] == CommitState::acknowledged;
        case FactKind::commit_waits: {
            if (!commits_.contains(fact.server) || *commits_[fact.server] != CommitState::waits) return false;
            const auto waits =
                (*found)->ask("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'one_commit' AND wait_event = 'SyncRep'");
            return waits && *waits != "0";
        }
        case FactKind::still_says_streaming:
            return std::ranges::any_of(site_.servers(), [&](const auto& it) {
                const auto says = it->ask(
                    fmt::format(
                        "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND application_name = {} AND "
                        "reply_time < clock_timestamp() - interval '10 s'",
                        harness::sql_literal(fact.server)),
                    seconds{2});
                return says && *says != "0";
            });
        case FactKind::accepts_writes:
        case FactKind::in_step: return false;  // the stage's watchers know
        case FactKind::log_says: {
            const auto text = harness::read_file((*found)->log());
            return text && text->find(fact.text) != std::string::npos;
        }
    }
    return false;
}

/// Against the history that the server says which was promoted; nothing while there is none.
std::optional<bool> Deeds::past_fork(const Server& server) const {
    for (const auto& it : site_.servers()) {
        if (it->name() == server.name()) continue;
        const auto timeline = timeline_file_of_primary(*it);
        if (!timeline || *timeline == "00000001") continue;
        const auto fork = it->ask(fmt::format(
            "SELECT split_part(split_part(rtrim(pg_read_file('pg_wal/{}.history'), E'\\n'), E'\\n', -1), E'\\t', 2)", *timeline));
        if (!fork) return std::nullopt;
        const auto past = server.ask(fmt::format(
            "SELECT (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_flush_lsn() END > {}::pg_lsn)::text",
            harness::sql_literal(std::string{trim(*fork)})));
        if (!past) return std::nullopt;
        return *past == "true";
    }
    return std::nullopt;
}

}  // namespace handyrep::lab
