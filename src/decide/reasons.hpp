// decide/reasons.hpp — what every word of a decision means and what to do about it: the one place, for people.
//
// docs/reasons.md is made from it (a test compares the two); status, explain and page may show the advice.
#pragma once

#include "decide/decision.hpp"
#include "decide/gates.hpp"
#include "decide/situation.hpp"

#include <string>
#include <string_view>

namespace handyrep::decide {

struct Page {
    std::string_view means;
    std::string_view evidence;  // what makes it so
    std::string_view handyrep;  // what HandyRep does
    std::string_view person;    // what a person should do
};
[[nodiscard]] Page page_of(Situation situation);
[[nodiscard]] Page page_of(FindingKind kind);
[[nodiscard]] Page page_of(Reason reason);
[[nodiscard]] Page page_of(Closed closed);

/// The whole of docs/reasons.md.
[[nodiscard]] std::string reasons_document();

}  // namespace handyrep::decide
