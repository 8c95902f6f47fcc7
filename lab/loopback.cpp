#include "lab/loopback.hpp"

#include "tests/harness/cluster.hpp"
#include "tests/harness/daemon.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <iostream>
#include <memory>
#include <string>

namespace handyrep::lab {

namespace {

constexpr Duration healthy_limit = std::chrono::seconds{60};
/// The name Daemon gives its files in the folder of the cluster.
constexpr const char* configuration_name = "handyrep.conf";

void show(const std::filesystem::path& configuration) {
    const auto outcome = harness::run(
        {.arguments = {harness::program(), "--config", configuration, "status"}, .folder = configuration.parent_path()},
        std::chrono::seconds{30});
    std::cout << (outcome ? outcome->output + outcome->errors : outcome.error().text() + "\n") << std::flush;
}

}  // namespace

Result<void> up(const Wanted& wanted) {
    harness::ClusterOptions options{.servers = wanted.servers};
    if (wanted.sync) {
        for (std::size_t i = 2; i <= wanted.servers; ++i)
            options.synchronous_standby_names += fmt::format("{}db{}", i == 2 ? "ANY 1 (" : ", ", i);
        options.synchronous_standby_names += ")";
    }
    std::cout << fmt::format("{} servers on this machine: initdb, base backups, streaming replication ...\n", wanted.servers) << std::flush;
    auto cluster = harness::RealCluster::make(options);
    if (!cluster) return cluster.error().during("make the cluster");
    auto daemon = harness::Daemon::make(**cluster);
    if (!daemon) return daemon.error();
    auto ready = (*daemon)->start();
    if (ready) ready = (*daemon)->wait_for_status(0, healthy_limit);
    if (!ready) return ready;

    (*cluster)->temporary_folder().keep();
    const auto configuration = (*daemon)->configuration();
    const auto folder = (*cluster)->folder();
    (*daemon)->release();
    show(configuration);
    std::cout << fmt::format(
        "\ndata, logs  {0}\nlook        {1} --config {2} status\nbreak       kill -9 $(head -n 1 {0}/db1/postmaster.pid)\nend         ./dev "
        "lab down\n",
        folder.string(), std::filesystem::proximate(harness::program()).string(), configuration.string());
    return {};
}

Result<void> status() {
    const auto folders = harness::TemporaryFolder::kept();
    if (folders.empty()) std::cout << "there is no lab; ./dev lab up makes one\n";
    for (const auto& folder : folders) {
        std::cout << folder.string() << "\n";
        show(folder / configuration_name);
    }
    return {};
}

Result<void> down() {
    const auto folders = harness::TemporaryFolder::kept();
    if (folders.empty()) std::cout << "there is no lab\n";
    for (const auto& folder : folders) {
        if (auto removed = harness::TemporaryFolder::remove_kept(folder); !removed) return removed;
        std::cout << "ended and removed " << folder.string() << "\n";
    }
    return {};
}

}  // namespace handyrep::lab
