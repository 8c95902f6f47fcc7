#include "adapters/ssh/child.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

namespace handyrep::adapters::ssh {

namespace {

/// Closes what nobody took.
class Descriptor {
public:
    explicit Descriptor(int number) : number_{number} {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (number_ >= 0) close(number_);
    }
    [[nodiscard]] int get() const { return number_; }
    int release() { return std::exchange(number_, -1); }

private:
    int number_;
};

Error start_failed(std::string_view program, int number) {
    return {ErrorKind::failed, fmt::format("{} could not be started: {}", program, std::strerror(number))};
}

/// Waits for the end of a killed child without a signal handler, so that it does not stay a zombie.
asio::awaitable<void> reap(asio::posix::stream_descriptor handle, pid_t id) {
    boost::system::error_code ignored;
    co_await handle.async_wait(asio::posix::descriptor_base::wait_read, asio::redirect_error(asio::use_awaitable, ignored));
    waitpid(id, nullptr, WNOHANG);
}

std::vector<std::string> environment_of_child() {
    std::vector<std::string> out;
    for (char** it = environ; *it != nullptr; ++it) {
        const std::string_view entry = *it;
        if (!entry.starts_with("LC_") && !entry.starts_with("LANG")) out.emplace_back(entry);
    }
    out.emplace_back("LC_ALL=C");
    return out;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> out;
    out.reserve(texts.size() + 1);
    for (std::string& text : texts) out.push_back(text.data());
    out.push_back(nullptr);
    return out;
}

struct SpawnPlan {
    posix_spawn_file_actions_t actions{};
    posix_spawnattr_t attributes{};

    SpawnPlan() {
        posix_spawn_file_actions_init(&actions);
        posix_spawnattr_init(&attributes);
        sigset_t none;
        sigset_t all;
        sigemptyset(&none);
        sigfillset(&all);
        posix_spawnattr_setsigmask(&attributes, &none);
        posix_spawnattr_setsigdefault(&attributes, &all);
        posix_spawnattr_setpgroup(&attributes, 0);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    }
    SpawnPlan(const SpawnPlan&) = delete;
    SpawnPlan& operator=(const SpawnPlan&) = delete;
    ~SpawnPlan() {
        posix_spawn_file_actions_destroy(&actions);
        posix_spawnattr_destroy(&attributes);
    }
};

}  // namespace

Result<std::unique_ptr<Child>> Child::start(const asio::any_io_executor& executor, const std::vector<std::string>& arguments) {
    std::array<int, 2> input{};
    std::array<int, 2> output{};
    std::array<int, 2> complaints{};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, input.data()) != 0) return start_failed(arguments.front(), errno);
    Descriptor our_input{input[0]};
    const Descriptor its_input{input[1]};
    if (pipe2(output.data(), O_CLOEXEC) != 0) return start_failed(arguments.front(), errno);
    Descriptor our_output{output[0]};
    const Descriptor its_output{output[1]};
    if (pipe2(complaints.data(), O_CLOEXEC) != 0) return start_failed(arguments.front(), errno);
    Descriptor our_complaints{complaints[0]};
    const Descriptor its_complaints{complaints[1]};

    SpawnPlan plan;
    posix_spawn_file_actions_adddup2(&plan.actions, its_input.get(), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&plan.actions, its_output.get(), STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&plan.actions, its_complaints.get(), STDERR_FILENO);
    // Asio does not mark its sockets close-on-exec: without this the shell would keep the daemon's HTTP port and its clients open.
    posix_spawn_file_actions_addclosefrom_np(&plan.actions, STDERR_FILENO + 1);
    std::vector<std::string> words = arguments;
    std::vector<std::string> environment = environment_of_child();
    std::unique_ptr<Child> child{new Child(executor)};
    const int failed = posix_spawnp(
        &child->id_, arguments.front().c_str(), &plan.actions, &plan.attributes, pointers(words).data(), pointers(environment).data());
    if (failed != 0) {
        child->id_ = -1;
        return start_failed(arguments.front(), failed);
    }
    child->input.assign(asio::local::stream_protocol{}, our_input.release());
    child->output.assign(our_output.release());
    child->complaints.assign(our_complaints.release());
    return child;
}

Child::~Child() {
    if (id_ <= 0) return;
    // The group is ours as long as its leader is not reaped, so the number cannot mean anybody else.
    kill(-id_, SIGKILL);
    const int handle = static_cast<int>(syscall(SYS_pidfd_open, id_, 0));
    if (waitpid(id_, nullptr, WNOHANG) != 0) {
        if (handle >= 0) close(handle);
        return;
    }
    if (handle < 0) return;
    asio::posix::stream_descriptor waiting{input.get_executor(), handle};
    const auto executor = waiting.get_executor();
    asio::co_spawn(executor, reap(std::move(waiting), id_), asio::detached);
}

}  // namespace handyrep::adapters::ssh
