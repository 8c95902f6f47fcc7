#include "engine/lease.hpp"

#include "base/text.hpp"
#include "decide/lease.hpp"

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <utility>

namespace handyrep::engine {

using model::LeaseAnswer;
using model::LeaseTerms;
using model::ServerName;
using std::chrono::seconds;

namespace {

/// One that could not be armed, and one that was not answered, is tried again so soon.
constexpr Duration again = seconds{2};
/// Where none is wanted: a look at what the disk, once it can be read, says of one.
constexpr Duration idle = seconds{30};
constexpr Duration longest_limit = seconds{3};
/// The daemon's own end waits so long for it.
constexpr Duration parting_limit = seconds{3};
constexpr Duration arm_limit = seconds{5};
constexpr Duration tidy_interval = seconds{10};

template <class T>
bool contains(const std::vector<T>& list, const T& what) {
    return std::ranges::find(list, what) != list.end();
}

std::vector<ServerName> names_of(const std::vector<model::ListedReplica>& listed) {
    std::vector<ServerName> out;
    for (const model::ListedReplica& it : listed) out.push_back(it.server);
    return out;
}

std::string names_text(const std::vector<ServerName>& names) {
    std::string out;
    for (const ServerName& it : names) out += (out.empty() ? "" : ", ") + it.text();
    return out;
}

}  // namespace

bool LeaseKeeper::wanted() const { return state_.settings().lease_ttl > Duration{} && state_.saved.primary && state_.saved.system_id; }

/// A renewal that takes longer than until the next one has no worth.
Duration LeaseKeeper::limit() const { return std::min<Duration>(longest_limit, state_.settings().lease_ttl / 3); }

asio::awaitable<void> LeaseKeeper::work() {
    std::exception_ptr stopped;
    try {
        co_await keep();
    } catch (...) {
        stopped = std::current_exception();
    }
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    const Instant deadline = state_.clock().now() + parting_limit;
    for (const ServerName& server : std::vector<ServerName>{state_.saved.leases}) {
        const auto gone = co_await disarm_lease(state_, server, deadline);
        if (!gone)
            state_.tell(
                Level::warning, "lease_left_armed", fmt::format("the lease stays armed: {}", gone.error().text()),
                {{"server", server.text()}});
    }
    std::rethrow_exception(stopped);
}

asio::awaitable<void> LeaseKeeper::keep() {
    for (;;) {
        const std::uint64_t heard = bell_.rung();
        if (const auto& lease = state_.evidence.lease; lease && lease->server != state_.saved.primary) state_.evidence.lease.reset();
        co_await tidy();
        next_ = state_.clock().now() + (wanted() || !state_.saved.leases.empty() ? again : idle);
        if (wanted() && !rests_()) {
            if (!state_.evidence.lease) co_await arm();
            if (state_.evidence.lease && !rests_()) co_await renew();
        }
        co_await state_.clock().wait(bell_, heard, next_);
    }
}

std::optional<ServerName> LeaseKeeper::next_to_tidy() const {
    for (const ServerName& it : state_.saved.leases) {
        const bool stays = wanted() && it == state_.saved.primary;
        const bool other_time = state_.evidence.lease && state_.evidence.lease->server == it &&
                                state_.evidence.lease->answer.ttl != state_.settings().lease_ttl;
        if (!stays || other_time) return it;
    }
    return std::nullopt;
}

/// A host that does not answer holds back the renewals of another only for a moment.
asio::awaitable<void> LeaseKeeper::tidy() {
    const auto server = next_to_tidy();
    if (!server || state_.clock().now() < next_tidy_) co_return;
    const auto gone = co_await disarm_lease(state_, *server, state_.clock().now() + (wanted() ? limit() : longest_limit));
    if (!gone) {
        // The next one is not behind it for ever.
        const auto found = std::ranges::find(state_.saved.leases, *server);
        if (found != state_.saved.leases.end()) std::ranges::rotate(state_.saved.leases, found + 1);
        next_tidy_ = state_.clock().now() + tidy_interval;
        co_return;
    }
    const auto saved = co_await state_.save();
    if (!saved) state_.tell(Level::warning, "saved_state_unwritable", saved.error().text());
}

Async<void> disarm_lease(State& state, ServerName server, Instant deadline) {
    const bool known = state.evidence.lease && state.evidence.lease->server == server;
    // From here it may be gone, whatever is answered.
    if (known) state.evidence.lease.reset();
    const auto answer = co_await state.host(server).disarm_lease(deadline);
    if (!answer) co_return answer.error().during(fmt::format("take the lease of {} away", server.text()));
    std::erase(state.saved.leases, server);
    if (answer->pid != 0 || known)
        state.tell(
            Level::info, "lease_disarmed",
            fmt::format("the lease of {} is taken away (process {}, {})", server.text(), answer->pid, text(answer->ttl)),
            {{"server", server.text()}});
    co_return Result<void>{};
}

void LeaseKeeper::not_armed(const std::string& why) {
    if (told_not_armed_ == why) return;
    told_not_armed_ = why;
    state_.tell(Level::warning, "lease_not_armed", fmt::format("no lease is armed: {}", why));
}

/// Written down first: a later life must find it, also when it does not want one any more.
asio::awaitable<void> LeaseKeeper::arm() {
    const ServerName server = *state_.saved.primary;
    const auto terms = decide::lease_terms(state_.input(), listed_);
    if (!terms) co_return not_armed(terms.error().what);
    if (!contains(state_.saved.leases, server)) {
        state_.saved.leases.push_back(server);
        const auto saved = co_await state_.save();
        if (!saved) co_return not_armed(saved.error().text());
        if (server != state_.saved.primary || rests_()) co_return;
    }
    const Instant sent = state_.clock().now();
    const auto armed = co_await state_.host(server).arm_lease(*state_.saved.system_id, *terms, sent, sent + arm_limit);
    if (!armed) co_return not_armed(armed.error().text());
    // Known only once it has answered in another session: it may end with the one it was begun in.
    const Instant again_sent = state_.clock().now();
    sequence_ = armed->sequence + 1;
    const auto renewed = co_await state_.host(server).renew_lease(*terms, sequence_, again_sent, again_sent + longest_limit);
    if (!renewed) co_return not_armed(renewed.error().text());
    if (renewed->pid != armed->pid || renewed->ttl != terms->ttl)
        co_return not_armed(fmt::format("on the host of {} another lease answers than the one that was armed", server.text()));
    if (server != state_.saved.primary || rests_()) co_return;
    told_not_armed_.reset();
    told_unanswered_ = false;
    note(server, *renewed, again_sent, *terms);
    state_.tell(
        Level::info, "lease_armed",
        fmt::format(
            "a lease is armed on {}: PostgreSQL is stopped there once neither this manager nor any of {} was heard for {}", server.text(),
            names_text(names_of(terms->listed)), text(terms->ttl)),
        {{"server", server.text()}, {"pid", fmt::format("{}", renewed->pid)}, {"ttl", text(terms->ttl)}});
    next_ = again_sent + terms->ttl / 3;
}

void LeaseKeeper::note(const ServerName& server, const LeaseAnswer& answer, Instant sent, const LeaseTerms& terms) {
    listed_ = terms.listed;
    state_.evidence.lease =
        model::Lease{.server = server, .answer = answer, .answered = sent, .sent = sent, .listed = names_of(terms.listed)};
}

asio::awaitable<void> LeaseKeeper::renew() {
    if (state_.clock().now() < state_.evidence.lease->sent + again / 2) co_return;
    const ServerName server = state_.evidence.lease->server;
    // A primary that does not answer is still kept alive by us, on the terms that it has.
    const auto fresh = decide::lease_terms(state_.input(), listed_);
    const LeaseTerms terms = fresh ? *fresh : LeaseTerms{.ttl = state_.evidence.lease->answer.ttl, .listed = listed_};
    const Instant sent = state_.clock().now();
    model::Lease& before = *state_.evidence.lease;
    before.sent = sent;
    for (const model::ListedReplica& it : terms.listed) {
        if (!contains(before.listed, it.server)) before.listed.push_back(it.server);
    }
    ++sequence_;
    const auto answer = co_await state_.host(server).renew_lease(terms, sequence_, sent, sent + limit());
    if (!state_.evidence.lease || state_.evidence.lease->server != server) co_return;
    if (!answer) co_return lost(answer.error());
    if (std::exchange(told_unanswered_, false))
        state_.tell(
            Level::info, "lease_renewed", fmt::format("the lease of {} is renewed again", server.text()), {{"server", server.text()}});
    note(server, *answer, sent, terms);
    next_ = sent + terms.ttl / 3;
}

void LeaseKeeper::lost(const Error& error) {
    const ServerName server = state_.evidence.lease->server;
    if (error.kind == ErrorKind::conflict) {
        state_.evidence.lease.reset();
        bell_.ring();
        return state_.tell(
            Level::error, "lease_ended", fmt::format("the lease of {} is no longer there: {}", server.text(), error.text()),
            {{"server", server.text()}});
    }
    if (std::exchange(told_unanswered_, true)) return;
    state_.tell(
        Level::warning, "lease_not_renewed",
        fmt::format(
            "the lease of {} could not be renewed: {}; it runs out unless one of {} is heard there", server.text(), error.text(),
            names_text(state_.evidence.lease->listed)),
        {{"server", server.text()}});
}

}  // namespace handyrep::engine
