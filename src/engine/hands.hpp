// engine/hands.hpp — turns one command of a plan into calls on ports, and keeps what they found out.
//
// Carrying out a command that already holds succeeds and changes nothing. After `timed_out`, `unreachable` or `failed` the
// command may still take effect; after any other error it certainly did not and will not. Decides nothing: the gates are
// asked of decide/, with what was found.
#pragma once

#include "decide/loss.hpp"
#include "engine/state.hpp"
#include "model/wal_end.hpp"
#include "plans/plan.hpp"
#include "saved/operation_record.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace handyrep::engine {

/// What the steps of one operation found out so far.
struct Findings {
    std::uint64_t operation = 0;
    bool automatic = true;
    bool upkeep = false;  // leaves the role of primary where it is
    decide::FenceOutcome fence;
    std::vector<decide::FinalPosition> finals;
    std::optional<decide::Gate> fence_gate;
    std::optional<decide::Gate> durability_gate;
    decide::LossBounds loss;
    std::optional<ports::StopReport> stopped;   // the old primary of a switchover
    std::optional<Instant> silenced;            // no process of the old primary was left
    std::optional<decide::PrimaryEnd> old_end;  // what the loss at least rests on
    std::optional<model::WalPosition> old_position;
    std::optional<model::WalEnd> lost;              // read on the old primary's disk
    std::optional<model::WalPosition> on_disk;      // where its WAL ends there, read before the promotion
    std::optional<bool> salvage_left;               // restore_command or folder are to be put back; nothing: not known in this life
    std::optional<model::ServerName> better;        // holds more WAL than the candidate: the next plan is for this one
    std::optional<model::TimelineHistory> history;  // of the promoted server
    std::optional<WallTime> expires;                // of the promotion, by the candidate's clock
    std::optional<WallTime> taken;                  // by the same clock, when it said that it took the request

    /// Told how far a copy is.
    std::function<void(const saved::ProgressRecord&)> on_progress{};

    /// The last switch of the promoted server's history: where it left the old primary's WAL.
    [[nodiscard]] std::optional<model::TimelineSwitch> fork() const {
        if (!history || history->switches().empty()) return std::nullopt;
        return history->switches().back();
    }
};

/// WAL on a fenced server's disk that a candidate lacks.
struct Missing {
    model::WalPosition from;  // where the candidate has replayed
    model::WalEnd end;
    model::Bytes bytes;  // that it has not even received
};

class Hands {
public:
    Hands(State& state, Findings& findings) : state_{state}, findings_{findings} {}

    Async<void> carry_out(const plans::Command& command, Instant deadline);

