#include "sim/rewind.hpp"

#include "model/saved_state.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace handyrep::sim {

using namespace std::chrono_literals;
using model::ControlState;
using model::RewindPhase;

namespace {

constexpr std::uint64_t checkpoint_bytes = 114;

void settle(Server& it) {
    Rewound& rewound = it.disk.rewound;
    if (it.rewind_runs || !model::under_way(rewound.phase)) return;
    if (rewound.phase == RewindPhase::rewinding) {
        rewound.phase = RewindPhase::half;
        rewound.why = "it was interrupted while the data directory was rewritten";
        return;
    }
    rewound.phase = RewindPhase::untouched;
    rewound.why = "it was interrupted before anything was rewritten";
    rewound.held = false;
    it.disk.standby_mark = true;
}

model::RewindProgress progress_of(const Server& it) {
    const Rewound& rewound = it.disk.rewound;
    return {rewound.phase, model::Bytes{0}, model::Bytes{0}, rewound.why, rewound.saved};
}

/// One run of it. Every step is dropped when the machine lost power since.
struct Job {
    World& world;
    ServerIndex server;
    std::uint64_t number;
    model::DivergenceQuestion divergence;
    ServerIndex source;
    std::uint64_t source_life = 0;

    [[nodiscard]] Server& it() const { return world.at(server); }
    void then(Duration shortest, Duration longest, void (Job::*next)()) const {
        world.agenda.after(world.random.between(shortest, longest), [copy = *this, next]() mutable {
            if (copy.it().powered && copy.it().rewind_runs && copy.it().rewinds == copy.number) (copy.*next)();
        });
    }
    void phase(RewindPhase what, std::string why = {}) const {
        it().disk.rewound.phase = what;
        it().disk.rewound.why = std::move(why);
        world.note(it().name.text(), fmt::format("its rewind: {}", word_for(what)));
    }
    void give_up(std::string why) const {
        it().rewind_runs = false;
        it().disk.rewound.held = false;
        it().disk.standby_mark = true;
        phase(RewindPhase::untouched, std::move(why));
    }
    [[nodiscard]] bool source_answers() const {
        const Server& from = world.at(source);
        return from.runs() && from.is_primary() && world.network.up_both(it().node, from.node);
    }

    void saved() {
        const auto lies_behind = [&](const CommitRecord& commit) {
            return commit.branch == it().disk.branch && commit.end > divergence.fork.lsn && commit.end <= it().disk.end;
        };
        const auto commits = static_cast<std::uint64_t>(std::ranges::count_if(world.commits, lies_behind));
        it().disk.rewound.saved = model::DivergedWal{.folder = "/saved", .records = commits, .commits = commits};
        const ControlState state = it().disk.control;
        if (state == ControlState::shut_down || state == ControlState::shut_down_in_recovery) return try_it();
        phase(RewindPhase::recovering);
        it().disk.standby_mark = false;
        it().disk.rewound.held = false;  // its own lock file holds it as long as it runs
        then(100ms, 2s, &Job::recovered);
    }
    void recovered() {
        it().disk.standby_mark = true;
        it().disk.rewound.held = true;
        it().disk.partial = 0;
        it().disk.end = it().disk.end + model::Bytes{checkpoint_bytes};
        it().disk.control = ControlState::shut_down;
        try_it();
    }
    void try_it() {
        phase(RewindPhase::trying);
        then(50ms, 300ms, &Job::tried);
    }
    void tried() {
        if (!source_answers()) return give_up("pg_rewind cannot: could not connect to server");
        phase(RewindPhase::rewinding);
        it().disk.standby_mark = false;
        source_life = world.at(source).life;
        then(200ms, 4s, &Job::rewound);
    }
    void rewound() {
        it().rewind_runs = false;
        const Server& from = world.at(source);
        if (!source_answers() || from.life != source_life)
            return phase(RewindPhase::half, "pg_rewind failed half-way: could not connect to server");
        it().disk.branch = from.disk.branch;
        it().disk.end = from.disk.end;
        it().disk.replayed = from.disk.end;
        it().disk.partial = 0;
        it().disk.control = ControlState::in_archive_recovery;
        it().disk.standby_mark = true;
        phase(RewindPhase::done);
    }
};

}  // namespace

