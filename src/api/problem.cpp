#include "api/problem.hpp"

#include "control/json.hpp"

#include <nlohmann/json.hpp>

namespace handyrep::api {

namespace {

std::string_view remedy_for(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::timed_out: return "it may have happened, or may still: look at /v1/status before trying again";
        case ErrorKind::unreachable: return "look at /v1/status: which server or host does not answer, and why";
        case ErrorKind::refused: return "the detail names the rule; /v1/status shows the findings behind it";
        case ErrorKind::denied: return "log in as a user with the role admin";
        case ErrorKind::invalid: return "correct the request: /v1/status names the servers, /openapi.yaml the fields";
        case ErrorKind::conflict: return "wait for the running operation to end: /v1/status shows it";
        case ErrorKind::unsupported: return "this version or this PostgreSQL cannot do it; the detail says which";
        case ErrorKind::failed: return "look at /v1/events for the step that failed, and at the daemon's log";
    }
    return "";
}

}  // namespace

std::string_view title_of(int status) {
    switch (status) {
        case 200: return "OK";
        case 400: return "Bad Request";
        case 401: return "Unauthorized";
        case 403: return "Forbidden";
        case 404: return "Not Found";
        case 405: return "Method Not Allowed";
        case 409: return "Conflict";
        case 413: return "Payload Too Large";
        case 415: return "Unsupported Media Type";
        case 429: return "Too Many Requests";
        case 500: return "Internal Server Error";
        case 501: return "Not Implemented";
        case 502: return "Bad Gateway";
        case 503: return "Service Unavailable";
        case 504: return "Gateway Timeout";
        default: return "Error";  // an int has no last alternative
    }
}

Problem problem_of(const Error& error) {
    return Problem{
        .status = row_of(error.kind).http_status,
        .kind = std::string(word_for(error.kind)),
        .detail = error.text(),
        .remedy = std::string(remedy_for(error.kind)),
    };
}

Response answer(const Problem& problem) {
    const control::Json body{
        {"title", title_of(problem.status)}, {"detail", problem.detail}, {"status", problem.status}, {"kind", problem.kind},
        {"remedy", problem.remedy},
    };
    return Response{.status = problem.status, .content_type = "application/problem+json", .body = control::document(body)};
}

}  // namespace handyrep::api
