#include "decide/rejoin.hpp"

#include "decide/look.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace handyrep::decide {

using model::RewindLook;
using model::RewindPhase;
using model::ServerName;

namespace {

/// Besides what is saved: nobody fills a disk to the last byte.
constexpr model::Bytes spare_room{64ULL << 20U};

/// By the replay position, never by what was received (S11).
bool has_diverged(const AnalysisInput& input, const model::StandbyAnswer& standby) {
    const model::TimelineHistory* const history = history_of_primary(input);
    return history != nullptr && standby.timeline && !history->contains({*standby.timeline, standby.replayed});
}

/// It was a primary when it was last written to.
bool was_primary(model::ControlState state) {
    return state != model::ControlState::shut_down_in_recovery && state != model::ControlState::in_archive_recovery;
}

/// Whatever way it would be.
std::optional<Error> takes_no_part(const AnalysisInput& input, const Analysis& analysis, const ServerName& name) {
    if (auto why = no_member(input.saved, name)) return why;
    if (!input.saved.primary) return obstacle(Obstacle::no_primary, "nobody holds the role of primary");
    if (name == input.saved.primary)
        return obstacle(Obstacle::is_primary, fmt::format("{} is the primary: there is nobody whom it could follow", name.text()));
    if (input.saved.possible_primary)
        return obstacle(
            Obstacle::possible_primary,
            fmt::format(
                "{} was told to promote and may have: it must be seen or stopped first", input.saved.possible_primary->server.text()));
    if (analysis.writable != input.saved.primary || analysis.primary_suspected)
        return obstacle(
            Obstacle::primary_not_healthy,
            fmt::format("{}; nothing is led to a primary that does not answer", sentence_for(analysis.situation)));
    return std::nullopt;
}

/// What makes a rewind impossible, and what is left then.
struct Unfit {
    Obstacle why;
    std::string text;
};

std::optional<Unfit> cannot_be_rewound(const RewindLook& look, const std::optional<Result<model::Divergence>>& divergence) {
    constexpr std::uint32_t oldest = 13;
    if (look.version < oldest)
        return Unfit{Obstacle::too_old_to_rewind, fmt::format("PostgreSQL {} cannot be rewound safely", look.version)};
    if (!look.programs)
        return Unfit{
            Obstacle::no_rewind_programs,
            "pg_rewind, pg_waldump or pg_controldata is missing on its host; install PostgreSQL's server programs there"};
    if (!look.protects_pages)
        return Unfit{
            Obstacle::pages_unprotected,
            "its control file has neither data checksums nor wal_log_hints, so nothing says which pages changed; set wal_log_hints = on for the "
            "next time"};
    if (!look.configured)
        return Unfit{
            Obstacle::configuration_unknown, "its postgresql.conf was found neither beside its data nor where it was started with"};
    if (!divergence || !*divergence)
        return Unfit{
            Obstacle::wal_missing,
            fmt::format("its WAL could not be looked through: {}", divergence ? divergence->error().text() : "it was not asked")};
    const model::Divergence& seen = **divergence;
    if (!seen.common_checkpoint && !look.restores)
        return Unfit{
            Obstacle::wal_missing, "its WAL back to the last common checkpoint is recycled, and it has no restore_command to get it with"};
    if (seen.room && seen.room->count < seen.to_save.count + spare_room.count)
        return Unfit{
            Obstacle::no_room_to_save, fmt::format(
                                           "{} of WAL must be saved first, and where that goes on its host only {} are free; make room",
                                           text(seen.to_save), text(*seen.room))};
    return std::nullopt;
}

bool only_a_clone_is_left(Obstacle why) {
    return why == Obstacle::too_old_to_rewind || why == Obstacle::pages_unprotected || why == Obstacle::wal_missing ||
           why == Obstacle::half_rewound || why == Obstacle::no_common_history;
}

class Judge {
public:
    Judge(const AnalysisInput& input, const RejoinSurvey& survey, const RejoinWanted& wanted)
        : input_{input}, survey_{survey}, wanted_{wanted}, name_{wanted.server.text()} {}

