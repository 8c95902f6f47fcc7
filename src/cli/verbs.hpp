// cli/verbs.hpp — what each verb does. Internal to the room: run.cpp chooses, the tests go through run.
#pragma once

#include "cli/invocation.hpp"
#include "cli/run.hpp"
#include "cli/text_layout.hpp"

#include <cstdint>

namespace handyrep::cli {

[[nodiscard]] int do_status(const GlobalOptions& global, Surroundings& surroundings);
[[nodiscard]] int do_check(const GlobalOptions& global, Surroundings& surroundings);
[[nodiscard]] int do_events(const GlobalOptions& global, const Events& events, Surroundings& surroundings);
[[nodiscard]] int do_failover(const GlobalOptions& global, const Failover& failover, Surroundings& surroundings);
[[nodiscard]] int do_switchover(const GlobalOptions& global, const Switchover& switchover, Surroundings& surroundings);
[[nodiscard]] int do_follow(const GlobalOptions& global, const Follow& follow, Surroundings& surroundings);
[[nodiscard]] int do_service(const GlobalOptions& global, const Service& service, Surroundings& surroundings);
[[nodiscard]] int do_rejoin(const GlobalOptions& global, const Rejoin& rejoin, Surroundings& surroundings);
[[nodiscard]] int do_clone(const GlobalOptions& global, const Clone& clone, Surroundings& surroundings);
[[nodiscard]] int do_cancel(const GlobalOptions& global, const Cancel& cancel, Surroundings& surroundings);
[[nodiscard]] int do_operations(const GlobalOptions& global, const Operations& operations, Surroundings& surroundings);
[[nodiscard]] int do_operation(const GlobalOptions& global, const Operation& operation, Surroundings& surroundings);
[[nodiscard]] int do_acknowledge(const GlobalOptions& global, Surroundings& surroundings);
/// What holds from now on, by an order of `path`.
[[nodiscard]] int order_standing(std::string_view path, const control::Json& body, const GlobalOptions& global, Surroundings& surroundings);
[[nodiscard]] int do_maintenance_on(const GlobalOptions& global, const MaintenanceOn& order, Surroundings& surroundings);
[[nodiscard]] int do_maintenance_off(const GlobalOptions& global, const MaintenanceOff& wanted, Surroundings& surroundings);
[[nodiscard]] int do_pause(const GlobalOptions& global, const Pause& order, Surroundings& surroundings);
[[nodiscard]] int do_resume(const GlobalOptions& global, Surroundings& surroundings);
[[nodiscard]] int do_explain(const GlobalOptions& global, const Explain& explain, Surroundings& surroundings);
[[nodiscard]] int do_record(const GlobalOptions& global, const Record& record, Surroundings& surroundings);
[[nodiscard]] int do_verify(const GlobalOptions& global, const Verify& verify, Surroundings& surroundings);
[[nodiscard]] int do_config_check(const GlobalOptions& global, const ConfigCheck& check, Surroundings& surroundings);
[[nodiscard]] int do_config_show(const GlobalOptions& global, Surroundings& surroundings);
[[nodiscard]] int do_version(const GlobalOptions& global, Surroundings& surroundings);

/// Shows an operation as it goes on, until it has ended; its exit code.
[[nodiscard]] int follow_operation(const GlobalOptions& global, std::uint64_t id, Surroundings& surroundings);

[[nodiscard]] Layout layout_of(const GlobalOptions& global, const Surroundings& surroundings);

}  // namespace handyrep::cli
