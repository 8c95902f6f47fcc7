#include "config/value.hpp"

#include "base/overloaded.hpp"
#include "base/text.hpp"
#include "base/time.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <utility>
#include <vector>

namespace handyrep::config {

namespace {

using model::Fencing;
using model::Role;
using model::SelectionMethod;
using model::Transport;

Error bad(std::string_view text, std::string_view expected) {
    return {ErrorKind::invalid, fmt::format("'{}' is not {}", text.substr(0, 80), expected)};
}

std::optional<int> number(std::string_view text) {
    int value = 0;
    const auto* const last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data(), last, value);
    if (error != std::errc{} || end != last) return std::nullopt;
    return value;
}

template <class T>
using Choice = std::pair<std::string_view, T>;

/// One of a few words; the first of each meaning is the one that is written.
template <class T, std::size_t size>
Result<Value> choose(std::string_view text, std::string_view noun, const std::array<Choice<T>, size>& choices) {
    std::vector<std::string_view> words;
    for (const auto& [word, value] : choices) {
        if (lower(text) == word) return Value{value};
        words.push_back(word);
    }
    const auto meant = nearest(text, words);
    return Error{
        ErrorKind::invalid, fmt::format(
                                "'{}' is not {}; expected one of {}{}", text.substr(0, 80), noun, fmt::join(words, ", "),
                                meant ? fmt::format("; did you mean {}?", *meant) : "")};
}

constexpr std::array<Choice<bool>, 6> flags{{{"true", true}, {"false", false}, {"yes", true}, {"no", false}, {"on", true}, {"off", false}}};
constexpr std::array<Choice<Role>, 5> roles{
    {{"primary", Role::primary},
     {"replica", Role::replica},
     {"master", Role::primary},
     {"standby", Role::replica},
     {"slave", Role::replica}}};
constexpr std::array<Choice<Transport>, 2> transports{{{"ssh", Transport::ssh}, {"local", Transport::local}}};
constexpr std::array<Choice<Fencing>, 3> fencings{
    {{"strict", Fencing::strict}, {"witnessed", Fencing::witnessed}, {"none", Fencing::none}}};
constexpr std::array<Choice<SelectionMethod>, 2> selections{
    {{"priority_then_furthest", SelectionMethod::priority_then_furthest}, {"furthest_ahead", SelectionMethod::furthest_ahead}}};
constexpr std::array<Choice<Preset>, 2> presets{{{"normal", Preset::normal}, {"aggressive", Preset::aggressive}}};
constexpr std::array<Choice<LogFormat>, 2> log_formats{{{"human", LogFormat::human}, {"json", LogFormat::json}}};

constexpr std::array<Choice<SslMode>, 6> ssl_modes{
    {{"disable", SslMode::disable},
     {"allow", SslMode::allow},
     {"prefer", SslMode::prefer},
     {"require", SslMode::require},
     {"verify-ca", SslMode::verify_ca},
     {"verify-full", SslMode::verify_full}}};

template <class T, std::size_t size>
std::string word(T value, const std::array<Choice<T>, size>& choices) {
    const auto found = std::ranges::find(choices, value, &Choice<T>::second);
    return found == choices.end() ? std::string{} : std::string(found->first);
}

/// A name or an address; never something that ssh or a connection string would take for an option.
bool is_host(std::string_view text) {
    if (text.empty() || text.size() > 255 || text.front() == '-') return false;
    return std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_' || c == ':' ||
               c == '%';
    });
}

bool is_user(std::string_view text) {
    if (text.empty() || text.size() > 63 || text.front() == '-') return false;
    return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F; });
}

bool is_path(std::string_view text) {
    return text.starts_with('/') && std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

Result<Value> read_port(std::string_view text) {
    const auto port = number(text);
    if (!port || *port < 1 || *port > 65535) return bad(text, "a port; expected a number from 1 to 65535");
    return Value{static_cast<std::uint16_t>(*port)};
}

Result<Value> read_address(std::string_view text) {
    const auto refusal = bad(text, "an address to listen at; expected HOST:PORT such as 127.0.0.1:8010 or [::1]:8010");
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) return refusal;
    std::string_view host = text.substr(0, colon);
    const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (bracketed) host = host.substr(1, host.size() - 2);
    const auto port = number(text.substr(colon + 1));
    if (!is_host(host) || bracketed != (host.find(':') != std::string_view::npos) || !port || *port < 1 || *port > 65535) return refusal;
    return Value{Address{std::string(host), static_cast<std::uint16_t>(*port)}};
}

/// In the largest unit that divides it, so that nothing is rounded.
std::string exact(Duration duration) {
    struct Unit {
        Duration length;
        std::string_view suffix;
    };
    static constexpr std::array<Unit, 5> units{
        {{std::chrono::hours{1}, "h"},
         {std::chrono::minutes{1}, "min"},
         {std::chrono::seconds{1}, "s"},
         {std::chrono::milliseconds{1}, "ms"},
         {std::chrono::microseconds{1}, "us"}}};
    if (duration == Duration::zero()) return "0s";
    for (const Unit& unit : units) {
        if (duration % unit.length == Duration::zero()) return fmt::format("{}{}", duration / unit.length, unit.suffix);
    }
    return fmt::format("{}ns", duration.count());
}

