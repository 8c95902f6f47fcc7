// tests/harness/process.hpp — other programs: run to their end, kept in the background, found by where they live.
#pragma once

#include "base/result.hpp"
#include "base/time.hpp"

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace handyrep::harness {

struct Command {
    std::vector<std::string> arguments;  // the first is the program, looked up in PATH
    std::string user{};                  // empty: as ourselves; another user only as root
    std::filesystem::path folder{};      // where it runs; by the folder the guardian finds it again
    std::string input{};                 // its standard input, at most 60 KB
    std::vector<std::pair<std::string, std::string>> environment{};
};

struct Outcome {
    int exit_code;  // 128 + signal when it was killed
    std::string output;
    std::string errors;
};

/// Runs it to its end. Fails when it cannot be started or is not done within `limit` (it is killed then); any exit code is a success.
Result<Outcome> run(const Command& command, Duration limit);

/// As `run`, but an exit code other than 0 is an error that quotes what the program said.
Result<std::string> run_well(const Command& command, Duration limit);

/// A program that goes on while we do. Leads a session of its own, so that a Ctrl-C at the terminal does not reach it.
class Background {
public:
    Background() = default;
    Background(Background&& other) noexcept : pid_{std::exchange(other.pid_, -1)} {}
    Background& operator=(Background&& other) noexcept;
    Background(const Background&) = delete;
    Background& operator=(const Background&) = delete;
    /// Kills it.
    ~Background();

    /// Standard output and error are appended to `log`.
    static Result<Background> start(const Command& command, const std::filesystem::path& log);

    [[nodiscard]] pid_t pid() const { return pid_; }
    [[nodiscard]] bool running();
    void signal(int number) const;
    /// The exit code, as in Outcome, or nothing when it is still running after `limit`.
    std::optional<int> wait(Duration limit);
    /// Lets it run on after we are gone. Until then it is waited for whenever another is started: nobody else takes away what is left of it.
    void release();

private:
    pid_t pid_ = -1;
};

/// Processes whose working directory is `folder`, which is how PostgreSQL's can be told; zombies are none.
std::vector<pid_t> processes_living_in(const std::filesystem::path& folder);

/// All processes that descend from `ancestor`, without itself.
std::vector<pid_t> descendants_of(pid_t ancestor);

/// "S", "T" (stopped), "D" …; nothing when there is no such process.
std::optional<char> state_of(pid_t process);

}  // namespace handyrep::harness
