// The HTTP side as a client meets it: a real socket, real authentication, the real service; only the cluster is recorded.
#include "adapters/system_clock/system_clock.hpp"
#include "api/openapi.hpp"
#include "api/server.hpp"
#include "base/text.hpp"
#include "cli/run.hpp"
#include "tests/unit/control/recorded_source.hpp"

#include <arpa/inet.h>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <nlohmann/json.hpp>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <sstream>
#include <thread>

namespace handyrep::api {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using Json = nlohmann::json;

class QuietLog final : public Log {
public:
    void write(Level /*level*/, std::string_view /*event*/, const std::vector<Field>& /*fields*/) override {}
};

class Folder {
public:
    Folder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "handyrep-http-XXXXXX").string();
        path = ::mkdtemp(pattern.data());
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { std::filesystem::remove_all(path); }
    std::string path;
};

/// A blocking client that sends exactly what it is told.
class Connection {
public:
    explicit Connection(std::uint16_t port) : socket_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
        const timeval limit{.tv_sec = 30, .tv_usec = 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        connected = ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection() { ::close(socket_); }

    void send(std::string_view text) const {
        while (!text.empty()) {
            const ssize_t put = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
            if (put <= 0) return;  // the server may have hung up: what it said counts
            text.remove_prefix(static_cast<std::size_t>(put));
        }
    }
    /// Head and body of one answer, or what came until the connection ended.
    std::string receive() {
        for (;;) {
            const auto head = buffer_.find("\r\n\r\n");
            if (head != std::string::npos) {
                const auto length_at = lower(buffer_.substr(0, head)).find("content-length: ");
                const std::size_t whole = head + 4 + static_cast<std::size_t>(std::atol(buffer_.c_str() + length_at + 16));
                if (buffer_.size() >= whole) {
                    std::string answer = buffer_.substr(0, whole);
                    buffer_.erase(0, whole);
                    return answer;
                }
            }
            std::array<char, 65536> part{};
            const ssize_t got = ::recv(socket_, part.data(), part.size(), 0);
            if (got <= 0) return std::exchange(buffer_, {});
            buffer_.append(part.data(), static_cast<std::size_t>(got));
        }
    }
    bool connected = false;

private:
    int socket_;
    std::string buffer_;
};

struct Answer {
    int status = 0;
    std::string head;
    std::string body;
    [[nodiscard]] Json json() const { return Json::parse(body, nullptr, false); }
};

Answer answer_in(const std::string& text) {
    const auto end = text.find("\r\n\r\n");
    if (!text.starts_with("HTTP/1.1 ") || end == std::string::npos) return {.status = 0, .head = text, .body = ""};
    return {.status = std::atoi(text.c_str() + 9), .head = text.substr(0, end), .body = text.substr(end + 4)};
}

template <class Question>
void wait_until(Question question) {
    const auto limit = std::chrono::steady_clock::now() + 30s;
    while (!question() && std::chrono::steady_clock::now() < limit) std::this_thread::sleep_for(1ms);
    EXPECT_TRUE(question());
}

class HttpTest : public testing::Test {
public:
    HttpTest() {
        auto credentials = read_credentials(folder_.path, {.admin = Secret{"correct horse"}, .read = Secret{"look only"}});
        credentials->tokens.push_back(*make_cli_token(folder_.path));
        authentication_ = std::make_unique<Authentication>(loop_.get_executor(), clock_, log_, std::move(*credentials));
        service_.add(control::cluster_name("pay"), source);
        routes_ = std::make_unique<Routes>(service_, *authentication_, log_);
        server_ = std::make_unique<Server>(loop_, Listen{.host = "127.0.0.1", .port = 0}, *routes_, log_);
        const auto opened = server_->open();
        EXPECT_TRUE(opened);
        port = *opened;
        std::ifstream file(folder_.path + "/cli.token");
        std::getline(file, token);
        thread_ = std::thread([this] { loop_.run(); });
    }
    ~HttpTest() override {
        asio::post(loop_, [this] {
            server_->close();
            loop_.stop();
        });
        thread_.join();
    }

    /// As the daemon does on SIGTERM, once nobody works on orders any more.
    void close_server() {
        asio::post(loop_, [this] {
            server_->close();
            server_->end_answers();
        });
    }

    [[nodiscard]] std::string bearer() const { return "Authorization: Bearer " + token; }

