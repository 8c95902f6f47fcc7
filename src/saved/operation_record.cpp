#include "saved/operation_record.hpp"

#include "saved/operation.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace handyrep::saved {

using nlohmann::json;

namespace {

StepRecord* last_of(OperationRecord& operation, const std::string& step) {
    const auto found = std::ranges::find(operation.steps.rbegin(), operation.steps.rend(), step, &StepRecord::name);
    return found == operation.steps.rend() ? nullptr : &*found;
}

void note_begun(OperationRecord& operation, const JournalRecord& record) {
    operation.id = record.operation;
    operation.began = record.at;
    operation.kind = record.step;
    auto begun = operation_begun_from_text(record.detail);
    if (!begun) return;
    operation.kind = begun->kind;
    operation.by = begun->by;
    operation.reason = begun->reason;
    operation.plan = std::move(begun->plan);
}

json step_json(const StepRecord& step) {
    return {
        {"name", step.name},
        {"began", handyrep::text(step.began)},
        {"took", step.took ? json(step.took->count()) : json(nullptr)},
        {"outcome", step.outcome},
        {"text", step.text}};
}

std::optional<StepRecord> step_of(const json& document) {
    const auto began = parse_wall_time(document.at("began").get<std::string>());
    if (!began) return std::nullopt;
    StepRecord out{
        .name = document.at("name").get<std::string>(),
        .began = *began,
        .took = {},
        .outcome = document.at("outcome").get<std::string>(),
        .text = document.at("text").get<std::string>()};
    if (!document.at("took").is_null()) out.took = std::chrono::microseconds{document.at("took").get<std::int64_t>()};
    return out;
}

json number_or_null(const std::optional<model::Bytes>& bytes) { return bytes ? json(bytes->count) : json(nullptr); }

json loss_json(const std::optional<LossRecord>& loss) {
    if (!loss) return nullptr;
    return {
        {"at_least", number_or_null(loss->at_least)},
        {"at_most", number_or_null(loss->at_most)},
        {"unbounded", loss->unbounded},
        {"read", number_or_null(loss->read)},
        {"transactions", loss->transactions ? json(*loss->transactions) : json(nullptr)}};
}

std::optional<std::uint64_t> number_of(const json& document, const char* member) {
    const json& found = document.at(member);
    return found.is_null() ? std::nullopt : std::optional{found.get<std::uint64_t>()};
}

std::optional<model::Bytes> bytes_of(const json& document, const char* member) {
    const auto count = number_of(document, member);
    return count ? std::optional{model::Bytes{*count}} : std::nullopt;
}

std::optional<LossRecord> loss_of(const json& document) {
    const json& loss = document.at("loss");
    if (loss.is_null()) return std::nullopt;
    return LossRecord{
        .at_least = bytes_of(loss, "at_least"),
        .at_most = bytes_of(loss, "at_most"),
        .unbounded = loss.at("unbounded").get<std::string>(),
        .read = bytes_of(loss, "read"),
        .transactions = number_of(loss, "transactions")};
}

json progress_json(const std::optional<ProgressRecord>& progress) {
    if (!progress) return nullptr;
    return {{"done", progress->done.count}, {"total", number_or_null(progress->total)}};
}

/// What was going on when it was written is over: neither rate nor time left.
std::optional<ProgressRecord> progress_of(const json& document) {
    const auto found = document.find("progress");  // not there in what earlier versions wrote
    if (found == document.end() || found->is_null()) return std::nullopt;
    return ProgressRecord{.done = model::Bytes{found->at("done").get<std::uint64_t>()}, .total = bytes_of(*found, "total")};
}

/// Throws what the library throws on a missing member or one of another type.
std::optional<OperationRecord> record_of(const json& document) {
    OperationRecord out{
        .id = document.at("id").get<std::uint64_t>(),
        .kind = document.at("kind").get<std::string>(),
        .by = document.at("by").get<std::string>(),
        .reason = document.at("reason").get<std::string>(),
        .plan = document.at("plan").get<std::vector<std::string>>()};
    const auto began = parse_wall_time(document.at("began").get<std::string>());
    if (!began) return std::nullopt;
    out.began = *began;
    if (!document.at("ended").is_null()) {
        const auto ended = parse_wall_time(document.at("ended").get<std::string>());
        if (!ended) return std::nullopt;
        out.ended = *ended;
    }
    for (const json& it : document.at("steps")) {
        auto step = step_of(it);
        if (!step) return std::nullopt;
        out.steps.push_back(*std::move(step));
    }
    out.outcome = document.at("outcome").get<std::string>();
    out.loss = loss_of(document);
    out.progress = progress_of(document);
    return out;
}

}  // namespace

void note(OperationRecord& operation, const JournalRecord& record) {
    StepRecord* const step = last_of(operation, record.step);
    switch (record.entry) {
        case JournalEntry::begun: note_begun(operation, record); break;
        case JournalEntry::starting: operation.steps.push_back({.name = record.step, .began = record.at}); break;
        case JournalEntry::done:
        case JournalEntry::failed:
        case JournalEntry::unknown:
            if (step == nullptr) break;
            step->took = record.at - step->began;
            step->outcome = std::string(word_for(record.entry));
            if (record.entry != JournalEntry::done) step->text = record.detail;
            break;
        case JournalEntry::undone:
            if (step == nullptr) break;
            step->outcome = std::string(word_for(record.entry));
            step->text = record.detail;
            break;
        case JournalEntry::ended:
            operation.ended = record.at;
            operation.outcome = record.detail;
            break;
    }
}

std::string to_text(const OperationRecord& operation) {
    json document{
        {"id", operation.id},
        {"kind", operation.kind},
        {"by", operation.by},
        {"reason", operation.reason},
        {"plan", operation.plan},
        {"began", handyrep::text(operation.began)},
        {"ended", operation.ended ? json(handyrep::text(*operation.ended)) : json(nullptr)},
        {"steps", json::array()},
        {"outcome", operation.outcome},
        {"loss", loss_json(operation.loss)},
        {"progress", progress_json(operation.progress)}};
    for (const StepRecord& step : operation.steps) document["steps"].push_back(step_json(step));
    return document.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<OperationRecord> operation_record_from_text(std::string_view text) {
    const Error damaged{ErrorKind::invalid, "the record of an operation is damaged"};
    const json document = json::parse(text, nullptr, false);
    if (!document.is_object()) return damaged;
    try {
        auto out = record_of(document);
        if (!out) return damaged;
        return *std::move(out);
    } catch (const json::exception&) {
        return damaged;
    }
}

}  // namespace handyrep::saved
