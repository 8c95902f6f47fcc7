#include "adapters/postgres/classify.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <string>
#include <string_view>

namespace handyrep::adapters::postgres {
namespace {

using model::DialOutcome;
using model::LastWords;

TEST(DialOutcomes, TellAPortThatNobodyListensAtFromANetworkThatLeadsNowhere) {
    EXPECT_EQ(outcome_of_errno(ECONNREFUSED), DialOutcome::refused);
    EXPECT_EQ(outcome_of_errno(EHOSTUNREACH), DialOutcome::unreachable);
    EXPECT_EQ(outcome_of_errno(ENETUNREACH), DialOutcome::unreachable);
    EXPECT_EQ(outcome_of_errno(ECONNRESET), DialOutcome::reset);
    EXPECT_EQ(outcome_of_errno(ETIMEDOUT), DialOutcome::connect_timeout);
}

TEST(DialOutcomes, AreReadFromTheSqlstateOfTheServersRefusal) {
    EXPECT_EQ(outcome_of_sqlstate("53300", "sorry, too many clients already"), DialOutcome::too_many_connections);
    EXPECT_EQ(outcome_of_sqlstate("28P01", "password authentication failed"), DialOutcome::authentication_failed);
    EXPECT_EQ(outcome_of_sqlstate("28000", "no pg_hba.conf entry"), DialOutcome::authentication_failed);
    EXPECT_EQ(outcome_of_sqlstate("3D000", "database \"x\" does not exist"), DialOutcome::other_refusal);
}

TEST(DialOutcomes, TellTheKindsOfCannotConnectNowApartByTheirEnglishText) {
    EXPECT_EQ(outcome_of_sqlstate("57P03", "the database system is starting up"), DialOutcome::starting_up);
    EXPECT_EQ(outcome_of_sqlstate("57P03", "the database system is shutting down"), DialOutcome::shutting_down);
    EXPECT_EQ(outcome_of_sqlstate("57P03", "the database system is in recovery mode"), DialOutcome::in_recovery);
    EXPECT_EQ(outcome_of_sqlstate("57P03", "the database system is not yet accepting connections"), DialOutcome::not_yet_accepting);
}

TEST(DialOutcomes, MeanWaitWhenTheTextIsInAnotherLanguage) {
    EXPECT_EQ(outcome_of_sqlstate("57P03", "das Datenbanksystem startet"), DialOutcome::not_yet_accepting);
}

TEST(ServersWords, AreFoundBehindTheSeverityInAnyLanguage) {
    const auto said = server_said(
        "connection to server at \"127.0.0.1\", port 5999 failed: FATAL:  28P01: password authentication failed for user \"x\"\n"
        "LOCATION:  auth_failed, auth.c:331\n");
    ASSERT_TRUE(said);
    EXPECT_EQ(said->sqlstate, "28P01");
    EXPECT_EQ(said->message, "password authentication failed for user \"x\"");
    const auto translated = server_said("Verbindung fehlgeschlagen: FATAL:  53300: zu viele Verbindungen\n");
    ASSERT_TRUE(translated);
    EXPECT_EQ(translated->sqlstate, "53300");
}

TEST(ServersWords, AreTheLastOnesWhenTheConnectionWasTriedTwice) {
    const auto said = server_said("FATAL:  28000: no entry, SSL encryption\nconnection failed: FATAL:  53300: sorry\n");
    ASSERT_TRUE(said);
    EXPECT_EQ(said->sqlstate, "53300");
}

TEST(ServersWords, AreNoneWhenOnlyTheLibrarySpeaks) {
    EXPECT_FALSE(server_said("connection to server at \"::1\", port 1 failed: Connection refused\n\tIs the server running?\n"));
    EXPECT_FALSE(server_said("server closed the connection unexpectedly"));
    EXPECT_FALSE(server_said("WARNING:  lower: not a code"));
}

TEST(TlsTrouble, SaysWhoseCertificateItIsAndWhatToDo) {
    struct Row {
        std::string_view message;
        std::string_view verdict;
        std::string_view says;
    };
    constexpr std::array rows{
        Row{"SSL error: certificate verify failed\n", "certificate has expired", "renew the server's certificate"},
        Row{"SSL error: certificate verify failed\n", "self-signed certificate in certificate chain", "must be in sslrootcert"},
        Row{"SSL error: certificate verify failed\n", "", "must be in sslrootcert"},
        Row{"server certificate for \"a\" does not match host name \"b\"\n", "", "hostname must be a name in the server's certificate"},
        Row{"server does not support SSL, but SSL was required\n", "", "switch ssl on there"},
        Row{"SSL error: sslv3 alert certificate expired\n", "", "renew the manager's certificate (sslcert"},
        Row{"SSL error: tlsv1 alert unknown ca\n", "", "ssl_ca_file"},
        Row{"root certificate file \"/x\" does not exist\nEither provide the file or change sslmode …\n", "", "correct sslrootcert"},
        Row{"could not open certificate file \"/x\": Permission denied\n", "", "correct sslcert"},
        Row{"private key file \"/x\" has group or world access; …\n", "", "correct sslkey"},
        Row{"SSL error: tlsv1 alert protocol version\n", "", "the server's log says more"},
    };
    for (const Row& row : rows) {
        const std::string message = "connection to server at \"SSL.lab\" (10.0.0.1), port 5432 failed: " + std::string(row.message);
        const auto trouble = tls_trouble(message, row.verdict);
        ASSERT_TRUE(trouble) << message;
        EXPECT_NE(trouble->find(row.says), std::string::npos) << *trouble;
        EXPECT_EQ(trouble->find("SSL.lab"), std::string::npos) << *trouble;
        EXPECT_EQ(trouble->find('\n'), std::string::npos) << *trouble;
    }
}

TEST(TlsTrouble, IsNoneWhereNobodySpokeOfIt) {
    EXPECT_FALSE(tls_trouble("connection to server at \"SSL.lab\" (10.0.0.1), port 5432 failed: Connection refused\n\tIs it there?\n", ""));
    EXPECT_FALSE(tls_trouble("connection to server at \"a\", port 1 failed: server closed the connection unexpectedly\n", ""));
}

TEST(LastWords, AreToldApartBySqlstateAndSourceFunction) {
    EXPECT_EQ(words_of("57P01", "secure_read"), LastWords::postmaster_died);
    EXPECT_EQ(words_of("57P01", "ProcessInterrupts"), LastWords::administrator);
    EXPECT_EQ(words_of("57P01", "quickdie"), LastWords::immediate_stop);
    EXPECT_EQ(words_of("57P02", "quickdie"), LastWords::backend_crash);
    EXPECT_EQ(words_of("57P01", "a_function_of_a_later_version"), LastWords::other);
    EXPECT_EQ(words_of("57P05", "ProcessInterrupts"), LastWords::other);
}

TEST(LastWords, AreNotSeenInOrdinaryErrors) {
    EXPECT_EQ(words_of("42501", "aclcheck_error"), std::nullopt);
    EXPECT_EQ(words_of("57014", "ProcessInterrupts"), std::nullopt);
}

TEST(RefusedCommands, CertainlyDidNotHappenUnlessTheErrorCameFromTheMiddle) {
    EXPECT_EQ(kind_of("42501"), ErrorKind::denied);
    EXPECT_EQ(kind_of("42883"), ErrorKind::unsupported);
    EXPECT_EQ(kind_of("22023"), ErrorKind::refused);
    EXPECT_FALSE(surely_not_done(kind_of("57014")));
    EXPECT_FALSE(surely_not_done(kind_of("53100")));
    EXPECT_FALSE(surely_not_done(kind_of("XX000")));
}

}  // namespace
}  // namespace handyrep::adapters::postgres
