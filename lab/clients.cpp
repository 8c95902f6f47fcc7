#include "lab/clients.hpp"

#include "base/text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <tuple>

namespace handyrep::lab {

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr Duration answer_limit = seconds{5};
constexpr Duration between_tries = milliseconds{50};
/// A row of this number is there.
constexpr std::string_view unique_violation = "23505";
constexpr std::string_view read_only_transaction = "25006";
constexpr Duration look_limit = seconds{1};
/// Longer ago says nothing of now: the answer to the next look should have come.
constexpr Duration fresh = milliseconds{700};

struct Finish {
    void operator()(PGconn* it) const { PQfinish(it); }
};
using Connection = std::unique_ptr<PGconn, Finish>;
struct Clear {
    void operator()(PGresult* it) const { PQclear(it); }
};
using Answer = std::unique_ptr<PGresult, Clear>;

/// Waits for the answer with a limit of our own; nothing when it did not come.
Answer answer_of(PGconn* connection, Duration limit) {
    const Moment deadline = harness::now() + limit;
    while (PQisBusy(connection) == 1) {
        const auto left = std::chrono::duration_cast<milliseconds>(deadline - harness::now()).count();
        pollfd watched{PQsocket(connection), POLLIN, 0};
        if (left <= 0 || ::poll(&watched, 1, static_cast<int>(left)) < 0 || PQconsumeInput(connection) != 1) return nullptr;
    }
    Answer first{PQgetResult(connection)};
    while (first != nullptr && Answer{PQgetResult(connection)} != nullptr) {}
    return first;
}

std::uint32_t timeline_of(const std::string& wal_file) {
    std::uint32_t out = 0;
    std::from_chars(wal_file.data(), wal_file.data() + std::min<std::size_t>(8, wal_file.size()), out, 16);
    return out;
}

}  // namespace

Client::Client(const Machine& apps, Way way, const Passwords& passwords, Pace pace)
    : way_{std::move(way)},
      pace_{pace},
      connection_{fmt::format(
          "host={} port={} user=postgres password={} dbname=postgres application_name=client target_session_attrs={} connect_timeout=2 "
          "tcp_user_timeout=3000 keepalives_idle=2 keepalives_interval=1 keepalives_count=3 gssencmode=disable sslmode=disable",
          fmt::join(way_.addresses, ","), way_.port, passwords.superuser.reveal(), way_.chooses ? "read-write" : "any")},
      thread_{[this, &apps] { write(apps); }} {}

void Rest::hold(bool held) {
    held_ = held;
    static_cast<void>(harness::wait_until([&] { return resting_ == held_; }, seconds{10}, "it rests", milliseconds{5}));
}

void Client::hold(bool held) { rest_.hold(held); }

void Client::stop() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
}

void Client::write(const Machine& apps) {
    if (!apps.enter()) return;
    while (!stopping_) {
        if (!rest_.wanted()) write_in_session(connection_);
        std::this_thread::sleep_for(between_tries);
    }
}

void Client::write_in_session(const std::string& connection_text) {
    const Connection connection{PQconnectdb(connection_text.c_str())};
    if (PQstatus(connection.get()) != CONNECTION_OK) {
        ++errors_;
        return;
    }
    PQsetNoticeProcessor(connection.get(), [](void*, const char*) {}, nullptr);
    while (!stopping_ && !rest_.wanted() && write_row(connection.get())) std::this_thread::sleep_for(pace_.between_rows);
}

bool Client::write_row(PGconn* connection) {
    const Moment sent = harness::now();
    const std::string sql = fmt::format(
        "INSERT INTO lab_rows (way, id) VALUES ('{}', {}) RETURNING current_setting('cluster_name'), pg_current_wal_insert_lsn(), "
        "pg_walfile_name(pg_current_wal_insert_lsn()), current_setting('synchronous_standby_names') <> ''",
        way_.name, next_);
    const Answer answer = PQsendQuery(connection, sql.c_str()) == 1 ? answer_of(connection, answer_limit) : nullptr;
    if (answer != nullptr && PQresultStatus(answer.get()) == PGRES_TUPLES_OK) {
        const auto lsn = model::Lsn::parse(PQgetvalue(answer.get(), 0, 1));
        if (!lsn) return false;
        const std::scoped_lock lock{guard_};
        acknowledged_.push_back(
            {.id = next_++,
             .sent = sent,
             .at = harness::now(),
             .server = PQgetvalue(answer.get(), 0, 0),
             .position = {model::Timeline{timeline_of(PQgetvalue(answer.get(), 0, 2))}, *lsn},
             .synchronous = PQgetvalue(answer.get(), 0, 3) == std::string_view{"t"}});
        return true;
    }
    if (answer == nullptr || PQstatus(connection) != CONNECTION_OK) {
        ++ambiguous_;
        return false;
    }
    const char* const state = PQresultErrorField(answer.get(), PG_DIAG_SQLSTATE);
    if (state != nullptr && state == unique_violation) {
        ++found_;
        ++next_;
        return true;
    }
    if (state != nullptr && state == read_only_transaction) ++read_only_;
    ++errors_;
    return false;
}