    [[nodiscard]] static std::string text_of(
        const std::string& method, const std::string& path, std::vector<std::string> headers, const std::string& body) {
        std::string request = method + " " + path + " HTTP/1.1\r\nHost: localhost\r\n";
        if (method == "POST") headers.push_back("Content-Length: " + std::to_string(body.size()));
        for (const std::string& header : headers) request += header + "\r\n";
        return request + "\r\n" + body;
    }
    [[nodiscard]] Answer ask(
        const std::string& method, const std::string& path, const std::vector<std::string>& headers, const std::string& body = "") const {
        Connection connection{port};
        connection.send(text_of(method, path, headers, body));
        return answer_in(connection.receive());
    }
    [[nodiscard]] Answer post(const std::string& path, const std::string& body) const {
        return ask("POST", path, {bearer(), "Content-Type: application/json"}, body);
    }

    /// The command line in this process, against this server.
    [[nodiscard]] std::pair<int, std::string> cli(std::vector<std::string> arguments, const std::string& typed = "") const {
        arguments.insert(arguments.end(), {"--url", "http://127.0.0.1:" + std::to_string(port)});
        std::ostringstream out;
        std::istringstream in(typed);
        cli::Surroundings surroundings{
            .out = out,
            .error = out,
            .in = in,
            .in_is_terminal = !typed.empty(),
            .environment = [this](const std::string& name) { return name == "HANDYREP_TOKEN" ? std::optional{token} : std::nullopt; },
            .versions = {},
            .now = control::wall("2026-11-22T03:04:46Z"),
            .daemon = [](const std::string&) { return 0; }};
        const int exit_code = cli::run(arguments, surroundings);
        return {exit_code, out.str()};
    }

private:
    Folder folder_;
    QuietLog log_;
    adapters::system_clock::SystemClock clock_;

public:
    control::RecordedSource source{&clock_};
    std::uint16_t port = 0;
    std::string token;

private:
    asio::io_context loop_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_{loop_.get_executor()};
    control::Service service_{clock_, control::Versions{"0.1.0", "15.20"}};
    std::unique_ptr<Authentication> authentication_;
    std::unique_ptr<Routes> routes_;
    std::unique_ptr<Server> server_;
    std::thread thread_;
};

constexpr const char* basic_admin = "Authorization: Basic YWRtaW46Y29ycmVjdCBob3JzZQ==";  // admin:correct horse
constexpr const char* basic_read = "Authorization: Basic cmVhZDpsb29rIG9ubHk=";           // read:look only
constexpr const char* basic_wrong = "Authorization: Basic YWRtaW46d3Jvbmc=";              // admin:wrong
constexpr const char* is_json = "Content-Type: application/json";

TEST_F(HttpTest, AsksForALoginAndSaysHow) {
    const Answer answer = ask("GET", "/v1/status", {});
    EXPECT_EQ(answer.status, 401);
    EXPECT_THAT(answer.head, HasSubstr("WWW-Authenticate: Basic realm=\"HandyRep\", charset=\"UTF-8\", Bearer realm=\"HandyRep\""));
    EXPECT_THAT(answer.head, HasSubstr("application/problem+json"));
    for (const char* const member : {"title", "detail", "status", "kind", "remedy"}) EXPECT_TRUE(answer.json().contains(member)) << member;
}

TEST_F(HttpTest, AnswersTheStatusToTokenAdministratorAndReader) {
    for (const std::string& header : {bearer(), std::string(basic_admin), std::string(basic_read)}) {
        const Answer answer = ask("GET", "/v1/status", {header});
        EXPECT_EQ(answer.status, 200) << answer.body;
        EXPECT_EQ(answer.json()["cluster"], "pay");
        EXPECT_EQ(answer.json()["servers"].size(), 3U);
        EXPECT_THAT(answer.head, HasSubstr("no-store"));
    }
}

TEST_F(HttpTest, RefusesAWrongLoginWithoutSayingWhatIsWrong) {
    const Answer password = ask("GET", "/v1/status", {basic_wrong});
    const Answer name = ask("GET", "/v1/status", {"Authorization: Basic bm9ib2R5Ong="});
    EXPECT_EQ(password.status, 401);
    EXPECT_EQ(password.body, name.body);
    EXPECT_EQ(ask("GET", "/v1/status", {"Authorization: Bearer " + token + "x"}).status, 401);
}

TEST_F(HttpTest, StopsAnAddressThatGuesses) {
    for (int guess = 0; guess < 5; ++guess) EXPECT_EQ(ask("GET", "/v1/status", {basic_wrong}).status, 401);
    const Answer limited = ask("GET", "/v1/status", {basic_wrong});
    EXPECT_EQ(limited.status, 429);
    EXPECT_THAT(limited.head, HasSubstr("Retry-After: "));
    EXPECT_EQ(ask("GET", "/v1/status", {bearer()}).status, 200);
}

TEST_F(HttpTest, ForbidsAReaderToOrder) {
    EXPECT_EQ(ask("POST", "/v1/failover", {basic_read, is_json}, R"({"dry_run": true})").status, 403);
    EXPECT_EQ(ask("POST", "/v1/acknowledge", {basic_read, is_json}, "{}").status, 403);
    EXPECT_EQ(ask("POST", "/v1/maintenance", {basic_read, is_json}, R"({"on": true})").status, 403);
    EXPECT_EQ(ask("POST", "/v1/automation", {basic_read, is_json}, R"({"on": false})").status, 403);
    EXPECT_TRUE(source.orders.empty());
    EXPECT_TRUE(source.standing.empty());
}

TEST_F(HttpTest, BeginsAndEndsMaintenanceAndPause) {
    const Answer begun = post("/v1/maintenance", R"({"on": true, "for_seconds": 600, "reason": "new kernel"})");
    EXPECT_EQ(begun.status, 200) << begun.body;
    EXPECT_EQ(begun.json()["changed"], true);
    EXPECT_THAT(begun.json()["text"].get<std::string>(), HasSubstr("new kernel"));
    EXPECT_EQ(post("/v1/automation", R"({"on": false})").json()["changed"], true);
    EXPECT_EQ(post("/v1/automation", R"({"on": true})").json()["changed"], true);
    EXPECT_EQ(post("/v1/maintenance", R"({"on": false})").json()["changed"], true);
    const Answer again = post("/v1/maintenance?cluster=pay", R"({"on": false})");
    EXPECT_EQ(again.status, 200) << "ending what has ended is no mistake";
    EXPECT_EQ(again.json()["changed"], false);
    const Answer past = post("/v1/maintenance", R"({"on": true, "until": "2020-01-01T00:00:00Z"})");
    EXPECT_EQ(past.status, 400);
    EXPECT_THAT(past.body, HasSubstr("is past"));
    EXPECT_EQ(post("/v1/maintenance", R"({"on": true, "for_seconds": 604801})").status, 400);
    EXPECT_EQ(ask("GET", "/v1/maintenance", {bearer()}).status, 405);
}

TEST_F(HttpTest, KnowsPathsAndMethods) {
    EXPECT_EQ(ask("GET", "/v1/nothing", {bearer()}).status, 404);
    EXPECT_EQ(ask("GET", "/v1/nothing", {}).status, 401);  // who is not logged in learns nothing about paths
    const Answer get = ask("GET", "/v1/failover", {bearer()});
    EXPECT_EQ(get.status, 405);
    EXPECT_THAT(get.head, HasSubstr("Allow: POST"));
    const Answer post_status = post("/v1/status", "{}");
    EXPECT_EQ(post_status.status, 405);
    EXPECT_THAT(post_status.head, HasSubstr("Allow: GET"));
}

TEST_F(HttpTest, VerifiesByOrderAndShowsTheLastRoundToAnybody) {
    EXPECT_EQ(ask("GET", "/v1/verify", {basic_read}).status, 409) << "nothing was verified yet";
    EXPECT_EQ(ask("POST", "/v1/verify", {basic_read, is_json}, "{}").status, 403);
    EXPECT_EQ(source.verified, 0);
    const Answer done = post("/v1/verify?server=db2", "{}");
    EXPECT_EQ(done.status, 200) << done.body;
    EXPECT_EQ(done.json()["checks"].size(), 1U);
    const Answer last = ask("GET", "/v1/verify", {basic_read});
    EXPECT_EQ(last.status, 200);
    EXPECT_EQ(last.json()["checks"].size(), 2U);
    EXPECT_EQ(source.verified, 1) << "looking at the last round makes no new one";
    EXPECT_EQ(post("/v1/verify?server=db9", "{}").status, 400);
    EXPECT_THAT(ask("DELETE", "/v1/verify", {bearer()}).head, HasSubstr("Allow: GET, POST"));
}

TEST_F(HttpTest, CarriesOutAFailoverInTheCallersName) {
    const Answer answer = post("/v1/failover", R"({"to": "db2"})");
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(answer.json()["operation"], 7);
    ASSERT_EQ(source.orders.size(), 1U);
    EXPECT_EQ(source.orders[0].by, "cli from 127.0.0.1");
    EXPECT_FALSE(source.orders[0].dry_run);
}

TEST_F(HttpTest, RefusesAnOrderItDoesNotFullyUnderstand) {
    const Answer unknown = post("/v1/failover", R"({"dry-run": true})");
    EXPECT_EQ(unknown.status, 400);
    EXPECT_THAT(unknown.json()["detail"].get<std::string>(), HasSubstr("'dry-run'"));
    EXPECT_EQ(post("/v1/failover", R"({"dry_run": "yes"})").status, 400);
    EXPECT_EQ(post("/v1/failover", "{").status, 400);
    EXPECT_EQ(post("/v1/failover?force=1", "{}").status, 400);
    EXPECT_EQ(ask("POST", "/v1/failover", {bearer(), "Content-Type: text/plain"}, "{}").status, 415);
    EXPECT_EQ(ask("POST", "/v1/failover", {bearer()}, "{}").status, 415);
    EXPECT_TRUE(source.orders.empty());
}

TEST_F(HttpTest, TellsARefusalWithItsKindAndRemedy) {
    source.refusal = Error{ErrorKind::refused, "no fence is possible: ssh to db1 fails", {"failover of cluster pay"}};
    const Answer answer = post("/v1/failover", "{}");
    EXPECT_EQ(answer.status, 409);
    EXPECT_EQ(answer.json()["kind"], "refused");
    EXPECT_THAT(answer.json()["detail"].get<std::string>(), StartsWith("no fence is possible"));
    EXPECT_FALSE(answer.json()["remedy"].get<std::string>().empty());
}

TEST_F(HttpTest, AnswersALargeBodyWith413AndEndsAHugeOne) {
    EXPECT_EQ(post("/v1/failover", R"({"to": ")" + std::string(100000, 'x') + "\"}").status, 413);
    EXPECT_NE(post("/v1/failover", std::string(3 << 20, 'x')).status, 200);
    EXPECT_EQ(ask("GET", "/v1/status", {bearer()}).status, 200);
    EXPECT_TRUE(source.orders.empty());
}

