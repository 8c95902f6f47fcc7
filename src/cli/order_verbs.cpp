// Orders that begin an operation: shown as a plan, confirmed, carried out; and the one that calls it off.
#include "base/text.hpp"
#include "cli/asking.hpp"
#include "cli/rendering.hpp"
#include "cli/verbs.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <iostream>
#include <utility>

namespace handyrep::cli {

namespace {

using control::Json;

constexpr Duration order_limit = std::chrono::minutes{10};
/// A planned change is tried with the real rights on every host before its plan is shown.
constexpr Duration dry_limit = std::chrono::minutes{2};

/// An order that a person confirms: what it asks of the daemon, for real or dry.
struct Asked {
    std::string name;  // of the verb
    Json body;
    bool dry_run;
    bool yes;
};

Question question_of(const GlobalOptions& global, const Asked& order, bool dry_run) {
    Json body = order.body;
    body["dry_run"] = dry_run;
    return {"POST", path_of("/v1/" + order.name, global), body.dump(-1, ' ', false, Json::error_handler_t::replace)};
}

/// Shows the plan and asks. Nothing: go on.
std::optional<int> confirm(const GlobalOptions& global, const Asked& order, Surroundings& surroundings) {
    const auto planned = fetch(global, surroundings, question_of(global, order, true), dry_limit);
    if (const auto* ending = std::get_if<Ending>(&planned)) return end(*ending, surroundings);
    const auto text = render_order(std::get<Json>(planned), layout_of(global, surroundings));
    if (!text) return end(ending_of(text.error()), surroundings);
    surroundings.error << *text << "\nCarry this out? [y/N] " << std::flush;
    std::string reply;
    std::getline(surroundings.in, reply);
    const std::string word = lower(trim(reply));
    if (word == "y" || word == "yes") return std::nullopt;
    surroundings.error << "Nothing was done.\n";
    return exit_done;
}

/// A person confirms, or has said --yes. Nothing: go on.
std::optional<int> asked_first(const GlobalOptions& global, const Asked& order, Surroundings& surroundings) {
    if (order.dry_run || order.yes) return std::nullopt;
    if (!surroundings.in_is_terminal)
        return end({fmt::format("a {} without a terminal to ask on needs --yes (or --dry-run)", order.name), exit_usage}, surroundings);
    return confirm(global, order, surroundings);
}

int carry_out(const GlobalOptions& global, const Asked& order, Surroundings& surroundings) {
    if (const auto stopped = asked_first(global, order, surroundings)) return *stopped;
    const auto answer = fetch(global, surroundings, question_of(global, order, order.dry_run), order.dry_run ? dry_limit : order_limit);
    if (const auto* ending = std::get_if<Ending>(&answer)) return end(*ending, surroundings);
    const Json& done = std::get<Json>(answer);
    return print(done, render_order(done, layout_of(global, surroundings)), global, surroundings);
}

}  // namespace

int do_failover(const GlobalOptions& global, const Failover& failover, Surroundings& surroundings) {
    Json body = Json::object();
    if (failover.to) body[failover.alone ? "server" : "to"] = *failover.to;
    if (!failover.overrides.empty()) body["override"] = failover.overrides;
    return carry_out(global, {failover.alone ? "promote" : "failover", std::move(body), failover.dry_run, failover.yes}, surroundings);
}

int do_switchover(const GlobalOptions& global, const Switchover& switchover, Surroundings& surroundings) {
    if (switchover.unschedule) return order_standing("/v1/unschedule", Json::object(), global, surroundings);
    Json body = Json::object();
    if (switchover.to) body["to"] = *switchover.to;
    if (switchover.drop_logical) body["drop_logical"] = true;
    const Asked asked{"switchover", body, switchover.dry_run, switchover.yes};
    if (!switchover.at || switchover.dry_run) return carry_out(global, asked, surroundings);
    // What is in the way now is said now, with the plan.
    if (const auto stopped = asked_first(global, asked, surroundings)) return *stopped;
    body["at"] = text(*switchover.at);
    return order_standing("/v1/schedule", body, global, surroundings);
}

int do_follow(const GlobalOptions& global, const Follow& follow, Surroundings& surroundings) {
    Json body = Json::object();
    if (!follow.replicas.empty()) body["replicas"] = follow.replicas;
    if (follow.upstream) body["upstream"] = *follow.upstream;
    return carry_out(global, {"follow", std::move(body), follow.dry_run, follow.yes}, surroundings);
}

int do_service(const GlobalOptions& global, const Service& service, Surroundings& surroundings) {
    Json body = Json::object();
    if (service.rolling) {
        body["restart_all"] = true;
        if (service.to) body["to"] = *service.to;
    } else {
        body["server"] = service.server;
    }
    return carry_out(global, {service.rolling ? "switchover" : service.order, std::move(body), service.dry_run, service.yes}, surroundings);
}

int do_rejoin(const GlobalOptions& global, const Rejoin& rejoin, Surroundings& surroundings) {
    Json body{{"server", rejoin.server}};
    if (rejoin.only_rewind) body["only_rewind"] = true;
    return carry_out(global, {"rejoin", std::move(body), rejoin.dry_run, rejoin.yes}, surroundings);
}

namespace {

Json body_of(const Clone& clone) {
    Json body{{"server", clone.server}};
    if (clone.from) body["from"] = *clone.from;
    if (clone.rate) body["rate_bytes_per_second"] = clone.rate->count;
    if (clone.slot) body["slot"] = *clone.slot;
    if (clone.wal_directory) body["wal_directory"] = *clone.wal_directory;
    if (clone.keep_old) body["keep_old"] = true;
    for (const std::string& it : clone.tablespaces) {
        const auto at = it.find('=');  // invocation.cpp has seen to it that there is one
        body["tablespaces"][it.substr(0, at)] = it.substr(at + 1);
    }
    return body;
}

}  // namespace

/// The daemon answers as soon as the copy is begun: it takes hours, and this only watches.
int do_clone(const GlobalOptions& global, const Clone& clone, Surroundings& surroundings) {
    const Asked asked{clone.replaces ? "reclone" : "clone", body_of(clone), clone.dry_run, clone.yes};
    if (clone.dry_run || !clone.wait) return carry_out(global, asked, surroundings);
    if (const auto stopped = asked_first(global, asked, surroundings)) return *stopped;
    const auto answer = fetch(global, surroundings, question_of(global, asked, false), dry_limit);
    if (const auto* ending = std::get_if<Ending>(&answer)) return end(*ending, surroundings);
    const Json& begun = std::get<Json>(answer);
    surroundings.error << clean(begun.value("text", "")) << "\n";
    const auto found = begun.find("operation");
    if (found == begun.end() || !found->is_number_unsigned())
        return end({"the daemon did not say which operation it is", exit_failed}, surroundings);
    return follow_operation(global, found->get<std::uint64_t>(), surroundings);
}

int do_cancel(const GlobalOptions& global, const Cancel& cancel, Surroundings& surroundings) {
    const Json body{{"operation", cancel.id}};
    const auto answer = fetch(global, surroundings, {"POST", path_of("/v1/cancel", global), body.dump()}, question_limit);
    if (const auto* ending = std::get_if<Ending>(&answer)) return end(*ending, surroundings);
    return print(
        std::get<Json>(answer), fmt::format("operation {0} is called off; 'handyrep operation {0}' shows what is undone\n", cancel.id),
        global, surroundings);
}

}  // namespace handyrep::cli
