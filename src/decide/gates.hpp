// decide/gates.hpp — the two gates before every promotion (S2). Both must be open; a fence never opens the durability gate.
//
// Each gate is asked twice: beforehand, without touching anything, whether it could open at all; and in the operation,
// with what was then done and seen. Both answers are values that are recorded.
#pragma once

#include "decide/candidate.hpp"
#include "model/lsn.hpp"
#include "model/sync_standbys.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace handyrep::decide {

/// Why the old primary can acknowledge nothing more; strongest last. Detaching enough synchronous standbys blocks synchronous
/// commits only: it is the proof `quorum_revoked` where clients are cut as well (S4), so not before this program cuts them.
enum class Proof { nothing, witnessed, lease_expired, quorum_revoked, fence_hook, processes_gone };
[[nodiscard]] std::string_view word_for(Proof proof);

enum class Closed {
    fence_unreachable,        // no proof that the policy accepts is within reach
    fence_failed,             // it was tried, and processes are left or the mark is missing
    witness_missing,          // a replica's host cannot say whether it reaches the primary
    witness_reaches_primary,  // or says that it does
    replica_not_detached,
    silence_too_short,  // the primary's port has not been silent for silence_timeout
    loss_too_large,
    loss_unknown,           // nothing says how far the primary was
    sync_set_open,          // "*": nobody can count the members
    sync_name_shared,       // two servers bear one name of the set
    sync_member_unmanaged,  // too few, and one that is missing belongs to no configured server: it cannot be detached
    sync_member_too_old,    // too few, and one that is missing is older than 13: its receiver cannot be stopped by a reload
    sync_members_missing,   // too few detached members with a final position
    sync_unknown,           // the primary's synchronous_standby_names was never read
    not_replayed,           // a synchronous candidate has a backlog: how far its WAL is whole is not known yet
    below_acknowledged,     // the candidate is behind what synchronous standbys were seen to confirm
};
inline constexpr std::size_t closed_gates = static_cast<std::size_t>(Closed::below_acknowledged) + 1;
inline constexpr auto all_closed = each_of<Closed, closed_gates>();
[[nodiscard]] std::string_view word_for(Closed closed);

struct GateOpen {
    Proof proof = Proof::nothing;  // of the fence gate; unused by the durability gate
    std::string text;
};
struct GateClosed {
    Closed why;
    std::string text;  // with the servers and amounts at fault
};
using Gate = std::variant<GateOpen, GateClosed>;
[[nodiscard]] inline bool is_open(const Gate& gate) { return std::holds_alternative<GateOpen>(gate); }
[[nodiscard]] const std::string& text_of(const Gate& gate);

/// What the operation found out after it acted.
struct FenceOutcome {
    bool host_answered = false;  // when it was tried, also with a no
    bool processes_gone = false;
    std::string text;
};
struct FinalPosition {
    model::ServerName server;
    std::string application_name;  // as it appears in synchronous_standby_names
    bool detached = false;         // no WAL receiver was left when it was read, and none comes back
    /// Where it stands once it has replayed what it holds. Never the mere receive position where that can be told apart: the end
    /// of it may be half a record, which a primary that recovered from a crash has since replaced by others (S11).
    model::WalPosition position;
    bool replayed_all = true;  // else the position is what was received, and what of that is whole is not known yet
    model::Lsn received{0};    // where the bytes end: what a standby confirms, half a record included
};

/// What was done to the members of one synchronous set (S5): |S| - k + 1 of them must be detached and read, whatever the method.
struct Revocation {
    std::optional<GateClosed> impossible{};  // by name: nobody can count its members
    std::size_t needed = 0;
    std::size_t detached = 0;
    std::vector<std::string> missing{};  // members that are not
    std::optional<model::Lsn> highest{};
    [[nodiscard]] bool enough() const { return !impossible && detached >= needed && highest; }
};

/// How far the primary was when it last answered, and how long ago that is. The loss is "at least" the difference.
struct PrimaryEnd {
    model::Lsn flushed;
    Duration age;
};

/// Beforehand: could the policy be met?
[[nodiscard]] Gate fence_outlook(const AnalysisInput& input, const Analysis& analysis);
[[nodiscard]] Gate durability_outlook(const AnalysisInput& input, const Analysis& analysis, const Ranked& candidate);

/// In the operation.
[[nodiscard]] Gate fence_gate(
    const AnalysisInput& input, const Analysis& analysis, const FenceOutcome& fence, std::span<const FinalPosition> finals);
/// `on_disk`: where the WAL of the fenced old primary ends on its disk, when that was read: nobody was promised more (S2, S10).
[[nodiscard]] Gate durability_gate(
    const AnalysisInput& input, std::span<const FinalPosition> finals, const model::ServerName& candidate,
    const std::optional<model::WalPosition>& on_disk = {});

/// Nothing that was flushed is lost by a promotion of `chosen`. Not where that disk ends before what the old primary was seen to have
/// flushed: then it lost something itself.
[[nodiscard]] bool holds_all(const AnalysisInput& input, const FinalPosition& chosen, const std::optional<model::WalPosition>& on_disk);

/// What a promotion of a server that stands at `candidate` would lose at least; nothing when the primary was never read.
[[nodiscard]] std::optional<model::Bytes> estimated_loss(const AnalysisInput& input, model::Lsn candidate);
/// The name under which a replica counts in synchronous_standby_names, from its own primary_conninfo; its server name when that was never read.
[[nodiscard]] std::string application_name_of(const model::SavedState& saved, const model::ServerName& server);
[[nodiscard]] std::optional<PrimaryEnd> last_known_end(const AnalysisInput& input);
[[nodiscard]] Revocation revocation_of(const AnalysisInput& input, const model::SyncStandbys& set, std::span<const FinalPosition> finals);
/// Up to here enough synchronous standbys of this primary have confirmed for a commit to have been acknowledged.
[[nodiscard]] std::optional<model::Lsn> confirmed_by_set(const model::PrimaryAnswer& primary);

}  // namespace handyrep::decide
