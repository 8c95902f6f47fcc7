// A cluster of three that lacks nothing, db1 the primary; a test breaks one thing and looks for its check.
#pragma once

#include "decide/readiness.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace handyrep::decide::testing {

struct Readied {
    Readied();

    model::ServerInspection& seen(std::string_view name);
    model::DatabaseInspection& database(std::string_view name) { return **seen(name).database; }
    model::HostInspection& host(std::string_view name) { return **seen(name).host; }
    model::FenceDrill& drill(std::string_view name) { return **seen(name).drill; }
    model::LeaseDrill& lease(std::string_view name) { return **seen(name).lease; }
    model::ServerDefinition& define(std::string_view name);
    void set(std::string_view name, const std::string& setting, std::string value) {
        database(name).settings[setting].value = std::move(value);
    }
    void set_everywhere(const std::string& setting, const std::string& value) {
        for (model::ServerInspection& it : inspections) (*it.database)->settings[setting].value = value;
    }
    void forget(std::string_view name, const std::string& setting) { database(name).settings.erase(setting); }
    void make_synchronous(const std::string& names) { set("db1", "synchronous_standby_names", names); }
    /// As if the server were of that version; what it then has no word for is still for the test to take away.
    void make_version(int number) {
        for (model::ServerInspection& it : inspections) (*it.database)->version = model::ServerVersion{number};
    }

    [[nodiscard]] std::vector<Check> judge() const { return decide::judge({settings, saved, inspections}); }
    /// Fails the test when there is no such check.
    [[nodiscard]] Check check(CheckName name, std::string_view server) const;

    model::FailoverSettings settings;
    model::SavedState saved{*model::ClusterName::parse("pay"), 0, 0, {}, {}, {}, {}, {}, {}, {}, {}, {}};
    std::vector<model::ServerInspection> inspections;
};

}  // namespace handyrep::decide::testing
