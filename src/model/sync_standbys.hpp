// model/sync_standbys.hpp — synchronous_standby_names as a value (manual, "Replication: synchronous_standby_names"; FIRST from 9.6, ANY from 10).
#pragma once

#include "base/result.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace handyrep::model {

struct SyncStandbys {
    enum class Method { first, any };
    Method method = Method::first;
    std::size_t required = 1;        // k: standbys that must confirm a commit
    std::vector<std::string> names;  // as PostgreSQL compares them: case-insensitive, here in lower case

    /// An empty setting is asynchronous replication: no value. Fails with `invalid` on what PostgreSQL would not accept.
    static Result<std::optional<SyncStandbys>> parse(std::string_view setting);
    /// True when any standby at all may be counted ("*"): the set cannot be revoked then (S5).
    [[nodiscard]] bool open() const;

    /// Members that must be detached so that no commit can be confirmed any more: |S| - k + 1, whatever the method (S5).
    [[nodiscard]] std::size_t to_revoke() const { return names.size() >= required ? names.size() - required + 1 : 0; }
    friend bool operator==(const SyncStandbys&, const SyncStandbys&) = default;
};

}  // namespace handyrep::model
