#include "config/configuration.hpp"
#include "config/schema.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace handyrep::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view small = R"(handyrep:
  cluster_name: pay
server_defaults:
  pgdata: /data/main
  port: 5433
servers:
  db1:
    hostname: 10.0.0.1
    role: primary
  db2:
    hostname: 10.0.0.2
    port: 5434
)";

std::vector<std::string> texts(const std::vector<Problem>& problems) {
    std::vector<std::string> out;
    for (const Problem& problem : problems) out.push_back(text(problem));
    return out;
}

/// The configuration, or a failed test and a stand-in.
Configuration good(std::string_view file) {
    Parsed parsed = parse(file, "handyrep.conf");
    EXPECT_THAT(texts(parsed.problems), IsEmpty());
    if (parsed.configuration) return *std::move(parsed.configuration);
    return {
        .cluster = {.name = *model::ClusterName::parse("none"), .failover = {}, .servers = {}},
        .state_dir = {},
        .listen = {},
        .replication_user = {},
        .passwords = {},
        .file_name = {},
        .settings = {}};
}

std::vector<std::string> problems_of(std::string_view file) {
    const Parsed parsed = parse(file, "handyrep.conf");
    EXPECT_EQ(parsed.configuration.has_value(), parsed.problems.empty());
    return texts(parsed.problems);
}

std::string with_failover(std::string_view lines) { return std::string(small) + "failover:\n" + std::string(lines); }
std::string with_db2(std::string_view lines) { return std::string(small) + std::string(lines); }

TEST(Configuration, GivesEveryKeyThatIsLeftOutItsDocumentedDefault) {
    const Configuration it = good(small);
    EXPECT_EQ(it.cluster.name.text(), "pay");
    EXPECT_EQ(it.state_dir, "/var/lib/handyrep/pay");
    EXPECT_EQ(it.listen, (Address{"127.0.0.1", 8010}));
    EXPECT_EQ(it.log_format, LogFormat::human);
    EXPECT_EQ(it.cluster.failover, model::FailoverSettings{});
    EXPECT_TRUE(it.passwords.superuser.empty());
    ASSERT_EQ(it.cluster.servers.size(), 2U);
    const model::ServerDefinition& db1 = it.cluster.servers[0];
    EXPECT_EQ(db1.role, model::Role::primary);
    EXPECT_EQ(db1.failover_priority, 100);
    EXPECT_EQ(db1.lag_limit.count, 16ULL << 20U);
    EXPECT_EQ(db1.transport, model::Transport::ssh);
    EXPECT_EQ(db1.ssh_user, "handyrep");
    EXPECT_EQ(db1.database_user, "postgres");
    EXPECT_EQ(it.cluster.servers[1].role, model::Role::replica);
}

TEST(Configuration, LetsAServerOverrideTheServerDefaults) {
    const Configuration it = good(small);
    EXPECT_EQ(it.cluster.servers[0].port, 5433);
    EXPECT_EQ(it.cluster.servers[1].port, 5434);
    EXPECT_EQ(it.cluster.servers[1].pgdata, "/data/main");
}

TEST(Configuration, ReadsEveryKeyOfTheSectionFailover) {
    const model::FailoverSettings it =
        good(
            with_failover(
                "  auto_failover: no\n  poll_interval: 1\n  poll_tries: 3\n  connect_timeout: 250ms\n  silence_timeout: 4s\n  stall_timeout: 6s\n"
                "  witness_freshness: 5s\n  sync_wait_limit: 11s\n  crash_grace: 0\n  planned_grace: 2min\n  cooldown: 1h\n  fencing: strict\n"
                "  max_lag_on_failover: 1GB\n  remaster: off\n  selection_method: furthest_ahead\n  verify_frequency: 7\n"
                "  lease_ttl: 20s\n"))
            .cluster.failover;
    const model::FailoverSettings expected{
        .auto_failover = false,
        .poll_interval = 1s,
        .poll_tries = 3,
        .connect_timeout = 250ms,
        .silence_timeout = 4s,
        .stall_timeout = 6s,
        .witness_freshness = 5s,
        .sync_wait_limit = 11s,
        .crash_grace = 0s,
        .planned_grace = 2min,
        .cooldown = 1h,
        .fencing = model::Fencing::strict,
        .max_lag_on_failover = {1ULL << 30U},
        .remaster = false,
        .selection_method = model::SelectionMethod::furthest_ahead,
        .verify_frequency = 7,
        .lease_ttl = 20s};
    EXPECT_EQ(it, expected);
}

