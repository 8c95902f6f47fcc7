// lab/preloaded/wall_clock.cpp — loaded into the daemon of a lab: its wall clock is so far from the machine's as a file says.
//
// Only what reads the wall clock: libfaketime, which also stands in for waits, never ended one of them once the clock had gone back.
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <ctime>

namespace {

/// In seconds; read at every look at the clock, so that it jumps while the daemon runs.
long ahead() {
    const char* const name = std::getenv("HANDYREP_LAB_CLOCK");
    const int file = name == nullptr ? -1 : ::open(name, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    std::array<char, 32> text{};
    const ssize_t got = ::read(file, text.data(), text.size() - 1);
    ::close(file);
    return got > 0 ? std::strtol(text.data(), nullptr, 10) : 0;
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* out) noexcept {
    const long outcome = ::syscall(SYS_clock_gettime, clock, out);
    if (outcome == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) out->tv_sec += ahead();
    return static_cast<int>(outcome);
}

int gettimeofday(timeval* out, void* /*zone*/) noexcept {
    timespec now{};
    if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
    out->tv_sec = now.tv_sec;
    out->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t* out) noexcept {
    timespec now{};
    if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
    if (out != nullptr) *out = now.tv_sec;
    return now.tv_sec;
}

}  // extern "C"
