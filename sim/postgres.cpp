#include "sim/postgres.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace handyrep::sim {

using namespace std::chrono_literals;
using model::DialOutcome;

struct SimPostgres::Dialled : Reply<DialOutcome> {
    bool tcp = false;        // the handshake was answered
    bool abandoned = false;  // nobody waits any more: the socket is closed
    std::shared_ptr<Session> session{};
};

SimPostgres::SimPostgres(World& world, std::shared_ptr<Waits> waits, ServerIndex server)
    : world_{world}, waits_{std::move(waits)}, server_{server} {}
SimPostgres::~SimPostgres() = default;

asio::awaitable<bool> SimPostgres::take_turn(Instant deadline) {
    waits_->ensure_alive();
    while (busy_) {
        auto place = std::make_shared<Reply<bool>>();
        queue_.push_back(place);
        const auto called = co_await answer_by(world_.agenda, waits_, place, deadline);
        std::erase(queue_, place);
        if (!called) co_return false;
    }
    busy_ = true;
    co_return true;
}

void SimPostgres::give_turn() {
    busy_ = false;
    std::erase_if(queue_, [](const auto& place) { return place.use_count() == 1; });  // who waited was told to stop
    if (!queue_.empty()) queue_.front()->give(true);
}

void SimPostgres::let_go(bool silently) {
    if (!session_) return;
    if (session_->ended && !silently) unreported_end_ = session_->words;
    session_->closed = true;
    session_->on_end = nullptr;
    session_->on_watch = nullptr;
    if (!session_->ended) {
        // What is still in the socket is delivered first, the end after it, in the order they were sent.
        send(session_, [session = session_] { session->backend = false; });
    }
    session_.reset();
    question_.reset();
}

void SimPostgres::drop_session() { let_go(true); }
void SimPostgres::abandon() { let_go(true); }

namespace {

/// At the server's machine: carried out by the backend when it runs, or answered with a reset when there is none.
void arrive(World& world, ServerIndex server, const std::shared_ptr<Session>& session, const std::function<void()>& work, int tries) {
    constexpr int kernel_tries = 30;
    if (session->aborted) return;
    const Server& it = world.at(server);
    if (!it.powered) {  // retransmitted until the machine answers or the kernel gives up
        if (tries == kernel_tries) return session->hear_of_end(model::LastWords::none);
        world.agenda.after(1s, [&world, server, session, work, tries] { arrive(world, server, session, work, tries + 1); });
        return;
    }
    if (!session->backend) {
        world.network.send(it.node, 0, [session] { session->hear_of_end(model::LastWords::none); });
        return;
    }
    world.when_running(server, [session, work] {
        if (session->backend) work();
    });
}

}  // namespace

void SimPostgres::send(const std::shared_ptr<Session>& session, std::function<void()> work) {
    World& world = world_;
    const Node node = world.at(server_).node;
    const auto sent = world.network.send(
        0, node, [&world, server = server_, session, work = std::move(work)] { arrive(world, server, session, work, 0); });
    if (sent == Network::Sent::refused) session->hear_of_end(model::LastWords::none);
    if (sent == Network::Sent::held) {
        world.agenda.after(world.options.tcp_user_timeout, [&world, node, session] {
            if (session->closed || session->ended || world.network.up_both(0, node)) return;
            session->aborted = true;
            session->hear_of_end(model::LastWords::none);
        });
    }
}

// ---- a fresh session

asio::awaitable<DialOutcome> SimPostgres::attempt(Instant deadline, bool keep) {
    waits_->ensure_alive();
    const Node node = world_.at(server_).node;
    auto dialled = std::make_shared<Dialled>();
    // As the real adapter: what a name led to is remembered as long as the manager runs.
    name_known_ = name_known_ || (!world_.at(server_).name_unknown && !world_.names_hang);
    if (!name_known_ && world_.names_hang) {
        const Duration left = waits_->truly(deadline) - world_.agenda.now();
        world_.agenda.after(std::max(left - 1ms, Duration{}), [dialled] { dialled->give(DialOutcome::name_not_resolved); });
    } else if (!name_known_) {
        world_.agenda.after(1ms, [dialled] { dialled->give(DialOutcome::name_not_resolved); });
    } else if (world_.network.refusing(0, node)) {
        world_.agenda.after(world_.network.delay(0, node) * 2, [dialled] { dialled->give(DialOutcome::refused); });
    } else if (world_.network.up(0, node)) {
        World& world = world_;
        const ServerIndex server = server_;
        world.network.send(0, node, [&world, server, node, dialled, keep] {
            const Server& it = world.at(server);
            if (!it.powered || !world.network.up(node, 0)) return;  // the answer to the connect is lost
            const Duration delay = world.network.delay(node, 0);
            if (it.postmaster == Server::Postmaster::none || it.port_closed) {
                world.agenda.after(delay, [dialled] { dialled->give(DialOutcome::refused); });
                return;
            }
            world.agenda.after(delay, [dialled] { dialled->tcp = true; });
            world.agenda.after(delay * 2 + 1ms, [&world, server, dialled, keep] {
                world.when_running(server, [&world, server, dialled, keep] {
                    if (!dialled->abandoned) answer_dial(world, server, dialled, keep);
                });
            });
        });
    }
    std::shared_ptr<Reply<DialOutcome>> reply = dialled;
    std::exception_ptr stopped;
    std::optional<DialOutcome> outcome;
    try {
        outcome = co_await answer_by(world_.agenda, waits_, reply, deadline);
    } catch (...) {
        stopped = std::current_exception();
    }
    dialled->abandoned = true;
    if (dialled->session && (stopped || !outcome || !keep)) dialled->session->backend = false;
    if (stopped) std::rethrow_exception(stopped);
    if (outcome == DialOutcome::accepted && keep) {
        session_ = dialled->session;
        session_->on_watch = [watcher = std::weak_ptr<Reply<bool>>(watcher_)] {
            if (const auto alive = watcher.lock()) alive->give(true);
        };
    }
    co_return outcome ? *outcome : (dialled->tcp ? DialOutcome::startup_timeout : DialOutcome::connect_timeout);
}

