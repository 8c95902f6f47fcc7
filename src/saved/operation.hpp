// saved/operation.hpp — what the journal must say of an operation so that a restarted manager can settle it (S14).
#pragma once

#include "base/result.hpp"
#include "base/time.hpp"
#include "model/names.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace handyrep::saved {

/// How one step is taken back, in the words of plans/undo_text.hpp: a later life of the manager has nothing but the journal.
struct StepUndo {
    std::string step;
    std::string commands;
    friend bool operator==(const StepUndo&, const StepUndo&) = default;
};

/// The `detail` of the record `begun`, as JSON.
struct OperationBegun {
    std::string kind;  // plans::word_for(OperationKind)
    std::string by;    // "automation" or a user
    std::string reason;
    bool automatic = true;
    std::optional<model::ServerName> old_primary;
    std::optional<model::ServerName> candidate;
    std::uint64_t epoch = 0;          // in which it began
    std::string commit_step;          // the name of the step that cannot be taken back
    std::vector<std::string> plan{};  // as --dry-run shows it, a line each
    std::vector<StepUndo> undo{};     // of the steps before the commit step, in their order; those that have one
    std::string work{};               // what a later life needs to go on with it, in the words of plans/copying.hpp; empty: it does not
    friend bool operator==(const OperationBegun&, const OperationBegun&) = default;
};
[[nodiscard]] std::string to_text(const OperationBegun& begun);
/// Fails with `invalid`, naming the member at fault.
[[nodiscard]] Result<OperationBegun> operation_begun_from_text(std::string_view text);

/// The `detail` of `starting` for a promotion: when the candidate itself drops the request, by its own clock (S8). As ISO 8601.
[[nodiscard]] std::string expiry_to_text(WallTime expires);
[[nodiscard]] Result<WallTime> expiry_from_text(std::string_view text);

}  // namespace handyrep::saved
