// lab/deeds.hpp — what a story says is done, done to real hosts and servers.
#pragma once

#include "lab/site.hpp"
#include "scenarios/scenario.hpp"
#include "tests/harness/moment.hpp"

#include <atomic>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace handyrep::lab {

/// One that accidents.cpp does.
[[nodiscard]] bool is_accident(scenarios::DeedKind kind);

class Deeds {
public:
    /// `told` is called with a line whenever something ends by itself, or cannot be ended.
    Deeds(Site& site, std::function<void(const std::string&)> told) : site_{site}, told_{std::move(told)} {}
    Deeds(const Deeds&) = delete;
    Deeds& operator=(const Deeds&) = delete;
    ~Deeds();

    /// `unsupported` names what real servers, or this machine, cannot do.
    Result<void> begin(const scenarios::Deed& deed);
    /// Ends everything of this kind that was begun and has not ended. False when there is nothing.
    bool end(scenarios::DeedKind kind);
    void end_all();
    [[nodiscard]] bool has_open() const { return !open_.empty(); }
    /// Ends what lasts no longer; to be called again and again.
    void look_at_the_clock();
    /// What the cluster's settings say that is no line of postgresql.conf; before anything else runs.
    Result<void> set_up(const scenarios::ClusterWanted& wanted);
    /// Servers that a person made primaries: what they accept is for that person.
    [[nodiscard]] const std::set<std::string>& by_hand() const { return by_hand_; }
    [[nodiscard]] bool is_so(const scenarios::Fact& fact);
    /// A setting that only a simulated server has: its name.
    [[nodiscard]] static std::optional<std::string> cannot_be_set(const scenarios::Settings& settings);

private:
    using Undo = std::function<Result<void>()>;  // empty: it has no end
    struct Open {
        scenarios::DeedKind kind;
        std::optional<harness::Moment> until;
        Undo end;
    };
    using Outcome = Result<Undo>;
    enum class CommitState { waits, acknowledged, failed };

    Result<void> keep_begun(const scenarios::Deed& deed, Outcome begun);
    Outcome to_processes(scenarios::DeedKind kind, Server& server);
    Outcome to_sessions(scenarios::DeedKind kind, Server& server);
    [[nodiscard]] static bool is_of_host(scenarios::DeedKind kind);
    Outcome to_host(scenarios::DeedKind kind, Machine& machine);
    Outcome power_off(Machine& machine);
    Outcome to_machine(scenarios::DeedKind kind, Server& server);
    Outcome to_disk(scenarios::DeedKind kind, Server& server);
    Outcome to_settings(scenarios::DeedKind kind, Server& server);
    Outcome to_network(const scenarios::Deed& deed);
    Outcome to_manager(const scenarios::Deed& deed);
    Outcome black_hole_names();
    Outcome configure(const scenarios::Settings& settings);
    Result<void> write_managers_names();
    Outcome deny_sudo_halfway(Server& server);
    Outcome make_read_only(Server& server);
    Outcome change_rules(Server& server, const std::string& script);
    Outcome let_certificate_expire(Server& server);
    Outcome fill_walsenders(Server& server);
    Outcome hold_back(const scenarios::Deed& deed);
    Outcome begin_set(const scenarios::Deed& deed);
    Outcome set(Server& server, const scenarios::Settings& settings);
    Outcome to_accident(const scenarios::Deed& deed, Server& server);
    Outcome commit(Server& server, const scenarios::Settings& settings);
    Outcome rewind(Server& server);
    static Outcome start_at_once(Server& server);
    [[nodiscard]] std::optional<bool> past_fork(const Server& server) const;
    Outcome kill_postmaster(Server& server);
    Outcome hold_up_startup(Server& server, Duration length);
    Outcome demote(Server& server);
    Outcome replace_with_another_system(Server& server);
    Outcome fill(Server& server, const std::string& disk, unsigned percent_left);
    Outcome detach(Server& server);
    Outcome hold_up_replay(Server& server);
    Outcome hold_up_promotion(Server& server);
    Outcome fill_connections(Server& server);
    Outcome take_wal_away(Server& server);
    Result<void> cut(const std::vector<Machine*>& left, const std::vector<Machine*>& right, bool cutting);
    [[nodiscard]] Result<std::vector<Machine*>> hosts(const std::vector<scenarios::NodeName>& names);
    void keep(scenarios::DeedKind kind, const std::optional<Duration>& lasts, Undo end);
    void over(Open& open);

    Site& site_;
    std::function<void(const std::string&)> told_;
    std::list<Open> open_;
    std::set<std::string> by_hand_;
    std::set<std::string> forgotten_;                                // names that the manager's host does not know
    std::map<std::string, int> cuts_;                                // "from to": how many deeds drop it
    std::map<std::string, std::vector<harness::Session>> sessions_;  // that a deed keeps open, by server
    std::map<std::string, std::shared_ptr<std::jthread>> hold_ups_;
    std::map<std::string, std::shared_ptr<std::atomic<CommitState>>> commits_;  // the last of each server
    std::list<std::jthread> committers_;
};

}  // namespace handyrep::lab
