#include "adapters/ssh/shell_host.hpp"

#include "adapters/ssh/report.hpp"
#include "adapters/ssh/rewind_scripts.hpp"
#include "adapters/ssh/salvage_scripts.hpp"
#include "adapters/ssh/service_scripts.hpp"
#include "adapters/ssh/standby_scripts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace handyrep::adapters::ssh {

namespace {

/// So much earlier than we stop waiting does the node stop trying, so that it can still say so.
constexpr Duration way_back = std::chrono::milliseconds{50};

}  // namespace

ShellHost::ShellHost(ShellHostSettings settings, const asio::any_io_executor& executor, ports::Clock& clock, Log& log)
    : settings_{std::move(settings)}, clock_{clock}, log_{log}, shell_{settings_.server, executor, clock} {}

Async<std::string> ShellHost::text_of(std::string script, std::string activity, When when, Instant deadline) {
    auto output = co_await shell_.run(std::move(script), when, deadline);
    const bool reachable = output || surely_not_done(output.error().kind);
    if (reachable != std::exchange(was_reachable_, reachable)) {
        log_.write(
            reachable ? Level::info : Level::warning, reachable ? "host_reached" : "host_lost",
            {{"server", settings_.server.name.text()}, {"message", output ? std::string{} : output.error().what}});
    }
    if (!output) co_return output.error().during(fmt::format("{} on the host of {}", activity, settings_.server.name.text()));
    if (output->status == 0) co_return std::move(output->text);
    co_return Error{
        ErrorKind::failed, fmt::format(
                               "{} on the host of {} ended with status {}: {}", activity, settings_.server.name.text(), output->status,
                               output->complaints.empty() ? "no reason given" : output->complaints)};
}

Async<model::HostLook> ShellHost::look(Instant deadline) {
    const auto text = co_await text_of(look_script(settings_.node()), "a look", When::anytime, deadline);
    if (!text) co_return text.error();
    co_return read_look(*text);
}

Async<ports::FenceReport> ShellHost::fence(model::SystemId expected, Instant deadline) {
    auto script = fence_script(settings_.node(), expected);
    const auto text = co_await text_of(std::move(script), "the fence", When::before_deadline, deadline);
    if (!text) co_return text.error();
    co_return read_fence(*text);
}

Async<ports::StopReport> ShellHost::stop(model::SystemId expected, Instant deadline) {
    const auto text = co_await text_of(stop_script(settings_.node(), expected), "the stop", When::before_deadline, deadline);
    if (!text) co_return text.error();
    co_return read_stop(*text);
}

Async<void> ShellHost::start(model::SystemId expected, ports::StartAs as, Instant deadline) {
    co_return co_await change(
        start_script(settings_.node(), expected, as == ports::StartAs::primary, deadline - clock_.now()), "a start", deadline);
}

Async<model::WalEnd> ShellHost::read_wal_end(const model::WalEndQuestion& question, Instant deadline) {
    // Read twice at most; what is then left is for the way back.
    const Duration limit = (deadline - clock_.now() - way_back) / 2 - way_back;
    auto script = wal_end_script(settings_.server.pgdata, question, limit);
    const auto text = co_await text_of(std::move(script), "reading the end of the WAL", When::anytime, deadline);
    if (!text) co_return text.error();
    co_return ssh::read_wal_end(*text, question);
}

Async<model::RewindLook> ShellHost::look_for_rewind(Instant deadline) {
    const auto text = co_await text_of(rewind_look_script(settings_.node()), "a look before a rewind", When::before_deadline, deadline);
    if (!text) co_return text.error();
    co_return read_rewind_look(*text);
}

Async<model::Divergence> ShellHost::measure_divergence(const model::DivergenceQuestion& question, Instant deadline) {
    auto script = divergence_script(settings_.node(), question);
    const auto text = co_await text_of(std::move(script), "measuring what a rewind would give up", When::anytime, deadline);
    if (!text) co_return text.error();
    co_return read_divergence(*text);
}

