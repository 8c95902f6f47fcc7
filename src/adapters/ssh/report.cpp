#include "adapters/ssh/report.hpp"

#include "adapters/ssh/lines.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

namespace handyrep::adapters::ssh {

using model::ControlState;

namespace {

/// DBState of PostgreSQL's pg_control.h, in its order.
constexpr std::array<ControlState, 7> states{
    ControlState::starting_up,       ControlState::shut_down,           ControlState::shut_down_in_recovery, ControlState::shutting_down,
    ControlState::in_crash_recovery, ControlState::in_archive_recovery, ControlState::in_production};

}  // namespace

std::optional<ControlState> control_state(std::size_t number) {
    return number < states.size() ? std::optional{states.at(number)} : std::nullopt;
}

Result<model::HostLook> read_look(std::string_view text) {
    Lines lines{text};
    const auto system_id = lines.number<std::uint64_t>("system_id");
    const auto state = lines.number<std::size_t>("state");
    const auto processes = lines.number<std::uint32_t>("processes");
    const bool marked = lines.flag("marked");
    const auto data_room = lines.room("data_room");
    const auto wal_room = lines.room("wal_room");
    const std::string_view service = lines.take("service");
    if (!lines.ends_whole() || state >= states.size()) return damaged("a look");
    return model::HostLook{model::SystemId{system_id},
                           states.at(state),
                           processes,
                           marked,
                           data_room,
                           wal_room,
                           std::string(service == "none" ? "" : service)};
}

Result<ports::FenceReport> read_fence(std::string_view text) {
    if (text.starts_with("foreign ")) {
        Lines lines{text};
        const std::string_view id = lines.take("foreign");
        if (!lines.ends_whole()) return damaged("the fence");
        return Error{ErrorKind::refused, fmt::format("the data directory belongs to another system ({}); nothing was touched", id)};
    }
    Lines lines{text};
    ports::FenceReport out;
    out.autostart_disabled = lines.flag("autostart_off");
    out.autostart = lines.take("autostart");
    out.marked = lines.flag("marked");
    out.killed = lines.number<std::uint32_t>("killed");
    out.left = lines.number<std::uint32_t>("left");
    if (!lines.ends_whole()) return damaged("the fence");
    return out;
}

Result<ports::StopReport> read_stop(std::string_view text) {
    if (text.starts_with("foreign ")) return read_fence(text).error();
    Lines lines{text};
    ports::StopReport out;
    out.autostart_disabled = lines.flag("autostart_off");
    out.autostart = lines.take("autostart");
    out.marked = lines.flag("marked");
    out.left = lines.number<std::uint32_t>("left");
    const auto state = lines.number<std::size_t>("state");
    out.checkpoint = model::Lsn{lines.number<std::uint64_t>("checkpoint")};
    if (!lines.ends_whole() || state >= states.size()) return damaged("the stop");
    out.state = states.at(state);
    return out;
}

namespace {

/// pg_waldump ends with a complaint; these say that nothing whole follows.
bool is_an_end(std::string_view why) {
    constexpr std::array<std::string_view, 3> ends{"error in WAL record at", "could not find a valid record after", "could not find file"};
    return std::ranges::any_of(ends, [&](std::string_view it) { return why.find(it) != std::string_view::npos; });
}

/// A file that was made in advance: the words before and since PostgreSQL 16.
bool is_unwritten(std::string_view why) {
    return why.find("header specifies 0 bytes") != std::string_view::npos || why.find("(0 bytes)") != std::string_view::npos;
}

Error no_end(std::string_view why) { return {ErrorKind::failed, fmt::format("the end of the WAL was not found: {}", why)}; }

struct WalEndLines {
    std::uint32_t control_timeline;
    bool counted;
    std::uint64_t commits;
    std::string_view last;
    std::uint64_t length;
    bool switches;
    model::WalLayout layout;
    int status;
    std::string_view why;
};

Result<WalEndLines> wal_end_lines(std::string_view text) {
    Lines lines{text};
    WalEndLines out{};
    out.control_timeline = lines.number<std::uint32_t>("control_timeline");
    out.counted = lines.flag("counted");
    out.commits = lines.number<std::uint64_t>("commits");
    out.last = lines.take("last");
    out.length = lines.number<std::uint64_t>("length");
    out.switches = lines.flag("switches");
    out.layout.page = lines.number<std::uint64_t>("page");
    out.layout.segment = lines.number<std::uint64_t>("segment");
    out.status = lines.number<int>("status");
    out.why = lines.take("why");
    if (!lines.ends_whole() || out.layout.page == 0 || out.layout.segment == 0 || out.layout.segment % out.layout.page != 0)
        return damaged("the end of the WAL");
    return out;
}

/// Why its WAL may not be read; nothing when the script went on.
std::optional<Error> not_readable(std::string_view text) {
    if (text.starts_with("foreign ")) return Error{ErrorKind::refused, "the data directory belongs to another system"};
    if (text.starts_with("held ")) return Error{ErrorKind::conflict, "processes hold the data directory: its WAL has no end yet"};
    return std::nullopt;
}

}  // namespace

Result<model::PackedWal> read_packed_wal(std::string_view text) {
    if (auto error = not_readable(text)) return *std::move(error);
    Lines lines{text};
    const std::string_view wal = lines.take("wal");
    constexpr std::string_view base64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
    if (!lines.ends_whole() || wal.empty() || wal.find_first_not_of(base64) != std::string_view::npos) return damaged("reading WAL");
    return model::PackedWal{std::string(wal)};
}

Result<model::WalPlace> read_wal_place(std::string_view text, const model::WalStretch& stretch) {
    if (!text.starts_with("folder ")) {
        const auto refused = read_done(text);
        return refused ? damaged("making a place for WAL") : refused.error();
    }
    Lines lines{text};
    const std::string_view folder = lines.take("folder");
    const model::Bytes head{lines.number<std::uint64_t>("head")};
    const model::Lsn from = begin_of_segment(stretch.from, stretch.segment) + head;
    if (!lines.ends_whole() || !folder.starts_with('/') || from > stretch.from) return damaged("making a place for WAL");
    return model::WalPlace{std::string(folder), from};
}

Result<model::WalEnd> read_wal_end(std::string_view text, const model::WalEndQuestion& question) {
    if (auto error = not_readable(text)) return *std::move(error);
    const auto lines = wal_end_lines(text);
    if (!lines) return lines.error();
    if (lines->status == 124) return Error{ErrorKind::timed_out, "the end of the WAL was not reached in time"};
    const bool at_segment = gap(model::Lsn{0}, question.from.lsn).count % lines->layout.segment == 0;
    const bool nothing_begun = at_segment && lines->last == "-" && is_unwritten(lines->why);
    // Silently it ends with the last file that it was told to read. Silence where nothing was read at all says nothing.
    const bool read_all = lines->why == "-" && lines->status == 0 && lines->last != "-";
    if ((!is_an_end(lines->why) && !nothing_begun && !read_all) || (lines->status != 0 && lines->status != 1)) return no_end(lines->why);
    if (lines->control_timeline > question.from.timeline.id)
        return no_end(fmt::format("the directory has gone on to timeline {}", lines->control_timeline));
    if (lines->last == "-") {
        // Nothing behind the fork, not even the segment that it lies in: then somebody took WAL away.
        if (!lines->counted || (!at_segment && lines->why.find("could not find file") != std::string_view::npos)) return no_end(lines->why);
        return model::WalEnd{question.from.lsn, 0, true, model::Bytes{lines->layout.segment}};
    }
    const auto last = model::Lsn::parse(lines->last);
    if (!last) return damaged("the end of the WAL");
    const model::Lsn end =
        lines->switches ? end_of_segment(*last, lines->layout) : end_of_record(*last, model::Bytes{lines->length}, lines->layout);
    return model::WalEnd{end, lines->commits, lines->counted, model::Bytes{lines->layout.segment}};
}

Result<model::FenceDrill> read_drill(std::string_view text) {
    const auto fence = read_fence(text);
    if (!fence) return fence.error();
    return model::FenceDrill{
        .autostart = fence->autostart,
        .autostart_off = fence->autostart_disabled,
        .markable = fence->marked,
        .processes = fence->killed,
        .untouchable = fence->left};
}

namespace {

std::optional<std::string> known(std::string_view value) { return value == "-" ? std::nullopt : std::optional{std::string(value)}; }

/// df counts in blocks of 1 kB.
std::optional<model::Bytes> kilobytes(std::string_view value) {
    std::uint64_t count = 0;
    const auto* const last = value.data() + value.size();
    const auto [end, error] = std::from_chars(value.data(), last, count);
    if (value.empty() || error != std::errc{} || end != last) return std::nullopt;
    return model::Bytes{count << 10};
}

model::PgCtlStatus pg_ctl_status(std::string_view status) {
    if (status == "-") return model::PgCtlStatus::not_found;
    if (status == "0") return model::PgCtlStatus::running;
    if (status == "3") return model::PgCtlStatus::not_running;
    return status == "4" ? model::PgCtlStatus::no_access : model::PgCtlStatus::failed;
}

}  // namespace

Result<model::HostInspection> read_inspection(std::string_view text) {
    Lines lines{text};
    model::HostInspection out;
    out.owner = lines.take("owner");
    out.system_id = model::SystemId{lines.number<std::uint64_t>("system_id")};
    out.programs = known(lines.take("programs"));
    out.pg_ctl = pg_ctl_status(lines.take("pg_ctl"));
    out.control_data_readable = lines.flag("control_data");
    out.psql_found = lines.flag("psql");
    out.data_writable = lines.flag("data_writable");
    out.parent_writable = lines.flag("parent_writable");
    out.data_free = kilobytes(lines.take("data_free"));
    out.wal_free = kilobytes(lines.take("wal_free"));
    out.libc_version = known(lines.take("libc"));
    out.recovery_target_timeline = known(lines.take("recovery_target_timeline"));
    if (!lines.ends_whole()) return damaged("the inspection");
    return out;
}

Result<LoginReport> read_login(std::string_view text) {
    Lines lines{text};
    LoginReport out{lines.number<int>("status"), {}};
    out.said = lines.take("said");
    if (!lines.ends_whole()) return damaged("a replication login");
    return out;
}

Result<void> read_done(std::string_view text) {
    const std::vector<std::string_view> lines = split(text, '\n');
    const bool whole = lines.size() >= 2 && lines[1] == "end";
    if (whole && lines[0] == "done") return {};
    for (const auto& [word, kind] : {std::pair{std::string_view{"refused "}, ErrorKind::refused}, {"failed ", ErrorKind::failed}}) {
        if (whole && lines[0].starts_with(word)) return Error{kind, std::string(lines[0].substr(word.size()))};
    }
    return damaged("a change");
}

Result<std::string> read_upstream(std::string_view text) {
    Lines lines{text};
    const std::string_view quoted = lines.take("conninfo");
    if (!lines.ends_whole()) return damaged("reading recovery.conf");
    std::string out;
    for (std::size_t i = 0; i < quoted.size(); ++i) {
        if ((quoted[i] == '\'' || quoted[i] == '\\') && i + 1 < quoted.size()) ++i;
        out += quoted[i];
    }
    return out;
}

Result<std::string> read_path(std::string_view text) {
    Lines lines{text};
    const std::string_view path = lines.take("path");
    if (!lines.ends_whole() || !path.starts_with('/')) return damaged("keeping a password");
    return std::string(path);
}

}  // namespace handyrep::adapters::ssh
