#include "lab/proof.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace handyrep::lab {

using std::chrono::seconds;

std::vector<Interval> intervals(const std::vector<std::unique_ptr<Watcher>>& watchers) {
    std::vector<Interval> out;
    for (const auto& watcher : watchers) {
        for (const Watcher::Run& it : watcher->taken())
            out.push_back({watcher->server(), it.timeline, it.first_at, it.last_at, it.commits});
    }
    std::ranges::stable_sort(out, {}, &Interval::from);
    return out;
}

std::size_t late_rows(const std::vector<Acknowledged>& rows, const std::vector<Interval>& intervals) {
    return static_cast<std::size_t>(std::ranges::count_if(rows, [&](const Acknowledged& row) {
        return std::ranges::any_of(intervals, [&](const Interval& it) {
            return it.server != row.server && model::Timeline{it.timeline} > row.position.timeline && it.from < row.sent;
        });
    }));
}

Result<std::size_t> rows_accepted_twice(const std::string& way, const std::vector<std::unique_ptr<Server>>& servers) {
    Result<void> asked = Error{ErrorKind::unreachable, "no server answers"};
    std::map<std::string, std::set<std::string>> takers;  // by row
    for (const auto& server : servers) {
        auto session = server->session();
        if (!session) continue;
        const auto rows =
            session->query(fmt::format("SELECT id, server FROM lab_rows WHERE way = {}", harness::sql_literal(way)), seconds{30});
        if (!rows) continue;
        asked = {};
        for (const auto& row : *rows) takers[row[0]].insert(row[1]);
    }
    if (!asked) return asked.error();
    return static_cast<std::size_t>(std::ranges::count_if(takers, [](const auto& it) { return it.second.size() > 1; }));
}

std::vector<ClientReport> prove(
    const std::vector<std::unique_ptr<Client>>& clients, const std::vector<std::unique_ptr<Server>>& servers,
    const std::vector<Interval>& intervals, const Server* writer) {
    std::vector<ClientReport> out;
    for (const auto& it : clients) {
        ClientReport way = it->report();
        way.late = late_rows(it->acknowledged(), intervals);
        if (const auto twice = rows_accepted_twice(it->way(), servers)) way.accepted_twice = *twice;
        if (writer != nullptr) {
            if (const auto missing = it->missing_on(*writer)) way.missing = missing->size();
        }
        out.push_back(std::move(way));
    }
    return out;
}

}  // namespace handyrep::lab