void SimPostgres::answer_dial(World& world, ServerIndex server, const std::shared_ptr<Dialled>& dialled, bool keep) {
    Server& it = world.at(server);
    if (!it.powered || it.postmaster_stopped) return;
    DialOutcome outcome = DialOutcome::accepted;
    // A backend speaks TLS before it says anything else.
    const bool no_tls = it.certificate_expired || world.login_expired;
    if (no_tls && it.postmaster != Server::Postmaster::none) {
        world.network.send(it.node, 0, [dialled] { dialled->give(DialOutcome::tls_failed); });
        return;
    }
    switch (it.postmaster) {
        case Server::Postmaster::none: outcome = DialOutcome::reset; break;
        case Server::Postmaster::starting: outcome = it.after_crash ? DialOutcome::in_recovery : DialOutcome::starting_up; break;
        case Server::Postmaster::stopping: outcome = DialOutcome::shutting_down; break;
        case Server::Postmaster::running:
            if (it.connections_full)
                outcome = DialOutcome::too_many_connections;
            else if (it.password_broken || it.hba_broken)
                outcome = DialOutcome::authentication_failed;
            break;
    }
    if (outcome == DialOutcome::accepted && keep) {
        dialled->session = std::make_shared<Session>();
        it.sessions.push_back(dialled->session);
    }
    world.network.send(it.node, 0, [dialled, outcome] { dialled->give(outcome); });
}

asio::awaitable<model::DialSight> SimPostgres::dial(Instant deadline) {
    const DialOutcome outcome = co_await attempt(deadline, false);
    co_return model::DialSight{outcome, std::string(word_for(outcome))};
}

namespace {

/// As pg_replication_slots tells of one that nobody uses.
model::Slot slot_of(const Server& server, const KeptSlot& slot) {
    model::Slot out{.name = slot.name, .restart = slot.restart, .wal_status = "reserved"};
    if (!server.setup.slots_keep) return out;
    const model::Bytes kept = gap(slot.restart, server.disk.end);
    if (kept > *server.setup.slots_keep) return {.name = slot.name, .wal_status = "lost"};
    out.safe_size = model::Bytes{server.setup.slots_keep->count - kept.count};
    return out;
}

}  // namespace

Async<model::Details> SimPostgres::details(Instant deadline) {
    const DialOutcome outcome = co_await attempt(deadline, false);
    if (outcome != DialOutcome::accepted) co_return Error{ErrorKind::unreachable, std::string(word_for(outcome))};
    const Server& it = world_.at(server_);
    model::SyncWait wait;
    for (const WaitingCommit& commit : it.waiting) {
        if (commit.local || it.rule == nullptr || commit.end > it.disk.end) continue;  // waits for its own disk
        ++wait.backends;
        wait.oldest = std::max(wait.oldest, world_.agenda.now() - commit.since);
    }
    model::Details out{
        .sync_wait = wait,
        .archive_failing = it.setup.archive_failing,
        .can_rewind = it.setup.wal_log_hints,
        .keeps_wal = it.setup.wal_kept != model::Bytes{0},
        .collation = it.setup.collation,
        .stale_collation = it.setup.built_with,
        .recovery_target_timeline = it.setup.recovery_target_timeline,
        .offers_wal = it.disk.offer.has_value()};
    for (const KeptSlot& slot : it.slots) out.slots.push_back(slot_of(it, slot));
    if (const auto connections = it.setup.max_connections) out.capacity = model::Capacity{.connections = *connections};
    co_return out;
}

// ---- the held session

