#include "adapters/ssh/shell.hpp"

#include "adapters/ssh/quote.hpp"
#include "base/text.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <random>
#include <utility>

namespace handyrep::adapters::ssh {

namespace {

constexpr std::size_t output_limit = 2 * 1024 * 1024;
constexpr std::size_t complaint_limit = 4 * 1024;
constexpr int expired_status = 75;
/// So much before we stop waiting does the node stop doing, so that it can still say how far it came.
constexpr Duration way_back = std::chrono::milliseconds{50};
constexpr Duration uptime_keeps = std::chrono::seconds{30};
constexpr Duration first_back_off = std::chrono::milliseconds{100};
constexpr Duration longest_back_off = std::chrono::seconds{5};
constexpr Duration time_to_open = std::chrono::seconds{2};
constexpr Duration longest_opening = std::chrono::seconds{12};

/// What one look at an output brought: `ended` when the other side closed it, `late` at the deadline.
enum class Read { some, ended, late };

asio::awaitable<void> read_into(asio::posix::stream_descriptor& from, std::string& text, Read& what) {
    std::array<char, 8192> buffer{};
    boost::system::error_code failed;
    const std::size_t got = co_await from.async_read_some(asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, failed));
    text.append(buffer.data(), got);
    what = failed ? Read::ended : Read::some;
}

asio::awaitable<void> write_all(asio::local::stream_protocol::socket& to, const std::string& text, bool& written) {
    boost::system::error_code failed;
    co_await asio::async_write(to, asio::buffer(text), asio::redirect_error(asio::use_awaitable, failed));
    written = !failed;
}

asio::awaitable<void> throw_if_stopped() {
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) throw boost::system::system_error{asio::error::operation_aborted};
}

asio::awaitable<Read> read_some(asio::posix::stream_descriptor& from, std::string& text, ports::Clock& clock, Instant deadline) {
    using namespace asio::experimental::awaitable_operators;
    Read what = Read::late;
    const auto first = co_await (read_into(from, text, what) || clock.sleep_until(deadline));
    co_await throw_if_stopped();
    co_return first.index() == 0 ? what : Read::late;
}

/// Reads until a line begins with `mark`, and takes that line away. Keeps no more than `limit` bytes: then it is `ended`, too.
asio::awaitable<Read> read_to_mark(
    asio::posix::stream_descriptor& from, const std::string& mark, std::size_t limit, std::string& text, std::string& mark_line,
    ports::Clock& clock, Instant deadline) {
    // Looked for where it can be new: an answer may be large, and comes in small pieces.
    for (std::size_t known = 0;;) {
        const auto at = text.find(mark, known);
        const auto end = at == std::string::npos ? at : text.find('\n', at);
        if (end != std::string::npos) {
            mark_line = text.substr(at + mark.size(), end - at - mark.size());
            text.resize(at > 0 && text[at - 1] == '\n' ? at - 1 : at);
            co_return Read::some;
        }
        if (text.size() > limit) co_return Read::ended;
        known = at == std::string::npos ? text.size() - std::min(text.size(), mark.size()) : at;
        const Read what = co_await read_some(from, text, clock, deadline);
        if (what != Read::some) co_return what;
    }
}

template <class T>
std::optional<T> number(std::string_view digits) {
    T value{};
    const auto* const last = digits.data() + digits.size();
    const auto [end, error] = std::from_chars(digits.data(), last, value);
    if (error != std::errc{} || end != last) return std::nullopt;
    return value;
}

/// "12345.67" as /proc/uptime shows it, in hundredths; nothing where there is no such file.
std::optional<std::uint64_t> hundredths(std::string_view uptime) {
    const auto dot = uptime.find('.');
    if (dot == std::string_view::npos || uptime.size() != dot + 3) return std::nullopt;
    return number<std::uint64_t>(std::string(uptime.substr(0, dot)) + std::string(uptime.substr(dot + 1)));
}

std::string shortened(std::string text) {
    if (text.size() > complaint_limit) text.erase(0, text.size() - complaint_limit);
    return std::string(trim(text));
}

}  // namespace

/// A script that is left half-way (late, stopped, garbled) leaves a shell whose next answer could be taken for another's.
struct Shell::Unfinished {
    Shell* shell;
    explicit Unfinished(Shell* of) : shell{of} {}
    Unfinished(const Unfinished&) = delete;
    Unfinished& operator=(const Unfinished&) = delete;
    ~Unfinished() {
        if (shell != nullptr) shell->close();
    }
};

Shell::Shell(model::ServerDefinition server, asio::any_io_executor executor, ports::Clock& clock, OwnerOf owner_of)
    : server_{std::move(server)},
      executor_{std::move(executor)},
      clock_{clock},
      owner_of_{owner_of},
      nonce_{fmt::format("{:08x}", std::random_device{}())} {}