TEST_F(HttpTest, ServesOthersWhileOneClientIsSlowAndOneOrderIsLong) {
    source.takes = 1s;
    Connection slow{port};
    slow.send("GET /v1/sta");
    Connection ordering{port};
    ordering.send(text_of("POST", "/v1/failover", {bearer(), is_json}, "{}"));
    std::vector<std::future<int>> others;
    for (int number = 0; number < 20; ++number) {
        others.push_back(std::async(std::launch::async, [this] { return ask("GET", "/v1/status", {basic_admin}).status; }));
    }
    for (auto& other : others) EXPECT_EQ(other.get(), 200);
    EXPECT_EQ(answer_in(ordering.receive()).status, 200);
    slow.send("tus HTTP/1.1\r\nHost: x\r\n" + bearer() + "\r\n\r\n");
    EXPECT_EQ(answer_in(slow.receive()).status, 200);
}

TEST_F(HttpTest, TurnsAwayWhomThereIsNoRoomForUntilThereIs) {
    {
        std::vector<std::unique_ptr<Connection>> held;
        for (int number = 0; number < 64; ++number) {
            held.push_back(std::make_unique<Connection>(port));
            held.back()->send(text_of("GET", "/openapi.yaml", {}, ""));
            EXPECT_EQ(answer_in(held.back()->receive()).status, 200) << number;
        }
        EXPECT_EQ(ask("GET", "/openapi.yaml", {}).status, 0);
    }
    wait_until([this] { return ask("GET", "/openapi.yaml", {}).status == 200; });
}

