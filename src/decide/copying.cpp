#include "decide/copying.hpp"

#include "base/text.hpp"
#include "decide/look.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace handyrep::decide {

using model::ServerName;
using model::Standing;

namespace {

/// Of what a copy takes besides the databases: WAL of the time that it takes, and what PostgreSQL itself needs.
constexpr std::uint64_t room_besides = 64ULL << 20U;

const model::ServerDefinition* find(const AnalysisInput& input, const ServerName& name) {
    const auto found = std::ranges::find(input.saved.servers, name, &model::ServerDefinition::name);
    return found == input.saved.servers.end() ? nullptr : &*found;
}

/// What it says now; nothing when it is not seen, or not as ours.
const model::Answered* fresh_answer(const AnalysisInput& input, const ServerName& name) {
    const auto* const seen = input.evidence.find(name);
    if (seen == nullptr || !seen->held || input.now - seen->held->at > held_freshness(input.settings)) return nullptr;
    const auto* const answer = std::get_if<model::Answered>(&seen->held->what);
    return answer != nullptr && input.saved.system_id == answer->system_id ? answer : nullptr;
}

std::optional<Error> target_unfit(const AnalysisInput& input, const CopyWanted& wanted) {
    const std::string& name = wanted.server.text();
    if (find(input, wanted.server) == nullptr) return obstacle(Obstacle::unknown_server, fmt::format("there is no server called {}", name));
    if (!input.saved.primary) return obstacle(Obstacle::no_primary, "nobody holds the role of primary, so nobody could be followed");
    if (wanted.server == *input.saved.primary)
        return obstacle(Obstacle::is_primary, fmt::format("{} is the primary: hand the role over first ('handyrep switchover')", name));
    if (input.saved.possible_primary && input.saved.possible_primary->server == wanted.server)
        return obstacle(Obstacle::is_primary, fmt::format("{} was told to promote and may have: it must be seen or stopped first", name));
    const auto writers = writable_sightings(input);
    if (std::ranges::find(writers, wanted.server) != writers.end())
        return obstacle(Obstacle::is_primary, fmt::format("{} takes writes: stop it first, and look at what it took", name));
    return std::nullopt;
}

std::optional<Error> primary_unfit(const AnalysisInput& input, const Analysis& analysis) {
    if (analysis.situation == Situation::healthy && !analysis.primary_suspected && analysis.writable == input.saved.primary)
        return std::nullopt;
    return obstacle(
        Obstacle::primary_not_healthy, fmt::format(
                                           "{}{}; a copy would have nobody to follow", sentence_for(analysis.situation),
                                           analysis.primary_suspected ? ", and the primary is suspected" : ""));
}

std::optional<Error> source_unfit(const AnalysisInput& input, const CopyWanted& wanted, const ServerName& source) {
    const auto unfit = [&](std::string_view why) { return obstacle(Obstacle::source_unfit, fmt::format("{} {}", source.text(), why)); };
    if (find(input, source) == nullptr)
        return obstacle(Obstacle::unknown_server, fmt::format("there is no server called {}", source.text()));
    if (source == wanted.server) return unfit("cannot be copied to itself: say another with --from");
    if (input.saved.barred(source) != nullptr) return unfit("was failed over from and does not follow its successor: copy another");
    const model::Answered* const answer = fresh_answer(input, source);
    if (answer == nullptr) return unfit("is not seen as a server of this cluster: copy another, or wait until it answers");
    const model::StandbyAnswer* const standby = answer->standby();
    if (standby == nullptr) {
        if (source != input.saved.primary) return unfit("is out of recovery without being the primary: copy another");
        return std::nullopt;
    }
    if (standby->replay_paused) return unfit("has its replay paused, and a backup of it would wait for ever: resume it, or copy another");
    if (standby->apply_delay > Duration::zero()) return unfit("applies WAL with a delay (recovery_min_apply_delay): copy another");
    if (!standby->receiver) return unfit("follows nobody at the moment: copy another");
    return std::nullopt;
}

std::optional<Error> place_unfit(const AnalysisInput& input, const CopyWanted& wanted, const Result<model::TargetLook>& look) {
    const std::string& name = wanted.server.text();
    const std::string& pgdata = find(input, wanted.server)->pgdata;
    if (!look) {
        const bool no_rights = look.error().kind == ErrorKind::denied;
        return obstacle(
            no_rights ? Obstacle::no_rights : Obstacle::host_not_reached,
            fmt::format("the place of the data of {} could not be looked at: {}", name, look.error().text()));
    }
    if (look->processes > 0)
        return obstacle(Obstacle::still_runs, fmt::format("{} processes hold {} of {}: stop it first", look->processes, pgdata, name));
    if (look->standing == Standing::unidentified)
        return obstacle(
            Obstacle::directory_unidentified,
            fmt::format(
                "what stands at {} of {} is neither empty nor a data directory that can be read: look at it, and move it away", pgdata,
                name));
    if (look->standing == Standing::database && look->system_id != input.saved.system_id)
        return obstacle(
            Obstacle::foreign_system, fmt::format(
                                          "{} of {} belongs to another system ({}): nothing is done to it; move it away if it may go",
                                          pgdata, name, look->system_id ? look->system_id->value : 0));
    if (look->standing == Standing::database && !wanted.replaces)
        return obstacle(
            Obstacle::directory_not_empty,
            fmt::format("a data directory of this cluster stands at {} of {}: 'handyrep reclone {}' replaces it", pgdata, name, name));
    if (!look->impediment.empty())
        return obstacle(Obstacle::no_rights, fmt::format("nothing can be put at {} of {}: {}", pgdata, name, look->impediment));
    return std::nullopt;
}

std::optional<Error> no_space(const CopyWanted& wanted, const CopyGround& ground) {
    if (!ground.size || !ground.target || !ground.target->room) return std::nullopt;
    const std::uint64_t needed = ground.size->count + room_besides;
    if (ground.target->room->free.count >= needed) return std::nullopt;
    return obstacle(
        Obstacle::no_space,
        fmt::format(
            "{} are free where the data of {} is to be, and the copy takes {}{}; make room there",
            bytes_text(ground.target->room->free.count), wanted.server.text(), bytes_text(needed),
            ground.target->standing == Standing::database ? " beside the old directory, which goes only once the new one streams" : ""));
}

std::string text_of(const CopyWanted& wanted, const ServerName& source, bool old_directory, const std::string& pgdata) {
    const std::string what = fmt::format("makes {} anew as a copy of {}", wanted.server.text(), source.text());
    if (!old_directory) return what;
    return fmt::format(
        "{}; its present directory {} is set aside{}", what, pgdata,
        wanted.keep_old ? " and kept" : ", and DELETED once the new one streams");
}

}  // namespace

