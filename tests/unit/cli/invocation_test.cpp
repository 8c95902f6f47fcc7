#include "cli/invocation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace handyrep::cli {
namespace {

using testing::HasSubstr;

std::string usage_error(const std::vector<std::string>& arguments) {
    const auto parsed = parse_arguments(arguments);
    const auto* wrong = std::get_if<UsageError>(&parsed);
    return wrong != nullptr ? wrong->text : "(no error)";
}

template <class V>
struct Parsed {
    bool good = false;  // and it is this verb
    GlobalOptions global{};
    V verb{};
};

template <class V>
Parsed<V> parsed_as(const std::vector<std::string>& arguments) {
    const auto parsed = parse_arguments(arguments);
    const auto* invocation = std::get_if<Invocation>(&parsed);
    if (invocation == nullptr || !std::holds_alternative<V>(invocation->verb)) return {};
    return {.good = true, .global = invocation->global, .verb = std::get<V>(invocation->verb)};
}

TEST(Arguments, OfExplainAndRecord) {
    const auto plain = parsed_as<Explain>({"explain"});
    ASSERT_TRUE(plain.good);
    EXPECT_FALSE(plain.verb.if_primary_died);
    EXPECT_EQ(plain.verb.back, 0U);
    const auto all = parsed_as<Explain>({"explain", "--if-primary-died", "--back", "2", "--replay", "a.json"});
    ASSERT_TRUE(all.good);
    EXPECT_TRUE(all.verb.if_primary_died);
    EXPECT_EQ(all.verb.back, 2U);
    EXPECT_EQ(all.verb.replay, "a.json");
    EXPECT_EQ(parsed_as<Record>({"record", "--out", "a.json"}).verb.out, "a.json");
    EXPECT_THAT(usage_error({"explain", "--back", "0"}), HasSubstr("--back"));
    EXPECT_THAT(usage_error({"explain", "--if-primary-dies"}), HasSubstr("did you mean '--if-primary-died'"));
    EXPECT_THAT(usage_error({"explane"}), HasSubstr("did you mean 'explain'"));
}

TEST(Arguments, OfRejoinAndRewind) {
    const auto rejoin = parsed_as<Rejoin>({"rejoin", "db1", "--dry-run"});
    ASSERT_TRUE(rejoin.good);
    EXPECT_EQ(rejoin.verb.server, "db1");
    EXPECT_TRUE(rejoin.verb.dry_run);
    EXPECT_FALSE(rejoin.verb.only_rewind);
    const auto rewind = parsed_as<Rejoin>({"rewind", "db1", "--yes"});
    ASSERT_TRUE(rewind.good);
    EXPECT_TRUE(rewind.verb.only_rewind && rewind.verb.yes);
    EXPECT_THAT(usage_error({"rejoin"}), HasSubstr("NAME"));
    EXPECT_THAT(usage_error({"rejion", "db1"}), HasSubstr("did you mean 'rejoin'"));
}

TEST(Arguments, TakeGlobalOptionsBeforeAndBehindTheVerb) {
    const auto before = parsed_as<Status>({"--config", "a.conf", "status"});
    const auto behind = parsed_as<Status>({"status", "--config", "a.conf", "--output=json"});
    ASSERT_TRUE(before.good && behind.good);
    EXPECT_EQ(before.global.config, "a.conf");
    EXPECT_EQ(behind.global.config, "a.conf");
    EXPECT_EQ(behind.global.output, Output::json);
}

TEST(Arguments, ReadAFailover) {
    const auto failover = parsed_as<Failover>({"failover", "--to", "db2", "--dry-run", "--timeout", "30s"});
    ASSERT_TRUE(failover.good);
    EXPECT_EQ(failover.verb.to, "db2");
    EXPECT_TRUE(failover.verb.dry_run);
    EXPECT_FALSE(failover.verb.yes);
    EXPECT_TRUE(failover.verb.overrides.empty());
    const auto overriding = parsed_as<Failover>({"failover", "--override", "fence", "--override", "durability"});
    ASSERT_TRUE(overriding.good);
    EXPECT_EQ(overriding.verb.overrides, (std::vector<std::string>{"fence", "durability"}));
    EXPECT_FALSE(parsed_as<Failover>({"failover", "--override", "everything"}).good);
    EXPECT_EQ(failover.global.timeout, std::chrono::seconds{30});
}

TEST(Arguments, ReadAPromotionThatNamesItsServer) {
    const auto promotion = parsed_as<Failover>({"promote", "db2", "--override", "fence", "--yes"});
    ASSERT_TRUE(promotion.good);
    EXPECT_TRUE(promotion.verb.alone && promotion.verb.yes);
    EXPECT_EQ(promotion.verb.to, "db2");
    EXPECT_EQ(promotion.verb.overrides, std::vector<std::string>{"fence"});
    EXPECT_FALSE(parsed_as<Failover>({"promote"}).good);
    EXPECT_FALSE(parsed_as<Failover>({"failover"}).verb.alone);
}

TEST(Arguments, ReadOrdersAboutOneServer) {
    const auto restart = parsed_as<Service>({"restart", "db3", "--dry-run"});
    ASSERT_TRUE(restart.good);
    EXPECT_EQ(restart.verb.order, "restart");
    EXPECT_EQ(restart.verb.server, "db3");
    EXPECT_TRUE(restart.verb.dry_run);
    EXPECT_EQ(parsed_as<Service>({"stonith", "db3"}).verb.order, "fence");
    EXPECT_EQ(parsed_as<Service>({"unfence", "db3"}).verb.order, "startup");
    EXPECT_EQ(parsed_as<Service>({"shutdown", "db3", "--yes"}).verb.order, "shutdown");
    const auto rolling = parsed_as<Service>({"restart", "--rolling", "--to", "db2"});
    ASSERT_TRUE(rolling.good);
    EXPECT_TRUE(rolling.verb.rolling);
    EXPECT_EQ(rolling.verb.to, "db2");
    EXPECT_THAT(usage_error({"restart"}), HasSubstr("restart: which server?"));
    EXPECT_THAT(usage_error({"restart", "db3", "--rolling"}), HasSubstr("not both"));
    EXPECT_THAT(usage_error({"restart", "db3", "--to", "db2"}), HasSubstr("--rolling only"));
    EXPECT_THAT(usage_error({"shutdown"}), HasSubstr("shutdown: which server?"));
}

TEST(Arguments, ReadFollowAndCancel) {
    const auto follow = parsed_as<Follow>({"follow", "db2", "db3", "--upstream", "db1"});
    ASSERT_TRUE(follow.good);
    EXPECT_EQ(follow.verb.replicas, (std::vector<std::string>{"db2", "db3"}));
    EXPECT_EQ(follow.verb.upstream, "db1");
    EXPECT_TRUE(parsed_as<Follow>({"remaster"}).verb.replicas.empty());
    EXPECT_EQ(parsed_as<Cancel>({"cancel", "7"}).verb.id, 7U);
    EXPECT_FALSE(parsed_as<Cancel>({"cancel"}).good);
}

TEST(Arguments, ReadACopy) {
    const auto reclone = parsed_as<Clone>(
        {"reclone", "db3", "--from", "db2", "--rate", "50MB", "--slot", "db3", "--wal-directory", "/wal", "--tablespace", "/a=/b",
         "--keep-old", "--no-wait", "--yes"});
    ASSERT_TRUE(reclone.good);
    EXPECT_EQ(reclone.verb.server, "db3");
    EXPECT_EQ(reclone.verb.from, "db2");
    EXPECT_EQ(reclone.verb.rate, model::Bytes{50ULL << 20U});
    EXPECT_EQ(reclone.verb.tablespaces, std::vector<std::string>{"/a=/b"});
    EXPECT_TRUE(reclone.verb.replaces && reclone.verb.keep_old && reclone.verb.yes);
    EXPECT_FALSE(reclone.verb.wait || reclone.verb.dry_run);
    const auto clone = parsed_as<Clone>({"clone", "db3"});
    ASSERT_TRUE(clone.good);
    EXPECT_FALSE(clone.verb.replaces);
    EXPECT_TRUE(clone.verb.wait);
    EXPECT_FALSE(parsed_as<Clone>({"clone"}).good) << "of which server?";
    EXPECT_FALSE(parsed_as<Clone>({"clone", "db3", "--keep-old"}).good) << "there is nothing old";
    EXPECT_FALSE(parsed_as<Clone>({"clone", "db3", "--rate", "fast"}).good);
    EXPECT_FALSE(parsed_as<Clone>({"clone", "db3", "--tablespace", "/a"}).good);
}

TEST(Arguments, ReadASwitchover) {
    const auto switchover = parsed_as<Switchover>({"switchover", "--to", "db2", "--yes", "--drop-logical"});
    ASSERT_TRUE(switchover.good);
    EXPECT_EQ(switchover.verb.to, "db2");
    EXPECT_TRUE(switchover.verb.yes && switchover.verb.drop_logical);
    EXPECT_FALSE(switchover.verb.dry_run);
    EXPECT_FALSE(parsed_as<Switchover>({"switchover", "--override", "fence"}).good) << "a gate is never passed by it";
}

TEST(Arguments, ReadASwitchoverForATimeToCome) {
    const auto then = parsed_as<Switchover>({"switchover", "--to", "db2", "--at", "2026-11-22T05:00:00Z"});
    ASSERT_TRUE(then.good);
    EXPECT_EQ(then.verb.at, *parse_wall_time("2026-11-22T05:00:00Z"));
    EXPECT_TRUE(parsed_as<Switchover>({"switchover", "--unschedule"}).verb.unschedule);
    EXPECT_THAT(usage_error({"switchover", "--at", "noon"}), HasSubstr("--at: 'noon' is not a time such as"));
    EXPECT_THAT(usage_error({"switchover", "--unschedule", "--to", "db2"}), HasSubstr("--unschedule: it stands alone"));
}

TEST(Arguments, ReadWhichServerIsTakenOut) {
    const auto out = parsed_as<MaintenanceOn>({"disable", "db3", "--for", "2h", "--reason", "new disks"});
    ASSERT_TRUE(out.good);
    EXPECT_EQ(out.verb.server, "db3");
    EXPECT_TRUE(out.verb.endless);
    EXPECT_EQ(out.verb.lasts, std::chrono::hours{2});
    EXPECT_EQ(out.verb.reason, "new disks");
    EXPECT_EQ(parsed_as<MaintenanceOff>({"enable", "db3"}).verb.server, "db3");
    const auto on = parsed_as<MaintenanceOn>({"maintenance", "on", "db3"});
    ASSERT_TRUE(on.good);
    EXPECT_EQ(on.verb.server, "db3");
    EXPECT_FALSE(on.verb.endless);
    EXPECT_EQ(parsed_as<MaintenanceOff>({"maintenance", "off", "db3"}).verb.server, "db3");
    EXPECT_FALSE(parsed_as<MaintenanceOn>({"disable"}).good);
    EXPECT_FALSE(parsed_as<MaintenanceOff>({"enable"}).good);
}

TEST(Arguments, ReadAMaintenanceWithItsEndAndAReason) {
    const auto plain = parsed_as<MaintenanceOn>({"maintenance", "on"});
    ASSERT_TRUE(plain.good);
    EXPECT_FALSE(plain.verb.lasts || plain.verb.until) << "how long it lasts then is the daemon's to say";
    const auto lasts = parsed_as<MaintenanceOn>({"maintenance", "on", "--for", "2h", "--reason", "new kernel", "--cluster", "pay"});
    ASSERT_TRUE(lasts.good);
    EXPECT_EQ(lasts.verb.lasts, std::chrono::hours{2});
    EXPECT_EQ(lasts.verb.reason, "new kernel");
    EXPECT_EQ(lasts.global.cluster, "pay");
    const auto until = parsed_as<MaintenanceOn>({"maintenance", "on", "--until", "2026-11-22T05:00:00Z"});
    ASSERT_TRUE(until.good);
    EXPECT_EQ(until.verb.until, *parse_wall_time("2026-11-22T05:00:00Z"));
    EXPECT_TRUE(parsed_as<MaintenanceOff>({"maintenance", "off"}).good);
    EXPECT_EQ(parsed_as<Pause>({"pause", "--reason", "looking"}).verb.reason, "looking");
    EXPECT_TRUE(parsed_as<Resume>({"resume"}).good);
}

TEST(Arguments, RefuseAMaintenanceThatNobodyUnderstands) {
    EXPECT_THAT(usage_error({"maintenance", "on", "--for", "soon"}), HasSubstr("--for: 'soon' is not a duration"));
    EXPECT_THAT(usage_error({"maintenance", "on", "--until", "noon"}), HasSubstr("--until: 'noon' is not a time such as"));
    EXPECT_THAT(usage_error({"maintenance", "on", "--for", "1h", "--until", "2026-11-22T05:00:00Z"}), HasSubstr("not both"));
    EXPECT_THAT(usage_error({"maintenance", "on", "--for", ""}), HasSubstr("--for: '' is not a duration"));
    EXPECT_THAT(usage_error({"maintenance"}), HasSubstr("maintenance what?"));
    EXPECT_THAT(usage_error({"maintenance", "of"}), HasSubstr("'of' is neither on nor off"));
    EXPECT_THAT(usage_error({"maintenance", "on", "--fro", "1h"}), HasSubstr("did you mean '--for'"));
    EXPECT_THAT(usage_error({"pause", "--for", "1h"}), HasSubstr("--for"));
}

TEST(Arguments, ReadConfigCheckWithAFileOfItsOwn) {
    const auto check = parsed_as<ConfigCheck>({"config", "check", "pay.conf"});
    ASSERT_TRUE(check.good);
    EXPECT_EQ(check.verb.file, "pay.conf");
    EXPECT_TRUE(parsed_as<ConfigShow>({"config", "show"}).good);
}

TEST(Arguments, NameTheNearestVerb) { EXPECT_EQ(usage_error({"statsu"}), "unknown verb 'statsu'; did you mean 'status'?"); }

TEST(Arguments, NameTheNearestOption) {
    EXPECT_EQ(usage_error({"status", "--ouput=json"}), "unknown option '--ouput'; did you mean '--output'?");
    EXPECT_EQ(usage_error({"failover", "--dryrun"}), "unknown option '--dryrun'; did you mean '--dry-run'?");
}

TEST(Arguments, RefuseAnUnknownFormatACountOutOfRangeAndATimeoutOfNothing) {
    EXPECT_THAT(usage_error({"status", "--output", "xml"}), HasSubstr("none of table, json, yaml"));
    EXPECT_THAT(usage_error({"events", "--count", "0"}), HasSubstr("--count"));
    EXPECT_THAT(usage_error({"status", "--timeout", "0"}), HasSubstr("--timeout"));
    EXPECT_THAT(usage_error({"status", "--timeout", "soon"}), HasSubstr("--timeout"));
}

TEST(Arguments, RefuseNoVerbAndAHalfVerb) {
    EXPECT_THAT(usage_error({}), HasSubstr("which verb?"));
    EXPECT_THAT(usage_error({"config"}), HasSubstr("config what?"));
    EXPECT_THAT(usage_error({"status", "db2"}), HasSubstr("one word too many"));
}

TEST(Arguments, GiveHelpForEverythingAndForOneVerb) {
    const auto all = parsed_as<Help>({"help"});
    ASSERT_TRUE(all.good);
    EXPECT_THAT(all.verb.text, HasSubstr("acknowledge"));
    EXPECT_THAT(all.verb.text, HasSubstr("8 unreachable"));
    const auto one = parsed_as<Help>({"help", "failover"});
    ASSERT_TRUE(one.good);
    EXPECT_THAT(one.verb.text, HasSubstr("--dry-run"));
    EXPECT_TRUE(parsed_as<Help>({"failover", "--help"}).good);
    EXPECT_THAT(parsed_as<Help>({"help", "maintenance"}).verb.text, HasSubstr("--for DURATION"));
    EXPECT_THAT(parsed_as<Help>({"maintenance", "on", "--help"}).verb.text, HasSubstr("--until TIME"));
    EXPECT_TRUE(parsed_as<Version>({"--version"}).good);
}

TEST(Arguments, AskToVerifyAllServersOrOne) {
    const auto all = parsed_as<Verify>({"verify"});
    ASSERT_TRUE(all.good);
    EXPECT_EQ(all.verb.server, std::nullopt);
    const auto one = parsed_as<Verify>({"verify", "db2", "--all", "--last"});
    ASSERT_TRUE(one.good);
    EXPECT_EQ(one.verb.server, "db2");
    EXPECT_TRUE(one.verb.all);
    EXPECT_TRUE(one.verb.last);
    EXPECT_THAT(usage_error({"verify", "db2", "db3"}), HasSubstr("one word too many"));
}

}  // namespace
}  // namespace handyrep::cli
