#include "loop.hpp"

#include <arpa/inet.h>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace handyrep {

namespace {

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

sockaddr* generic(sockaddr_in& address) {
    void* const plain = &address;
    return static_cast<sockaddr*>(plain);
}

}  // namespace

BadListener::BadListener(asio::io_context& context, Kind kind) : context_{context} {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ensure(listener_ >= 0, "there are sockets");
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    ensure(bind(listener_, generic(address), size) == 0, "a loopback port is free");
    ensure(listen(listener_, kind == Kind::deaf ? 0 : 64) == 0, "a bound socket listens");
    ensure(getsockname(listener_, generic(address), &size) == 0, "a bound socket has a name");
    port_ = ntohs(address.sin_port);
    if (kind == Kind::rude) asio::co_spawn(context_, cut_everybody(), asio::detached);
    for (int i = 0; kind == Kind::deaf && i < 4; ++i) {
        fillers_.push_back(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        sockaddr_in to = loopback(port_);
        // In progress for ever once the queue is full.
        if (connect(fillers_.back(), generic(to), sizeof to) == 0) continue;
    }
}

BadListener::~BadListener() {
    for (const int filler : fillers_) close(filler);
    if (listener_ >= 0) close(listener_);
}

asio::awaitable<void> BadListener::cut_everybody() {
    asio::ip::tcp::acceptor acceptor{context_, asio::ip::tcp::v4(), std::exchange(listener_, -1)};
    for (;;) {
        asio::ip::tcp::socket taken = co_await acceptor.async_accept(asio::use_awaitable);
        // What the client says is read first, so that it has surely connected and begun.
        std::array<char, 1024> words{};
        boost::system::error_code ignored;
        co_await taken.async_read_some(asio::buffer(words), asio::redirect_error(asio::use_awaitable, ignored));
        taken.set_option(asio::socket_base::linger{true, 0});
        taken.close();
    }
}

}  // namespace handyrep
