// The lab of `./dev lab`.

#include "lab/hold.hpp"
#include "lab/loopback.hpp"
#include "lab/play.hpp"
#include "lab/site.hpp"
#include "scenarios/words.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

namespace {

using handyrep::Error;
using handyrep::ErrorKind;
using handyrep::Result;
namespace lab = handyrep::lab;

constexpr int wrong_use = 4;
constexpr std::size_t most_servers = 7;

int say(const Result<void>& outcome) {
    if (outcome) return 0;
    std::cerr << "the lab failed: " << outcome.error().text() << "\n";
    return 1;
}

/// The lab with hosts that is up.
Result<std::unique_ptr<lab::Site>> find_site() {
    for (const auto& folder : handyrep::harness::TemporaryFolder::kept()) {
        if (auto site = lab::Site::open(folder)) return site;
    }
    return Error{ErrorKind::invalid, "there is no lab with hosts; ./dev lab up makes one"};
}

Result<void> show(lab::Site& site) {
    for (const lab::Machine* it : site.machines())
        std::cout << fmt::format("{:<9} {:<11} {}\n", it->name(), it->address(), it->on() ? "on" : "switched off");
    for (const auto& it : site.services()) {
        const auto healthy = site.healthy(*it);
        std::cout << fmt::format("{:<9} {}\n", it->name(), healthy ? "healthy" : "NOT healthy: " + healthy.error().text());
    }
    const auto status = site.manager().cli({"status"});
    if (!status) return status.error();
    std::cout << status->output << status->errors << std::flush;
    return {};
}

Result<void> up_with_hosts(const lab::Wanted& wanted, std::vector<std::string> services) {
    lab::SiteWanted site{.servers = wanted.servers, .services = std::move(services), .managers_clock = true};
    for (std::size_t i = 2; wanted.sync && i <= wanted.servers; ++i)
        site.synchronous_standby_names += fmt::format("{}db{}{}", i == 2 ? "ANY 1 (" : "", i, i == wanted.servers ? ")" : ", ");
    std::cout << fmt::format("{} servers, a manager and clients on hosts of their own ...\n", wanted.servers) << std::flush;
    auto made = lab::Site::make(site);
    if (!made) return made.error();
    if (auto healthy = (*made)->wait_until_healthy(std::chrono::seconds{60}); !healthy) return healthy;
    (*made)->keep();
    if (auto shown = show(**made); !shown) return shown;
    std::cout << fmt::format(
        "\nfiles, logs {0}\nlook        ./dev lab status\non a host   ./dev lab shell db1 [COMMAND]\nbreak       ./dev lab fault power_off db1\nheal        "
        "./dev lab heal\nend         ./dev lab down\n",
        (*made)->folder().string());
    return {};
}

Result<void> status() {
    if (auto site = find_site()) return show(**site);
    return lab::status();
}

/// Becomes a shell, or a command, on the host.
Result<void> shell(const std::string& host, const std::vector<std::string>& command) {
    auto site = find_site();
    if (!site) return site.error();
    const auto machine = (*site)->machine(host);
    if (!machine) return machine.error();
    const auto there = (*machine)->inside({.arguments = command.empty() ? std::vector<std::string>{"/bin/bash"} : command});
    if (!there) return there.error();
    std::vector<std::string> words = there->arguments;
    std::vector<char*> raw;
    for (std::string& it : words) raw.push_back(it.data());
    raw.push_back(nullptr);
    ::execvp(raw.front(), raw.data());
    return Error{ErrorKind::failed, "nsenter cannot be run"};
}

Result<void> fault(const std::string& word, const std::vector<std::string>& on) {
    auto site = find_site();
    if (!site) return site.error();
    return lab::begin_fault(**site, word, on);
}

Result<void> heal() {
    auto site = find_site();
    if (!site) return site.error();
    const auto count = lab::heal(**site);
    if (!count) return count.error();
    std::cout << fmt::format("{} fault(s) ended\n", *count);
    return {};
}

/// Every word of the table, with what it takes and what it means.
std::string all_faults() {
    std::string out = "KIND and ON:\n";
    for (const handyrep::scenarios::Word& it : handyrep::scenarios::words())
        out += fmt::format("  {:<46} {}\n", fmt::format("{} {}", it.word, word_for(it.takes)), it.meaning);
    return out;
}

int told(const Result<std::size_t>& failed) {
    if (!failed) return say(failed.error());
    return *failed == 0 ? 0 : 1;
}

}  // namespace

