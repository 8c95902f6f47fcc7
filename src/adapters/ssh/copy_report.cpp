#include "adapters/ssh/copy_report.hpp"

#include "adapters/ssh/lines.hpp"
#include "adapters/ssh/report.hpp"

#include <array>
#include <chrono>
#include <optional>
#include <string>

namespace handyrep::adapters::ssh {

namespace {

std::optional<std::string_view> known(std::string_view value) { return value == "-" ? std::nullopt : std::optional{value}; }

template <class T>
std::optional<T> number_of(std::string_view digits) {
    T value{};
    const auto* const last = digits.data() + digits.size();
    const auto [end, error] = std::from_chars(digits.data(), last, value);
    return digits.empty() || error != std::errc{} || end != last ? std::nullopt : std::optional{value};
}

template <class T, std::size_t N>
std::optional<T> word_in(const std::array<T, N>& all, std::string_view word) {
    for (const T it : all) {
        if (word_for(it) == word) return it;
    }
    return std::nullopt;
}

}  // namespace

Result<model::TargetLook> read_target_look(std::string_view text) {
    using model::Standing;
    constexpr std::array all{Standing::absent, Standing::empty, Standing::database, Standing::unidentified};
    Lines lines{text};
    model::TargetLook out;
    const auto standing = word_in(all, lines.take("standing"));
    const auto system_id = known(lines.take("system_id"));
    const auto state = control_state(lines.number<std::size_t>("state"));
    out.processes = lines.number<std::uint32_t>("processes");
    out.room = lines.room("room");
    out.impediment = known(lines.take("impediment")).value_or("");
    out.wal_directory = known(lines.take("wal_directory")).value_or("");
    if (!lines.ends_whole() || !standing || !state) return damaged("a look at the place of the data directory");
    out.standing = *standing;
    out.state = *state;
    if (*standing != Standing::database) return out;
    const auto value = number_of<std::uint64_t>(system_id.value_or(""));
    if (!value) return damaged("a look at the place of the data directory");
    out.system_id = model::SystemId{*value};
    return out;
}

Result<model::CopyProgress> read_copy_progress(std::string_view text) {
    using State = model::CopyProgress::State;
    constexpr std::array all{State::none, State::running, State::whole, State::failed, State::lost};
    Lines lines{text};
    model::CopyProgress out;
    const auto state = word_in(all, lines.take("state"));
    const auto copied = number_of<std::uint64_t>(lines.take_any("copied"));
    const auto total = number_of<std::uint64_t>(lines.take_any("total"));
    out.running_for = std::chrono::seconds{lines.number<std::uint32_t>("passed")};
    out.said = known(lines.take("said")).value_or("");
    if (!lines.ends_whole() || !state) return damaged("the question how far the copy is");
    out.state = *state;
    out.copied = model::Bytes{copied.value_or(0) << 10U};
    if (total) out.total = model::Bytes{*total << 10U};
    return out;
}

}  // namespace handyrep::adapters::ssh
