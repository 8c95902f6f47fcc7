#pragma once

#include <string_view>

namespace handyrep::api {

/// The description of this API, docs/openapi.yaml, as it was when the program was built.
[[nodiscard]] std::string_view openapi_text();

}  // namespace handyrep::api
