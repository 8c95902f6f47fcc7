// api/orders.hpp — the orders that begin an operation: at which path each is given, and what its body says.
//
// Pure. Every failure is `invalid` and names the field. All members are optional unless said; `dry_run` (true or false) is one of each.
#pragma once

#include "base/result.hpp"
#include "engine/report.hpp"

#include <span>
#include <string_view>

namespace handyrep::api {

struct OrderBody {
    engine::Wanted what;
    bool dry_run = false;
};

/// `to` (a name or null), `override` (a list of gates).
[[nodiscard]] Result<OrderBody> parse_failover_body(std::string_view body);
/// `server` (a name, which must be there), `override`.
[[nodiscard]] Result<OrderBody> parse_promote_body(std::string_view body);
/// `to`, `drop_logical` and `restart_all` (true or false).
[[nodiscard]] Result<OrderBody> parse_switchover_body(std::string_view body);
/// `replicas` (a list of names), `upstream` (a name or null).
[[nodiscard]] Result<OrderBody> parse_follow_body(std::string_view body);

/// `server` (a name), which must be said.
[[nodiscard]] Result<OrderBody> parse_service_body(std::string_view body, decide::ServiceDeed deed);
/// `server` (a name, which must be there), `only_rewind` (true or false).
[[nodiscard]] Result<OrderBody> parse_rejoin_body(std::string_view body);
/// `server`, `from` (a name or null), `rate_bytes_per_second`, `slot`, `wal_directory`, `tablespaces` (an object: where the source has each,
/// and where the copy is to have it).
[[nodiscard]] Result<OrderBody> parse_clone_body(std::string_view body);
/// And `keep_old` (true or false).
[[nodiscard]] Result<OrderBody> parse_reclone_body(std::string_view body);

struct OrderPath {
    std::string_view path;
    Result<OrderBody> (*parse)(std::string_view body);
};
[[nodiscard]] std::span<const OrderPath> order_paths();

}  // namespace handyrep::api
