#include "saved/operation.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace handyrep::saved {

using model::ServerName;
using nlohmann::json;

namespace {

constexpr std::array<std::string_view, 11> members{"kind",  "by",          "reason", "automatic", "old_primary", "candidate",
                                                   "epoch", "commit_step", "plan",   "undo",      "work"};
constexpr std::string_view expiry_prefix = "expires ";

Error damaged(std::string_view member, std::string_view expected) {
    return {
        ErrorKind::invalid, fmt::format("the journal's description of an operation is damaged: member '{}' is not {}", member, expected)};
}

Result<std::string> read_text(const json& document, const char* member) {
    const auto found = document.find(member);
    if (found == document.end() || !found->is_string()) return damaged(member, "a text");
    return found->get<std::string>();
}

Result<std::optional<ServerName>> read_server(const json& document, const char* member) {
    const auto found = document.find(member);
    if (found == document.end()) return damaged(member, "there");
    if (found->is_null()) return std::optional<ServerName>{};
    if (!found->is_string()) return damaged(member, "a server's name");
    auto name = ServerName::parse(found->get<std::string>());
    if (!name) return damaged(member, "a server's name");
    return std::optional{*std::move(name)};
}

Result<std::vector<std::string>> read_texts(const json& document, const char* member) {
    const auto found = document.find(member);
    if (found == document.end() || !found->is_array()) return damaged(member, "a list of texts");
    std::vector<std::string> out;
    for (const json& it : *found) {
        if (!it.is_string()) return damaged(member, "a list of texts");
        out.push_back(it.get<std::string>());
    }
    return out;
}

Result<std::vector<StepUndo>> read_undo(const json& document) {
    const auto found = document.find("undo");
    if (found == document.end() || !found->is_array()) return damaged("undo", "a list of steps");
    std::vector<StepUndo> out;
    for (const json& it : *found) {
        const bool whole = it.is_array() && it.size() == 2 && it[0].is_string() && it[1].is_string();
        if (!whole) return damaged("undo", "a list of steps");
        out.push_back({it[0].get<std::string>(), it[1].get<std::string>()});
    }
    return out;
}

}  // namespace

std::string to_text(const OperationBegun& begun) {
    json document{{"kind", begun.kind},           {"by", begun.by},       {"reason", begun.reason},
                  {"automatic", begun.automatic}, {"epoch", begun.epoch}, {"commit_step", begun.commit_step}};
    document["old_primary"] = begun.old_primary ? json(begun.old_primary->text()) : json(nullptr);
    document["candidate"] = begun.candidate ? json(begun.candidate->text()) : json(nullptr);
    document["plan"] = begun.plan;
    document["undo"] = json::array();
    for (const StepUndo& it : begun.undo) document["undo"].push_back(json::array({it.step, it.commands}));
    if (!begun.work.empty()) document["work"] = begun.work;
    // A reason may hold a server's own words in any encoding; a byte that is not UTF-8 must not stop the journal.
    return document.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<OperationBegun> operation_begun_from_text(std::string_view text) {
    const json document = json::parse(text, nullptr, false);
    if (!document.is_object()) return Error{ErrorKind::invalid, "the journal's description of an operation is not a JSON object"};
    for (const auto& [member, value] : document.items()) {
        if (std::ranges::find(members, member) == members.end()) return damaged(member, "known");
    }
    const auto kind = read_text(document, "kind");
    if (!kind) return kind.error();
    const auto by = read_text(document, "by");
    if (!by) return by.error();
    const auto reason = read_text(document, "reason");
    if (!reason) return reason.error();
    const auto commit_step = read_text(document, "commit_step");
    if (!commit_step) return commit_step.error();
    const auto old_primary = read_server(document, "old_primary");
    if (!old_primary) return old_primary.error();
    const auto candidate = read_server(document, "candidate");
    if (!candidate) return candidate.error();
    auto plan = read_texts(document, "plan");
    if (!plan) return plan.error();
    auto undo = read_undo(document);
    if (!undo) return undo.error();
    const auto work = document.contains("work") ? read_text(document, "work") : Result<std::string>{std::string{}};
    if (!work) return work.error();
    const auto automatic = document.find("automatic");
    if (automatic == document.end() || !automatic->is_boolean()) return damaged("automatic", "true or false");
    const auto epoch = document.find("epoch");
    if (epoch == document.end() || !epoch->is_number_unsigned()) return damaged("epoch", "a number");
    return OperationBegun{
        *kind,
        *by,
        *reason,
        automatic->get<bool>(),
        *old_primary,
        *candidate,
        epoch->get<std::uint64_t>(),
        *commit_step,
        *std::move(plan),
        *std::move(undo),
        *work};
}

std::string expiry_to_text(WallTime expires) { return std::string(expiry_prefix) + handyrep::text(expires); }

Result<WallTime> expiry_from_text(std::string_view text) {
    if (!text.starts_with(expiry_prefix))
        return Error{ErrorKind::invalid, fmt::format("'{}' does not say when the promotion expires", text.substr(0, 80))};
    return parse_wall_time(text.substr(expiry_prefix.size()));
}

}  // namespace handyrep::saved
