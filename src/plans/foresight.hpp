// plans/foresight.hpp — if the primary died now: who would take over, what could be lost, what would hold it back, and how.
//
// A standing view: the same evidence goes on, only the primary's sensors and what its replicas hear of it are made to say
// what they would say after such a death. Then the same analysis, decision, gates and plan are asked as in earnest.
#pragma once

#include "decide/explain.hpp"
#include "model/moment.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace handyrep::plans {

enum class Death {
    process,  // every process of the primary ends, its host goes on
    host,     // its host vanishes with everything on it, as without power or network
};
[[nodiscard]] std::string_view sentence_for(Death death);

/// What is known to be on the primary's disk and not on the candidate's.
struct Loss {
    model::Bytes known;    // the primary's flush position when last seen, less the candidate's when last seen
    Duration primary_age;  // of that sight of the primary
    Duration candidate_age;
    /// What was written since then and not sent, from above; nothing where no proof would stop the old primary, and why.
    std::optional<model::Bytes> at_most{};
    std::string unbounded{};
    friend bool operator==(const Loss&, const Loss&) = default;
};

struct Foresight {
    Death death;
    std::vector<model::ServerName> with_it{};  // other servers that die of it: they have the same address
    Duration after;                            // how long after the death it is decided, or how long was looked ahead without a decision
    bool acts;                                 // HandyRep would fail over by itself
    decide::Explanation then;                  // of the moment of that decision
    std::vector<decide::GateState> gates;
    std::optional<model::ServerName> candidate;
    std::optional<Loss> loss;
    std::string order;                 // what a person's order would do: "fails over from db1 to db2", or why it would be refused
    std::vector<std::string> steps{};  // of the plan, as 'handyrep failover --dry-run' shows them; none where it would be refused
};

/// Both deaths. Fails with `refused` when nobody holds the role of primary, or it was never read.
[[nodiscard]] Result<std::vector<Foresight>> if_primary_died(const model::Moment& moment);

}  // namespace handyrep::plans
