// tests/harness/http.hpp — one request to a port of this machine, or of the network that the calling thread is in.
#pragma once

#include "base/result.hpp"
#include "base/time.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace handyrep::harness {

struct HttpRequest {
    std::string method = "GET";
    std::string path;
    std::vector<std::string> headers{};  // whole lines
    std::string body{};
    Duration patience = std::chrono::seconds{10};  // of silence
};

struct HttpAnswer {
    int status;
    std::string body;
};

/// To 127.0.0.1.
Result<HttpAnswer> http_request(std::uint16_t port, const HttpRequest& request);

}  // namespace handyrep::harness
