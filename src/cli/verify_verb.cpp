#include "cli/asking.hpp"
#include "cli/rendering.hpp"
#include "cli/verbs.hpp"
#include "control/check.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace handyrep::cli {

using control::Json;

namespace {
/// A round has limits of its own; this is more than their sum.
constexpr Duration verify_limit = std::chrono::minutes{2};
}  // namespace

int do_verify(const GlobalOptions& global, const Verify& verify, Surroundings& surroundings) {
    const std::string path = path_of("/v1/verify", global, verify.server ? "server=" + percent_encoded(*verify.server) : std::string{});
    const Question question = verify.last ? Question{"GET", path} : Question{"POST", path, "{}"};
    const auto answer = fetch(global, surroundings, question, verify.last ? question_limit : verify_limit);
    if (const auto* ending = std::get_if<Ending>(&answer)) return end(*ending, surroundings);
    const Json& found = std::get<Json>(answer);
    const int printed =
        print(found, render_readiness(found, verify.all, surroundings.now, layout_of(global, surroundings)), global, surroundings);
    const bool whole = found.is_object() && found.contains("exit_code") && found["exit_code"].is_number_integer();
    if (printed != exit_done) return printed;
    return whole ? found["exit_code"].get<int>() : control::exit_code_for(model::ClusterStatus::unknown);
}

}  // namespace handyrep::cli
