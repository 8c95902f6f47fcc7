#include "lab/announced.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

namespace handyrep::lab {

namespace {

std::optional<std::uint64_t> number(const std::string& text) {
    std::uint64_t out = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return out;
}

/// "2:0/3000148".
std::optional<model::WalPosition> position(const std::string& text) {
    const auto colon = text.find(':');
    if (colon == std::string::npos) return std::nullopt;
    const auto timeline = number(text.substr(0, colon));
    const auto lsn = model::Lsn::parse(std::string_view{text}.substr(colon + 1));
    if (!timeline || !lsn) return std::nullopt;
    return model::WalPosition{model::Timeline{static_cast<std::uint32_t>(*timeline)}, *lsn};
}

/// The failover that left a row behind: from its server, on its timeline.
const Announced* that_lost(const Acknowledged& row, const std::vector<Announced>& failovers) {
    const auto found = std::ranges::find_if(
        failovers, [&](const Announced& it) { return it.from == row.server && (!it.fork || it.fork->timeline == row.position.timeline); });
    return found == failovers.end() ? nullptr : &*found;
}

}  // namespace

std::string Telling::field(const std::string& wanted) const {
    const auto found = fields.find(wanted);
    return found == fields.end() ? std::string{} : found->second;
}

std::string text(const Overlap& it) {
    return fmt::format(
        "{} took a write on timeline {} after {} had taken one on the same or a later timeline", it.server, it.timeline, it.other);
}

std::vector<Announced> announced(const std::vector<Telling>& tellings) {
    std::vector<Announced> out;
    for (const Telling& it : tellings) {
        if (it.name == "promoted") {
            out.push_back(
                {.from = it.field("from"),
                 .to = it.field("server"),
                 .proof = it.field("proof"),
                 .fork = position(it.field("fork")),
                 .at_most = number(it.field("loss_at_most_bytes")),
                 .how = it.field("loss_unbounded")});
            if (out.back().at_most) out.back().how = "estimated";
        } else if (it.name == "loss_known") {
            for (Announced& before : out) {
                if (before.from != it.field("server") || before.fork != position(it.field("fork"))) continue;
                before.at_most = number(it.field("loss_bytes"));
                before.how = "read";
            }
        }
    }
    return out;
}

std::string text(const Announced& it) {
    const std::string most = it.at_most ? fmt::format("at most {} bytes", *it.at_most) : std::string("no bound");
    return fmt::format("{} to {} ({}): {} ({})", it.from, it.to, it.proof, most, it.how);
}

std::vector<std::string> judge_loss(const std::vector<Acknowledged>& lost, const std::vector<Announced>& failovers) {
    std::vector<std::string> out;
    const auto synchronous = std::ranges::count_if(lost, &Acknowledged::synchronous);
    if (synchronous > 0) out.push_back(fmt::format("{} rows that were acknowledged under synchronous replication are gone", synchronous));
    std::map<const Announced*, std::uint64_t> bytes;
    for (const Acknowledged& row : lost) {
        const Announced* const by = that_lost(row, failovers);
        if (by == nullptr) {
            out.push_back(fmt::format(
                "row {} that {} acknowledged at {} is gone, and no failover announced a loss there", row.id, row.server,
                model::text(row.position)));
            break;
        }
        std::uint64_t& most = bytes[by];
        if (by->fork) most = std::max(most, gap(by->fork->lsn, row.position.lsn).count);
    }
    for (const auto& [by, most] : bytes) {
        if (by->at_most && most > *by->at_most) out.push_back(fmt::format("{} bytes are lost; announced: {}", most, text(*by)));
        if (!by->at_most && !by->weak()) out.push_back(fmt::format("{} bytes are lost, and no bound was announced: {}", most, text(*by)));
    }
    return out;
}

std::vector<std::string> judge_overlaps(const std::vector<Overlap>& overlaps, const std::vector<Announced>& failovers) {
    std::vector<std::string> out;
    for (const Overlap& it : overlaps) {
        const bool said =
            std::ranges::any_of(failovers, [&](const Announced& failover) { return failover.from == it.server && failover.weak(); });
        if (!said) out.push_back(text(it));
    }
    return out;
}

}  // namespace handyrep::lab
