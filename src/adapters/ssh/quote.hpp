// adapters/ssh/quote.hpp — the one place where a text becomes a word of a shell script.
#pragma once

#include <string>
#include <string_view>

namespace handyrep::adapters::ssh {

/// `text` as exactly one word of sh, whatever it holds but NUL.
[[nodiscard]] std::string quote(std::string_view text);

/// `text` as PostgreSQL's configuration files read it between their quotes.
[[nodiscard]] std::string within_quotes(std::string_view text);

}  // namespace handyrep::adapters::ssh
