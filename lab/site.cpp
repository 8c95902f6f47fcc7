#include "lab/site.hpp"

#include "base/ensure.hpp"
#include "base/text.hpp"
#include "tests/harness/moment.hpp"
#include "tests/harness/server.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <future>

namespace handyrep::lab {

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr const char* description_name = "site.json";
constexpr std::string_view network = "10.87.0.";
constexpr std::size_t apps_number = 2;
constexpr std::size_t first_server_number = 11;

std::string address(std::size_t number) { return fmt::format("{}{}", network, number); }

Pairs settings_of(const SiteWanted& wanted, const std::string& server) {
    const auto found = std::ranges::find(wanted.settings, server, &std::pair<std::string, Pairs>::first);
    return found == wanted.settings.end() ? Pairs{} : found->second;
}

std::string upstream_of(const SiteWanted& wanted, const std::string& replica) {
    const auto found = std::ranges::find(wanted.follows, replica, &std::pair<std::string, std::string>::first);
    return found == wanted.follows.end() ? "db1" : found->second;
}

/// Every task at once; the first failure, if any.
Result<void> all_of(std::vector<std::future<Result<void>>> tasks) {
    Result<void> outcome{};
    for (auto& task : tasks) {
        if (auto done = task.get(); !done && outcome) outcome = done;
    }
    return outcome;
}

}  // namespace

Site::Site(std::filesystem::path folder, std::size_t servers, std::vector<std::string> layouts, const std::vector<std::string>& services)
    : folder_{std::move(folder)}, layouts_{std::move(layouts)}, fabric_{folder_ / "switch"} {
    const auto programs = harness::find_programs();
    const auto add = [this](const std::string& name, const std::string& first_address) {
        // One that was changed stands in a file.
        const auto changed = harness::read_file(folder_ / name / "address");
        machines_.push_back(std::make_unique<Machine>(Place{name, changed ? *changed : first_address, folder_ / name}));
        return machines_.back().get();
    };
    for (std::size_t i = 0; i < servers; ++i) {
        Machine* const machine = add(fmt::format("db{}", i + 1), address(first_server_number + i));
        servers_.push_back(std::make_unique<Server>(*machine, programs ? *programs : std::filesystem::path{}, passwords_, layouts_));
    }
    manager_ = std::make_unique<Manager>(*add("manager", managers_address), passwords_);
    apps_ = add("apps", address(apps_number));
    for (const std::string& it : services) {
        const ServiceKind* const kind = service_kind(it);
        ensure(kind != nullptr, "a service of the lab has its line in the table");
        services_.push_back(std::make_unique<Service>(*add(it, address(kind->number)), *kind, passwords_));
    }
}

HostFiles Site::files() const {
    HostFiles out{.lab = folder_, .machines = {}};
    for (const auto& it : machines_) out.machines.push_back(it.get());
    return out;
}

std::vector<Machine*> Site::machines() const {
    std::vector<Machine*> out;
    for (const auto& it : machines_) out.push_back(it.get());
    return out;
}

std::vector<std::string> Site::server_addresses() const {
    std::vector<std::string> out;
    for (const auto& it : servers_) out.push_back(it->machine().address());
    return out;
}

Result<Server*> Site::server(const std::string& name) {
    for (const auto& it : servers_) {
        if (it->name() == name) return it.get();
    }
    return Error{ErrorKind::invalid, fmt::format("the lab has no server {}", name)};
}

Result<Machine*> Site::machine(const std::string& name) {
    std::vector<std::string> names;
    for (const auto& it : machines_) {
        if (it->name() == name) return it.get();
        names.push_back(it->name());
    }
    return Error{ErrorKind::invalid, fmt::format("the lab has no host {}; it has {}", name, join(names, ", "))};
}

