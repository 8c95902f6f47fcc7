#include "adapters/system_clock/system_clock.hpp"
#include "api/authentication.hpp"
#include "api/credentials.hpp"
#include "api/limiter.hpp"
#include "api/password.hpp"
#include "base/text.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace handyrep::api {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

class Folder {
public:
    Folder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "handyrep-login-XXXXXX").string();
        path_ = ::mkdtemp(pattern.data());
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { std::filesystem::remove_all(path_); }
    [[nodiscard]] std::string path() const { return path_.string(); }
    [[nodiscard]] std::string read(const std::string& name) const {
        std::ostringstream text;
        text << std::ifstream(path_ / name).rdbuf();
        return text.str();
    }
    [[nodiscard]] bool has(const std::string& name) const { return std::filesystem::exists(path_ / name); }
    [[nodiscard]] unsigned mode(const std::string& name) const {
        struct stat about{};
        ::stat((path_ / name).c_str(), &about);
        return about.st_mode & 0777U;
    }
    void write(const std::string& name, const std::string& text) const { std::ofstream(path_ / name) << text; }

private:
    std::filesystem::path path_;
};

/// Keeps the lines, so that a test can look for a secret in them.
class KeptLog final : public Log {
public:
    void write(Level /*level*/, std::string_view event, const std::vector<Field>& fields) override {
        text += event;
        for (const Field& field : fields) text += " " + field.name + "=" + field.value;
        text += "\n";
    }
    std::string text;
};

std::string base64(std::string_view text) {
    constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    unsigned bits = 0;
    int count = 0;
    for (const char c : text) {
        bits = (bits << 8U) | static_cast<unsigned char>(c);
        for (count += 8; count >= 6; count -= 6) out += letters[(bits >> static_cast<unsigned>(count - 6)) & 63U];
    }
    if (count > 0) out += letters[(bits << static_cast<unsigned>(6 - count)) & 63U];
    while (out.size() % 4 != 0) out += '=';
    return out;
}

struct Door {
    explicit Door(Credentials credentials) : authentication{loop.get_executor(), clock, log, std::move(credentials)} {}

    std::vector<Login> try_all(const std::vector<std::string>& headers) {
        std::vector<Login> logins;
        for (const std::string& header : headers) {
            asio::co_spawn(loop, authentication.log_in(header, "10.0.0.7"), [&](const std::exception_ptr& thrown, Login login) {
                EXPECT_FALSE(thrown);
                logins.push_back(std::move(login));
            });
        }
        loop.restart();
        loop.run();
        return logins;
    }
    Login try_one(const std::string& header) { return try_all({header}).front(); }

    asio::io_context loop;
    adapters::system_clock::SystemClock clock;
    KeptLog log;
    Authentication authentication;
};

const control::Caller* caller_of(const Login& login) { return std::get_if<control::Caller>(&login); }
std::optional<NotLoggedIn::Why> why(const Login& login) {
    const auto* refused = std::get_if<NotLoggedIn>(&login);
    return refused == nullptr ? std::nullopt : std::optional{refused->why};
}

Credentials two_users(const Folder& folder) {
    return *read_credentials(folder.path(), {.admin = Secret{"correct horse"}, .read = Secret{"look only"}});
}

TEST(Password, MatchesItsOwnHashOnly) {
    prepare_cryptography();
    const auto hash = hash_password(Secret{"correct horse"});
    ASSERT_TRUE(hash);
    EXPECT_THAT(*hash, testing::StartsWith("$argon2id$v=19$m=19456,t=2,p=1$"));
    EXPECT_TRUE(password_matches(*hash, Secret{"correct horse"}));
    EXPECT_FALSE(password_matches(*hash, Secret{"correct horsf"}));
    EXPECT_FALSE(password_matches("$argon2id$damaged", Secret{"correct horse"}));
    EXPECT_FALSE(password_matches("", Secret{""}));
}

