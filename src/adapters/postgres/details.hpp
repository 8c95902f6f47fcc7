// adapters/postgres/details.hpp — the row of the slower questions as a value. Pure: what is missing or odd was not told.
#pragma once

#include "adapters/postgres/row.hpp"
#include "model/sighting.hpp"

namespace handyrep::adapters::postgres {

[[nodiscard]] model::Details read_details(const Row& row);

}  // namespace handyrep::adapters::postgres