Shell::~Shell() { close(); }

void Shell::close() {
    child_.reset();
    opening_.reset();
}

std::string Shell::new_mark() { return fmt::format("handyrep-{}-{}:", nonce_, ++commands_); }

std::vector<std::string> Shell::command() const {
    if (server_.transport == model::Transport::local) return {"/bin/sh"};
    std::vector<std::string> out{"ssh", "-T", "-a", "-x"};
    if (!server_.ssh_config.empty()) out.insert(out.end(), {"-F", server_.ssh_config});
    if (!server_.ssh_key.empty()) out.insert(out.end(), {"-i", server_.ssh_key});
    // No sharing of connections: a shared one dies with its master, and a master would outlive us.
    for (const char* option :
         {"BatchMode=yes", "StrictHostKeyChecking=yes", "ConnectTimeout=5", "ServerAliveInterval=2", "ServerAliveCountMax=3",
          "ControlMaster=no", "ControlPath=none", "ClearAllForwardings=yes", "PermitLocalCommand=no", "RequestTTY=no", "EscapeChar=none",
          "LogLevel=ERROR"}) {
        out.insert(out.end(), {"-o", option});
    }
    // Nothing but this word for the login shell, which may be any.
    out.insert(out.end(), {"-l", server_.ssh_user, "--", server_.hostname, "/bin/sh"});
    return out;
}

Async<Output> Shell::run(std::string script, When when, Instant deadline) {
    const auto turn = co_await turn_.take(clock_, deadline);
    if (!turn) co_return Error{ErrorKind::refused, "not begun: the shell on that host is busy"};
    if (!child_ || opening_) {
        const auto opened = co_await open(deadline);
        if (!opened) co_return opened.error();
    }
    if (when == When::before_deadline) {
        // Two clocks drift apart: what was read long ago says too little about the node's present time.
        if (clock_.now() - node_uptime_known_ > uptime_keeps) {
            const auto fresh = co_await exchange(":", deadline);
            if (!fresh) co_return Error{ErrorKind::unreachable, fresh.error().what};
        }
        script = expiry_of(deadline - way_back) + script;
    }
    auto output = co_await exchange(std::move(script), deadline);
    if (when == When::before_deadline && output && output->status == expired_status) {
        co_return Error{ErrorKind::refused, "its time had passed on that host before it began"};
    }
    co_return output;
}

/// By `deadline` the node's uptime is at least this: it was read there before we knew it.
std::string Shell::expiry_of(Instant deadline) const {
    const auto ahead = std::max(Duration::zero(), deadline - node_uptime_known_);
    const auto expires = node_uptime_ + static_cast<std::uint64_t>(ahead / std::chrono::milliseconds{10});
    return fmt::format(
        "in_time() {{ read -r up _ </proc/uptime && [ \"${{up%.*}}${{up#*.}}\" -lt {} ]; }}\nin_time || exit {}\n", expires,
        expired_status);
}

Async<void> Shell::open(Instant deadline) {
    if (!opening_) {
        if (clock_.now() < not_before_) {
            // Begun too late it would end in "not in time", which says of the host what is only true of us.
            if (not_before_ + time_to_open >= deadline && last_failure_) co_return *last_failure_;
            co_await clock_.sleep_until(not_before_);
        }
        auto started = Child::start(executor_, command());
        if (!started) co_return started.error();
        child_ = std::move(*started);
        opening_ = std::make_unique<Opening>(Opening{new_mark(), {}, clock_.now()});
        Unfinished unfinished{this};
        bool written = false;
        co_await write_all(child_->input, become_owner_script(opening_->mark), written);
        unfinished.shell = nullptr;
    }
    Unfinished unfinished{this};
    auto outcome = co_await become_owner(deadline);
    if (outcome) {
        unfinished.shell = nullptr;
        opening_.reset();
        back_off_ = Duration::zero();
        last_failure_.reset();
        co_return outcome;
    }
    const bool goes_on = child_ && opening_ && !opening_->ended && clock_.now() - opening_->began < longest_opening;
    if (goes_on) {
        unfinished.shell = nullptr;
        // A login that is late takes nothing back: a host that said no a moment ago lives, and owes a fence.
        if (last_failure_) co_return *last_failure_;
        co_return outcome;
    }
    back_off_ = std::clamp(back_off_ * 2, first_back_off, longest_back_off);
    not_before_ = clock_.now() + back_off_;
    last_failure_ = outcome.error();
    co_return outcome;
}

