#include "base/text.hpp"
#include "cli/asking.hpp"
#include "cli/rendering.hpp"
#include "cli/verbs.hpp"
#include "control/explain.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <ostream>

namespace handyrep::cli {

namespace {

using control::Json;

/// The same answer as the daemon's, made here from the recording.
Answer replay(const std::string& file, const control::ExplainQuestion& question) {
    const auto text = read_text_file(file);
    if (!text) return ending_of(text.error());
    const auto recording = saved::recording_from_text(*text);
    if (!recording) return ending_of(recording.error().during("read " + file));
    auto explained = control::explain(*recording, question);
    if (!explained) return ending_of(explained.error());
    return std::move(explained->json);
}

Answer ask_to_explain(const GlobalOptions& global, const Explain& explain, const Surroundings& surroundings) {
    std::string query;
    if (explain.if_primary_died) query = "if=primary-died";
    if (explain.back > 0) query += fmt::format("{}back={}", query.empty() ? "" : "&", explain.back);
    return fetch(global, surroundings, {"GET", path_of("/v1/explain", global, query)}, question_limit);
}

Result<void> write_file(const std::string& path, const std::string& text) {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << text;
    file.close();
    if (file) return {};
    return Error{ErrorKind::failed, fmt::format("cannot write {}: does the folder exist, may you write there, is the disk full?", path)};
}

}  // namespace

int do_explain(const GlobalOptions& global, const Explain& explain, Surroundings& surroundings) {
    const auto answer = explain.replay ? replay(*explain.replay, {.if_primary_died = explain.if_primary_died, .back = explain.back})
                                       : ask_to_explain(global, explain, surroundings);
    if (const auto* ending = std::get_if<Ending>(&answer)) return end(*ending, surroundings);
    const Json& json = std::get<Json>(answer);
    const Layout layout = layout_of(global, surroundings);
    return print(json, explain.if_primary_died ? render_foresight(json, layout) : render_explanation(json, layout), global, surroundings);
}

int do_record(const GlobalOptions& global, const Record& record, Surroundings& surroundings) {
    const auto answer = fetch(global, surroundings, {"GET", path_of("/v1/recording", global)}, question_limit);
    if (const auto* ending = std::get_if<Ending>(&answer)) return end(*ending, surroundings);
    const std::string text = control::document(std::get<Json>(answer));
    // What cannot be read back is not worth sending: a daemon of another version, or a proxy in between.
    const auto recording = saved::recording_from_text(text);
    if (!recording) return end(ending_of(recording.error()), surroundings);
    if (!record.out) {
        surroundings.out << text;
        return exit_done;
    }
    if (const auto written = write_file(*record.out, text); !written) return end(ending_of(written.error()), surroundings);
    surroundings.out << fmt::format(
        "{}: now and {} earlier changes. It names servers, addresses and what they said; no passwords, users or key files.\n"
        "Read it with: handyrep explain --replay {}\n",
        *record.out, recording->moments.size() - 1, *record.out);
    return exit_done;
}

}  // namespace handyrep::cli
