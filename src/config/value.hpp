// config/value.hpp — one value of the configuration, by kind: read, ordered, written back.
#pragma once

#include "base/result.hpp"
#include "config/configuration.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace handyrep::config {

enum class Kind {
    text,
    path,  // absolute
    host,
    user,
    cluster_name,
    flag,
    count,
    port,
    address,
    duration,
    bytes,
    role,
    transport,
    fencing,
    selection,
    preset,
    log_format,
    ssl_mode,
    secret,
    anything,  // of a key or section that has no effect yet: any YAML
};

using Value = std::variant<
    std::string, model::ClusterName, bool, int, std::uint16_t, Address, Duration, model::Bytes, model::Role, model::Transport,
    model::Fencing, model::SelectionMethod, Preset, LogFormat, SslMode, Secret>;

/// Fails with `invalid` and a sentence that says what was expected; the sentence about a secret does not quote it.
[[nodiscard]] Result<Value> read_value(Kind kind, std::string_view text);

/// "a duration such as 500ms or 3s": for a message about what stands there instead.
[[nodiscard]] std::string_view expected(Kind kind);

/// So that `read_value` gives the same value again, without loss. A secret is `********`, or empty when there is none.
[[nodiscard]] std::string text(const Value& value);

/// A number to compare with a range; nothing where there is no order.
[[nodiscard]] std::optional<std::int64_t> magnitude(const Value& value);

}  // namespace handyrep::config
