#include "lab/machine.hpp"

#include "tests/harness/moment.hpp"
#include "tests/harness/temporary_folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <optional>
#include <thread>

namespace handyrep::lab {

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr const char* init_file = "init.pid";

// What runs in a host before anything else. A shell that waits is its init: it takes in whoever lost his parent.
// /run is its own, so that no socket of this machine's services is there. Its files are bound over those in /etc.
constexpr std::string_view boot_script = R"sh(
set -e
folder=$1 name=$2
hostname "$name"
ip link set lo up
mount -t tmpfs -o mode=0755 none /run
mkdir -p /run/sshd /run/sudo
for file in "$folder"/etc/*; do [ ! -e "$file" ] || mount --bind "$file" "/etc/${file##*/}"; done
for image in "$folder"/*.img; do [ -f "$image" ] || continue; mkdir -p "${image%.img}"; mount -o loop "$image" "${image%.img}"; done
rm -rf "$folder"/run/* "$folder"/run/.s.PGSQL*
echo ready >"$folder/ready"
exec bash -c 'while :; do sleep 3600 & wait $!; done' handyrep-host "$folder"
)sh";

std::string link_of(pid_t process, const char* what) {
    std::error_code error;
    return std::filesystem::read_symlink(fmt::format("/proc/{}/ns/{}", process, what), error).string();
}

std::optional<pid_t> number(const std::string& text) {
    pid_t out = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc{} && end == text.data() + text.size() && out > 0 ? std::optional{out} : std::nullopt;
}

/// When it began, in the kernel's ticks: with the number it names one process and never another.
std::string start_of(pid_t process) {
    std::ifstream file(fmt::format("/proc/{}/stat", process));
    std::string line;
    std::getline(file, line);
    const auto end = line.rfind(')');
    if (end == std::string::npos) return {};
    std::string_view rest{line};
    rest.remove_prefix(end + 2);
    constexpr int fields_before_start = 19;
    for (int i = 0; i < fields_before_start; ++i) rest.remove_prefix(std::min(rest.find(' ') + 1, rest.size()));
    return std::string(rest.substr(0, rest.find(' ')));
}

Result<pid_t> only_child_of(pid_t process) {
    std::ifstream file(fmt::format("/proc/{0}/task/{0}/children", process));
    pid_t child = 0;
    if (!(file >> child)) return Error{ErrorKind::failed, "the host's init has not begun"};
    return child;
}

}  // namespace

Result<void> can_have_hosts() {
    if (::geteuid() != 0)
        return Error{
            ErrorKind::denied,
            "hosts of their own need root (network namespaces); without it there is the lab on loopback: ./dev lab up --loopback"};
    auto tried = harness::run_well(
        {.arguments =
             {"unshare", "--net", "--mount", "--pid", "--uts", "--ipc", "--fork", "--mount-proc", "sh", "-c",
              "ip link add try type bridge && nft list ruleset >/dev/null && losetup -f >/dev/null"}},
        seconds{20});
    if (!tried) return tried.error().during("try whether this machine can have hosts (namespaces, a bridge, nftables, loop devices)");
    return {};
}

std::string command_line_of(pid_t process) {
    std::ifstream file(fmt::format("/proc/{}/cmdline", process), std::ios::binary);
    std::string line{std::istreambuf_iterator<char>(file), {}};
    std::ranges::replace(line, '\0', ' ');
    return line;
}

Result<pid_t> Machine::init() const {
    std::ifstream file(place_.folder / init_file);
    pid_t process = 0;
    std::string began;
    if (!(file >> process >> began) || start_of(process) != began)
        return Error{ErrorKind::unreachable, fmt::format("{} is switched off", place_.name)};
    return process;
}

std::filesystem::path Machine::from_outside(const std::filesystem::path& path) const {
    const auto process = init();
    return process ? std::filesystem::path{fmt::format("/proc/{}/root{}", *process, path.string())} : path;
}

bool Machine::on() const { return static_cast<bool>(init()); }

Result<void> Machine::power_on() {
    if (on()) return {};
    std::error_code ignored;
    std::filesystem::remove(place_.folder / "ready", ignored);
    const auto script = place_.folder / "boot.sh";
    if (auto written = harness::write_private(script, std::string(boot_script)); !written) return written;
    auto started = harness::Background::start(
        {.arguments =
             {"unshare", "--net", "--mount", "--pid", "--uts", "--ipc", "--fork", "--mount-proc", "--kill-child=SIGKILL", "sh", script,
              place_.folder, place_.name},
         .folder = "/"},
        place_.folder / "boot.log");
    if (!started) return started.error();
    const pid_t outer = started->pid();
    auto ready = harness::wait_until(
        [&] { return std::filesystem::exists(place_.folder / "ready") || !started->running(); }, seconds{30}, place_.name + " has started",
        milliseconds{5});
    if (ready && !started->running()) {
        const auto said = harness::read_file(place_.folder / "boot.log");
        ready = Error{ErrorKind::failed, said ? *said : "it ended at once"};
    }
    if (!ready) return ready.error().during("start the host " + place_.name);
    const auto init = only_child_of(outer);
    if (!init) return init.error();
    started->release();
    return harness::write_private(place_.folder / init_file, fmt::format("{} {}\n", *init, start_of(*init)));
}

void Machine::power_off() {
    const auto process = init();
    if (!process) return;
    ::kill(*process, SIGKILL);
    // Its network and mounts go with the last of its processes.
    const auto gone = harness::wait_until([&] { return !on(); }, seconds{10}, place_.name + " is off", milliseconds{2});
    static_cast<void>(gone);
}

Result<harness::Command> Machine::inside(const harness::Command& command) const {
    const auto process = init();
    if (!process) return process.error();
    harness::Command out = command;
    out.user.clear();
    out.folder = "/";
    std::vector<std::string> words{"nsenter", "--target", fmt::format("{}", *process), "--net", "--mount", "--pid", "--uts", "--ipc"};
    if (!command.user.empty())
        words.insert(words.end(), {"setpriv", "--reuid", command.user, "--regid", command.user, "--init-groups", "--reset-env"});
    words.insert(words.end(), command.arguments.begin(), command.arguments.end());
    out.arguments = std::move(words);
    return out;
}

Result<std::string> Machine::run(const harness::Command& command, Duration limit) const {
    const auto there = inside(command);
    if (!there) return there.error();
    auto done = harness::run_well(*there, limit);
    if (!done) return done.error().during("on " + place_.name);
    return done;
}

Result<std::string> Machine::shell(const std::string& script, Duration limit) const {
    return run({.arguments = {"sh", "-c", script}}, limit);
}

std::vector<pid_t> Machine::processes(const std::string& command_name) const {
    const auto process = init();
    std::vector<pid_t> out;
    if (!process) return out;
    const std::string own = link_of(*process, "pid");
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
        const auto candidate = number(entry.path().filename().string());
        if (!candidate) continue;
        std::ifstream file(entry.path() / "comm");
        std::string name;
        std::getline(file, name);
        if ((command_name.empty() || name == command_name) && link_of(*candidate, "pid") == own && harness::state_of(*candidate) != 'Z')
            out.push_back(*candidate);
    }
    std::ranges::sort(out);
    return out;
}

Result<void> Machine::enter() const {
    const auto process = init();
    if (!process) return process.error();
    const int network = ::open(fmt::format("/proc/{}/ns/net", *process).c_str(), O_RDONLY | O_CLOEXEC);
    const int entered = network < 0 ? -1 : ::setns(network, CLONE_NEWNET);
    const int why = errno;
    if (network >= 0) ::close(network);
    if (entered != 0) return Error{ErrorKind::failed, fmt::format("enter the network of {}: {}", place_.name, std::strerror(why))};
    return {};
}

Result<void> Machine::visit(const std::function<void()>& work) const {
    Result<void> entered{};
    std::thread guest{[&] {
        entered = enter();
        if (entered) work();
    }};
    guest.join();
    return entered;
}

}  // namespace handyrep::lab
