#include "adapters/files/disk.hpp"

#include "base/text.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

namespace handyrep::adapters::files {

namespace {

/// Far above any servers.save, far below what would hurt.
constexpr std::size_t largest_file = 64U << 20U;

Error trouble(std::string_view doing, const std::string& path, int code) {
    const ErrorKind kind = code == EACCES || code == EPERM || code == EROFS ? ErrorKind::denied : ErrorKind::failed;
    return {kind, fmt::format("cannot {} {}: {}", doing, path, std::generic_category().message(code))};
}

FileDescriptor open_file(const std::string& path, int flags) {
    for (;;) {
        const int number = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
        if (number >= 0 || errno != EINTR) return FileDescriptor{number};
    }
}

/// Zero, or the error's number.
int write_all(int file, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(file, text.data(), text.size());
        if (written < 0 && errno != EINTR) return errno;
        if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
    }
    return 0;
}

Result<void> sync_folder(const std::string& folder) {
    const FileDescriptor file = open_file(folder, O_RDONLY | O_DIRECTORY);
    if (!file.is_open() || ::fsync(file.number()) != 0) return trouble("sync", folder, errno);
    return {};
}

Result<std::string> read_all(const FileDescriptor& file, const std::string& path) {
    std::string text;
    std::array<char, 65536> part{};
    for (;;) {
        const ssize_t count = ::read(file.number(), part.data(), part.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return trouble("read", path, errno);
        if (count == 0) return text;
        text.append(part.data(), static_cast<std::size_t>(count));
        if (text.size() > largest_file)
            return Error{ErrorKind::invalid, fmt::format("{} is larger than {}", path, bytes_text(largest_file))};
    }
}

Result<void> write_new(const std::string& path, std::string_view text) {
    FileDescriptor file = open_file(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW);
    if (!file.is_open()) return trouble("write", path, errno);
    if (const int code = write_all(file.number(), text); code != 0) return trouble("write", path, code);
    if (::fsync(file.number()) != 0) return trouble("sync", path, errno);
    if (!file.close()) return trouble("write", path, errno);
    return {};
}

}  // namespace

FileDescriptor::FileDescriptor(FileDescriptor&& other) noexcept : number_{std::exchange(other.number_, -1)} {}

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
}

FileDescriptor::~FileDescriptor() {
    if (number_ >= 0) ::close(number_);
}

bool FileDescriptor::close() { return ::close(std::exchange(number_, -1)) == 0; }

Result<std::optional<std::string>> make_private_folder(const std::string& folder) {
    std::error_code failure;
    const std::filesystem::path parent = std::filesystem::path{folder}.parent_path();
    if (!parent.empty()) std::filesystem::create_directories(parent, failure);
    if (failure) return trouble("make the folder", parent.string(), failure.value());
    if (::mkdir(folder.c_str(), 0700) == 0) {
        if (auto synced = sync_folder(parent.empty() ? "." : parent.string()); !synced) return synced.error();
        return std::optional<std::string>{};
    }
    if (errno != EEXIST) return trouble("make the folder", folder, errno);
    struct stat status{};
    if (::stat(folder.c_str(), &status) != 0) return trouble("look at", folder, errno);
    if (!S_ISDIR(status.st_mode)) return trouble("use as a folder", folder, ENOTDIR);
    if ((status.st_mode & 0077U) == 0) return std::optional<std::string>{};
    if (::chmod(folder.c_str(), 0700) != 0) return trouble("close to others", folder, errno);
    return std::optional{fmt::format("the folder {} was open to others (mode {:04o}); it is 0700 now", folder, status.st_mode & 07777U)};
}

Result<FileDescriptor> lock_folder(const std::string& folder) {
    const std::string path = folder + "/lock";
    FileDescriptor file = open_file(path, O_RDWR | O_CREAT);
    if (!file.is_open()) return trouble("open", path, errno);
    if (::flock(file.number(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) return trouble("lock", path, errno);
        const auto holder = read_all(file, path);
        return Error{
            ErrorKind::conflict,
            fmt::format("the folder {} is in use by another HandyRep, process {}", folder, holder ? trim(*holder) : "unknown")};
    }
    if (::ftruncate(file.number(), 0) != 0) return trouble("write", path, errno);
    if (const int code = write_all(file.number(), fmt::format("{}\n", ::getpid())); code != 0) return trouble("write", path, code);
    return file;
}

Result<std::optional<std::string>> read_file(const std::string& path) {
    const FileDescriptor file = open_file(path, O_RDONLY);
    if (!file.is_open()) {
        if (errno == ENOENT) return std::optional<std::string>{};
        return trouble("read", path, errno);
    }
    auto text = read_all(file, path);
    if (!text) return std::move(text).error();
    return std::optional{*std::move(text)};
}

Result<void> replace_file(const std::string& folder, const std::string& name, std::string_view text) {
    const std::string path = folder + "/" + name;
    // One name, so that what a killed process left is overwritten; the folder's lock keeps other processes out.
    const std::string beside = path + ".new";
    if (auto written = write_new(beside, text); !written) {
        ::unlink(beside.c_str());
        return written;
    }
    if (std::rename(beside.c_str(), path.c_str()) != 0) return trouble("replace", path, errno);
    return sync_folder(folder);
}

bool exists(const std::string& path) {
    struct stat status{};
    return ::lstat(path.c_str(), &status) == 0;
}

Result<void> make_private_file(const std::string& path) {
    const FileDescriptor file = open_file(path, O_RDWR | O_CREAT);
    if (!file.is_open()) return trouble("open", path, errno);
    return {};
}

Result<void> keep_as(const std::string& path, const std::string& second) {
    if (::link(path.c_str(), second.c_str()) != 0 && errno != EEXIST) return trouble("keep a copy of", path, errno);
    return {};
}

Result<void> move_aside(const std::string& from, const std::string& to) {
    if (std::rename(from.c_str(), to.c_str()) != 0 && errno != ENOENT) return trouble("move aside", from, errno);
    return {};
}

Result<model::Bytes> room_of(const std::string& folder) {
    struct statvfs seen{};
    if (::statvfs(folder.c_str(), &seen) != 0) return trouble("look for room in", folder, errno);
    return model::Bytes{static_cast<std::uint64_t>(seen.f_bavail) * seen.f_frsize};
}

}  // namespace handyrep::adapters::files
