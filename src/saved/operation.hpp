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

/// The `detail` of the record `begun`, as JSON.
struct OperationBegun {
    std::string kind;  // plans::word_for(OperationKind)
    std::string by;    // "automation" or a user
    std::string reason;
    bool automatic = true;
    std::optional<model::ServerName> old_primary;
    std::optional<model::ServerName> candidate;
    std::uint64_t epoch = 0;                  // in which it began
    std::string commit_step;                  // the name of the step that cannot be taken back
    std::vector<model::ServerName> detached;  // replicas that its undo lets follow the old primary again
    friend bool operator==(const OperationBegun&, const OperationBegun&) = default;
};
[[nodiscard]] std::string to_text(const OperationBegun& begun);
/// Fails with `invalid`, naming the member at fault.
[[nodiscard]] Result<OperationBegun> operation_begun_from_text(std::string_view text);

/// The `detail` of `starting` for a promotion: when the candidate itself drops the request, by its own clock (S8). As ISO 8601.
[[nodiscard]] std::string expiry_to_text(WallTime expires);
[[nodiscard]] Result<WallTime> expiry_from_text(std::string_view text);

}  // namespace handyrep::saved
