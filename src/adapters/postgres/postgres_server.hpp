// adapters/postgres/postgres_server.hpp — the port `Postgres` over libpq: one held session, taken in turns by polls and commands.
//
// Everything runs on the executor it was made with, which is one strand; the object outlives its calls. The session is
// watched while nobody uses it (`session_ended`), because a dying server speaks at once and the next poll may be far.
#pragma once

#include "adapters/postgres/answer.hpp"
#include "adapters/postgres/connection.hpp"
#include "adapters/postgres/conninfo.hpp"
#include "adapters/postgres/dialler.hpp"
#include "adapters/postgres/knowledge.hpp"
#include "base/log.hpp"
#include "base/secret.hpp"
#include "model/server.hpp"
#include "ports/host.hpp"
#include "ports/postgres.hpp"
#include "ports/turn.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace handyrep::adapters::postgres {

struct PostgresSettings {
    model::ServerDefinition server;
    Secret password{};                  // of server.database_user; empty: libpq's own passfile
    std::string database = "postgres";  // ours: heartbeats go to this one only
    std::string application_name = "handyrep";
    Duration connect_timeout = std::chrono::milliseconds{500};
    std::vector<std::pair<std::string, std::string>> options{};  // sslmode, sslrootcert, … by libpq's keywords; none by default
    std::string replication_user{};                              // for a primary_conninfo made from nothing; empty: database_user
};

/// Where and as whom the manager's own sessions connect.
[[nodiscard]] Target target_of(const PostgresSettings& settings);
/// For a replica that never had a primary_conninfo: without host and port.
[[nodiscard]] Conninfo made_conninfo(const PostgresSettings& settings);

/// Of a command that was certainly not carried out.
[[nodiscard]] Error not_sent(std::string_view why);

class PostgresServer final : public ports::Postgres {
public:
    /// `node_files`: where a password found in primary_conninfo is moved to; without it such a replica is not re-pointed.
    PostgresServer(
        PostgresSettings settings, const asio::any_io_executor& executor, ports::Clock& clock, Log& log,
        ports::NodeFiles* node_files = nullptr);
    ~PostgresServer() override;

    asio::awaitable<model::HeldSight> poll(bool beat, Instant deadline) override;
    asio::awaitable<void> session_ended() override;
    asio::awaitable<model::DialSight> dial(Instant deadline) override;
    Async<model::Details> details(Instant deadline) override;
    Async<void> detach(Instant deadline) override;
    Async<void> follow(const ports::Upstream& upstream, Instant deadline) override;
    Async<void> redial(Instant deadline) override;
    Async<void> checkpoint(Instant deadline) override;
    Async<void> prepare_to_follow(const ports::Upstream& upstream, Instant deadline) override;
    Async<void> prepare_while_down(const ports::Upstream& upstream, model::SystemId expected, Instant deadline) override;
    [[nodiscard]] ports::Login login_at(const ports::Upstream& upstream) const override;
    Async<void> set_synchronous_standby_names(const std::string& names, Instant deadline) override;
    Async<void> promote(WallTime expires, Instant deadline) override;
    Async<void> nudge(Instant deadline) override;
    Async<std::size_t> end_queries(Instant deadline) override;
    Async<model::TimelineHistory> timeline_history(Instant deadline) override;
    [[nodiscard]] std::optional<std::string> upstream_settings() const override { return remembered_; }
    void remember_upstream_settings(std::string conninfo) override;
    void drop_session() override;

private:
    /// So soon is it looked whether a change has come to pass.
    static constexpr Duration look_again = std::chrono::milliseconds{4};

    using Rows = std::vector<Row>;
    struct Question {
        Instant asked;
    };
    struct Setting {
        bool in_recovery;
        std::string value;
        std::string source;
    };

    /// A session that the server has taken and not answered yet. A server that needs longer than connect_timeout for every new one would
    /// never have one, if each were given up and begun again.
    struct Opening {
        std::shared_ptr<Connection> connection;
        Instant began;
        bool asked = false;  // who the server is
    };

    asio::awaitable<std::optional<model::HeldSight>> open_session(Instant deadline);
    void keep_opening(Opening opening);
    asio::awaitable<std::variant<Identity, model::HeldSight>> read_identity(Connection& session, bool asked, Instant deadline);
    asio::awaitable<model::HeldSight> hear_answer(Instant deadline);
    void note_end(const Ended& end);
    void forget_session();

    // What the commands are made of (commands.cpp).
    Async<Rows> ask(std::string statement, std::vector<std::string> parameters, Instant deadline);
    asio::awaitable<std::optional<Error>> make_ready(Instant deadline);
    Async<Setting> read_setting(std::string name, Instant deadline);
    Async<void> write_setting(std::string name, std::string value, Instant deadline);
    Async<void> wait_until_read_back(std::string name, std::string value, Instant deadline);
    Async<Setting> standby_conninfo(bool at_once, Instant deadline);
    Async<Setting> conninfo_of_file(Instant deadline);
    Async<Conninfo> conninfo_to(ports::Upstream upstream, std::string present, Instant deadline);
    Async<void> write_for_next_start(std::string name, std::string value, Instant deadline);
    Async<void> detach_alone(Instant deadline);
    Async<void> follow_alone(const ports::Upstream& upstream, Instant deadline);
    Async<void> redial_alone(Instant deadline);
    Async<void> end_strays(Instant deadline);
    Async<void> put_password_away(Conninfo& conninfo, Instant deadline);
    void remember(Conninfo conninfo);
    void remember_text(const std::string& conninfo);

    PostgresSettings settings_;
    ports::Clock& clock_;
    Log& log_;
    ports::NodeFiles* node_files_;
    Dialler dialler_;
    Knowledge knowledge_;
    ports::Turn turn_;
    ports::Turn changes_;        // one change of a setting at a time: each reads, then writes
    std::vector<int> strays_{};  // our backends that may still carry out a change nobody waits for any more
    std::shared_ptr<Connection> session_;
    std::optional<Opening> opening_;
    Instant accepted_since_{};  // when the last dial began that was answered
    std::optional<Identity> identity_;
    std::optional<Question> question_;                // a poll's, sent and not answered
    std::optional<model::LastWords> unreported_end_;  // for the next poll to say
    std::uint64_t ends_ = 0;                          // of sessions, so far
    std::uint64_t ends_told_ = 0;                     // to whoever waits in session_ended, or by a poll itself
    std::optional<std::string> remembered_;           // the last primary_conninfo that was not empty, without its password
    std::optional<Secret> remembered_password_;       // only when it could not be put into a passfile before a detach
};

}  // namespace handyrep::adapters::postgres
