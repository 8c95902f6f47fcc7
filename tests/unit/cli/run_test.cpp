#include "cli/run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

namespace handyrep::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::string_view good = R"(handyrep:
  cluster_name: pay
  state_dir: STATE
  listen: 127.0.0.1:1
passwords:
  superuser_pass: hunter2
server_defaults:
  pgdata: /data/main
servers:
  db1:
    hostname: 10.0.0.1
    role: primary
  db2:
    hostname: 10.0.0.2
  db3:
    hostname: 10.0.0.3
)";

class Folder {
public:
    Folder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "handyrep-cli-XXXXXX").string();
        path_ = ::mkdtemp(pattern.data());
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { std::filesystem::remove_all(path_); }

    [[nodiscard]] std::string write(const std::string& name, std::string text) const {
        if (const auto at = text.find("STATE"); at != std::string::npos) text.replace(at, 5, path_.string());
        const std::filesystem::path file = path_ / name;
        std::ofstream(file) << text;
        ::chmod(file.c_str(), S_IRUSR | S_IWUSR);
        return file.string();
    }

private:
    std::filesystem::path path_;
};

struct Ended {
    int exit_code;
    std::string out;
    std::string error;
};

Ended run_with(const std::vector<std::string>& arguments, const std::map<std::string, std::string>& environment = {}) {
    std::ostringstream out;
    std::ostringstream error;
    std::istringstream in;
    Surroundings surroundings{
        .out = out,
        .error = error,
        .in = in,
        .environment =
            [&](const std::string& name) {
                const auto found = environment.find(name);
                return found == environment.end() ? std::optional<std::string>{} : std::optional{found->second};
            },
        .versions = {.handyrep = "0.1.0", .libpq = "15.20"},
        .now = WallTime{},
        .daemon = [](const std::string&) { return 42; }};
    const int exit_code = run(arguments, surroundings);
    return {exit_code, out.str(), error.str()};
}

TEST(ConfigCheck, SaysOkWithClusterAndServers) {
    const Folder folder;
    const std::string file = folder.write("good.conf", std::string(good));
    const Ended ended = run_with({"config", "check", file});
    EXPECT_EQ(ended.exit_code, 0) << ended.out << ended.error;
    EXPECT_THAT(ended.out, HasSubstr(file + ": ok: cluster pay, 3 servers\n"));
}

TEST(ConfigCheck, PrintsEachProblemWithItsPlaceAndEndsWithFive) {
    const Folder folder;
    const std::string file = folder.write("bad.conf", std::string(good) + "failover:\n  poll_intervall: 1s\n  fencing: maybe\n");
    const Ended ended = run_with({"config", "check"}, {{"HANDYREP_CONFIG", file}});
    EXPECT_EQ(ended.exit_code, 5);
    EXPECT_THAT(ended.out, HasSubstr(file + ":18:3:"));
    EXPECT_THAT(ended.out, HasSubstr("did you mean poll_interval"));
    EXPECT_THAT(ended.out, HasSubstr(file + ":19:12:"));
    EXPECT_THAT(ended.out, Not(HasSubstr("ok:")));
}

TEST(ConfigCheck, RefusesPasswordsThatEverybodyCanRead) {
    const Folder folder;
    const std::string file = folder.write("open.conf", std::string(good));
    ::chmod(file.c_str(), S_IRUSR | S_IWUSR | S_IROTH);
    const Ended ended = run_with({"config", "check", file});
    EXPECT_EQ(ended.exit_code, 5);
    EXPECT_THAT(ended.out, HasSubstr("chmod o-r"));
}

std::string with_tls(const std::string& root, const std::string& certificate, const std::string& key) {
    return "handyrep: {cluster_name: pay}\nserver_defaults:\n  pgdata: /d\n  sslmode: verify-full\n  sslrootcert: " + root +
           "\n  sslcert: " + certificate + "\n  sslkey: " + key + "\nservers:\n  a: {hostname: a, role: primary}\n  b: {hostname: b}\n";
}

TEST(ConfigCheck, NamesTheKeyAndTheFileOfACertificateThatCannotBeRead) {
    const Folder folder;
    const std::string there = folder.write("m.crt", "x");
    const std::string key = folder.write("m.key", "x");
    ::chmod(key.c_str(), S_IRUSR | S_IWUSR);
    const std::string file = folder.write("tls.conf", with_tls("/nonexistent/ca.crt", there, key));
    const Ended ended = run_with({"config", "check", file});
    EXPECT_EQ(ended.exit_code, 5);
    EXPECT_EQ(
        ended.out, file +
                       ":5:16: server_defaults.sslrootcert: cannot read /nonexistent/ca.crt: No such file or directory; expected a file on "
                       "this machine that the daemon's user may read\n");
}

TEST(ConfigCheck, RefusesAPrivateKeyThatLibpqWouldRefuse) {
    const Folder folder;
    const std::string there = folder.write("m.crt", "x");
    const std::string key = folder.write("m.key", "x");
    const std::string file = folder.write("tls.conf", with_tls(there, there, key));
    ::chmod(key.c_str(), S_IRUSR | S_IWUSR);
    EXPECT_EQ(run_with({"config", "check", file}).exit_code, 0);
    ::chmod(key.c_str(), S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH);
    const Ended ended = run_with({"config", "check", file});
    EXPECT_EQ(ended.exit_code, 5);
    EXPECT_THAT(ended.out, HasSubstr("server_defaults.sslkey: others than its owner may read or change " + key));
    EXPECT_THAT(ended.out, HasSubstr("chmod "));
}

TEST(ConfigCheck, NamesAFileThatIsNotThere) {
    const Ended ended = run_with({"config", "check", "/nonexistent/pay.conf"});
    EXPECT_EQ(ended.exit_code, 5);
    EXPECT_THAT(ended.out, HasSubstr("/nonexistent/pay.conf"));
}

