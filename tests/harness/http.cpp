#include "tests/harness/http.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace handyrep::harness {
namespace {

struct Socket {
    int number = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    Socket() = default;
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    ~Socket() { ::close(number); }
};

Result<std::string> converse(std::uint16_t port, const std::string& request, Duration patience) {
    const Socket socket;
    const auto whole = std::chrono::duration_cast<std::chrono::seconds>(patience);
    const auto rest = std::chrono::duration_cast<std::chrono::microseconds>(patience - whole);
    const timeval limit{.tv_sec = whole.count(), .tv_usec = rest.count()};
    ::setsockopt(socket.number, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(socket.number, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket.number, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        return Error{ErrorKind::unreachable, fmt::format("connect to port {}: {}", port, std::strerror(errno))};
    }
    if (::send(socket.number, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) {
        return Error{ErrorKind::unreachable, "the request could not be sent"};
    }
    std::string answer;
    std::array<char, 65536> buffer{};
    ssize_t count = 0;
    while ((count = ::recv(socket.number, buffer.data(), buffer.size(), 0)) > 0)
        answer.append(buffer.data(), static_cast<std::size_t>(count));
    if (count < 0) return Error{ErrorKind::timed_out, "the answer did not come to its end"};
    return answer;
}

}  // namespace

Result<HttpAnswer> http_request(std::uint16_t port, const HttpRequest& request) {
    std::string text = fmt::format(
        "{} {} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\nContent-Length: {}\r\n", request.method, request.path, port,
        request.body.size());
    for (const auto& header : request.headers) text += header + "\r\n";
    auto answer = converse(port, text + "\r\n" + request.body, request.patience);
    if (!answer) return answer.error();
    const auto end_of_head = answer->find("\r\n\r\n");
    if (!answer->starts_with("HTTP/1.1 ") || end_of_head == std::string::npos) return Error{ErrorKind::failed, "not HTTP: " + *answer};
    return HttpAnswer{std::atoi(answer->substr(9, 3).c_str()), answer->substr(end_of_head + 4)};
}

}  // namespace handyrep::harness