TEST(Configuration, TakesThePasswordsAndShowsNone) {
    const std::string file =
        std::string(small) +
        "passwords:\n  superuser_pass: hunter2\n  replication_pass: hunter3\n  admin_password: hunter4\n  read_password: 'hunter5'\n";
    const Configuration it = good(file);
    EXPECT_EQ(it.passwords.superuser.reveal(), "hunter2");
    EXPECT_EQ(it.passwords.replication.reveal(), "hunter3");
    EXPECT_EQ(it.passwords.admin.reveal(), "hunter4");
    EXPECT_EQ(it.passwords.read.reveal(), "hunter5");
    EXPECT_THAT(show(it), testing::Not(HasSubstr("hunter")));
    EXPECT_THAT(show(it), HasSubstr("superuser_pass: \"********\""));
}

TEST(Configuration, DerivesWitnessFreshnessFromThePollInterval) {
    EXPECT_EQ(good(small).cluster.failover.witness_freshness, 2s);
    EXPECT_EQ(good(with_failover("  poll_interval: 1s\n")).cluster.failover.witness_freshness, 3s);
}

TEST(Configuration, ShortensTheSilenceByThePresetUnlessItIsGiven) {
    EXPECT_EQ(good(with_failover("  preset: aggressive\n")).cluster.failover.silence_timeout, 1500ms);
    EXPECT_EQ(good(with_failover("  preset: aggressive\n  silence_timeout: 2s\n")).cluster.failover.silence_timeout, 2s);
}

TEST(Configuration, AcceptsTheNamesOfTheOriginal) {
    const Configuration it = good(R"(handyrep: {cluster_name: pay, postgres_superuser: admin, replication_user: repl}
failover: {fail_retries: 5}
server_defaults: {pgdata: /data}
servers: {a: {hostname: a, role: master}, b: {hostname: b, role: slave}}
)");
    EXPECT_EQ(it.cluster.failover.poll_tries, 5);
    EXPECT_EQ(it.cluster.servers[0].database_user, "admin");
    EXPECT_EQ(it.cluster.servers[0].role, model::Role::primary);
    EXPECT_EQ(it.replication_user, "repl");
}

constexpr std::string_view with_tls = R"(handyrep: {cluster_name: pay}
server_defaults:
  pgdata: /d
  sslmode: verify-full
  sslrootcert: /tls/ca.crt
servers:
  db1: {hostname: a, role: primary, sslcert: /tls/m.crt, sslkey: /tls/m.key}
  db2: {hostname: b, sslmode: require}
)";

TEST(Configuration, TakesTlsOfEachServerInLibpqsWords) {
    const Configuration it = good(with_tls);
    EXPECT_EQ(it.tls.at(it.cluster.servers[0].name), (Tls{SslMode::verify_full, "/tls/ca.crt", "/tls/m.crt", "/tls/m.key"}));
    EXPECT_EQ(it.tls.at(it.cluster.servers[1].name), (Tls{SslMode::require, "/tls/ca.crt", "", ""}));
    EXPECT_EQ(good(small).tls.begin()->second, Tls{});
    EXPECT_EQ(good(show(it)).tls, it.tls);
}

TEST(Configuration, WarnsOfKeysThatHaveNoEffectYetAndLoads) {
    const Parsed parsed = parse(
        std::string(small) +
            "archive:\n  archiving: true\nfailover:\n  restart_master: true\n  recovery_retries: 3\nplugins:\n  email:\n    to: dba\n",
        "c");
    EXPECT_TRUE(parsed.configuration);
    EXPECT_THAT(
        texts(parsed.warnings), ElementsAre(
                                    "c:14:3: archive.archiving: accepted, has no effect yet in this version",
                                    "c:16:3: failover.restart_master: accepted, has no effect yet in this version",
                                    "c:17:3: failover.recovery_retries: accepted, has no effect yet in this version",
                                    "c:18:1: plugins: accepted, has no effect yet in this version"));
}

TEST(Configuration, DoesNotWarnOfAKeyWithoutEffectThatAsksForWhatHappensAnyway) {
    EXPECT_THAT(texts(parse(with_failover("  restart_master: false\n"), "c").warnings), IsEmpty());
}

