#include "app/reload.hpp"

#include <algorithm>
#include <map>

namespace handyrep::app {

namespace {

std::string key_of(const config::Setting& setting) {
    return setting.server.empty() ? setting.section + "." + setting.key : setting.section + "." + setting.server + "." + setting.key;
}

std::map<std::string, std::string> values_of(const config::Configuration& configuration) {
    std::map<std::string, std::string> values;
    for (const config::Setting& setting : configuration.settings) values.emplace(key_of(setting), setting.value);
    return values;
}

bool differs(const Secret& left, const Secret& right) { return left.reveal() != right.reveal(); }

}  // namespace

Changes changes_between(const config::Configuration& running, const config::Configuration& fresh) {
    const auto before = values_of(running);
    const auto after = values_of(fresh);
    std::vector<std::string> changed;
    for (const auto& [key, value] : before) {
        const auto now = after.find(key);
        if (now == after.end() || now->second != value) changed.push_back(key);
    }
    for (const auto& [key, value] : after) {
        if (!before.contains(key)) changed.push_back(key);
    }
    // Settings show secrets masked, so that these are compared themselves.
    const auto compare = [&](const Secret& left, const Secret& right, std::string key) {
        if (differs(left, right) && std::ranges::find(changed, key) == changed.end()) changed.push_back(std::move(key));
    };
    compare(running.passwords.superuser, fresh.passwords.superuser, "passwords.superuser_pass");
    compare(running.passwords.replication, fresh.passwords.replication, "passwords.replication_pass");
    compare(running.passwords.admin, fresh.passwords.admin, "passwords.admin_password");
    compare(running.passwords.read, fresh.passwords.read, "passwords.read_password");

    std::ranges::sort(changed);
    Changes out;
    for (std::string& key : changed) {
        const bool at_once = key == "handyrep.log_format" || key == "handyrep.log_verbose" || key == "passwords.admin_password" ||
                             key == "passwords.read_password" || key == "failover.lease_ttl";
        (at_once ? out.at_once : out.need_restart).push_back(std::move(key));
    }
    return out;
}

bool is_verbose(const config::Configuration& configuration) {
    return std::ranges::any_of(configuration.settings, [](const config::Setting& it) {
        return it.section == "handyrep" && it.key == "log_verbose" && it.value == "true";
    });
}

}  // namespace handyrep::app
