#include "sim/invariants.hpp"

#include "saved/operation.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace handyrep::sim {

using namespace std::chrono_literals;

namespace {
/// A primary that was healthy for so long when a failover of it began was failed over without cause; less is a race that no observer can win.
constexpr Duration sure_health = 3s;
/// The limits of every step of the longest plan, its journal and its undoing, with slack.
constexpr Duration longest_operation = 150s;

std::optional<std::string> field(const saved::Event& event, std::string_view name) {
    const auto found = std::ranges::find(event.fields, name, &Field::name);
    if (found == event.fields.end()) return std::nullopt;
    return found->value;
}
}  // namespace

Invariants::Invariants(World& world, StoreDisk& disk, const model::FailoverSettings& settings)
    : world_{world},
      disk_{disk},
      settings_{settings},
      healthy_since_(world.servers.size()),
      manager_born_{world.agenda.now()},
      sightings_(world.servers.size()),
      restore_commands_(world.servers.size()) {
    world_.on_promotion_asked = [this] { judge_sightings(last_failover_); };
    world_.on_sighted = [this](ServerIndex server, const model::HeldSight& sight, Instant asked) { sighted(server, sight, asked); };
    world_.on_change = [this] { look(); };
    world_.on_promoted = [this](ServerIndex server) { promoted(server); };
    world_.on_fenced = [this](ServerIndex server) { fenced(server); };
    disk_.on_append = [this](const saved::JournalRecord& record) { appended(record); };
    disk_.on_event = [this](const saved::Event& event) { told(event); };
}

Invariants::~Invariants() {
    world_.on_change = nullptr;
    world_.on_promoted = nullptr;
    world_.on_fenced = nullptr;
    world_.on_sighted = nullptr;
    world_.on_promotion_asked = nullptr;
    disk_.on_append = nullptr;
    disk_.on_event = nullptr;
}

void Invariants::violated(std::string claim, std::string text) {
    world_.note("VIOLATION", fmt::format("{}: {}", claim, text));
    violations_.push_back({world_.agenda.now(), std::move(claim), std::move(text)});
}

/// Takes clients' writes, and at least one replica that runs streams from it over a link that is up.
bool Invariants::healthy(ServerIndex server) const {
    if (!world_.accepts_writes(server) || !world_.clients_reach(server) || !world_.at(server).is_primary()) return false;
    return std::ranges::any_of(world_.at(server).senders, [&](const Sender& sender) {
        const Server& replica = world_.at(sender.replica);
        return replica.runs() && replica.receiver && replica.receiver->number == sender.receiver && replica.receiver->upstream == server &&
               world_.network.up_both(replica.node, world_.at(server).node);
    });
}

/// The last failover from this server that promoted another.
std::optional<std::uint64_t> Invariants::failover_from(ServerIndex server) const {
    const auto found = std::ranges::find_if(promotions_.rbegin(), promotions_.rend(), [&](const Promotion& it) {
        const auto from = fails_over_from_.find(it.operation);
        return from != fails_over_from_.end() && from->second == server;
    });
    if (found == promotions_.rend()) return std::nullopt;
    return found->operation;
}

/// How long it has been so without a break.
Duration Invariants::healthy_for(ServerIndex server) const {
    const std::optional<Instant>& since = healthy_since_[server];
    return since ? world_.agenda.now() - *since : Duration{};
}

void Invariants::look() {
    std::vector<ServerIndex> writers;
    for (ServerIndex it = 0; it < world_.servers.size(); ++it) {
        if (world_.accepts_writes(it) && world_.clients_reach(it)) writers.push_back(it);
        if (!healthy(it)) {
            healthy_since_[it].reset();
        } else if (!healthy_since_[it]) {
            healthy_since_[it] = world_.agenda.now();
        }
    }
    if (writers.size() < 2) return;
    std::ranges::sort(writers, {}, [&](ServerIndex it) { return world_.at(it).disk.branch; });
    const ServerIndex newest = writers.back();
    for (const ServerIndex older : writers) {
        if (older == newest || by_hand_.contains(older) || by_hand_.contains(newest)) continue;
        const auto operation = failover_from(older);
        const auto same = [&](const Overlap& it) { return it.newer == newest && it.older == older && it.operation == operation; };
        if (std::ranges::any_of(overlaps_, same)) continue;
        world_.note("world", fmt::format("{} and {} both take writes", world_.at(older).name.text(), world_.at(newest).name.text()));
        overlaps_.push_back({newest, older, operation, world_.agenda.now()});
    }
}