TEST(ConfigShow, MasksPasswords) {
    const Folder folder;
    const std::string file = folder.write("good.conf", std::string(good));
    for (const char* const format : {"table", "json", "yaml"}) {
        const Ended ended = run_with({"config", "show", "--config", file, "--output", format});
        EXPECT_EQ(ended.exit_code, 0) << ended.error;
        EXPECT_THAT(ended.out, HasSubstr("poll_interval"));
        EXPECT_THAT(ended.out, Not(HasSubstr("hunter2")));
    }
}

TEST(Replay, NamesTheFieldOfADamagedRecordingAndNeedsNoDaemon) {
    const Folder folder;
    const std::string file = folder.write("recording.json", R"({"kind": "handyrep recording", "format": 7, "handyrep": "9.9"})");
    const Ended ended = run_with({"explain", "--replay", file});
    EXPECT_EQ(ended.exit_code, 4);
    EXPECT_EQ(ended.out, "");
    EXPECT_THAT(ended.error, HasSubstr("format: the file has format 7, made by HandyRep 9.9"));
    EXPECT_THAT(ended.error, HasSubstr(file));
    EXPECT_EQ(run_with({"explain", "--replay", "/nonexistent/recording"}).exit_code, 4);
}

TEST(Cli, EndsWithEightAndAdviceWhenNobodyListens) {
    const Folder folder;
    const std::string file = folder.write("good.conf", std::string(good));
    const std::string token = folder.write("cli.token", "t0ken\n");
    const Ended ended = run_with({"status", "--config", file});
    EXPECT_EQ(ended.exit_code, 8);
    EXPECT_THAT(ended.error, HasSubstr("127.0.0.1:1"));
    EXPECT_THAT(ended.error, HasSubstr("is it running"));
    EXPECT_THAT(ended.error, Not(HasSubstr("t0ken")));
}

TEST(Cli, EndsWithEightWhenTheDaemonNeverStarted) {
    const Folder folder;
    const Ended ended = run_with({"status", "--config", folder.write("good.conf", std::string(good))});
    EXPECT_EQ(ended.exit_code, 8);
    EXPECT_THAT(ended.error, HasSubstr("never started"));
}

TEST(Cli, TellsAMonitoringSystemOnStandardOutputWhyItKnowsNothing) {
    const Ended ended = run_with({"check", "--url", "http://127.0.0.1:1"});
    EXPECT_EQ(ended.exit_code, 8);
    EXPECT_THAT(ended.out, testing::StartsWith("HANDYREP UNKNOWN - the daemon does not answer at 127.0.0.1:1"));
}

TEST(Cli, EndsWithFiveOnABadConfiguration) {
    const Ended ended = run_with({"status", "--config", "/nonexistent/pay.conf"});
    EXPECT_EQ(ended.exit_code, 5);
    EXPECT_THAT(ended.error, HasSubstr("--url"));
}

TEST(Cli, EndsWithFourOnWrongUse) {
    EXPECT_EQ(run_with({"statsu"}).exit_code, 4);
    EXPECT_EQ(run_with({"status", "--url", "https://db:8010"}).exit_code, 4);
    EXPECT_EQ(run_with({"status", "--url", "http://"}).exit_code, 4);
}

TEST(Cli, RefusesAFailoverThatNobodyCouldConfirm) {
    const Ended ended = run_with({"failover", "--url", "http://127.0.0.1:1"});
    EXPECT_EQ(ended.exit_code, 4);
    EXPECT_THAT(ended.error, HasSubstr("--yes"));
}

TEST(Cli, HandsTheConfigurationToTheDaemon) { EXPECT_EQ(run_with({"daemon", "--config", "x"}).exit_code, 42); }

TEST(Cli, PrintsVersions) {
    EXPECT_EQ(run_with({"version"}).out, "handyrep 0.1.0 (PostgreSQL client 15.20)\n");
    EXPECT_THAT(run_with({"version", "--output", "yaml"}).out, HasSubstr("handyrep: \"0.1.0\"\n"));
}

TEST(ExitCodes, FollowTheProblemsKindAndElseTheHttpStatus) {
    EXPECT_EQ(exit_code_for(409, "refused"), 6);
    EXPECT_EQ(exit_code_for(409, "conflict"), 6);
    EXPECT_EQ(exit_code_for(403, "denied"), 7);
    EXPECT_EQ(exit_code_for(504, "timed out"), 8);
    EXPECT_EQ(exit_code_for(500, "failed"), 9);
    EXPECT_EQ(exit_code_for(401, "wrong credentials"), 7);
    EXPECT_EQ(exit_code_for(429, "too many failures"), 7);
    EXPECT_EQ(exit_code_for(404, "not found"), 4);
    EXPECT_EQ(exit_code_for(503, "overloaded"), 8);
    EXPECT_EQ(exit_code_for(500, ""), 9);
}

TEST(Url, IsReadStrictly) {
    const auto plain = parse_url("http://db.example:9000/");
    ASSERT_TRUE(plain);
    EXPECT_EQ(plain->host, "db.example");
    EXPECT_EQ(plain->port, 9000);
    const auto bracketed = parse_url("http://[::1]");
    ASSERT_TRUE(bracketed);
    EXPECT_EQ(bracketed->host, "::1");
    EXPECT_EQ(bracketed->port, 8010);
    for (const char* const bad : {"db:8010", "http://db:0", "http://db:99999", "http://db:80x", "http://user@db", "http://db/v1"})
        EXPECT_FALSE(parse_url(bad)) << bad;
}

}  // namespace
}  // namespace handyrep::cli
