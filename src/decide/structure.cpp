// Findings about who streams from whom: all replicas together, and each replica that others stream from.
#include "decide/findings.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace handyrep::decide {

namespace {

using Views = std::vector<const ReplicaView*>;

bool streams(const ReplicaView& view) { return view.valid && (view.link == Attachment::attached || view.link == Attachment::stale); }

/// Not merely not read yet.
bool is_dead(const Finder& finder, const ReplicaView& view) {
    const model::ServerEvidence* const seen = finder.input.evidence.find(view.server);
    return !view.answer && seen != nullptr && seen->bad_since.has_value();
}

std::string names_of(const Views& views) {
    std::string out;
    for (const ReplicaView* view : views) out += (out.empty() ? "" : ", ") + view->server.text();
    return out;
}

void find_sole(Finder& finder, const ReplicaView& view) {
    if (is_dead(finder, view)) {
        finder.add(
            FindingKind::sole_replica_dead, view.server,
            fmt::format("{} is the only replica and does not answer: no failover is possible", view.server.text()));
    } else if (view.valid && !(streams(view) && view.attachment != Attachment::elsewhere)) {
        finder.add(
            FindingKind::sole_replica_detached, view.server,
            fmt::format("{} is the only replica and does not stream: a failover would lose what it lacks", view.server.text()));
    }
}

void find_none_streaming(Finder& finder) {
    const auto& views = finder.analysis.replicas;
    const bool known = std::ranges::all_of(views, [&](const ReplicaView& it) { return it.valid || is_dead(finder, it); });
    if (!known || std::ranges::any_of(views, streams)) return;
    const bool some_dead = std::ranges::any_of(views, [&](const ReplicaView& it) { return is_dead(finder, it); });
    finder.add(
        some_dead ? FindingKind::no_replica_streaming_some_dead : FindingKind::no_replica_streaming, std::nullopt,
        fmt::format(
            "none of the {} replicas streams{}: look at the primary's pg_hba.conf, max_wal_senders and password, and at the replicas' logs",
            views.size(), some_dead ? ", and not all answer" : ""));
}

/// Of a server that does not answer, by what those say who stream from it.
FindingKind judge_dead_node(const Views& seen) {
    if (seen.empty()) return FindingKind::cascade_branch_dark;
    const auto any = [&](Attachment link) { return std::ranges::any_of(seen, [&](const ReplicaView* it) { return it->link == link; }); };
    if (any(Attachment::attached)) return FindingKind::cascade_node_unreachable_from_here;
    if (any(Attachment::stale)) return FindingKind::cascade_node_stalled;
    return FindingKind::cascade_node_dead;
}

std::string_view sentence_for_node(FindingKind kind) {
    if (kind == FindingKind::cascade_branch_dark) return "does not answer, nor does any server that streams from it";
    if (kind == FindingKind::cascade_node_unreachable_from_here)
        return "is alive for those that stream from it, only the manager cannot reach it";
    if (kind == FindingKind::cascade_node_stalled) return "does not answer, and those that stream from it hear nothing";
    if (kind == FindingKind::cascade_node_refuses_children) return "answers, but nobody can stream from it any more";
    if (kind == FindingKind::cascade_children_detached) return "answers, but not everybody streams from it";
    return "is dead, and those that streamed from it receive nothing: let them follow the primary";
}

void find_node_trouble(Finder& finder, const ReplicaView& node) {
    Views children;
    Views seen;
    for (const ReplicaView& view : finder.analysis.replicas) {
        if (view.upstream != node.server) continue;
        children.push_back(&view);
        if (view.valid) seen.push_back(&view);
    }
    if (children.empty()) return;
    std::optional<FindingKind> kind;
    if (is_dead(finder, node)) {
        kind = judge_dead_node(seen);
    } else if (node.valid && !seen.empty()) {
        const auto gone = std::ranges::count(seen, Attachment::gone, &ReplicaView::link);
        const auto streaming = std::ranges::count_if(seen, [](const ReplicaView* it) { return streams(*it); });
        const auto all = std::ssize(seen);
        if (all > 1 && gone == all)
            kind = FindingKind::cascade_node_refuses_children;
        else if (streaming < all)
            kind = FindingKind::cascade_children_detached;
    }
    if (kind) finder.add(*kind, node.server, fmt::format("{} {} ({})", node.server.text(), sentence_for_node(*kind), names_of(children)));
}

void find_no_candidate(Finder& finder) {
    const auto& views = finder.analysis.replicas;
    const model::PrimaryAnswer& primary = *finder.primary_answer();
    // Where nobody streams or answers that is said already.
    if (std::ranges::none_of(views, [](const ReplicaView& it) { return it.valid; })) return;
    const Ranking ranking = rank(finder.input, finder.analysis);
    std::string why;
    for (const Ranked& it : ranking.best_first) {
        const bool far_behind = it.received && gap(it.received->lsn, primary.flushed) > finder.input.settings.max_lag_on_failover;
        if (it.eligibility == Eligibility::eligible && !far_behind) return;
        why += fmt::format(
            "{}{} {}", why.empty() ? "" : "; ", it.server.text(),
            it.eligibility == Eligibility::eligible ? "is further behind than failover.max_lag_on_failover" : sentence_for(it.eligibility));
    }
    finder.add(FindingKind::no_promotable_replica, std::nullopt, "a failover would find nobody to promote: " + why);
}

}  // namespace

void find_structure(Finder& finder) {
    for (const ReplicaView& view : finder.analysis.replicas) find_node_trouble(finder, view);
    if (finder.primary_answer() == nullptr) return;
    const auto& views = finder.analysis.replicas;
    if (views.empty()) {
        finder.add(FindingKind::primary_without_replicas, std::nullopt, "the primary has no replica: nobody could take over");
        return;
    }
    if (views.size() == 1)
        find_sole(finder, views.front());
    else
        find_none_streaming(finder);
    find_no_candidate(finder);
}

}  // namespace handyrep::decide
