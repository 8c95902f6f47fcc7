#include "readiness_scene.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

namespace handyrep::decide::testing {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

namespace {

model::ServerName server(std::string_view name) { return *model::ServerName::parse(name); }

TEST(Readiness, FindsEveryCheckOkOnAClusterThatLacksNothing) {
    const Readied cluster;
    std::set<CheckName> names;
    for (const Check& it : cluster.judge()) {
        EXPECT_EQ(it.outcome, CheckOutcome::ok) << word_for(it.name) << " of " << it.server.text() << ": " << it.text;
        EXPECT_EQ(it.remedy, "");
        EXPECT_NE(it.text, "");
        names.insert(it.name);
    }
    EXPECT_EQ(names.size(), check_names) << "every check is made somewhere";
}

/// One thing that is wrong or not known, and what is said of it.
struct Case {
    std::string what;
    void (*happens)(Readied& cluster);
    CheckName name;
    std::string_view of;
    CheckOutcome outcome;
    std::string text;
};

class ReadinessOf : public ::testing::TestWithParam<Case> {};

TEST_P(ReadinessOf, Says) {
    Readied cluster;
    GetParam().happens(cluster);
    const Check check = cluster.check(GetParam().name, GetParam().of);
    EXPECT_EQ(check.outcome, GetParam().outcome) << check.text;
    EXPECT_THAT(check.text, HasSubstr(GetParam().text));
    EXPECT_EQ(check.remedy.empty(), check.outcome == CheckOutcome::ok) << "whatever is not ok has a remedy";
}

using enum CheckName;
using enum CheckOutcome;
using Outcome = model::LoginAttempt::Outcome;

model::LoginAttempt& login(Readied& cluster, std::string_view from, std::string_view to) {
    return *std::ranges::find(cluster.seen(from).logins, server(to), &model::LoginAttempt::to);
}

const std::vector<Case> cases{
    {"a session is refused", [](Readied& it) { it.seen("db2").database.emplace(Error{ErrorKind::denied, "wrong password"}); },
     database_answers, "db2", broken, "wrong password"},
    {"a server was not looked at", [](Readied& it) { it.seen("db2").database.reset(); }, database_answers, "db2", unknown, "not looked at"},
    {"a server is too old", [](Readied& it) { it.seen("db2").database.emplace(Error{ErrorKind::unsupported, "version 90624"}); },
     database_answers, "db2", unknown, "90624"},
    {"a host is refused", [](Readied& it) { it.seen("db2").host.emplace(Error{ErrorKind::denied, "Permission denied"}); }, host_answers,
     "db2", broken, "Permission denied"},
    {"a host was not looked into", [](Readied& it) { it.seen("db2").host.reset(); }, host_answers, "db2", unknown, "not looked into"},
    {"a replica is not in recovery", [](Readied& it) { it.database("db2").in_recovery = false; }, role, "db2", broken,
     "is not in recovery"},
    {"the primary is in recovery", [](Readied& it) { it.database("db1").in_recovery = true; }, role, "db1", broken, "is in recovery"},
    {"a replica is of another system", [](Readied& it) { it.database("db3").system_id = model::SystemId{42}; }, system_identity, "db3",
     broken, "42"},
    {"pgdata is another system's", [](Readied& it) { it.host("db3").system_id = model::SystemId{42}; }, system_identity, "db3", broken,
     "/srv/db3"},
    {"no system identifier is known", [](Readied& it) { it.database("db3").system_id.reset(); }, system_identity, "db3", unknown, ""},
    {"the primary is read-only", [](Readied& it) { it.set("db1", "default_transaction_read_only", "on"); }, read_only, "db1", broken,
     "cannot write"},
    {"a replica has no receiver", [](Readied& it) { it.database("db2").receiver_status.reset(); }, replication, "db2", broken,
     "receives nothing"},
    {"a replica waits", [](Readied& it) { it.database("db2").receiver_status = "waiting"; }, replication, "db2", broken, "waiting"},
    {"the receiver is hidden", [](Readied& it) { it.database("db2").receiver_status = "not readable"; }, replication, "db2", unknown,
     "pg_monitor"},
    {"a replica lags", [](Readied& it) { it.database("db2").position = model::Lsn{0x3000000}; }, replication_lag, "db2", debt, "32 MB"},
    {"the primary's position is unknown", [](Readied& it) { it.database("db1").position.reset(); }, replication_lag, "db2", unknown, ""},
    {"replay is paused", [](Readied& it) { it.database("db2").replay_paused = true; }, replay, "db2", broken, "paused"},
    {"a minor version differs", [](Readied& it) { it.database("db2").version = model::ServerVersion{170001}; }, minor_version, "db2", debt,
     "17.1"},
    {"the primary's version is unknown", [](Readied& it) { it.seen("db1").database.reset(); }, minor_version, "db2", unknown, "primary"},
    {"the role may not promote", [](Readied& it) { it.database("db2").rights[model::Right::promote] = false; }, manager_rights, "db2",
     broken, "pg_promote"},
    {"the role may not signal", [](Readied& it) { it.database("db2").rights[model::Right::pg_signal_backend] = false; }, manager_rights,
     "db2", debt, "pg_signal_backend"},
    {"the role is a superuser", [](Readied& it) { it.database("db2").rights = {{model::Right::superuser, true}}; }, manager_rights, "db2",
     ok, "superuser"},
    {"rights cannot be asked", [](Readied& it) { it.database("db2").rights.clear(); }, manager_rights, "db2", unknown, ""},
    {"PostgreSQL is 12", [](Readied& it) { it.make_version(120010); }, detach_by_reload, "db2", debt, "restart"},
    {"no checksums and no hints", [](Readied& it) { it.set("db2", "data_checksums", "off"); }, rewind_possible, "db2", debt,
     "cannot be rewound"},
    {"hints instead of checksums",
     [](Readied& it) {
         it.set("db2", "data_checksums", "off");
         it.set("db2", "wal_log_hints", "on");
     },
     rewind_possible, "db2", ok, "wal_log_hints"},
    {"hints cannot be read", [](Readied& it) { it.forget("db2", "wal_log_hints"); }, rewind_possible, "db2", unknown, ""},
    {"torn pages", [](Readied& it) { it.set("db1", "full_page_writes", "off"); }, full_page_writes, "db1", debt, "pg_rewind"},
    {"fsync is off", [](Readied& it) { it.set("db3", "fsync", "off"); }, durable_writes, "db3", debt, "acknowledged"},
    {"hot_standby is off", [](Readied& it) { it.set("db1", "hot_standby", "off"); }, hot_standby, "db1", broken, "no sessions"},
    {"wal_level is minimal", [](Readied& it) { it.set("db3", "wal_level", "minimal"); }, wal_level, "db3", broken, "feed no standby"},
    {"wal_level cannot be read", [](Readied& it) { it.forget("db3", "wal_level"); }, wal_level, "db3", unknown, "wal_level"},
    {"it stays on its timeline", [](Readied& it) { it.set("db2", "recovery_target_timeline", "current"); }, target_timeline, "db2", broken,
     "old timeline"},
    {"recovery.conf names no timeline",
     [](Readied& it) {
         it.make_version(110022);
         it.host("db2").recovery_target_timeline = "current";
     },
     target_timeline, "db2", broken, "current"},
    {"recovery.conf was not seen", [](Readied& it) { it.make_version(110022); }, target_timeline, "db2", unknown, "before PostgreSQL 12"},
    {"ALTER SYSTEM is off", [](Readied& it) { it.set("db2", "allow_alter_system", "off"); }, alter_system_allowed, "db2", broken,
     "cannot write"},
    {"ALTER SYSTEM cannot be off", [](Readied& it) { it.make_version(160004); }, alter_system_allowed, "db2", ok, "before PostgreSQL 17"},
    {"the command line wins", [](Readied& it) { it.database("db2").settings["primary_conninfo"].source = "command line"; },
     effective_settings, "db2", broken, "primary_conninfo"},
    {"a limit is lower", [](Readied& it) { it.set("db2", "max_connections", "50"); }, standby_limits, "db2", broken,
     "max_connections is 50"},
    {"a limit will be lower", [](Readied& it) { it.database("db2").settings["max_worker_processes"].in_file = "4"; }, standby_limits, "db2",
     debt, "max_worker_processes will be 4"},
    {"the files cannot be read",
     [](Readied& it) {
         it.database("db2").files_read = false;
         it.database("db2").settings["max_wal_senders"].pending_restart = true;
     },
     standby_limits, "db2", unknown, "max_wal_senders"},
    {"a limit is higher", [](Readied& it) { it.set("db2", "max_connections", "500"); }, standby_limits, "db2", ok, ""},
    {"a limit cannot be read", [](Readied& it) { it.forget("db1", "max_connections"); }, standby_limits, "db2", unknown, "max_connections"},
    {"default timeouts", [](Readied& it) { it.set("db2", "wal_receiver_timeout", "60000"); }, replication_timeouts, "db2", debt,
     "wal_receiver_timeout is 60s"},
    {"no timeout at all", [](Readied& it) { it.set("db1", "wal_sender_timeout", "0"); }, replication_timeouts, "db1", debt, "never"},
    {"timeouts cannot be read", [](Readied& it) { it.forget("db1", "wal_sender_timeout"); }, replication_timeouts, "db1", unknown, ""},
    {"a delayed replica", [](Readied& it) { it.set("db2", "recovery_min_apply_delay", "3600000"); }, apply_delay, "db2", debt, "3600000"},
    {"the delay is in recovery.conf", [](Readied& it) { it.make_version(110022); }, apply_delay, "db2", unknown, "recovery.conf"},
    {"queries hold replay up", [](Readied& it) { it.set("db2", "max_standby_streaming_delay", "-1"); }, standby_delay, "db2", debt, "-1"},
    {"nothing is reserved", [](Readied& it) { it.set("db1", "reserved_connections", "0"); }, reserved_connections, "db1", debt,
     "nobody can look"},
    {"nothing is reserved for superusers",
     [](Readied& it) {
         it.database("db1").rights = {{model::Right::superuser, true}};
         it.set("db1", "superuser_reserved_connections", "0");
     },
     reserved_connections, "db1", debt, "superuser_reserved_connections is 0"},
    {"nothing can be reserved for a plain role", [](Readied& it) { it.make_version(150004); }, reserved_connections, "db1", debt,
     "before PostgreSQL 16"},
    {"what is reserved cannot be read", [](Readied& it) { it.forget("db1", "reserved_connections"); }, reserved_connections, "db1", unknown,
     "reserved_connections"},
    {"a slot keeps WAL for ever",
     [](Readied& it) {
         it.set("db2", "primary_slot_name", "db2");
         it.set("db1", "max_slot_wal_keep_size", "-1");
     },
     wal_kept, "db2", debt, "fills the primary's disk"},
    {"no sender for a copy", [](Readied& it) { it.set("db2", "max_wal_senders", "3"); }, sender_headroom, "db2", debt, "copy"},
    {"no sender for a follower", [](Readied& it) { it.set("db2", "max_wal_senders", "1"); }, sender_headroom, "db2", broken, "not all"},
    {"senders cannot be counted", [](Readied& it) { it.database("db2").senders.reset(); }, sender_headroom, "db2", unknown, ""},
    {"no slot for a follower",
     [](Readied& it) {
         it.set("db3", "primary_slot_name", "db3");
         it.set("db2", "max_replication_slots", "1");
     },
     slot_headroom, "db2", debt, "0 of 1"},
    {"slots cannot be counted",
     [](Readied& it) {
         it.set("db3", "primary_slot_name", "db3");
         it.database("db2").slots.reset();
     },
     slot_headroom, "db2", unknown, ""},
    {"no WAL is kept", [](Readied& it) { it.set("db1", "wal_keep_size", "0"); }, wal_kept, "db2", debt, "copied anew"},
    {"a slot keeps WAL",
     [](Readied& it) {
         it.set("db1", "wal_keep_size", "0");
         it.set("db2", "primary_slot_name", "db2");
     },
     wal_kept, "db2", ok, "slot"},
    {"recovery.conf may keep WAL",
     [](Readied& it) {
         it.make_version(110022);
         it.set("db1", "wal_keep_size", "0");
     },
     wal_kept, "db2", unknown, "recovery.conf"},
    {"one name for two", [](Readied& it) { it.database("db3").upstream->application_name = "DB2"; }, application_name, "db2", debt, "db3"},
    {"one name for two that confirm",
     [](Readied& it) {
         it.make_synchronous("ANY 1 (db2)");
         it.database("db3").upstream->application_name = "db2";
     },
     application_name, "db2", broken, "cannot be revoked"},
    {"a stranger with a replica's name", [](Readied& it) { it.database("db1").senders->push_back({"db2", "streaming"}); }, application_name,
     "db2", debt, "another sender"},
    {"no name is known", [](Readied& it) { it.database("db2").upstream.reset(); }, application_name, "db2", unknown, ""},
    {"a password in sight", [](Readied& it) { it.database("db2").upstream->has_password = true; }, upstream_password, "db2", debt,
     "password"},
    {"primary_conninfo is hidden", [](Readied& it) { it.forget("db2", "primary_conninfo"); }, upstream_password, "db2", unknown, ""},
    {"a login is refused", [](Readied& it) { login(it, "db3", "db2") = {server("db2"), Outcome::refused, "no pg_hba.conf entry", true}; },
     replication_login, "db2", broken, "from db3: no pg_hba.conf entry"},
    {"the old primary has no login",
     [](Readied& it) { login(it, "db1", "db2") = {server("db2"), Outcome::refused, "no password supplied", false}; }, replication_login,
     "db2", debt, "from db1"},
    {"a login was not tried", [](Readied& it) { login(it, "db1", "db2") = {server("db2"), Outcome::not_tried, "there is no psql", true}; },
     replication_login, "db2", unknown, "no psql"},
    {"recovery.conf hides the login",
     [](Readied& it) {
         it.make_version(110022);
         it.forget("db3", "primary_conninfo");
         it.seen("db3").logins.clear();
     },
     replication_login, "db2", unknown, "from db3: before PostgreSQL 12"},
    {"nobody can try",
     [](Readied& it) {
         it.seen("db3").host.emplace(Error{ErrorKind::unreachable, "no route"});
         it.seen("db3").logins.clear();
     },
     replication_login, "db2", unknown, "from db3: no command runs"},
    {"nobody tried", [](Readied& it) { it.seen("db1").logins.clear(); }, replication_login, "db2", unknown, "db1"},
    {"anybody may confirm", [](Readied& it) { it.make_synchronous("*"); }, synchronous_standbys, "db1", broken, "*"},
    {"a stranger may confirm", [](Readied& it) { it.make_synchronous("FIRST 1 (db2, backup)"); }, synchronous_standbys, "db1", debt,
     "backup"},
    {"a name may be a replica's",
     [](Readied& it) {
         it.make_synchronous("ANY 1 (db2, db3)");
         it.database("db3").upstream.reset();
     },
     synchronous_standbys, "db1", unknown, "db3"},
    {"our own confirm", [](Readied& it) { it.make_synchronous("ANY 1 (db2, DB3)"); }, synchronous_standbys, "db1", ok, "every"},
    {"the set cannot be read", [](Readied& it) { it.forget("db1", "synchronous_standby_names"); }, synchronous_standbys, "db1", unknown,
     ""},
    {"commits do not wait",
     [](Readied& it) {
         it.make_synchronous("ANY 1 (db2)");
         it.set("db1", "synchronous_commit", "local");
     },
     synchronous_commit, "db1", debt, "local"},
    {"a role's commits do not wait",
     [](Readied& it) {
         it.make_synchronous("ANY 1 (db2)");
         it.database("db1").synchronous_commit_settings = {{"shop", "batch", "off"}};
     },
     synchronous_commit, "db1", debt, "off for role batch in database shop"},
    {"roles cannot be read",
     [](Readied& it) {
         it.make_synchronous("ANY 1 (db2)");
         it.database("db1").synchronous_commit_settings.reset();
     },
     synchronous_commit, "db1", unknown, "pg_db_role_setting"},
    {"a slot is lost", [](Readied& it) { it.database("db1").slots = {{"sub", true, true, false}}; }, logical_slots, "db1", debt, "sub"},
    {"a slot survives, its subscriber may be ahead", [](Readied& it) { it.database("db1").slots = {{"sub", true, true, true}}; },
     logical_slots, "db1", debt, "synchronized_standby_slots"},
    {"a slot survives",
     [](Readied& it) {
         it.database("db1").slots = {{"sub", true, true, true}};
         it.set("db1", "synchronized_standby_slots", "db2");
     },
     logical_slots, "db1", ok, "sub"},
    {"physical slots are no matter", [](Readied& it) { it.database("db1").slots = {{"db2", false, true, false}}; }, logical_slots, "db1",
     ok, "no logical"},
    {"slots cannot be read", [](Readied& it) { it.database("db1").slots.reset(); }, logical_slots, "db1", unknown, ""},
    {"a transaction is prepared", [](Readied& it) { it.database("db1").prepared_transactions = 2; }, prepared_transactions, "db1", debt,
     "2"},
    {"prepared transactions cannot be read", [](Readied& it) { it.database("db1").prepared_transactions.reset(); }, prepared_transactions,
     "db1", unknown, ""},
    {"a clock is behind", [](Readied& it) { it.database("db2").clock_ahead = -5s; }, clock, "db2", debt, "5s behind"},
    {"an answer takes long",
     [](Readied& it) {
         it.database("db2").clock_ahead = 2s;
         it.database("db2").clock_uncertainty = 3s;
     },
     clock, "db2", unknown, "3s"},
    {"a collation changed", [](Readied& it) { it.database("db2").collations = {{"shop", "2.31", "2.36"}}; }, collation_versions, "db2",
     debt, "shop (2.31, now 2.36)"},
    {"collations are not recorded", [](Readied& it) { it.make_version(140010); }, collation_versions, "db2", unknown,
     "before PostgreSQL 15"},
    {"another C library", [](Readied& it) { it.host("db2").libc_version = "glibc 2.31"; }, collation_skew, "db2", debt, "glibc 2.31"},
    {"another ICU", [](Readied& it) { it.database("db2").icu_version = "153.14"; }, collation_skew, "db2", debt, "ICU"},
    {"no library is known", [](Readied& it) { it.host("db2").libc_version.reset(); }, collation_skew, "db2", unknown, ""},
    {"pg_ctl has no access", [](Readied& it) { it.host("db2").pg_ctl = model::PgCtlStatus::no_access; }, pg_ctl, "db2", broken,
     "no access"},
    {"pgdata is not the server's", [](Readied& it) { it.host("db2").pg_ctl = model::PgCtlStatus::not_running; }, pg_ctl, "db2", broken,
     "not its data directory"},
    {"there is no pg_ctl", [](Readied& it) { it.host("db2").pg_ctl = model::PgCtlStatus::not_found; }, pg_ctl, "db2", debt, "not found"},
    {"no pg_controldata", [](Readied& it) { it.host("db2").control_data_readable = false; }, control_data, "db2", debt, ""},
    {"the directory is read-only", [](Readied& it) { it.host("db1").data_writable = false; }, data_directory_writable, "db1", broken,
     "/srv/db1"},
    {"the folder above is read-only", [](Readied& it) { it.host("db1").parent_writable = false; }, parent_writable, "db1", debt,
     "/srv/db1"},
    {"little room for WAL", [](Readied& it) { it.host("db1").wal_free = model::Bytes{500ULL << 20}; }, wal_space, "db1", debt, "500 MB"},
    {"no room for WAL", [](Readied& it) { it.host("db1").wal_free = model::Bytes{30ULL << 20}; }, wal_space, "db1", broken,
     "about to stop"},
    {"room for WAL is unknown", [](Readied& it) { it.host("db1").wal_free.reset(); }, wal_space, "db1", unknown, ""},
    {"no room for a copy", [](Readied& it) { it.host("db2").data_free = model::Bytes{5ULL << 30}; }, reclone_space, "db2", debt, "5 GB"},
    {"the size is unknown", [](Readied& it) { it.database("db1").size.reset(); }, reclone_space, "db2", unknown, "size"},
    {"autostart stays",
     [](Readied& it) {
         it.drill("db1").autostart_off = false;
         it.drill("db1").autostart = "postgres.service could not be masked";
     },
     autostart, "db1", broken, "postgres.service"},
    {"no drill was made", [](Readied& it) { it.seen("db1").drill.reset(); }, autostart, "db1", unknown, "not made"},
    {"the mark cannot be written", [](Readied& it) { it.drill("db1").markable = false; }, fence_drill, "db1", broken, "mark it"},
    {"a process is out of reach", [](Readied& it) { it.drill("db1").untouchable = 2; }, fence_drill, "db1", broken, "2 of its processes"},
    {"the drill failed", [](Readied& it) { it.seen("db1").drill.emplace(Error{ErrorKind::refused, "another system"}); }, fence_drill, "db1",
     broken, "another system"},
    {"nothing is known of the drill", [](Readied& it) { it.seen("db1").drill.reset(); }, fence_drill, "db1", unknown, "not made"},
    {"a lease has its price", [](Readied&) {}, lease, "db1", ok,
     "db1 is stopped when the manager and all replicas are lost to it for longer than 30s"},
    {"a tool is missing", [](Readied& it) { it.lease("db2").missing = "setsid"; }, lease, "db2", broken, "without setsid"},
    {"nobody may ask",
     [](Readied& it) {
         it.lease("db1").asks = false;
         it.lease("db1").said = "Peer authentication failed";
     },
     lease, "db1", broken, "Peer authentication failed"},
    {"a boot starts it",
     [](Readied& it) {
         it.lease("db1").autostart_off = false;
         it.lease("db1").autostart = "start.conf of 17/main is auto";
     },
     lease, "db1", debt, "proves nothing: something may start it by itself (start.conf of 17/main is auto)"},
    {"no lease was tried", [](Readied& it) { it.seen("db1").lease.reset(); }, lease, "db1", unknown, "not tried"},
    {"the lease's drill failed", [](Readied& it) { it.seen("db1").lease.emplace(Error{ErrorKind::timed_out, "no answer"}); }, lease, "db1",
     unknown, "no answer"},
    {"a replica replies too seldom", [](Readied& it) { it.set("db2", "wal_receiver_status_interval", "20"); }, lease_replies, "db2", broken,
     "20s"},
    {"a replica replies only when asked", [](Readied& it) { it.set("db2", "wal_receiver_status_interval", "0"); }, lease_replies, "db2",
     broken, "too seldom"},
    {"an old replica", [](Readied& it) { it.make_version(120020); }, lease_replies, "db2", broken, "older than PostgreSQL 13"},
    {"how often it replies is not known", [](Readied& it) { it.forget("db2", "wal_receiver_status_interval"); }, lease_replies, "db2",
     unknown, "cannot be read"},
};

INSTANTIATE_TEST_SUITE_P(Cases, ReadinessOf, ::testing::ValuesIn(cases), [](const auto& it) {
    std::string name = it.param.what;
    std::ranges::replace_if(name, [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
    return name;
});

TEST(Readiness, HasACaseForEveryCheck) {
    std::set<CheckName> names;
    for (const Case& it : cases) {
        if (it.outcome != ok) names.insert(it.name);
    }
    EXPECT_EQ(names.size(), check_names);
}

TEST(Readiness, SaysOnceThatADeadServerCannotBeJudged) {
    Readied cluster;
    cluster.seen("db3").database.emplace(Error{ErrorKind::unreachable, "nobody listens"});
    cluster.seen("db3").host.emplace(Error{ErrorKind::unreachable, "no route"});
    const auto checks = cluster.judge();
    std::vector<CheckName> made;
    for (const Check& it : checks) {
        if (it.server == server("db3") && it.outcome != ok) made.push_back(it.name);
    }
    EXPECT_EQ(made, (std::vector{database_answers, host_answers}));
}

TEST(Readiness, LeavesOutWhatConcernsNobody) {
    Readied cluster;
    cluster.define("db3").enabled = false;
    cluster.define("db2").failover_priority = 0;
    cluster.set("db2", "recovery_min_apply_delay", "3600000");
    for (const Check& it : cluster.judge()) {
        EXPECT_NE(it.server, server("db3")) << "a disabled server is left alone";
        EXPECT_NE(it.name, apply_delay) << "a replica that is never promoted may be as late as it likes";
    }
}

TEST(Readiness, SaysOfAServerThatMustBeDownOnlyThat) {
    Readied cluster;
    cluster.saved.must_be_down.push_back(
        {server("db3"),
         *cluster.saved.system_id,
         "db3.example",
         "/srv/db3",
         {model::Timeline{1}, model::Lsn{0x3000000}},
         server("db1"),
         model::TimelineHistory{model::Timeline{1}, {}},
         1});
    std::size_t made = 0;
    for (const Check& it : cluster.judge()) {
        if (it.server != server("db3")) continue;
        ++made;
        EXPECT_EQ(it.name, role);
        EXPECT_EQ(it.outcome, debt);
    }
    EXPECT_EQ(made, 1U);
}

TEST(Readiness, CountsByOutcome) {
    Readied cluster;
    const auto before = count(cluster.judge());
    cluster.database("db2").replay_paused = true;
    cluster.set("db2", "fsync", "off");
    cluster.forget("db2", "wal_level");
    const auto after = count(cluster.judge());
    EXPECT_EQ(after.broken, 1U);
    EXPECT_EQ(after.debts, 1U);
    EXPECT_EQ(after.unknown, 1U);
    EXPECT_EQ(after.ok, before.ok - 3);
}

TEST(Readiness, IsExplainedCheckByCheckInTheUserGuide) {
    std::ifstream file("docs/user-guide.md");
    std::stringstream guide;
    guide << file.rdbuf();
    for (std::size_t i = 0; i < check_names; ++i) {
        const auto name = static_cast<CheckName>(i);
        EXPECT_THAT(guide.str(), HasSubstr("| `" + std::string(word_for(name)) + "` |"));
    }
}

}  // namespace
}  // namespace handyrep::decide::testing