TEST(Configuration, LeavesOutAServerThatIsNoDatabaseWithAWarning) {
    const Parsed parsed = parse(std::string(small) + "  pool:\n    hostname: pool\n    role: pgbouncer\n", "c");
    ASSERT_TRUE(parsed.configuration);
    EXPECT_EQ(parsed.configuration->cluster.servers.size(), 2U);
    ASSERT_EQ(parsed.warnings.size(), 1U);
    EXPECT_EQ(parsed.warnings[0].key, "servers.pool.role");
    EXPECT_EQ(parsed.warnings[0].line, 15);
}

TEST(Problems, NameFileLineColumnKeyAndTheKeyThatWasMeant) {
    EXPECT_THAT(
        problems_of(with_failover("  pol_interval: 1s\n")),
        ElementsAre("handyrep.conf:14:3: failover.pol_interval: is not a known key; did you mean poll_interval?"));
    EXPECT_THAT(
        problems_of(with_db2("failovr:\n  remaster: true\n")),
        ElementsAre(
            "handyrep.conf:13:1: failovr: is not a section; expected one of handyrep, passwords, failover, extra_failover_commands, archive, "
            "server_defaults, servers, plugins; did you mean failover?"));
    EXPECT_THAT(
        problems_of(with_failover("  pgdata: /x\n")),
        ElementsAre("handyrep.conf:14:3: failover.pgdata: is not a known key; it belongs in the section server_defaults"));
}

TEST(Problems, AreAllReportedInTheOrderOfTheFile) {
    EXPECT_THAT(
        problems_of(R"(handyrep:
  log_format: xml
failover:
  poll_interval: soon
  fencing: witnesed
  fencing: none
server_defaults:
  hostname: x
servers:
  db1:
    role: primary
    port: 70000
  db2:
    hostname: db2
    failover_priority: -1
)"),
        ElementsAre(
            "handyrep.conf: handyrep.cluster_name: is missing; expected a name (name of the cluster)",
            "handyrep.conf:2:15: handyrep.log_format: 'xml' is not a log format; expected one of human, json",
            "handyrep.conf:4:18: failover.poll_interval: 'soon' is not a duration such as 500ms, 3s, 10min or a number of seconds",
            "handyrep.conf:5:12: failover.fencing: 'witnesed' is not a fencing policy; expected one of strict, witnessed, none; did you mean witnessed?",
            "handyrep.conf:6:3: failover.fencing: is here twice; the first is failover.fencing in line 5",
            "handyrep.conf:8:3: server_defaults.hostname: belongs to each server in servers",
            "handyrep.conf:10:3: servers.db1.hostname: is missing; expected a host name or address (name or address, also for SSH)",
            "handyrep.conf:10:3: servers.db1.pgdata: is missing; expected a path that begins with / (data directory), here or in server_defaults",
            "handyrep.conf:12:11: servers.db1.port: '70000' is not a port; expected a number from 1 to 65535",
            "handyrep.conf:13:3: servers.db2.pgdata: is missing; expected a path that begins with / (data directory), here or in server_defaults",
            "handyrep.conf:15:24: servers.db2.failover_priority: -1 is out of range; expected 0 to 1000000"));
}

TEST(Problems, NameAKeyThatIsEmpty) {
    EXPECT_THAT(problems_of(with_failover("  \"\": 1\n")), ElementsAre(HasSubstr("handyrep.conf:14:3: failover.: is not a known key")));
}

TEST(Problems, NameASecondPrimary) {
    EXPECT_THAT(
        problems_of(with_db2("    role: primary\n")),
        ElementsAre("handyrep.conf:13:11: servers.db2.role: a second primary; server 'db1' is the primary already, expected exactly one"));
}

TEST(Problems, NameTheLackOfAPrimaryAndOfServers) {
    EXPECT_THAT(
        problems_of("handyrep: {cluster_name: pay}\nserver_defaults: {pgdata: /d}\nservers: {a: {hostname: a}}\n"),
        ElementsAre("handyrep.conf:3:1: servers: no primary; expected exactly one server with role: primary"));
    EXPECT_THAT(
        problems_of("handyrep: {cluster_name: pay}\n"),
        ElementsAre("handyrep.conf: servers: no server of role primary or replica; expected one primary and its replicas"));
}

