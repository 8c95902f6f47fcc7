// The demo of `./dev demo`.

#include "demo/story.hpp"

#include <iostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::string_view usage = R"(./dev demo [OPTIONS]

Makes a PostgreSQL cluster of three servers on this machine, lets HandyRep watch it,
kills the primary, and shows what HandyRep did and what a client noticed.

  --keep          leave cluster and daemon running, and say how to look at them
  --stop [DIR]    end what --keep left behind
)";

int say(const handyrep::Result<void>& outcome) {
    if (outcome) return 0;
    std::cerr << "\nthe demo failed: " << outcome.error().text() << "\n";
    return 1;
}

}  // namespace

int main(int count, char** words) {
    const std::vector<std::string> arguments(words + 1, words + count);
    if (arguments.size() == 1 && (arguments.front() == "--help" || arguments.front() == "-h")) {
        std::cout << usage;
        return 0;
    }
    if (!arguments.empty() && arguments.size() <= 2 && arguments.front() == "--stop") {
        return say(handyrep::demo::stop_kept(arguments.size() == 2 ? arguments.back() : std::string{}));
    }
    const bool keep = arguments == std::vector<std::string>{"--keep"};
    if (!arguments.empty() && !keep) {
        std::cerr << usage;
        return 4;
    }
    handyrep::demo::Story story;
    const int code = say(story.tell());
    if (keep) story.keep();
    return code;
}