    Result<Rejoin> judge() {
        const model::Answered* const answer = answer_of(input_, wanted_.server);
        if (answer != nullptr && is_foreign(input_, *answer)) return foreign(answer->system_id);
        if (answer != nullptr && answer->primary() != nullptr)
            return obstacle(
                Obstacle::takes_writes,
                fmt::format(
                    "{} runs as a primary; one that was failed over from is stopped by HandyRep, any other must be stopped by you first",
                    name_));
        if (answer != nullptr) return judge_standby(*answer->standby());
        return judge_down();
    }

private:
    Error foreign(model::SystemId id) const {
        return obstacle(Obstacle::foreign_system, fmt::format("{} belongs to another system ({})", name_, id.value));
    }
    [[nodiscard]] std::string upstream() const { return input_.saved.primary ? input_.saved.primary->text() : std::string{}; }

    Result<Rejoin> judge_standby(const model::StandbyAnswer& standby) {
        if (!has_diverged(input_, standby)) {
            const bool streams = standby.receiver && standby.receiver->status == "streaming";
            if (streams) return obstacle(Obstacle::follows_already, fmt::format("{} streams already", name_));
            if (wanted_.only_rewind) return nothing_to_rewind("all that it replayed is the primary's as well");
            return chosen(Way::follow, true, fmt::format("lets {} follow {}", name_, upstream()));
        }
        skip(fmt::format(
            "not followed as it is: it has replayed {}, which {} does not have",
            text(model::WalPosition{standby.timeline.value_or(model::Timeline{0}), standby.replayed}), upstream()));
        const RewindLook* const look = look_of_host();
        return look != nullptr ? judge_rewind(*look, true) : host_unknown();
    }

    [[nodiscard]] const RewindLook* look_of_host() const { return survey_.look && *survey_.look ? &**survey_.look : nullptr; }
    [[nodiscard]] Error host_unknown() const {
        return obstacle(
            Obstacle::host_unknown, fmt::format(
                                        "the host of {} must say what is on its disk, and does not: {}", name_,
                                        survey_.look ? survey_.look->error().text() : "it was not asked"));
    }

    Result<Rejoin> judge_down() {
        if (look_of_host() == nullptr) return host_unknown();
        const RewindLook& look = *look_of_host();
        if (input_.saved.system_id && look.system_id != *input_.saved.system_id) return foreign(look.system_id);
        if (look.phase == RewindPhase::half)
            return refuse({Obstacle::half_rewound, fmt::format("a rewind of it failed half-way: {}", look.why)});
        if (under_way(look.phase) || look.phase == RewindPhase::done)
            return chosen(Way::rewind, false, fmt::format("brings the rewind of {} to its end ({} now)", name_, word_for(look.phase)));
        if (look.processes > 0)
            return obstacle(
                Obstacle::still_runs,
                fmt::format(
                    "{} processes hold the data directory of {}, and it does not answer; stop it, or wait until it does", look.processes,
                    name_));
        if (history_of_primary(input_) == nullptr)
            return obstacle(
                Obstacle::history_unknown,
                fmt::format(
                    "the timeline history of {} could not be read: the manager's role needs REPLICATION, and pg_hba.conf to let it in",
                    upstream()));
        const auto behind = divergence_of(input_, look);
        return behind ? judge_fork(look, *behind) : judge_same_timeline(look);
    }

    /// A number alone does not tell twins apart: only who never was a primary on that timeline has nothing of its own there (S12).
    Result<Rejoin> judge_same_timeline(const RewindLook& look) {
        const model::TimelineHistory* const history = history_of_primary(input_);
        const bool same = history != nullptr && *history == look.history;
        if (!same || was_primary(look.state))
            return refuse(
                {Obstacle::no_common_history,
                 fmt::format(
                     "it was last a primary on timeline {}, and nothing says where {} left it", look.history.current().id, upstream())});
        if (wanted_.only_rewind) return nothing_to_rewind("it is a standby on the primary's timeline");
        return chosen(Way::follow, false, fmt::format("starts {} as a replica of {}", name_, upstream()));
    }

