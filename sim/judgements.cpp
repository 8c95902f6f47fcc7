// What is judged of one promotion, and at the end of a run.
#include "base/overloaded.hpp"
#include "sim/invariants.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace handyrep::sim {

using namespace std::chrono_literals;

namespace {

std::optional<std::string> field(const saved::Event& event, std::string_view name) {
    const auto found = std::ranges::find(event.fields, name, &Field::name);
    if (found == event.fields.end()) return std::nullopt;
    return found->value;
}

std::optional<std::uint64_t> number(const std::string& text) {
    std::uint64_t out = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return out;
}

}  // namespace

/// As names and numbers define a writable sighting; a later word of the same session takes it back, its silence does not.
void Invariants::sighted(ServerIndex server, const model::HeldSight& sight, Instant asked) {
    Sighting& it = sightings_[server];
    std::visit(
        Overloaded{
            [&](const model::Answered& answer) {
                const model::PrimaryAnswer* const primary = answer.primary();
                if (primary == nullptr) {
                    it.flushed.reset();
                    it.writable_at.reset();
                    return;
                }
                if (it.flushed && primary->flushed > *it.flushed) it.writable_at = world_.agenda.now();
                it.flushed = primary->flushed;
                it.asked = asked;
            },
            [](const model::Silent&) {},
            [](const model::Complained&) {},
            [&](const model::Lost&) { it.writable_at.reset(); },
            [&](const model::NotOpen&) { it.writable_at.reset(); },
        },
        sight);
}

void Invariants::judge_sightings(std::uint64_t operation) {
    const auto proof = proofs_.find(operation);
    const auto from = fails_over_from_.find(operation);
    for (ServerIndex it = 0; it < sightings_.size(); ++it) {
        const auto& writable_at = sightings_[it].writable_at;
        if (!writable_at || world_.agenda.now() - *writable_at >= settings_.witness_freshness) continue;
        const bool fenced =
            from != fails_over_from_.end() && from->second == it && proof != proofs_.end() && proof->second == "processes_gone";
        if (fenced) continue;
        violated(
            "no promotion after a writable sighting younger than its limit",
            fmt::format("{} was seen taking writes {} before", world_.at(it).name.text(), text(world_.agenda.now() - *writable_at)));
    }
}

/// "At least" is exact for what the last look at the old primary could see: what was flushed there when it was asked, and is
/// missing now. But for half a record, which a candidate has received and its promotion drops (S11).
void Invariants::judge_announcement(const saved::Event& event) {
    const auto bytes = number(field(event, "loss_at_least_bytes").value_or(""));
    const auto age = parse_duration(field(event, "loss_seen_before").value_or(""));
    const auto gates = gates_opened_.find(event.operation.value_or(0));
    const auto promotion = std::ranges::find(promotions_, event.operation.value_or(0), &Promotion::operation);
    if (!bytes || !age || gates == gates_opened_.end() || promotion == promotions_.end()) return;
    // A late answer is older than its arrival; one that came right after we slept is not believed.
    const Instant seen = std::min(gates->second.old_primary_asked, gates->second.at - *age);
    const ServerIndex from = fails_over_from_.at(event.operation.value_or(0));
    std::uint64_t lost = 0;
    for (const Acknowledged& it : world_.acknowledged) {
        if (it.server != from || !it.flushed || it.at > seen || by_hand_.contains(it.server)) continue;
        if (const auto fork = world_.branches.left(promotion->branch, it.branch)) lost = std::max(lost, gap(*fork, it.end).count);
    }
    if (lost > *bytes + longest_half_record)
        violated(
            "no failover loses more than it announced",
            fmt::format("{} bytes that were flushed when the old primary was last asked, announced {}", lost, *bytes));
}

/// The estimate of the promotion, and in its place what was then read on the old primary's disk.
void Invariants::note_bound(const saved::Event& event) {
    const std::string_view name = event.name == "loss_known" ? "loss_bytes" : event.name == "promoted" ? "loss_at_most_bytes" : "";
    if (const auto bytes = number(field(event, name).value_or(""))) most_.insert_or_assign(event.operation.value_or(0), *bytes);
}

/// Everything that the old primary acknowledged and that was on its disk counts, whenever it was: asked at the end, when every
/// client has heard what it will hear.
void Invariants::judge_bounds() {
    for (const auto& [operation, most] : most_) {
        const auto promotion = std::ranges::find(promotions_, operation, &Promotion::operation);
        const auto from = fails_over_from_.find(operation);
        if (promotion == promotions_.end() || from == fails_over_from_.end() || by_hand_.contains(from->second)) continue;
        std::uint64_t lost = 0;
        for (const Acknowledged& it : world_.acknowledged) {
            if (it.server != from->second || !it.flushed) continue;
            if (const auto fork = world_.branches.left(promotion->branch, it.branch)) lost = std::max(lost, gap(*fork, it.end).count);
        }
        if (lost > 0 && salvaged_.contains(operation))
            violated(
                "a salvage to the end loses nothing that was flushed",
                fmt::format("operation {}: {} bytes that were acknowledged are lost", operation, lost));
        if (lost <= most) continue;
        violated(
            "no failover loses more than it announced as at most",
            fmt::format("operation {}: {} bytes that were acknowledged are lost, announced {}", operation, lost, most));
    }
}

bool Invariants::proof_is_weak(std::uint64_t operation) const {
    const auto proof = proofs_.find(operation);
    return proof != proofs_.end() && (proof->second == "witnessed" || proof->second == "nothing");
}

void Invariants::judge_overlaps() {
    for (const Overlap& it : overlaps_) {
        if (it.operation && proof_is_weak(*it.operation)) continue;
        const auto proof = proofs_.find(it.operation.value_or(0));
        violated(
            "never two servers that take writes",
            fmt::format(
                "{} and {} since {:.3f} s (failover from the older: {}, proof {})", world_.at(it.older).name.text(),
                world_.at(it.newer).name.text(), std::chrono::duration<double>(it.at - Agenda{}.now()).count(),
                it.operation ? fmt::format("operation {}", *it.operation) : "none",
                proof == proofs_.end() ? "none recorded" : proof->second));
    }
}

void Invariants::judge_operations() {
    for (const auto& [operation, begun] : begun_) {
        violated(
            "every plan ends", fmt::format("operation {} is still open {} after it began", operation, text(world_.agenda.now() - begun)));
    }
}

void Invariants::judge_end() {
    judge_overlaps();
    judge_operations();
    judge_bounds();
    judge_salvages();
    judge_writers();
}

/// Whatever became of it, and of its manager; who came back a moment ago may be about to be looked at.
void Invariants::judge_salvages() {
    for (ServerIndex it = 0; it < world_.servers.size(); ++it) {
        const Disk& disk = world_.at(it).disk;
        if (!world_.at(it).runs() || world_.agenda.now() - world_.at(it).started < 30s) continue;
        if (disk.offer || disk.restore_command != restore_commands_[it])
            violated("restore_command is put back as it was", world_.at(it).name.text());
    }
}

void Invariants::judge_writers() {
    std::vector<std::string> writers;
    for (ServerIndex it = 0; it < world_.servers.size(); ++it) {
        // Two that a person made primaries are for a person to decide; one that was failed over from, and did not follow since, is for the
        // manager to stop.
        if (by_hand_.contains(it) && (!failover_from(it) || back_.contains(it))) continue;
        if (world_.accepts_writes(it)) writers.push_back(world_.at(it).name.text());
    }
    if (writers.size() > 1) violated("once all is repaired, one server takes writes", fmt::format("{} do", fmt::join(writers, " and ")));
}

}  // namespace handyrep::sim
