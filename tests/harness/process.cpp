#include "tests/harness/process.hpp"

#include "base/text.hpp"
#include "tests/harness/moment.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>
#include <string_view>
#include <vector>

namespace handyrep::harness {
namespace {

struct Pipe {
    int from = -1;
    int to = -1;
    Pipe() {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) == 0) from = ends[0], to = ends[1];
    }
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;
    ~Pipe() {
        close_end(from);
        close_end(to);
    }
    static void close_end(int& end) {
        if (end >= 0) ::close(end);
        end = -1;
    }
};

/// Everything the child needs, made before the fork: between fork and exec only plain system calls are safe.
struct Prepared {
    std::vector<std::string> environment;
    std::vector<char*> arguments;
    std::vector<char*> variables;
    std::string program;
    std::string folder;
    bool changes_user = false;
    uid_t user = 0;
    gid_t group = 0;
    std::vector<gid_t> groups;
};

std::string find_program(const std::string& name) {
    if (name.find('/') != std::string::npos) return name;
    for (const std::string_view folder : {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"}) {
        std::string candidate = fmt::format("{}/{}", folder, name);
        if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    }
    return name;
}

/// Ours without what would lead PostgreSQL's programs elsewhere or translate their messages.
std::vector<std::string> environment_for(const Command& command, const std::string& home) {
    std::vector<std::string> variables;
    for (char** variable = environ; *variable != nullptr; ++variable) {
        const std::string_view entry{*variable};
        const bool dropped = entry.starts_with("PG") || entry.starts_with("LC_") || entry.starts_with("LANG") ||
                             entry.starts_with("HANDYREP_") || entry.starts_with("SSH_") || (!home.empty() && entry.starts_with("HOME="));
        if (!dropped) variables.emplace_back(entry);
    }
    variables.emplace_back("LC_ALL=C.UTF-8");
    if (!home.empty()) variables.push_back("HOME=" + home);
    for (const auto& [name, value] : command.environment) variables.push_back(name + "=" + value);
    return variables;
}

Result<Prepared> prepare(const Command& command, std::vector<std::string>& arguments) {
    Prepared prepared;
    std::string home;
    if (!command.user.empty() && ::geteuid() == 0) {
        const passwd* entry = ::getpwnam(command.user.c_str());
        if (entry == nullptr) return Error{ErrorKind::invalid, fmt::format("there is no user {}", command.user)};
        prepared.changes_user = entry->pw_uid != 0;
        prepared.user = entry->pw_uid;
        prepared.group = entry->pw_gid;
        home = entry->pw_dir;
        int count = 64;
        prepared.groups.resize(64);
        if (::getgrouplist(command.user.c_str(), entry->pw_gid, prepared.groups.data(), &count) < 0) count = 1;
        prepared.groups.resize(static_cast<std::size_t>(count));
    }
    prepared.environment = environment_for(command, home);
    prepared.program = find_program(arguments.front());
    prepared.folder = command.folder.string();
    for (auto& argument : arguments) prepared.arguments.push_back(argument.data());
    prepared.arguments.push_back(nullptr);
    for (auto& variable : prepared.environment) prepared.variables.push_back(variable.data());
    prepared.variables.push_back(nullptr);
    return prepared;
}

struct Descriptors {
    int input;
    int output;
    int errors;
};

[[noreturn]] void become(const Prepared& prepared, const Descriptors& descriptors) {
    ::setsid();
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::signal(SIGPIPE, SIG_DFL);
    ::dup2(descriptors.input, STDIN_FILENO);
    ::dup2(descriptors.output, STDOUT_FILENO);
    ::dup2(descriptors.errors, STDERR_FILENO);
    if (prepared.changes_user && (::setgroups(prepared.groups.size(), prepared.groups.data()) != 0 || ::setgid(prepared.group) != 0 ||
                                  ::setuid(prepared.user) != 0)) {
        ::_exit(126);
    }
    if (!prepared.folder.empty() && ::chdir(prepared.folder.c_str()) != 0) ::_exit(126);
    ::execve(prepared.program.c_str(), prepared.arguments.data(), prepared.variables.data());
    ::_exit(127);
}

Result<pid_t> spawn(const Command& command, const Descriptors& descriptors) {
    auto arguments = command.arguments;
    auto prepared = prepare(command, arguments);
    if (!prepared) return prepared.error();
    const pid_t child = ::fork();
    if (child < 0) return Error{ErrorKind::failed, fmt::format("fork: {}", std::strerror(errno))};
    if (child == 0) become(*prepared, descriptors);
    return child;
}

int exit_code_of(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

/// Takes what there is; false at the end of the stream.
bool take(int from, std::string& into) {
    std::array<char, 65536> buffer{};
    const ssize_t count = ::read(from, buffer.data(), buffer.size());
    if (count > 0) into.append(buffer.data(), static_cast<std::size_t>(count));
    return count > 0 || (count < 0 && (errno == EINTR || errno == EAGAIN));
}

/// Reads both streams to their ends. False when the deadline came first.
bool drain(Pipe& output, Pipe& errors, Outcome& outcome, Moment deadline) {
    while (output.from >= 0 || errors.from >= 0) {
        std::array<pollfd, 2> watched{pollfd{output.from, POLLIN, 0}, pollfd{errors.from, POLLIN, 0}};
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - now()).count();
        if (left <= 0) return false;
        if (::poll(watched.data(), watched.size(), static_cast<int>(left)) < 0 && errno != EINTR) return false;
        if (watched[0].revents != 0 && !take(output.from, outcome.output)) Pipe::close_end(output.from);
        if (watched[1].revents != 0 && !take(errors.from, outcome.errors)) Pipe::close_end(errors.from);
    }
    return true;
}

std::optional<int> wait_for(pid_t child, Moment deadline) {
    while (true) {
        int status = 0;
        const pid_t ended = ::waitpid(child, &status, WNOHANG);
        if (ended == child) return exit_code_of(status);
        if (ended < 0 && errno == ECHILD) return 0;
        if (now() >= deadline) return std::nullopt;
        std::this_thread::sleep_for(std::chrono::milliseconds{2});
    }
}

std::optional<pid_t> pid_from(const std::string& text) {
    pid_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

/// Calls `visit` with every process number there is.
template <class Visit>
void each_process(Visit visit) {
    std::error_code error;
    for (auto entry = std::filesystem::directory_iterator("/proc", error); !error && entry != std::filesystem::directory_iterator();
         entry.increment(error)) {
        if (const auto process = pid_from(entry->path().filename().string())) visit(*process);
    }
}

struct Stat {
    char state;
    pid_t parent;
};

/// From /proc/PID/stat; the second field is in parentheses and may hold anything.
std::optional<Stat> stat_of(pid_t process) {
    std::ifstream file(fmt::format("/proc/{}/stat", process));
    std::string line;
    if (!std::getline(file, line)) return std::nullopt;
    const auto after_name = line.rfind(')');
    if (after_name == std::string::npos) return std::nullopt;
    std::istringstream rest(line.substr(after_name + 1));
    Stat stat{};
    if (!(rest >> stat.state >> stat.parent)) return std::nullopt;
    return stat;
}

}  // namespace

Result<Outcome> run(const Command& command, Duration limit) {
    Pipe input;
    Pipe output;
    Pipe errors;
    const auto child = spawn(command, {input.from, output.to, errors.to});
    if (!child) return child.error();
    Pipe::close_end(input.from);
    Pipe::close_end(output.to);
    Pipe::close_end(errors.to);
    // Fits into the pipe's buffer, so this cannot block; a child that does not read it is its own affair.
    if (!command.input.empty() && ::write(input.to, command.input.data(), command.input.size()) < 0) {
        // The child is gone already; its exit code says more than EPIPE.
    }
    Pipe::close_end(input.to);

    Outcome outcome{};
    const Moment deadline = now() + limit;
    const bool drained = drain(output, errors, outcome, deadline);
    const auto code = drained ? wait_for(*child, deadline) : std::nullopt;
    if (!code) {
        ::kill(-*child, SIGKILL);
        ::kill(*child, SIGKILL);
        ::waitpid(*child, nullptr, 0);
        return Error{ErrorKind::timed_out, fmt::format("{} did not end within {}", command.arguments.front(), text(limit))};
    }
    outcome.exit_code = *code;
    return outcome;
}

Result<std::string> run_well(const Command& command, Duration limit) {
    auto outcome = run(command, limit);
    if (!outcome) return outcome.error();
    if (outcome->exit_code != 0) {
        return Error{
            ErrorKind::failed, fmt::format(
                                   "{} ended with {}: {}", command.arguments.front(), outcome->exit_code,
                                   trim(outcome->errors.empty() ? outcome->output : outcome->errors))};
    }
    return std::move(outcome->output);
}

namespace {

/// Released, and children of ours all the same.
class Released {
public:
    void add(pid_t process) {
        const std::scoped_lock lock{guard_};
        processes_.push_back(process);
    }
    void reap() {
        const std::scoped_lock lock{guard_};
        std::erase_if(processes_, [](pid_t it) { return ::waitpid(it, nullptr, WNOHANG) != 0; });
    }

private:
    std::mutex guard_;
    std::vector<pid_t> processes_;
};

Released& released() {
    static Released all;
    return all;
}

}  // namespace

void Background::release() {
    if (pid_ > 0) released().add(std::exchange(pid_, -1));
}

Result<Background> Background::start(const Command& command, const std::filesystem::path& log) {
    const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    const int output = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (output < 0) return Error{ErrorKind::failed, fmt::format("{}: {}", log.string(), std::strerror(errno))};
    released().reap();
    const auto child = spawn(command, {nothing, output, output});
    ::close(nothing);
    ::close(output);
    if (!child) return child.error();
    Background background;
    background.pid_ = *child;
    return background;
}

Background& Background::operator=(Background&& other) noexcept {
    if (this == &other) return *this;
    std::swap(pid_, other.pid_);
    return *this;
}

Background::~Background() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

bool Background::running() { return pid_ > 0 && !wait(Duration::zero()); }

void Background::signal(int number) const {
    if (pid_ > 0) ::kill(pid_, number);
}

std::optional<int> Background::wait(Duration limit) {
    if (pid_ <= 0) return 0;
    const auto code = wait_for(pid_, now() + limit);
    if (code) pid_ = -1;
    return code;
}

std::vector<pid_t> processes_living_in(const std::filesystem::path& folder) {
    std::vector<pid_t> found;
    const std::string wanted = folder.string();
    each_process([&](pid_t process) {
        std::array<char, 4096> target{};
        const ssize_t length = ::readlink(fmt::format("/proc/{}/cwd", process).c_str(), target.data(), target.size());
        if (length > 0 && std::string_view{target.data(), static_cast<std::size_t>(length)} == wanted) found.push_back(process);
    });
    return found;
}

std::vector<pid_t> descendants_of(pid_t ancestor) {
    std::multimap<pid_t, pid_t> children;
    each_process([&](pid_t process) {
        if (const auto stat = stat_of(process)) children.emplace(stat->parent, process);
    });
    std::vector<pid_t> found{ancestor};
    for (std::size_t next = 0; next < found.size(); ++next) {
        const auto [from, to] = children.equal_range(found[next]);
        for (auto child = from; child != to; ++child) found.push_back(child->second);
    }
    found.erase(found.begin());
    return found;
}

std::optional<char> state_of(pid_t process) {
    const auto stat = stat_of(process);
    if (!stat) return std::nullopt;
    return stat->state;
}

}  // namespace handyrep::harness
