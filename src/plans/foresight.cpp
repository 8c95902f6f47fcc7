#include "plans/foresight.hpp"

#include "base/overloaded.hpp"
#include "decide/lease.hpp"
#include "decide/loss.hpp"
#include "plans/describe.hpp"
#include "plans/failover.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace handyrep::plans {

using model::DialOutcome;
using model::Moment;
using model::ServerEvidence;

std::string_view sentence_for(Death death) {
    switch (death) {
        case Death::process: return "its processes end, its host goes on";
        case Death::host: return "its host vanishes, with everything on it";
    }
    return "";
}

namespace {

/// The sensors' pace after an alarm.
constexpr Duration step = model::suspicious_interval;

/// One imagined death, played forward.
class Play {
public:
    Play(const Moment& moment, model::ServerName primary, Death death)
        : before_{moment}, moment_{moment}, primary_{std::move(primary)}, death_{death} {}

    /// Until HandyRep would fail over, or for as long as it could still come to that by waiting.
    void run() {
        const model::FailoverSettings& settings = moment_.settings;
        const Duration longest =
            std::max({settings.silence_timeout, settings.stall_timeout, settings.witness_freshness}) + std::chrono::seconds{2};
        do {
            moment_.now += step;
            moment_.at += std::chrono::duration_cast<std::chrono::microseconds>(step);
            for (const model::ServerDefinition& it : moment_.saved.servers) look_at(it);
            analysis_ = decide::analyse(input());
            decision_ = decide::decide(input(), analysis_, moment_.guards);
        } while (!acts() && passed() < longest);
    }

    [[nodiscard]] decide::AnalysisInput input() const { return decide::input_of(moment_); }
    [[nodiscard]] const Moment& moment() const { return moment_; }
    [[nodiscard]] const decide::Analysis& analysis() const { return analysis_; }
    [[nodiscard]] bool acts() const { return std::holds_alternative<decide::FailOver>(decision_); }
    [[nodiscard]] std::vector<model::ServerName> with_it() const {
        std::vector<model::ServerName> out;
        for (const model::ServerDefinition& it : moment_.saved.servers) {
            if (it.name != primary_ && dies_with_it(it)) out.push_back(it.name);
        }
        return out;
    }
    [[nodiscard]] Duration passed() const { return moment_.now - before_.now; }

private:
    void see(const model::ServerName& server, decltype(model::Sighting::saw) sight) {
        model::absorb(moment_.evidence, {server, moment_.now, std::move(sight)});
    }

    /// On the primary's own host, as far as addresses tell.
    [[nodiscard]] bool dies_with_it(const model::ServerDefinition& server) const {
        const auto primary = std::ranges::find(moment_.saved.servers, primary_, &model::ServerDefinition::name);
        return server.name == primary_ || (death_ == Death::host && server.hostname == primary->hostname);
    }

    void look_at(const model::ServerDefinition& server) {
        if (!server.enabled) return;
        const ServerEvidence* const seen = before_.evidence.find(server.name);
        if (dies_with_it(server)) {
            death_ == Death::process ? see_process_dead(server, seen) : see_host_dead(server);
        } else if (seen != nullptr) {
            see_alive(server, *seen);
        }
    }

    void see_process_dead(const model::ServerDefinition& server, const ServerEvidence* seen) {
        if (passed() <= step) {
            see(server.name, model::HeldSight{model::Lost{model::LastWords::postmaster_died}});
        } else {
            see(server.name, model::HeldSight{model::NotOpen{DialOutcome::refused, {}}});
        }
        see(server.name, model::DialSight{DialOutcome::refused, {}});
        const model::HostLook* const look = seen != nullptr && seen->host ? seen->host->what.look() : nullptr;
        if (look == nullptr) return;
        model::HostLook dead = *look;
        dead.processes = 0;
        see(server.name, model::HostSight{dead});
    }

    void see_host_dead(const model::ServerDefinition& server) {
        see(server.name, model::HeldSight{model::Silent{before_.now}});
        see(server.name, model::DialSight{DialOutcome::connect_timeout, {}});
        see(server.name, model::HostSight{Error{ErrorKind::unreachable, "the host does not answer"}});
    }