model::HeldSight SimPostgres::look(World& world, ServerIndex server, bool beat) {
    Server& it = world.at(server);
    if (it.look_refused) return model::Complained{"42501", "permission denied for function pg_current_wal_flush_lsn"};
    const Instant now = world.agenda.now();
    model::Answered answer{
        world.system_of(server), model::ServerVersion{it.setup.version}, SimClock::wall_of(now + it.clock_ahead),
        SimClock::wall_of(it.started + it.clock_ahead),
        model::StandbyAnswer{.timeline = {}, .received = it.disk.end, .replayed = it.disk.replayed, .receiver = {}, .replay_delay = {}}};
    if (!it.in_recovery) {
        if (beat) world.insert_wal(server, 56);
        model::PrimaryAnswer primary{
            .timeline = world.branches.timeline(it.disk.branch),
            .inserted = it.disk.end + model::Bytes{it.unflushed},
            .flushed = it.disk.end,
            .read_only = it.setup.read_only,
            .synchronous_standby_names = it.disk.synchronous_standby_names,
            .synchronous_commit = "on",
            .senders = {},
            .history = world.branches.history(it.disk.branch)};
        for (const Sender& sender : it.senders)
            primary.senders.push_back(
                {world.at(sender.replica).name.text(), "streaming", world.is_sync_member(server, sender.replica) ? "quorum" : "async",
                 world.at(sender.replica).name.text() + ".example", sender.confirmed});
        for (const std::string& sink : it.wal_sinks) primary.senders.push_back({sink, "streaming", "async", "backup.example", it.disk.end});
        answer.as = std::move(primary);
        return answer;
    }
    model::StandbyAnswer& standby = std::get<model::StandbyAnswer>(answer.as);
    standby.timeline = world.branches.timeline(it.disk.branch);
    standby.received = it.disk.end + model::Bytes{it.disk.partial};
    standby.replay_waits = it.disk.replayed == it.disk.end;
    if (standby.replay_waits) standby.replayed = model::Lsn{gap(model::Lsn{it.unread}, it.disk.replayed).count};
    standby.replay_paused = it.setup.replay_paused;
    standby.apply_delay = it.setup.apply_delay;
    if (it.receiver && it.receiver->state != Receiver::State::connecting) {
        const Server& upstream = world.at(it.receiver->upstream);
        standby.receiver = model::WalReceiver{
            it.receiver->state == Receiver::State::waiting ? "waiting" : "streaming", upstream.name.text() + ".example", 5432,
            now - it.receiver->last_message};
    }
    return answer;
}

void SimPostgres::ask(bool beat) {
    asked_at_ = waits_->now();
    asked_truly_ = world_.agenda.now();
    question_ = std::make_shared<Reply<model::HeldSight>>();
    session_->on_end = [question = question_] {
        question->over = true;
        question->wake();
    };
    World& world = world_;
    send(session_, [&world, server = server_, reply = question_, beat] {
        const model::HeldSight answer = look(world, server, beat);
        world.network.send(world.at(server).node, 0, [reply, answer] { reply->give(answer); });
    });
}

model::HeldSight SimPostgres::seen(model::HeldSight sight) const {
    if (world_.on_sighted) world_.on_sighted(server_, sight, asked_truly_);
    return sight;
}

asio::awaitable<model::HeldSight> SimPostgres::poll(bool beat, Instant deadline) {
    const Instant began = waits_->now();
    if (!co_await take_turn(deadline)) co_return seen(model::Silent{began});
    const Turn turn{*this};
    if (session_ && session_->ended) let_go(false);
    if (unreported_end_) co_return seen(model::Lost{std::exchange(unreported_end_, std::nullopt).value_or(model::LastWords::none)});
    if (!session_) {
        const DialOutcome outcome = co_await attempt(deadline, true);
        if (outcome != DialOutcome::accepted) co_return seen(model::NotOpen{outcome, std::string(word_for(outcome))});
    }
    if (!question_) ask(beat);
    const auto question = question_;
    const auto answer = co_await answer_by(world_.agenda, waits_, question, deadline);
    if (answer) {
        const auto* const told = std::get_if<model::Answered>(&*answer);
        if (const auto follows = world_.at(server_).disk.follows; follows && told != nullptr && told->standby() != nullptr)
            upstream_settings_ = fmt::format(
                "host={}.example port=5432 user=replicator application_name={}", world_.at(*follows).name.text(),
                world_.at(server_).name.text());
        question_.reset();
        co_return seen(*answer);
    }
    if (session_ && session_->ended) {
        let_go(false);
        co_return seen(model::Lost{std::exchange(unreported_end_, std::nullopt).value_or(model::LastWords::none)});
    }
    co_return seen(model::Silent{asked_at_});
}

asio::awaitable<void> SimPostgres::session_ended() {
    waits_->ensure_alive();
    watcher_ = std::make_shared<Reply<bool>>();
    const auto watcher = watcher_;
    if (session_) session_->on_watch = [watcher] { watcher->give(true); };
    co_await answer_by(world_.agenda, waits_, watcher, Instant::max());
}

}  // namespace handyrep::sim
