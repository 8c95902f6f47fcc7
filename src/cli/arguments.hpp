// cli/arguments.hpp — the verbs and options as CLI11 is told of them. Internal to the room, and with invocation.cpp all that knows CLI11.
#pragma once

#include "cli/invocation.hpp"

#include <CLI/CLI.hpp>

#include <optional>
#include <string>

namespace handyrep::cli {

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

/// Every verb with its options, which are written into `raw`.
void declare(Commands& it, Raw& raw);

}  // namespace handyrep::cli
