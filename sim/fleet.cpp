#include "sim/fleet.hpp"

#include "base/ensure.hpp"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <thread>
#include <type_traits>

namespace handyrep::sim {

namespace {

/// The numbers of a telling as they travel through a pipe, the text behind them.
struct Frame {
    std::uint64_t seed, hash, failovers, promotions, acknowledged, violations, ending, length;
};
static_assert(std::is_trivially_copyable_v<Frame>);

bool write_all(int to, const void* from, std::size_t size) {
    const char* at = static_cast<const char*>(from);
    while (size > 0) {
        const ssize_t done = ::write(to, at, size);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) return false;
        at += done;
        size -= static_cast<std::size_t>(done);
    }
    return true;
}

bool read_all(int from, void* to, std::size_t size) {
    char* at = static_cast<char*>(to);
    while (size > 0) {
        const ssize_t done = ::read(from, at, size);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) return false;
        at += done;
        size -= static_cast<std::size_t>(done);
    }
    return true;
}

struct Player {
    pid_t process = -1;
    int pipe = -1;
};

/// Every n-th seed from the `first` on.
[[noreturn]] void play_share(const Fleet& fleet, std::size_t first, std::size_t step, int to) {
    for (std::size_t i = first; i < fleet.seeds.size(); i += step) {
        const Played played = play(fleet.drawn(fleet.seeds[i]));
        const std::string text = fleet.text(played);
        const Frame frame{
            played.seed,
            played.hash,
            played.failovers_begun,
            played.promotions,
            played.acknowledged,
            played.violations.size(),
            static_cast<std::uint64_t>(played.ending),
            text.size()};
        if (!write_all(to, &frame, sizeof frame) || !write_all(to, text.data(), text.size())) break;
    }
    ::_exit(0);  // what the parent has in its buffers is the parent's to write
}

Player start(const Fleet& fleet, std::size_t first, std::size_t step) {
    std::array<int, 2> ends{};
    ensure(::pipe(ends.data()) == 0, "there are pipes left");
    const pid_t process = ::fork();
    ensure(process >= 0, "there are processes left");
    if (process == 0) {
        ::close(ends[0]);
        play_share(fleet, first, step, ends[1]);
    }
    ::close(ends[1]);
    return {process, ends[0]};
}

std::optional<Telling> hear(const Player& player) {
    Frame frame{};
    if (player.pipe < 0 || !read_all(player.pipe, &frame, sizeof frame)) return std::nullopt;
    Telling out{
        .seed = frame.seed,
        .hash = frame.hash,
        .failovers = frame.failovers,
        .promotions = frame.promotions,
        .acknowledged = frame.acknowledged,
        .violations = frame.violations,
        .ending = static_cast<Ending>(frame.ending)};
    out.text.resize(frame.length);
    if (!read_all(player.pipe, out.text.data(), out.text.size())) return std::nullopt;
    return out;
}

void end(Player& player) {
    if (player.pipe < 0) return;
    ::close(player.pipe);
    player.pipe = -1;
    while (::waitpid(player.process, nullptr, 0) < 0 && errno == EINTR) {}
}

}  // namespace

void play_all(const Fleet& fleet, const std::function<void(const Telling&)>& told) {
    const std::size_t step = std::clamp<std::size_t>(fleet.seeds.size(), 1, std::max(1U, fleet.processes));
    std::vector<Player> players;
    for (std::size_t first = 0; first < step; ++first) players.push_back(start(fleet, first, step));
    for (std::size_t i = 0; i < fleet.seeds.size(); ++i) {
        Player& player = players[i % step];
        if (player.pipe < 0) continue;
        if (const auto telling = hear(player)) {
            told(*telling);
        } else {
            end(player);
            told(
                {.seed = fleet.seeds[i].number,
                 .violations = 1,
                 .text = fmt::format("seed {} brings the simulator down\n", fleet.seeds[i].number),
                 .died = true});
        }
    }
    std::ranges::for_each(players, end);
}

std::string violations_text(const Played& played) {
    // The last lines before the end are what a person needs first; the rest is a --log away.
    constexpr std::size_t shown = 60;
    std::string out = fmt::format("\nseed {} breaks {} claim(s):\n", played.seed, played.violations.size());
    for (const Violation& it : played.violations) out += fmt::format("  {}: {}\n", it.claim, it.text);
    for (const std::string& line : played.drawn) out += fmt::format("  {}\n", line);
    const std::size_t skipped = played.lines.size() - std::min(shown, played.lines.size());
    if (skipped > 0) out += fmt::format("  … {} earlier lines\n", skipped);
    for (std::size_t i = skipped; i < played.lines.size(); ++i) out += played.lines[i].text() + "\n";
    return out + fmt::format("repeat: ./dev sim --seed {}{} --log\n\n", played.seed, played.options);
}

unsigned processors() { return std::max(1U, std::thread::hardware_concurrency()); }

}  // namespace handyrep::sim
