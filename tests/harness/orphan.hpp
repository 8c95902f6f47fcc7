// tests/harness/orphan.hpp — a backend that goes on committing after its postmaster was killed: a refused port is no fence.
#pragma once

#include "base/result.hpp"
#include "tests/harness/cluster.hpp"

#include <cstdint>
#include <string>

namespace handyrep::harness {

class OrphanProcedure {
public:
    /// CALLs a procedure on the primary that inserts and COMMITs for ever, and waits until it does.
    static Result<OrphanProcedure> start(const RealServer& primary);

    [[nodiscard]] int backend() const { return session_.backend(); }

private:
    explicit OrphanProcedure(Session session) : session_{std::move(session)} {}
    Session session_;
};

struct OrphanRows {
    std::uint64_t all;
    std::uint64_t after_promotion;
};

/// What the procedure committed on `old_primary`, up to the end of the WAL on its disk. The server must be down and marked a
/// standby; it is started on another port, following nobody, asked and stopped. The promotion is the moment when `promoted`'s
/// own log says that it took the request.
Result<OrphanRows> count_orphan_rows(const RealServer& old_primary, const RealServer& promoted);

/// The time of the newest "received promote request" in the server's log, as SQL reads it.
Result<std::string> time_of_promotion(const RealServer& server);

}  // namespace handyrep::harness