Result<ServerName> source_of_copy(const AnalysisInput& input, const Analysis& analysis, const CopyWanted& wanted) {
    if (auto unfit = target_unfit(input, wanted)) return *std::move(unfit);
    ServerName source = wanted.from.value_or(*input.saved.primary);
    if (auto unfit = primary_unfit(input, analysis)) return *std::move(unfit);
    if (auto unfit = source_unfit(input, wanted, source)) return *std::move(unfit);
    return source;
}

Result<CopyServer> decide_copy(const AnalysisInput& input, const Analysis& analysis, const CopyGround& ground, const CopyWanted& wanted) {
    auto source = source_of_copy(input, analysis, wanted);
    if (!source) return source.error();
    if (auto unfit = place_unfit(input, wanted, ground.target)) return *std::move(unfit);
    if (auto none = no_space(wanted, ground)) return *std::move(none);
    const bool old_directory = ground.target->standing == Standing::database;
    return CopyServer{
        .wanted = wanted,
        .source = *source,
        .upstream = *input.saved.primary,
        .system_id = *input.saved.system_id,
        .version = fresh_answer(input, *source)->version,
        .old_directory = old_directory,
        .text = text_of(wanted, *source, old_directory, find(input, wanted.server)->pgdata)};
}

}  // namespace handyrep::decide
