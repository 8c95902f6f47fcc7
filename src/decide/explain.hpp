// decide/explain.hpp — why HandyRep does what it does, or does nothing: an analysis and a decision spelled out for people.
//
// Pure: a function of a moment alone, so that the daemon and a recording that a user sent in say the same. Decides nothing:
// it asks the same questions as decision.cpp and shows every answer instead of the first one that matters.
#pragma once

#include "decide/decision.hpp"
#include "model/moment.hpp"

#include <optional>
#include <string>
#include <vector>

namespace handyrep::decide {

/// A fact with its age, counted from the moment.
struct Clue {
    Weight weight;  // on the claim that the primary is dead
    model::ServerName server;
    std::string source;
    std::string text;
    std::optional<Duration> age;
};

/// A situation that is near, and what keeps it from being the one.
struct NotThis {
    Situation situation;
    std::string text;
};

/// A guard, whether or not it holds automation back now.
struct GuardState {
    Reason reason;
    bool holds;
    std::string text;
};

enum class GateName { durability, fence };
[[nodiscard]] std::string_view word_for(GateName name);
struct GateState {
    GateName name;
    bool open;
    std::string word;  // the proof, or why it is closed
    std::string text;
};

/// One server, as far as taking over is concerned.
struct CandidateState {
    model::ServerName server;
    bool eligible;
    bool chosen;
    std::string text;
};

/// Who takes writes, as last seen.
struct WritesGoTo {
    model::ServerName server;
    model::WalPosition flushed;
    Duration age;                       // of the answer that said so
    std::optional<Duration> moved_ago;  // since WAL was last seen to be flushed there
};

/// What one sensor last said.
struct SensorSight {
    std::string sensor;
    std::string text;
    Duration age;
};

/// What all sensors last said of one server.
struct ServerSight {
    model::ServerName server;
    model::Role role;
    std::optional<model::Timeline> timeline;
    std::optional<model::Lsn> lsn;
    std::optional<model::Bytes> behind;
    std::optional<Duration> age;  // of its last answer
    std::vector<SensorSight> sensors;
};

struct Explanation {
    model::ClusterName cluster;
    WallTime at;
    WallTime since;
    Situation situation;
    std::string sentence;
    Decision decision;
    std::string advice;               // what a person should do
    std::optional<Duration> next_in;  // when the decision is due to change by itself
    std::optional<WritesGoTo> writes;
    std::vector<Clue> clues;
    std::vector<NotThis> not_these;
    std::vector<GuardState> guards;
    std::vector<GateState> gates;  // for a failover now; empty where none is in question, or nobody could take over
    std::vector<CandidateState> candidates;
    std::vector<ServerSight> servers;
    std::vector<Finding> findings;
};

[[nodiscard]] inline AnalysisInput input_of(const model::Moment& moment) {
    return {moment.settings, moment.saved, moment.evidence, moment.now};
}

[[nodiscard]] Explanation explain(const model::Moment& moment);

/// One line per server of the cluster, the best candidate first.
[[nodiscard]] std::vector<CandidateState> candidates(const AnalysisInput& input, const Analysis& analysis);
/// Both gates for the best candidate, without touching anything.
[[nodiscard]] std::vector<GateState> gates(const AnalysisInput& input, const Analysis& analysis);
/// All of them, in the order in which they are asked.
[[nodiscard]] std::vector<GuardState> guard_states(const AnalysisInput& input, const Analysis& analysis, const Guards& guards);

}  // namespace handyrep::decide
