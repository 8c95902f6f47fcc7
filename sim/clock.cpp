#include "sim/clock.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>

namespace handyrep::sim {

namespace {

class Alarm final : public ports::Bell::Listener {
public:
    Alarm(ports::Bell& bell, Waits& waits, Waits::Ticket ticket) : Listener{bell}, waits_{waits}, ticket_{ticket} {}
    void rung() override { waits_.fulfil(ticket_); }

private:
    Waits& waits_;
    Waits::Ticket ticket_;
};

}  // namespace

struct Waits::Parked {
    Parked() = default;
    Parked(const Parked&) = delete;
    Parked& operator=(const Parked&) = delete;
    virtual ~Parked() = default;
    virtual void complete(const asio::any_io_executor& executor, boost::system::error_code error) = 0;
};

template <class Handler>
struct Waits::ParkedHandler final : Parked {
    explicit ParkedHandler(Handler it) : handler{std::move(it)} {}
    void complete(const asio::any_io_executor& executor, boost::system::error_code error) override {
        asio::post(executor, [it = std::move(handler), error]() mutable { std::move(it)(error); });
    }
    Handler handler;
};

template <class Handler>
void Waits::park(Ticket ticket, Handler handler) {
    const auto slot = asio::get_associated_cancellation_slot(handler);
    parked_.emplace_back(ticket, std::make_unique<ParkedHandler<Handler>>(std::move(handler)));
    if (closed_) return finish(ticket, asio::error::operation_aborted);
    if (slot.is_connected()) {
        auto stop = [this, ticket](asio::cancellation_type) { finish(ticket, asio::error::operation_aborted); };
        asio::cancellation_slot{slot}.assign(stop);
    }
}

Waits::Waits(asio::any_io_executor executor, const Agenda& agenda, const MachineClock& machine)
    : executor_{std::move(executor)}, agenda_{agenda}, machine_{machine} {}
Waits::~Waits() = default;

asio::awaitable<void> Waits::wait(Ticket ticket) {
    auto begin = [this, ticket](auto handler) { park(ticket, std::move(handler)); };
    co_await asio::async_initiate<const asio::use_awaitable_t<>, void(boost::system::error_code)>(begin, asio::use_awaitable);
}

void Waits::ensure_alive() const {
    if (closed_) throw boost::system::system_error{asio::error::operation_aborted};
}

void Waits::fulfil(Ticket ticket) { finish(ticket, {}); }

void Waits::finish(Ticket ticket, boost::system::error_code error) {
    const auto found = std::ranges::find(parked_, ticket, &std::pair<Ticket, std::unique_ptr<Parked>>::first);
    if (found == parked_.end()) return;
    const std::unique_ptr<Parked> parked = std::move(found->second);
    parked_.erase(found);
    woken_ = true;
    parked->complete(executor_, error);
}

void Waits::close() {
    closed_ = true;
    while (!parked_.empty()) finish(parked_.front().first, asio::error::operation_aborted);
}

void wake_at(Agenda& agenda, const std::shared_ptr<Waits>& waits, Waits::Ticket ticket, Instant when) {
    if (when == Instant::max()) return;
    agenda.at(waits->truly(when), [&agenda, weak = std::weak_ptr<Waits>(waits), ticket, when] {
        const auto alive = weak.lock();
        if (!alive) return;
        if (alive->now() < when) return wake_at(agenda, alive, ticket, when);  // the machine slept meanwhile
        alive->fulfil(ticket);
    });
}

asio::awaitable<void> SimClock::sleep_until(Instant when) {
    const Waits::Ticket ticket = waits_->open();
    wake_at(agenda_, waits_, ticket, when);
    co_await waits_->wait(ticket);
}

asio::awaitable<bool> SimClock::wait(ports::Bell& bell, std::uint64_t heard, Instant until) {
    if (bell.rung() > heard) co_return true;
    const Waits::Ticket ticket = waits_->open();
    wake_at(agenda_, waits_, ticket, until);
    const Alarm alarm{bell, *waits_, ticket};
    co_await waits_->wait(ticket);
    co_return bell.rung() > heard;
}

WallTime SimClock::wall_of(Instant instant) {
    const WallTime first_day{std::chrono::sys_days{std::chrono::year{2026} / 11 / 22}};
    return first_day + std::chrono::duration_cast<std::chrono::microseconds>(instant.time_since_epoch());
}

}  // namespace handyrep::sim
