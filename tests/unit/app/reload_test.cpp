#include "app/reload.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace handyrep::app {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

config::Configuration configuration(std::string_view handyrep, std::string_view failover, std::string_view passwords) {
    const std::string text =
        "handyrep:\n  cluster_name: pay\n" + std::string(handyrep) + "failover:\n  poll_tries: 2\n" + std::string(failover) +
        "passwords:\n  superuser_pass: a\n" + std::string(passwords) +
        "server_defaults:\n  pgdata: /data\nservers:\n  db1:\n    hostname: 10.0.0.1\n    role: primary\n  db2:\n    hostname: 10.0.0.2\n";
    config::Parsed parsed = config::parse(text, "handyrep.conf");
    EXPECT_TRUE(parsed.problems.empty()) << (parsed.problems.empty() ? "" : config::text(parsed.problems.front()));
    if (!parsed.configuration) throw std::logic_error("the test's configuration is wrong");
    return std::move(*parsed.configuration);
}

TEST(Reload, SaysNothingWhenNothingChanged) {
    const Changes changes = changes_between(configuration("", "", ""), configuration("", "", ""));
    EXPECT_THAT(changes.at_once, IsEmpty());
    EXPECT_THAT(changes.need_restart, IsEmpty());
}

TEST(Reload, AppliesTheLogAtOnceAndNamesWhatNeedsARestart) {
    const Changes changes =
        changes_between(configuration("", "", ""), configuration("  log_format: json\n", "  silence_timeout: 2s\n", ""));
    EXPECT_THAT(changes.at_once, ElementsAre("handyrep.log_format"));
    EXPECT_THAT(changes.need_restart, ElementsAre("failover.silence_timeout"));
}

TEST(Reload, SwitchesTheLeaseOnAndOffWhileItRuns) {
    const Changes changes = changes_between(configuration("", "  lease_ttl: 30s\n", ""), configuration("", "", ""));
    EXPECT_THAT(changes.at_once, ElementsAre("failover.lease_ttl"));
    EXPECT_THAT(changes.need_restart, IsEmpty());
}

TEST(Reload, NoticesAChangedPasswordAlthoughItIsMasked) {
    const Changes changes =
        changes_between(configuration("", "", "  admin_password: one\n"), configuration("", "", "  admin_password: two\n"));
    EXPECT_THAT(changes.at_once, ElementsAre("passwords.admin_password"));
}

}  // namespace
}  // namespace handyrep::app
