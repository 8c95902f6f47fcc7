// tests/integration/adapters/postgres_fixture.hpp — one real primary (db1) and its replica (db2) for all tests of a program.
#pragma once

#include "adapters/postgres/postgres_server.hpp"
#include "loop.hpp"
#include "tests/harness/cluster.hpp"

#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace handyrep {

using adapters::postgres::PostgresServer;
using adapters::postgres::PostgresSettings;

/// Made at the first use; gone with the program.
harness::RealCluster& cluster();
/// A folder beside the servers' in which their owner may write.
std::filesystem::path owners_folder();
/// A statement that answers no row.
testing::AssertionResult did(const harness::RealServer& server, const std::string& statement);

class RealPostgres : public testing::Test {
protected:
    /// Every test begins with db1 as primary and db2 streaming from it.
    void SetUp() override;

    [[nodiscard]] const harness::RealServer& primary() const { return cluster().server("db1"); }
    [[nodiscard]] const harness::RealServer& replica() const { return cluster().server("db2"); }

    [[nodiscard]] model::ServerDefinition definition(const harness::RealServer& of) const;
    [[nodiscard]] PostgresSettings settings(const harness::RealServer& of) const;
    std::unique_ptr<PostgresServer> connect(const harness::RealServer& of, ports::NodeFiles* node_files = nullptr);
    std::unique_ptr<PostgresServer> connect(PostgresSettings settings, ports::NodeFiles* node_files = nullptr);

    model::HeldSight poll(PostgresServer& server, Duration limit = std::chrono::seconds{10}, bool beat = true);
    /// Polls until the answer pleases `question`; nothing after a generous while.
    template <class Question>
    std::optional<model::Answered> poll_until(PostgresServer& server, Question question) {
        const Instant deadline = loop.in(std::chrono::seconds{30});
        while (loop.clock.now() < deadline) {
            const auto sight = poll(server);
            const auto* answered = std::get_if<model::Answered>(&sight);
            if (answered != nullptr && question(*answered)) return *answered;
            loop.turn_for(std::chrono::milliseconds{10});
        }
        return std::nullopt;
    }
    /// The process that serves our held session.
    static pid_t backend_of_ours(const harness::RealServer& server);

    Loop loop;
};

/// Stops a process with SIGSTOP as long as it lives.
class Frozen {
public:
    explicit Frozen(pid_t process) : process_{process} { kill(process_, SIGSTOP); }
    Frozen(const Frozen&) = delete;
    Frozen& operator=(const Frozen&) = delete;
    ~Frozen() { thaw(); }
    void thaw() { kill(process_, SIGCONT); }

private:
    pid_t process_;
};

/// What a sight is called when a test fails.
std::string describe(const model::HeldSight& sight);

}  // namespace handyrep
