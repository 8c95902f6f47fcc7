#include "plans/undo_text.hpp"

#include "base/ensure.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <optional>

namespace handyrep::plans {

using model::ServerName;
using nlohmann::json;

namespace {

std::optional<json> to_json(const Command& command) {
    if (const auto* it = std::get_if<Reattach>(&command))
        return json{{"do", "reattach"}, {"replica", it->replica.text()}, {"upstream", it->upstream.text()}};
    if (const auto* it = std::get_if<Repoint>(&command))
        return json{{"do", "repoint"}, {"replica", it->replica.text()}, {"upstream", it->upstream.text()}};
    if (const auto* it = std::get_if<StartAgain>(&command))
        return json{{"do", "start_again"}, {"server", it->server.text()}, {"system_id", it->system_id.value}};
    if (const auto* it = std::get_if<EndSalvage>(&command)) return json{{"do", "end_salvage"}, {"candidate", it->candidate.text()}};
    if (const auto* it = std::get_if<AbandonCopy>(&command)) return json{{"do", "abandon_copy"}, {"server", it->server.text()}};
    return std::nullopt;
}

Error unknown(std::string_view what) { return {ErrorKind::invalid, fmt::format("the journal does not say how to undo a step: {}", what)}; }

Result<ServerName> server_in(const json& document, const char* member) {
    const auto found = document.find(member);
    if (found == document.end() || !found->is_string()) return unknown(fmt::format("'{}' is missing", member));
    return ServerName::parse(found->get<std::string>());
}

Result<Command> to_command(const json& document) {
    const auto word = document.is_object() ? document.value("do", json{}) : json{};
    if (word == "reattach" || word == "repoint") {
        auto replica = server_in(document, "replica");
        if (!replica) return replica.error();
        auto upstream = server_in(document, "upstream");
        if (!upstream) return upstream.error();
        if (word == "repoint") return Command{Repoint{*std::move(replica), *std::move(upstream)}};
        return Command{Reattach{*std::move(replica), *std::move(upstream)}};
    }
    if (word == "abandon_copy") {
        auto server = server_in(document, "server");
        if (!server) return server.error();
        return Command{AbandonCopy{*std::move(server)}};
    }
    if (word == "start_again") {
        auto server = server_in(document, "server");
        if (!server) return server.error();
        const auto id = document.find("system_id");
        if (id == document.end() || !id->is_number_unsigned()) return unknown("'system_id' is missing");
        return Command{StartAgain{*std::move(server), model::SystemId{id->get<std::uint64_t>()}}};
    }
    if (word == "end_salvage") {
        auto candidate = server_in(document, "candidate");
        if (!candidate) return candidate.error();
        return Command{EndSalvage{*std::move(candidate)}};
    }
    return unknown(word.is_string() ? fmt::format("'{}' is not known", word.get<std::string>()) : "a command has no name");
}

}  // namespace

std::string undo_text(const std::vector<Command>& commands) {
    json out = json::array();
    for (const Command& command : commands) {
        auto document = to_json(command);
        ensure(document.has_value(), "what a plan undoes with can be written to the journal");
        if (document) out.push_back(*std::move(document));
    }
    return out.dump();
}

Result<std::vector<Command>> parse_undo(std::string_view text) {
    const json document = json::parse(text, nullptr, false);
    if (!document.is_array()) return unknown("it is no list");
    std::vector<Command> out;
    for (const json& it : document) {
        auto command = to_command(it);
        if (!command) return command.error();
        out.push_back(*std::move(command));
    }
    return out;
}

}  // namespace handyrep::plans