    Result<Rejoin> judge_fork(const RewindLook& look, const model::DivergenceQuestion& behind) {
        const std::string fork = text(behind.fork);
        if (behind.last != behind.fork.timeline) {
            skip(fmt::format("not followed as it is: it has gone on to timeline {} of its own, behind {}", behind.last.id, fork));
        } else if (!survey_.wal_end || !*survey_.wal_end) {
            skip(fmt::format(
                "not followed as it is: nothing says where its WAL ends ({})",
                survey_.wal_end ? survey_.wal_end->error().text() : "it was not asked"));
        } else if ((*survey_.wal_end)->end > behind.fork.lsn) {
            skip(fmt::format(
                "not followed as it is: its WAL ends {} behind the fork at {}", text(gap(behind.fork.lsn, (*survey_.wal_end)->end)), fork));
        } else {
            if (wanted_.only_rewind) return nothing_to_rewind(fmt::format("its WAL ends at the fork at {} or before", fork));
            auto out = chosen(
                Way::follow, false,
                fmt::format("starts {} as a replica of {}: its WAL ends at the fork at {} or before", name_, upstream(), fork));
            if (out) out->behind = behind;
            return out;
        }
        return judge_rewind(look, false);
    }

    Result<Rejoin> judge_rewind(const RewindLook& look, bool runs) {
        const auto behind = divergence_of(input_, look);
        if (!behind) return refuse({Obstacle::no_common_history, "it and the primary have no timeline in common"});
        if (auto unfit = cannot_be_rewound(look, survey_.divergence)) return refuse(*unfit);
        auto out = chosen(Way::rewind, runs, fmt::format("rewinds {}, which then follows {}", name_, upstream()));
        if (out) out->behind = behind;
        return out;
    }

    void skip(const std::string& why) { skipped_ += "; " + why; }

    Error nothing_to_rewind(const std::string& why) const {
        return obstacle(Obstacle::nothing_to_rewind, fmt::format("{} needs no rewind: {}; let it rejoin", name_, why));
    }
    Error refuse(const Unfit& unfit) const {
        return obstacle(
            unfit.why, fmt::format(
                           "{} cannot be rewound: {}{}{}", name_, unfit.text, skipped_,
                           only_a_clone_is_left(unfit.why) ? fmt::format("; {} must be cloned anew", name_) : ""));
    }
    Result<Rejoin> chosen(Way way, bool runs, std::string text) const {
        // There is one: that was asked first.
        const ServerName primary = input_.saved.primary.value_or(wanted_.server);
        return Rejoin{wanted_.server, primary, way, runs, std::nullopt, std::move(text) + skipped_};
    }

    const AnalysisInput& input_;
    const RejoinSurvey& survey_;
    const RejoinWanted& wanted_;
    const std::string& name_;
    std::string skipped_;
};

}  // namespace

std::optional<model::DivergenceQuestion> divergence_of(const AnalysisInput& input, const RewindLook& look) {
    const model::TimelineHistory* const history = history_of_primary(input);
    if (history == nullptr) return std::nullopt;
    const auto fork = model::common_end(look.history, *history);
    if (!fork) return std::nullopt;
    return model::DivergenceQuestion{look.system_id, *fork, look.history.current()};
}

bool needs_survey(const AnalysisInput& input, const ServerName& server) {
    const model::Answered* const answer = answer_of(input, server);
    if (answer == nullptr) return true;
    return answer->standby() != nullptr && has_diverged(input, *answer->standby());
}

Result<Rejoin> decide_rejoin(const AnalysisInput& input, const Analysis& analysis, const RejoinSurvey& survey, const RejoinWanted& wanted) {
    if (auto no_part = takes_no_part(input, analysis, wanted.server)) return *std::move(no_part);
    return Judge{input, survey, wanted}.judge();
}

}  // namespace handyrep::decide
