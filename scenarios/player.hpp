// scenarios/player.hpp — plays a story on a stage: the simulator's, or one of real servers.
//
// What a story asks, and whether it was so, is judged here, the same for both; a stage only does what it is told and says what
// it sees.
#pragma once

#include "scenarios/scenario.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace handyrep::scenarios {

/// What the manager says at one moment, in the words of its closed sets.
struct Report {
    std::string situation;
    std::string reason;
    bool provisional = false;  // the manager acts on nothing yet: it has not read every server since a start without saved state
    std::set<std::string> findings{};
    std::set<std::string> must_be_down{};
};

class Stage {
public:
    Stage() = default;
    Stage(const Stage&) = delete;
    Stage& operator=(const Stage&) = delete;
    virtual ~Stage() = default;

    // What is done. `unsupported` where this stage cannot do it.
    virtual Result<void> begin(const Deed& deed) = 0;
    /// Ends everything of this kind that was begun and has not ended. False when there is nothing.
    virtual bool end(DeedKind kind) = 0;
    /// Time passes until `reached` says yes, which is asked whenever something may have changed. False: `limit` has passed.
    virtual bool pass(const std::function<bool()>& reached, Duration limit) = 0;
    /// A person's failover: an empty text when it was carried out, else the refusal. Nothing when nobody answered.
    virtual std::optional<std::string> order(const Order& order) = 0;

    // What is seen.
    virtual std::vector<std::string> writers() = 0;  // servers that take clients' writes
    virtual bool is_so(const Fact& fact) = 0;
    virtual bool streams(const std::string& replica, const std::string& from) = 0;
    /// Whether a client's writes through this router are acknowledged by this server now.
    virtual bool writes_through(const std::string& router, const std::string& server) = 0;
    virtual std::optional<Report> report() = 0;  // nothing: there is no manager
    virtual std::set<std::string>
    reasons_of_operations() = 0;                 // begun since this was asked last: what is acted on at once is seen nowhere else
    virtual std::set<std::string> events() = 0;  // by name, all that were told since the story began
    virtual bool told(const std::string& event) = 0;
    virtual std::size_t promotions() = 0;  // by the manager
    virtual std::size_t failovers_begun() = 0;
    virtual std::optional<std::string> last_proof() = 0;
    virtual std::size_t lost_on(const std::string& server) = 0;  // acknowledged commits that it does not have
    /// Whatever must never be, and was: asked once, at the end.
    virtual std::vector<std::string> violations() = 0;
    /// Each server in a few words, for a failure's text.
    virtual std::string servers_text() = 0;
    /// A line of the record of what happened.
    virtual void note(std::string_view line) = 0;
    /// Something is not as the story says: what can still be shown of this moment is kept.
    virtual void failing() {}
};

/// What the manager said at any moment of a story.
struct Reached {
    std::set<std::string> situations{};
    std::set<std::string> findings{};
    std::set<std::string> reasons{};  // of a decision, and of an operation that was begun for it
};

/// What came of a story. It passed when nothing failed.
struct Told {
    std::vector<std::string> failures;  // a sentence each: what was expected, what was seen
    std::string summary;
    Reached reached{};
};

[[nodiscard]] Told play(const Scenario& scenario, Stage& stage);

}  // namespace handyrep::scenarios