TEST(Problems, NameAServerThatIsThereTwiceByNameOrAddress) {
    EXPECT_THAT(
        problems_of(with_db2("  db2:\n    hostname: db3\n")),
        ElementsAre("handyrep.conf:13:3: servers.db2: is here twice; the first is in line 10"));
    EXPECT_THAT(
        problems_of(with_db2("  db3:\n    hostname: 10.0.0.1\n")),
        ElementsAre("handyrep.conf:14:15: servers.db3.hostname: 10.0.0.1:5433 is already the address of server 'db1'"));
    EXPECT_THAT(
        problems_of(with_db2("  DB2:\n    hostname: db3\n")),
        ElementsAre(
            "handyrep.conf:14:15: servers.DB2: differs from 'db2' only in case; PostgreSQL compares the names of replicas without it"));
}

TEST(Problems, NameTimesThatContradictEachOther) {
    EXPECT_THAT(
        problems_of(with_failover("  poll_interval: 4s\n  stall_timeout: 5s\n  silence_timeout: 5s\n  witness_freshness: 3s\n")),
        ElementsAre("handyrep.conf:17:22: failover.witness_freshness: 3s is below poll_interval (4s); expected at least that"));
    EXPECT_THAT(
        problems_of(with_failover("  connect_timeout: 10s\n")),
        ElementsAre("handyrep.conf: failover.silence_timeout: 3s is below connect_timeout (10s); expected at least that"));
    EXPECT_THAT(
        problems_of(with_failover("  lease_ttl: 2s\n")),
        ElementsAre(testing::HasSubstr(
            "failover.lease_ttl: 2s is too short for three renewals; expected 0s, which is without a lease, or at least 3s")));
}

TEST(Problems, NameValuesOutOfRange) {
    EXPECT_THAT(
        problems_of(with_failover("  poll_interval: 0\n")),
        ElementsAre("handyrep.conf:14:18: failover.poll_interval: 0s is out of range; expected 50ms to 1h"));
    EXPECT_THAT(
        problems_of(with_failover("  poll_tries: 0\n")),
        ElementsAre("handyrep.conf:14:15: failover.poll_tries: 0 is out of range; expected 1 to 1000"));
    EXPECT_THAT(
        problems_of(with_failover("  poll_tries: 99999999999\n")),
        ElementsAre("handyrep.conf:14:15: failover.poll_tries: '99999999999' is not a whole number"));
}

TEST(Problems, NameAListOrAMapWhereAValueWasExpected) {
    EXPECT_THAT(
        problems_of(with_failover("  cooldown: [1, 2]\n")),
        ElementsAre("handyrep.conf:14:13: failover.cooldown: a list; expected a duration such as 500ms, 3s or a number of seconds"));
    EXPECT_THAT(problems_of(with_failover("  cooldown:\n")), ElementsAre(HasSubstr("failover.cooldown: nothing; expected a duration")));
    EXPECT_THAT(problems_of("- a\n"), ElementsAre("handyrep.conf:1:1: a list; expected sections such as handyrep, failover and servers"));
    EXPECT_THAT(problems_of(""), ElementsAre(HasSubstr("nothing; expected sections")));
}

TEST(Problems, RefuseAHostThatAProgramWouldTakeForAnOption) {
    EXPECT_THAT(
        problems_of(with_db2("  db3:\n    hostname: -oProxyCommand=x\n")),
        ElementsAre(HasSubstr("servers.db3.hostname: '-oProxyCommand=x' is not a host")));
    EXPECT_THAT(problems_of(with_db2("    ssh_user: -oX\n")), ElementsAre(HasSubstr("servers.db2.ssh_user")));
    EXPECT_THAT(problems_of(with_db2("    pgdata: data\n")), ElementsAre(HasSubstr("servers.db2.pgdata: 'data' is not a path")));
}

/// Of a file whose server_defaults have these lines besides.
std::vector<std::string> problems_of_tls(const std::string& lines) {
    return problems_of(
        "handyrep: {cluster_name: pay}\nserver_defaults:\n  pgdata: /d\n" + lines +
        "servers:\n  a: {hostname: a, role: primary}\n  b: {hostname: b}\n");
}

