// model/names.hpp — checked identifiers. The tag keeps a server from being passed where a cluster is meant.
#pragma once

#include "base/result.hpp"

#include <compare>
#include <string>
#include <string_view>

namespace handyrep::model {

/// True for one to 63 of a-z A-Z 0-9 . _ - that begin with a letter, a digit or an underscore.
[[nodiscard]] bool is_name(std::string_view text);
[[nodiscard]] Error bad_name(std::string_view text);

template <class Tag>
class Name {
public:
    /// Fails with `invalid` unless `is_name(text)`.
    static Result<Name> parse(std::string_view text) {
        if (!is_name(text)) return bad_name(text);
        return Name{std::string(text)};
    }
    [[nodiscard]] const std::string& text() const { return text_; }
    friend auto operator<=>(const Name&, const Name&) = default;

private:
    explicit Name(std::string text) : text_{std::move(text)} {}
    std::string text_;
};

using ServerName = Name<struct ServerTag>;
using ClusterName = Name<struct ClusterTag>;

}  // namespace handyrep::model
