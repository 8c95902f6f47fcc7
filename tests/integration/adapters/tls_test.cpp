// What the adapter sees of a real server whose certificate is good, expired, of another name, of an unknown authority, or missing,
// and of one that does not accept ours.
#include "postgres_fixture.hpp"
#include "tests/harness/certificates.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <thread>

namespace handyrep {
namespace {

using harness::Authority;
using harness::Validity;
using model::DialOutcome;
using std::chrono::seconds;
using testing::HasSubstr;

constexpr const char* host_name = "localhost";

void must(const Result<void>& done) { ensure(done.has_value(), done ? "" : done.error().text()); }

/// One server with a certificate, and those who signed it; made at the first use.
class TlsServer {
public:
    TlsServer() {
        adapters::postgres::clear_libpq_environment();
        auto made = harness::TemporaryFolder::make();
        ensure(made.has_value(), "there is room for certificates");
        folder_ = std::move(*made);
        must(ours().make());
        must(strangers().make());
        must(ours().sign("login", "postgres"));
        must(strangers().sign("login", "postgres"));
        show(ours(), host_name, Validity::good);
        auto cluster = harness::RealCluster::make(
            {.servers = 1,
             .settings = {
                 "fsync = off", "ssl = on", fmt::format("ssl_cert_file = '{}'", (folder_->path() / "shown.crt").string()),
                 fmt::format("ssl_key_file = '{}'", (folder_->path() / "shown.key").string()),
                 fmt::format("ssl_ca_file = '{}'", (folder_->path() / "shown.ca").string())}});
        ensure(cluster.has_value(), cluster ? "" : cluster.error().text());
        cluster_ = std::move(*cluster);
    }
    [[nodiscard]] Authority ours() const { return Authority{folder_->path() / "ours"}; }
    [[nodiscard]] Authority strangers() const { return Authority{folder_->path() / "strangers"}; }
    [[nodiscard]] const harness::RealServer& server() const { return cluster_->server("db1"); }

    /// The certificate that the server shows from now on.
    void show(const Authority& signer, const std::string& subject, Validity validity) {
        must(signer.sign("server", subject, validity));
        const auto place = [&](const std::filesystem::path& from, const std::string& name) {
            const auto text = harness::read_file(from);
            ensure(text.has_value(), "a certificate was made");
            must(harness::write_private(folder_->path() / name, *text, true));
        };
        place(signer.certificate_of("server"), "shown.crt");
        place(signer.key_of("server"), "shown.key");
        place(ours().certificate(), "shown.ca");
        if (cluster_) reload();
    }
    void set(const std::string& name, const std::string& value) {
        ensure(static_cast<bool>(did(server(), fmt::format("ALTER SYSTEM SET {} = '{}'", name, value))), "a setting is changed");
        reload();
    }

private:
    /// Until a backend that is new has read it.
    void reload() {
        ensure(server().ask("SELECT pg_reload_conf()").has_value(), "the server reads its settings");
        std::this_thread::sleep_for(std::chrono::milliseconds{300});
    }
    std::unique_ptr<harness::TemporaryFolder> folder_;
    std::unique_ptr<harness::RealCluster> cluster_;
};

TlsServer& tls() {
    static TlsServer made;
    return made;
}

class Tls : public testing::Test {
protected:
    void SetUp() override { tls().show(tls().ours(), host_name, Validity::good); }

    [[nodiscard]] PostgresSettings settings(const std::string& mode) const {
        PostgresSettings out{
            .server =
                {.name = *model::ServerName::parse("db1"),
                 .hostname = host_name,
                 .port = tls().server().port,
                 .transport = model::Transport::local,
                 .ssh_key = {},
                 .ssh_config = {},
                 .pgdata = tls().server().data.string()},
            .password = tls().server().password};
        out.options = {{"sslmode", mode}, {"sslrootcert", tls().ours().certificate().string()}};
        return out;
    }
    /// As the login of postgres.
    [[nodiscard]] PostgresSettings with_login(const Authority& signer) const {
        PostgresSettings out = settings("verify-full");
        out.options.emplace_back("sslcert", signer.certificate_of("login").string());
        out.options.emplace_back("sslkey", signer.key_of("login").string());
        return out;
    }
    std::unique_ptr<PostgresServer> connect(const PostgresSettings& settings) {
        return std::make_unique<PostgresServer>(settings, loop.executor(), loop.clock, loop.log, nullptr);
    }
    model::DialSight dial(const PostgresSettings& settings) { return loop.run(connect(settings)->dial(loop.in(seconds{10}))); }
    void fails(const PostgresSettings& settings, const std::string& words) {
        const auto sight = dial(settings);
        EXPECT_EQ(sight.outcome, DialOutcome::tls_failed) << sight.message;
        EXPECT_FALSE(model::is_dead(sight.outcome));
        EXPECT_THAT(sight.message, HasSubstr(words));
    }