Result<void> Site::boot(Machine& machine) {
    if (machine.on()) return {};
    if (auto on = machine.power_on(); !on) return on;
    if (auto plugged = fabric_.plug(machine); !plugged) return plugged;
    if (auto started = start_sshd(machine); !started) return started;
    if (&machine == &manager_->machine()) return manager_->start();
    if (const auto it = server(machine.name()); it && (*it)->starts_by_itself()) return (*it)->begin_start();
    const auto service = std::ranges::find(services_, machine.name(), [](const auto& it) { return it->name(); });
    return service == services_.end() ? Result<void>{} : (*service)->start();
}

void Site::cut_power(Machine& machine) {
    static_cast<void>(fabric_.set_link(machine, false));
    machine.power_off();
}

Result<void> Site::make_hosts() {
    if (auto started = fabric_.start(); !started) return started;
    const HostFiles all = files();
    if (auto made = all.make_keys(); !made) return made;
    std::vector<std::future<Result<void>>> tasks;
    for (const auto& it : machines_) {
        tasks.push_back(std::async(std::launch::async, [&all, machine = it.get(), this]() -> Result<void> {
            if (auto written = all.write(*machine); !written) return written;
            if (const auto found = server(machine->name()); found) {
                if (auto made = (*found)->make_disk(); !made) return made;
            }
            if (machine == &manager_->machine()) {
                if (auto made = manager_->make_disk(); !made) return made;
            }
            return machine->power_on();
        }));
    }
    if (auto made = all_of(std::move(tasks)); !made) return made;
    for (const auto& it : machines_) {
        if (auto plugged = fabric_.plug(*it); !plugged) return plugged;
        if (auto started = start_sshd(*it); !started) return started;
    }
    return all.write_known_hosts();
}

/// All at once, and each must be healthy.
Result<void> Site::make_services() const {
    std::vector<const Server*> servers;
    for (const auto& it : servers_) servers.push_back(it.get());
    for (const auto& it : services_) {
        if (auto configured = it->configure(servers); !configured) return configured;
        if (auto started = it->start(); !started) return started;
    }
    for (const auto& it : services_) {
        Result<void> last{};
        auto there =
            harness::wait_until([&] { return bool(last = healthy(*it)); }, seconds{60}, it->name() + " is healthy", milliseconds{100});
        if (!there) return there.error().during("last seen: " + last.error().text());
    }
    return {};
}

Result<void> Site::make_replica(Server& replica, const SiteWanted& wanted) {
    const auto upstream = server(upstream_of(wanted, replica.name()));
    if (!upstream) return upstream.error();
    if (auto made = replica.make_replica(**upstream, settings_of(wanted, replica.name())); !made) return made;
    return harness::wait_until(
        [&] {
            const auto there = (*upstream)->ask(fmt::format(
                "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND application_name = {}",
                harness::sql_literal(replica.name())));
            return there && *there == "1";
        },
        seconds{30}, replica.name() + " streams", milliseconds{20});
}

Result<void> Site::make_cluster(const SiteWanted& wanted) {
    Server& primary = *servers_.front();
    if (auto made = primary.make_primary(settings_of(wanted, primary.name())); !made) return made;
    // Those that follow another replica after it, so in two rounds.
    for (const bool direct : {true, false}) {
        std::vector<std::future<Result<void>>> copies;
        for (auto it = servers_.begin() + 1; it != servers_.end(); ++it) {
            if ((upstream_of(wanted, (*it)->name()) == primary.name()) != direct) continue;
            copies.push_back(
                std::async(std::launch::async, [this, &wanted, replica = it->get()] { return make_replica(*replica, wanted); }));
        }
        if (auto made = all_of(std::move(copies)); !made) return made;
    }
    if (wanted.synchronous_standby_names.empty()) return {};
    return primary.set("synchronous_standby_names", wanted.synchronous_standby_names);
}

