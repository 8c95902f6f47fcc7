// decide/decision.hpp — from an analysis to what should be done, as a value with its reason.
//
// Logs, API and page print the reason, tests compare it, nobody parses the sentence. Guards and gates are data of the
// decision: "why did you not fail over" is answered by the same value that held it back.
#pragma once

#include "decide/analysis.hpp"
#include "decide/candidate.hpp"
#include "decide/gates.hpp"
#include "model/guards.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace handyrep::decide {

enum class Reason {
    // nothing to do
    primary_answers,
    first_look_incomplete,
    suspicion_too_young,
    // situations that forbid or do not call for action
    situation_holds,
    waiting_for_grace,
    needs_real_fence,
    // guards
    writable_sighting,
    auto_failover_off,
    maintenance,
    cooldown,
    provisional_start,
    possible_primary_unresolved,
    operation_running,
    journal_unavailable,
    recently_refused,
    no_eligible_replica,
    // gates
    fence_gate_closed,
    durability_gate_closed,
    // actions
    primary_is_dead,
    crash_recovery_overran,
    planned_stop_overran,
    stall_overran,
    returned_primary_must_stop,
    ordered_by_person,
};
inline constexpr std::size_t reasons = static_cast<std::size_t>(Reason::ordered_by_person) + 1;
inline constexpr auto all_reasons = each_of<Reason, reasons>();
[[nodiscard]] std::string_view word_for(Reason reason);

/// Gates that a person opens by order, by name and with the loss stated. Never set by automation.
struct Overrides {
    bool fence = false;
    bool durability = false;
    friend bool operator==(const Overrides&, const Overrides&) = default;
};
/// Reads "fence" and "durability". Fails with `invalid` on anything else.
[[nodiscard]] Result<Overrides> parse_overrides(std::span<const std::string> words);

/// "the last attempt was refused (3 in a row): …"
/// What a person said, with who, since when, what for and until when; only that it holds, where that was not kept.
[[nodiscard]] std::string maintenance_text(const model::SavedState& saved);
[[nodiscard]] std::string pause_text(const model::SavedState& saved);
[[nodiscard]] std::string refusal_text(const model::Refusal& refusal);

struct Hold {
    Reason reason;
    std::string text;                // one sentence: what is waited for or what is in the way
    std::optional<Instant> until{};  // when this hold ends by itself
};
struct FailOver {
    Reason reason;
    model::ServerName old_primary;
    model::ServerName candidate;
    std::string text;
    Overrides overrides{};
    bool alone = false;  // nothing but the promotion: nobody is fenced, and no other replica detached or re-pointed
};
struct StopReturned {
    Reason reason;
    model::ServerName server;
    std::string text;
};
using Decision = std::variant<Hold, FailOver, StopReturned>;

using model::Guards;

[[nodiscard]] Decision decide(const AnalysisInput& input, const Analysis& analysis, const Guards& guards);

/// What an attempt rests on, in words that are only compared: while it stays, what was refused would be refused again.
[[nodiscard]] std::string grounds(const AnalysisInput& input, const Analysis& analysis);

/// The same for a failover that a person orders: guards and situation do not hold it back, gates and eligibility do. An
/// overridden gate does not either; then the decision's text says what is lost by it.
/// `wanted` empty: the best candidate. Fails with `refused`, naming the reason and the remedy.
[[nodiscard]] Result<FailOver> decide_order(
    const AnalysisInput& input, const Analysis& analysis, const std::optional<model::ServerName>& wanted, Overrides overrides = {});

/// The same for the promotion of `wanted` and nothing else. It ends no process and detaches nobody, so that only the policy 'none' opens its
/// fence gate, or the override by name.
[[nodiscard]] Result<FailOver> decide_promotion(
    const AnalysisInput& input, const Analysis& analysis, const model::ServerName& wanted, Overrides overrides = {});

}  // namespace handyrep::decide