/// Sets `place`.
std::string Shell::find_place() const {
    if (owner_of_ == OwnerOf::directory) return fmt::format("place={}", quote(server_.pgdata));
    return fmt::format(
        "place=$(readlink -m {0}) && while [ ! -e \"$place\" ]; do place=${{place%/*}}; place=${{place:-/}}; done && "
        "{{ [ -e {0} ] || [ \"$(stat -L -c %u -- \"$place\")\" != 0 ] || "
        "{{ echo \"$place belongs to root, so nobody knows whose the data directory is to be: make it, owned by the server's user\" >&2; false; }}; }}",
        quote(server_.pgdata));
}

/// Read whole before any of it runs, so that what is sent after the mark goes to the shell that is exec'ed.
std::string Shell::become_owner_script(const std::string& mark) const {
    return fmt::format(
        "{{ cd / && {} && owner=$(stat -L -c %U -- \"$place\") && me=$(id -un) && printf '%s\\n' '{}' && if [ \"$owner\" = \"$me\" ]; then :; "
        "elif [ \"$(id -u)\" = 0 ]; then exec runuser -u \"$owner\" -- /bin/sh; else exec sudo -n -u \"$owner\" -- /bin/sh; fi || exit 1; }}\n",
        find_place(), mark);
}

Async<void> Shell::become_owner(Instant deadline) {
    std::string ignored;
    const Read what = co_await read_to_mark(child_->output, opening_->mark, output_limit, opening_->text, ignored, clock_, deadline);
    if (what == Read::late) co_return Error{ErrorKind::unreachable, "the shell on that host did not open in time"};
    opening_->ended = true;
    if (what == Read::ended) co_return co_await ended_error("the shell on that host did not open", deadline);
    const auto who = co_await exchange(find_place() + " && [ \"$(id -un)\" = \"$(stat -L -c %U -- \"$place\")\" ]\n", deadline);
    if (!who) co_return who.error().kind == ErrorKind::timed_out ? Error{ErrorKind::unreachable, who.error().what} : who.error();
    if (who->status != 0) co_return Error{ErrorKind::denied, "the shell on that host does not run as the owner of the data directory"};
    co_return Result<void>{};
}

Async<Output> Shell::exchange(std::string script, Instant deadline) {
    const std::string mark = new_mark();
    Unfinished unfinished{this};

    const std::string framed = fmt::format(
        "( cd / || exit 1\n{}\n) </dev/null; status=$?; up=; read -r up _ </proc/uptime; printf '\\n%s%s %s\\n' '{}' \"$status\" \"$up\"; "
        "printf '\\n%s\\n' '{}' >&2\n",
        script, mark, mark);
    bool written = false;
    {
        using namespace asio::experimental::awaitable_operators;
        const auto first = co_await (write_all(child_->input, framed, written) || clock_.sleep_until(deadline));
        co_await throw_if_stopped();
        if (first.index() == 1) co_return Error{ErrorKind::timed_out, "the host did not take the script in time"};
    }
    Output out{{}, 0, {}};
    std::string status;
    std::string ignored;
    Read what = co_await read_to_mark(child_->output, mark, output_limit, out.text, status, clock_, deadline);
    if (what == Read::some) {
        node_uptime_known_ = clock_.now();
        what = co_await read_to_mark(child_->complaints, mark, output_limit, out.complaints, ignored, clock_, deadline);
    }
    if (what == Read::late) co_return Error{ErrorKind::timed_out, "the host did not answer in time"};
    if (what == Read::ended) co_return co_await ended_error("the shell on that host ended before it answered", deadline);

    const std::vector<std::string_view> parts = split(status, ' ');
    const auto exit_status = number<int>(parts.front());
    const auto uptime = parts.size() == 2 ? hundredths(parts[1]) : std::nullopt;
    if (!exit_status || !uptime) co_return Error{ErrorKind::failed, "the answer of the shell on that host is damaged"};
    node_uptime_ = *uptime;
    out.status = *exit_status;
    out.complaints = shortened(std::move(out.complaints));
    unfinished.shell = nullptr;
    co_return out;
}

/// What the client or the shell said before it ended.
asio::awaitable<Error> Shell::ended_error(std::string_view activity, Instant deadline) {
    std::string words;
    const Instant until = std::min(deadline, clock_.now() + std::chrono::milliseconds{200});
    Read what = Read::some;
    while (what == Read::some && words.size() < output_limit) what = co_await read_some(child_->complaints, words, clock_, until);
    words = shortened(std::move(words));
    // The client speaks English here: it runs in the C locale.
    const auto says = [&](std::string_view part) { return words.find(part) != std::string::npos; };
    const bool denied =
        says("Permission denied") || says("Host key verification failed") || says("password is required") || says("not allowed");
    std::ranges::replace(words, '\n', ' ');
    co_return Error{
        denied ? ErrorKind::denied : ErrorKind::unreachable, fmt::format("{}: {}", activity, words.empty() ? "no reason given" : words)};
}

}  // namespace handyrep::adapters::ssh
