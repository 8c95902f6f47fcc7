#include "engine/loop.hpp"

#include "base/ensure.hpp"
#include "engine/changes.hpp"
#include "engine/parallel.hpp"
#include "saved/servers_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace handyrep::engine {

using decide::Situation;
using std::chrono::seconds;

namespace {

constexpr Duration house_interval = seconds{1};
/// Taken in the last moment before it expires, and by nobody's knowledge, a request to promote waits so long at most: for
/// wal_retrieve_retry_interval (T10) and for queries that hold up replay (max_standby_streaming_delay, S19), by their defaults.
constexpr std::chrono::seconds slowest_promotion{5 + 30};
/// Positions move all the time; writing them down this often bounds what a killed manager forgets.
constexpr Duration highest_interval = seconds{30};
constexpr Duration save_limit = seconds{5};
/// A night's worth of changes; a few kilobytes each.
constexpr std::size_t most_changes = 16;

std::string text_of(const decide::Decision& decision) {
    return std::visit([](const auto& it) { return it.text; }, decision);
}
decide::Reason reason_of(const decide::Decision& decision) {
    return std::visit([](const auto& it) { return it.reason; }, decision);
}

}  // namespace

Cluster::Loop::Loop(model::ClusterDefinition definition, Surroundings surroundings)
    : state_{std::move(definition), std::move(surroundings)},
      watch_{state_},
      verifier_{state_, [this] { return loaded_ && !watch_.suspicious() && !operating_ && waiting_.empty(); }},
      decision_{decide::Hold{decide::Reason::first_look_incomplete, "not started yet"}} {}

asio::awaitable<void> Cluster::Loop::run() {
    since_ = state_.clock().wall();
    co_await load();
    state_.on_sighting = [this] { tick(); };
    std::vector<asio::awaitable<void>> works = watch_.works();
    works.push_back(operate());
    works.push_back(keep_house());
    works.push_back(keep_appointments());
    if (state_.settings().auto_rejoin) works.push_back(bring_back());
    works.push_back(verifier_.work());
    const StopNotice notice{stopped_, done_bell_};
    co_await forever(std::move(works));
}

void Cluster::Loop::tick() {
    if (!ready_) return;
    remember_cluster();
    review_maintenance();
    const bool was_isolated = analysis_.situation == Situation::manager_isolated;
    analysis_ = decide::analyse(state_.input());
    if (was_isolated && analysis_.situation != Situation::manager_isolated) {
        // Everything was lost at once, and comes back one by one: what is still silent is no evidence yet.
        state_.doubt("the manager was cut off and sees the network again: what it thought to have seen is thrown away");
        analysis_ = decide::analyse(state_.input());
    }
    if (!operating_ && waiting_.empty()) {
        clear_void_entries();
        adopt_risen_primary();
    }
    watch_first_look();
    settle_possible_primary();
    watch_.set_suspicious(
        analysis_.primary_suspected || (operating_ && !makes_way_) || analysis_.situation == Situation::two_primaries ||
        analysis_.situation == Situation::old_primary_returned);
    watch_.set_details(operating_, analysis_.commits_may_wait);
    review_refusal();
    decision_ = decide::decide(state_.input(), analysis_, guards());
    note_situation();
    if (makes_way_ && !std::holds_alternative<decide::Hold>(decision_)) make_way();
    review_set_aside();
    if (operating_ || !waiting_.empty()) return;
    if (auto* failover = std::get_if<decide::FailOver>(&decision_)) return submit(*failover);
    if (auto* stop = std::get_if<decide::StopReturned>(&decision_)) return submit(*stop);
    if (auto left = left_of_a_salvage()) submit(*std::move(left));
}

decide::Guards Cluster::Loop::guards() const {
    decide::Guards out{
        .paused = state_.saved.paused.has_value(),
        .maintenance = state_.saved.maintenance.has_value(),
        .provisional = state_.saved.provisional,
        .operation_running = operating_ && !makes_way_,
        .journal_available = journal_available_,
        .refused = refused_};
    const auto& last = state_.saved.last_failover;
    if (last && !last->acknowledged) {
        const auto passed = state_.clock().wall() - last->at;
        if (passed < state_.settings().cooldown) out.cooldown_left = state_.settings().cooldown - passed;
    }
    return out;
}

/// Without saved state or journal nothing is done before every server was read once (S13).
void Cluster::Loop::watch_first_look() {
    if (!state_.saved.provisional) return;
    const bool complete = std::ranges::all_of(state_.saved.servers, [&](const model::ServerDefinition& it) {
        const auto* const seen = state_.evidence.find(it.name);
        return !it.enabled || (seen != nullptr && seen->last_answer);
    });
    if (!complete) return;
    state_.saved.provisional = false;
    want_save();
    state_.tell(Level::info, "first_look_complete", "every server was read once: automation begins");
}

