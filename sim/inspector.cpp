#include "sim/inspector.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace handyrep::sim {

using namespace std::chrono_literals;

namespace {

constexpr model::ServerVersion simulated_version{150000};
constexpr model::Bytes plenty{1ULL << 40};

template <class T>
void give_back(World& world, Node from, const std::shared_ptr<Reply<T>>& reply, T value) {
    world.network.send(from, 0, [reply, value = std::move(value)] { reply->give(value); });
}

model::Settings settings_of(const Server& server) {
    model::Settings out;
    const auto set = [&](const char* name, std::string value) { out[name] = {.value = std::move(value), .source = "configuration file"}; };
    for (const char* name : {"full_page_writes", "fsync", "hot_standby"}) set(name, "on");
    set("wal_log_hints", server.setup.wal_log_hints ? "on" : "off");
    set("default_transaction_read_only", server.setup.read_only ? "on" : "off");
    set("data_checksums", "off");
    for (const char* name :
         {"max_connections", "max_worker_processes", "max_wal_senders", "max_prepared_transactions", "max_locks_per_transaction",
          "max_replication_slots", "superuser_reserved_connections"})
        set(name, "20");
    for (const char* name : {"wal_receiver_timeout", "wal_sender_timeout"}) set(name, "5000");
    set("max_standby_streaming_delay", "30000");
    set("recovery_min_apply_delay",
        fmt::format("{}", std::chrono::duration_cast<std::chrono::milliseconds>(server.setup.apply_delay).count()));
    set("recovery_target_timeline", server.setup.recovery_target_timeline);
    set("wal_level", "replica");
    set("wal_keep_size", "1024");
    set("max_wal_size", "1024");
    set("synchronous_commit", "on");
    set("synchronous_standby_names", server.disk.synchronous_standby_names);
    set("primary_conninfo", server.disk.follows ? "set" : "");
    return out;
}

model::DatabaseInspection database_of(const World& world, ServerIndex server) {
    const Server& it = world.at(server);
    model::DatabaseInspection out;
    out.version = simulated_version;
    out.system_id = world.system_of(server);
    out.in_recovery = it.in_recovery;
    out.clock_ahead = it.clock_ahead;
    out.position = it.disk.end;
    if (it.receiver) out.receiver_status = it.receiver->state == Receiver::State::streaming ? "streaming" : "waiting";
    out.settings = settings_of(it);
    out.files_read = true;
    out.made_conninfo = "user=replicator";
    if (it.disk.follows) out.upstream = model::UpstreamSeen{.conninfo = "user=replicator", .application_name = it.name.text()};
    out.slots.emplace();
    out.senders.emplace();
    for (const Sender& sender : it.senders) out.senders->push_back({world.at(sender.replica).name.text(), "streaming"});
    out.prepared_transactions = 0;
    out.synchronous_commit_settings.emplace();
    out.collations.emplace();
    out.libc_version = "2.36";
    out.rights = {{model::Right::superuser, true}};
    out.size = model::Bytes{1ULL << 30};
    return out;
}

}  // namespace

SimDatabaseInspector::SimDatabaseInspector(World& world, std::shared_ptr<Waits> waits, ServerIndex server)
    : world_{world}, waits_{std::move(waits)}, server_{server} {}

Async<model::DatabaseInspection> SimDatabaseInspector::inspect(ports::Depth /*depth*/, Instant deadline) {
    using Answer = Result<model::DatabaseInspection>;
    waits_->ensure_alive();
    const Node node = world_.at(server_).node;
    const auto reply = std::make_shared<Reply<Answer>>();
    const auto sent = world_.network.send(0, node, [&world = world_, server = server_, node, reply] {
        const Server& it = world.at(server);
        if (!it.powered) return;
        if (it.postmaster != Server::Postmaster::running || it.port_closed)
            return give_back(world, node, reply, Answer{Error{ErrorKind::unreachable, "nobody takes sessions"}});
        world.when_running(server, [&world, server, node, reply] {
            const Server& there = world.at(server);
            if (there.password_broken) return give_back(world, node, reply, Answer{Error{ErrorKind::denied, "the password is wrong"}});
            if (there.certificate_expired || world.login_expired)
                return give_back(world, node, reply, Answer{Error{ErrorKind::denied, "TLS failed"}});
            if (there.connections_full) return give_back(world, node, reply, Answer{Error{ErrorKind::unreachable, "too many connections"}});
            give_back(world, node, reply, Answer{database_of(world, server)});
        });
    });
    if (sent == Network::Sent::refused) co_return Error{ErrorKind::unreachable, "refused"};
    const auto value = co_await answer_by(world_.agenda, waits_, reply, deadline);
    if (!value) co_return Error{ErrorKind::timed_out, "the look was not answered in time"};
    co_return *value;
}