TEST_F(HttpTest, KeepsAConnectionForTheNextQuestion) {
    Connection connection{port};
    for (int question = 0; question < 3; ++question) {
        connection.send(text_of("GET", "/v1/version", {bearer()}, ""));
        EXPECT_EQ(answer_in(connection.receive()).json()["libpq"], "15.20");
    }
}

TEST_F(HttpTest, CarriesAnOrderOutAlsoWhenTheClientHasGone) {
    source.takes = 100ms;
    {
        Connection connection{port};
        connection.send(text_of("POST", "/v1/failover", {bearer(), is_json}, "{}"));
        wait_until([this] { return source.begun == 1; });
    }
    wait_until([this] { return source.ended == 1; });
    EXPECT_EQ(ask("GET", "/v1/status", {bearer()}).status, 200);
}

TEST_F(HttpTest, AnswersWhatIsLeftWhenTheDaemonStops) {
    source.takes = 60s;
    Connection ordering{port};
    ordering.send(text_of("POST", "/v1/failover", {bearer(), is_json}, "{}"));
    Connection kept{port};
    kept.send(text_of("GET", "/v1/version", {bearer()}, ""));
    EXPECT_EQ(answer_in(kept.receive()).status, 200);
    wait_until([this] { return source.begun == 1; });
    close_server();
    const Answer answer = answer_in(ordering.receive());
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.json()["kind"], "stopping");
    kept.send(text_of("POST", "/v1/failover", {bearer(), is_json}, "{}"));
    EXPECT_EQ(answer_in(kept.receive()).status, 503);
    EXPECT_EQ(source.begun, 1);
}