/// The system identifier and the synchronous set, as long as the primary can be asked for them.
void Cluster::Loop::remember_cluster() {
    if (!state_.saved.primary) return;
    const auto* const seen = state_.evidence.find(*state_.saved.primary);
    if (seen == nullptr || !seen->held) return;
    const auto* const answer = std::get_if<model::Answered>(&seen->held->what);
    if (answer == nullptr || answer->primary() == nullptr) return;
    if (!state_.saved.system_id) {
        state_.saved.system_id = answer->system_id;
        want_save();
    }
    if (answer->system_id != *state_.saved.system_id) return;
    // Which timeline the primary is on must survive: a restarted manager that finds it dead knows its successors by that.
    const auto highest = std::ranges::find(state_.saved.highest, *state_.saved.primary, &model::HighestSeen::server);
    if (highest == state_.saved.highest.end() || highest->position.timeline != answer->primary()->timeline) {
        state_.note_highest();
        want_save();
    }
    remember_sync(*answer->primary());
}

/// A change of the synchronous set is young until its committers have surely seen it: they do when the checkpointer has read the
/// configuration anew, which a long fsync delays (S4). Until then the former set counts as well.
void Cluster::Loop::remember_sync(const model::PrimaryAnswer& primary) {
    constexpr Duration young = seconds{60};
    model::SavedState& saved = state_.saved;
    if (saved.synchronous_standby_names != primary.synchronous_standby_names) {
        const bool same_primary = !sync_of_ || sync_of_ == saved.primary;
        saved.former_synchronous_standby_names = same_primary ? saved.synchronous_standby_names : std::nullopt;
        saved.synchronous_standby_names = primary.synchronous_standby_names;
        sync_changed_ = state_.clock().now();
        want_save();
    }
    sync_of_ = saved.primary;
    if (saved.former_synchronous_standby_names && !sync_changed_) sync_changed_ = state_.clock().now();
    if (saved.former_synchronous_standby_names && state_.clock().now() - *sync_changed_ >= young) {
        saved.former_synchronous_standby_names.reset();
        want_save();
    }
    if (note_sync_members(saved, primary, state_.clock().wall())) want_save();
    note_acknowledged(saved, primary);
}

void Cluster::Loop::remember_upstreams() {
    for (const ServerPorts& it : state_.servers()) {
        const auto settings = it.postgres.upstream_settings();
        if (!settings) continue;
        const auto known = std::ranges::find(state_.saved.upstream_settings, it.server, &model::UpstreamSettings::server);
        if (known == state_.saved.upstream_settings.end()) {
            state_.saved.upstream_settings.push_back({it.server, *settings});
            want_save();
        } else if (known->conninfo != *settings) {
            known->conninfo = *settings;
            want_save();
        }
    }
}

void Cluster::Loop::note_situation() {
    // What an operation does to the sensors is told by its steps; what it led to is told when it has ended.
    if (operating_) return;
    // A suspicion that lasts milliseconds is no event; a situation, and a change of what happens next in it, is.
    const std::string next = fmt::format("{}", word_for(reason_of(decision_)));
    if (analysis_.situation == told_ && next == told_next_) return;
    const bool new_situation = analysis_.situation != told_;
    if (!new_situation && analysis_.situation == Situation::healthy) {
        told_next_ = next;
        return;
    }
    std::vector<Field> fields{{"situation", std::string(word_for(analysis_.situation))}, {"reason", next}};
    for (const decide::Fact& fact : decide::facts(state_.input(), analysis_)) {
        const std::string weight = fact.weight == decide::Weight::supports      ? "for"
                                   : fact.weight == decide::Weight::contradicts ? "against"
                                                                                : "unknown";
        const std::string age =
            fact.at ? fmt::format(" ({} ago)", text(std::chrono::floor<std::chrono::milliseconds>(state_.clock().now() - *fact.at)))
                    : std::string{};
        fields.push_back({fmt::format("{} {} {}", weight, fact.server.text(), fact.source), fact.text + age});
    }
    const Level level = analysis_.situation == Situation::healthy ? Level::info : Level::warning;
    state_.tell(
        level, new_situation ? "situation" : "decision",
        fmt::format(
            "{}: {}{}; {}", word_for(analysis_.situation), sentence_for(analysis_.situation),
            analysis_.detail.empty() ? "" : ": " + analysis_.detail, text_of(decision_)),
        std::move(fields));
    if (new_situation) since_ = state_.clock().wall();
    changes_.push_back(moment());
    if (changes_.size() > most_changes) changes_.pop_front();
    told_ = analysis_.situation;
    told_next_ = next;
}

