// saved/archive.hpp — values as JSON and back, from one list of their fields (saved/fields.hpp). Internal to saved/.
//
// Strict: every key known, none missing, none of another type; a fault names the path ("moments[0].evidence[1].held").
#pragma once

#include "base/error.hpp"
#include "base/time.hpp"
#include "model/lsn.hpp"
#include "model/names.hpp"
#include "model/server.hpp"
#include "model/timeline.hpp"
#include "saved/blank.hpp"
#include "saved/words.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <concepts>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace handyrep::saved {

/// Members keep the order in which they are written.
using Json = nlohmann::ordered_json;

/// Leaves the reader at the first fault; never leaves the room.
struct Fault {
    std::string path;
    std::string what;
};

/// The word of an enumerator in a file; nothing behind the last one. Every enum of a described struct has one.
template <class E>
std::optional<E> enumerator(std::string_view word) {
    for (int at = 0; at < 64; ++at) {
        if (id_of(static_cast<E>(at)) == word) return static_cast<E>(at);
    }
    return std::nullopt;
}

class Writer {
public:
    static constexpr bool writes = true;
    /// Instants are written as nanoseconds before `now`: they mean nothing on another machine.
    explicit Writer(Instant now) : now_{now} {}

    template <class T>
    void operator()(const char* key, const T& value) {
        object_[key] = write(value);
    }
    [[nodiscard]] Json take() { return std::move(object_); }

    [[nodiscard]] static Json write(bool value) { return value; }
    template <std::integral T>
    [[nodiscard]] static Json write(T value) {
        return value;
    }
    template <class E>
        requires std::is_enum_v<E>
    [[nodiscard]] static Json write(E value) {
        return id_of(value);
    }
    [[nodiscard]] static Json write(const std::string& value) { return value; }
    [[nodiscard]] static Json write(Duration value) { return value.count(); }
    [[nodiscard]] Json write(Instant value) const { return (now_ - value).count(); }
    [[nodiscard]] static Json write(WallTime value) { return text(value); }
    [[nodiscard]] static Json write(model::Lsn value) { return value.text(); }
    [[nodiscard]] static Json write(model::Bytes value) { return value.count; }
    [[nodiscard]] static Json write(model::Timeline value) { return value.id; }
    [[nodiscard]] static Json write(model::ServerVersion value) { return value.number; }
    [[nodiscard]] static Json write(model::SystemId value) { return fmt::format("{}", value.value); }
    [[nodiscard]] static Json write(model::WalPosition value) { return text(value); }
    template <class Tag>
    [[nodiscard]] Json write(const model::Name<Tag>& value) const {
        return value.text();
    }
    template <class T>
    [[nodiscard]] Json write(const std::optional<T>& value) const {
        return value ? write(*value) : Json(nullptr);
    }
    template <class T>
    [[nodiscard]] Json write(const std::vector<T>& values) const {
        Json out = Json::array();
        for (const T& value : values) out.push_back(write(value));
        return out;
    }
    /// {"answered": {…}}: which alternative it is, and what it holds.
    template <class... Ts>
    [[nodiscard]] Json write(const std::variant<Ts...>& value) const {
        return std::visit([this](const auto& it) { return Json{{alternative_of(it), this->write(it)}}; }, value);
    }
    template <class T>
        requires std::is_class_v<T>
    [[nodiscard]] Json write(const T& value) const {
        Writer inner{now_};
        T copy = value;
        describe(inner, copy);
        return inner.take();
    }

private:
    Instant now_;
    Json object_ = Json::object();
};

/// A value in the file, and how to find it there.
struct Place {
    const Json& json;
    std::string path;

    [[noreturn]] void fault(std::string what) const { throw Fault{path, std::move(what)}; }
    [[nodiscard]] std::string shown() const;
};

class Reader {
public:
    static constexpr bool writes = false;
    Reader(Place place, Instant now) : place_{std::move(place)}, now_{now} {
        if (!place_.json.is_object()) place_.fault(fmt::format("{} is not an object", place_.shown()));
    }

    template <class T>
    void operator()(const char* key, T& value) {
        read(take(key), value);
    }
    [[nodiscard]] Place take(const std::string& key);
    /// Nothing may be left.
    void end() const;

    static void read(const Place& at, bool& out);
    static void read(const Place& at, std::string& out);
    static void read(const Place& at, Duration& out);
    static void read(const Place& at, WallTime& out);
    static void read(const Place& at, model::Lsn& out);
    static void read(const Place& at, model::Bytes& out);
    static void read(const Place& at, model::Timeline& out);
    static void read(const Place& at, model::ServerVersion& out);
    static void read(const Place& at, model::SystemId& out);
    static void read(const Place& at, model::WalPosition& out);
    void read(const Place& at, Instant& out) const {
        Duration ago{};
        read(at, ago);
        out = now_ - ago;
    }
    template <std::integral T>
    static void read(const Place& at, T& out) {
        using Limits = std::numeric_limits<T>;
        bool fits = false;
        if (at.json.is_number_unsigned()) fits = std::in_range<T>(at.json.get<std::uint64_t>());
        if (at.json.is_number_integer() && !at.json.is_number_unsigned()) fits = std::in_range<T>(at.json.get<std::int64_t>());
        if (!fits) at.fault(fmt::format("{} is not a whole number from {} to {}", at.shown(), Limits::min(), Limits::max()));
        out = at.json.get<T>();
    }
    template <class E>
        requires std::is_enum_v<E>
    static void read(const Place& at, E& out) {
        std::string word;
        read(at, word);
        const auto known = enumerator<E>(word);
        if (!known) at.fault(fmt::format("{} is not a word that is known here", at.shown()));
        out = *known;
    }
    template <class Tag>
    void read(const Place& at, model::Name<Tag>& out) const {
        std::string word;
        read(at, word);
        auto name = model::Name<Tag>::parse(word);
        if (!name) at.fault(name.error().what);
        out = *std::move(name);
    }
    template <class T>
    void read(const Place& at, std::optional<T>& out) const {
        out.reset();
        if (at.json.is_null()) return;
        T value = blank<T>();
        read(at, value);
        out = std::move(value);
    }
    template <class T>
    void read(const Place& at, std::vector<T>& out) const {
        if (!at.json.is_array()) at.fault(fmt::format("{} is not a list", at.shown()));
        out.clear();
        for (std::size_t index = 0; index < at.json.size(); ++index) {
            T value = blank<T>();
            read(Place{at.json[index], fmt::format("{}[{}]", at.path, index)}, value);
            out.push_back(std::move(value));
        }
    }
    template <class... Ts>
    void read(const Place& at, std::variant<Ts...>& out) const {
        const bool one = at.json.is_object() && at.json.size() == 1;
        const bool known = one && (read_alternative<Ts>(at, out) || ...);
        if (!known) at.fault(fmt::format("{} is not one of the things that can stand here", one ? at.json.begin().key() : at.shown()));
    }
    template <class T>
        requires std::is_class_v<T>
    void read(const Place& at, T& out) const {
        Reader inner{at, now_};
        describe(inner, out);
        inner.end();
    }

private:
    template <class T, class Variant>
    bool read_alternative(const Place& at, Variant& out) const {
        T value = blank<T>();
        const std::string key = alternative_of(value);
        if (at.json.begin().key() != key) return false;
        read(Place{at.json.begin().value(), at.path + "." + key}, value);
        out = std::move(value);
        return true;
    }

    Place place_;
    Instant now_;
    std::vector<std::string> taken_{};
};

}  // namespace handyrep::saved