bool Client::writes_to(const std::string& server) const {
    const std::scoped_lock lock{guard_};
    return !acknowledged_.empty() && acknowledged_.back().server == server && harness::now() - acknowledged_.back().at < fresh;
}

std::vector<Acknowledged> Client::acknowledged() const {
    const std::scoped_lock lock{guard_};
    return acknowledged_;
}

ClientReport Client::report() const {
    const std::vector<Acknowledged> rows = acknowledged();
    ClientReport out{
        .way = way_.name,
        .acknowledged = rows.size(),
        .errors = errors_,
        .read_only = read_only_,
        .ambiguous = ambiguous_,
        .found = found_};
    if (!rows.empty()) out.silent = harness::now() - rows.back().at;
    for (std::size_t i = 1; i < rows.size(); ++i) {
        if (rows[i].at - rows[i - 1].at <= out.longest_gap) continue;
        out.longest_gap = rows[i].at - rows[i - 1].at;
        out.gap_from = rows[i - 1].server;
        out.gap_to = rows[i].server;
    }
    return out;
}

Result<std::vector<Acknowledged>> Client::missing_on(const Server& server) const {
    const std::vector<Acknowledged> promised = acknowledged();  // what is promised while we look may come after the look
    auto session = server.session();
    if (!session) return session.error();
    const auto rows = session->query(fmt::format("SELECT id FROM lab_rows WHERE way = '{}'", way_.name), seconds{30});
    if (!rows) return rows.error();
    std::set<std::string> there;
    for (const auto& row : *rows) there.insert(row.front());
    std::vector<Acknowledged> out;
    for (const Acknowledged& it : promised) {
        if (!there.contains(fmt::format("{}", it.id))) out.push_back(it);
    }
    return out;
}

Watcher::Watcher(const Server& server, Pace pace) : server_{server}, pace_{pace}, thread_{[this] { watch(); }} {}

Watcher::~Watcher() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
}

void Watcher::watch() {
    const std::string sql = fmt::format(
        "INSERT INTO lab_watch VALUES ({}, 1) ON CONFLICT (server) DO UPDATE SET count = lab_watch.count + 1 RETURNING "
        "pg_walfile_name(pg_current_wal_lsn())",
        harness::sql_literal(server_.name()));
    std::optional<harness::Session> session;
    while (!stopping_) {
        std::this_thread::sleep_for(pace_.between_looks);
        if (rest_.wanted()) {
            note(std::nullopt);
            continue;
        }
        if (!session) {
            if (auto opened = server_.session(look_limit, "watcher")) session.emplace(std::move(*opened));
            // Its log is for what happens, not for what we are refused all the time.
            if (session && !session->query("SET log_min_messages = panic", look_limit)) session.reset();
        }
        if (!session) {
            note(std::nullopt);
            continue;
        }
        const Moment sent = harness::now();
        const auto answer = session->value(sql, look_limit);
        ++looks_;
        if (answer) {
            note(Taken{sent, harness::now(), timeline_of(*answer)});
            continue;
        }
        note(std::nullopt);
        // A refusal of the server leaves the session whole; anything else does not.
        if (answer.error().kind != ErrorKind::failed || answer.error().what.find("25006") == std::string::npos) session.reset();
    }
}

void Watcher::note(std::optional<Taken> taken) {
    const std::scoped_lock lock{guard_};
    yes_since_ = taken ? std::optional{taken->at} : std::nullopt;
    if (!taken) return;
    const bool runs_on = !taken_.empty() && taken_.back().timeline == taken->timeline && taken->sent - taken_.back().last_at < fresh;
    if (!runs_on)
        taken_.push_back(
            {.timeline = taken->timeline, .first_sent = taken->sent, .first_at = taken->at, .last_sent = {}, .last_at = {}, .commits = 0});
    taken_.back().last_sent = taken->sent;
    taken_.back().last_at = taken->at;
    ++taken_.back().commits;
}

double Watcher::looks_per_second() const {
    return static_cast<double>(looks_) / std::chrono::duration<double>(harness::now() - began_).count();
}

bool Watcher::takes_writes() const {
    const std::scoped_lock lock{guard_};
    return yes_since_ && harness::now() - *yes_since_ < fresh;
}

std::vector<Watcher::Run> Watcher::taken() const {
    const std::scoped_lock lock{guard_};
    return taken_;
}

std::vector<Overlap> overlaps(const std::vector<std::unique_ptr<Watcher>>& watchers, const std::set<std::string>& excused) {
    std::vector<Overlap> out;
    for (const auto& one : watchers) {
        for (const auto& other : watchers) {
            if (one == other || excused.contains(one->server()) || excused.contains(other->server())) continue;
            const auto later = one->taken();
            const auto earlier = other->taken();
            const auto found = std::ranges::find_if(later, [&](const Watcher::Run& it) {
                return std::ranges::any_of(
                    earlier, [&](const Watcher::Run& before) { return before.first_at < it.last_sent && before.timeline >= it.timeline; });
            });
            if (found != later.end()) out.push_back({one->server(), found->timeline, other->server()});
        }
    }
    return out;
}

}  // namespace handyrep::lab