int main(int count, char** words) {
    CLI::App app{"Real PostgreSQL clusters to break: each server on a host of its own, watched by HandyRep from another.", "./dev lab"};
    app.require_subcommand(1);

    lab::Wanted wanted;
    bool loopback = false;
    std::vector<std::string> services;
    auto* const up_verb = app.add_subcommand("up", "Make one and leave it running");
    up_verb->add_option("--servers", wanted.servers, "How many")->check(CLI::Range(std::size_t{1}, most_servers))->capture_default_str();
    up_verb->add_flag("--sync", wanted.sync, "Commit synchronously to any one replica");
    for (const auto& [name, what] :
         {std::pair{"pgbouncer", "A host with pgbouncer, which points at db1"},
          std::pair{"haproxy", "A host with HAProxy, which follows the primary by its own checks"},
          std::pair{"etcd", "A host with etcd, of one member"}})
        up_verb->add_flag_callback(std::string{"--"} + name, [&services, name] { services.emplace_back(name); }, what);
    up_verb->add_flag("--loopback", loopback, "All servers on this machine's loopback: needs no root, and has no hosts to cut off");
    auto* const status_verb = app.add_subcommand("status", "The hosts, and what HandyRep says of them");
    auto* const down_verb =
        app.add_subcommand("down", "End and remove every lab, with those of ./dev demo --keep and of runs that crashed");

    std::string host;
    auto* const shell_verb =
        app.add_subcommand("shell", "A shell, or the command that follows, on a host: db1 to dbN, manager, apps, pgbouncer, haproxy, etcd");
    shell_verb->add_option("HOST", host)->required();
    shell_verb->prefix_command();  // what follows is not ours to read

    std::string word;
    std::vector<std::string> on;
    auto* const fault_verb = app.add_subcommand(
        "fault", "Break something, by a word of scenarios/: kill_all db1, one_way db1 manager, partition db1 manager,db2");
    fault_verb->add_option("KIND", word)->required();
    fault_verb->add_option("ON", on);
    fault_verb->footer(all_faults());
    auto* const heal_verb = app.add_subcommand("heal", "End every fault that has an end");

    lab::PlayOrder order;
    bool all = false;
    auto* const play_verb = app.add_subcommand("play", "Play stories of scenarios/, each in a lab of its own");
    play_verb->add_option("FILES", order.files);
    play_verb->add_flag("--all", all, "All of them");
    play_verb->add_option("--times", order.times, "Each so many times")->capture_default_str();
    play_verb->add_option("--jobs", order.jobs, "So many at once")->capture_default_str();
    play_verb->add_flag("--lines", order.lines, "Print everything that happened, also of stories that pass");
    play_verb->add_option("--json", order.json, "Write the report as JSON to this file");

    lab::RandomOrder drawn;
    auto* const random_verb = app.add_subcommand("random", "Play histories of faults that seeds draw");
    random_verb->add_option("--runs", drawn.runs, "So many")->capture_default_str();
    random_verb->add_option("--from", drawn.from, "The first seed")->capture_default_str();
    random_verb->add_flag_callback("--sync", [&] { drawn.replication = lab::Replication::synchronous; }, "Synchronous replication only");
    random_verb->add_flag_callback("--async", [&] { drawn.replication = lab::Replication::asynchronous; }, "Asynchronous replication only");
    random_verb->add_option("--jobs", drawn.jobs, "So many at once")->capture_default_str();
    random_verb->add_flag("--lines", drawn.lines, "Print everything that happened, also of those that pass");
    random_verb->add_option("--json", drawn.json, "Write the report as JSON to this file");

    std::string folder;
    auto* const hold_verb = app.add_subcommand("hold", "")->group("");
    hold_verb->add_option("FOLDER", folder)->required();
    hold_verb->add_option("KIND", word)->required();
    hold_verb->add_option("ON", on);

    try {
        app.parse(count, words);
    } catch (const CLI::ParseError& error) {
        const int code = app.exit(error);
        return code == 0 ? 0 : wrong_use;
    }
    if (*hold_verb) return lab::hold(folder, word, on);
    if (*status_verb) return say(status());
    if (*down_verb) return say(lab::down());
    if (*shell_verb) return say(shell(host, shell_verb->remaining()));
    if (*fault_verb) return say(fault(word, on));
    if (*heal_verb) return say(heal());
    if (*random_verb) return told(lab::play_random(drawn));
    if (*play_verb) {
        if (order.files.empty() && !all) {
            std::cerr << "name stories of scenarios/, or --all\n";
            return wrong_use;
        }
        return told(lab::play_stories(order));
    }
    if (wanted.sync && wanted.servers < 2) {
        std::cerr << "--sync needs two servers: a commit would wait for ever\n";
        return wrong_use;
    }
    if (loopback && !services.empty()) {
        std::cerr << "routers and etcd need hosts of their own, which --loopback has not\n";
        return wrong_use;
    }
    return say(loopback ? lab::up(wanted) : up_with_hosts(wanted, services));
}
