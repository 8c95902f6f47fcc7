#include "lab/deeds.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace handyrep::lab {

using scenarios::DeedKind;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

/// Known to a simulated server only.
constexpr std::array simulated_settings{"server_version", "collation_version", "datcollversion"};

bool is_of_network(DeedKind kind) {
    return kind == DeedKind::one_way || kind == DeedKind::partition || kind == DeedKind::reset || kind == DeedKind::loss ||
           kind == DeedKind::delay || kind == DeedKind::silence;
}

bool is_of_manager(DeedKind kind) {
    return kind == DeedKind::dns_hangs || kind == DeedKind::login_expired || kind == DeedKind::reboot_manager ||
           kind == DeedKind::manager_clock || kind == DeedKind::configure || kind == DeedKind::kill_manager ||
           kind == DeedKind::stop_manager || kind == DeedKind::start_manager || kind == DeedKind::store_fails ||
           kind == DeedKind::store_hangs || kind == DeedKind::lose_journal || kind == DeedKind::keep_state || kind == DeedKind::stale_state;
}

bool is_of_a_person(DeedKind kind) { return kind == DeedKind::maintenance || kind == DeedKind::pause || kind == DeedKind::disable; }

}  // namespace

Deeds::~Deeds() { end_all(); }

void Deeds::keep(DeedKind kind, const std::optional<Duration>& lasts, Undo end) {
    if (!end) return;
    open_.push_back({kind, lasts ? std::optional{harness::now() + *lasts} : std::nullopt, std::move(end)});
}

void Deeds::over(Open& open) {
    const Undo end = std::exchange(open.end, nullptr);
    if (!end) return;
    told_(fmt::format("{} is over", word_for(open.kind)));
    if (auto done = end(); !done) told_(fmt::format("{} could not be ended: {}", word_for(open.kind), done.error().text()));
}

void Deeds::look_at_the_clock() {
    for (Open& it : open_) {
        if (it.until && harness::now() >= *it.until) over(it);
    }
    std::erase_if(open_, [](const Open& it) { return !it.end; });
}

bool Deeds::end(DeedKind kind) {
    bool any = false;
    for (Open& it : open_) {
        if (it.kind != kind || !it.end) continue;
        any = true;
        over(it);
    }
    std::erase_if(open_, [](const Open& it) { return !it.end; });
    return any;
}

void Deeds::end_all() {
    for (Open& it : open_) over(it);
    open_.clear();
}

Result<std::vector<Machine*>> Deeds::hosts(const std::vector<scenarios::NodeName>& names) {
    std::vector<Machine*> out;
    for (const scenarios::NodeName& name : names) {
        const auto found = site_.machine(name);
        if (!found) return found.error();
        out.push_back(*found);
    }
    return out;
}

Result<void> Deeds::keep_begun(const scenarios::Deed& deed, Outcome begun) {
    if (!begun) return begun.error().during(fmt::format("{} {}", word_for(deed.kind), join(deed.on, " ")));
    keep(deed.kind, deed.lasts, *begun);
    return {};
}

Result<void> Deeds::begin(const scenarios::Deed& deed) {
    if (is_of_a_person(deed.kind)) {
        auto begun = hold_back(deed);
        if (!begun) return begun.error();
        const bool ends_by_itself = deed.kind == DeedKind::maintenance;
        keep(deed.kind, ends_by_itself ? std::nullopt : deed.lasts, *std::move(begun));
        return {};
    }
    if (is_of_network(deed.kind)) return keep_begun(deed, to_network(deed));
    if (is_of_manager(deed.kind)) return keep_begun(deed, to_manager(deed));
    if (deed.kind == DeedKind::set) return keep_begun(deed, begin_set(deed));
    for (const scenarios::NodeName& name : deed.on) {
        if (is_of_host(deed.kind)) {
            const auto machine = site_.machine(name);
            if (!machine) return machine.error();
            if (auto begun = keep_begun(deed, to_host(deed.kind, **machine)); !begun) return begun;
            continue;
        }
        const auto server = site_.server(name);
        if (!server) return server.error();
        auto begun = keep_begun(deed, is_accident(deed.kind) ? to_accident(deed, **server) : to_processes(deed.kind, **server));
        if (!begun) return begun;
    }
    return {};
}

// --- settings