    /// As it is now; what it hears of the dead one changes.
    void see_alive(const model::ServerDefinition& server, const ServerEvidence& seen) {
        if (seen.held) {
            model::HeldSight sight = seen.held->what;
            if (auto* const answer = std::get_if<model::Answered>(&sight)) note_silence_of_upstream(*answer);
            see(server.name, std::move(sight));
        }
        if (seen.dial) see(server.name, seen.dial->what);
        if (seen.details) see(server.name, seen.details->what);
        if (seen.host) see(server.name, seen.host->what);
        const bool can_tell = seen.host && seen.host->what.look() != nullptr;
        const model::Reach reach = death_ == Death::process ? model::Reach::refused : model::Reach::silent;
        see(server.name, model::WitnessSight{primary_, can_tell ? reach : model::Reach::unknown});
    }

    void note_silence_of_upstream(model::Answered& answer) const {
        auto* const standby = std::get_if<model::StandbyAnswer>(&answer.as);
        if (standby == nullptr || !standby->receiver) return;
        const auto upstream = std::ranges::find_if(moment_.saved.servers, [&](const model::ServerDefinition& it) {
            return it.hostname == standby->receiver->sender_host && it.port == standby->receiver->sender_port;
        });
        // Whoever is not one of ours by address is taken for the primary under another name.
        if (upstream != moment_.saved.servers.end() && !dies_with_it(*upstream)) return;
        if (death_ == Death::process) {
            standby->receiver.reset();
        } else {
            standby->receiver->message_age += passed();
        }
    }

    const Moment& before_;
    Moment moment_;
    model::ServerName primary_;
    Death death_;
    decide::Analysis analysis_{};
    decide::Decision decision_{decide::Hold{decide::Reason::first_look_incomplete, {}}};
};

/// `proof`: what the fence gate would then go by.
std::optional<Loss> loss_of(const Moment& moment, const model::ServerName& candidate, decide::Proof proof) {
    const decide::AnalysisInput input = decide::input_of(moment);
    const auto end = decide::last_known_end(input);
    const ServerEvidence* const seen = moment.evidence.find(candidate);
    if (!end || seen == nullptr || !seen->last_answer || seen->last_answer->what.standby() == nullptr) return std::nullopt;
    const model::Lsn received = seen->last_answer->what.standby()->received;
    const decide::LossBounds bounds = decide::loss_bounds(input, received, proof, moment.now);
    return Loss{gap(received, end->flushed), end->age, moment.now - seen->last_answer->at, bounds.at_most, bounds.unbounded};
}

std::vector<std::string> steps_of(const Play& play, const decide::FailOver& order) {
    const Moment& moment = play.moment();
    const ServerEvidence* const seen = moment.evidence.find(order.old_primary);
    const model::PrimaryAnswer* const last = seen != nullptr && seen->last_answer ? seen->last_answer->what.primary() : nullptr;
    const std::string names = last != nullptr ? last->synchronous_standby_names : moment.saved.synchronous_standby_names.value_or("");
    return describe(failover(
        {.decision = order,
         .settings = moment.settings,
         .saved = moment.saved,
         .analysis = play.analysis(),
         .synchronous_standby_names = names,
         .lease_wait = decide::awaited_lease(play.input(), play.analysis())}));
}

Foresight foresee(const Moment& moment, const model::ServerName& primary, Death death) {
    Play play{moment, primary, death};
    play.run();
    const auto order = decide::decide_order(play.input(), play.analysis(), std::nullopt);
    Foresight out{
        .death = death,
        .with_it = play.with_it(),
        .after = play.passed(),
        .acts = play.acts(),
        .then = decide::explain(play.moment()),
        .gates = decide::gates(play.input(), play.analysis()),
        .candidate = {},
        .loss = {},
        .order = order ? order->text : order.error().what};
    const auto chosen = std::ranges::find_if(out.then.candidates, &decide::CandidateState::chosen);
    if (chosen != out.then.candidates.end()) {
        out.candidate = chosen->server;
        const decide::Gate fence = decide::fence_outlook(play.input(), play.analysis());
        const auto* const open = std::get_if<decide::GateOpen>(&fence);
        out.loss = loss_of(moment, chosen->server, open != nullptr ? open->proof : decide::Proof::nothing);
    }
    if (order) out.steps = steps_of(play, *order);
    return out;
}

}  // namespace

Result<std::vector<Foresight>> if_primary_died(const Moment& moment) {
    if (!moment.saved.primary) return Error{ErrorKind::refused, "nobody holds the role of primary, so nobody can be followed in it"};
    if (moment.evidence.find(*moment.saved.primary) == nullptr)
        return Error{ErrorKind::refused, fmt::format("{} was not looked at yet; ask again in a second", moment.saved.primary->text())};
    return std::vector<Foresight>{
        foresee(moment, *moment.saved.primary, Death::process), foresee(moment, *moment.saved.primary, Death::host)};
}

}  // namespace handyrep::plans
