// The lab of `./dev lab`.

#include "lab/loopback.hpp"

#include <charconv>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr int wrong_use = 4;
constexpr std::size_t most_servers = 7;
constexpr std::string_view usage = R"(./dev lab up [--servers N] [--sync]
./dev lab status
./dev lab down

A real PostgreSQL cluster on this machine, watched by a handyrep daemon, to break by hand.
The servers share this machine and its loopback addresses; there are no hosts to cut off yet.

  up            make one and leave it running: 3 servers, or N from 1 to 7;
                --sync commits synchronously to any one replica
  status        show every cluster that is up
  down          end and remove them all, with those of `./dev demo --keep`
)";

int say(const handyrep::Result<void>& outcome) {
    if (outcome) return 0;
    std::cerr << "the lab failed: " << outcome.error().text() << "\n";
    return 1;
}

std::optional<std::size_t> count_from(const std::string& word) {
    std::size_t count = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), count);
    if (error != std::errc{} || end != word.data() + word.size() || count < 1 || count > most_servers) return std::nullopt;
    return count;
}

std::optional<handyrep::lab::Wanted> wanted_from(const std::vector<std::string>& options) {
    handyrep::lab::Wanted wanted;
    for (std::size_t i = 0; i < options.size(); ++i) {
        if (options[i] == "--sync") {
            wanted.sync = true;
        } else if (options[i] == "--servers" && i + 1 < options.size()) {
            const auto count = count_from(options[++i]);
            if (!count) return std::nullopt;
            wanted.servers = *count;
        } else {
            return std::nullopt;
        }
    }
    if (wanted.sync && wanted.servers < 2) return std::nullopt;  // a commit would wait for ever
    return wanted;
}

}  // namespace

int main(int count, char** words) {
    const std::vector<std::string> arguments(words + 1, words + count);
    const std::string verb = arguments.empty() ? "" : arguments.front();
    if (verb == "--help" || verb == "-h" || verb == "help") {
        std::cout << usage;
        return 0;
    }
    if (verb == "up") {
        if (const auto wanted = wanted_from({arguments.begin() + 1, arguments.end()})) return say(handyrep::lab::up(*wanted));
    }
    if (verb == "status" && arguments.size() == 1) return say(handyrep::lab::status());
    if (verb == "down" && arguments.size() == 1) return say(handyrep::lab::down());
    std::cerr << usage;
    return wrong_use;
}
