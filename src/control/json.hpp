// control/json.hpp — the engine's values as JSON: what the API answers and the CLI reads.
//
// Durations end in _seconds, sizes in _bytes, times are ISO 8601 in UTC; what is not known is null, never a zero.
#pragma once

#include "control/check.hpp"
#include "control/service.hpp"
#include "engine/report.hpp"
#include "saved/event.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <vector>

namespace handyrep::control {

/// Members keep the order in which they are written, so that a person finds the important ones first.
using Json = nlohmann::ordered_json;

[[nodiscard]] Json to_json(const engine::ClusterReport& report);
[[nodiscard]] Json to_json(const engine::OrderAnswer& answer);
/// With its plan and its steps.
[[nodiscard]] Json to_json(const engine::OperationReport& operation);
[[nodiscard]] Json to_json(const model::StandingAnswer& answer);
[[nodiscard]] Json to_json(const plans::Plan& plan);
[[nodiscard]] Json to_json(const saved::Event& event);
[[nodiscard]] Json to_json(const Check& check);
[[nodiscard]] Json to_json(const engine::Readiness& readiness);
[[nodiscard]] Json to_json(const Versions& versions);

/// Indented text that ends in a newline. Bytes that are not UTF-8 (a server's message may hold any) become U+FFFD.
[[nodiscard]] std::string document(const Json& json);

}  // namespace handyrep::control
