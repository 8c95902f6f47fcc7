#include "app/daemon.hpp"

#include "adapters/system_clock/system_clock.hpp"
#include "app/composition.hpp"
#include "app/daemon_log.hpp"
#include "app/reloading.hpp"
#include "app/resident.hpp"
#include "app/service_manager.hpp"
#include "base/text.hpp"
#include "cli/files.hpp"
#include "cli/run.hpp"
#include "cli/text_layout.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <optional>

namespace handyrep::app {

namespace {

constexpr Duration stop_limit = std::chrono::seconds{25};
constexpr Duration stop_look_interval = std::chrono::milliseconds{20};

class Daemon {
public:
    Daemon(config::Configuration configuration, const control::Versions& versions)
        : configuration_{std::move(configuration)}, versions_{versions}, log_{clock_, STDERR_FILENO} {
        log_.set(configuration_.log_format, is_verbose(configuration_) ? Level::debug : Level::info);
    }

    Result<void> prepare(const std::vector<config::Problem>& warnings) {
        for (const config::Problem& warning : warnings)
            log_.write(Level::warning, "configuration_warning", {{"text", config::text(warning)}});
        auto made = Composition::make(configuration_, versions_, loop_, clock_, log_);
        if (!made) {
            log_.write(Level::error, "not_started", {{"error", made.error().text()}});
            return made.error();
        }
        parts_ = std::move(*made);
        return {};
    }

    int run() {
        signals_.async_wait([this](const auto& error, int number) { on_signal(error, number); });
        asio::co_spawn(loop_, parts_->cluster().run(), asio::bind_cancellation_slot(stop_.slot(), [this](const std::exception_ptr& thrown) {
                           on_cluster_end(thrown);
                       }));
        asio::co_spawn(loop_, feed_watchdog(clock_), [](const std::exception_ptr& /*stopped*/) {});
        const auto listen = fmt::format("{}:{}", configuration_.listen.host, configuration_.listen.port);
        log_.write(
            Level::info, "daemon_started",
            {{"version", versions_.handyrep},
             {"cluster", configuration_.cluster.name.text()},
             {"listen", listen},
             {"state_dir", configuration_.state_dir}});
        notify_ready(status_line());
        forget_startup_pages();
        loop_.run();
        log_.write(Level::info, "daemon_stopped", {});
        return exit_code_;
    }

private:
    [[nodiscard]] std::string status_line() const {
        return fmt::format("watching cluster {}, {} servers", configuration_.cluster.name.text(), configuration_.cluster.servers.size());
    }

    void on_signal(const boost::system::error_code& error, int number) {
        if (error) return;
        if (number == SIGHUP) {
            reload();
            signals_.async_wait([this](const auto& next_error, int next) { on_signal(next_error, next); });
            return;
        }
        log_.write(Level::info, "stopping", {{"signal", number == SIGTERM ? "SIGTERM" : "SIGINT"}});
        begin_stop();
    }

    void begin_stop() {
        if (stopping_) return;
        stopping_ = true;
        // From here SIGTERM and SIGINT have their plain meaning again: the second one ends the program at once, whatever it does.
        signals_.clear();
        std::signal(SIGHUP, SIG_IGN);
        notify_stopping();
        parts_->server().close();
        stop_.emit(asio::cancellation_type::terminal);
        asio::co_spawn(loop_, finish(), [](const std::exception_ptr& /*stopped*/) {});
    }

    /// The cluster has ended and every answer is out, or the limit has passed.
    asio::awaitable<void> finish() {
        const Instant limit = clock_.now() + stop_limit;
        while (!ended_ || parts_->server().being_answered() > 0 || reloading_) {
            if (clock_.now() >= limit) {
                log_.write(
                    Level::error, "stop_not_clean",
                    {{"limit", text(stop_limit)}, {"remedy", "the next start reads the journal and looks at the servers"}});
                exit_code_ = cli::exit_failed;
                abandoned_ = true;
                break;
            }
            if (ended_) parts_->server().end_answers();
            co_await clock_.sleep_until(clock_.now() + stop_look_interval);
        }
        co_await clock_.sleep_until(clock_.now() + stop_look_interval);  // the last answers leave
        loop_.stop();
    }

    void on_cluster_end(const std::exception_ptr& thrown) {
        ended_ = true;
        std::string why = "it returned";
        try {
            if (thrown) std::rethrow_exception(thrown);
        } catch (const boost::system::system_error& error) {
            if (error.code() == asio::error::operation_aborted) return;
            why = error.what();
        } catch (const std::exception& error) {
            why = error.what();
        }
        // Nobody watches any more: better to be started again than to look alive.
        log_.write(Level::error, "watch_ended", {{"error", why}});
        exit_code_ = cli::exit_failed;
        begin_stop();
    }

    void reload() {
        if (reloading_) return;
        reloading_ = true;
        notify_reloading();
        log_.write(Level::info, "reloading", {{"file", configuration_.file_name}});
        asio::co_spawn(
            loop_, reread(loop_.get_executor(), configuration_.file_name, configuration_.state_dir),
            [this](const std::exception_ptr& thrown, Reread reread) {
                reloading_ = false;
                if (!thrown) apply(std::move(reread));
                if (!ended_) notify_ready(status_line());
            });
    }

    void apply(Reread reread) {
        if (reread.hangs) abandoned_ = true;
        for (const std::string& problem : reread.problems) log_.write(Level::error, "reload_refused", {{"problem", problem}});
        if (!reread.configuration || !reread.credentials) return;
        const Changes changes = changes_between(configuration_, *reread.configuration);
        parts_->replace_credentials(std::move(*reread.credentials));
        log_.set(reread.configuration->log_format, is_verbose(*reread.configuration) ? Level::debug : Level::info);
        parts_->cluster().set_lease_ttl(reread.configuration->cluster.failover.lease_ttl);
        log_.write(Level::info, "reloaded", {{"changed", join(changes.at_once, ", ")}});
        if (!changes.need_restart.empty()) log_.write(Level::warning, "restart_needed", {{"for", join(changes.need_restart, ", ")}});
    }

public:
    /// A part hangs in the system and would hang again on the way out.
    [[nodiscard]] bool abandoned() const { return abandoned_; }

private:
    config::Configuration configuration_;  // as it was at the start: what a restart would change is measured against it
    control::Versions versions_;
    adapters::system_clock::SystemClock clock_;
    DaemonLog log_;
    asio::io_context loop_{1};
    asio::signal_set signals_{loop_, SIGTERM, SIGINT, SIGHUP};
    asio::cancellation_signal stop_;
    std::unique_ptr<Composition> parts_;
    int exit_code_ = cli::exit_done;
    bool ended_ = false;
    bool stopping_ = false;
    bool reloading_ = false;
    bool abandoned_ = false;
};

}  // namespace

int run_daemon(const std::string& configuration_file, const control::Versions& versions) {
    ::umask(S_IRWXG | S_IRWXO);  // what it writes is for nobody else
    const Read read = read_configuration(configuration_file);
    if (!read.configuration) {
        for (const std::string& problem : read.problems) std::cerr << cli::clean(problem) << "\n";
        return cli::exit_configuration;
    }
    Daemon daemon{*read.configuration, versions};
    if (const auto ready = daemon.prepare(read.warnings); !ready)
        return ready.error().kind == ErrorKind::invalid ? cli::exit_configuration : cli::exit_failed;
    const int exit_code = daemon.run();
    if (daemon.abandoned()) std::_Exit(exit_code);
    return exit_code;
}

}  // namespace handyrep::app
