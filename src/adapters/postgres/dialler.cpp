#include "adapters/postgres/dialler.hpp"

#include "ports/bell.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

namespace handyrep::adapters::postgres {

using model::DialOutcome;
using model::DialSight;

struct Dialler::Names {
    explicit Names(std::string of) : host{std::move(of)} {}
    std::string host;
    std::vector<std::string> found;  // of the last look-up that found something
    std::string complaint;
    bool under_way = false;
    ports::Bell changed;
};

namespace {

bool needs_no_look_up(const std::string& host) {
    if (host.starts_with('/')) return true;
    boost::system::error_code not_an_address;
    asio::ip::make_address(host, not_an_address);
    return !not_an_address;
}

}  // namespace

Dialler::Dialler(asio::any_io_executor executor, ports::Clock& clock, Target target)
    : executor_{std::move(executor)}, clock_{clock}, target_{std::move(target)} {
    if (!needs_no_look_up(target_.host)) names_ = std::make_shared<Names>(target_.host);
}

asio::awaitable<void> Dialler::look_up(std::shared_ptr<Names> names) {
    asio::ip::tcp::resolver resolver{co_await asio::this_coro::executor};
    boost::system::error_code failed;
    const auto results = co_await resolver.async_resolve(names->host, "", asio::redirect_error(asio::use_awaitable, failed));
    std::vector<std::string> found;
    for (const auto& entry : results) {
        std::string address = entry.endpoint().address().to_string();
        if (std::ranges::find(found, address) == found.end()) found.push_back(std::move(address));
    }
    if (!found.empty()) names->found = std::move(found);
    names->complaint = failed ? failed.message() : std::string{};
    names->under_way = false;
    names->changed.ring();
}

asio::awaitable<std::vector<std::string>> Dialler::addresses(Instant deadline) {
    // A look-up cannot be stopped once the system has it, so it runs on its own and is only waited for.
    if (!names_->under_way) {
        names_->under_way = true;
        asio::co_spawn(executor_, look_up(names_), asio::detached);
    }
    while (names_->found.empty() && names_->under_way) {
        const bool woken = co_await clock_.wait(names_->changed, names_->changed.rung(), deadline);
        if (!woken) break;
    }
    std::vector<std::string> out = names_->found;
    const auto good = std::ranges::find(out, good_);
    if (good != out.end()) std::rotate(out.begin(), good, good + 1);
    co_return out;
}

asio::awaitable<Opened> Dialler::dial(Instant deadline, std::shared_ptr<Connection>* unfinished) {
    if (!names_) {
        Target target = target_;
        if (!target.host.starts_with('/')) target.address = target.host;
        co_return co_await Connection::open(target, clock_, deadline, unfinished);
    }
    const std::vector<std::string> candidates = co_await addresses(deadline);
    Opened result =
        DialSight{DialOutcome::name_not_resolved, names_->complaint.empty() ? "the name was not resolved in time" : names_->complaint};
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        Target target = target_;
        target.address = candidates[i];
        // An address that was good has the time to itself; unknown ones share it.
        const auto shares = static_cast<Duration::rep>(candidates[i] == good_ ? 1 : candidates.size() - i);
        const Instant until = clock_.now() + (deadline - clock_.now()) / shares;
        Opened opened = co_await Connection::open(target, clock_, until, unfinished);
        const auto* failed = std::get_if<DialSight>(&opened);
        // An answer, also a refusal by the server itself, proves that this is the address of a PostgreSQL.
        if (failed == nullptr || !model::is_dead(failed->outcome)) {
            good_ = candidates[i];
            co_return opened;
        }
        if (i == 0 || candidates[0] != good_) result = std::move(opened);
    }
    co_return result;
}

Target Dialler::replication_target() const {
    Target target = target_;
    target.replication = true;
    if (names_) {
        target.address = good_;
    } else if (!target.host.starts_with('/')) {
        target.address = target.host;
    }
    return target;
}

}  // namespace handyrep::adapters::postgres
