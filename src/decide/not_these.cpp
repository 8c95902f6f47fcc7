#include "decide/not_these.hpp"

#include "decide/look.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace handyrep::decide {

namespace {

/// What the questions below are asked of.
struct View {
    const AnalysisInput& input;
    const Analysis& analysis;
    const PrimaryLook& primary;
};
/// Nothing: the situation is not near.
using Answer = std::optional<std::string>;

std::string span(Duration duration) { return text(std::chrono::floor<std::chrono::milliseconds>(std::max(Duration::zero(), duration))); }

std::string dial_words(const View& it) {
    const auto dial = it.primary.dial_since_bad();
    return dial ? fmt::format("the last one ended with: {}", word_for(*dial)) : "none has ended yet";
}

Answer not_isolated(const View& it) {
    if (!it.analysis.primary_suspected) return std::nullopt;
    for (const model::ServerDefinition& server : it.input.saved.servers) {
        if (!server.enabled || server.hostname == it.primary.definition->hostname) continue;
        const auto* const seen = it.input.evidence.find(server.name);
        if (seen != nullptr && anything_answers(it.input, *seen))
            return fmt::format("the host of {} answers, so the manager's network works", server.name.text());
    }
    return "there is no host but the primary's to compare with";
}

Answer not_stalled_storage(const View& it) {
    if (!it.primary.held_answers) return std::nullopt;
    const auto since = it.primary.seen->flush_stuck_since;
    if (!since) return "all WAL that was inserted is flushed";
    return fmt::format(
        "WAL inserted {} ago is not flushed yet; that counts after {}", span(it.input.now - *since), span(it.input.settings.stall_timeout));
}

Answer no_commit_waits(const View& it) {
    if (!it.primary.held_answers) return std::nullopt;
    const auto sync = look_at_sync(it.input, it.primary);
    if (!sync) return std::nullopt;
    const std::string attached =
        fmt::format("{} of {} synchronous standbys that a commit needs are attached", sync->attached, sync->required);
    if (!sync->wait) return fmt::format("{}; whether commits wait was not asked lately", attached);
    if (sync->wait->backends == 0) return fmt::format("no commit waits; {}", attached);
    return fmt::format(
        "{} commits wait, the oldest for {}; that counts after {}", sync->wait->backends, span(sync->wait->oldest),
        span(it.input.settings.sync_wait_limit));
}

Answer not_crash_recovery(const View& it) {
    if (!it.analysis.primary_suspected) return std::nullopt;
    return fmt::format("no fresh connection is told that it recovers: {}", dial_words(it));
}

Answer not_shut_down(const View& it) {
    if (!it.analysis.primary_suspected) return std::nullopt;
    if (it.primary.stopped_by_administrator())
        return fmt::format("an administrator ended it, but no fresh connection is refused: {}", dial_words(it));
    const auto& words = it.primary.seen->last_words;
    return words ? fmt::format("no administrator stopped it; its last words: {}", word_for(words->what))
                 : "nothing says that an administrator stopped it";
}

Answer not_only_from_here(const View& it) {
    if (!it.analysis.primary_suspected || it.analysis.replicas.empty()) return std::nullopt;
    const auto unknown = std::ranges::count(it.analysis.replicas, model::Reach::unknown, &ReplicaView::reach);
    return fmt::format(
        "no replica that is seen still hears from it; no replica's host reaches it{}",
        unknown == 0 ? "" : fmt::format(" ({} of {} hosts not asked, or cannot tell)", unknown, it.analysis.replicas.size()));
}

Answer not_all_dark(const View& it) {
    if (!it.analysis.primary_suspected || it.analysis.replicas.empty()) return std::nullopt;
    const auto valid = std::ranges::count_if(it.analysis.replicas, &ReplicaView::valid);
    if (valid == 0) return "no replica has answered since, but the primary does not count as dead yet";
    return fmt::format("{} of {} replicas are seen", valid, it.analysis.replicas.size());
}

Answer not_stalled(const View& it) {
    if (!it.analysis.primary_suspected) return std::nullopt;
    return fmt::format("no fresh connection is accepted and then left mute: {}", dial_words(it));
}

Answer no_replica_lost(const View& it) {
    if (!it.analysis.primary_suspected || it.analysis.replicas.empty()) return std::nullopt;
    if (!std::ranges::all_of(it.analysis.replicas, &ReplicaView::valid)) return "the primary does not count as dead";
    return "every replica is seen";
}

/// Of both sensors the one that still speaks for the primary, or what both still lack.
Answer not_dead_by_its_sensors(const View& it) {
    const model::ServerEvidence& seen = *it.primary.seen;
    if (!it.analysis.primary_suspected)
        return seen.held ? fmt::format("its held session answered {} ago", span(it.input.now - seen.held->at)) : "it was not looked at yet";
    const auto dial = it.primary.dial_since_bad();
    if (!dial) return "no fresh connection has been tried since its session went bad";
    if (!model::is_dead(*dial)) return fmt::format("somebody answers there: a fresh connection ends with: {}", word_for(*dial));
    if (seen.bad_looks < it.input.settings.poll_tries)
        return fmt::format("{} of {} looks agree (failover.poll_tries)", seen.bad_looks, it.input.settings.poll_tries);
    if (!it.primary.dead(it.input))
        return fmt::format(
            "it has been bad for {}; silence counts after {}", span(it.input.now - seen.bad_since.value_or(it.input.now)),
            span(it.input.settings.silence_timeout));
    return std::nullopt;
}

Answer not_dead(const View& it) {
    if (auto sensors = not_dead_by_its_sensors(it)) return sensors;
    for (const ReplicaView& replica : it.analysis.replicas) {
        if (replica.valid && replica.attachment == Attachment::attached)
            return fmt::format("{} still streams from it", replica.server.text());
        if (replica.reach == model::Reach::accepted) return fmt::format("the host of {} reaches it", replica.server.text());
        if (!replica.valid) return fmt::format("{} is not seen: it may still serve clients on the primary's side", replica.server.text());
    }
    if (it.analysis.replicas.empty()) return "there is no replica that could say so";
    return fmt::format("{} is asked before it", word_for(it.analysis.situation));
}

struct Near {
    Situation situation;
    Answer (*why_not)(const View&);
};

/// In the order of decision. A situation that only another cause makes (read-only, no login) is not near any other.
constexpr std::array<Near, 10> near{{
    {Situation::manager_isolated, not_isolated},
    {Situation::storage_stalled, not_stalled_storage},
    {Situation::sync_commit_blocked, no_commit_waits},
    {Situation::primary_crash_recovery, not_crash_recovery},
    {Situation::primary_shut_down_cleanly, not_shut_down},
    {Situation::primary_unreachable_from_here, not_only_from_here},
    {Situation::all_dark, not_all_dark},
    {Situation::primary_stalled, not_stalled},
    {Situation::primary_dead_some_replicas_lost, no_replica_lost},
    {Situation::primary_dead, not_dead},
}};

}  // namespace

std::vector<NotThis> not_these(const AnalysisInput& input, const Analysis& analysis) {
    const PrimaryLook primary = look_at_primary(input);
    if (primary.definition == nullptr || primary.seen == nullptr) return {};
    const View view{input, analysis, primary};
    std::vector<NotThis> out;
    for (const Near& it : near) {
        if (it.situation == analysis.situation) continue;
        if (auto text = it.why_not(view)) out.push_back({it.situation, *std::move(text)});
    }
    return out;
}

}  // namespace handyrep::decide
