// decide/copying.hpp — whether a server's data directory can be made anew as a copy of another server's, and from whom.
//
// A person's order (clone: into nothing; reclone: also in the place of an old directory). What stands in its way is found before anything
// is touched, each obstacle by name and with its remedy. Pure. What only hosts and sessions can say, how the place looks and how much
// there is to copy, comes in as it was read for this order.
#pragma once

#include "decide/analysis.hpp"
#include "decide/obstacle.hpp"
#include "model/copy.hpp"

#include <optional>
#include <string>

namespace handyrep::decide {

struct CopyWanted {
    model::ServerName server;
    bool replaces = false;                    // reclone
    std::optional<model::ServerName> from{};  // nothing: the primary
    bool keep_old = false;                    // what was set aside stays
    model::CopyWishes wishes{};
    friend bool operator==(const CopyWanted&, const CopyWanted&) = default;
};

/// What was read for the order.
struct CopyGround {
    Result<model::TargetLook> target;
    std::optional<model::Bytes> size{};  // of all databases of the source; nothing: not told
};

struct CopyServer {
    CopyWanted wanted;
    model::ServerName source;
    model::ServerName upstream;  // whom it follows afterwards
    model::SystemId system_id;
    model::ServerVersion version;  // of the source
    bool old_directory = false;    // one stands there, is set aside, and in the end deleted unless it is to be kept
    std::string text;
};

/// From whom, before anything else was read: fails as `decide_copy` does.
[[nodiscard]] Result<model::ServerName> source_of_copy(const AnalysisInput& input, const Analysis& analysis, const CopyWanted& wanted);

/// Fails with `refused`, or with `invalid` for a name that nobody has.
[[nodiscard]] Result<CopyServer> decide_copy(
    const AnalysisInput& input, const Analysis& analysis, const CopyGround& ground, const CopyWanted& wanted);

}  // namespace handyrep::decide
