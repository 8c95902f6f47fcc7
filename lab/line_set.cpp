#include "lab/line_set.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace handyrep::lab {

namespace {

class Lock {
public:
    explicit Lock(const std::filesystem::path& file) : number_{::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)} {
        if (number_ >= 0) ::flock(number_, LOCK_EX);
    }
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;
    ~Lock() {
        if (number_ >= 0) ::close(number_);
    }
    [[nodiscard]] bool held() const { return number_ >= 0; }

private:
    int number_;
};

}  // namespace

Result<void> change_lines(
    const std::filesystem::path& file, const std::function<void(LineSet&)>& change,
    const std::function<Result<void>(const LineSet&)>& apply) {
    const Lock lock{file.string() + ".lock"};
    if (!lock.held()) return Error{ErrorKind::failed, fmt::format("{}: {}", file.string(), std::strerror(errno))};
    LineSet lines;
    {
        std::ifstream in(file);
        for (std::string line; std::getline(in, line);) lines.insert(line);
    }
    change(lines);
    {
        std::ofstream out(file, std::ios::trunc);
        for (const std::string& line : lines) out << line << '\n';
    }
    return apply(lines);
}

}  // namespace handyrep::lab
