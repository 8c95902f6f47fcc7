// sim/postgres.hpp — the port `postgres` to one simulated server, as it is seen from the manager's machine.
//
// A question travels, is carried out by the server's backend when that runs, and its answer travels back; each leg meets
// the network as it is at that moment. A command that left is carried out even when nobody waits for it any more (S8).
#pragma once

#include "ports/postgres.hpp"
#include "sim/clock.hpp"
#include "sim/world.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <string>

namespace handyrep::sim {

class SimPostgres final : public ports::Postgres {
public:
    SimPostgres(World& world, std::shared_ptr<Waits> waits, ServerIndex server);
    ~SimPostgres() override;

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
    Async<std::string> conninfo_to(const ports::Upstream& upstream, Secret own, Instant deadline) override;
    Async<void> set_synchronous_standby_names(const std::string& names, Instant deadline) override;
    Async<void> offer_wal(const std::string& folder, std::uint64_t operation, Instant deadline) override;
    Async<void> end_offer(Instant deadline) override;
    Async<void> promote(WallTime expires, Instant deadline) override;
    Async<void> nudge(Instant deadline) override;
    Async<std::size_t> end_queries(Instant deadline) override;
    Async<model::TimelineHistory> timeline_history(Instant deadline) override;
    [[nodiscard]] std::optional<std::string> upstream_settings() const override { return upstream_settings_; }
    void remember_upstream_settings(std::string conninfo) override { upstream_settings_ = std::move(conninfo); }
    void drop_session() override;

    /// The manager's machine closes its sockets, as a kernel does for a process that died.
    void abandon();

private:
    struct Dialled;
    /// Gives the session's turn back, also when the coroutine is told to stop or destroyed.
    class Turn {
    public:
        explicit Turn(SimPostgres& owner) : owner_{owner} {}
        Turn(const Turn&) = delete;
        Turn& operator=(const Turn&) = delete;
        ~Turn() {
            if (under_way) owner_.let_go(true);
            owner_.give_turn();
        }
        bool under_way = false;  // a command was sent: its late answer must not be taken for another's

    private:
        SimPostgres& owner_;
    };
    using Done = std::function<void(Result<void>)>;
    /// Runs at the server; says how it went now or later.
    using Work = std::function<void(const Done&)>;

    asio::awaitable<bool> take_turn(Instant deadline);
    void give_turn();
    asio::awaitable<model::DialOutcome> attempt(Instant deadline, bool keep);
    static void answer_dial(World& world, ServerIndex server, const std::shared_ptr<Dialled>& dialled, bool keep);
    void send(const std::shared_ptr<Session>& session, std::function<void()> work);
    void ask(bool beat);
    [[nodiscard]] model::HeldSight seen(model::HeldSight sight) const;
    [[nodiscard]] static model::HeldSight look(World& world, ServerIndex server, bool beat);
    Async<void> command(std::string what, Work work, Instant deadline);
    asio::awaitable<std::optional<Error>> ready(Instant deadline);
    void let_go(bool silently);

    World& world_;
    std::shared_ptr<Waits> waits_;
    ServerIndex server_;
    std::shared_ptr<Session> session_;
    std::optional<model::LastWords> unreported_end_;
    std::optional<std::string> upstream_settings_;
    std::shared_ptr<Reply<model::HeldSight>> question_;
    Instant asked_at_{};
    Instant asked_truly_{};
    bool busy_ = false;
    std::deque<std::shared_ptr<Reply<bool>>> queue_;
    std::shared_ptr<Reply<bool>> watcher_;
    bool name_known_ = false;
};

}  // namespace handyrep::sim
