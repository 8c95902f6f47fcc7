#include "tests/harness/orphan.hpp"

#include "base/text.hpp"
#include "tests/harness/temporary_folder.hpp"

#include <fmt/format.h>

namespace handyrep::harness {

Result<OrphanProcedure> OrphanProcedure::start(const RealServer& primary) {
    auto session = Session::open(primary.target("orphan"));
    if (!session) return session.error();
    if (auto sent = session->send("CALL harness_write_forever()"); !sent) return sent.error();
    auto writes = wait_until(
        [&] {
            const auto rows = primary.ask("SELECT count(*) > 100 FROM harness_orphan");
            return rows && *rows == "t";
        },
        std::chrono::seconds{20}, "the procedure writes");
    if (!writes) return writes.error();
    return OrphanProcedure{std::move(*session)};
}

Result<std::string> time_of_promotion(const RealServer& server) {
    auto log = read_file(server.log);
    if (!log) return log.error();
    std::string time;
    for (const auto line : split(*log, '\n')) {
        // "2026-11-22 03:04:05.678 UTC [4711] LOG:  received promote request"
        if (line.find("received promote request") != std::string_view::npos) time = line.substr(0, line.find(" ["));
    }
    if (time.empty()) return Error{ErrorKind::failed, fmt::format("{} was never promoted, says {}", server.name, server.log.string())};
    return time;
}

Result<OrphanRows> count_orphan_rows(const RealServer& old_primary, const RealServer& promoted) {
    if (!old_primary.processes().empty()) return Error{ErrorKind::refused, old_primary.name + " still runs"};
    if (!old_primary.marked_standby()) return Error{ErrorKind::refused, old_primary.name + " is not marked a standby"};
    auto time = time_of_promotion(promoted);
    if (!time) return time.error();
    auto port = free_port();
    if (!port) return port.error();
    RealServer witness = old_primary;
    witness.port = *port;
    // A standby takes sessions only when all WAL on its own disk is replayed: what is counted is all there is.
    if (auto started = witness.start({"-c", fmt::format("port={}", *port), "-c", "primary_conninfo=", "-c", "restore_command="});
        !started) {
        return started.error();
    }
    auto ready = witness.wait_for_sessions(std::chrono::seconds{20});
    auto session = witness.session();
    if (!ready || !session) {
        witness.kill_all();
        return !ready ? ready.error() : session.error();
    }
    const auto rows = session->query(
        fmt::format("SELECT count(*), count(*) FILTER (WHERE at > {}::timestamptz) FROM harness_orphan", sql_literal(*time)),
        std::chrono::seconds{60});
    witness.kill_all();
    if (!rows) return rows.error();
    return OrphanRows{std::stoull(rows->front().at(0)), std::stoull(rows->front().at(1))};
}

}  // namespace handyrep::harness
