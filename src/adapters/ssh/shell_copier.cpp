#include "adapters/ssh/shell_copier.hpp"

#include "adapters/ssh/copy_report.hpp"
#include "adapters/ssh/copy_scripts.hpp"
#include "adapters/ssh/report.hpp"

#include <fmt/format.h>

#include <utility>

namespace handyrep::adapters::ssh {

ShellCopier::ShellCopier(ShellHostSettings settings, const asio::any_io_executor& executor, ports::Clock& clock)
    : settings_{std::move(settings)}, shell_{settings_.server, executor, clock, OwnerOf::nearest} {}

Async<std::string> ShellCopier::text_of(std::string script, std::string activity, When when, Instant deadline) {
    auto output = co_await shell_.run(std::move(script), when, deadline);
    if (!output) co_return output.error().during(fmt::format("{} on the host of {}", activity, settings_.server.name.text()));
    if (output->status == 0) co_return std::move(output->text);
    co_return Error{
        ErrorKind::failed, fmt::format(
                               "{} on the host of {} ended with status {}: {}", activity, settings_.server.name.text(), output->status,
                               output->complaints.empty() ? "no reason given" : output->complaints)};
}

Async<void> ShellCopier::change(std::string script, std::string activity, Instant deadline) {
    const auto text = co_await text_of(std::move(script), activity, When::before_deadline, deadline);
    if (!text) co_return text.error();
    auto outcome = read_done(*text);
    if (!outcome) co_return outcome.error().during(fmt::format("{} on the host of {}", activity, settings_.server.name.text()));
    co_return outcome;
}

Async<model::TargetLook> ShellCopier::look(model::ServerVersion version, Instant deadline) {
    const auto text =
        co_await text_of(target_look_script(settings_.node(), version), "a look at the place of its data", When::anytime, deadline);
    if (!text) co_return text.error();
    co_return read_target_look(*text);
}

Async<void> ShellCopier::make_directory(Instant deadline) {
    co_return co_await change(make_directory_script(settings_.node()), "making the data directory", deadline);
}

Async<Secret> ShellCopier::own_conninfo(Instant deadline) {
    const auto text = co_await text_of(own_conninfo_script(settings_.node()), "reading its own settings", When::anytime, deadline);
    if (!text) co_return text.error();
    auto conninfo = read_upstream(*text);
    if (!conninfo) co_return conninfo.error();
    co_return Secret{*std::move(conninfo)};
}

Async<void> ShellCopier::begin(const ports::CopyOrder& order, Instant deadline) {
    co_return co_await change(begin_copy_script(settings_.node(), order), "the begin of a copy", deadline);
}

Async<model::CopyProgress> ShellCopier::progress(std::uint64_t operation, Instant deadline) {
    const auto text =
        co_await text_of(copy_progress_script(settings_.node(), operation), "the question how far the copy is", When::anytime, deadline);
    if (!text) co_return text.error();
    co_return read_copy_progress(*text);
}

Async<void> ShellCopier::abandon(std::uint64_t operation, Instant deadline) {
    co_return co_await change(abandon_copy_script(settings_.node(), operation), "the end of a copy", deadline);
}

Async<void> ShellCopier::put_in_place(const ports::Placing& placing, Instant deadline) {
    co_return co_await change(place_copy_script(settings_.node(), placing), "putting the copy in its place", deadline);
}

Async<void> ShellCopier::discard_old(std::uint64_t operation, Instant deadline) {
    co_return co_await change(discard_old_script(settings_.node(), operation), "removing what was set aside", deadline);
}

}  // namespace handyrep::adapters::ssh
