// tests/harness/temporary_folder.hpp — a folder in /tmp that takes everything with it when it goes.
//
// A guardian, a small shell, holds the reading end of a pipe whose writing end only we have. When we end, in whatever way
// (a destructor, an abort, Ctrl-C, kill -9), the guardian sees the end of the stream, kills every process that lives in
// the folder or names it on its command line, with all that descend from them, and removes the folder.
#pragma once

#include "base/result.hpp"

#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace handyrep::harness {

class TemporaryFolder {
public:
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    /// Ends everything in it and removes it, unless it was kept.
    ~TemporaryFolder();

    static Result<std::unique_ptr<TemporaryFolder>> make();

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

    /// Leaves folder and processes behind, for `remove_kept`.
    void keep();
    /// All that were kept.
    static std::vector<std::filesystem::path> kept();

    /// Ends and removes a folder that was kept. Refuses one that this program did not make.
    static Result<void> remove_kept(const std::filesystem::path& folder);

private:
    TemporaryFolder(std::filesystem::path path, pid_t guardian, int pipe) : path_{std::move(path)}, guardian_{guardian}, pipe_{pipe} {}

    std::filesystem::path path_;
    pid_t guardian_;
    int pipe_;
    bool kept_ = false;
};

/// The user that PostgreSQL servers run as: `postgres` when we are root, since PostgreSQL refuses root; else ourselves.
std::string server_user();

/// Makes `path` belong to `server_user()`, when that is not us.
Result<void> give_to_server_user(const std::filesystem::path& path);

/// Writes a file only its owner may read; `for_servers` makes that the server user.
Result<void> write_private(const std::filesystem::path& path, const std::string& content, bool for_servers = false);

Result<std::string> read_file(const std::filesystem::path& path);

/// A random text of letters and digits, for passwords.
std::string random_word(std::size_t length);

}  // namespace handyrep::harness
