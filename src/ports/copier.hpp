// ports/copier.hpp — makes the data directory of one server anew, as a copy of another server's.
//
// The copy itself is long and runs on the node by itself: it is begun, asked after and ended, and neither a broken connection nor a
// restarted manager ends it. Known by the number of its operation. It lies beside the data directory until it is whole and is then put in
// its place by renaming, so that what stands there is at every moment the old one, nothing, or a standby that is whole. Nothing is
// renamed or deleted that was not identified first: by its system identifier, or as what an earlier call made. Changing calls carry
// their expiry (S8). Error kinds as in ports/postgres.hpp.
#pragma once

#include "base/secret.hpp"
#include "base/time.hpp"
#include "model/copy.hpp"
#include "ports/async.hpp"

#include <cstdint>
#include <string>

namespace handyrep::ports {

struct CopyOrder {
    std::uint64_t operation;
    model::SystemId system_id;  // of the cluster
    model::ServerVersion version;
    std::string source;    // connection strings, without a password: to the server that is copied,
    std::string upstream;  // and to the one that the copy will follow
    model::CopyWishes wishes{};
};

/// What the copy is to be once it stands in its place.
struct Placing {
    std::uint64_t operation;
    model::SystemId system_id;
    model::ServerVersion version;
    std::uint16_t port;    // where nothing on the node says another
    std::string upstream;  // primary_conninfo
    std::string slot{};    // primary_slot_name; empty: none
};

class Copier {
public:
    Copier() = default;
    Copier(const Copier&) = delete;
    Copier& operator=(const Copier&) = delete;
    virtual ~Copier() = default;

    /// Changes nothing. `version`: whose programs would copy.
    virtual Async<model::TargetLook> look(model::ServerVersion version, Instant deadline) = 0;

    /// Makes an absent data directory, empty; so there is somebody whose it is.
    virtual Async<void> make_directory(Instant deadline) = 0;

    /// primary_conninfo as the directory that stands there has it, perhaps with a password; empty where there is none.
    virtual Async<Secret> own_conninfo(Instant deadline) = 0;

    /// Begun already with this number: succeeds. `refused`, with nothing touched: another one runs, or what stands there is neither
    /// nothing nor a database of that system that no process holds.
    virtual Async<void> begin(const CopyOrder& order, Instant deadline) = 0;

    virtual Async<model::CopyProgress> progress(std::uint64_t operation, Instant deadline) = 0;

    /// Ends what runs of it and takes away what it copied, and a slot that it made. Never what is in place: `refused`. None with this
    /// number: succeeds.
    virtual Async<void> abandon(std::uint64_t operation, Instant deadline) = 0;

    /// Makes the whole copy a standby, with the settings that are the node's own, sets the old directory aside and puts the copy there.
    /// In place already: succeeds. `refused`, with nothing touched, as for `begin`, and when the copy is not whole.
    virtual Async<void> put_in_place(const Placing& placing, Instant deadline) = 0;

    /// Begins to delete what `put_in_place` of this operation set aside, which goes on by itself. Nothing there: succeeds.
    virtual Async<void> discard_old(std::uint64_t operation, Instant deadline) = 0;
};

}  // namespace handyrep::ports
