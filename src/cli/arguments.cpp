#include "cli/arguments.hpp"

#include <utility>

namespace handyrep::cli {

namespace {

constexpr const char* exit_codes =
    "Exit codes: 0 healthy or done, 1 warning, 2 down, 3 unknown, 4 usage, 5 configuration,\n"
    "            6 refused by a rule, 7 denied, 8 unreachable or timed out, 9 failed";

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

}  // namespace

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

}  // namespace handyrep::cli
