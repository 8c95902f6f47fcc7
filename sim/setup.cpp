#include "sim/setup.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace handyrep::sim {

namespace {

template <class T>
Result<void> take(Result<T> read, auto& into) {
    if (!read) return read.error();
    into = *std::move(read);
    return {};
}

Result<bool> one_of(std::string_view value, std::string_view yes, std::string_view no) {
    if (value == yes) return true;
    if (value == no) return false;
    return Error{ErrorKind::invalid, fmt::format("'{}' is neither {} nor {}", value.substr(0, 80), yes, no)};
}

Result<int> number(std::string_view value) {
    int out = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), out);
    if (error == std::errc{} && end == value.data() + value.size() && out >= 0) return out;
    return Error{ErrorKind::invalid, fmt::format("'{}' is not a whole number", value.substr(0, 80))};
}

/// "15.7" is 150007.
Result<int> version(std::string_view value) {
    const std::size_t dot = value.find('.');
    const auto major = number(value.substr(0, dot));
    const auto minor = dot == std::string_view::npos ? Result<int>{0} : number(value.substr(dot + 1));
    if (!major || !minor || *major > 1000 || *minor > 99)
        return Error{ErrorKind::invalid, fmt::format("'{}' is not a version such as 15.7", value.substr(0, 80))};
    return *major * 10000 + *minor;
}

Result<void> take_text(std::string_view value, std::string& into) {
    into = value;
    return {};
}

struct Setting {
    std::string_view name;
    Result<void> (*take)(Setup&, std::string_view);
};
constexpr std::array settings{
    Setting{"server_version", [](Setup& it, std::string_view value) { return take(version(value), it.version); }},
    Setting{"collation_version", [](Setup& it, std::string_view value) { return take_text(value, it.collation); }},
    Setting{"datcollversion", [](Setup& it, std::string_view value) { return take_text(value, it.built_with); }},
    Setting{"wal_log_hints", [](Setup& it, std::string_view value) { return take(one_of(value, "on", "off"), it.wal_log_hints); }},
    Setting{"wal_keep_size", [](Setup& it, std::string_view value) { return take(model::parse_bytes(value), it.wal_kept); }},
    Setting{"max_slot_wal_keep_size", [](Setup& it, std::string_view value) { return take(model::parse_bytes(value), it.slots_keep); }},
    Setting{"archive_command", [](Setup& it, std::string_view value) { return take(one_of(value, "fails", "works"), it.archive_failing); }},
    Setting{"max_connections", [](Setup& it, std::string_view value) { return take(number(value), it.max_connections); }},
    Setting{"recovery_target_timeline", [](Setup& it, std::string_view value) { return take_text(value, it.recovery_target_timeline); }},
    Setting{"recovery_min_apply_delay", [](Setup& it, std::string_view value) { return take(parse_duration(value), it.apply_delay); }},
    Setting{
        "wal_receiver_status_interval", [](Setup& it, std::string_view value) { return take(parse_duration(value), it.reply_interval); }},
    // Here a query lasts as long as its story says.
    Setting{"max_standby_streaming_delay", [](Setup& it, std::string_view value) { return take_text(value, it.standby_delay); }},
    Setting{"replay", [](Setup& it, std::string_view value) { return take(one_of(value, "paused", "goes on"), it.replay_paused); }},
    Setting{
        "default_transaction_read_only", [](Setup& it, std::string_view value) { return take(one_of(value, "on", "off"), it.read_only); }},
};

std::string all_names() {
    std::string out;
    for (const Setting& it : settings) out += (out.empty() ? "" : ", ") + std::string(it.name);
    return out;
}

}  // namespace

Result<void> set(Setup& setup, std::string_view name, std::string_view value) {
    const auto* const found = std::ranges::find(settings, name, &Setting::name);
    if (found == settings.end()) return Error{ErrorKind::invalid, fmt::format("'{}' is not one of: {}", name.substr(0, 80), all_names())};
    auto taken = found->take(setup, value);
    if (!taken) return taken.error().during(fmt::format("set {}", name));
    return {};
}

}  // namespace handyrep::sim
