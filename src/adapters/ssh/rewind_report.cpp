// The answers of the scripts that rewind.
#include "adapters/ssh/lines.hpp"
#include "adapters/ssh/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace handyrep::adapters::ssh {

namespace {

std::string known(std::string_view value) { return value == "-" ? std::string{} : std::string(value); }

constexpr std::uint64_t most_lines = 10'000;

Result<model::TimelineHistory> read_history(Lines& lines) {
    const auto timeline = lines.number<std::uint32_t>("timeline");
    const auto switches = lines.number<std::uint64_t>("switches");
    std::string text;
    for (std::uint64_t i = 0; i < std::min(switches, most_lines); ++i) text += std::string(lines.take("switch")) + "\n";
    return model::TimelineHistory::parse(model::Timeline{timeline}, text);
}

/// "3 0 1 shop: public.orders".
std::optional<model::TouchedTable> read_table(std::string_view line) {
    model::TouchedTable out;
    for (std::uint64_t* const it : {&out.inserted, &out.updated, &out.deleted}) {
        const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), *it);
        if (error != std::errc{} || end == line.data() + line.size() || *end != ' ') return std::nullopt;
        line.remove_prefix(static_cast<std::size_t>(end - line.data()) + 1);
    }
    out.name = line;
    return out;
}

std::optional<model::DivergedWal> read_summary(Lines& lines) {
    model::DivergedWal out;
    out.folder = lines.take("folder");
    out.whole = lines.flag("whole");
    out.records = lines.number<std::uint64_t>("records");
    out.commits = lines.number<std::uint64_t>("commits");
    out.first_commit = known(lines.take("first"));
    out.last_commit = known(lines.take("last"));
    const auto tables = lines.number<std::uint64_t>("tables");
    for (std::uint64_t i = 0; i < std::min(tables, most_lines); ++i) {
        auto table = read_table(lines.take("table"));
        if (!table) return std::nullopt;
        out.tables.push_back(*std::move(table));
    }
    out.more_tables = lines.number<std::uint64_t>("more");
    return out;
}

/// A refusal, in the words of the scripts.
std::optional<Error> refusal_in(std::string_view text) {
    if (text.starts_with("foreign ")) return Error{ErrorKind::refused, "the data directory belongs to another system"};
    if (!text.starts_with("refused ")) return std::nullopt;
    const auto done = read_done(text);
    return done ? std::nullopt : std::optional{done.error()};
}

}  // namespace

Result<model::RewindLook> read_rewind_look(std::string_view text) {
    Lines lines{text};
    model::RewindLook out;
    out.system_id = model::SystemId{lines.number<std::uint64_t>("system_id")};
    out.version = lines.number<std::uint32_t>("version");
    out.processes = lines.number<std::uint32_t>("processes");
    const auto state = control_state(lines.number<std::size_t>("state"));
    auto history = read_history(lines);
    out.programs = lines.flag("programs");
    out.protects_pages = lines.flag("protects");
    out.configured = lines.flag("configured");
    out.restores = lines.flag("restores");
    const auto phase = model::parse_rewind_phase(lines.take("phase"));
    out.why = known(lines.take("why"));
    if (!lines.ends_whole() || !state || !history || !phase) return damaged("a look before a rewind");
    out.state = *state;
    out.history = *std::move(history);
    out.phase = *phase;
    return out;
}

Result<model::Divergence> read_divergence(std::string_view text) {
    if (auto refused = refusal_in(text)) return *std::move(refused);
    Lines lines{text};
    model::Divergence out;
    out.to_save = model::Bytes{lines.number<std::uint64_t>("to_save")};
    if (const auto room = lines.room("room")) out.room = room->free;
    const std::string_view checkpoint = lines.take("checkpoint");
    if (!lines.ends_whole()) return damaged("what a rewind would give up");
    if (checkpoint == "-") return out;
    const auto at = model::Lsn::parse(checkpoint);
    if (!at) return damaged("what a rewind would give up");
    out.common_checkpoint = *at;
    return out;
}

Result<model::RewindProgress> read_rewind(std::string_view text) {
    if (auto refused = refusal_in(text)) return *std::move(refused);
    Lines lines{text};
    model::RewindProgress out;
    const auto phase = model::parse_rewind_phase(lines.take("phase"));
    out.copied = model::Bytes{lines.number<std::uint64_t>("copied") << 10U};
    out.to_copy = model::Bytes{lines.number<std::uint64_t>("to_copy") << 10U};
    out.why = known(lines.take("why"));
    if (lines.flag("saved")) {
        out.saved = read_summary(lines);
        if (!out.saved) return damaged("a rewind");
    }
    if (!lines.ends_whole() || !phase) return damaged("a rewind");
    out.phase = *phase;
    return out;
}

}  // namespace handyrep::adapters::ssh