TEST_F(HttpTest, GivesEventsInOrderAndAtMostAsManyAsAsked) {
    const Json events = ask("GET", "/v1/events?count=2", {bearer()}).json()["events"];
    ASSERT_EQ(events.size(), 2U);
    EXPECT_EQ(events[0]["operation"], 1);
    EXPECT_EQ(events[1]["fields"]["server"], "db2");
    EXPECT_EQ(ask("GET", "/v1/events?count=0", {bearer()}).status, 400);
}

TEST_F(HttpTest, ShowsItsDescriptionToEverybody) {
    const Answer answer = ask("GET", "/openapi.yaml", {});
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, openapi_text());
    for (const char* const path :
         {"/v1/status", "/v1/check", "/v1/events", "/v1/explain", "/v1/recording", "/v1/failover", "/v1/acknowledge", "/v1/maintenance",
          "/v1/automation", "/v1/version"}) {
        EXPECT_THAT(answer.body, HasSubstr(std::string("\n  ") + path + ":\n"));
    }
}

TEST_F(HttpTest, DescribesEveryMemberOfTheStatus) {
    const Json status = ask("GET", "/v1/status", {bearer()}).json();
    const std::string description(openapi_text());
    for (const auto& [member, value] : status.items()) EXPECT_THAT(description, HasSubstr("\n        " + member + ":"));
}

TEST_F(HttpTest, ExplainsAndLooksAheadAndSaysWhatItCannotAssume) {
    const Json explained = ask("GET", "/v1/explain", {bearer()}).json();
    EXPECT_EQ(explained["cluster"], "pay");
    EXPECT_EQ(explained["earlier"].size(), 1U);
    EXPECT_EQ(ask("GET", "/v1/explain?back=1", {bearer()}).status, 200);
    EXPECT_EQ(ask("GET", "/v1/explain?if=primary-died", {bearer()}).json()["primary"], "db1");
    const Answer other = ask("GET", "/v1/explain?if=moon-died", {bearer()});
    EXPECT_EQ(other.status, 400);
    EXPECT_THAT(other.body, HasSubstr("primary-died"));
    const Answer further = ask("GET", "/v1/explain?back=2", {bearer()});
    EXPECT_EQ(further.status, 400);
    EXPECT_THAT(further.body, HasSubstr("only 1 earlier changes"));
    EXPECT_EQ(ask("GET", "/v1/explain", {}).status, 401);
}

TEST_F(HttpTest, DescribesEveryMemberOfAnExplanation) {
    const std::string description(openapi_text());
    for (const char* const path : {"/v1/explain", "/v1/explain?if=primary-died"}) {
        const Json explained = ask("GET", path, {bearer()}).json();
        for (const auto& [member, value] : explained.items()) EXPECT_THAT(description, HasSubstr("\n        " + member + ":"));
    }
}

TEST_F(HttpTest, GivesTheCommandLineARecordingThatItReplaysToTheSameWords) {
    const std::string file = testing::TempDir() + "handyrep-recording-" + std::to_string(::getpid());
    EXPECT_THAT(cli({"record", "--out", file}).second, HasSubstr("explain --replay"));
    const auto [exit_code, text] = cli({"explain"});
    EXPECT_EQ(exit_code, 0);
    EXPECT_THAT(text, HasSubstr("pay  "));
    EXPECT_EQ(cli({"explain", "--replay", file}).second, text);
    EXPECT_EQ(cli({"explain", "--if-primary-died", "--replay", file}).second, cli({"explain", "--if-primary-died"}).second);
    std::remove(file.c_str());
    EXPECT_EQ(Json::parse(cli({"record"}).second)["kind"], "handyrep recording");
}

