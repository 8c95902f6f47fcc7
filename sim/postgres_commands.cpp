// The changing commands of the simulated port: each carried out where and when it arrives.
#include "model/version_facts.hpp"
#include "sim/postgres.hpp"
#include "sim/salvage.hpp"

#include <fmt/format.h>

#include <utility>

namespace handyrep::sim {

using namespace std::chrono_literals;
using model::DialOutcome;

namespace {

const model::VersionFacts& facts_of(const Server& server) { return model::facts_of(model::ServerVersion{server.setup.version}); }

Error needs_restart() { return {ErrorKind::unsupported, "this version cannot change primary_conninfo without a restart"}; }

/// What the server does with it when it arrives.
void promote_now(World& world, ServerIndex server, WallTime expires, const std::function<void(const Result<void>&)>& done) {
    const Server& it = world.at(server);
    if (facts_of(it).promoting != model::Promoting::by_sql)
        return done(Error{ErrorKind::unsupported, "function pg_promote(boolean) does not exist"});
    if (!it.in_recovery) return done(Error{ErrorKind::refused, "the server is not in recovery"});
    if (SimClock::wall_of(world.agenda.now() + it.clock_ahead) >= expires) {
        world.note(it.name.text(), "drops a promotion that came too late");
        return done(Error{ErrorKind::refused, "the promotion came after its expiry"});
    }
    if (it.refuses_promotion) {
        world.note(it.name.text(), "refuses to promote");
        return done(Error{ErrorKind::refused, "failed to send signal to postmaster"});
    }
    world.begin_promotion(server);
    done({});
}

}  // namespace

/// A session without an open question, or why there is none; then nothing was sent.
asio::awaitable<std::optional<Error>> SimPostgres::ready(Instant deadline) {
    if (session_ && session_->ended) let_go(false);
    if (!session_) {
        const DialOutcome outcome = co_await attempt(deadline, true);
        if (outcome == DialOutcome::accepted) co_return std::nullopt;
        const ErrorKind kind = outcome == DialOutcome::authentication_failed
                                   ? ErrorKind::denied
                                   : (is_silence(outcome) ? ErrorKind::unreachable : ErrorKind::refused);
        co_return Error{kind, fmt::format("no session: {}", word_for(outcome))};
    }
    if (!question_) co_return std::nullopt;
    const auto question = question_;
    if (co_await answer_by(world_.agenda, waits_, question, deadline)) {
        question_.reset();
        co_return std::nullopt;
    }
    co_return Error{ErrorKind::timed_out, "the session still waits for an earlier answer"};
}

Async<void> SimPostgres::command(std::string what, Work work, Instant deadline) {
    if (!co_await take_turn(deadline)) co_return Error{ErrorKind::timed_out, fmt::format("{}: the session was busy", what)};
    Turn turn{*this};
    if (auto error = co_await ready(deadline)) co_return std::move(*error).during(std::move(what));
    const auto reply = std::make_shared<Reply<Result<void>>>();
    session_->on_end = [reply] {
        reply->over = true;
        reply->wake();
    };
    turn.under_way = true;
    send(session_, [&world = world_, server = server_, reply, work = std::move(work)] {
        work([&world, server, reply](const Result<void>& result) {
            world.network.send(world.at(server).node, 0, [reply, result] { reply->give(result); });
        });
    });
    const auto answer = co_await answer_by(world_.agenda, waits_, reply, deadline);
    if (answer) {
        turn.under_way = false;
        co_return *answer;
    }
    if (session_ && session_->ended) {
        turn.under_way = false;
        let_go(false);
        co_return Error{ErrorKind::unreachable, fmt::format("{}: the session ended before the answer", what)};
    }
    co_return Error{ErrorKind::timed_out, fmt::format("{} was not answered in time", what)};
}

Async<void> SimPostgres::detach(Instant deadline) {
    Work work = [&world = world_, server = server_](const Done& done) {
        Server& it = world.at(server);
        if (!facts_of(it).stays_detached) return done(needs_restart());
        it.disk.follows.reset();
        world.note(it.name.text(), "is detached");
        const std::uint64_t life = it.life;
        world.agenda.after(world.random.between(Duration{3ms}, 30ms), [&world, server, life, done] {
            world.when_running(server, [&world, server, life, done] {
                if (world.at(server).life != life) return;
                world.end_receiver(server, false);
                done({});
            });
        });
    };
    co_return co_await command("detach", std::move(work), deadline);
}

Async<void> SimPostgres::follow(const ports::Upstream& upstream, Instant deadline) {
    const auto target = world_.named(upstream.hostname);
    if (!target) co_return Error{ErrorKind::refused, fmt::format("nobody knows the host {}", upstream.hostname)};
    Work work = [&world = world_, server = server_, target](const Done& done) {
        Server& it = world.at(server);
        const bool at_once = facts_of(it).repointing == model::Repointing::by_reload;
        auto& follows = at_once ? it.disk.follows : it.disk.follows_from_start;
        if (follows != target) world.note(it.name.text(), fmt::format("is told to follow {}", world.at(*target).name.text()));
        follows = target;
        if (at_once) world.reload_receiver(server);
        done({});
    };
    co_return co_await command("follow", std::move(work), deadline);
}

Async<void> SimPostgres::prepare_to_follow(const ports::Upstream& upstream, Instant deadline) {
    const auto target = world_.named(upstream.hostname);
    if (!target) co_return Error{ErrorKind::refused, fmt::format("nobody knows the host {}", upstream.hostname)};
    Work work = [&world = world_, server = server_, target](const Done& done) {
        Server& it = world.at(server);
        if (it.in_recovery) return done(Error{ErrorKind::refused, "the server is in recovery"});
        it.disk.follows = target;
        done({});
    };
    co_return co_await command("prepare to follow", std::move(work), deadline);
}

/// Over its host, as the files of a server that is down lie there.
Async<void> SimPostgres::prepare_while_down(const ports::Upstream& upstream, model::SystemId expected, Instant deadline) {
    const auto target = world_.named(upstream.hostname);
    if (!target) co_return Error{ErrorKind::refused, fmt::format("nobody knows the host {}", upstream.hostname)};
    const auto reply = std::make_shared<Reply<Result<void>>>();
    const Node node = world_.at(server_).node;
    world_.network.send(0, node, [&world = world_, server = server_, node, target, expected, reply] {
        Server& it = world.at(server);
        if (!it.powered || !it.ssh_answers) return;
        Result<void> outcome{};
        if (expected != world.system_of(server)) {
            outcome = Error{ErrorKind::refused, "the data directory belongs to another system"};
        } else if (it.sudo_denied) {
            outcome = Error{ErrorKind::denied, "sudo: a password is required"};
        } else if (it.has_processes() || !it.disk.standby_mark) {
            outcome = Error{ErrorKind::refused, "it is not down, or not marked standby"};
        } else {
            it.disk.follows = target;
        }
        world.network.send(node, 0, [reply, outcome] { reply->give(outcome); });
    });
    const auto answer = co_await answer_by(world_.agenda, waits_, reply, deadline);
    if (!answer) co_return Error{ErrorKind::timed_out, "its host did not answer in time"};
    co_return *answer;
}

ports::Login SimPostgres::login_at(const ports::Upstream& upstream) const {
    return {fmt::format("host={} port={}", upstream.hostname, upstream.port)};
}

Async<std::string> SimPostgres::conninfo_to(const ports::Upstream& upstream, Secret /*own*/, Instant /*deadline*/) {
    if (!world_.named(upstream.hostname)) co_return Error{ErrorKind::refused, fmt::format("nobody knows the host {}", upstream.hostname)};
    co_return fmt::format("host={} port={}", upstream.hostname, upstream.port);
}

Async<void> SimPostgres::checkpoint(Instant deadline) {
    Work work = [&world = world_, server = server_](const Done& done) {
        if (!world.at(server).in_recovery) world.write_wal(server, 114);
        const std::uint64_t life = world.at(server).life;
        world.agenda.after(world.random.between(Duration{5ms}, 200ms), [&world, server, life, done] {
            world.when_running(server, [&world, server, life, done] {
                if (world.at(server).life == life) done({});
            });
        });
    };
    co_return co_await command("checkpoint", std::move(work), deadline);
}

Async<void> SimPostgres::redial(Instant deadline) {
    Work work = [&world = world_, server = server_](const Done& done) {
        const Server& it = world.at(server);
        if (!facts_of(it).stays_detached) return done(needs_restart());
        if (!it.in_recovery || !it.disk.follows) return done(Error{ErrorKind::refused, "it follows nobody"});
        world.note(it.name.text(), "connects anew");
        world.end_receiver(server, false);
        world.reload_receiver(server);
        done({});
    };
    co_return co_await command("redial", std::move(work), deadline);
}

Async<void> SimPostgres::set_synchronous_standby_names(const std::string& names, Instant deadline) {
    Work work = [&world = world_, server = server_, names](const Done& done) {
        Server& it = world.at(server);
        if (it.disk.synchronous_standby_names != names) world.note(it.name.text(), fmt::format("synchronous_standby_names = '{}'", names));
        it.disk.synchronous_standby_names = names;
        world.reload_settings(server);
        done({});
    };
    co_return co_await command("set synchronous_standby_names", std::move(work), deadline);
}

Async<void> SimPostgres::offer_wal(const std::string& /*folder*/, std::uint64_t operation, Instant deadline) {
    Work work = [&world = world_, server = server_, operation](const Done& done) {
        if (const auto refusal = offer(world, server, operation)) return done(*refusal);
        done({});
    };
    co_return co_await command("offer WAL", std::move(work), deadline);
}

Async<void> SimPostgres::end_offer(Instant deadline) {
    Work work = [&world = world_, server = server_](const Done& done) {
        sim::end_offer(world, server);
        done({});
    };
    co_return co_await command("end the offer of WAL", std::move(work), deadline);
}

Async<void> SimPostgres::promote(WallTime expires, Instant deadline) {
    if (world_.on_promotion_asked) world_.on_promotion_asked();
    Work work = [&world = world_, server = server_, expires](const Done& done) {
        const auto arrive = [&world, server, expires, done] { promote_now(world, server, expires, done); };
        Server& it = world.at(server);
        if (!it.holds_promotions) return arrive();
        it.held_promotions.emplace_back(arrive);
    };
    co_return co_await command("promote", std::move(work), deadline);
}

Async<void> SimPostgres::nudge(Instant deadline) {
    Work work = [&world = world_, server = server_](const Done& done) {
        world.nudge(server);
        done({});
    };
    co_return co_await command("reload", std::move(work), deadline);
}

Async<std::size_t> SimPostgres::end_queries(Instant deadline) {
    const auto ended = std::make_shared<std::size_t>(0);
    Work work = [&world = world_, server = server_, ended](const Done& done) {
        if (!world.at(server).in_recovery) return done(Error{ErrorKind::refused, "the server is not in recovery"});
        *ended = world.end_queries(server);
        done({});
    };
    auto outcome = co_await command("end queries", std::move(work), deadline);
    if (!outcome) co_return outcome.error();
    co_return *ended;
}

Async<model::TimelineHistory> SimPostgres::timeline_history(Instant deadline) {
    const DialOutcome outcome = co_await attempt(deadline, false);
    if (outcome != DialOutcome::accepted)
        co_return Error{ErrorKind::unreachable, fmt::format("no replication connection: {}", word_for(outcome))};
    co_return world_.branches.history(world_.at(server_).disk.branch);
}

}  // namespace handyrep::sim
