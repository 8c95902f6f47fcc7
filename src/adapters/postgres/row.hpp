// adapters/postgres/row.hpp — what a server answered to one question, away from libpq.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace handyrep::adapters::postgres {

/// Column name to value; NULL is no value.
using Row = std::map<std::string, std::optional<std::string>, std::less<>>;

/// The server said no. `severity` is in English whatever the server's language (9.6+; before, it may be translated).
struct Refusal {
    std::string sqlstate;
    std::string message;
    std::string severity;
    [[nodiscard]] bool ends_session() const { return severity == "FATAL" || severity == "PANIC"; }
};

struct Reply {
    std::vector<Row> rows;
    std::optional<Refusal> refusal;
};

}  // namespace handyrep::adapters::postgres
