#include "decide/lease.hpp"

#include "base/text.hpp"
#include "model/version_facts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>
#include <vector>

namespace handyrep::decide {

using model::Lease;
using model::ServerName;

namespace {

/// Two clocks drift apart by less than a thousandth, and a command that is written now leaves a little later.
constexpr Duration shortest_margin = std::chrono::seconds{2};
constexpr int drift = 1000;

/// It stands in a statement on the primary's node; every name that HandyRep writes is of these.
bool is_plain(std::string_view text) {
    return !text.empty() &&
           text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.:") == std::string_view::npos;
}

/// An idle standby must be heard often enough; nothing: it may be listed.
std::optional<std::string> too_quiet(const AnalysisInput& input, const model::ServerEvidence& seen) {
    if (!seen.details || !seen.details->what.reply_interval) return "its wal_receiver_status_interval was not read yet";
    const Duration interval = *seen.details->what.reply_interval;
    if (interval == Duration{}) return "its wal_receiver_status_interval is 0";
    if (2 * interval <= input.settings.lease_ttl) return std::nullopt;
    return fmt::format("its wal_receiver_status_interval ({}) is more than half of failover.lease_ttl", text(interval));
}

/// The one walsender that bears its name, and its address; or why it cannot be told apart from others.
Result<model::ListedReplica> listed(
    const AnalysisInput& input, const model::PrimaryAnswer& primary, const ServerName& server,
    std::span<const model::ListedReplica> before) {
    const auto refused = [&](const std::string& why) { return Error{ErrorKind::refused, fmt::format("{}: {}", server.text(), why)}; };
    const std::string name = application_name_of(input.saved, server);
    const auto bears = [&](const model::WalSender& it) { return it.application_name == name; };
    if (std::ranges::count_if(input.saved.servers, [&](const auto& it) { return application_name_of(input.saved, it.name) == name; }) > 1)
        return refused(fmt::format("another server has its application_name '{}' too", name));
    const model::ServerEvidence* const seen = input.evidence.find(server);
    const auto sender = std::ranges::find_if(primary.senders, bears);
    const auto known = std::ranges::find(before, server, &model::ListedReplica::server);
    if (sender == primary.senders.end() && known != before.end() && known->application_name == name) return *known;
    if (sender == primary.senders.end() || seen == nullptr) return refused("it does not stream from the primary");
    if (std::ranges::count_if(primary.senders, bears) > 1) return refused(fmt::format("'{}' streams twice", name));
    if (!is_plain(name) || !(sender->address.empty() || is_plain(sender->address)))
        return refused(fmt::format("its application_name '{}' is not of letters, digits, '-', '_', '.' and ':'", name));
    if (auto quiet = too_quiet(input, *seen)) return refused(*quiet);
    return model::ListedReplica{server, name, sender->address};
}

}  // namespace

Result<model::LeaseTerms> lease_terms(const AnalysisInput& input, std::span<const model::ListedReplica> before) {
    const auto refused = [](std::string why) { return Error{ErrorKind::refused, std::move(why)}; };
    const model::ServerEvidence* const seen = input.saved.primary ? input.evidence.find(*input.saved.primary) : nullptr;
    const auto* const answer = seen != nullptr && seen->held ? std::get_if<model::Answered>(&seen->held->what) : nullptr;
    if (answer == nullptr || answer->primary() == nullptr) return refused("the primary does not answer");
    if (!model::facts_of(answer->version).stays_detached) return refused("it needs PostgreSQL 13: replicas before that cannot be detached");
    model::LeaseTerms out{.ttl = input.settings.lease_ttl};
    std::vector<std::string> left_out;
    for (const model::ServerDefinition& server : input.saved.servers) {
        if (!server.enabled || server.name == input.saved.primary || input.saved.barred(server.name) != nullptr) continue;
        auto one = listed(input, *answer->primary(), server.name, before);
        if (one) {
            out.listed.push_back(*std::move(one));
        } else {
            left_out.push_back(one.error().what);
        }
    }
    if (out.listed.empty())
        return refused(fmt::format(
            "no replica could keep the primary alive while the manager is lost{}{}", left_out.empty() ? "" : ": ", join(left_out, "; ")));
    return out;
}

std::optional<std::string> lease_objects(const AnalysisInput& input, const Analysis& analysis) {
    const auto& lease = input.evidence.lease;
    if (!lease || lease->server != input.saved.primary) return "no lease is known to be armed on the primary's node";
    if (analysis.situation != Situation::primary_dead)
        return fmt::format(
            "the lease proves nothing in {}: {}", word_for(analysis.situation),
            analysis.situation == Situation::primary_dead_some_replicas_lost ? "a replica that is not seen may keep the primary alive"
                                                                             : "what stands still may wake up and write");
    const model::ServerEvidence* const seen = input.evidence.find(lease->server);
    const Instant bad_since = seen != nullptr && seen->bad_since ? *seen->bad_since : input.now;
    if (lease->answered + lease->answer.ttl < bad_since)
        return fmt::format("the lease of {} was not heard of for longer than its TTL when the primary fell silent", lease->server.text());
    if (!lease->answer.autostart_off)
        return fmt::format(
            "the lease of {} proves nothing while something may start PostgreSQL there by itself: {}", lease->server.text(),
            lease->answer.autostart);
    for (const ServerName& server : lease->listed) {
        const auto view = std::ranges::find(analysis.replicas, server, &ReplicaView::server);
        if (view == analysis.replicas.end() || !view->valid)
            return fmt::format("{} is not seen, and its replies may keep the primary alive", server.text());
        if (!model::facts_of(view->answer->version).stays_detached)
            return fmt::format("{} is older than PostgreSQL 13: only a restart keeps it from streaming again", server.text());
    }
    return std::nullopt;
}

Duration lease_wait(const Lease& lease) {
    return lease.answer.ttl + lease.answer.stop_time + std::max(shortest_margin, lease.answer.ttl / drift);
}

std::optional<Duration> awaited_lease(const AnalysisInput& input, const Analysis& analysis) {
    const Gate outlook = fence_outlook(input, analysis);
    const auto* const open = std::get_if<GateOpen>(&outlook);
    if (open == nullptr || open->proof != Proof::lease_expired || !input.evidence.lease) return std::nullopt;
    return lease_wait(*input.evidence.lease);
}

std::optional<Instant> lease_runs_out(const Lease& lease, std::span<const FinalPosition> finals) {
    Instant from = lease.sent;
    for (const ServerName& server : lease.listed) {
        const auto found = std::ranges::find(finals, server, &FinalPosition::server);
        if (found == finals.end() || !found->detached) return std::nullopt;
        from = std::max(from, found->read_at);
    }
    return from + lease_wait(lease);
}

std::string lease_text(const AnalysisInput& input) {
    if (input.settings.lease_ttl == Duration{}) return "off";
    const auto& lease = input.evidence.lease;
    if (!lease) {
        const auto terms = lease_terms(input);
        return "not armed" + (terms ? std::string{} : ": " + terms.error().what);
    }
    std::vector<std::string> names;
    for (const ServerName& it : lease->listed) names.push_back(it.text());
    return fmt::format(
        "armed on {} (process {}, {}), renewed {} ago; the replies of {} keep it alive too{}{}", lease->server.text(), lease->answer.pid,
        text(lease->answer.ttl), text(std::chrono::floor<std::chrono::milliseconds>(input.now - lease->answered)), join(names, ", "),
        lease->answer.autostart_off ? "" : "; no proof, because PostgreSQL may be started there by itself: ",
        lease->answer.autostart_off ? "" : lease->answer.autostart);
}

}  // namespace handyrep::decide
