// api/message.hpp — an HTTP request and its answer as values, so that everything but the socket is tested without one.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace handyrep::api {

struct Request {
    std::string method;  // "GET"
    std::string path;    // "/v1/status"
    std::string query;   // "count=3", still encoded
    std::optional<std::string> authorization{};
    std::string content_type{};
    std::string body{};
    std::string from{};  // the peer's address
};

struct Response {
    int status = 200;
    std::string content_type{};
    std::string body{};
    std::vector<std::pair<std::string, std::string>> headers{};
};

}  // namespace handyrep::api
