#include "decide/rights.hpp"

#include <fmt/format.h>

#include <array>
#include <string>

namespace handyrep::decide {

namespace {

/// Of the old primary, which is stopped, marked and started again over its host, and of the one that takes over.
struct Needed {
    CheckName name;
    bool of_old_primary;
    bool of_candidate;
    bool also_a_debt = false;  // what is only a debt otherwise is needed at once here
};
constexpr std::array needed{
    Needed{CheckName::host_answers, true, false},
    Needed{CheckName::pg_ctl, true, false},
    Needed{CheckName::control_data, true, false},
    Needed{CheckName::data_directory_writable, true, false},
    Needed{CheckName::fence_drill, true, false},
    Needed{CheckName::alter_system_allowed, true, true},
    Needed{CheckName::manager_rights, true, true},
    // From every other host to the candidate: the old primary will be one that logs in there.
    Needed{CheckName::replication_login, false, true, true},
};

}  // namespace

std::optional<Error> rights_missing(
    std::span<const Check> checks, const model::ServerName& primary, const std::optional<model::ServerName>& candidate) {
    std::string text;
    for (const Needed& it : needed) {
        for (const Check& check : checks) {
            const bool counts =
                check.name == it.name && ((it.of_old_primary && check.server == primary) || (it.of_candidate && check.server == candidate));
            if (!counts || check.outcome == CheckOutcome::ok || (check.outcome == CheckOutcome::debt && !it.also_a_debt)) continue;
            text += fmt::format(
                "{}{} of {}: {}{}", text.empty() ? "" : "; ", word_for(check.name), check.server.text(), check.text,
                check.remedy.empty() ? "" : fmt::format(" ({})", check.remedy));
        }
    }
    if (text.empty()) return std::nullopt;
    return obstacle(Obstacle::not_ready, text);
}

}  // namespace handyrep::decide
