#include "control/explain.hpp"

#include "decide/reasons.hpp"
#include "plans/foresight.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <optional>
#include <vector>

namespace handyrep::control {

namespace {

using decide::Explanation;

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

template <class T, class F>
Json or_null(const std::optional<T>& value, F&& as_json) {
    return value ? Json(as_json(*value)) : Json(nullptr);
}

template <class T, class F>
Json list(const std::vector<T>& values, F&& as_json) {
    Json out = Json::array();
    for (const T& value : values) out.push_back(as_json(value));
    return out;
}

std::string_view word_of(decide::Weight weight) {
    switch (weight) {
        case decide::Weight::supports: return "for";
        case decide::Weight::contradicts: return "against";
        case decide::Weight::unknown: return "unknown";
    }
    return "";
}

decide::Reason reason_of(const decide::Decision& decision) {
    return std::visit([](const auto& it) { return it.reason; }, decision);
}
std::string text_of(const decide::Decision& decision) {
    return std::visit([](const auto& it) { return it.text; }, decision);
}
std::string_view word_of(const decide::Decision& decision) {
    if (std::holds_alternative<decide::FailOver>(decision)) return "fail_over";
    return std::holds_alternative<decide::StopReturned>(decision) ? "stop_returned" : "hold";
}

Json clue_json(const decide::Clue& it) {
    return Json{
        {"weight", word_of(it.weight)},
        {"server", it.server.text()},
        {"source", it.source},
        {"text", it.text},
        {"age_seconds", or_null(it.age, seconds)}};
}

Json guard_json(const decide::GuardState& it) { return Json{{"reason", word_for(it.reason)}, {"holds", it.holds}, {"text", it.text}}; }

Json gate_json(const decide::GateState& it) {
    return Json{{"gate", word_for(it.name)}, {"open", it.open}, {"word", it.word}, {"text", it.text}};
}

Json candidate_json(const decide::CandidateState& it) {
    return Json{{"server", it.server.text()}, {"eligible", it.eligible}, {"chosen", it.chosen}, {"text", it.text}};
}

Json writes_json(const decide::WritesGoTo& it) {
    return Json{
        {"server", it.server.text()},
        {"position", text(it.flushed)},
        {"age_seconds", seconds(it.age)},
        {"flushed_seconds_ago", or_null(it.moved_ago, seconds)}};
}

Json sight_json(const decide::ServerSight& it) {
    return Json{
        {"server", it.server.text()},
        {"role", word_for(it.role)},
        {"timeline", or_null(it.timeline, [](model::Timeline timeline) { return timeline.id; })},
        {"lsn", or_null(it.lsn, [](model::Lsn lsn) { return lsn.text(); })},
        {"behind_bytes", or_null(it.behind, [](model::Bytes bytes) { return bytes.count; })},
        {"age_seconds", or_null(it.age, seconds)},
        {"sensors", list(it.sensors, [](const decide::SensorSight& sensor) {
             return Json{{"sensor", sensor.sensor}, {"text", sensor.text}, {"age_seconds", seconds(sensor.age)}};
         })}};
}

Json finding_json(const decide::Finding& it) {
    return Json{
        {"kind", word_for(it.kind)},
        {"server", or_null(it.server, [](const model::ServerName& name) { return name.text(); })},
        {"text", it.text},
        {"advice", decide::page_of(it.kind).person}};
}

Json explanation_json(const Explanation& it) {
    return Json{
        {"cluster", it.cluster.text()},
        {"at", text(it.at)},
        {"since", text(it.since)},
        {"situation", word_for(it.situation)},
        {"situation_text", it.sentence},
        {"decision", word_of(it.decision)},
        {"reason", word_for(reason_of(it.decision))},
        {"next", text_of(it.decision)},
        {"next_in_seconds", or_null(it.next_in, seconds)},
        {"advice", it.advice},
        {"writes_go_to", or_null(it.writes, writes_json)},
        {"evidence", list(it.clues, clue_json)},
        {"not_otherwise",
         list(
             it.not_these,
             [](const decide::NotThis& other) { return Json{{"situation", word_for(other.situation)}, {"text", other.text}}; })},
        {"guards", list(it.guards, guard_json)},
        {"gates", list(it.gates, gate_json)},
        {"candidates", list(it.candidates, candidate_json)},
        {"servers", list(it.servers, sight_json)},
        {"findings", list(it.findings, finding_json)}};
}

/// What can be asked for with `back`, newest first.
Json earlier_json(const saved::Recording& recording) {
    Json out = Json::array();
    for (std::size_t back = 1; back < recording.moments.size(); ++back) {
        const Explanation it = decide::explain(recording.moments[recording.moments.size() - 1 - back]);
        out.push_back(Json{
            {"back", back},
            {"at", text(it.at)},
            {"situation", word_for(it.situation)},
            {"reason", word_for(reason_of(it.decision))},
            {"next", text_of(it.decision)}});
    }
    return out;
}

Json loss_json(const plans::Loss& it) {
    return Json{
        {"known_bytes", it.known.count},
        {"primary_age_seconds", seconds(it.primary_age)},
        {"candidate_age_seconds", seconds(it.candidate_age)},
        {"at_most_bytes", or_null(it.at_most, [](model::Bytes bytes) { return bytes.count; })},
        {"unbounded", it.unbounded}};
}

Json foresight_json(const plans::Foresight& it) {
    return Json{
        {"death", sentence_for(it.death)},
        {"with_it", list(it.with_it, [](const model::ServerName& name) { return name.text(); })},
        {"situation", word_for(it.then.situation)},
        {"situation_text", it.then.sentence},
        {"after_seconds", seconds(it.after)},
        {"by_itself", it.acts},
        {"reason", word_for(reason_of(it.then.decision))},
        {"next", text_of(it.then.decision)},
        {"candidate", or_null(it.candidate, [](const model::ServerName& name) { return name.text(); })},
        {"candidates", list(it.then.candidates, candidate_json)},
        {"loss", or_null(it.loss, loss_json)},
        {"gates", list(it.gates, gate_json)},
        {"guards", list(it.then.guards, guard_json)},
        {"order", it.order},
        {"steps", it.steps}};
}

}  // namespace

Result<Explained> explain(const saved::Recording& recording, const ExplainQuestion& question) {
    if (question.back >= recording.moments.size()) {
        return Error{
            ErrorKind::invalid,
            fmt::format("back: there are only {} earlier changes to ask about, not {}", recording.moments.size() - 1, question.back)};
    }
    const model::Moment& moment = recording.moments[recording.moments.size() - 1 - question.back];
    if (!question.if_primary_died) {
        Json out = explanation_json(decide::explain(moment));
        out["earlier"] = question.back == 0 ? earlier_json(recording) : Json::array();
        return Explained{std::move(out)};
    }
    const auto deaths = plans::if_primary_died(moment);
    if (!deaths) return deaths.error();
    return Explained{Json{
        {"cluster", moment.saved.cluster.text()},
        {"at", text(moment.at)},
        {"primary", or_null(moment.saved.primary, [](const model::ServerName& name) { return name.text(); })},
        {"if_primary_died", list(*deaths, foresight_json)}}};
}

}  // namespace handyrep::control
