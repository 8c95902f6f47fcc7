#include "saved/servers_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>

namespace handyrep::saved {
namespace {

using model::SavedState;
using testing::StartsWith;

model::ServerName server(std::string_view text) { return *model::ServerName::parse(text); }

model::ServerDefinition definition(std::string_view name, model::Role role) {
    return {
        .name = server(name),
        .hostname = std::string(name) + ".example",
        .role = role,
        .ssh_key = {},
        .ssh_config = {},
        .pgdata = "/data/main"};
}

SavedState sample() {
    return {
        .cluster = *model::ClusterName::parse("pay"),
        .epoch = 7,
        .version = 42,
        .written = *parse_wall_time("2026-11-22T03:04:05.000006Z"),
        .system_id = model::SystemId{18446744073709551615ULL},
        .primary = server("db2"),
        .servers = {definition("db1", model::Role::replica), definition("db2", model::Role::primary)},
        .must_be_down =
            {{.server = server("db1"),
              .system_id = model::SystemId{7},
              .hostname = "db1.example",
              .pgdata = "/data/main",
              .fork = {model::Timeline{1}, model::Lsn{0x3000060}},
              .successor = server("db2"),
              .successor_history =
                  {model::Timeline{3}, {{model::Timeline{1}, model::Lsn{0x3000060}}, {model::Timeline{2}, model::Lsn{0x5000000}}}},
              .epoch = 7}},
        .possible_primary =
            model::PossiblePrimary{
                .server = server("db1"),
                .expires = *parse_wall_time("2026-11-22T03:05:05Z"),
                .taken = *parse_wall_time("2026-11-22T03:05:01Z")},
        .last_failover =
            model::LastFailover{
                .at = *parse_wall_time("2026-11-22T03:04:00Z"), .from = server("db1"), .to = server("db2"), .acknowledged = true},
        .highest = {{.server = server("db2"), .position = {model::Timeline{3}, model::Lsn{0x16B374D848}}}},
        .upstream_settings = {{.server = server("db2"), .conninfo = "host=db1.example user='a b'"}},
        .synchronous_standby_names = "ANY 1 (db1, db2)",
        .former_synchronous_standby_names = "",
        .sync_members = {{.application_name = "db1", .address = "10.0.0.1", .seen = *parse_wall_time("2026-11-22T03:04:01Z")}},
        .acknowledged = model::WalPosition{model::Timeline{3}, model::Lsn{0x16B374D000}},
        .provisional = true,
        .maintenance =
            model::Maintenance{
                .since = *parse_wall_time("2026-11-22T03:04:05Z"),
                .until = *parse_wall_time("2026-11-22T04:04:05Z"),
                .by = "ann from ::1",
                .reason = "kernel: \"6.1\" #2"},
        .paused = model::Pause{.since = *parse_wall_time("2026-11-22T03:04:06Z"), .by = "bob", .reason = ""},
        .disabled =
            {{.server = server("db1"),
              .since = *parse_wall_time("2026-11-22T03:04:07Z"),
              .until = *parse_wall_time("2026-11-22T05:04:07Z"),
              .by = "ann",
              .reason = "new disks"},
             {.server = server("db2"), .since = *parse_wall_time("2026-11-22T03:04:08Z")}},
        .scheduled = model::ScheduledSwitchover{
            .at = *parse_wall_time("2026-11-23T03:00:00Z"),
            .to = server("db2"),
            .drop_logical = true,
            .since = *parse_wall_time("2026-11-22T03:04:09Z"),
            .by = "ann"}};
}

/// The content with its right checksum: what a person who follows the advice of the message makes of it.
std::string sealed(const std::string& content) {
    const auto refused = from_text(content + "# checksum: fnv1a64 0\n");
    if (refused) return {};
    const std::string& what = refused.error().what;
    const auto from = what.find("# checksum");
    if (from == std::string::npos) return content + "# checksum: fnv1a64 0\n";  // a fault is named before the sum
    return content + what.substr(from, what.find('\'', from) - from) + "\n";
}

std::string content_of(const SavedState& state) {
    const std::string text = to_text(state);
    return text.substr(0, text.find("# checksum: fnv"));
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

std::string error_of(const std::string& text) {
    const auto read = from_text(text);
    if (read) return "was read";
    EXPECT_EQ(read.error().kind, ErrorKind::invalid);
    return read.error().what;
}

TEST(ServersFile, IsReadBackAsItWasWritten) {
    const auto read = from_text(to_text(sample()));
    ASSERT_TRUE(read) << read.error().what;
    EXPECT_EQ(*read, sample());
}

TEST(ServersFile, OfABuildThatKnewNoMaintenanceIsRead) {
    SavedState before = sample();
    before.maintenance.reset();
    before.paused.reset();
    before.disabled.clear();
    before.scheduled.reset();
    const std::string content = content_of(before);
    EXPECT_EQ(content.find("maintenance"), std::string::npos);
    EXPECT_EQ(content.find("paused"), std::string::npos);
    EXPECT_EQ(content.find("disabled"), std::string::npos);
    EXPECT_EQ(content.find("scheduled"), std::string::npos);
    const auto read = from_text(to_text(before));
    ASSERT_TRUE(read) << read.error().what;
    EXPECT_FALSE(read->hands_off());
}

TEST(ServersFile, CutAnywhereIsNoticed) {
    const std::string whole = to_text(sample());
    for (std::size_t length = 0; length < whole.size(); ++length)
        EXPECT_FALSE(from_text(std::string_view{whole}.substr(0, length))) << length;
}

TEST(ServersFile, WithOneChangedCharacterIsNoticed) {
    const std::string whole = to_text(sample());
    for (std::size_t at = 0; at < whole.size(); ++at) {
        std::string damaged = whole;
        damaged[at] = damaged[at] == '7' ? '8' : '7';
        if (damaged != whole) EXPECT_FALSE(from_text(damaged)) << at;
    }
}

TEST(ServersFile, ChangedByHandSaysWhatToDoAndIsReadWhenThatIsDone) {
    const std::string edited = replaced(content_of(sample()), "hostname: db1.example", "hostname: db9.example");
    const std::string message = error_of(edited + "# checksum: fnv1a64 0123456789abcdef\n");
    EXPECT_THAT(
        message,
        StartsWith(
            "servers.save was changed by hand or is damaged: its checksum does not match. If the change is meant, make its last line '# checksum"));
    const auto read = from_text(sealed(edited));
    ASSERT_TRUE(read) << read.error().what;
    EXPECT_EQ(read->servers[0].hostname, "db9.example");
}

struct Edit {
    std::string_view name, from, to, message;
};
class BadEdit : public testing::TestWithParam<Edit> {};

TEST_P(BadEdit, IsRefusedWithLineAndKey) {
    EXPECT_THAT(
        error_of(sealed(replaced(content_of(sample()), GetParam().from, GetParam().to))),
        StartsWith(std::string("servers.save ") + std::string(GetParam().message)));
}

INSTANTIATE_TEST_SUITE_P(
    ServersFile, BadEdit,
    testing::Values(
        Edit{"newer_format", "format: 1", "format: 2", "line 3: format: 2 was written by a newer HandyRep; this one reads up to 1"},
        Edit{"unknown_key", "epoch: 7", "epoch: 7\nepock: 8", "line 6: epock: is not a known key"},
        Edit{"missing_key", "version: 42\n", "", "line 3: version: is missing"},
        Edit{"key_twice", "version: 42", "version: 42\nversion: 43", "line 7: version: is here twice"},
        Edit{"bad_port", "port: 5432", "port: 70000", "line 13: servers.port: '70000' is not a whole number from 1 to 65535"},
        Edit{"bad_flag", "enabled: true", "enabled: maybe", "line 15: servers.enabled: 'maybe' is not true or false"},
        Edit{"negative_epoch", "epoch: 7", "epoch: -7", "line 5: epoch: '-7' is not a whole number"},
        Edit{"bad_position", "\"1:0/3000060\"", "\"0/3000060\"", "line 42: must_be_down.fork: '0/3000060' is not a position"},
        Edit{"server_twice", "name: db2", "name: db1", "line 24: servers: server 'db1' is here twice"},
        Edit{"two_primaries", "role: replica", "role: primary", "line 10: servers: two primaries, 'db1' and 'db2'"},
        Edit{"unknown_primary", "primary: db2", "primary: db9", "line 9: primary: 'db9' is not among the servers"},
        Edit{"not_yaml", "servers:", "servers: [", "line "}),
    [](const auto& row) { return std::string(row.param.name); });

/// Small numbers are as likely as the largest, names and texts hold what YAML trips over.
class Dice {
public:
    explicit Dice(std::uint64_t seed) : engine_{seed} {}
    std::uint64_t below(std::uint64_t bound) { return std::uniform_int_distribution<std::uint64_t>{0, bound - 1}(engine_); }
    bool coin() { return below(2) == 1; }
    std::uint64_t any_number() { return coin() ? below(10) : engine_(); }
    std::string text() {
        static constexpr std::string_view alphabet = "ab/ :#'\"\\-*&!%@,[]{}|>?\n\t~=é";
        std::string out;
        for (std::uint64_t left = below(12); left > 0; --left) {
            const char c = alphabet[below(alphabet.size() - 2)];
            out += c;
        }
        return coin() ? out : out + "é";
    }
    WallTime time() { return WallTime{std::chrono::microseconds{below(4'000'000'000'000'000)}}; }
    model::Lsn lsn() { return model::Lsn{any_number()}; }
    model::WalPosition position() { return {model::Timeline{static_cast<std::uint32_t>(1 + below(0xFFFFFFFF))}, lsn()}; }

private:
    std::mt19937_64 engine_;
};

SavedState random_state(std::uint64_t seed) {
    Dice dice{seed};
    SavedState it{
        .cluster = *model::ClusterName::parse("c"),
        .epoch = dice.any_number(),
        .version = dice.any_number(),
        .written = dice.time(),
        .system_id = {},
        .primary = {},
        .servers = {},
        .must_be_down = {},
        .possible_primary = {},
        .last_failover = {},
        .highest = {},
        .upstream_settings = {},
        .synchronous_standby_names = {},
        .provisional = dice.coin()};
    const std::uint64_t count = dice.below(5);
    for (std::uint64_t i = 0; i < count; ++i) {
        const model::ServerName name = server((dice.coin() ? "null" : "no.") + std::to_string(i));
        it.servers.push_back(
            {.name = name,
             .hostname = dice.text(),
             .port = static_cast<std::uint16_t>(1 + dice.below(65535)),
             .enabled = dice.coin(),
             .failover_priority = static_cast<int>(dice.below(1U << 31U)),
             .lag_limit = {dice.any_number()},
             .transport = dice.coin() ? model::Transport::ssh : model::Transport::local,
             .ssh_user = dice.text(),
             .ssh_key = dice.text(),
             .ssh_config = dice.text(),
             .database_user = dice.text(),
             .pgdata = dice.text()});
        if (dice.coin()) it.highest.push_back({name, dice.position()});
        if (dice.coin()) it.upstream_settings.push_back({name, dice.text()});
        if (dice.coin()) continue;
        std::vector<model::TimelineSwitch> switches;
        const auto current = static_cast<std::uint32_t>(1 + dice.below(6));
        for (std::uint32_t id = 1; id < current; ++id) switches.push_back({model::Timeline{id}, dice.lsn()});
        it.must_be_down.push_back(
            {.server = name,
             .system_id = model::SystemId{dice.any_number() | 1U},
             .hostname = dice.text(),
             .pgdata = dice.text(),
             .fork = dice.position(),
             .successor = name,
             .successor_history = {model::Timeline{current}, std::move(switches)},
             .epoch = dice.any_number()});
    }
    if (!it.servers.empty() && dice.coin()) {
        it.servers.back().role = model::Role::primary;
        it.primary = it.servers.back().name;
    }
    if (dice.coin()) it.system_id = model::SystemId{dice.any_number() | 1U};
    if (dice.coin()) {
        it.possible_primary = model::PossiblePrimary{server("x"), dice.time()};
        if (dice.coin()) it.possible_primary->taken = dice.time();
    }
    if (dice.coin())
        it.last_failover = model::LastFailover{.at = dice.time(), .from = server("x"), .to = server("y"), .acknowledged = dice.coin()};
    if (dice.coin()) it.synchronous_standby_names = dice.text();
    if (dice.coin())
        it.maintenance = model::Maintenance{.since = dice.time(), .until = dice.time(), .by = dice.text(), .reason = dice.text()};
    if (dice.coin()) it.scheduled = model::ScheduledSwitchover{.at = dice.time(), .since = dice.time(), .by = dice.text()};
    if (it.scheduled && dice.coin()) it.scheduled->to = server("y");
    if (dice.coin()) it.disabled.push_back({.server = server("y"), .since = dice.time(), .by = dice.text(), .reason = dice.text()});
    if (dice.coin()) it.disabled.push_back({.server = server("z"), .since = dice.time(), .until = dice.time(), .reason = dice.text()});
    if (dice.coin()) it.paused = model::Pause{.since = dice.time(), .by = dice.text(), .reason = dice.text()};
    return it;
}

TEST(ServersFile, OfAnyStateIsReadBackAsItWasWritten) {
    for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
        const SavedState state = random_state(seed);
        const auto read = from_text(to_text(state));
        ASSERT_TRUE(read) << "seed " << seed << ": " << read.error().what << "\n" << to_text(state);
        ASSERT_EQ(*read, state) << "seed " << seed << "\n" << to_text(state);
    }
}

}  // namespace
}  // namespace handyrep::saved