TEST(Problems, ListTheWaysToUseTls) {
    EXPECT_THAT(
        problems_of_tls("  sslmode: verify_full\n"),
        ElementsAre("handyrep.conf:4:12: server_defaults.sslmode: 'verify_full' is not a way to use TLS; expected one of disable, allow, "
                    "prefer, require, verify-ca, verify-full; did you mean verify-full?"));
}

TEST(Problems, NameTheFileThatVerifyingNeedsOnceForAllServers) {
    EXPECT_THAT(
        problems_of_tls("  sslmode: verify-ca\n"), ElementsAre("handyrep.conf:4:12: server_defaults.sslmode: verify-ca needs sslrootcert, "
                                                               "the file with the certificate of whoever signed the server's"));
}

TEST(Problems, NameACertificateWithoutItsKeyAndAKeyWithoutItsCertificate) {
    EXPECT_THAT(
        problems_of_tls("  sslcert: /m.crt\n"),
        ElementsAre("handyrep.conf:4:12: server_defaults.sslcert: sslkey is missing; expected both or neither"));
    EXPECT_THAT(
        problems_of_tls("  sslkey: /m.key\n"),
        ElementsAre("handyrep.conf:4:11: server_defaults.sslkey: sslcert is missing; expected both or neither"));
}

TEST(Problems, RefuseThePasswordOfAKeyAsAnUnknownKey) {
    EXPECT_THAT(
        problems_of_tls("  sslpassword: geheim\n"),
        ElementsAre(testing::AllOf(HasSubstr("sslpassword: is not a known key"), testing::Not(HasSubstr("geheim")))));
}

TEST(Problems, NeverQuoteAPassword) {
    for (const std::string_view lines :
         {"passwords:\n  superuser_pass:hunter2\n", "passwords:\n  superuser_pass: [hunter2]\n", "passwords:\n  superuser_pass: *hunter2\n",
          "passwords:\n  superuser_pas: hunter2\n", "passwords: hunter2\n", "passwords:\n  superuser_pass=hunter2: x\n",
          "passwords:\n  superuser_pass:hunter2\n  read_password: x\n", "passwords:\n  hunter2: \n"}) {
        const auto problems = problems_of(std::string(small) + std::string(lines));
        EXPECT_FALSE(problems.empty()) << lines;
        EXPECT_THAT(problems, testing::Each(testing::Not(HasSubstr("hunter2")))) << lines;
    }
}

TEST(Problems, TakeTheLineOfASyntaxErrorFromOne) {
    EXPECT_THAT(problems_of("handyrep:\n  cluster_name: [pay\nservers:\n"), ElementsAre(HasSubstr("handyrep.conf:3:")));
}

TEST(Warnings, SayWhenNothingCanTakeOver) {
    const std::string one = "handyrep: {cluster_name: pay}\nserver_defaults: {pgdata: /d}\nservers: {a: {hostname: a, role: primary}}\n";
    EXPECT_THAT(texts(parse(one, "c").warnings), ElementsAre("c:3:1: servers: no replica: nothing can take over"));
    EXPECT_THAT(texts(parse(with_db2("    failover_priority: 0\n"), "c").warnings), ElementsAre(HasSubstr("nothing can take over")));
}

TEST(Warnings, SayWhenASizeLooksLikeMegabytesWithoutUnit) {
    EXPECT_THAT(
        texts(parse(with_db2("    lag_limit: 16\n"), "c").warnings),
        ElementsAre("c:13:16: servers.db2.lag_limit: is read as 16 bytes; give a unit, as in 16MB"));
}

TEST(Warnings, SayWhenSslrootcertProtectsFromNobody) {
    const auto warnings_of = [](const std::string& mode) {
        return texts(parse(
                         "handyrep: {cluster_name: pay}\nserver_defaults: {pgdata: /d, sslrootcert: /ca.crt, sslmode: " + mode +
                             "}\nservers:\n  a: {hostname: a, role: primary}\n  b: {hostname: b}\n",
                         "c")
                         .warnings);
    };
    EXPECT_THAT(
        warnings_of("prefer"),
        ElementsAre("c:2:44: server_defaults.sslrootcert: protects from nobody with sslmode: prefer: whoever cannot be "
                    "verified is talked to without TLS; expected verify-full"));
    EXPECT_THAT(warnings_of("disable"), ElementsAre("c:2:44: server_defaults.sslrootcert: has no effect with sslmode: disable"));
    EXPECT_THAT(warnings_of("verify-full"), IsEmpty());
}

