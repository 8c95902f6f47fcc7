// adapters/files/disk.hpp — the few things this program does with files, each complete: written means on the disk.
//
// Every function here blocks, and a sick disk can hold it for ever: only a Worker calls them once the daemon runs.
#pragma once

#include "base/result.hpp"
#include "model/lsn.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace handyrep::adapters::files {

/// Owns an open file; closes it.
class FileDescriptor {
public:
    explicit FileDescriptor(int number) : number_{number} {}
    FileDescriptor(FileDescriptor&& other) noexcept;
    FileDescriptor& operator=(FileDescriptor&& other) noexcept;
    FileDescriptor(const FileDescriptor&) = delete;
    FileDescriptor& operator=(const FileDescriptor&) = delete;
    ~FileDescriptor();

    [[nodiscard]] bool is_open() const { return number_ >= 0; }
    [[nodiscard]] int number() const { return number_; }
    /// False when the system reports a late error of a write.
    [[nodiscard]] bool close();

private:
    int number_;
};

/// Makes `folder` with mode 0700 and the folders above it as usual. One that is there and open to others is closed to them;
/// the text returned then is a warning about it.
[[nodiscard]] Result<std::optional<std::string>> make_private_folder(const std::string& folder);

/// Held until the descriptor is closed or the process ends, however it ends. Fails with `conflict`, naming the holder's process id.
[[nodiscard]] Result<FileDescriptor> lock_folder(const std::string& folder);

/// What this process may still write into the file system of `folder`.
[[nodiscard]] Result<model::Bytes> room_of(const std::string& folder);

/// Nothing when there is no such file.
[[nodiscard]] Result<std::optional<std::string>> read_file(const std::string& path);

/// By a new file beside it (0600), synced and renamed over it, and the folder synced. After success the text survives a power cut;
/// after an error the old text or the new one is there, whole.
[[nodiscard]] Result<void> replace_file(const std::string& folder, const std::string& name, std::string_view text);

[[nodiscard]] bool exists(const std::string& path);
/// Makes an empty file with mode 0600 where there is none.
[[nodiscard]] Result<void> make_private_file(const std::string& path);
/// A second name for the file, which keeps it when the first is replaced. Succeeds when `second` is there already.
[[nodiscard]] Result<void> keep_as(const std::string& path, const std::string& second);
/// Renames it, when it is there.
[[nodiscard]] Result<void> move_aside(const std::string& from, const std::string& to);

}  // namespace handyrep::adapters::files