Result<std::unique_ptr<Site>> Site::make(const SiteWanted& wanted) {
    if (auto able = can_have_hosts(); !able) return able.error();
    if (const auto programs = harness::find_programs(); !programs) return programs.error();
    auto temporary = harness::TemporaryFolder::make();
    if (!temporary) return temporary.error();
    std::unique_ptr<Site> site{new Site((*temporary)->path(), wanted.servers, wanted.layouts, wanted.services)};
    site->temporary_ = std::move(*temporary);
    constexpr std::size_t length = 20;
    site->passwords_ = {Secret{harness::random_word(length)}, Secret{harness::random_word(length)}, Secret{harness::random_word(length)}};
    if (auto made = site->make_hosts(); !made) return made.error();
    if (auto made = site->make_certificates(); !made) return made.error();
    if (auto made = site->make_cluster(wanted); !made) return made.error();
    if (auto made = site->make_services(); !made) return made.error();
    std::vector<Server*> servers;
    for (const auto& it : site->servers_) servers.push_back(it.get());
    auto configured = site->manager_->configure(
        servers, {.failover = wanted.failover,
                  .priorities = wanted.priorities,
                  .ssh_config = site->files().ssh_config(),
                  .tls = site->tls_keys(),
                  .has_password = !site->has("certificate_logins")});
    if (!configured) return configured.error();
    if (wanted.managers_clock) {
        if (auto set = site->manager_->give_clock(); !set) return set.error();
    }
    if (auto started = site->manager_->start(); !started) return started.error();
    if (auto written = site->write_down(); !written) return written.error();
    return site;
}

/// For those who come later; the passwords too, so it is for root alone.
Result<void> Site::write_down() const {
    std::vector<std::string> services;
    for (const auto& it : services_) services.push_back(it->name());
    const nlohmann::json out{
        {"servers", servers_.size()},
        {"layouts", layouts_},
        {"services", services},
        {"superuser", passwords_.superuser.reveal()},
        {"replication", passwords_.replication.reveal()},
        {"console", passwords_.console.reveal()}};
    return harness::write_private(folder_ / description_name, out.dump() + "\n");
}

Result<std::unique_ptr<Site>> Site::open(const std::filesystem::path& folder) {
    const auto text = harness::read_file(folder / description_name);
    if (!text) return Error{ErrorKind::invalid, fmt::format("{} is no lab with hosts", folder.string())};
    const auto json = nlohmann::json::parse(*text, nullptr, false);
    if (!json.is_object() || !json.contains("servers"))
        return Error{ErrorKind::invalid, fmt::format("{} is damaged", (folder / description_name).string())};
    const auto texts = [&](const char* name) { return json.value(name, std::vector<std::string>{}); };
    std::unique_ptr<Site> site{new Site(folder, json.value("servers", std::size_t{0}), texts("layouts"), texts("services"))};
    site->passwords_ = {Secret{json.value("superuser", "")}, Secret{json.value("replication", "")}, Secret{json.value("console", "")}};
    return site;
}

std::string Site::other_address(const std::string& address) {
    const auto dot = address.rfind('.') + 1;
    return fmt::format("{}{}", address.substr(0, dot), std::stoi(address.substr(dot)) + 100);
}

Result<void> Site::write_names_of(const Machine& machine, const std::set<std::string>& forgotten) const {
    std::vector<const Machine*> all;
    for (const auto& it : machines_) all.push_back(it.get());
    return write_names(machine, all, {forgotten.begin(), forgotten.end()});
}

Result<void> Site::change_address(Machine& machine, const std::string& address) {
    auto changed = machine.shell(fmt::format("ip addr flush dev eth0 && ip addr add {}/24 dev eth0", address));
    if (!changed) return changed.error();
    machine.set_address(address);
    if (auto written = harness::write_private(machine.folder() / "address", address); !written) return written;
    for (const auto& it : machines_) {
        if (auto written = write_names_of(*it, {}); !written) return written;
    }
    return {};
}

Result<void> Site::wait_until_healthy(Duration limit) {
    std::string last;
    auto outcome = harness::wait_until(
        [&] {
            const auto status = manager_->cli({"status"});
            if (status) last = status->output + status->errors;
            return status && status->exit_code == 0;
        },
        limit, "the lab is healthy", milliseconds{200});
    if (!outcome) return outcome.error().during("last seen: " + last);
    return outcome;
}

}  // namespace handyrep::lab