TEST(Show, SaysWhereEveryValueComesFrom) {
    const std::string shown = show(good(with_failover("  preset: aggressive\n")));
    EXPECT_THAT(shown, testing::ContainsRegex("cluster_name: pay +# handyrep.conf:2:17\n"));
    EXPECT_THAT(shown, testing::ContainsRegex("state_dir: /var/lib/handyrep/pay +# from handyrep.cluster_name\n"));
    EXPECT_THAT(shown, testing::ContainsRegex("silence_timeout: 1500ms +# from failover.preset\n"));
    EXPECT_THAT(shown, testing::ContainsRegex("cooldown: 10min +# default\n"));
    EXPECT_THAT(shown, testing::ContainsRegex("    port: 5433 +# server_defaults, handyrep.conf:5:9\n"));
    EXPECT_THAT(shown, testing::ContainsRegex("    port: 5434 +# handyrep.conf:12:11\n"));
}

TEST(Show, IsAConfigurationThatMeansTheSame) {
    const Configuration first = good(with_failover("  poll_interval: 1234ms\n  cooldown: 90s\n  max_lag_on_failover: 1000\n"));
    const Configuration second = good(show(first));
    EXPECT_EQ(second.cluster, first.cluster);
    EXPECT_EQ(second.state_dir, first.state_dir);
    EXPECT_EQ(second.listen, first.listen);
}

TEST(Schema, HoldsOnlyDefaultsAndRangesThatItsOwnKindsAccept) {
    for (const Key& key : schema()) {
        if (key.derive == nullptr && !key.fallback.empty()) EXPECT_TRUE(read_value(key.kind, key.fallback)) << key.name;
        if (!key.least.empty()) EXPECT_TRUE(read_value(key.kind, key.least)) << key.name;
        if (!key.most.empty()) EXPECT_TRUE(read_value(key.kind, key.most)) << key.name;
        EXPECT_FALSE(key.meaning.empty()) << key.name;
        EXPECT_EQ(key.acts, key.set != nullptr) << key.name;
        EXPECT_EQ(find_key(key.section, key.name), &key) << "two keys are called " << key.name;
    }
}

TEST(Schema, GivesTheSameDefaultsAsTheValuesThemselves) {
    const Configuration it = good("handyrep: {cluster_name: pay}\nservers: {a: {hostname: a, role: primary, pgdata: /d}}\n");
    model::ServerDefinition born{
        .name = it.cluster.servers[0].name, .hostname = "a", .role = model::Role::primary, .ssh_key = {}, .ssh_config = {}, .pgdata = "/d"};
    EXPECT_EQ(it.cluster.servers[0], born);
    EXPECT_EQ(it.cluster.failover, model::FailoverSettings{});
}

TEST(HostileFile, GivesProblemsAndNeverACrash) {
    std::string bomb = "a: &a [x, x, x, x, x, x, x, x]\n";
    for (char c = 'b'; c < 'k'; ++c)
        bomb += std::string(1, c) + ": &" + c + " [*" + static_cast<char>(c - 1) + ", *" + static_cast<char>(c - 1) + "]\n";
    std::string binary;
    for (int i = 0; i < 4096; ++i) binary += static_cast<char>((i * 7919) % 256);
    std::string wide = "servers:\n";
    for (int i = 0; i < 20'000; ++i) wide += "  s" + std::to_string(i) + ": {x: 1}\n";
    for (const std::string& text :
         {bomb, binary, wide, std::string(300'000, '['), std::string(300'000, '{'), std::string(300'000, '-'), std::string(300'000, ':'),
          std::string(300'000, '?'), std::string(3'000'000, 'a'), std::string(300'000, '\n'), std::string("? "),
          std::string("\"") + std::string(300'000, '\\')}) {
        EXPECT_FALSE(problems_of(text).empty());
    }
}

TEST(HostileFile, CutAnywhereGivesProblemsOrAConfigurationAndNeverACrash) {
    const std::string whole = with_failover("  preset: aggressive\npasswords:\n  superuser_pass: \"x y\"\n");
    for (std::size_t length = 0; length <= whole.size(); ++length) {
        const Parsed parsed = parse(std::string_view{whole}.substr(0, length), "c");
        EXPECT_EQ(parsed.configuration.has_value(), parsed.problems.empty());
    }
}

}  // namespace
}  // namespace handyrep::config
