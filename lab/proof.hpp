// lab/proof.hpp — what is proved of the clients' rows once a story is over, and who took writes when.
#pragma once

#include "lab/clients.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace handyrep::lab {

/// A server took writes from then to then, as its watcher saw it by its own socket.
struct Interval {
    std::string server;
    std::uint32_t timeline;
    Moment from;
    Moment to;
    std::size_t commits;
};
/// Of all servers, in the order of their beginnings.
[[nodiscard]] std::vector<Interval> intervals(const std::vector<std::unique_ptr<Watcher>>& watchers);

/// Rows that a server acknowledged although another had taken writes on a later timeline before they were sent.
[[nodiscard]] std::size_t late_rows(const std::vector<Acknowledged>& rows, const std::vector<Interval>& intervals);

/// Row numbers that two servers took as new: each server's table says of a row who took it. Servers that do not answer are
/// asked for nothing; an error when none answers.
[[nodiscard]] Result<std::size_t> rows_accepted_twice(const std::string& way, const std::vector<std::unique_ptr<Server>>& servers);

/// Each way's rows, and what is proved of them. `writer`: the one server that takes writes; null when no single one does.
[[nodiscard]] std::vector<ClientReport> prove(
    const std::vector<std::unique_ptr<Client>>& clients, const std::vector<std::unique_ptr<Server>>& servers,
    const std::vector<Interval>& intervals, const Server* writer);

}  // namespace handyrep::lab