std::optional<Error> held_by_rewind(const Server& server) {
    const RewindPhase phase = server.disk.rewound.phase;
    if (phase == RewindPhase::none || phase == RewindPhase::untouched) return std::nullopt;
    return Error{ErrorKind::refused, fmt::format("a rewind of it was begun and is not ended ({})", word_for(phase))};
}

model::RewindLook look_for_rewind(World& world, ServerIndex server) {
    Server& it = world.at(server);
    settle(it);
    return {
        .system_id = world.system_of(server),
        .version = static_cast<std::uint32_t>(it.setup.version / 10000),
        .processes = it.processes(),
        .state = it.disk.control,
        .history = world.branches.history(it.disk.branch),
        .programs = true,
        .protects_pages = it.setup.wal_log_hints,
        .configured = true,
        .phase = it.disk.rewound.phase,
        .why = it.disk.rewound.why};
}

Result<model::Divergence> measure_divergence(const World& world, ServerIndex server, const model::DivergenceQuestion& question) {
    if (question.system_id != world.system_of(server)) return Error{ErrorKind::refused, "the data directory belongs to another system"};
    const Server& it = world.at(server);
    model::Divergence out{.to_save = model::Bytes{16ULL << 20U}, .room = model::Bytes{it.disk_full ? 0 : 50ULL << 30U}};
    if (it.setup.wal_kept != model::Bytes{0}) out.common_checkpoint = question.fork.lsn;
    return out;
}

Result<model::RewindProgress> rewind(World& world, ServerIndex server, const ports::RewindWanted& wanted) {
    Server& it = world.at(server);
    if (wanted.divergence.system_id != world.system_of(server))
        return Error{ErrorKind::refused, "the data directory belongs to another system"};
    settle(it);
    Rewound& rewound = it.disk.rewound;
    const bool fresh = rewound.phase == RewindPhase::none || (rewound.phase == RewindPhase::untouched && rewound.ticket != wanted.ticket);
    if (!fresh) return progress_of(it);
    if (it.has_processes()) return Error{ErrorKind::refused, "processes hold the data directory"};
    if (it.mark_denied || it.disk_read_only) return Error{ErrorKind::refused, "it cannot be marked standby"};
    const auto source = world.named(model::value_in(wanted.source, "host").value_or(""));
    if (!source) return Error{ErrorKind::refused, "nobody knows that host"};
    it.disk.autostart = false;
    it.disk.standby_mark = true;
    rewound = {.phase = RewindPhase::saving, .ticket = wanted.ticket, .why = {}, .held = true, .saved = {}};
    it.rewind_runs = true;
    world.note(it.name.text(), fmt::format("is being rewound to {}", world.at(*source).name.text()));
    Job{world, server, ++it.rewinds, wanted.divergence, *source}.then(50ms, 500ms, &Job::saved);
    return progress_of(it);
}

Result<void> end_rewind(World& world, ServerIndex server, model::SystemId expected) {
    Server& it = world.at(server);
    if (expected != world.system_of(server)) return Error{ErrorKind::refused, "the data directory belongs to another system"};
    if (it.disk.rewound.phase == RewindPhase::none) return {};
    if (it.disk.rewound.phase != RewindPhase::done) return Error{ErrorKind::refused, "the rewind is not done"};
    if (!it.disk.standby_mark) return Error{ErrorKind::failed, "it is not marked standby"};
    if (!it.disk.follows) return Error{ErrorKind::failed, "it has no primary_conninfo"};
    it.disk.rewound = {};
    return {};
}

}  // namespace handyrep::sim
