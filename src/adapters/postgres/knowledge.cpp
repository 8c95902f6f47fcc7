#include "adapters/postgres/knowledge.hpp"

#include "adapters/postgres/replication.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <cstdint>
#include <utility>

namespace handyrep::adapters::postgres {

namespace {
/// A manager without a replication login must not knock at every poll.
constexpr Duration pause_after_failure = std::chrono::seconds{5};
/// Nor at every poll of a standby that replays an archive.
constexpr Duration pause_after_answer = std::chrono::milliseconds{500};

/// How far a standby was when its timeline was asked for: where it has moved since, it may have moved to another.
struct Reached {
    model::Lsn received;
    model::Lsn replayed;
    friend bool operator==(const Reached&, const Reached&) = default;
};
}  // namespace

struct Knowledge::Facts {
    asio::cancellation_signal stop;
    std::uint64_t session = 0;  // what a fetch of an earlier session brings home is not kept
    bool under_way = false;
    std::optional<Reached> asked_at;  // of a standby, since the receiver went
    Instant not_before{};
    std::optional<model::Timeline> timeline;  // of a standby without a receiver
    std::optional<model::TimelineHistory> history;
};

Knowledge::Knowledge(asio::any_io_executor executor, ports::Clock& clock, Duration limit)
    : executor_{std::move(executor)}, clock_{clock}, limit_{limit}, facts_{std::make_shared<Facts>()} {}

Knowledge::~Knowledge() { facts_->stop.emit(asio::cancellation_type::terminal); }

void Knowledge::forget() {
    ++facts_->session;
    facts_->asked_at.reset();
    facts_->not_before = Instant{};
    facts_->timeline.reset();
    facts_->history.reset();
}

void Knowledge::complete(model::Answered& answer, const Target& target) {
    Facts& facts = *facts_;
    if (auto* primary = std::get_if<model::PrimaryAnswer>(&answer.as)) {
        if (primary->timeline == model::Timeline{1}) {
            primary->history = model::TimelineHistory{primary->timeline, {}};
            return;
        }
        if (facts.history && facts.history->current() != primary->timeline) facts.history.reset();
        primary->history = facts.history;
        if (!facts.history) fetch(target, true);
        return;
    }
    auto& standby = std::get<model::StandbyAnswer>(answer.as);
    if (standby.receiver) {
        // When the receiver goes, what it received last is the best that is known until the server was asked.
        if (standby.timeline) facts.timeline = standby.timeline;
        facts.asked_at.reset();
        return;
    }
    standby.timeline = facts.timeline;
    const Reached reached{standby.received, standby.replayed};
    if (facts.asked_at == reached) return;
    if (fetch(target, false)) facts.asked_at = reached;
}

/// False when it is not the time for it.
bool Knowledge::fetch(const Target& target, bool with_history) {
    const Instant now = clock_.now();
    if (facts_->under_way || now < facts_->not_before) return false;
    facts_->under_way = true;
    asio::co_spawn(
        executor_, run(facts_, target, with_history, clock_, now + limit_),
        asio::bind_cancellation_slot(facts_->stop.slot(), asio::detached));
    return true;
}

asio::awaitable<void> Knowledge::run(
    std::shared_ptr<Facts> facts, Target target, bool with_history, ports::Clock& clock, Instant deadline) {
    const std::uint64_t session = facts->session;
    const auto identity = co_await identify_system(std::move(target), with_history, clock, deadline);
    facts->under_way = false;
    if (facts->session != session) co_return;
    if (!identity) {
        facts->not_before = clock.now() + pause_after_failure;
        facts->asked_at.reset();
        co_return;
    }
    if (with_history) {
        facts->history = identity->history;
    } else {
        facts->timeline = identity->timeline;
        facts->not_before = clock.now() + pause_after_answer;
    }
}

}  // namespace handyrep::adapters::postgres