void Invariants::appended(const saved::JournalRecord& record) {
    world_.note(
        "journal", fmt::format(
                       "{} {} {} {}", record.operation, word_for(record.entry), record.step,
                       record.entry == saved::JournalEntry::begun ? record.detail : ""));
    if (record.entry == saved::JournalEntry::ended) {
        const auto begun = begun_.find(record.operation);
        if (begun != begun_.end() && world_.agenda.now() - std::max(begun->second, manager_born_) > longest_operation) {
            violated("every plan ends", fmt::format("operation {} took {}", record.operation, text(world_.agenda.now() - begun->second)));
        }
        begun_.erase(record.operation);
    }
    if (record.entry != saved::JournalEntry::begun) return;
    begun_[record.operation] = world_.agenda.now();
    if (record.step != "failover" && record.step != "switchover") return;
    last_failover_ = record.operation;
    if (const auto begun = saved::operation_begun_from_text(record.detail); begun && begun->old_primary) {
        for (ServerIndex it = 0; it < world_.servers.size(); ++it) {
            if (world_.at(it).name != *begun->old_primary) continue;
            fails_over_from_[record.operation] = it;
            back_.erase(it);
        }
    }
    if (record.step != "failover") return;  // a handover is begun while the primary is healthy, and only by a person
    ++failovers_begun_;
    for (ServerIndex it = 0; it < world_.servers.size(); ++it) {
        if (healthy_for(it) < sure_health) continue;
        const std::string& name = world_.at(it).name.text();
        violated(
            "no failover of a healthy primary",
            fmt::format("{} took writes and was followed by its replicas for {}", name, text(healthy_for(it))));
    }
}

void Invariants::told(const saved::Event& event) {
    if (const auto server = field(event, "server"); server && event.name == "no_longer_barred") {
        for (ServerIndex it = 0; it < world_.servers.size(); ++it) {
            if (world_.at(it).name.text() == *server) back_.insert(it);
        }
    }
    if (!event.operation) return;
    if (const auto proof = field(event, "proof"); proof && *proof != "unknown")
        proofs_.insert_or_assign(event.operation.value_or(0), *proof);
    if (const auto from = fails_over_from_.find(*event.operation); event.name == "gates_open" && from != fails_over_from_.end()) {
        if (const auto asked = sightings_[from->second].asked)
            gates_opened_.insert_or_assign(*event.operation, GatesOpened{world_.agenda.now(), *asked});
    }
    note_bound(event);
    if (event.name == "salvaged") salvaged_.insert(*event.operation);
    if (event.name != "promoted") return;
    if (!field(event, "loss_at_least_bytes")) return violated("a failover says what it lost", event.text);
    judge_announcement(event);
}

void Invariants::fenced(ServerIndex server) {
    if (disk_.last_operation == 0)
        violated("no journal, no action", fmt::format("{} is fenced and the journal is empty", world_.at(server).name.text()));
    if (healthy_for(server) < sure_health) return;
    for (ServerIndex it = 0; it < world_.servers.size(); ++it) {
        if (it != server && world_.accepts_writes(it)) return;
    }
    violated("the only primary is not fenced while it is healthy", world_.at(server).name.text());
}

void Invariants::promoted(ServerIndex server) {
    const Promotion promotion{server, world_.at(server).disk.branch, world_.agenda.now(), last_failover_};
    if (by_hand_.contains(server)) return;  // a person's promotion is no plan of the manager's
    if (last_failover_ == 0)
        violated("no journal, no action", fmt::format("{} is promoted and the journal knows no failover", world_.at(server).name.text()));
    promotions_.push_back(promotion);
    if (world_.at(server).disk.offer) violated("a candidate is promoted with its own restore_command", world_.at(server).name.text());
    judge_loss(promotion);
}

void Invariants::judge_loss(const Promotion& promotion) {
    std::size_t lost = 0;
    std::optional<model::Lsn> last;
    for (const Acknowledged& it : world_.acknowledged) {
        if (!it.synchronous || by_hand_.contains(it.server)) continue;
        if (world_.branches.holds(promotion.branch, world_.at(promotion.server).disk.end, it.branch, it.end)) continue;
        ++lost;
        last = it.end;
    }
    if (last)
        violated(
            "no acknowledged synchronous commit is lost",
            fmt::format("{} of them are missing on {}, the last at {}", lost, world_.at(promotion.server).name.text(), last->text()));
}

}  // namespace handyrep::sim