Async<model::RewindProgress> ShellHost::rewind(const ports::RewindWanted& wanted, Instant deadline) {
    const auto text = co_await text_of(rewind_script(settings_.node(), wanted), "a rewind", When::before_deadline, deadline);
    if (!text) co_return text.error();
    co_return read_rewind(*text);
}

Async<void> ShellHost::end_rewind(model::SystemId expected, Instant deadline) {
    co_return co_await change(end_rewind_script(settings_.node(), expected), "the end of a rewind", deadline);
}

Async<model::PackedWal> ShellHost::read_wal(const model::WalStretch& stretch, Instant deadline) {
    const auto text = co_await text_of(read_wal_script(settings_.node(), stretch), "reading WAL", When::anytime, deadline);
    if (!text) co_return text.error();
    co_return read_packed_wal(*text);
}

Async<model::WalPlace> ShellHost::make_wal_place(const model::WalStretch& stretch, Instant deadline) {
    auto script = make_place_script(settings_.node(), stretch);
    const auto text = co_await text_of(std::move(script), "making a place for WAL", When::before_deadline, deadline);
    if (!text) co_return text.error();
    auto place = read_wal_place(*text, stretch);
    if (!place) co_return place.error().during(fmt::format("make a place for WAL on the host of {}", settings_.server.name.text()));
    co_return place;
}

Async<void> ShellHost::put_wal(const model::WalStretch& stretch, const model::PackedWal& wal, Instant deadline) {
    co_return co_await change(put_wal_script(settings_.node(), stretch, wal), "bringing WAL", deadline);
}

Async<void> ShellHost::remove_wal_place(Instant deadline) {
    co_return co_await change(remove_place_script(settings_.node()), "removing WAL that was brought", deadline);
}

Async<void> ShellHost::change(std::string script, std::string activity, Instant deadline) {
    const auto text = co_await text_of(std::move(script), activity, When::before_deadline, deadline);
    if (!text) co_return text.error();
    auto outcome = read_done(*text);
    if (!outcome) co_return outcome.error().during(fmt::format("{} on the host of {}", activity, settings_.server.name.text()));
    co_return outcome;
}

Async<void> ShellHost::promote(model::SystemId expected, WallTime expires, Instant deadline) {
    co_return co_await change(promote_script(settings_.node(), expected, expires), "a promotion", deadline);
}

Async<void> ShellHost::restart_standby(model::SystemId expected, Instant deadline) {
    co_return co_await change(restart_script(settings_.node(), expected, deadline - clock_.now()), "a restart", deadline);
}

Async<std::string> ShellHost::read_upstream(Instant deadline) {
    const auto text = co_await text_of(read_upstream_script(settings_.node()), "reading recovery.conf", When::anytime, deadline);
    if (!text) co_return text.error();
    co_return ssh::read_upstream(*text);
}

Async<void> ShellHost::write_upstream(model::SystemId expected, const std::string& conninfo, Instant deadline) {
    co_return co_await change(write_upstream_script(settings_.node(), expected, conninfo), "writing recovery.conf", deadline);
}

asio::awaitable<model::Reach> ShellHost::reach(const std::string& hostname, std::uint16_t port, Duration patience, Instant deadline) {
    const auto output = co_await shell_.run(reach_script(hostname, port, patience), When::anytime, deadline);
    if (!output) co_return model::Reach::unknown;
    if (output->status == 0) co_return model::Reach::accepted;
    if (output->status == 3) co_return model::Reach::refused;
    if (output->status == 4) co_return model::Reach::silent;
    co_return model::Reach::unknown;
}

Async<std::string> ShellHost::keep_password(const Secret& line, Instant deadline) {
    const auto script = passfile_script(settings_.kept_folder, fmt::format("passfile.{}", settings_.server.name.text()), line);
    const auto text = co_await text_of(script, "keeping a password", When::before_deadline, deadline);
    if (!text) co_return text.error();
    co_return read_path(*text);
}

}  // namespace handyrep::adapters::ssh
