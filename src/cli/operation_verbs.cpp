// Operations: the list, one of them, and one as it goes on.
#include "cli/asking.hpp"
#include "cli/rendering.hpp"
#include "cli/verbs.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <optional>
#include <ostream>
#include <string>
#include <thread>

namespace handyrep::cli {

namespace {

using control::Json;

constexpr Duration look_again = std::chrono::milliseconds{200};

Question about(const GlobalOptions& global, std::uint64_t id) {
    return {"GET", path_of("/v1/operations", global, fmt::format("id={}", id))};
}

bool ended(const Json& operation) { return operation.is_object() && operation.contains("ended") && !operation["ended"].is_null(); }

/// "unknown: …" is open, but nothing of it goes on by itself.
int exit_code_of(const Json& operation) {
    const std::string outcome = operation.value("outcome", "");
    if (outcome.starts_with("done")) return exit_done;
    return outcome.starts_with("refused") ? row_of(ErrorKind::refused).exit_code : exit_failed;
}

/// A line of how far it is, at most every other second.
class ProgressLines {
public:
    void show(const Json& operation, std::ostream& out) {
        const auto now = std::chrono::steady_clock::now();
        if (ended(operation) || (shown_at_ && now - *shown_at_ < std::chrono::seconds{2})) return;
        const auto text = render_progress(operation);
        if (!text || text->empty() || *text == shown_) return;
        out << "          " << *text << "\n" << std::flush;
        shown_ = *text;
        shown_at_ = now;
    }

private:
    std::string shown_;
    std::optional<std::chrono::steady_clock::time_point> shown_at_;
};

}  // namespace

int follow_operation(const GlobalOptions& global, std::uint64_t id, Surroundings& surroundings) {
    ProgressLines progress;
    const std::chrono::steady_clock::time_point last = std::chrono::steady_clock::now() + global.timeout.value_or(std::chrono::hours{24});
    std::size_t shown = 0;
    for (;;) {
        const auto answer = fetch(global, surroundings, about(global, id), question_limit);
        if (const auto* ending = std::get_if<Ending>(&answer)) return end(*ending, surroundings);
        const Json& operation = std::get<Json>(answer);
        const auto steps = render_steps(operation, shown);
        if (!steps) return end(ending_of(steps.error()), surroundings);
        for (const std::string& line : *steps) surroundings.out << line << "\n";
        surroundings.out << std::flush;
        shown += steps->size();
        progress.show(operation, surroundings.out);
        const std::string outcome = operation.value("outcome", "");
        if (ended(operation) || outcome.starts_with("unknown")) {
            surroundings.out << clean(outcome) << "\n";
            return exit_code_of(operation);
        }
        if (std::chrono::steady_clock::now() >= last)
            return end({fmt::format("operation {} goes on; follow it again", id), row_of(ErrorKind::timed_out).exit_code}, surroundings);
        std::this_thread::sleep_for(look_again);
    }
}

int do_operations(const GlobalOptions& global, const Operations& operations, Surroundings& surroundings) {
    const auto answer =
        fetch(global, surroundings, {"GET", path_of("/v1/operations", global, fmt::format("count={}", operations.count))}, question_limit);
    if (const auto* ending = std::get_if<Ending>(&answer)) return end(*ending, surroundings);
    const Json& list = std::get<Json>(answer);
    return print(list, render_operations(list, layout_of(global, surroundings)), global, surroundings);
}

int do_operation(const GlobalOptions& global, const Operation& operation, Surroundings& surroundings) {
    if (operation.follow) return follow_operation(global, operation.id, surroundings);
    const auto answer = fetch(global, surroundings, about(global, operation.id), question_limit);
    if (const auto* ending = std::get_if<Ending>(&answer)) return end(*ending, surroundings);
    const Json& found = std::get<Json>(answer);
    return print(found, render_operation(found, true, layout_of(global, surroundings)), global, surroundings);
}

}  // namespace handyrep::cli
