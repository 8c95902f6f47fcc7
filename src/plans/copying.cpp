#include "plans/copying.hpp"

#include "base/text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>

namespace handyrep::plans {

using model::ServerName;
using nlohmann::json;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

const model::ServerDefinition* find(const model::SavedState& saved, const ServerName& name) {
    const auto found = std::ranges::find(saved.servers, name, &model::ServerDefinition::name);
    return found == saved.servers.end() ? nullptr : &*found;
}

/// As it is run there, but for what only the node knows: how it logs in.
std::string program_text(const decide::CopyServer& decision, const model::SavedState& saved) {
    const auto* const target = find(saved, decision.wanted.server);
    const auto* const source = find(saved, decision.source);
    const model::CopyWishes& wishes = decision.wanted.wishes;
    std::string out = fmt::format(
        "pg_basebackup -d 'host={} port={} …' -D {}.handyrep-new -X stream -c fast -P -w", source != nullptr ? source->hostname : "",
        source != nullptr ? source->port : 0, target != nullptr ? target->pgdata : "");
    if (wishes.rate) out += fmt::format(" --max-rate={}", wishes.rate->count / 1024);
    if (!wishes.slot.empty()) out += fmt::format(" -S {}", wishes.slot);
    if (!wishes.wal_directory.empty()) out += fmt::format(" --waldir={}.handyrep-new", wishes.wal_directory);
    for (const model::TablespacePlace& it : wishes.tablespaces) out += fmt::format(" -T {}={}.handyrep-new", it.from, it.to);
    return out;
}

std::vector<Step> before_it_is_in_place(const decide::CopyServer& decision, const model::SavedState& saved) {
    const ServerName& server = decision.wanted.server;
    std::vector<Step> out;
    out.push_back(
        {.name = fmt::format("make the place on {}", server.text()),
         .why = "so that there is somebody whose the data directory is",
         .apply = {MakePlace{server}},
         .limit = hours{1}});
    out.push_back(
        {.name = fmt::format("copy {} to {}", decision.source.text(), server.text()),
         .why = "beside the data directory, which stays as it is meanwhile; it goes on without HandyRep",
         .apply = {CopyData{
             .server = server,
             .source = decision.source,
             .upstream = decision.upstream,
             .system_id = decision.system_id,
             .version = decision.version,
             .wishes = decision.wanted.wishes,
             .program = program_text(decision, saved)}},
         .undo = {AbandonCopy{server}},
         .limit = hours{7 * 24}});
    out.push_back(
        {.name = "check again",
         .why = "a copy takes long, and what was true when it began may not be true any more",
         .apply = {CheckPlace{server, decision.upstream, decision.version}},
         .limit = minutes{10}});
    return out;
}

}  // namespace

Plan copying(const decide::CopyServer& decision, const model::SavedState& saved) {
    const ServerName& server = decision.wanted.server;
    const auto* const target = find(saved, server);
    const std::string pgdata = target != nullptr ? target->pgdata : "";
    Plan plan{
        .kind = decision.wanted.replaces ? OperationKind::reclone : OperationKind::clone,
        .cluster = saved.cluster,
        .reversible = before_it_is_in_place(decision, saved),
        .commit = Step{
            .name = fmt::format("put the copy in place on {}", server.text()),
            .why = decision.text,
            .apply = {PutInPlace{
                .server = server,
                .upstream = decision.upstream,
                .system_id = decision.system_id,
                .version = decision.version,
                .slot = decision.wanted.wishes.slot,
                .pgdata = pgdata}},
            .limit = minutes{3}}};
    plan.finish.push_back(
        {{{.name = fmt::format("start {}", server.text()),
           .why = fmt::format("as a replica of {}", decision.upstream.text()),
           .apply = {StartCopy{server, decision.upstream, decision.system_id}},
           .limit = minutes{2}}}});
    if (!decision.wanted.keep_old && decision.old_directory)
        plan.finish.push_back(
            {{{.name = fmt::format("delete the old directory of {}", server.text()),
               .why = "it is needed no more once the new one streams; else it is kept",
               .apply = {DiscardOld{server, decision.upstream, pgdata}},
               .limit = minutes{1}}}});
    return plan;
}

std::string copy_text(const decide::CopyServer& decision) {
    const model::CopyWishes& wishes = decision.wanted.wishes;
    json tablespaces = json::array();
    for (const model::TablespacePlace& it : wishes.tablespaces) tablespaces.push_back({it.from, it.to});
    return json{
        {"server", decision.wanted.server.text()},
        {"replaces", decision.wanted.replaces},
        {"keep_old", decision.wanted.keep_old},
        {"rate", wishes.rate ? json(wishes.rate->count) : json(nullptr)},
        {"slot", wishes.slot},
        {"wal_directory", wishes.wal_directory},
        {"tablespaces", std::move(tablespaces)},
        {"source", decision.source.text()},
        {"upstream", decision.upstream.text()},
        {"system_id", decision.system_id.value},
        {"version", decision.version.number},
        {"old_directory", decision.old_directory},
        {"text", decision.text}}
        .dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<decide::CopyServer> parse_copy(std::string_view text) {
    const Error damaged{ErrorKind::invalid, "the journal does not say what was to be copied"};
    const json document = json::parse(text, nullptr, false);
    if (!document.is_object()) return damaged;
    try {
        auto server = ServerName::parse(document.at("server").get<std::string>());
        auto source = ServerName::parse(document.at("source").get<std::string>());
        auto upstream = ServerName::parse(document.at("upstream").get<std::string>());
        if (!server || !source || !upstream) return damaged;
        decide::CopyServer out{
            .wanted = {.server = *std::move(server)},
            .source = *source,
            .upstream = *std::move(upstream),
            .system_id = model::SystemId{document.at("system_id").get<std::uint64_t>()},
            .version = model::ServerVersion{document.at("version").get<int>()},
            .old_directory = document.at("old_directory").get<bool>(),
            .text = document.at("text").get<std::string>()};
        out.wanted.from = *std::move(source);
        out.wanted.replaces = document.at("replaces").get<bool>();
        out.wanted.keep_old = document.at("keep_old").get<bool>();
        if (!document.at("rate").is_null()) out.wanted.wishes.rate = model::Bytes{document.at("rate").get<std::uint64_t>()};
        out.wanted.wishes.slot = document.at("slot").get<std::string>();
        out.wanted.wishes.wal_directory = document.at("wal_directory").get<std::string>();
        for (const json& it : document.at("tablespaces"))
            out.wanted.wishes.tablespaces.push_back({it.at(0).get<std::string>(), it.at(1).get<std::string>()});
        return out;
    } catch (const json::exception&) {
        return damaged;
    }
}

}  // namespace handyrep::plans
