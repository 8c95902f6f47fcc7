// adapters/ssh/child.hpp — a child process with three pipes on the event loop. Killed, with its group, when the object goes.
#pragma once

#include "base/result.hpp"
#include "ports/async.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

namespace handyrep::adapters::ssh {

class Child {
public:
    /// Runs `arguments` (the first is looked for in PATH) in a process group of its own, with the C locale.
    static Result<std::unique_ptr<Child>> start(const asio::any_io_executor& executor, const std::vector<std::string>& arguments);
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child();

    // A socket, because writing to a pipe whose reader died would kill this process.
    asio::local::stream_protocol::socket input;
    asio::posix::stream_descriptor output;
    asio::posix::stream_descriptor complaints;

private:
    explicit Child(const asio::any_io_executor& executor) : input{executor}, output{executor}, complaints{executor} {}

    pid_t id_ = -1;
};

}  // namespace handyrep::adapters::ssh
