#include "base/text.hpp"
#include "saved/fields.hpp"
#include "saved/outline.hpp"
#include "saved/recording.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <set>

namespace handyrep::saved {
namespace {

using namespace std::chrono_literals;
using model::Lsn;
using model::Timeline;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

model::ServerName server(std::string_view name) { return *model::ServerName::parse(name); }

model::ServerDefinition definition(std::string_view name) {
    return {
        .name = server(name),
        .hostname = "host-of-" + std::string(name),
        .port = 5433,
        .ssh_user = "secretive-user",
        .ssh_key = "/secret/key",
        .ssh_config = "/secret/ssh_config",
        .database_user = "secretive-role",
        .pgdata = "/secret/pgdata"};
}

model::Answered a_primary() {
    return {
        model::SystemId{18446744073709551615ULL}, model::ServerVersion{150020}, WallTime{1'700'000'000'000'001us}, WallTime{1us},
        model::PrimaryAnswer{
            .timeline = Timeline{4},
            .inserted = Lsn{0x3000028},
            .flushed = Lsn{0x3000000},
            .read_only = true,
            .synchronous_standby_names = "ANY 1 (db2, db3)",
            .synchronous_commit = "on",
            .senders = {{"db2", "streaming", "quorum"}, {"db3", "catchup", "potential"}},
            .history = model::TimelineHistory{Timeline{4}, {{Timeline{1}, Lsn{0x100}}, {Timeline{3}, Lsn{0x200}}}}}};
}

model::Answered a_standby() {
    return {
        model::SystemId{7}, model::ServerVersion{130001}, WallTime{3us}, WallTime{4us},
        model::StandbyAnswer{
            .timeline = Timeline{4},
            .received = Lsn{0x2FFFF00},
            .replayed = Lsn{0x2000000},
            .receiver = model::WalReceiver{"streaming", "10.0.0.1", 5432, 123456789ns},
            .replay_paused = true,
            .replay_waits = true,
            .apply_delay = 5min,
            .replay_delay = -3s}};
}

model::ServerEvidence evidence_of(std::string_view name, Instant now, model::HeldSight held, model::HostSight host) {
    return {
        .server = server(name),
        .held = model::Seen<model::HeldSight>{now - 1ns, std::move(held)},
        .dial = model::Seen<model::DialSight>{now - 2s, {model::DialOutcome::in_recovery, "the database system is starting up"}},
        .host = model::Seen<model::HostSight>{now - 3s, std::move(host)},
        .witness = model::Seen<model::WitnessSight>{now - 4s, {server("db1"), model::Reach::silent}},
        .last_answer = model::Seen<model::Answered>{now - 5s, a_primary()},
        .last_words = model::Seen<model::LastWords>{now - 6s, model::LastWords::backend_crash},
        .bad_since = now - 7s,
        .silent_since = now - 8s,
        .dials_bad_since = now - 9s,
        .bad_looks = 3,
        .recovered = true,
        .shut_down = true,
        .recovering_since = now - 10s,
        .writable_at = now - 11s,
        .flush_stuck_since = now - 12s,
        .flush_wanted = Lsn{0x3000028},
        .pace = model::WalPace{.asked_after = now - 700ms, .since = now - 4min, .peak = model::Bytes{4096}, .former = model::Bytes{8192}}};
}

/// Everything there can be in one.
model::Moment full() {
    const Instant now{1000h};
    model::Moment moment = blank<model::Moment>();
    moment.at = WallTime{1'763'860'000'123'456us};
    moment.since = WallTime{1'763'850'000'000'000us};
    moment.now = now;
    moment.settings.poll_interval = 333ms;
    moment.settings.fencing = model::Fencing::strict;
    moment.saved.cluster = *model::ClusterName::parse("pay");
    moment.saved.epoch = 3;
    moment.saved.version = 88;
    moment.saved.written = WallTime{5us};
    moment.saved.system_id = model::SystemId{7};
    moment.saved.primary = server("db1");
    for (const auto* const name : {"db1", "db2", "db3", "db4", "db5"}) moment.saved.servers.push_back(definition(name));
    moment.saved.must_be_down.push_back(
        {.server = server("db5"),
         .system_id = model::SystemId{7},
         .hostname = "host-of-db5",
         .pgdata = "/secret/pgdata",
         .fork = {Timeline{3}, Lsn{0x200}},
         .successor = server("db1"),
         .successor_history = model::TimelineHistory{Timeline{4}, {{Timeline{3}, Lsn{0x200}}}},
         .epoch = 2});
    moment.saved.possible_primary = model::PossiblePrimary{server("db2"), WallTime{6us}};
    moment.saved.last_failover = model::LastFailover{WallTime{7us}, server("db5"), server("db1"), true};
    moment.saved.highest.push_back({server("db1"), {Timeline{4}, Lsn{0x3000000}}});
    moment.saved.upstream_settings.push_back(
        {server("db2"), R"(user='secretive' host='db1' port='5432' password='o\'hara' application_name='two' passfile='/secret/pass')"});
    moment.saved.synchronous_standby_names = "ANY 1 (db2)";
    moment.saved.provisional = true;
    moment.saved.maintenance =
        model::Maintenance{.since = WallTime{8us}, .until = WallTime{9us}, .by = "secretive", .reason = "secret reason"};
    moment.saved.paused = model::Pause{.since = WallTime{8us}, .by = "secretive", .reason = "secret reason"};
    const model::HostLook look{model::SystemId{7}, model::ControlState::in_production, 6, true};
    const model::HostSight failed{Error{ErrorKind::unreachable, "no route to host", {"look into db2", "poll"}}};
    moment.evidence.servers.push_back(evidence_of("db1", now, a_primary(), {look}));
    moment.evidence.servers.push_back(evidence_of("db2", now, a_standby(), failed));
    moment.evidence.servers.push_back(evidence_of("db3", now, model::Silent{now - 20s}, failed));
    moment.evidence.servers.push_back(evidence_of("db4", now, model::Lost{model::LastWords::administrator}, failed));
    moment.evidence.servers.push_back(
        evidence_of("db5", now, model::NotOpen{model::DialOutcome::tls_failed, "certificate expired"}, {look}));
    moment.evidence.lease = model::Lease{
        .server = server("db1"),
        .answer = {.pid = 4711, .ttl = 30s, .sequence = 9, .stop_time = 4s, .asks = true, .autostart_off = true, .autostart = "none found"},
        .answered = now - 2s,
        .sent = now - 1s,
        .listed = {server("db2"), server("db3")}};
    moment.guards = {
        .paused = true,
        .maintenance = true,
        .provisional = true,
        .operation_running = true,
        .journal_available = false,
        .cooldown_left = 9min,
        .refused = model::Refusal{.until = now + 2s, .in_a_row = 3, .why = "LossTooLarge: 2 MB"}};
    return moment;
}

/// Little, so that the places of its fields are easily told.
model::Moment small() {
    const Instant now{1000h};
    model::Moment moment = blank<model::Moment>();
    moment.at = WallTime{1'763'860'000'123'456us};
    moment.saved.cluster = *model::ClusterName::parse("pay");
    moment.saved.servers = {definition("db1"), definition("db2")};
    moment.saved.primary = server("db1");
    moment.now = now;
    model::Evidence& evidence = moment.evidence;
    absorb(evidence, {server("db1"), now - 1s, model::HeldSight{a_primary()}});
    absorb(evidence, {server("db2"), now - 1s, model::HeldSight{a_standby()}});
    absorb(evidence, {server("db2"), now - 500ms, model::HeldSight{model::Complained{"42501", "permission denied"}}});
    return moment;
}

Recording recording_with(model::Moment moment) { return {.handyrep = "0.1.0", .moments = {std::move(moment)}}; }

std::string error_of(const std::string& text) {
    const auto read = recording_from_text(text);
    return read ? "it was read" : read.error().text();
}

/// The text of a small recording with one place replaced.
std::string with(const std::string& before, const std::string& after) {
    std::string text = to_text(recording_with(small()));
    const auto at = text.find(before);
    EXPECT_NE(at, std::string::npos) << before << " is not in\n" << text;
    return at == std::string::npos ? text : text.replace(at, before.size(), after);
}

TEST(Recording, IsReadBackAsItWasWritten) {
    Recording recording = recording_with(small());
    recording.moments.push_back(full());
    const std::string text = to_text(recording);
    const auto read = recording_from_text(text);
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(read->handyrep, "0.1.0");
    ASSERT_EQ(read->moments.size(), 2U);
    EXPECT_EQ(to_text(*read), text);
}

TEST(Recording, KeepsTheAgesAndNotTheInstants) {
    const auto read = recording_from_text(to_text(recording_with(full())));
    ASSERT_TRUE(read) << read.error().text();
    const model::Moment& moment = read->moments.front();
    const model::ServerEvidence* const db1 = moment.evidence.find(server("db1"));
    ASSERT_NE(db1, nullptr);
    EXPECT_EQ(moment.now - db1->held->at, 1ns);
    EXPECT_EQ(moment.now - *db1->bad_since, 7s);
    EXPECT_EQ(moment.guards.refused, (model::Refusal{.until = moment.now + 2s, .in_a_row = 3, .why = "LossTooLarge: 2 MB"}));
    EXPECT_EQ(moment.settings, full().settings);
    EXPECT_EQ(db1->last_answer->what, a_primary());
}

TEST(Recording, HoldsNoSecretAndNothingThatLeadsToOne) {
    const std::string text = to_text(recording_with(full()));
    for (const auto* const secret : {"hara", "secretive", "/secret", "passfile", "password"}) EXPECT_THAT(text, Not(HasSubstr(secret)));
    EXPECT_THAT(text, HasSubstr("host='db1' port='5432' application_name='two'"));
}

TEST(Recording, KeepsOfAConnectionStringOnlyWhatIsSurelyHarmless) {
    EXPECT_EQ(
        without_secrets("host='a' port='1' password='x host=\\'y\\'' application_name='n'"), "host='a' port='1' application_name='n'");
    EXPECT_EQ(without_secrets("  host=a user=u application_name=db2 password=x\\ host=y"), "host=a application_name=db2");
    EXPECT_EQ(without_secrets("password=plain host='a'"), "host='a'");
    EXPECT_EQ(without_secrets("password = 'a host=b"), "") << "not as this program writes it";
    EXPECT_EQ(without_secrets("password='a host=b"), "");
    EXPECT_EQ(without_secrets("postgresql://u:secret@h/d"), "");
    EXPECT_EQ(without_secrets("host='unended"), "");
    EXPECT_EQ(without_secrets(""), "");
}

TEST(Recording, WritesBytesThatAreNotUtf8SoThatTheyCanBeRead) {
    model::Moment moment = small();
    absorb(
        moment.evidence, {server("db2"), moment.now,
                          model::HeldSight{model::Complained{
                              "42501",
                              "Zugriff \xFC"
                              "ber"}}});
    const auto read = recording_from_text(to_text(recording_with(std::move(moment))));
    ASSERT_TRUE(read) << read.error().text();
}

template <class E>
void expect_words(int count) {
    std::set<std::string_view> words;
    for (int at = 0; at < count; ++at) {
        const auto word = id_of(static_cast<E>(at));
        EXPECT_FALSE(word.empty());
        EXPECT_TRUE(words.insert(word).second) << word;
        EXPECT_EQ(enumerator<E>(word), static_cast<E>(at));
    }
    EXPECT_EQ(id_of(static_cast<E>(count)), "") << "the test does not know all of them";
}

TEST(Recording, HasAWordOfItsOwnForEveryEnumerator) {
    expect_words<model::Role>(2);
    expect_words<model::Transport>(2);
    expect_words<model::Fencing>(3);
    expect_words<model::SelectionMethod>(2);
    expect_words<model::LastWords>(6);
    expect_words<model::DialOutcome>(15);
    expect_words<model::ControlState>(7);
    expect_words<model::Reach>(4);
    expect_words<ErrorKind>(8);
}

struct Damage {
    const char* name;
    const char* before;
    const char* after;
    const char* error;
};
void PrintTo(const Damage& it, std::ostream* out) { *out << it.name; }

class DamagedRecording : public testing::TestWithParam<Damage> {};

TEST_P(DamagedRecording, IsRefusedByTheNameOfItsField) {
    const std::string error = error_of(with(GetParam().before, GetParam().after));
    EXPECT_THAT(error, StartsWith(std::string("the recording cannot be used: ") + GetParam().error));
    EXPECT_THAT(error, HasSubstr("as 'handyrep record' wrote it"));
}

INSTANTIATE_TEST_SUITE_P(
    Each, DamagedRecording,
    testing::Values(
        Damage{"AnotherKind", "handyrep recording", "handyrep status", "kind: is not 'handyrep recording'"},
        Damage{
            "ALaterFormat", "\"format\": 2", "\"format\": 3",
            "format: the file has format 3, made by HandyRep 0.1.0; this HandyRep reads format 2 only"},
        Damage{"NoFormat", "\"format\": 2,", "", "format: is missing"},
        Damage{"AFormatInWords", "\"format\": 2", "\"format\": \"one\"", R"(format: "one" is not a whole number)"},
        Damage{"NoCluster", "\"cluster\": \"pay\",", "", "moments[0].saved.cluster: is missing"},
        Damage{"ABadName", "\"cluster\": \"pay\"", "\"cluster\": \"p/y\"", "moments[0].saved.cluster: 'p/y'"},
        Damage{
            "AnotherType", "\"port\": 5433", "\"port\": \"5433\"",
            R"(moments[0].saved.servers[0].port: "5433" is not a whole number from 0 to 65535)"},
        Damage{"OutOfRange", "\"port\": 5433", "\"port\": 70000", "moments[0].saved.servers[0].port: 70000 is not a whole number"},
        Damage{"Negative", "\"port\": 5433", "\"port\": -1", "moments[0].saved.servers[0].port: -1 is not a whole number"},
        Damage{"AFraction", "\"port\": 5433", "\"port\": 1.5", "moments[0].saved.servers[0].port: 1.5 is not a whole number"},
        Damage{"AnUnknownKey", "\"port\": 5433", "\"port\": 5433, \"prot\": 1", "moments[0].saved.servers[0].prot: is not a known key"},
        Damage{"AKeyTwice", "\"port\": 5433", "\"port\": 5433, \"port\": 1", "moments[0].saved.servers[0].port: is here twice"},
        Damage{"AnUnknownWord", "\"role\": \"replica\"", "\"role\": \"boss\"", R"(moments[0].saved.servers[0].role: "boss" is not a word)"},
        Damage{"AnUnknownServer", "\"primary\": \"db1\"", "\"primary\": \"db7\"", "moments[0].saved.primary: 'db7' is not one of"},
        Damage{"AServerTwice", "\"name\": \"db2\"", "\"name\": \"db1\"", "moments[0].saved.servers[0]: 'db1' is here twice"},
        Damage{"AnotherThing", "\"complained\"", "\"shouted\"", "moments[0].evidence[1].held.what: shouted is not one of the things"},
        Damage{
            "ATimelineInWords", "\"timeline\": 4", "\"timeline\": \"four\"",
            R"(moments[0].evidence[0].held.what.answered.as.primary.timeline: "four" is not a whole number)"},
        Damage{
            "ANegativePosition", "\"flushed\": \"0/3000000\"", "\"flushed\": \"-1/0\"",
            "moments[0].evidence[0].held.what.answered.as.primary.flushed: "},
        Damage{
            "AnAgeOfAges", "\"ns_ago\": 1000000000", "\"ns_ago\": 9223372036854775807",
            "moments[0].evidence[0].held.ns_ago: 9223372036854775807 nanoseconds are more than a century"},
        Damage{"ATimeInWords", "\"at\": \"2025", "\"at\": \"year 2025", "moments[0].at: "},
        Damage{
            "AnObjectForAList", "\"senders\": [", "\"senders\": {}, \"others\": [",
            "moments[0].evidence[0].held.what.answered.as.primary.senders: an object is not a list"},
        Damage{"ByHand", "\"epoch\": 0", "\"epoch\": 1", "moments[0].saved.epoch: was changed by hand"},
        Damage{"NotJson", "\"epoch\": 0", "\"epoch\": zero", "moments[0].saved.epoch: line "}),
    [](const testing::TestParamInfo<Damage>& it) { return it.param.name; });

TEST(Recording, NamesTheValueThatAHandChangedWhicheverItIs) {
    const Json whole = Json::parse(to_text(recording_with(small())));
    const std::vector<Leaf> leaves = leaves_of(whole);
    std::size_t named = 0;
    for (const Leaf& leaf : leaves) {
        std::string pointer = "/" + leaf.path;
        for (const auto& [from, to] : {std::pair{"[", "/"}, std::pair{"]", ""}, std::pair{".", "/"}}) {
            for (auto at = pointer.find(from); at != std::string::npos; at = pointer.find(from)) pointer.replace(at, 1, to);
        }
        Json changed = whole;
        Json& value = changed[Json::json_pointer(pointer)];
        if (value.is_boolean()) {
            value = !value.get<bool>();
        } else if (value.is_number_integer()) {
            value = value.get<std::int64_t>() + 1;
        } else if (value.is_string()) {
            value = value.get<std::string>() + "0";
        } else {
            continue;
        }
        const std::string error = error_of(changed.dump());
        // Of a server's name the first other place that speaks of the server is named as well as its own.
        const bool said = error.find(leaf.path + ":") != std::string::npos || error.find("marks:") != std::string::npos ||
                          error.find("is not one of saved.servers") != std::string::npos;
        EXPECT_TRUE(said) << leaf.path << ": " << error;
        ++named;
    }
    EXPECT_GT(named, 60U);
}

TEST(Recording, IsRefusedWhereverItIsCut) {
    const std::string text = to_text(recording_with(small()));
    const std::string whole(trim(text));
    for (std::size_t length = 0; length < whole.size(); length += 7) {
        const std::string error = error_of(text.substr(0, length));
        EXPECT_NE(error, "it was read") << length;
    }
    EXPECT_THAT(
        error_of(text.substr(0, text.find("\"timeline\": 4") + 5)), HasSubstr("moments[0].evidence[0].held.what.answered.as.primary"));
    EXPECT_THAT(error_of(text.substr(0, text.find("\"timeline\": 4") + 5)), HasSubstr("the file was cut short"));
    EXPECT_THAT(error_of(""), HasSubstr("JSON"));
}

TEST(Recording, NeverCrashesOnNonsense) {
    EXPECT_THAT(error_of("[]"), HasSubstr("kind"));
    EXPECT_THAT(error_of("null"), HasSubstr("kind"));
    EXPECT_THAT(error_of(std::string(5000, '[')), HasSubstr("lies too deep"));
    EXPECT_THAT(
        error_of(R"({"kind": "handyrep recording", "format": 2, "handyrep": "x", "moments": [], "marks": ""})"), HasSubstr("moments"));
    EXPECT_THAT(
        error_of(R"({"kind": "handyrep recording", "format": 2, "handyrep": "x", "moments": [5], "marks": ""})"), HasSubstr("moments[0]"));
}

}  // namespace
}  // namespace handyrep::saved