    /// The candidate's own clock `limit` from now: after it the server itself drops the promotion (S8).
    [[nodiscard]] Result<WallTime> expiry_for(const model::ServerName& candidate, Duration limit) const;

private:
    Async<void> fence(const plans::Fence& command, Instant deadline);
    Async<void> detach(const plans::Detach& command, Instant deadline);
    Async<void> read_final_position(const plans::ReadFinalPosition& command, Instant deadline);
    [[nodiscard]] std::optional<Error> writable_veto() const;
    [[nodiscard]] std::optional<Error> life_veto() const;
    Async<void> ask_once_more(const model::ServerName& server, Instant deadline);
    Async<void> check_gates(const plans::CheckGates& command);
    void pass_by_order(decide::Gate& gate, bool overridden, std::string_view name);
    Async<void> salvage(const plans::Salvage& command, Instant deadline);
    [[nodiscard]] std::optional<bool> left_before(const model::ServerName& candidate) const;
    Async<Missing> read_missing(const plans::Salvage& command, Instant deadline);
    Async<void> bring_missing_wal(const plans::Salvage& command, Instant deadline);
    Async<void> copy_wal(const plans::Salvage& command, const Missing& missing, Instant deadline);
    Async<void> replay_to(const plans::Salvage& command, const Missing& missing, Instant deadline);
    Async<void> end_salvage(const plans::EndSalvage& command, Instant deadline);
    Async<void> promote(const plans::Promote& command, Instant deadline);
    Async<void> ask_to_promote(const plans::Promote& command, WallTime expires, Instant deadline);
    Async<void> watch_promotion(plans::Promote command, Instant deadline);
    asio::awaitable<void> end_queries(model::ServerName server, Instant deadline);
    Async<void> record(const plans::RecordPromotion& command, Instant deadline);
    Async<void> repoint(const plans::Repoint& command, Instant deadline);
    Async<void> catch_up(const plans::CatchUp& command, Instant deadline);
    Async<void> prepare_to_follow(const plans::PrepareToFollow& command, Instant deadline);
    Async<void> stop_cleanly(const plans::StopCleanly& command, Instant deadline);
    Async<void> start_again(const plans::StartAgain& command, Instant deadline);
    Async<void> check_handover(const plans::CheckHandover& command, Instant deadline);
    Async<void> start_as_replica(const plans::StartAsReplica& command, Instant deadline);
    Async<void> start_replica(const plans::StartReplica& command, Instant deadline);
    Async<void> restart_replica(const plans::RestartReplica& command, Instant deadline);
    Async<void> see_it_answer(const model::ServerName& replica, const std::optional<model::ServerName>& upstream, Instant deadline);
    Async<void> rewind(const plans::Rewind& command, Instant deadline);
    Async<void> prepare_down(const plans::PrepareDown& command, Instant deadline);
    Async<void> hold_down(const plans::HoldDown& command, Instant deadline);
    Async<void> start_rejoined(const plans::StartRejoined& command, Instant deadline);
    void tell_rewind(const model::ServerName& server, const model::RewindProgress& progress);
    void tell_saved(const model::ServerName& server, const model::DivergedWal& saved);
    Async<void> let_take_part(const model::ServerName& server);
    [[nodiscard]] std::optional<Error> may_not_be_primary_again(const model::ServerName& server) const;
    void open_handover_gates(const plans::CheckHandover& command, model::WalPosition position);
    Async<void> see_it_follow(const model::ServerName& replica, const model::ServerName& upstream, Duration patience, Instant deadline);
    Async<void> read_loss(const plans::ReadLoss& command, Instant deadline);

    // hands_copy.cpp
    struct CopyPace {
        std::optional<Instant> since{};  // it was first looked at
        model::Bytes first{};
        Instant moved{};
        model::Bytes last{};
    };
    Async<void> carry_out_copy(const plans::Command& command, Instant deadline);
    Async<void> make_place(const plans::MakePlace& command, Instant deadline);
    Async<void> copy_data(const plans::CopyData& command, Instant deadline);
    Async<void> begin_copy(const plans::CopyData& command, Instant deadline);
    Async<std::string> conninfo_of_copy(const model::ServerName& server, const model::ServerName& upstream, Instant deadline);
    void note_progress(const model::CopyProgress& seen, CopyPace& pace) const;
    Async<void> abandon_copy(const plans::AbandonCopy& command, Instant deadline);
    Async<void> check_place(const plans::CheckPlace& command, Instant deadline);
    Async<void> put_in_place(const plans::PutInPlace& command, Instant deadline);
    Async<void> start_copy(const plans::StartCopy& command, Instant deadline);
    Async<void> discard_old(const plans::DiscardOld& command, Instant deadline);

    Async<void> follow(const model::ServerName& replica, const model::ServerName& upstream, Instant deadline);
    Async<void> restart(const model::ServerName& replica, Instant deadline);

    /// One look through the held session, which also goes into the evidence.
    asio::awaitable<model::HeldSight> look(const model::ServerName& server, Instant deadline);
    void tell_promotion(const plans::RecordPromotion& command);
    void tell_loss(const plans::ReadLoss& command, const model::TimelineSwitch& fork, const model::WalEnd& read);
    void note_final(const model::ServerName& server, const model::Answered& answer, bool replayed_whole);

    State& state_;
    Findings& findings_;
};

}  // namespace handyrep::engine
