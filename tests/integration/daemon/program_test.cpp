// The program's doors: configuration, command line, HTTP; and that no secret leaves by any of them.
#include "tests/integration/daemon/stage.hpp"

#include <fmt/format.h>

#include <optional>

namespace handyrep::integration {
namespace {

using std::chrono::seconds;
using testing::Test;

constexpr Duration generous = seconds{120};

class Program : public Test {
protected:
    static void SetUpTestSuite() { stage_holder().emplace(Over::local); }
    static void TearDownTestSuite() { stage_holder().reset(); }
    static Stage& stage() { return *stage_holder(); }

    static std::string bearer() { return "Authorization: Bearer " + word_of("cli.token"); }
    static std::string word_of(const std::string& file) {
        auto content = must(harness::read_file(stage().daemon().state_folder() / file));
        while (!content.empty() && content.back() == '\n') content.pop_back();
        return content;
    }
    static harness::Outcome check(const std::string& configuration) {
        const auto file = stage().cluster().folder() / "checked.conf";
        must(harness::write_private(file, configuration));
        return must(stage().daemon().cli({"config", "check", file.string()}));
    }

private:
    static std::optional<Stage>& stage_holder() {
        static std::optional<Stage> stage;
        return stage;
    }
};

std::string base64(const std::string& text) {
    static constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string coded;
    for (std::size_t at = 0; at < text.size(); at += 3) {
        const auto byte = [&](std::size_t index) {
            return index < text.size() ? static_cast<unsigned>(static_cast<unsigned char>(text[index])) : 0U;
        };
        const unsigned bits = byte(at) << 16U | byte(at + 1) << 8U | byte(at + 2);
        for (unsigned part = 0; part < 4; ++part) coded += part <= text.size() - at ? letters[bits >> (18U - 6U * part) & 63U] : '=';
    }
    return coded;
}

TEST_F(Program, ChecksAGoodConfiguration) {
    const auto good = must(stage().daemon().cli({"config", "check", stage().daemon().configuration().string()}));
    EXPECT_EQ(good.exit_code, 0) << good.output << good.errors;
    EXPECT_NE(good.output.find("ok: cluster harness, 3 servers"), std::string::npos) << good.output;
}

TEST_F(Program, SaysWhereAConfigurationIsWrong) {
    const auto bad = check(
        "handyrep:\n  cluster_name: pay\nfailover:\n  pol_interval: 500ms\nserver_defaults:\n  transport: local\nservers:\n"
        "  db1: {hostname: 127.0.0.1, pgdata: /d1, role: primary}\n  db2: {hostname: 127.0.0.2, pgdata: /d2, role: primary}\n");
    EXPECT_EQ(bad.exit_code, 5) << bad.output << bad.errors;
    EXPECT_NE(bad.output.find("checked.conf:4:"), std::string::npos) << bad.output;
    EXPECT_NE(bad.output.find("poll_interval"), std::string::npos) << "the nearest known key: " << bad.output;
    EXPECT_NE(bad.output.find("checked.conf:9:"), std::string::npos) << "two primaries: " << bad.output;
}

TEST_F(Program, DoesNotStartWithABadConfiguration) {
    const auto file = stage().cluster().folder() / "bad.conf";
    must(harness::write_private(file, "handyrep:\n  cluster_name: [1, 2]\n"));
    const auto ended =
        must(harness::run({.arguments = {harness::program(), "--config", file, "daemon"}, .folder = stage().cluster().folder()}, generous));
    EXPECT_EQ(ended.exit_code, 5) << ended.errors;
}

TEST_F(Program, MasksSecretsInConfigShow) {
    const auto shown = must(stage().daemon().cli({"config", "show"}));
    EXPECT_EQ(shown.exit_code, 0);
    EXPECT_NE(shown.output.find("superuser_pass"), std::string::npos) << shown.output;
    EXPECT_EQ(shown.output.find(stage().cluster().superuser_password().reveal()), std::string::npos);
}

TEST_F(Program, AnswersNobodyWhoDoesNotLogIn) {
    EXPECT_EQ(must(stage().daemon().http("GET", "/v1/status", {})).status, 401);
    EXPECT_EQ(must(stage().daemon().http("GET", "/v1/status", {"Authorization: Bearer wrong"})).status, 401);
    EXPECT_EQ(must(stage().daemon().http("POST", "/v1/failover", {"Content-Type: application/json"}, "{}")).status, 401);
}

TEST_F(Program, AnswersWhoeverLogsInByTokenOrByPassword) {
    EXPECT_EQ(must(stage().daemon().http("GET", "/v1/status", {bearer()})).status, 200);
    const std::string basic = "Authorization: Basic " + base64("admin:" + word_of("admin.password"));
    const auto answer = must(stage().daemon().http("GET", "/v1/status", {basic}));
    EXPECT_EQ(answer.status, 200);
    EXPECT_NE(answer.body.find("\"Healthy\""), std::string::npos) << answer.body;
}

TEST_F(Program, ChangesNothingInADryRun) {
    const auto shown = must(stage().daemon().cli({"failover", "--dry-run"}));
    EXPECT_EQ(shown.exit_code, 0) << shown.output << shown.errors;
    EXPECT_NE(shown.output.find("point of no return"), std::string::npos) << shown.output;
    EXPECT_EQ(stage().cluster().writable_servers(), std::vector<std::string>{"db1"});
    EXPECT_TRUE(stage().status().at("operation").is_null());
    EXPECT_FALSE(stage().server("db1").marked_standby());
    must(stage().cluster().wait_until_streaming({"db2", "db3"}, "db1", generous));
}

TEST_F(Program, RefusesAFailoverToAServerThatItDoesNotKnow) {
    const auto refused = must(stage().daemon().cli({"failover", "--to", "db9", "--yes"}));
    EXPECT_NE(refused.exit_code, 0);
    EXPECT_NE(refused.errors.find("db9"), std::string::npos) << refused.errors;
    EXPECT_EQ(stage().cluster().writable_servers(), std::vector<std::string>{"db1"});
}

TEST_F(Program, ExitsWithEightWhenNoDaemonAnswers) {
    const auto silent = must(stage().daemon().cli({"--url", "http://127.0.0.1:1", "status"}));
    EXPECT_EQ(silent.exit_code, 8) << silent.output << silent.errors;
}

TEST_F(Program, FailsOverToTheServerThatAPersonNames) {
    const auto ordered = must(stage().daemon().cli({"failover", "--to", "db3", "--yes"}, generous));
    EXPECT_EQ(ordered.exit_code, 0) << ordered.output << ordered.errors;
    EXPECT_EQ(stage().the_one_writable_server(), "db3");
    EXPECT_TRUE(stage().server("db1").processes().empty());
    must(stage().cluster().wait_until_streaming({"db2"}, "db3", generous));
    EXPECT_EQ(stage().row("db3").at("role"), "primary");
    EXPECT_EQ(stage().row("db1").at("must_be_down"), true);
}

/// Last: by now everything has happened that could have written a secret down.
TEST_F(Program, WritesNoSecretAnywhere) {
    const std::vector<std::string> secrets{
        stage().cluster().superuser_password().reveal(), stage().cluster().replication_password().reveal()};
    const auto expect_clean = [&](const std::string& where, const std::string& content) {
        for (const auto& secret : secrets) EXPECT_EQ(content.find(secret), std::string::npos) << where;
    };
    std::vector<std::filesystem::path> files{stage().daemon().log()};
    for (const auto& entry : std::filesystem::recursive_directory_iterator(stage().daemon().state_folder())) {
        if (entry.is_regular_file()) files.push_back(entry.path());
    }
    EXPECT_GE(files.size(), 5U);
    for (const auto& file : files) expect_clean(file.string(), must(harness::read_file(file)));
    for (const char* path :
         {"/v1/status", "/v1/check", "/v1/events?count=1000", "/v1/explain", "/v1/recording", "/v1/version", "/openapi.yaml"}) {
        expect_clean(path, must(stage().daemon().http("GET", path, {bearer()})).body);
    }
    auto processes = harness::descendants_of(stage().daemon().pid());
    processes.push_back(stage().daemon().pid());
    for (const auto process : processes) {
        for (const char* file : {"cmdline", "environ"}) {
            if (const auto content = harness::read_file(fmt::format("/proc/{}/{}", process, file))) expect_clean(file, *content);
        }
    }
    const std::string admin = word_of("admin.password");
    EXPECT_EQ(must(harness::read_file(stage().daemon().log())).find(admin), std::string::npos);
}

}  // namespace
}  // namespace handyrep::integration
