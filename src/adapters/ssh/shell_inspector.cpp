#include "adapters/ssh/shell_inspector.hpp"

#include "adapters/ssh/inspection_scripts.hpp"
#include "adapters/ssh/lease_scripts.hpp"
#include "adapters/ssh/report.hpp"
#include "adapters/ssh/scripts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace handyrep::adapters::ssh {

namespace {

constexpr Duration way_back = std::chrono::milliseconds{200};
constexpr Duration login_limit = std::chrono::seconds{6};
constexpr int no_psql = 127;
constexpr int killed_by_timeout = 124;

model::LoginAttempt attempt(const ports::LoginQuestion& question, model::LoginAttempt::Outcome outcome, std::string text) {
    return {.to = question.to, .outcome = outcome, .text = std::move(text)};
}

model::LoginAttempt attempt_of(const ports::LoginQuestion& question, const LoginReport& report) {
    using Outcome = model::LoginAttempt::Outcome;
    if (report.status == no_psql) return attempt(question, Outcome::not_tried, "there is no psql on that host to try it with");
    if (report.status == killed_by_timeout) return attempt(question, Outcome::refused, "it was not answered in time");
    if (report.status != 0) return attempt(question, Outcome::refused, report.said);
    // systemid|timeline|xlogpos|dbname
    const std::string system = report.said.substr(0, report.said.find('|'));
    if (system == fmt::format("{}", question.expected.value)) return attempt(question, Outcome::accepted, {});
    return attempt(question, Outcome::refused, fmt::format("another system answers there, with the identifier {}", system));
}

}  // namespace

ShellInspector::ShellInspector(ShellHostSettings settings, const asio::any_io_executor& executor, ports::Clock& clock)
    : settings_{std::move(settings)}, executor_{executor}, clock_{clock} {}

/// Every script carries its expiry: some make a file and take it away again.
Async<std::string> ShellInspector::text_of(std::string script, std::string activity, Instant deadline) {
    if (!shell_) shell_ = std::make_shared<Shell>(settings_.server, executor_, clock_);
    const auto shell = shell_;  // lives on while `done` is called meanwhile
    auto output = co_await shell->run(std::move(script), When::before_deadline, deadline);
    if (!output) co_return output.error();
    if (output->status == 0) co_return std::move(output->text);
    co_return Error{
        ErrorKind::failed,
        fmt::format(
            "{} ended with status {}: {}", activity, output->status, output->complaints.empty() ? "no reason given" : output->complaints)};
}

Async<model::HostInspection> ShellInspector::inspect(Instant deadline) {
    const auto text = co_await text_of(inspection_script(settings_.server.pgdata), "the inspection", deadline);
    if (!text) co_return text.error();
    co_return read_inspection(*text);
}

Async<model::LeaseDrill> ShellInspector::drill_lease(Instant deadline) {
    const auto text = co_await text_of(drill_lease_script(settings_.node()), "the lease's drill", deadline);
    if (!text) co_return text.error();
    co_return read_lease_drill(*text);
}

Async<model::FenceDrill> ShellInspector::drill(model::SystemId expected, Instant deadline) {
    const Instant began = clock_.now();
    const auto text = co_await text_of(drill_script(settings_.node(), expected), "the fence's drill", deadline);
    if (!text) co_return text.error();
    auto drill = read_drill(*text);
    if (drill) drill->took = clock_.now() - began;
    co_return drill;
}

asio::awaitable<model::LoginAttempt> ShellInspector::try_login(const ports::LoginQuestion& question, Instant deadline) {
    using Outcome = model::LoginAttempt::Outcome;
    const Duration limit = std::min<Duration>(login_limit, deadline - clock_.now() - way_back);
    if (limit <= Duration::zero()) co_return attempt(question, Outcome::not_tried, "there was no time left for it");
    const auto text = co_await text_of(login_script(settings_.server.pgdata, question, limit), "a replication login", deadline);
    if (!text) co_return attempt(question, Outcome::not_tried, text.error().text());
    const auto report = read_login(*text);
    if (!report) co_return attempt(question, Outcome::not_tried, report.error().text());
    co_return attempt_of(question, *report);
}

}  // namespace handyrep::adapters::ssh
