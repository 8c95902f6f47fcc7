#include "adapters/ssh/report.hpp"

#include "base/text.hpp"

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

/// Takes "key value" lines in their order; remembers whether all were there.
class Lines {
public:
    explicit Lines(std::string_view text) : lines_{split(text, '\n')} {}

    std::string_view take(std::string_view key) {
        const std::string_view line = next();
        if (line.size() <= key.size() || !line.starts_with(key) || line[key.size()] != ' ') {
            whole_ = false;
            return {};
        }
        return line.substr(key.size() + 1);
    }
    template <class T>
    T number(std::string_view key) {
        const std::string_view digits = take(key);
        T value{};
        const auto* const last = digits.data() + digits.size();
        const auto [end, error] = std::from_chars(digits.data(), last, value);
        if (digits.empty() || error != std::errc{} || end != last) whole_ = false;
        return value;
    }
    /// "SIZE FREE" in kB; nothing when the size is 0.
    std::optional<model::Room> room(std::string_view key) {
        const std::string_view both = take(key);
        const auto space = both.find(' ');
        const auto number = [&](std::string_view digits) {
            std::uint64_t value = 0;
            const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
            if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size() || value > (1ULL << 50U)) whole_ = false;
            return model::Bytes{value << 10U};
        };
        if (space == std::string_view::npos) {
            whole_ = false;
            return std::nullopt;
        }
        const model::Room out{number(both.substr(0, space)), number(both.substr(space + 1))};
        return out.size.count == 0 ? std::nullopt : std::optional{out};
    }
    bool flag(std::string_view key) {
        const std::string_view value = take(key);
        if (value != "0" && value != "1") whole_ = false;
        return value == "1";
    }
    /// The last line was read and nothing follows.
    bool ends_whole() {
        const bool ended = next() == "end";
        while (at_ < lines_.size()) {
            if (!next().empty()) return false;
        }
        return ended && whole_;
    }

private:
    std::string_view next() { return at_ < lines_.size() ? lines_[at_++] : std::string_view{}; }

    std::vector<std::string_view> lines_;
    std::size_t at_ = 0;
    bool whole_ = true;
};

Error damaged(std::string_view what) { return {ErrorKind::failed, fmt::format("the host's answer to {} is damaged", what)}; }

/// DBState of PostgreSQL's pg_control.h, in its order.
constexpr std::array<ControlState, 7> states{
    ControlState::starting_up,       ControlState::shut_down,           ControlState::shut_down_in_recovery, ControlState::shutting_down,
    ControlState::in_crash_recovery, ControlState::in_archive_recovery, ControlState::in_production};

}  // namespace

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

/// pg_waldump always ends with a complaint; these three say that nothing whole follows.
bool is_an_end(std::string_view why) {
    constexpr std::array<std::string_view, 3> ends{"error in WAL record at", "could not find a valid record after", "could not find file"};
    return std::ranges::any_of(ends, [&](std::string_view it) { return why.find(it) != std::string_view::npos; });
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
    if (!lines.ends_whole() || out.layout.page == 0 || out.layout.segment % out.layout.page != 0) return damaged("the end of the WAL");
    return out;
}

}  // namespace

Result<model::WalEnd> read_wal_end(std::string_view text, const model::WalEndQuestion& question) {
    if (text.starts_with("foreign ")) return Error{ErrorKind::refused, "the data directory belongs to another system"};
    if (text.starts_with("held ")) return Error{ErrorKind::conflict, "processes hold the data directory: its WAL has no end yet"};
    const auto lines = wal_end_lines(text);
    if (!lines) return lines.error();
    if (lines->status == 124) return Error{ErrorKind::timed_out, "the end of the WAL was not reached in time"};
    if (!is_an_end(lines->why) || (lines->status != 0 && lines->status != 1)) return no_end(lines->why);
    if (lines->control_timeline > question.from.timeline.id)
        return no_end(fmt::format("the directory has gone on to timeline {}", lines->control_timeline));
    if (lines->last == "-") {
        // Nothing behind the fork, not even the segment that it lies in: then somebody took WAL away.
        const bool at_segment = gap(model::Lsn{0}, question.from.lsn).count % lines->layout.segment == 0;
        if (!lines->counted || (!at_segment && lines->why.find("could not find file") != std::string_view::npos)) return no_end(lines->why);
        return model::WalEnd{question.from.lsn, 0, true};
    }
    const auto last = model::Lsn::parse(lines->last);
    if (!last) return damaged("the end of the WAL");
    const model::Lsn end =
        lines->switches ? end_of_segment(*last, lines->layout) : end_of_record(*last, model::Bytes{lines->length}, lines->layout);
    return model::WalEnd{end, lines->commits, lines->counted};
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

Result<model::LeaseAnswer> read_lease(std::string_view text) {
    constexpr std::chrono::milliseconds hundredth{10};
    constexpr std::array words{
        std::pair{std::string_view{"refused "}, ErrorKind::refused}, std::pair{std::string_view{"failed "}, ErrorKind::failed},
        std::pair{std::string_view{"none "}, ErrorKind::conflict}};
    const std::vector<std::string_view> said = split(text, '\n');
    for (const auto& [word, kind] : words) {
        if (said.size() >= 2 && said[1] == "end" && said[0].starts_with(word)) return Error{kind, std::string(said[0].substr(word.size()))};
    }
    Lines lines{text};
    model::LeaseAnswer out{.pid = lines.number<std::uint32_t>("pid")};
    out.ttl = lines.number<std::uint32_t>("ttl") * hundredth;
    out.sequence = lines.number<std::uint64_t>("sequence");
    out.stop_time = lines.number<std::uint32_t>("stop_time") * hundredth;
    out.asks = lines.flag("asks");
    out.autostart_off = lines.flag("autostart_off");
    out.autostart = lines.take("autostart");
    if (!lines.ends_whole()) return damaged("a question about the lease");
    return out;
}

Result<model::LeaseDrill> read_lease_drill(std::string_view text) {
    Lines lines{text};
    const auto words = [&](std::string_view key) {
        const std::string_view value = lines.take(key);
        return std::string(value == "-" ? "" : value);
    };
    model::LeaseDrill out{.missing = words("missing")};
    out.asks = lines.flag("asks");
    out.said = words("said");
    out.autostart_off = lines.flag("autostart_off");
    out.autostart = lines.take("autostart");
    if (!lines.ends_whole()) return damaged("the lease's drill");
    return out;
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
