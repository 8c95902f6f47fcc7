#include "tests/harness/temporary_folder.hpp"

#include "tests/harness/process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <random>
#include <sstream>

namespace handyrep::harness {
namespace {

constexpr const char* mark_name = ".handyrep-harness";
constexpr const char* kept_name = ".kept";

// The folder comes by the environment, so that the guardian and its helpers do not name it on their own command lines.
// A process with a controlling terminal (field 7 of stat is not 0) is a person who looks around in there, not ours.
constexpr const char* guardian_script = R"sh(
trap '' HUP INT QUIT TERM
cd /
word=
read -r word
[ "$word" = keep ] && exit 0
members() {
    {
        ls -l /proc/[0-9]*/cwd 2>/dev/null |
            awk '{ at = index($0, " -> "); path = substr($0, at + 4); folder = ENVIRON["guarded_folder"]
                   if (at && (path == folder || index(path, folder "/") == 1)) { n = split(substr($0, 1, at - 1), part, "/"); print part[n - 1] } }'
        printf '%s\n' "$guarded_folder" | grep -lsaF -f - /proc/[0-9]*/cmdline | cut -d/ -f3
    } | sort -u >&3
}
victims() {
    { members 3>&1; echo --; cat /proc/[0-9]*/stat 2>/dev/null; } | awk -v own=$$ '
        $0 == "--" { table = 1; next }
        !table { wanted[$1] = 1; next }
        { pid = $1; sub(/^.*\) /, ""); split($0, field, " "); parent[pid] = field[2]; state[pid] = field[1]; terminal[pid] = field[5] }
        END {
            do { more = 0; for (p in parent) if (!(p in wanted) && (parent[p] in wanted)) { wanted[p] = 1; more = 1 } } while (more)
            for (p in wanted) if ((p in parent) && p != own && state[p] != "Z" && terminal[p] == 0) print p
        }'
}
round=0
while [ $round -lt 100 ]; do
    found=$(victims)
    [ -n "$found" ] || break
    kill -KILL $found 2>/dev/null
    round=$((round + 1))
    sleep 0.02
done
# A server that was killed leaves a segment of shared memory, whose key and number stand in line 7 of its postmaster.pid.
find "$guarded_folder" -name postmaster.pid -exec sed -n 7p {} \; 2>/dev/null | while read -r key number; do
    awk -v key="$key" -v number="$number" '$1 == key && $2 == number && $7 == 0 { found = 1 } END { exit !found }' /proc/sysvipc/shm &&
        ipcrm --shmem-id "$number"
done
rm -rf -- "$guarded_folder" 2>/dev/null || { sleep 0.2; rm -rf -- "$guarded_folder"; }
)sh";

struct Guardian {
    pid_t pid;
    int pipe;
};

Result<Guardian> start_guardian(const std::filesystem::path& folder) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return Error{ErrorKind::failed, fmt::format("pipe: {}", std::strerror(errno))};
    const std::string variable = "guarded_folder=" + folder.string();
    const std::array<const char*, 4> arguments{"sh", "-c", guardian_script, nullptr};
    const std::array<const char*, 4> environment{variable.c_str(), "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", nullptr};
    const int nowhere = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    if (nowhere < 0) {
        ::close(ends[0]);
        ::close(ends[1]);
        return Error{ErrorKind::failed, fmt::format("/dev/null: {}", std::strerror(errno))};
    }
    const pid_t child = ::fork();
    if (child == 0) {
        ::setsid();
        ::dup2(ends[0], STDIN_FILENO);
        ::dup2(nowhere, STDOUT_FILENO);
        ::dup2(nowhere, STDERR_FILENO);
        // execve takes pointers to char that it does not change.
        ::execve("/bin/sh", const_cast<char* const*>(arguments.data()), const_cast<char* const*>(environment.data()));
        ::_exit(127);
    }
    ::close(nowhere);
    ::close(ends[0]);
    if (child > 0) return Guardian{child, ends[1]};
    ::close(ends[1]);
    return Error{ErrorKind::failed, fmt::format("fork: {}", std::strerror(errno))};
}

