// sim/setup.hpp — what a server has and is set to besides its WAL, and how a story sets it, in the words of PostgreSQL.
#pragma once

#include "base/result.hpp"
#include "base/time.hpp"
#include "model/lsn.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace handyrep::sim {

/// Without a word: as a server that a manager finds nothing to say about.
struct Setup {
    int version = 150018;                      // server_version_num
    std::string collation{};                   // version of the default collation's library; empty: not told
    std::string built_with{};                  // the version that the database was built with, when it is another
    bool wal_log_hints = true;                 // it could be rewound
    std::optional<model::Bytes> wal_kept{};    // for replicas that are away; nothing: as the whole world keeps it
    std::optional<model::Bytes> slots_keep{};  // max_slot_wal_keep_size; nothing: without a limit
    std::optional<bool> archive_failing{};     // nothing: there is no archive
    std::optional<int> max_connections{};      // nothing: not told
    std::string recovery_target_timeline = "latest";
    std::string standby_delay = "30s";                  // max_standby_streaming_delay
    Duration apply_delay{};                             // recovery_min_apply_delay
    Duration reply_interval = std::chrono::seconds{1};  // wal_receiver_status_interval
    bool replay_paused = false;
    bool read_only = false;  // default_transaction_read_only
};

/// Fails with `invalid` when there is no such setting, or when it does not take such a value.
[[nodiscard]] Result<void> set(Setup& setup, std::string_view name, std::string_view value);

}  // namespace handyrep::sim
