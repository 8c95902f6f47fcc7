// lab/manager_deeds.cpp — what is done to the manager: orders of a person, its process, its host, its disk, its names, its clock.
#include "base/text.hpp"
#include "lab/deeds.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>

namespace handyrep::lab {

using scenarios::DeedKind;

namespace {

/// The text of handyrep.conf with these keys in its section failover, in the place of those that were there.
std::string with_failover_keys(const std::string& text, const scenarios::Settings& settings) {
    std::string out;
    std::string keys;
    for (const auto& [key, value] : settings) keys += fmt::format("  {}: {}\n", key, value);
    bool inside = false;
    bool placed = false;
    for (const std::string_view line : split(text, '\n')) {
        if (line.empty()) continue;
        const bool heading = line.front() != ' ';
        if (heading) inside = line == "failover:";
        const auto is_set = [&](const auto& it) { return line.starts_with("  " + it.first + ":"); };
        if (inside && std::ranges::any_of(settings, is_set)) continue;
        out += std::string(line) + "\n";
        if (heading && inside) {
            out += keys;
            placed = true;
        }
    }
    return placed ? out : out + "failover:\n" + keys;
}

struct Words {
    std::vector<std::string> begin;
    std::vector<std::string> end;
};

/// As a person says it on the command line. A maintenance with a length ends by itself.
Words words_of(const scenarios::Deed& deed) {
    switch (deed.kind) {
        case DeedKind::maintenance: {
            Words out{{"maintenance", "on"}, {"maintenance", "off"}};
            if (deed.lasts) out.begin.insert(out.begin.end(), {"--for", handyrep::text(*deed.lasts)});
            return out;
        }
        case DeedKind::disable: return {{"disable", deed.on.front()}, {"enable", deed.on.front()}};
        default: return {{"pause"}, {"resume"}};
    }
}

}  // namespace

Deeds::Outcome Deeds::hold_back(const scenarios::Deed& deed) {
    const auto order = [&manager = site_.manager()](const std::vector<std::string>& words) -> Result<void> {
        const auto said = manager.cli(words);
        if (!said) return said.error();
        if (said->exit_code != 0) return Error{ErrorKind::failed, fmt::format("handyrep {}: {}", join(words, " "), said->errors)};
        return {};
    };
    const Words words = words_of(deed);
    if (auto begun = order(words.begin); !begun) return begun.error();
    return Undo{[order, words] { return order(words.end); }};
}

/// Names are asked for where nobody is, and nobody says so: a fixed neighbour whose card is nowhere.
Deeds::Outcome Deeds::black_hole_names() {
    const Machine& machine = site_.manager().machine();
    constexpr std::string_view nobody = "10.87.0.99";
    auto hole = machine.shell(fmt::format("ip neigh replace {} lladdr 02:00:00:00:00:63 dev eth0 nud permanent", nobody));
    if (!hole) return hole.error();
    std::set<std::string> added;
    for (const auto& it : site_.servers()) {
        if (forgotten_.insert(it->name()).second) added.insert(it->name());
    }
    if (auto written = write_name_service(machine, std::string(nobody)); !written) return written.error();
    if (auto written = write_managers_names(); !written) return written.error();
    return Undo{[this, &machine, added]() -> Result<void> {
        for (const std::string& name : added) forgotten_.erase(name);
        if (auto written = write_name_service(machine, "127.0.0.1"); !written) return written;
        return write_managers_names();
    }};
}

Deeds::Outcome Deeds::configure(const scenarios::Settings& settings) {
    Manager& manager = site_.manager();
    const auto before = harness::read_file(manager.configuration());
    if (!before) return before.error();
    if (auto written = harness::write_private(manager.configuration(), with_failover_keys(*before, settings)); !written)
        return written.error();
    manager.signal(SIGHUP);
    return Undo{[&manager, text = *before]() -> Result<void> {
        if (auto written = harness::write_private(manager.configuration(), text); !written) return written;
        manager.signal(SIGHUP);
        return {};
    }};
}

Deeds::Outcome Deeds::to_manager(const scenarios::Deed& deed) {
    const DeedKind kind = deed.kind;
    Manager& manager = site_.manager();
    const std::string disk = manager.machine().folder() / "state";
    switch (kind) {
        case DeedKind::kill_manager: manager.kill(); return Undo{[&manager] { return manager.start(); }};
        case DeedKind::reboot_manager:
            site_.cut_power(manager.machine());
            return Undo{[this, &manager] { return site_.boot(manager.machine()); }};
        case DeedKind::dns_hangs: return black_hole_names();
        case DeedKind::login_expired:
            if (auto expired = site_.certify_login(harness::Validity::expired); !expired) return expired.error();
            return Undo{[this] { return site_.certify_login(harness::Validity::good); }};
        case DeedKind::configure: return configure(deed.settings);
        case DeedKind::manager_clock: {
            const auto by = scenarios::seconds_of_jump(deed);
            if (!by) return by.error();
            if (auto set = manager.set_clock(*by); !set) return set.error();
            return Undo{[&manager] { return manager.set_clock(Duration{}); }};
        }
        case DeedKind::start_manager:
            if (!manager.runs()) {
                if (auto started = manager.start(); !started) return started.error();
            }
            return Undo{};
        case DeedKind::stop_manager:
            manager.signal(SIGSTOP);
            return Undo{[&manager]() -> Result<void> {
                manager.signal(SIGCONT);
                return {};
            }};
        case DeedKind::store_fails:
        case DeedKind::store_hangs: {
            const bool hangs = kind == DeedKind::store_hangs;
            auto done = manager.machine().shell(
                hangs ? fmt::format("fsfreeze --freeze '{}'", disk)
                      : fmt::format("dd if=/dev/zero of='{}/filler' bs=64k 2>/dev/null; sync -f '{}'", disk, disk));
            if (!done) return done.error();
            return Undo{[&manager, disk, hangs]() -> Result<void> {
                auto undone =
                    manager.machine().shell(hangs ? fmt::format("fsfreeze --unfreeze '{}'", disk) : fmt::format("rm -f '{}/filler'", disk));
                if (!undone) return undone.error();
                return {};
            }};
        }
        case DeedKind::lose_journal: {
            auto done = manager.machine().shell(fmt::format("rm -f '{}'/*journal*", manager.state_folder().string()));
            if (!done) return done.error();
            return Undo{};
        }
        case DeedKind::keep_state:
        case DeedKind::stale_state: {
            const std::string saved = manager.state_folder() / "servers.save";
            const std::string copy = disk + "/servers.save.kept";
            const bool keeps = kind == DeedKind::keep_state;
            auto done = manager.machine().shell(fmt::format("cp -p '{}' '{}'", keeps ? saved : copy, keeps ? copy : saved));
            if (!done) return done.error();
            return Undo{};
        }
        default: break;
    }
    return Error{ErrorKind::unsupported, fmt::format("the lab cannot do {} to the manager", word_for(kind))};
}

}  // namespace handyrep::lab