void Cluster::Loop::settle_possible_primary() {
    if (!state_.saved.possible_primary || operating_ || !waiting_.empty()) return;
    const model::PossiblePrimary possible = *state_.saved.possible_primary;
    const auto* const seen = state_.evidence.find(possible.server);
    if (seen == nullptr) return;
    const auto* const answer = seen->held ? std::get_if<model::Answered>(&seen->held->what) : nullptr;
    if (answer == nullptr) {
        if (died_unpromoted(*seen)) end_possible_primary("it died in recovery: no process is left, and its control file says so");
        return;
    }
    if (answer->primary() != nullptr) {
        if (auto open = std::exchange(unsettled_, std::nullopt)) submit(FinishPromotion{*std::move(open)});
        return;
    }
    if (answer->started > possible.taken.value_or(possible.expires)) return end_possible_primary("it was started again since");
    // A request that was taken is carried out when replay and the startup process get to it, however late that is.
    if (possible.taken || answer->server_time <= possible.expires + slowest_promotion) return;
    end_possible_primary("it is in recovery long after the request expired");
}

/// Its machine was looked at after its session had ended, and a promotion that was under way in a process is gone with that process.
bool Cluster::Loop::died_unpromoted(const model::ServerEvidence& seen) {
    if (!seen.host || !seen.bad_since || seen.host->at <= *seen.bad_since) return false;
    const model::HostLook* const look = seen.host->what.look();
    if (look == nullptr) return false;
    const bool in_recovery =
        look->state == model::ControlState::in_archive_recovery || look->state == model::ControlState::shut_down_in_recovery;
    return look->processes == 0 && look->marked_standby && in_recovery;
}

void Cluster::Loop::end_possible_primary(std::string_view why) {
    if (!state_.saved.possible_primary) return;
    const model::ServerName server = state_.saved.possible_primary->server;
    state_.tell(
        Level::info, "possible_primary_settled", fmt::format("{} was not promoted: {}", server.text(), why), {{"server", server.text()}});
    state_.saved.possible_primary.reset();
    want_save();
    if (auto open = std::exchange(unsettled_, std::nullopt)) submit(TakeBack{std::move(open->operation)});
}

void Cluster::Loop::clear_void_entries() {
    for (const model::ServerName& server : void_entries(state_.input())) {
        state_.tell(
            Level::info, "no_longer_barred", fmt::format("{} follows its successor: it may take part again", server.text()),
            {{"server", server.text()}});
        std::erase_if(state_.saved.must_be_down, [&](const model::MustBeDown& it) { return it.server == server; });
        want_save();
        analysis_ = decide::analyse(state_.input());
    }
}

void Cluster::Loop::adopt_risen_primary() {
    const auto risen = adoptable(state_.input(), analysis_);
    if (!risen) return;
    if (state_.saved.possible_primary && state_.saved.possible_primary->server == *risen) {
        if (unsettled_) return;  // our own promotion: settle_possible_primary finishes it
        state_.saved.possible_primary.reset();
    }
    state_.tell(
        Level::warning, "primary_moved", fmt::format("{} is the primary now: somebody else promoted it", risen->text()),
        {{"server", risen->text()}, {"from", state_.saved.primary ? state_.saved.primary->text() : "nobody"}});
    move_role(state_.saved, *risen);
    want_save();
    analysis_ = decide::analyse(state_.input());
}

void Cluster::Loop::submit(Work work) {
    waiting_.push_back(std::move(work));
    work_bell_.ring();
}

/// Soon, not now: what is noticed in a tick is written down by the house-keeping, which waits for the disk.
void Cluster::Loop::want_save() {
    must_save_ = true;
    house_bell_.ring();
}

asio::awaitable<void> Cluster::Loop::keep_house() {
    Instant highest_due = state_.clock().now() + highest_interval;
    for (;;) {
        const std::uint64_t heard = house_bell_.rung();
        if (!must_save_) co_await state_.clock().wait(house_bell_, heard, state_.clock().now() + house_interval);
        remember_upstreams();
        state_.note_highest();
        if (!loaded_ && !co_await try_load()) {
            must_save_ = false;
            continue;
        }
        co_await close_unended();
        const bool due = state_.clock().now() >= highest_due;
        if (!must_save_ && !due && journal_available_ && !state_.dirty()) continue;
        must_save_ = false;
        highest_due = state_.clock().now() + highest_interval;
        auto written = co_await state_.save();
        if (written) written = co_await state_.store().check(state_.clock().now() + save_limit);
        if (static_cast<bool>(written) == journal_available_) continue;
        journal_available_ = static_cast<bool>(written);
        state_.tell(
            written ? Level::info : Level::error, written ? "store_back" : "store_lost",
            written ? "the manager's disk takes writes again"
                    : fmt::format("nothing can be written down, so nothing will be done: {}", written.error().text()));
    }
}

}  // namespace handyrep::engine
