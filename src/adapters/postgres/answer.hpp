// adapters/postgres/answer.hpp — the row of a poll as a value. Pure: what is missing or odd becomes `Complained`, never a guess.
#pragma once

#include "adapters/postgres/row.hpp"
#include "model/sighting.hpp"

#include <variant>

namespace handyrep::adapters::postgres {

struct Identity {
    model::SystemId system_id;
    model::ServerVersion version;
};

/// `history` and a receiverless standby's `timeline` are not in the row; the caller adds what it knows.
[[nodiscard]] std::variant<model::Answered, model::Complained> read_answer(const Row& row, Identity identity);

}  // namespace handyrep::adapters::postgres
