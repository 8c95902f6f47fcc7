#include "cli/invocation.hpp"

#include "base/text.hpp"
#include "cli/arguments.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>

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
