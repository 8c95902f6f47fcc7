#include "decide/reasons.hpp"

#include <fmt/format.h>

#include <iterator>

namespace handyrep::decide {

namespace {

template <class Values>
void add_part(std::string& out, std::string_view title, std::string_view about, const Values& values) {
    fmt::format_to(std::back_inserter(out), "\n## {}\n\n{}\n", title, about);
    for (const auto value : values) {
        const Page page = page_of(value);
        fmt::format_to(
            std::back_inserter(out), "\n### {}\n{}\n\n* **Evidence:** {}\n* **HandyRep:** {}\n* **You:** {}\n", word_for(value), page.means,
            page.evidence, page.handyrep, page.person);
    }
}

}  // namespace

std::string reasons_document() {
    std::string out =
        "# Reasons\n\n"
        "Every word that a decision of HandyRep is made of: in the status, the events, the HTTP side and `explain`. "
        "Made from `src/decide/reasons_of_*.cpp`; a test fails when it is out of date and says how to write it anew.\n";
    add_part(
        out, "Situations", "What is wrong with the primary: always exactly one, the first that fits in the order of decisions/0004.",
        all_situations);
    add_part(out, "Reasons", "Why HandyRep acts, or what holds it back.", all_reasons);
    add_part(
        out, "Closed gates", "Why the fence or the durability gate is shut. A person can override a gate by name, with the loss stated.",
        all_closed);
    add_part(out, "Findings", "What else is wrong: any number of them, each about one server or the set-up.", all_finding_kinds);
    return out;
}

}  // namespace handyrep::decide
