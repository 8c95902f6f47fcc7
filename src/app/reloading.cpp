#include "app/reloading.hpp"

#include "app/composition.hpp"
#include "cli/files.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include <memory>
#include <thread>
#include <utility>

namespace handyrep::app {

namespace {

constexpr std::chrono::seconds read_limit{20};

Reread read_again(const std::string& file, const std::string& state_dir) {
    Read read = read_configuration(file);
    Reread out{.configuration = std::move(read.configuration), .credentials = {}, .problems = std::move(read.problems)};
    if (!out.configuration) return out;
    auto credentials = api::read_credentials(state_dir, login_passwords(*out.configuration));
    if (credentials) {
        out.credentials = std::move(*credentials);
    } else {
        out.problems.push_back(credentials.error().text());
    }
    return out;
}

}  // namespace

Read read_configuration(const std::string& file) {
    const auto text = cli::read_text_file(file);
    if (!text) return {.configuration = {}, .problems = {text.error().text()}, .warnings = {}};
    config::Parsed parsed = config::parse(*text, file);
    Read read{.configuration = std::move(parsed.configuration), .problems = {}, .warnings = std::move(parsed.warnings)};
    for (const config::Problem& problem : parsed.problems) read.problems.push_back(config::text(problem));
    if (!read.configuration) return read;
    for (const config::Problem& problem : cli::problems_of_files(*read.configuration)) read.problems.push_back(config::text(problem));
    if (!read.problems.empty()) read.configuration.reset();
    return read;
}

asio::awaitable<Reread> reread(asio::any_io_executor executor, std::string file, std::string state_dir) {
    struct Arrival {
        asio::steady_timer bell;
        std::optional<Reread> answer;
    };
    const auto arrival = std::make_shared<Arrival>(Arrival{asio::steady_timer{executor, read_limit}, {}});
    std::thread([back = std::move(executor), arrival, file, state_dir = std::move(state_dir)] {
        auto answer = std::make_shared<Reread>(read_again(file, state_dir));
        asio::post(back, [arrival, answer = std::move(answer)] {
            arrival->answer = std::move(*answer);
            arrival->bell.cancel();
        });
    }).detach();

    boost::system::error_code rung;
    co_await arrival->bell.async_wait(asio::redirect_error(asio::use_awaitable, rung));
    if (arrival->answer) co_return std::move(*arrival->answer);
    if (rung) throw boost::system::system_error(asio::error::operation_aborted);
    Reread hung;
    hung.problems.push_back(fmt::format("{} was not read within {}: the disk hangs", file, text(read_limit)));
    hung.hangs = true;
    co_return hung;
}

}  // namespace handyrep::app
