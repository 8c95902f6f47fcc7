#include "adapters/postgres/replication.hpp"

#include "adapters/postgres/classify.hpp"
#include "adapters/postgres/connection.hpp"
#include "base/overloaded.hpp"

#include <fmt/format.h>

#include <charconv>

namespace handyrep::adapters::postgres {

namespace {

Async<Row> one_row(Connection& connection, std::string command, ports::Clock& clock, Instant deadline) {
    connection.ask(command);
    Outcome outcome = co_await connection.answer(clock, deadline);
    co_return std::visit(
        Overloaded{
            [&](Reply& reply) -> Result<Row> {
                if (reply.refusal) return Error{kind_of(reply.refusal->sqlstate), reply.refusal->message};
                if (reply.rows.size() != 1) return Error{ErrorKind::failed, fmt::format("{} answered no row", command)};
                return std::move(reply.rows.front());
            },
            [&](const Pending&) -> Result<Row> { return Error{ErrorKind::timed_out, fmt::format("{} was not answered in time", command)}; },
            [&](const Ended& end) -> Result<Row> {
                return Error{ErrorKind::unreachable, fmt::format("the replication connection ended: {}", model::word_for(end.words))};
            },
        },
        outcome);
}

template <class T>
std::optional<T> number(const Row& row, std::string_view column) {
    const auto found = row.find(column);
    if (found == row.end() || !found->second) return std::nullopt;
    T value{};
    const auto* const last = found->second->data() + found->second->size();
    const auto [end, error] = std::from_chars(found->second->data(), last, value);
    if (error != std::errc{} || end != last) return std::nullopt;
    return value;
}

}  // namespace

Async<SystemIdentity> identify_system(Target target, bool with_history, ports::Clock& clock, Instant deadline) {
    target.replication = true;
    Opened opened = co_await Connection::open(target, clock, deadline);
    if (const auto* failed = std::get_if<model::DialSight>(&opened)) {
        co_return Error{
            ErrorKind::unreachable, fmt::format("no replication connection: {} ({})", model::word_for(failed->outcome), failed->message)};
    }
    const auto connection = std::get<std::shared_ptr<Connection>>(opened);

    const auto identity = co_await one_row(*connection, "IDENTIFY_SYSTEM", clock, deadline);
    if (!identity) co_return identity.error();
    const auto system_id = number<std::uint64_t>(*identity, "systemid");
    const auto timeline = number<std::uint32_t>(*identity, "timeline");
    if (!system_id || !timeline) co_return Error{ErrorKind::failed, "the answer to IDENTIFY_SYSTEM cannot be read"};
    SystemIdentity out{model::SystemId{*system_id}, model::Timeline{*timeline}, std::nullopt};
    if (!with_history) co_return out;
    if (*timeline == 1) {
        out.history = model::TimelineHistory{out.timeline, {}};
        co_return out;
    }
    const auto answer = co_await one_row(*connection, fmt::format("TIMELINE_HISTORY {}", *timeline), clock, deadline);
    if (!answer) co_return answer.error();
    const auto content = answer->find("content");
    if (content == answer->end() || !content->second) co_return Error{ErrorKind::failed, "the answer to TIMELINE_HISTORY has no content"};
    auto history = model::TimelineHistory::parse(out.timeline, *content->second);
    if (!history) co_return history.error();
    out.history = std::move(*history);
    co_return out;
}

}  // namespace handyrep::adapters::postgres
