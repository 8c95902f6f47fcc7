// adapters/postgres/columns.hpp — the columns of one row as values; what is missing or not of its kind is nothing.
#pragma once

#include "adapters/postgres/row.hpp"
#include "model/lsn.hpp"

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace handyrep::adapters::postgres {

class Columns {
public:
    explicit Columns(const Row& row) : row_{row} {}

    [[nodiscard]] const std::string* text(std::string_view name) const {
        const auto found = row_.find(name);
        return found == row_.end() || !found->second ? nullptr : &*found->second;
    }
    [[nodiscard]] std::string text_or_empty(std::string_view name) const {
        const std::string* found = text(name);
        return found == nullptr ? std::string{} : *found;
    }
    template <class T>
    [[nodiscard]] std::optional<T> number(std::string_view name, int base = 10) const {
        const std::string* found = text(name);
        return found == nullptr ? std::nullopt : read<T>(*found, base);
    }
    template <class T>
    [[nodiscard]] static std::optional<T> read(std::string_view digits, int base = 10) {
        T value{};
        const auto* const last = digits.data() + digits.size();
        const auto [end, error] = std::from_chars(digits.data(), last, value, base);
        if (error != std::errc{} || end != last || digits.empty()) return std::nullopt;
        return value;
    }
    [[nodiscard]] std::optional<model::Lsn> lsn(std::string_view name) const {
        const std::string* found = text(name);
        if (found == nullptr) return std::nullopt;
        const auto parsed = model::Lsn::parse(*found);
        if (!parsed) return std::nullopt;
        return *parsed;
    }

private:
    const Row& row_;
};

/// There is one row, and its column is true.
[[nodiscard]] inline bool is_true(const std::vector<Row>& rows, std::string_view column) {
    const std::string* const found = rows.size() == 1 ? Columns(rows.front()).text(column) : nullptr;
    return found != nullptr && *found == "t";
}

}  // namespace handyrep::adapters::postgres
