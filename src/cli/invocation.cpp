// The one file that includes CLI11.
#include "cli/invocation.hpp"

#include "base/text.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

namespace handyrep::cli {

namespace {

constexpr std::array<std::string_view, 35> verbs{
    "disable",     "enable",      "promote", "clone",   "reclone", "rejoin",   "rewind", "shutdown",   "startup",
    "restart",     "fence",       "unfence", "stonith", "follow",  "remaster", "cancel", "switchover", "operations",
    "operation",   "maintenance", "pause",   "resume",  "daemon",  "status",   "check",  "failover",   "events",
    "acknowledge", "explain",     "record",  "verify",  "config",  "version",  "help",   "show"};
constexpr std::array<std::string_view, 36> options{
    "--at",         "--unschedule", "--from",    "--rate",    "--slot",     "--wal-directory",
    "--tablespace", "--keep-old",   "--no-wait", "--rolling", "--upstream", "--drop-logical",
    "--follow",     "--for",        "--until",   "--reason",  "--override", "--if-primary-died",
    "--back",       "--replay",     "--out",     "--config",  "--cluster",  "--url",
    "--output",     "--no-color",   "--timeout", "--to",      "--all",      "--last",
    "--dry-run",    "--yes",        "--count",   "--help",    "--version",  "--color"};

constexpr const char* exit_codes =
    "Exit codes: 0 healthy or done, 1 warning, 2 down, 3 unknown, 4 usage, 5 configuration,\n"
    "            6 refused by a rule, 7 denied, 8 unreachable or timed out, 9 failed";

/// What CLI11 writes into; turned into an Invocation afterwards.
struct Raw {
    GlobalOptions global;
    std::string output = "table";
    std::string timeout;
    Failover failover;
    Failover promote{.alone = true};
    Switchover switchover;
    std::optional<std::string> at;
    Follow follow;
    Service service;
    Rejoin rejoin;
    Rejoin rewind{.only_rewind = true};
    Clone clone;
    std::string rate;
    Cancel cancel;
    Events events;
    Operations operations;
    Operation operation;
    MaintenanceOn maintenance;
    MaintenanceOn disable{.endless = true};
    MaintenanceOff maintenance_off;
    std::optional<std::string> lasts;
    std::optional<std::string> until;
    Pause pause;
    Explain explain;
    Record record;
    Verify verify;
    ConfigCheck config_check;
};

struct Commands {
    CLI::App app{"Watches PostgreSQL clusters from outside and fails them over.", "handyrep"};
    CLI::App* daemon = nullptr;
    CLI::App* status = nullptr;
    CLI::App* check = nullptr;
    CLI::App* failover = nullptr;
    CLI::App* promote = nullptr;
    CLI::App* switchover = nullptr;
    CLI::App* follow = nullptr;
    CLI::App* shutdown = nullptr;
    CLI::App* startup = nullptr;
    CLI::App* restart = nullptr;
    CLI::App* fence = nullptr;
    CLI::App* rejoin = nullptr;
    CLI::App* rewind = nullptr;
    CLI::App* clone = nullptr;
    CLI::App* reclone = nullptr;
    CLI::App* cancel = nullptr;
    CLI::App* events = nullptr;
    CLI::App* operations = nullptr;
    CLI::App* operation = nullptr;
    CLI::App* acknowledge = nullptr;
    CLI::App* maintenance = nullptr;
    CLI::App* maintenance_on = nullptr;
    CLI::App* maintenance_off = nullptr;
    CLI::App* disable = nullptr;
    CLI::App* enable = nullptr;
    CLI::App* pause = nullptr;
    CLI::App* resume = nullptr;
    CLI::App* explain = nullptr;
    CLI::App* record = nullptr;
    CLI::App* verify = nullptr;
    CLI::App* config = nullptr;
    CLI::App* config_check = nullptr;
    CLI::App* config_show = nullptr;
    CLI::App* version = nullptr;
    CLI::App* help = nullptr;
};

void add_global_options(CLI::App& app, Raw& raw) {
    app.add_option("--config", raw.global.config, "Configuration (default: HANDYREP_CONFIG, then /etc/handyrep/handyrep.conf)")
        ->type_name("FILE");
    app.add_option("--cluster", raw.global.cluster, "Which cluster, where there are several")->type_name("NAME");
    app.add_option("--url", raw.global.url, "Address of the daemon; the token then comes from HANDYREP_TOKEN")->type_name("URL");
    app.add_option("--output", raw.output, "table, json or yaml")->type_name("FORMAT");
    app.add_flag("--no-color", raw.global.no_color, "No colours (also with NO_COLOR, and when the output is no terminal)");
    app.add_option("--timeout", raw.timeout, "How long to wait for the daemon (10s; verify: 2min; orders: 10min)")->type_name("DURATION");
}

void declare_standing_orders(Commands& it, Raw& raw) {
    it.maintenance = it.app.add_subcommand("maintenance", "Do nothing by itself for a time: maintenance on, maintenance off");
    it.maintenance_on = it.maintenance->add_subcommand("on", "Watch and explain, but do nothing by itself until the end; your orders work");
    it.maintenance_on->add_option(
        "NAME", raw.maintenance.server, "Of this server only: it takes no part in any decision (default: the cluster)");
    it.maintenance_off = it.maintenance->add_subcommand("off", "End it now");
    it.maintenance_off->add_option("NAME", raw.maintenance_off.server, "Of this server");
    it.disable = it.app.add_subcommand("disable", "Take a server out: it is watched, and takes no part in any decision until enable");
    it.disable->add_option("NAME", raw.disable.server, "Which server")->required();
    it.enable = it.app.add_subcommand("enable", "Let a server take part again");
    it.enable->add_option("NAME", raw.maintenance_off.server, "Which server")->required();
    for (auto [verb, order] : {std::pair{it.maintenance_on, &raw.maintenance}, std::pair{it.disable, &raw.disable}}) {
        verb->add_option("--for", raw.lasts, order->endless ? "How long (at most 7d)" : "How long (default 1h, at most 7d)")
            ->type_name("DURATION");
        verb->add_option("--until", raw.until, "Until when, in UTC: 2026-11-22T05:00:00Z")->type_name("TIME");
        verb->add_option("--reason", order->reason, "What for: status, check and events show it")->type_name("TEXT");
    }
    it.pause = it.app.add_subcommand("pause", "Pause automation until it is resumed; HandyRep watches, explains and obeys");
    it.pause->add_option("--reason", raw.pause.reason, "What for: status, check and events show it")->type_name("TEXT");
    it.resume = it.app.add_subcommand("resume", "Resume automation");
}

void declare_upkeep(Commands& it, Raw& raw) {
    it.follow = it.app.add_subcommand("follow", "Let replicas follow another server; all of them where none is named");
    it.follow->alias("remaster");
    it.follow->add_option("REPLICA", raw.follow.replicas, "Which (default: all that do not follow it yet)");
    it.follow->add_option("--upstream", raw.follow.upstream, "Whom (default: the primary); another replica makes a cascade")
        ->type_name("NAME");
    it.follow->add_flag("--dry-run", raw.follow.dry_run, "Show the plan; touch nothing");
    it.follow->add_flag("--yes", raw.follow.yes, "Do not ask");
    it.rejoin = it.app.add_subcommand(
        "rejoin", "Bring an old primary, or a replica that went its own way, back: it follows as it is, or is rewound");
    it.rewind = it.app.add_subcommand("rewind", "The same, by a rewind only: what only it has is saved on its host, then given up");
    for (auto [command, order] : {std::pair{it.rejoin, &raw.rejoin}, {it.rewind, &raw.rewind}}) {
        command->add_option("NAME", order->server, "Which server")->required();
        command->add_flag("--dry-run", order->dry_run, "Look at its disk and show the plan; touch nothing");
        command->add_flag("--yes", order->yes, "Do not ask");
    }
}

CLI::App* declare_service(Commands& it, Raw& raw, const char* name, const char* help) {
    CLI::App* const verb = it.app.add_subcommand(name, help);
    verb->add_option("SERVER", raw.service.server, "Which");
    verb->add_flag("--dry-run", raw.service.dry_run, "Show the plan; touch nothing");
    verb->add_flag("--yes", raw.service.yes, "Do not ask");
    return verb;
}

void declare_services(Commands& it, Raw& raw) {
    it.shutdown = declare_service(it, raw, "shutdown", "Stop a server cleanly; nothing starts it until startup");
    it.startup = declare_service(it, raw, "startup", "Start a server that was stopped or fenced, as what it was");
    it.startup->alias("unfence");
    it.restart = declare_service(it, raw, "restart", "Restart a server in place, or all of them one after the other");
    it.restart->add_flag("--rolling", raw.service.rolling, "Every replica, then the primary by handing the role over");
    it.restart->add_option("--to", raw.service.to, "With --rolling: the new primary")->type_name("NAME");
    it.fence = declare_service(it, raw, "fence", "End every process of a replica at once; nothing starts it until startup");
    it.fence->alias("stonith");
}

void declare_copies(Commands& it, Raw& raw) {
    it.clone = it.app.add_subcommand("clone", "Make a replica where there is none: copy a server into an absent or empty data directory");
    it.reclone = it.app.add_subcommand("reclone", "Make a server's data directory anew; the old one is set aside, and deleted in the end");
    for (CLI::App* const verb : {it.clone, it.reclone}) {
        verb->add_option("NAME", raw.clone.server, "Whose data directory")->required();
        verb->add_option("--from", raw.clone.from, "Whom to copy (default: the primary); it follows the primary in any case")
            ->type_name("NAME");
        verb->add_option("--rate", raw.rate, "At most so much per second, such as 50MB")->type_name("SIZE");
        verb->add_option("--slot", raw.clone.slot, "A replication slot for it at the primary, made if need be")->type_name("SLOT");
        verb->add_option("--wal-directory", raw.clone.wal_directory, "Where its pg_wal is to lie (default: as now, or inside)")
            ->type_name("PATH");
        verb->add_option("--tablespace", raw.clone.tablespaces, "Where the source has a tablespace, and where the copy is to have it")
            ->type_name("OLD=NEW");
        verb->add_flag("!--no-wait", raw.clone.wait, "Do not wait for its end");
        verb->add_flag("--dry-run", raw.clone.dry_run, "Check everything and show the plan; touch nothing");
        verb->add_flag("--yes", raw.clone.yes, "Do not ask");
    }
    it.reclone->add_flag("--keep-old", raw.clone.keep_old, "Do not delete the old directory in the end");
}

void declare_promotions(Commands& it, Raw& raw) {
    it.failover = it.app.add_subcommand("failover", "Make another server the primary");
    it.failover->add_option("--to", raw.failover.to, "The server to promote (default: the best candidate)")->type_name("NAME");
    it.promote = it.app.add_subcommand("promote", "Promote a replica and do nothing else: nobody is fenced or re-pointed");
    it.promote->add_option("NAME", raw.promote.to, "Which replica")->required();
    for (auto [verb, order] : {std::pair{it.failover, &raw.failover}, std::pair{it.promote, &raw.promote}}) {
        verb->add_flag("--dry-run", order->dry_run, "Show the plan; touch nothing");
        verb->add_flag("--yes", order->yes, "Do not ask");
        verb->add_option("--override", order->overrides, "Pass this gate although it is shut; the plan says what is lost by it")
            ->type_name("fence|durability")
            ->check(CLI::IsMember({"fence", "durability"}))
            ->expected(1)
            ->take_all();
    }
}

void declare(Commands& it, Raw& raw) {
    // Unknown words are collected and judged here, with the nearest known one, instead of by CLI11.
    it.app.allow_extras();
    it.app.fallthrough();
    it.app.footer(exit_codes);
    add_global_options(it.app, raw);
    it.daemon = it.app.add_subcommand("daemon", "Run the daemon in the foreground; it logs to standard error");
    it.status = it.app.add_subcommand("status", "The cluster, its servers, and what happens next");
    it.check = it.app.add_subcommand("check", "The same as one line for a monitoring system");
    declare_promotions(it, raw);
    it.switchover = it.app.add_subcommand("switchover", "Hand the role of primary over while all is well; loses nothing");
    it.switchover->add_option("--to", raw.switchover.to, "The new primary (default: the replica with the lowest failover_priority)")
        ->type_name("NAME");
    it.switchover->add_flag("--dry-run", raw.switchover.dry_run, "Check everything and show the plan; touch nothing");
    it.switchover->add_flag("--yes", raw.switchover.yes, "Do not ask");
    it.switchover->add_flag("--drop-logical", raw.switchover.drop_logical, "Although logical replication slots are lost by it");
    it.switchover->add_option("--at", raw.at, "Not now but then, in UTC: 2026-11-22T05:00:00Z; status shows it")->type_name("TIME");
    it.switchover->add_flag("--unschedule", raw.switchover.unschedule, "Take back the one that is scheduled");
    declare_upkeep(it, raw);
    declare_services(it, raw);
    declare_copies(it, raw);
    it.events = it.app.add_subcommand("events", "What happened, newest last");
    it.events->add_option("--count", raw.events.count, "How many (default 20)")->check(CLI::Range(1, 1000))->type_name("N");
    it.operations = it.app.add_subcommand("operations", "What was carried out, and what came of it, newest last");
    it.operations->add_option("--count", raw.operations.count, "How many (default 20)")->check(CLI::Range(1, 1000))->type_name("N");
    it.operation = it.app.add_subcommand("operation", "One of them: its plan and its steps with their times");
    it.operation->add_option("NUMBER", raw.operation.id, "Its number")->required();
    it.operation->add_flag("--follow", raw.operation.follow, "Show its steps as they are done, until it has ended");
    it.cancel = it.app.add_subcommand("cancel", "Call off an operation that runs and is not past its point of no return; it is undone");
    it.cancel->add_option("NUMBER", raw.cancel.id, "Its number")->required();
    it.acknowledge = it.app.add_subcommand("acknowledge", "Acknowledge the last automatic failover, which ends its cool-down");
    declare_standing_orders(it, raw);
    it.explain = it.app.add_subcommand("explain", "Why it does what it does, or does nothing: evidence, gates, guards, candidates");
    it.explain->add_flag(
        "--if-primary-died", raw.explain.if_primary_died, "Who would take over, what could be lost, what would hold it back");
    it.explain->add_option("--back", raw.explain.back, "Of an earlier change: 1 is the last one")
        ->check(CLI::Range(1, 1000))
        ->type_name("N");
    it.explain->add_option("--replay", raw.explain.replay, "Of a recording instead of the daemon; needs no daemon")->type_name("FILE");
    it.record = it.app.add_subcommand("record", "What explain is made of, as a file to send in; holds no secrets");
    it.record->add_option("--out", raw.record.out, "Where to write it (default: standard output)")->type_name("FILE");
    it.verify = it.app.add_subcommand("verify", "Look at every server and its host, try what a failover needs, and list what is missing");
    it.verify->add_option("SERVER", raw.verify.server, "Only the checks of this one");
    it.verify->add_flag("--all", raw.verify.all, "Show also what is as it should be");
    it.verify->add_flag("--last", raw.verify.last, "What was found last, without looking again");
    it.config = it.app.add_subcommand("config", "Check or show the configuration; needs no daemon");
    it.config_check = it.config->add_subcommand("check", "Every problem as file:line:column");
    it.config_check->add_option("FILE", raw.config_check.file, "The file (default: as --config)");
    it.config_show = it.config->add_subcommand("show", "Every effective value and where it came from; secrets are masked");
    it.version = it.app.add_subcommand("version", "The versions of HandyRep and of its PostgreSQL client");
    it.help = it.app.add_subcommand("help", "Help, also about one verb: help VERB");
}

std::string unknown(std::string_view word, bool verb_known) {
    const std::string_view name = word.substr(0, word.find('='));
    const bool option = word.starts_with('-');
    const auto near = option ? nearest(name, options) : nearest(name, verbs);
    std::string text = option       ? fmt::format("unknown option '{}'", name)
                       : verb_known ? fmt::format("'{}' is one word too many", word)
                                    : fmt::format("unknown verb '{}'", word);
    if (near && (option || !verb_known)) text += fmt::format("; did you mean '{}'?", *near);
    return text;
}

std::optional<std::string> finish_global(Raw& raw) {
    if (raw.output == "table") {
        raw.global.output = Output::table;
    } else if (raw.output == "json") {
        raw.global.output = Output::json;
    } else if (raw.output == "yaml") {
        raw.global.output = Output::yaml;
    } else {
        return fmt::format("--output: '{}' is none of table, json, yaml", raw.output);
    }
    if (raw.timeout.empty()) return std::nullopt;
    const auto timeout = parse_duration(raw.timeout);
    if (!timeout) return "--timeout: " + timeout.error().text();
    if (*timeout <= Duration::zero()) return "--timeout: it must be longer than nothing";
    raw.global.timeout = *timeout;
    return std::nullopt;
}

/// Of `maintenance on` and `disable`; who orders it is the daemon's to say, and whether the end may be.
std::optional<std::string> finish_maintenance(Raw& raw) {
    if (raw.lasts && raw.until) return "--for or --until, not both";
    for (MaintenanceOn* const order : {&raw.maintenance, &raw.disable}) {
        if (raw.lasts) {
            const auto lasts = parse_duration(*raw.lasts);
            if (!lasts) return "--for: " + lasts.error().text();
            order->lasts = *lasts;
        }
        if (raw.until) {
            const auto until = parse_wall_time(*raw.until);
            if (!until) return "--until: " + until.error().text();
            order->until = *until;
        }
    }
    return std::nullopt;
}

std::optional<std::string> finish_switchover(Raw& raw) {
    if (raw.at) {
        const auto at = parse_wall_time(*raw.at);
        if (!at) return "--at: " + at.error().text();
        raw.switchover.at = *at;
    }
    const Switchover& it = raw.switchover;
    if (it.unschedule && (it.at || it.to || it.drop_logical || it.dry_run)) return "--unschedule: it stands alone";
    return std::nullopt;
}

std::optional<std::string> finish_service(const Commands& it, Raw& raw) {
    for (const CLI::App* const verb : {it.shutdown, it.startup, it.restart, it.fence}) {
        if (!verb->parsed()) continue;
        raw.service.order = verb->get_name();
        if (raw.service.rolling && !raw.service.server.empty()) return "restart: one server, or --rolling, not both";
        if (raw.service.to && !raw.service.rolling) return "--to: it means something with --rolling only";
        if (raw.service.server.empty() && !raw.service.rolling) return fmt::format("{}: which server?", verb->get_name());
    }
    return std::nullopt;
}

/// Of clone and reclone.
std::optional<std::string> finish_copy(Raw& raw) {
    if (!raw.rate.empty()) {
        const auto rate = model::parse_bytes(raw.rate);
        if (!rate) return "--rate: " + rate.error().text();
        raw.clone.rate = *rate;
    }
    for (const std::string& it : raw.clone.tablespaces) {
        if (it.find('=') == std::string::npos) return fmt::format("--tablespace: expected OLD=NEW, not '{}'", it);
    }
    return std::nullopt;
}

std::optional<Verb> verb_of(const Commands& it, const Raw& raw) {
    if (it.daemon->parsed()) return Daemon{};
    if (it.status->parsed()) return Status{};
    if (it.check->parsed()) return Check{};
    if (it.failover->parsed()) return raw.failover;
    if (it.promote->parsed()) return raw.promote;
    if (it.switchover->parsed()) return raw.switchover;
    if (it.follow->parsed()) return raw.follow;
    if (!raw.service.order.empty()) return raw.service;
    if (it.rejoin->parsed()) return raw.rejoin;
    if (it.rewind->parsed()) return raw.rewind;
    if (it.clone->parsed()) return raw.clone;
    if (it.reclone->parsed()) {
        Clone out = raw.clone;
        out.replaces = true;
        return out;
    }
    if (it.cancel->parsed()) return raw.cancel;
    if (it.events->parsed()) return raw.events;
    if (it.operations->parsed()) return raw.operations;
    if (it.operation->parsed()) return raw.operation;
    if (it.acknowledge->parsed()) return Acknowledge{};
    if (it.maintenance_on->parsed()) return raw.maintenance;
    if (it.maintenance_off->parsed() || it.enable->parsed()) return raw.maintenance_off;
    if (it.disable->parsed()) return raw.disable;
    if (it.pause->parsed()) return raw.pause;
    if (it.resume->parsed()) return Resume{};
    if (it.explain->parsed()) return raw.explain;
    if (it.record->parsed()) return raw.record;
    if (it.verify->parsed()) return raw.verify;
    if (it.config_check->parsed()) return raw.config_check;
    if (it.config_show->parsed()) return ConfigShow{};
    if (it.version->parsed()) return Version{};
    return std::nullopt;
}

/// With what the words behind it take, where there are such.
std::string help_of(const CLI::App& verb) {
    const bool more = !verb.get_subcommands([](const CLI::App*) { return true; }).empty();
    return verb.help("handyrep", more ? CLI::AppFormatMode::All : CLI::AppFormatMode::Normal);
}

/// Of commands that parsed nothing: CLI11 would print the help of the verb that it has just read.
std::variant<Invocation, UsageError> help_about(const std::string& verb) {
    Raw raw;
    Commands it;
    declare(it, raw);
    if (verb.empty()) return Invocation{raw.global, Help{it.app.help()}};
    for (const CLI::App* const known : std::as_const(it).app.get_subcommands([](const CLI::App*) { return true; })) {
        if (known->get_name() == verb) return Invocation{raw.global, Help{help_of(*known)}};
    }
    return UsageError{unknown(verb, false)};
}

}  // namespace

std::variant<Invocation, UsageError> parse_arguments(const std::vector<std::string>& arguments) {
    // Here, because CLI11 takes the word behind it for a verb to be carried out.
    if (!arguments.empty() && arguments.front() == "help") return help_about(arguments.size() > 1 ? arguments[1] : "");
    Raw raw;
    Commands it;
    declare(it, raw);
    bool version_flag = false;
    it.app.add_flag("--version", version_flag, "As the verb version");
    try {
        it.app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));  // CLI11 takes them backwards
    } catch (const CLI::CallForHelp&) {
        const auto parsed = it.app.get_subcommands();
        return Invocation{raw.global, Help{parsed.empty() ? it.app.help() : help_of(*parsed.front())}};
    } catch (const CLI::ParseError& error) {
        return UsageError{error.what()};
    }
    const auto half = [](const CLI::App* verb) { return verb->parsed() && verb->get_subcommands().empty(); };
    const bool verb_known = !it.app.get_subcommands().empty() && !half(it.config) && !half(it.maintenance);
    const auto left = it.app.remaining(true);
    if (half(it.maintenance) && !left.empty() && !left.front().starts_with('-'))
        return UsageError{fmt::format("maintenance what? '{}' is neither on nor off", left.front())};
    if (!left.empty()) return UsageError{unknown(left.front(), verb_known)};
    if (const auto wrong = finish_global(raw)) return UsageError{*wrong};
    if (const auto wrong = finish_maintenance(raw)) return UsageError{*wrong};
    if (const auto wrong = finish_switchover(raw)) return UsageError{*wrong};
    if (const auto wrong = finish_service(it, raw)) return UsageError{*wrong};
    if (const auto wrong = finish_copy(raw)) return UsageError{*wrong};
    if (it.help->parsed()) return help_about("");
    if (version_flag) return Invocation{raw.global, Version{}};
    if (const auto verb = verb_of(it, raw)) return Invocation{raw.global, *verb};
    if (it.maintenance->parsed()) return UsageError{"maintenance what? maintenance on, or maintenance off"};
    if (it.config->parsed()) return UsageError{"config what? config check [FILE], or config show"};
    return UsageError{"which verb? `handyrep help` lists them"};
}

}  // namespace handyrep::cli
