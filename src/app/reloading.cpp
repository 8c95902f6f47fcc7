#include "app/reloading.hpp"

#include "app/composition.hpp"
#include "cli/files.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <thread>
#include <utility>

namespace handyrep::app {

namespace {

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
    if (const auto exposed = cli::exposed_passwords(*read.configuration)) {
        read.problems.push_back(config::text(*exposed));
        read.configuration.reset();
    }
    return read;
}

asio::awaitable<Reread> reread(asio::any_io_executor executor, std::string file, std::string state_dir) {
    auto start = [executor = std::move(executor), file = std::move(file), state_dir = std::move(state_dir)](auto handler) mutable {
        auto back = asio::prefer(executor, asio::execution::outstanding_work.tracked);
        std::thread([back = std::move(back), file = std::move(file), state_dir = std::move(state_dir),
                     handler = std::move(handler)]() mutable {
            auto result = std::make_shared<Reread>(read_again(file, state_dir));
            asio::post(
                back, [result = std::move(result), handler = std::move(handler)]() mutable { std::move(handler)(std::move(*result)); });
        }).detach();
    };
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(Reread)>(std::move(start), asio::use_awaitable);
}

}  // namespace handyrep::app
