// api/fields.hpp — what a request carries, read strictly: an unknown member is a mistake, and a mistake in an order is dangerous.
//
// Pure. Every failure is `invalid` and names the field.
#pragma once

#include "base/result.hpp"
#include "model/standing_order.hpp"

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace handyrep::api {

/// The parameters of a query, decoded.
class Query {
public:
    /// Fails on a parameter that is not in `known`, on a repeated one and on a broken %XX.
    static Result<Query> parse(std::string_view text, std::initializer_list<std::string_view> known);

    [[nodiscard]] std::optional<std::string> text(std::string_view name) const;
    /// A whole number from 1 to `most`; `otherwise` when it is absent.
    [[nodiscard]] Result<std::size_t> count(std::string_view name, std::size_t otherwise, std::size_t most) const;

private:
    std::vector<std::pair<std::string, std::string>> values_;
};

/// An order to begin or to end something; who gives it is not the body's to say.
struct StandingBody {
    decltype(model::StandingOrder::what) what;
};
/// `on` (true or false); with true also `for_seconds` or `until`, and `reason`.
[[nodiscard]] Result<StandingBody> parse_maintenance_body(std::string_view body);
/// `server`; of disable also `for_seconds` or `until`, and `reason`.
[[nodiscard]] Result<StandingBody> parse_disable_body(std::string_view body);
[[nodiscard]] Result<StandingBody> parse_enable_body(std::string_view body);
/// `on` (true or false); with false, which pauses, also `reason`.
[[nodiscard]] Result<StandingBody> parse_automation_body(std::string_view body);

/// `at` (a time), which must be there, `to`, `drop_logical`.
[[nodiscard]] Result<StandingBody> parse_schedule_body(std::string_view body);
/// An empty object, or nothing.
[[nodiscard]] Result<StandingBody> parse_unschedule_body(std::string_view body);

/// At which path each is given.
struct StandingPath {
    std::string_view path;
    Result<StandingBody> (*parse)(std::string_view body);
};
[[nodiscard]] std::span<const StandingPath> standing_paths();

/// `operation`: the number of the one that is called off.
[[nodiscard]] Result<std::uint64_t> parse_cancel_body(std::string_view body);

/// An empty object, or nothing.
[[nodiscard]] Result<void> parse_empty_body(std::string_view body);

}  // namespace handyrep::api
