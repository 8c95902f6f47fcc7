#include "saved/archive.hpp"

#include <algorithm>
#include <charconv>

namespace handyrep::saved {

namespace {

template <class T>
T must(Result<T> read, const Place& at) {
    if (!read) at.fault(read.error().what);
    return *std::move(read);
}

std::string word_at(const Place& at) {
    std::string word;
    Reader::read(at, word);
    return word;
}

}  // namespace

std::string Place::shown() const {
    constexpr std::size_t longest = 60;
    if (json.is_null()) return "null";
    if (json.is_array()) return "a list";
    if (json.is_object()) return "an object";
    std::string out = json.dump(-1, ' ', true, Json::error_handler_t::replace);
    return out.size() > longest ? out.substr(0, longest) + "…" : out;
}

Place Reader::take(const std::string& key) {
    const std::string path = place_.path.empty() ? key : place_.path + "." + key;
    const auto found = place_.json.find(key);
    if (found == place_.json.end()) throw Fault{path, "is missing"};
    taken_.push_back(key);
    return Place{found.value(), path};
}

void Reader::end() const {
    for (const auto& [key, value] : place_.json.items()) {
        if (std::ranges::find(taken_, key) != taken_.end()) continue;
        throw Fault{place_.path.empty() ? key : place_.path + "." + key, "is not a known key"};
    }
}

void Reader::read(const Place& at, bool& out) {
    if (!at.json.is_boolean()) at.fault(fmt::format("{} is not true or false", at.shown()));
    out = at.json.get<bool>();
}

void Reader::read(const Place& at, std::string& out) {
    if (!at.json.is_string()) at.fault(fmt::format("{} is not a text", at.shown()));
    out = at.json.get<std::string>();
}

void Reader::read(const Place& at, Duration& out) {
    // A century either way: sums of two never overflow.
    constexpr std::int64_t most = std::chrono::nanoseconds{std::chrono::hours{24} * 36525}.count();
    std::int64_t count = 0;
    read(at, count);
    if (count < -most || count > most) at.fault(fmt::format("{} nanoseconds are more than a century", count));
    out = Duration{count};
}

void Reader::read(const Place& at, WallTime& out) { out = must(parse_wall_time(word_at(at)), at); }
void Reader::read(const Place& at, model::Lsn& out) { out = must(model::Lsn::parse(word_at(at)), at); }
void Reader::read(const Place& at, model::Bytes& out) { read(at, out.count); }
void Reader::read(const Place& at, model::Timeline& out) { read(at, out.id); }
void Reader::read(const Place& at, model::ServerVersion& out) { read(at, out.number); }

void Reader::read(const Place& at, model::SystemId& out) {
    const std::string digits = word_at(at);
    const auto* const last = digits.data() + digits.size();
    const auto [end, error] = std::from_chars(digits.data(), last, out.value);
    if (error != std::errc{} || end != last) at.fault(fmt::format("{} is not a system identifier", at.shown()));
}

void Reader::read(const Place& at, model::WalPosition& out) {
    const std::string word = word_at(at);
    const auto colon = word.find(':');
    const auto [end, error] = std::from_chars(word.data(), word.data() + std::min(colon, word.size()), out.timeline.id);
    const bool whole = colon != std::string::npos && error == std::errc{} && end == word.data() + colon;
    if (!whole) at.fault(fmt::format("{} is not a WAL position like 3:16/B374D848", at.shown()));
    out.lsn = must(model::Lsn::parse(std::string_view(word).substr(colon + 1)), at);
}

}  // namespace handyrep::saved