    Loop loop;
};

TEST_F(Tls, IsSpokenByDialPollAndReplicationConnection) {
    const auto server = connect(settings("verify-full"));
    const auto dialled = loop.run(server->dial(loop.in(seconds{10})));
    EXPECT_EQ(dialled.outcome, DialOutcome::accepted) << dialled.message;
    const auto sight = loop.run(server->poll(true, loop.in(seconds{10})));
    EXPECT_TRUE(std::holds_alternative<model::Answered>(sight)) << describe(sight);
    EXPECT_EQ(
        *tls().server().ask(
            "SELECT bool_and(ssl)::text FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'handyrep'"),
        "true");
    const auto history = loop.run(server->timeline_history(loop.in(seconds{10})));
    EXPECT_TRUE(history) << history.error().text();
}

TEST_F(Tls, FailsWhereTheCertificateExpiredWhileTheHeldSessionGoesOn) {
    const auto server = connect(settings("verify-full"));
    ASSERT_TRUE(std::holds_alternative<model::Answered>(loop.run(server->poll(true, loop.in(seconds{10})))));
    tls().show(tls().ours(), host_name, Validity::expired);
    // Often: now and then the server is so quick that the whole of TLS happens in one call of libpq.
    for (int i = 0; i < 50; ++i) fails(settings("verify-full"), "certificate has expired; renew the server's certificate");
    fails(settings("verify-ca"), "certificate has expired");
    const auto held = loop.run(server->poll(true, loop.in(seconds{10})));
    EXPECT_TRUE(std::holds_alternative<model::Answered>(held)) << describe(held);
}

TEST_F(Tls, FailsWhereTheCertificateIsOfAnotherNameUnlessOnlyTheAuthorityIsVerified) {
    tls().show(tls().ours(), "elsewhere.example", Validity::good);
    fails(settings("verify-full"), "does not match host name \"localhost\"; hostname must be a name in the server's certificate");
    EXPECT_EQ(dial(settings("verify-ca")).outcome, DialOutcome::accepted);
}

TEST_F(Tls, FailsWhereSomebodyUnknownSignedTheCertificate) {
    tls().show(tls().strangers(), host_name, Validity::good);
    fails(settings("verify-full"), "must be in sslrootcert");
    EXPECT_EQ(dial(settings("prefer")).outcome, DialOutcome::accepted) << "libpq goes on without TLS";
}

TEST_F(Tls, FailsWhereTheServerHasNone) {
    tls().set("ssl", "off");
    fails(settings("require"), "does not support SSL, but SSL was required; switch ssl on there");
    tls().set("ssl", "on");
}

TEST_F(Tls, FailsWhereTheServerDoesNotAcceptOurCertificate) {
    EXPECT_EQ(dial(with_login(tls().ours())).outcome, DialOutcome::accepted);
    fails(with_login(tls().strangers()), "unknown ca; whoever signed the manager's certificate");
    ASSERT_TRUE(tls().ours().sign("login", "postgres", Validity::expired));
    for (int i = 0; i < 20; ++i) fails(with_login(tls().ours()), "expired; renew the manager's certificate");
    // The same object sees a renewed one: files are read anew.
    const auto server = connect(with_login(tls().ours()));
    EXPECT_EQ(loop.run(server->dial(loop.in(seconds{10}))).outcome, DialOutcome::tls_failed);
    ASSERT_TRUE(tls().ours().sign("login", "postgres"));
    EXPECT_EQ(loop.run(server->dial(loop.in(seconds{10}))).outcome, DialOutcome::accepted);
}

TEST_F(Tls, FailsAndIsNoDeathWhereOurOwnFilesCannotBeUsed) {
    PostgresSettings lost = settings("verify-full");
    lost.options[1].second = "/nonexistent/ca.crt";
    fails(lost, "correct sslrootcert in handyrep.conf");
    PostgresSettings open = with_login(tls().ours());
    const auto key = tls().ours().key_of("login");
    ::chmod(key.c_str(), 0644);
    fails(open, "correct sslkey in handyrep.conf");
    ::chmod(key.c_str(), 0600);
    // Not a file at all: also root is refused.
    open.options[3].second = tls().ours().key_of("login").parent_path().string();
    fails(open, "correct sslkey in handyrep.conf");
}

TEST_F(Tls, IsNotMistakenWhereNobodyListens) {
    PostgresSettings closed = settings("verify-full");
    closed.server.port = *harness::free_port();
    EXPECT_EQ(dial(closed).outcome, DialOutcome::refused);
}

}  // namespace
}  // namespace handyrep