TEST_F(HttpTest, KeepsItsPortOutOfTheProgramsThatItStarts) {
    int listening = 0;
    for (int descriptor = 3; descriptor < 1024; ++descriptor) {
        sockaddr_in address{};
        socklen_t size = sizeof address;
        int accepts = 0;
        socklen_t accepts_size = sizeof accepts;
        if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0 || ntohs(address.sin_port) != port) continue;
        if (::getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &accepts_size) != 0 || accepts == 0) continue;
        ++listening;
        EXPECT_NE(::fcntl(descriptor, F_GETFD) & FD_CLOEXEC, 0);
    }
    EXPECT_EQ(listening, 1);
}

TEST_F(HttpTest, SaysWhichPortIsTaken) {
    asio::io_context loop;
    QuietLog log;
    adapters::system_clock::SystemClock clock;
    control::Service service{clock, {}};
    prepare_cryptography();
    Authentication authentication{loop.get_executor(), clock, log, {}};
    Routes routes{service, authentication, log};
    Server second{loop, Listen{.host = "127.0.0.1", .port = port}, routes, log};
    const auto opened = second.open();
    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error().text(), HasSubstr("127.0.0.1:" + std::to_string(port)));
    EXPECT_THAT(opened.error().text(), HasSubstr("handyrep.listen"));
}

TEST_F(HttpTest, ShowsTheCommandLineAStatusWithItsExitCode) {
    const auto [exit_code, out] = cli({"status"});
    EXPECT_EQ(exit_code, 1);
    EXPECT_THAT(out, HasSubstr("pay  warning  Healthy\n"));
    EXPECT_THAT(out, HasSubstr("db3   replica  lagged"));
    EXPECT_EQ(Json::parse(cli({"status", "--output", "json"}).second)["status_no"], 3);
    EXPECT_THAT(cli({"status", "--output", "yaml"}).second, HasSubstr("\nservers:\n  - name: db1\n"));
    const auto [check_code, line] = cli({"check"});
    EXPECT_EQ(check_code, 1);
    EXPECT_THAT(line, StartsWith("HANDYREP WARNING - pay"));
}

TEST_F(HttpTest, LetsTheCommandLineAskBeforeItFailsOver) {
    EXPECT_EQ(cli({"failover", "--to", "db2"}, "n\n").first, 0);
    ASSERT_EQ(source.orders.size(), 1U);
    EXPECT_TRUE(source.orders[0].dry_run);
    const auto [exit_code, out] = cli({"failover", "--to", "db2"}, "y\n");
    EXPECT_EQ(exit_code, 0);
    EXPECT_THAT(out, HasSubstr("db2 is the primary"));
    ASSERT_EQ(source.orders.size(), 3U);
    EXPECT_FALSE(source.orders[2].dry_run);
}

TEST_F(HttpTest, TellsTheCommandLineWhatWasRefusedAndEndsWithSix) {
    source.refusal = Error{ErrorKind::refused, "no fence is possible"};
    const auto [exit_code, out] = cli({"failover", "--yes"});
    EXPECT_EQ(exit_code, 6);
    EXPECT_THAT(out, HasSubstr("no fence is possible"));
}

TEST_F(HttpTest, TellsTheCommandLineThatItsTokenIsWrongAndEndsWithSeven) {
    token = "wrong";
    const auto [exit_code, out] = cli({"status"});
    EXPECT_EQ(exit_code, 7);
    EXPECT_THAT(out, HasSubstr("HANDYREP_TOKEN"));
    EXPECT_THAT(out, Not(HasSubstr("db1")));
}

TEST_F(HttpTest, EndsTheCommandLineWithEightWhenTheAnswerTakesTooLong) {
    source.takes = 2s;
    const auto [exit_code, out] = cli({"failover", "--yes", "--timeout", "200ms"});
    EXPECT_EQ(exit_code, 8);
    EXPECT_THAT(out, HasSubstr("may still be carried out"));
}

}  // namespace
}  // namespace handyrep::api
