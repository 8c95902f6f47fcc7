#include "lab/fabric.hpp"

#include "lab/line_set.hpp"
#include "tests/harness/temporary_folder.hpp"

#include <fmt/format.h>

#include <cstdlib>

namespace handyrep::lab {

namespace {

constexpr const char* rules_file = "rules";
constexpr unsigned loss_percent = 30;
constexpr std::string_view delay = "400ms";

/// At most 15 letters, the kernel's limit for the name of a link.
std::string port_of(const Machine& machine) { return "to-" + machine.name(); }

/// The same after every boot, as a real card's: neighbours remember it.
std::string hardware_address(const Machine& machine) {
    const std::string& address = machine.address();
    return fmt::format("02:00:00:00:00:{:02x}", std::atoi(address.substr(address.rfind('.') + 1).c_str()));
}

/// Adds or takes away one rule and loads the whole table at once: no packet passes between two states.
Result<void> load(const Machine& where, std::string_view family, std::string_view hook, const std::string& rule, bool present) {
    return change_lines(
        where.folder() / rules_file,
        [&](LineSet& rules) {
            rules.erase(rule);
            if (present) rules.insert(rule);
        },
        [&](const LineSet& rules) -> Result<void> {
            std::string text = fmt::format(
                "table {0} lab\ndelete table {0} lab\ntable {0} lab {{\n  chain {1} {{\n    type filter hook {1} priority 0; policy accept;\n",
                family, hook);
            for (const std::string& it : rules) text += "    " + it + "\n";
            const auto file = where.folder() / "rules.nft";
            if (auto written = harness::write_private(file, text + "  }\n}\n"); !written) return written;
            auto loaded = where.run({.arguments = {"nft", "-f", file}});
            if (!loaded) return loaded.error().during("change what packets may pass");
            return {};
        });
}

}  // namespace

Result<void> Fabric::start() {
    std::error_code error;
    std::filesystem::create_directories(switch_.folder() / "etc", error);
    if (error) return Error{ErrorKind::failed, fmt::format("{}: {}", switch_.folder().string(), error.message())};
    if (auto on = switch_.power_on(); !on) return on;
    auto made = switch_.shell("ip link add lab type bridge && ip link set lab up");
    if (!made) return made.error().during("make the switch");
    return {};
}

Result<void> Fabric::plug(const Machine& machine) {
    const auto there = machine.init();
    if (!there) return there.error();
    const auto here = switch_.init();
    if (!here) return here.error();
    // Out here, because only here the numbers of both inits mean something.
    const std::string script = fmt::format(
        "ip link delete {0} 2>/dev/null; ip link add {0} type veth peer name eth0 address {2} netns {1} && ip link set {0} master lab up",
        port_of(machine), *there, hardware_address(machine));
    auto joined = harness::run_well(
        {.arguments = {"nsenter", "--target", fmt::format("{}", *here), "--net", "sh", "-c", script}}, std::chrono::seconds{10});
    if (!joined) return joined.error().during("plug in " + machine.name());
    auto addressed = machine.shell(fmt::format("ip addr add {}/24 dev eth0 && ip link set eth0 up", machine.address()));
    if (!addressed) return addressed.error();
    return {};
}

Result<void> Fabric::set_link(const Machine& machine, bool up) {
    auto done = switch_.shell(fmt::format("ip link set {} {}", port_of(machine), up ? "up" : "down"));
    if (!done) return done.error();
    return {};
}

Result<void> Fabric::filter(const std::string& rule, bool present) { return load(switch_, "bridge", "forward", rule, present); }

/// By the host itself: a bridge cannot answer in its name.
Result<void> Fabric::refuse(const Machine& on, const std::string& rule, bool present) {
    return load(on, "inet", "input", rule + " reject with tcp reset", present);
}

Result<void> Fabric::close_port(const Machine& on, std::uint16_t port, bool closed) {
    return refuse(on, fmt::format("iifname eth0 tcp dport {} tcp flags & (syn | ack) == syn", port), closed);
}

Result<void> Fabric::hold_promotions(const Machine& to, std::uint16_t port, bool held) {
    // Behind 32 bytes of TCP's header: 'P', a length, an empty name, then the text, "SELECT pg_promot".
    return filter(fmt::format("ip daddr {} tcp dport {} @th,304,128 0x53454c4543542070675f70726f6d6f74 drop", to.address(), port), held);
}

/// Whatever leaves the switch towards a host.
Result<void> Fabric::set_delay(const Machine& to, bool delayed) {
    auto done = switch_.shell(
        delayed ? fmt::format("tc qdisc replace dev {} root netem delay {}", port_of(to), delay)
                : fmt::format("tc qdisc del dev {} root", port_of(to)));
    if (!done) return Error{ErrorKind::unsupported, "this machine's kernel cannot delay packets (netem)"};
    return {};
}

Result<void> Fabric::change(const Machine& from, const Machine& to, Treatment treatment, bool present) {
    const std::string way = fmt::format("ip saddr {} ip daddr {}", from.address(), to.address());
    switch (treatment) {
        case Treatment::dropped: return filter(way + " drop", present);
        case Treatment::lossy: return filter(fmt::format("{} numgen random mod 100 < {} drop", way, loss_percent), present);
        case Treatment::reset: return refuse(to, fmt::format("ip saddr {} meta l4proto tcp", from.address()), present);
        case Treatment::delayed: return set_delay(to, present);
    }
    return {};
}

}  // namespace handyrep::lab