SimHostInspector::SimHostInspector(World& world, std::shared_ptr<Waits> waits, ServerIndex server, model::Transport transport)
    : world_{world}, waits_{std::move(waits)}, server_{server}, transport_{transport} {}

template <class T>
Async<T> SimHostInspector::run(std::string what, Instant deadline, std::function<T(const World&)> script) {
    waits_->ensure_alive();
    const Server& it = world_.at(server_);
    const bool local = transport_ == model::Transport::local;
    const Node node = local ? 0 : it.node;
    if (!local && world_.network.refusing(0, node)) co_return Error{ErrorKind::unreachable, fmt::format("{}: refused", what)};
    const auto reply = std::make_shared<Reply<T>>();
    world_.network.send(0, node, [&world = world_, server = server_, local, node, deadline, reply, script = std::move(script)] {
        const Server& there = world.at(server);
        if (!there.powered || (!local && !there.ssh_answers) || world.agenda.now() >= deadline) return;
        world.agenda.after(5ms, [&world, node, reply, script] { give_back(world, node, reply, script(world)); });
    });
    const auto value = co_await answer_by(world_.agenda, waits_, reply, deadline);
    if (!value) co_return Error{ErrorKind::timed_out, fmt::format("{} was not answered in time", what)};
    if (world_.at(server_).sudo_denied) co_return Error{ErrorKind::denied, "sudo: a password is required"};
    co_return *value;
}

Async<model::HostInspection> SimHostInspector::inspect(Instant deadline) {
    std::function<model::HostInspection(const World&)> script = [server = server_](const World& world) {
        const bool runs = world.at(server).postmaster != Server::Postmaster::none;
        return model::HostInspection{
            .owner = "postgres",
            .system_id = world.system_of(server),
            .programs = "/usr/lib/postgresql/15/bin",
            .pg_ctl = runs ? model::PgCtlStatus::running : model::PgCtlStatus::not_running,
            .control_data_readable = true,
            .psql_found = true,
            .data_writable = true,
            .parent_writable = true,
            .data_free = plenty,
            .wal_free = plenty,
            .libc_version = "glibc 2.36"};
    };
    co_return co_await run<model::HostInspection>("the inspection", deadline, std::move(script));
}

Async<model::FenceDrill> SimHostInspector::drill(model::SystemId expected, Instant deadline) {
    if (expected != world_.system_of(server_)) co_return Error{ErrorKind::refused, "the directory belongs to another system"};
    std::function<model::FenceDrill(const World&)> script = [server = server_](const World& world) {
        const Server& it = world.at(server);
        return model::FenceDrill{
            .autostart = it.disk.autostart ? "start.conf: manual" : "none found",
            .autostart_off = true,
            .markable = !it.mark_denied && !it.disk_read_only,
            .processes = it.processes(),
            .untouchable = 0,
            .took = 5ms};
    };
    co_return co_await run<model::FenceDrill>("the fence's drill", deadline, std::move(script));
}

Async<model::LeaseDrill> SimHostInspector::drill_lease(Instant deadline) {
    std::function<model::LeaseDrill(const World&)> script = [server = server_](const World& world) {
        const Server& it = world.at(server);
        return model::LeaseDrill{
            .missing = {},
            .asks = it.runs(),
            .said = {},
            .autostart_off = !it.disk.autostart,
            .autostart = it.disk.autostart ? "start.conf: auto" : "start.conf: manual"};
    };
    co_return co_await run<model::LeaseDrill>("the lease's drill", deadline, std::move(script));
}

asio::awaitable<model::LoginAttempt> SimHostInspector::try_login(const ports::LoginQuestion& question, Instant deadline) {
    using Outcome = model::LoginAttempt::Outcome;
    const model::ServerName to = question.to;
    std::function<model::LoginAttempt(const World&)> script = [server = server_, to, hostname = question.hostname](const World& world) {
        const auto target = world.named(hostname);
        const bool reached = target && world.at(*target).runs() && world.network.up_both(world.at(server).node, world.at(*target).node);
        return model::LoginAttempt{
            .to = to, .outcome = reached ? Outcome::accepted : Outcome::refused, .text = reached ? "" : "no connection"};
    };
    auto attempt = co_await run<model::LoginAttempt>("a replication login", deadline, std::move(script));
    if (attempt) co_return *attempt;
    co_return model::LoginAttempt{.to = to, .outcome = Outcome::not_tried, .text = attempt.error().text()};
}

}  // namespace handyrep::sim
