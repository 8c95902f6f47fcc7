// How questions and steps read in a report.
#include "base/text.hpp"

#include "scenarios/scenario.hpp"

#include <fmt/format.h>

namespace handyrep::scenarios {

std::string_view word_for(FactKind kind) {
    switch (kind) {
        case FactKind::past_fork: return "past_fork";
        case FactKind::not_past_fork: return "not_past_fork";
        case FactKind::acknowledged: return "acknowledged";
        case FactKind::commit_waits: return "commit_waits";
        case FactKind::still_says_streaming: return "still_says_streaming";
        case FactKind::accepts_writes: return "accepts_writes";
        case FactKind::in_step: return "in_step";
        case FactKind::log_says: return "log_says";
    }
    return "";
}

std::string text(const Question& it) {
    std::vector<std::string> parts;
    const auto add = [&](std::string_view name, const std::optional<std::string>& value) {
        if (value) parts.push_back(fmt::format("{} {}", name, *value));
    };
    add("situation", it.situation);
    add("finding", it.finding);
    add("reason", it.reason);
    add("event", it.event);
    add("takes_writes", it.takes_writes);
    add("must_be_down", it.must_be_down);
    if (!it.replicas_of_it.empty()) parts.push_back("replicas_of_it " + join(it.replicas_of_it, " "));
    if (!it.writes_through.empty()) parts.push_back("writes_through " + join(it.writes_through, " "));
    for (const Fact& fact : it.facts)
        parts.push_back(fmt::format("{} {}{}{}", word_for(fact.kind), fact.server, fact.text.empty() ? "" : " ", fact.text));
    if (it.promoted) parts.emplace_back(*it.promoted ? "promoted" : "not promoted");
    return join(parts, ", ");
}

std::string text(const Step& step) {
    struct Teller {
        std::string operator()(const Deed& it) const {
            std::string out = fmt::format("fault {} {}", word_for(it.kind), join(it.on, " "));
            if (!it.other.empty()) out += " | " + join(it.other, " ");
            for (const auto& [name, value] : it.settings) out += fmt::format(" {} = {}", name, value);
            return it.lasts ? fmt::format("{} for {}", out, handyrep::text(*it.lasts)) : out;
        }
        std::string operator()(const End& it) const { return fmt::format("end {}", word_for(it.kind)); }
        std::string operator()(const Run& it) const { return fmt::format("run {}", handyrep::text(it.length)); }
        std::string operator()(const Order& it) const { return fmt::format("{} to {}", word_for(it.verb), it.to.value_or("the best")); }
        std::string operator()(const Until& it) const {
            return fmt::format("until {} within {}", scenarios::text(it.question), handyrep::text(it.within));
        }
    };
    return fmt::format("line {}: {}", step.line, std::visit(Teller{}, step.what));
}

}  // namespace handyrep::scenarios