TEST(Token, HasTheDigestThatB2sumPrints) {
    prepare_cryptography();
    // printf %s abc | b2sum -l 256
    const auto expected = parse_digest("bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
    ASSERT_TRUE(expected);
    EXPECT_TRUE(same(digest_of(Secret{"abc"}), *expected));
    EXPECT_FALSE(same(digest_of(Secret{"abd"}), *expected));
    EXPECT_FALSE(parse_digest("bddd"));
}

TEST(FirstStart, MakesAPasswordThatOpensTheDoorAndIsForItsOwnerOnly) {
    const Folder folder;
    const auto credentials = read_credentials(folder.path(), {});
    ASSERT_TRUE(credentials);
    EXPECT_EQ(credentials->password_made_in, folder.path() + "/admin.password");
    EXPECT_EQ(folder.mode("admin.password"), 0600U);
    EXPECT_EQ(folder.mode("admin.hash"), 0600U);
    const std::string password(trim(folder.read("admin.password")));
    EXPECT_GE(password.size(), 20U);
    EXPECT_THAT(folder.read("admin.hash"), Not(HasSubstr(password)));
    Door door{*credentials};
    const Login login = door.try_one("Basic " + base64("admin:" + password));
    ASSERT_NE(caller_of(login), nullptr);
    EXPECT_EQ(caller_of(login)->access, control::Access::admin);
    EXPECT_EQ(caller_of(login)->from, "10.0.0.7");
}

TEST(FirstStart, IsNotRepeated) {
    const Folder folder;
    ASSERT_TRUE(read_credentials(folder.path(), {}));
    const std::string hash = folder.read("admin.hash");
    const auto again = read_credentials(folder.path(), {});
    ASSERT_TRUE(again);
    EXPECT_FALSE(again->password_made_in);
    EXPECT_EQ(folder.read("admin.hash"), hash);
}

TEST(FirstStart, MakesNoFileWhereTheConfigurationHasAPassword) {
    const Folder folder;
    ASSERT_TRUE(read_credentials(folder.path(), {.admin = Secret{"correct horse"}, .read = {}}));
    EXPECT_FALSE(folder.has("admin.password"));
    EXPECT_FALSE(folder.has("admin.hash"));
}

TEST(FirstStart, RefusesADamagedHashInsteadOfLettingAnybodyIn) {
    const Folder folder;
    folder.write("admin.hash", "\n");
    const auto credentials = read_credentials(folder.path(), {});
    ASSERT_FALSE(credentials);
    EXPECT_THAT(credentials.error().text(), HasSubstr("admin.hash is damaged"));
}

TEST(CliToken, IsMadeAnewAtEveryStartForItsOwnerOnly) {
    const Folder folder;
    ASSERT_TRUE(make_cli_token(folder.path()));
    const std::string first = folder.read("cli.token");
    EXPECT_EQ(folder.mode("cli.token"), 0600U);
    const auto second = make_cli_token(folder.path());
    ASSERT_TRUE(second);
    EXPECT_NE(folder.read("cli.token"), first);
    Credentials credentials = two_users(folder);
    credentials.tokens.push_back(*second);
    Door door{std::move(credentials)};
    EXPECT_NE(caller_of(door.try_one("Bearer " + std::string(trim(folder.read("cli.token"))))), nullptr);
    EXPECT_EQ(why(door.try_one("Bearer " + std::string(trim(first)))), NotLoggedIn::Why::wrong);
}

TEST(TokensFile, GivesEachTokenItsNameAndRole) {
    const auto tokens =
        parse_tokens("# made by ann\ngrafana read bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319  # abc\n\n", "tokens");
    ASSERT_TRUE(tokens);
    ASSERT_EQ(tokens->size(), 1U);
    EXPECT_EQ((*tokens)[0].name, "grafana");
    EXPECT_EQ((*tokens)[0].access, control::Access::read);
}

TEST(TokensFile, NamesTheLineOfAMistakeAndNeverItsContent) {
    for (const char* const bad : {"x\ngrafana read secret-token-in-clear", "x\ngrafana write bddd", "x\nlonely"}) {
        const auto tokens = parse_tokens(std::string("#") + bad, "tokens");
        ASSERT_FALSE(tokens);
        EXPECT_THAT(tokens.error().text(), HasSubstr("tokens:2:"));
        EXPECT_THAT(tokens.error().text(), Not(HasSubstr("secret-token")));
    }
}

TEST(Login, TellsAdministratorAndReaderApart) {
    const Folder folder;
    Door door{two_users(folder)};
    const Login reader = door.try_one("Basic " + base64("read:look only"));
    ASSERT_NE(caller_of(reader), nullptr);
    EXPECT_EQ(caller_of(reader)->access, control::Access::read);
    EXPECT_EQ(why(door.try_one("Basic " + base64("read:correct horse"))), NotLoggedIn::Why::wrong);
    EXPECT_EQ(why(door.try_one("Basic " + base64("root:correct horse"))), NotLoggedIn::Why::wrong);
}

TEST(Login, RefusesHeadersThatAreNotAsTheyShouldBe) {
    const Folder folder;
    Door door{two_users(folder)};
    for (const char* const bad : {"", "Basic", "Basic !!!", "Basic YWRtaW4=", "Digest x", "Bearer", "Bearer "}) {
        EXPECT_EQ(why(door.try_one(bad)), NotLoggedIn::Why::malformed) << bad;
    }
}

TEST(Login, WritesNeitherPasswordNorUnknownNameIntoTheLog) {
    const Folder folder;
    Door door{two_users(folder)};
    (void)door.try_one("Basic " + base64("my-password-typed-as-name:x"));
    (void)door.try_one("Basic " + base64("admin:almost-right"));
    (void)door.try_one("Bearer leaked-token");
    EXPECT_THAT(door.log.text, HasSubstr("login_failed"));
    for (const char* const secret : {"my-password", "almost-right", "leaked-token"}) EXPECT_THAT(door.log.text, Not(HasSubstr(secret)));
}

TEST(Login, SlowsGuessingDownAndKeepsWhoIsLoggedIn) {
    const Folder folder;
    Door door{two_users(folder)};
    const std::string right = "Basic " + base64("admin:correct horse");
    ASSERT_NE(caller_of(door.try_one(right)), nullptr);
    for (int attempt = 0; attempt < 5; ++attempt) EXPECT_EQ(why(door.try_one("Basic " + base64("admin:guess"))), NotLoggedIn::Why::wrong);
    const Login limited = door.try_one("Basic " + base64("admin:guess"));
    ASSERT_EQ(why(limited), NotLoggedIn::Why::too_many_failures);
    EXPECT_GT(std::get<NotLoggedIn>(limited).retry_after, Duration::zero());
    EXPECT_NE(caller_of(door.try_one(right)), nullptr);                                                      // remembered
    EXPECT_EQ(why(door.try_one("Basic " + base64("read:look only"))), NotLoggedIn::Why::too_many_failures);  // not remembered
}

TEST(Login, GivesABurstOfGuessesNoMoreThanItsShare) {
    const Folder folder;
    Door door{two_users(folder)};
    std::vector<std::string> guesses;
    for (int number = 0; number < 30; ++number) guesses.push_back("Basic " + base64("admin:guess" + std::to_string(number)));
    int judged = 0;
    for (const Login& login : door.try_all(guesses)) judged += why(login) == NotLoggedIn::Why::wrong ? 1 : 0;
    EXPECT_LE(judged, 7);  // five, and those that were under way at the fifth
}

TEST(Login, LetsManyInAtOnceWithOnePassword) {
    const Folder folder;
    Door door{two_users(folder)};
    const std::vector<std::string> headers(30, "Basic " + base64("admin:correct horse"));
    for (const Login& login : door.try_all(headers)) EXPECT_NE(caller_of(login), nullptr);
}

TEST(Login, ForgetsWhoWasLoggedInWhenPasswordsChange) {
    const Folder folder;
    Door door{two_users(folder)};
    const std::string right = "Basic " + base64("admin:correct horse");
    ASSERT_NE(caller_of(door.try_one(right)), nullptr);
    door.authentication.replace(*read_credentials(folder.path(), {.admin = Secret{"battery staple"}, .read = {}}));
    EXPECT_EQ(why(door.try_one(right)), NotLoggedIn::Why::wrong);
    EXPECT_NE(caller_of(door.try_one("Basic " + base64("admin:battery staple"))), nullptr);
}

TEST(Limiter, DoublesTheWaitAndForgetsAfterTenMinutes) {
    Limiter limiter;
    const Instant start{1h};
    for (int failure = 0; failure < 4; ++failure) limiter.failed("a", start);
    EXPECT_FALSE(limiter.wait_of("a", start));
    limiter.failed("a", start);
    EXPECT_EQ(limiter.wait_of("a", start), Duration{1s});
    limiter.failed("a", start);
    EXPECT_EQ(limiter.wait_of("a", start), Duration{2s});
    EXPECT_FALSE(limiter.wait_of("a", start + 3s));
    EXPECT_FALSE(limiter.wait_of("b", start));
    for (int failure = 0; failure < 40; ++failure) limiter.failed("a", start);
    EXPECT_EQ(limiter.wait_of("a", start), Duration{1min});
    limiter.failed("a", start + 11min);
    EXPECT_FALSE(limiter.wait_of("a", start + 11min));
}

}  // namespace
}  // namespace handyrep::api