void end_guardian(pid_t guardian, int pipe, bool keep) {
    if (keep && ::write(pipe, "keep\n", 5) != 5) {
        // The guardian is gone, and with it whoever would have cleaned.
    }
    ::close(pipe);
    ::waitpid(guardian, nullptr, 0);
}

}  // namespace

Result<std::unique_ptr<TemporaryFolder>> TemporaryFolder::make() {
    std::string pattern = (std::filesystem::temp_directory_path() / "handyrep-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) return Error{ErrorKind::failed, fmt::format("{}: {}", pattern, std::strerror(errno))};
    const std::filesystem::path path = std::filesystem::canonical(pattern);
    auto guardian = start_guardian(path);
    if (!guardian) return guardian.error();
    std::unique_ptr<TemporaryFolder> folder{new TemporaryFolder(path, guardian->pid, guardian->pipe)};
    ::chmod(path.c_str(), 0755);  // the server user and ssh must get through
    std::ofstream{path / mark_name} << "made by HandyRep's harness\n";
    if (auto given = give_to_server_user(path); !given) return given.error();
    return folder;
}

TemporaryFolder::~TemporaryFolder() { end_guardian(guardian_, pipe_, kept_); }

void TemporaryFolder::keep() {
    kept_ = true;
    std::ofstream{path_ / kept_name} << "kept\n";
}

std::vector<std::filesystem::path> TemporaryFolder::kept() {
    std::vector<std::filesystem::path> folders;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::temp_directory_path(), error)) {
        const bool ours = entry.path().filename().string().starts_with("handyrep-");
        if (ours && std::filesystem::exists(entry.path() / mark_name, error) && std::filesystem::exists(entry.path() / kept_name, error))
            folders.push_back(entry.path());
    }
    return folders;
}

Result<void> TemporaryFolder::remove_kept(const std::filesystem::path& folder) {
    std::error_code error;
    const auto path = std::filesystem::canonical(folder, error);
    if (error || !std::filesystem::exists(path / mark_name, error) || !std::filesystem::exists(path / kept_name, error)) {
        return Error{ErrorKind::refused, fmt::format("\"{}\" is not a folder that HandyRep's demo made", folder.string())};
    }
    auto guardian = start_guardian(path);
    if (!guardian) return guardian.error();
    end_guardian(guardian->pid, guardian->pipe, false);
    if (std::filesystem::exists(path)) return Error{ErrorKind::failed, fmt::format("{} could not be removed whole", path.string())};
    return {};
}

std::string server_user() {
    if (::geteuid() == 0) return "postgres";
    const passwd* entry = ::getpwuid(::geteuid());
    return entry == nullptr ? std::string{} : std::string{entry->pw_name};
}

Result<void> give_to_server_user(const std::filesystem::path& path) {
    if (::geteuid() != 0) return {};
    const passwd* entry = ::getpwnam(server_user().c_str());
    if (entry == nullptr) return Error{ErrorKind::invalid, fmt::format("there is no user {}", server_user())};
    if (::chown(path.c_str(), entry->pw_uid, entry->pw_gid) != 0) {
        return Error{ErrorKind::failed, fmt::format("chown {}: {}", path.string(), std::strerror(errno))};
    }
    return {};
}

Result<void> write_private(const std::filesystem::path& path, const std::string& content, bool for_servers) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const bool written =
        file >= 0 && ::fchmod(file, 0600) == 0 && ::write(file, content.data(), content.size()) == static_cast<ssize_t>(content.size());
    const int why = errno;
    if (file >= 0) ::close(file);
    if (!written) return Error{ErrorKind::failed, fmt::format("{}: {}", path.string(), std::strerror(why))};
    if (for_servers) return give_to_server_user(path);
    return {};
}

Result<std::string> read_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return Error{ErrorKind::failed, fmt::format("{} cannot be read", path.string())};
    std::ostringstream content;
    content << file.rdbuf();
    return std::move(content).str();
}

std::string random_word(std::size_t length) {
    static constexpr std::string_view letters = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    std::random_device source;
    std::uniform_int_distribution<std::size_t> draw{0, letters.size() - 1};
    std::string word(length, ' ');
    for (auto& letter : word) letter = letters[draw(source)];
    return word;
}

}  // namespace handyrep::harness