std::string exact(model::Bytes bytes) {
    static constexpr std::array<std::pair<std::uint64_t, std::string_view>, 4> units{
        {{1ULL << 40U, "TB"}, {1ULL << 30U, "GB"}, {1ULL << 20U, "MB"}, {1ULL << 10U, "kB"}}};
    for (const auto& [size, suffix] : units) {
        if (bytes.count != 0 && bytes.count % size == 0) return fmt::format("{}{}", bytes.count / size, suffix);
    }
    return fmt::format("{}B", bytes.count);
}

template <class T>
Result<Value> wrap(Result<T> read) {
    if (!read) return std::move(read).error();
    return Value{*std::move(read)};
}

}  // namespace

Result<Value> read_value(Kind kind, std::string_view text) {
    switch (kind) {
        case Kind::text:
        case Kind::anything: return Value{std::string(text)};
        case Kind::secret: return Value{Secret{std::string(text)}};
        case Kind::path:
            if (!is_path(text)) return bad(text, "a path; expected one that begins with /");
            return Value{std::string(text)};
        case Kind::host:
            if (!is_host(text)) return bad(text, "a host; expected a name or an address");
            return Value{std::string(text)};
        case Kind::user:
            if (!is_user(text)) return bad(text, "a user; expected one to 63 characters without blanks, not beginning with -");
            return Value{std::string(text)};
        case Kind::cluster_name: return wrap(model::ClusterName::parse(text));
        case Kind::flag: return choose(text, "a yes or no", flags);
        case Kind::count: {
            const auto count = number(text);
            if (!count) return bad(text, "a whole number");
            return Value{*count};
        }
        case Kind::port: return read_port(text);
        case Kind::address: return read_address(text);
        case Kind::duration: return wrap(parse_duration(text));
        case Kind::bytes: return wrap(model::parse_bytes(text));
        case Kind::role: return choose(text, "a role", roles);
        case Kind::transport: return choose(text, "a transport", transports);
        case Kind::fencing: return choose(text, "a fencing policy", fencings);
        case Kind::selection: return choose(text, "a selection method of this version", selections);
        case Kind::preset: return choose(text, "a preset", presets);
        case Kind::log_format: return choose(text, "a log format", log_formats);
        case Kind::ssl_mode: return choose(text, "a way to use TLS", ssl_modes);
    }
    return bad(text, "a value");
}

std::string_view expected(Kind kind) {
    switch (kind) {
        case Kind::text: return "a text";
        case Kind::path: return "a path that begins with /";
        case Kind::host: return "a host name or address";
        case Kind::user: return "a user name";
        case Kind::cluster_name: return "a name";
        case Kind::flag: return "true or false";
        case Kind::count: return "a whole number";
        case Kind::port: return "a port";
        case Kind::address: return "HOST:PORT";
        case Kind::duration: return "a duration such as 500ms, 3s or a number of seconds";
        case Kind::bytes: return "a size such as 16MB";
        case Kind::role: return "primary or replica";
        case Kind::transport: return "ssh or local";
        case Kind::fencing: return "strict, witnessed or none";
        case Kind::selection: return "priority_then_furthest or furthest_ahead";
        case Kind::preset: return "normal or aggressive";
        case Kind::log_format: return "human or json";
        case Kind::ssl_mode: return "disable, allow, prefer, require, verify-ca or verify-full";
        case Kind::secret: return "a password in quotes";
        case Kind::anything: return "a value";
    }
    return "";
}

std::string text(const Value& value) {
    return std::visit(
        Overloaded{
            [](const std::string& it) { return it; },
            [](const model::ClusterName& it) { return it.text(); },
            [](bool it) { return word(it, flags); },
            [](int it) { return std::to_string(it); },
            [](std::uint16_t it) { return std::to_string(it); },
            [](const Address& it) {
                const bool brackets = it.host.find(':') != std::string::npos;
                return brackets ? fmt::format("[{}]:{}", it.host, it.port) : fmt::format("{}:{}", it.host, it.port);
            },
            [](Duration it) { return exact(it); },
            [](model::Bytes it) { return exact(it); },
            [](Role it) { return word(it, roles); },
            [](Transport it) { return word(it, transports); },
            [](Fencing it) { return word(it, fencings); },
            [](SelectionMethod it) { return word(it, selections); },
            [](Preset it) { return word(it, presets); },
            [](LogFormat it) { return word(it, log_formats); },
            [](SslMode it) { return std::string(word_for(it)); },
            [](const Secret& it) { return std::string(it.empty() ? "" : "********"); },
        },
        value);
}

std::string_view word_for(SslMode mode) {
    const auto* const found = std::ranges::find(ssl_modes, mode, &Choice<SslMode>::second);
    return found == ssl_modes.end() ? std::string_view{} : found->first;
}

std::optional<std::int64_t> magnitude(const Value& value) {
    if (const auto* count = std::get_if<int>(&value)) return *count;
    if (const auto* port = std::get_if<std::uint16_t>(&value)) return *port;
    if (const auto* duration = std::get_if<Duration>(&value)) return duration->count();
    if (const auto* bytes = std::get_if<model::Bytes>(&value)) return static_cast<std::int64_t>(bytes->count);
    return std::nullopt;
}

}  // namespace handyrep::config
