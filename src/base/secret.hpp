// base/secret.hpp — a text that does not print: no operator<<, no formatter, no comparison that could leak through a test message.
#pragma once

#include <string>
#include <utility>

namespace handyrep {

class Secret {
public:
    Secret() = default;
    explicit Secret(std::string text) : text_{std::move(text)} {}

    [[nodiscard]] bool empty() const { return text_.empty(); }
    /// The only door out. Call it where the text is handed to the library that needs it, and nowhere else.
    [[nodiscard]] const std::string& reveal() const { return text_; }

private:
    std::string text_;
};

}  // namespace handyrep
