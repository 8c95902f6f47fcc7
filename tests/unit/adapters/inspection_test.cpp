#include "adapters/postgres/inspection.hpp"
#include "adapters/ssh/inspection_scripts.hpp"
#include "adapters/ssh/report.hpp"
#include "adapters/ssh/scripts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace handyrep {
namespace {

using namespace adapters::postgres;
using model::ServerVersion;
using testing::HasSubstr;
using testing::Not;

TEST(InspectionStatements, AskEachVersionOnlyForWhatItHas) {
    EXPECT_EQ(collations_statement(ServerVersion{140000}), "");
    EXPECT_THAT(collations_statement(ServerVersion{150000}), HasSubstr("pg_database_collation_actual_version"));
    EXPECT_THAT(rights_statement(ServerVersion{140000}), Not(HasSubstr("has_parameter_privilege")));
    EXPECT_THAT(rights_statement(ServerVersion{140000}), Not(HasSubstr("'pg_checkpoint'")));
    EXPECT_THAT(rights_statement(ServerVersion{150000}), HasSubstr("has_parameter_privilege('primary_conninfo', 'ALTER SYSTEM')"));
    EXPECT_THAT(rights_statement(ServerVersion{110000}), HasSubstr("NULL::boolean AS alter_conninfo"));
    EXPECT_THAT(slots_statement(ServerVersion{160000}), Not(HasSubstr("failover")));
    EXPECT_THAT(slots_statement(ServerVersion{170000}), HasSubstr("(failover OR synced)"));
}

TEST(InspectionAnswers, KeepSecretsOutOfTheSettings) {
    model::DatabaseInspection seen;
    read_settings(
        {{{"name", "cluster_name"}, {"setting", "db7"}, {"source", "configuration file"}, {"pending_restart", "f"}},
         {{"name", "primary_conninfo"}, {"setting", "host=a port=5 user=rep password=hush"}, {"source", "configuration file"}},
         {{"name", "restore_command"}, {"setting", "fetch --key=hush"}, {"source", "configuration file"}},
         {{"name", "max_connections"}, {"setting", "40"}, {"source", "configuration file"}, {"pending_restart", "t"}}},
        seen);
    EXPECT_EQ(seen.settings.at("primary_conninfo").value, "set");
    EXPECT_EQ(seen.settings.at("restore_command").value, "set");
    EXPECT_TRUE(seen.settings.at("max_connections").pending_restart);
    ASSERT_TRUE(seen.upstream);
    EXPECT_TRUE(seen.upstream->has_password);
    EXPECT_EQ(seen.upstream->conninfo, "user='rep'");
    EXPECT_EQ(seen.upstream->application_name, "db7") << "cluster_name, where the conninfo names none";
}

TEST(InspectionAnswers, TakeTheLastWordOfTheFiles) {
    model::DatabaseInspection seen;
    seen.settings["max_connections"] = {.value = "100", .source = "configuration file"};
    read_files({{{"name", "max_connections"}, {"setting", "100"}}, {{"name", "max_connections"}, {"setting", "50"}}}, seen);
    EXPECT_EQ(seen.settings.at("max_connections").in_file, "50");
    EXPECT_TRUE(seen.files_read);
}

TEST(InspectionAnswers, LeaveARightThatTheVersionDoesNotHaveUnknown) {
    model::DatabaseInspection seen;
    read_rights({{{"superuser", "f"}, {"promote", std::nullopt}, {"reload", "t"}}}, seen);
    EXPECT_FALSE(seen.rights.at(model::Right::superuser));
    EXPECT_TRUE(seen.rights.at(model::Right::reload));
    EXPECT_FALSE(seen.rights.contains(model::Right::promote));
}

constexpr const char* inspection =
    "owner postgres\nsystem_id 7000\nprograms /usr/bin\npg_ctl 3\ncontrol_data 1\npsql 0\ndata_writable 1\nparent_writable 0\n"
    "data_free 2048\nwal_free -\nlibc glibc 2.36\nrecovery_target_timeline -\nend\n";

TEST(HostInspection, IsReadStrictly) {
    const auto seen = adapters::ssh::read_inspection(inspection);
    ASSERT_TRUE(seen) << seen.error().text();
    EXPECT_EQ(seen->pg_ctl, model::PgCtlStatus::not_running);
    EXPECT_EQ(seen->data_free, model::Bytes{2048U << 10U});
    EXPECT_FALSE(seen->wal_free);
    EXPECT_EQ(seen->libc_version, "glibc 2.36");
    const std::string text = inspection;
    EXPECT_FALSE(adapters::ssh::read_inspection(text.substr(0, text.size() - 5))) << "cut off";
    EXPECT_FALSE(adapters::ssh::read_inspection("welcome to this machine\n" + text));
}

TEST(HostInspection, TellsAMissingPgCtlFromOneThatMayNot) {
    std::string text = inspection;
    const auto with = [&](const std::string& status) {
        std::string changed = text;
        changed.replace(changed.find("pg_ctl 3"), 8, "pg_ctl " + status);
        return adapters::ssh::read_inspection(changed)->pg_ctl;
    };
    EXPECT_EQ(with("0"), model::PgCtlStatus::running);
    EXPECT_EQ(with("4"), model::PgCtlStatus::no_access);
    EXPECT_EQ(with("-"), model::PgCtlStatus::not_found);
    EXPECT_EQ(with("124"), model::PgCtlStatus::failed);
}

TEST(LoginScript, QuotesWhatComesFromOutside) {
    const ports::LoginQuestion question{
        .to = *model::ServerName::parse("db2"),
        .hostname = "o'host",
        .port = 5433,
        .conninfo = "user='rep'",
        .password = Secret{"it's"},
        .expected = model::SystemId{1}};
    const std::string script = adapters::ssh::login_script("/srv/it's", question, std::chrono::seconds{5});
    EXPECT_THAT(script, HasSubstr(R"(data='/srv/it'\''s')"));
    EXPECT_THAT(script, HasSubstr(R"(password='it'\''s')"));
    EXPECT_THAT(script, HasSubstr(R"(host='\''o\'\''host'\'')"));
}

TEST(FenceDrill, IsTheFenceWithoutItsDeeds) {
    const std::string drill = adapters::ssh::drill_script({"/srv/db1"}, model::SystemId{7});
    EXPECT_THAT(drill, Not(HasSubstr("kill -9")));
    EXPECT_THAT(drill, Not(HasSubstr("echo manual")));
    EXPECT_THAT(drill, Not(HasSubstr("sudo -n systemctl")));
    EXPECT_THAT(drill, Not(HasSubstr(": >\"$data/standby.signal")));
    const std::string fence = adapters::ssh::fence_script({"/srv/db1"}, model::SystemId{7});
    const std::string looked_for = "for conf in \"$debian\"/*/*/postgresql.conf";
    EXPECT_THAT(drill, HasSubstr(looked_for));
    EXPECT_THAT(fence, HasSubstr(looked_for));
}

}  // namespace
}  // namespace handyrep