std::optional<std::string> Deeds::cannot_be_set(const scenarios::Settings& settings) {
    for (const auto& [name, value] : settings) {
        if (std::ranges::count(simulated_settings, name) != 0) return name;
    }
    return std::nullopt;
}

Result<void> Deeds::set_up(const scenarios::ClusterWanted& wanted) {
    for (const auto& [name, settings] : wanted.settings) {
        const auto server = site_.server(name);
        if (!server) return server.error();
        const auto done = set(**server, settings);
        if (!done) return done.error().during("set up " + name);
    }
    return {};
}

Deeds::Outcome Deeds::begin_set(const scenarios::Deed& deed) {
    const auto server = site_.server(deed.on.front());
    if (!server) return server.error();
    return set(**server, deed.settings);
}

Deeds::Outcome Deeds::set(Server& server, const scenarios::Settings& settings) {
    if (const auto name = cannot_be_set(settings))
        return Error{ErrorKind::unsupported, fmt::format("{} of a real server cannot be chosen", *name)};
    std::vector<std::string> names;
    for (const auto& [name, value] : settings) {
        if (name == "replay") {
            if (auto paused = server.ask("SELECT pg_wal_replay_pause()::text"); !paused) return paused.error();
            continue;
        }
        const bool fails = name == "archive_command" && value == "fails";
        if (auto done = server.set(name, fails ? "false" : value); !done) return done.error();
        names.push_back(name);
    }
    return Undo{[&server, names, resumes = names.size() < settings.size()]() -> Result<void> {
        for (const std::string& name : names) {
            if (auto done = server.reset(name); !done) return done;
        }
        if (resumes) {
            if (auto resumed = server.ask("SELECT pg_wal_replay_resume()::text"); !resumed) return resumed.error();
        }
        return {};
    }};
}

// --- network

/// Several deeds may cut the same way; it is whole again when the last has ended.
Result<void> Deeds::cut(const std::vector<Machine*>& left, const std::vector<Machine*>& right, bool cutting) {
    for (const Machine* from : left) {
        for (const Machine* to : right) {
            int& count = cuts_[from->name() + " " + to->name()];
            count += cutting ? 1 : -1;
            if (cutting && count == 1) {
                if (auto done = site_.fabric().treat(*from, *to, Treatment::dropped); !done) return done;
            } else if (!cutting && count == 0) {
                if (auto done = site_.fabric().lift(*from, *to, Treatment::dropped); !done) return done;
            }
        }
    }
    return {};
}

Deeds::Outcome Deeds::to_network(const scenarios::Deed& deed) {
    const auto first = hosts(deed.on);
    if (!first) return first.error();
    if (deed.kind == DeedKind::one_way) {
        const std::vector<Machine*> from{first->at(0)};
        const std::vector<Machine*> to{first->at(1)};
        if (auto done = cut(from, to, true); !done) return done.error();
        return Undo{[this, from, to] { return cut(from, to, false); }};
    }
    if (deed.kind == DeedKind::reset || deed.kind == DeedKind::loss || deed.kind == DeedKind::delay) {
        const Treatment treatment = deed.kind == DeedKind::reset  ? Treatment::reset
                                    : deed.kind == DeedKind::loss ? Treatment::lossy
                                                                  : Treatment::delayed;
        std::vector<std::pair<Machine*, Machine*>> ways{{first->at(0), first->at(1)}};
        if (deed.kind != DeedKind::reset) ways.emplace_back(first->at(1), first->at(0));
        for (const auto& [from, to] : ways) {
            if (auto done = site_.fabric().treat(*from, *to, treatment); !done) return done.error();
        }
        return Undo{[this, ways, treatment]() -> Result<void> {
            for (const auto& [from, to] : ways) {
                if (auto done = site_.fabric().lift(*from, *to, treatment); !done) return done;
            }
            return {};
        }};
    }
    auto second = hosts(deed.other);
    if (!second) return second.error();
    if (deed.kind == DeedKind::silence) {
        for (Machine* it : site_.machines()) {
            if (std::ranges::count(*first, it) == 0) second->push_back(it);
        }
    }
    const auto both = [this, left = *first, right = *second](bool cutting) -> Result<void> {
        if (auto done = cut(left, right, cutting); !done) return done;
        return cut(right, left, cutting);
    };
    if (auto done = both(true); !done) return done.error();
    return Undo{[both] { return both(false); }};
}

}  // namespace handyrep::lab
