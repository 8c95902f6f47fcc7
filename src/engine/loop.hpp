// engine/loop.hpp — the one loop of a cluster: sighting → analysis → decision → operation. Internal to engine/.
#pragma once

#include "decide/decision.hpp"
#include "engine/cluster.hpp"
#include "engine/conductor.hpp"
#include "engine/state.hpp"
#include "engine/verifier.hpp"
#include "engine/watch.hpp"

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace handyrep::engine {

/// Who orders what no person did.
inline constexpr std::string_view automation = "automation";

class Cluster::Loop {
public:
    Loop(model::ClusterDefinition definition, Surroundings surroundings);

    asio::awaitable<void> run();
    [[nodiscard]] ClusterReport report() const;
    [[nodiscard]] std::vector<model::Moment> moments() const;
    Async<OrderAnswer> order(Order order);
    Async<void> acknowledge(std::string by);
    Async<model::StandingAnswer> obey(model::StandingOrder order);
    Result<void> cancel(std::uint64_t operation, const std::string& by);
    Async<std::vector<saved::Event>> events(std::size_t count, Instant deadline);
    Async<std::vector<OperationReport>> operations(std::size_t count, Instant deadline);
    Async<Readiness> verify() { return verifier_.verify(); }
    [[nodiscard]] const std::optional<Readiness>& readiness() const { return verifier_.last(); }

private:
    /// An operation that a person waits for.
    struct Ordered {
        Order order;
        std::optional<Result<OrderAnswer>> answer;
    };
    /// Who hands the role to whom, and on whose word.
    struct Change {
        model::ServerName old_primary;
        model::ServerName candidate;
        decide::Reason reason;
        std::string by;
        std::string text;
    };
    /// An operation that is open in the journal and not being carried out: of an earlier life, or with an unknown outcome.
    struct OpenOperation {
        saved::OperationBegun begun;
        saved::OperationRecord record;
        std::uint64_t last_sequence;
    };
    struct OpenPromotion {
        OpenOperation operation;
        model::ServerName candidate;
        model::ServerName old_primary;
    };
    struct FinishPromotion {  // the promotion is known to have happened: do what follows it
        OpenPromotion open;
    };
    struct TakeBack {  // its point of no return is known not to have been reached: undo what led to it
        OpenOperation open;
    };
    struct PutBack {  // a salvage could not be ended at its time: restore_command of this server still leads to what was brought
        model::ServerName server;
    };
    /// A copy that goes on by itself, and whose operation waits until the cluster is well.
    struct SetAside {
        OpenOperation open;
        Instant not_before;
        bool in_place;  // what follows is left
    };
    struct GoOnCopying {
        SetAside what;
    };
    using Work =
        std::variant<decide::FailOver, decide::StopReturned, FinishPromotion, TakeBack, PutBack, GoOnCopying, std::shared_ptr<Ordered>>;

    // start.cpp: what the disk remembers
    asio::awaitable<void> load();
    asio::awaitable<bool> try_load();
    void begin_without_memory(const std::string& why);
    void adopt_definition(bool first_start);
    void tick();
    void note_situation();
    void review_maintenance();
    void apply_disabled();
    [[nodiscard]] model::Moment moment() const;
    void settle_possible_primary();
    void end_possible_primary(std::string_view why);
    [[nodiscard]] static bool died_unpromoted(const model::ServerEvidence& seen);
    void clear_void_entries();
    void adopt_risen_primary();
    void remember_upstreams();
    void remember_cluster();
    void remember_sync(const model::PrimaryAnswer& primary);
    void watch_first_look();
    [[nodiscard]] decide::Guards guards() const;
    void submit(Work work);
    void want_save();
    asio::awaitable<void> keep_house();

    // operations.cpp: what is done about it
    asio::awaitable<void> operate();
    asio::awaitable<void> carry_out(Work work);
    asio::awaitable<void> fail_over(decide::FailOver decision, std::string by, bool automatic, std::shared_ptr<Ordered> ordered);
    asio::awaitable<Outcome> change_primary(const plans::Plan& plan, const Change& change, Findings& findings);
    [[nodiscard]] saved::OperationBegun begun_record(
        const plans::Plan& plan, const std::string& by, decide::Reason reason, bool automatic) const;
    static void answer(Ordered& ordered, std::uint64_t number, const plans::Plan& plan, const Change& change, const Outcome& outcome);
    asio::awaitable<void> stop_returned(decide::StopReturned decision);
    asio::awaitable<void> finish_promotion(FinishPromotion work);
    asio::awaitable<void> take_back(TakeBack work);
    [[nodiscard]] std::optional<PutBack> left_of_a_salvage() const;
    asio::awaitable<void> put_back(PutBack work);
    [[nodiscard]] std::vector<plans::Command> still_ours(std::vector<plans::Command> undo) const;
    asio::awaitable<void> conclude(Conductor& conductor, Findings& findings, const Outcome& outcome);
    asio::awaitable<void> close(Conductor& conductor, const Findings& findings, std::string text);
    asio::awaitable<void> close_unended();
    asio::awaitable<void> leave_open(const saved::OperationBegun& begun, const Conductor& conductor, const Findings& findings);
    [[nodiscard]] plans::Plan plan_for(const decide::FailOver& decision) const;
    [[nodiscard]] std::string synchronous_names() const;
    void begin_operation(Findings& findings, plans::OperationKind kind, const std::string& by, const std::string& reason);
    [[nodiscard]] Conductor conductor_for(Findings& findings);
    asio::awaitable<Outcome> conduct(Conductor& conductor, const plans::Plan& plan, const saved::OperationBegun& begun);
    asio::awaitable<void> called_off();
    void make_way();
    void note_record(const saved::JournalRecord& record);
    void note_refusal(const Outcome& outcome, const std::string& text);
    void review_refusal();

    // orders.cpp: what a person wants
    /// An order that leaves the role of primary where it is: all that is to be known of it is its plan.
    struct Upkeep {
        plans::Plan plan;
        std::string text;       // "lets db3 follow db2"
        bool makes_way = true;  // where automation has to act; not what takes the primary down for a moment
    };
    using Decided = std::variant<decide::FailOver, decide::SwitchOver, decide::CopyServer, Upkeep>;
    [[nodiscard]] Result<Decided> decide_ordered(const Order& order) const;
    [[nodiscard]] Result<Decided> decide_wanted(const FailoverWanted& wanted) const;
    [[nodiscard]] Result<Decided> decide_wanted(const decide::SwitchoverWanted& wanted) const;
    [[nodiscard]] Result<Decided> decide_wanted(const decide::FollowWanted& wanted) const;
    [[nodiscard]] Result<Decided> decide_wanted(const decide::ServiceWanted& wanted) const;
    [[nodiscard]] bool needs_verify(const Wanted& wanted) const;
    [[nodiscard]] Result<Decided> decide_wanted(const decide::RejoinWanted& wanted) const;
    Async<void> ask_around(const Wanted& what);
    asio::awaitable<decide::RejoinSurvey> survey(model::ServerName server);
    asio::awaitable<void> wait_for_history() const;
    [[nodiscard]] Result<Decided> decide_wanted(const decide::CopyWanted& wanted) const;
    [[nodiscard]] plans::Plan plan_for(const decide::SwitchOver& decision) const;
    asio::awaitable<void> carry_out_order(std::shared_ptr<Ordered> ordered);
    asio::awaitable<void> switch_over(decide::SwitchOver decision, std::shared_ptr<Ordered> ordered);
    asio::awaitable<void> keep_up(Upkeep upkeep, std::shared_ptr<Ordered> ordered);

    // appointments.cpp: what a person ordered for a time
    asio::awaitable<void> keep_appointments();
    asio::awaitable<void> hold_switchover(model::ScheduledSwitchover due);

    // bring_back.cpp: what is done by policy, while all is well
    asio::awaitable<void> bring_back();
    [[nodiscard]] std::optional<model::ServerName> to_be_brought_back() const;
    struct Postponed {
        model::ServerName server;
        Instant until;
        Duration pause;
        std::string why;
    };
    // copies.cpp: data directories that are made anew
    [[nodiscard]] plans::Plan plan_for(const decide::CopyServer& decision) const;
    Async<void> read_copy_ground(decide::CopyWanted wanted);
    asio::awaitable<void> make_copy(decide::CopyServer decision, std::shared_ptr<Ordered> ordered);
    asio::awaitable<void> conduct_copy(
        Conductor& conductor, Findings& findings, saved::OperationBegun begun, asio::awaitable<Outcome> work);
    void review_set_aside();
    asio::awaitable<void> go_on_copying(GoOnCopying work);
    void resume_copy(const OpenOperation& found, bool in_place);

    // resume.cpp: what an earlier life left open
    asio::awaitable<bool> resume();
    asio::awaitable<void> resume_one(const std::vector<saved::JournalRecord>& records);

    State state_;
    ports::Bell work_bell_;
    ports::Bell done_bell_;
    ports::Bell house_bell_;
    ports::Bell appointment_bell_;
    ports::Bell call_off_bell_;
    Watch watch_;
    Verifier verifier_;
    decide::Analysis analysis_;
    decide::Decision decision_;
    decide::Situation told_ = decide::Situation::unknown;
    std::string told_next_;
    WallTime since_{};
    std::deque<model::Moment> changes_;  // the moments of the last changes, so that "why" can be asked afterwards
    std::vector<Work> waiting_;          // at most one automatic one; those of the start come first
    bool operating_ = false;
    bool makes_way_ = false;  // what runs is given up where automation has to act
    CallOff call_off_;        // of what runs
    bool stopped_ = false;
    bool ready_ = false;
    bool loaded_ = false;  // until then the disk may know better: watch, do nothing, write nothing
    bool journal_available_ = true;
    std::uint64_t last_operation_ = 0;
    std::optional<model::Refusal> refused_;
    Instant refused_at_{};
    std::string refused_on_;  // the grounds of that attempt
    std::string tried_on_;    // those of the operation that runs, or ran last; empty: it is no automatic failover
    std::optional<OperationReport> operation_;
    bool must_save_ = false;
    std::optional<model::ServerName> sync_of_;  // whose synchronous set the saved state holds
    std::optional<Instant> sync_changed_;
    /// Over, but the journal could not be told: a later life would take them for open.
    std::vector<saved::JournalRecord> unended_;
    std::vector<Postponed> postponed_;               // who could not be brought back
    std::optional<decide::RejoinSurvey> survey_;     // of the last order that needed one
    std::optional<decide::CopyGround> copy_ground_;  // as read for the last order of a copy
    std::optional<SetAside> set_aside_;
    std::optional<OpenPromotion> unsettled_;  // goes with saved.possible_primary
};

}  // namespace handyrep::engine
