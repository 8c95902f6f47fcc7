#include "config/check.hpp"

#include "base/text.hpp"
#include "base/time.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <set>
#include <string_view>
#include <utility>

namespace handyrep::config {

namespace {

using model::Role;
using model::ServerDefinition;

/// Each renewal is a command over SSH, and a third of the TTL has to be enough for it.
constexpr Duration shortest_lease = std::chrono::seconds{3};

class Check {
public:
    Check(const Configuration& configuration, YamlPlace servers_at, const UnreadKeys& unread)
        : it_{configuration}, servers_at_{servers_at}, unread_{unread} {}

    std::vector<Remark> all() {
        times();
        policy();
        identities();
        roles();
        tls();
        return std::move(remarks_);
    }

private:
    void times() {
        const model::FailoverSettings& times = it_.cluster.failover;
        not_below("witness_freshness", times.witness_freshness, "poll_interval", times.poll_interval);
        not_below("silence_timeout", times.silence_timeout, "poll_interval", times.poll_interval);
        not_below("silence_timeout", times.silence_timeout, "connect_timeout", times.connect_timeout);
        not_below("stall_timeout", times.stall_timeout, "poll_interval", times.poll_interval);
        if (times.lease_ttl > Duration{} && times.lease_ttl < shortest_lease && !unread_.contains("lease_ttl")) {
            complain(
                place("failover", "", "lease_ttl"), "failover.lease_ttl",
                fmt::format(
                    "{} is too short for three renewals; expected 0s, which is without a lease, or at least {}",
                    handyrep::text(times.lease_ttl), handyrep::text(shortest_lease)));
        }
    }

    void policy() {
        if (it_.cluster.failover.fencing == model::Fencing::none) {
            warn(
                place("failover", "", "fencing"), "failover.fencing",
                "with none, no proof is asked for that the old primary is gone: two primaries are possible");
        }
        if (it_.cluster.failover.lease_ttl > Duration{}) {
            warn(
                place("failover", "", "lease_ttl"), "failover.lease_ttl",
                fmt::format(
                    "the primary is stopped when the manager and all replicas are lost to it for longer than {}",
                    handyrep::text(it_.cluster.failover.lease_ttl)));
        }
    }

    void identities() {
        std::map<std::string, const ServerDefinition*> by_name;
        std::map<std::pair<std::string, std::uint16_t>, const ServerDefinition*> by_address;
        for (const ServerDefinition& server : it_.cluster.servers) {
            const auto [same_name, new_name] = by_name.emplace(lower(server.name.text()), &server);
            if (!new_name) {
                complain(
                    of_server(server, "hostname"), key(server, ""),
                    fmt::format(
                        "differs from '{}' only in case; PostgreSQL compares the names of replicas without it",
                        same_name->second->name.text()));
            }
            if (unread_.contains("hostname") || unread_.contains("port")) continue;
            const auto [same, is_new] = by_address.emplace(std::pair{lower(server.hostname), server.port}, &server);
            if (is_new) continue;
            complain(
                of_server(server, "hostname"), key(server, "hostname"),
                fmt::format("{}:{} is already the address of server '{}'", server.hostname, server.port, same->second->name.text()));
        }
    }

    void roles() {
        if (unread_.contains("role") || unread_.contains("servers")) return;
        const ServerDefinition* primary = nullptr;
        std::size_t replicas = 0;
        std::size_t candidates = 0;
        for (const ServerDefinition& server : it_.cluster.servers) {
            if (server.role == Role::replica) {
                ++replicas;
                if (server.enabled && server.failover_priority > 0) ++candidates;
            } else if (primary != nullptr) {
                complain(
                    of_server(server, "role"), key(server, "role"),
                    fmt::format("a second primary; server '{}' is the primary already, expected exactly one", primary->name.text()));
            } else {
                primary = &server;
            }
        }
        if (it_.cluster.servers.empty()) {
            complain(servers_at_, "servers", "no server of role primary or replica; expected one primary and its replicas");
        } else if (primary == nullptr) {
            complain(servers_at_, "servers", "no primary; expected exactly one server with role: primary");
        } else if (!primary->enabled) {
            warn(of_server(*primary, "enabled"), key(*primary, "enabled"), "the primary is not enabled: it is left out of automation");
        }
        if (primary != nullptr && candidates == 0) {
            warn(
                servers_at_, "servers",
                replicas == 0 ? "no replica: nothing can take over"
                              : "no replica that is enabled and has a failover_priority above 0: nothing can take over");
        }
    }

    /// What libpq would accept and then refuse, or not do what it looks like.
    void tls() {
        constexpr std::array keys{"sslmode", "sslrootcert", "sslcert", "sslkey"};
        if (std::ranges::any_of(keys, [&](const char* key) { return unread_.contains(key); })) return;
        // In one pass: a file may name thousands of servers.
        std::map<std::string_view, std::map<std::string_view, const Setting*>> found;
        for (const Setting& it : it_.settings) {
            if (it.section == "servers" && std::ranges::count(keys, it.key) != 0) found[it.server][it.key] = &it;
        }
        for (const ServerDefinition& server : it_.cluster.servers) tls(it_.tls.at(server.name).mode, found[server.name.text()]);
    }

    void tls(SslMode mode, const std::map<std::string_view, const Setting*>& of) {
        const auto has = [&](std::string_view key) { return !of.at(key)->value.empty(); };
        const std::string_view word = word_for(mode);
        if ((mode == SslMode::verify_ca || mode == SslMode::verify_full) && !has("sslrootcert")) {
            about(
                *of.at("sslmode"), fmt::format("{} needs sslrootcert, the file with the certificate of whoever signed the server's", word),
                false);
        }
        for (const auto& [given, missing] : {std::pair{"sslcert", "sslkey"}, std::pair{"sslkey", "sslcert"}}) {
            if (has(given) && !has(missing)) about(*of.at(given), fmt::format("{} is missing; expected both or neither", missing), false);
        }
        for (const std::string_view key : {"sslrootcert", "sslcert"}) {
            if (mode == SslMode::disable && has(key)) about(*of.at(key), "has no effect with sslmode: disable", true);
        }
        if ((mode == SslMode::allow || mode == SslMode::prefer) && has("sslrootcert")) {
            about(
                *of.at("sslrootcert"),
                fmt::format(
                    "protects from nobody with sslmode: {}: whoever cannot be verified is talked to without TLS; expected verify-full",
                    word),
                true);
        }
    }

    void not_below(std::string_view name, Duration value, std::string_view bound_name, Duration bound) {
        if (value >= bound || unread_.contains(name) || unread_.contains(bound_name)) return;
        complain(
            place("failover", "", name), fmt::format("failover.{}", name),
            fmt::format("{} is below {} ({}); expected at least that", handyrep::text(value), bound_name, handyrep::text(bound)));
    }

    [[nodiscard]] YamlPlace place(std::string_view section, std::string_view server, std::string_view name) const {
        const auto found = std::ranges::find_if(it_.settings, [&](const Setting& setting) {
            return setting.section == section && setting.server == server && setting.key == name;
        });
        return found == it_.settings.end() ? YamlPlace{} : found->origin.at;
    }
    /// Of that key, or of the hostname, which every server has, where the key has its default.
    [[nodiscard]] YamlPlace of_server(const ServerDefinition& server, std::string_view name) const {
        const YamlPlace at = place("servers", server.name.text(), name);
        return at.line != 0 ? at : place("servers", server.name.text(), "hostname");
    }
    [[nodiscard]] static std::string key(const ServerDefinition& server, std::string_view name) {
        return fmt::format("servers.{}{}{}", server.name.text(), name.empty() ? "" : ".", name);
    }

    /// Of one server's key; once for all that have it from server_defaults.
    void about(const Setting& setting, std::string text, bool is_warning) {
        const bool shared = setting.origin.source == Origin::Source::server_defaults;
        std::string key =
            shared ? fmt::format("server_defaults.{}", setting.key) : fmt::format("servers.{}.{}", setting.server, setting.key);
        if (shared && !said_.insert(key + text).second) return;
        remarks_.push_back({setting.origin.at, std::move(key), std::move(text), is_warning});
    }

    void complain(YamlPlace at, std::string key, std::string text) { remarks_.push_back({at, std::move(key), std::move(text), false}); }
    void warn(YamlPlace at, std::string key, std::string text) { remarks_.push_back({at, std::move(key), std::move(text), true}); }

    const Configuration& it_;
    YamlPlace servers_at_;
    const UnreadKeys& unread_;
    std::vector<Remark> remarks_;
    std::set<std::string> said_;  // of server_defaults
};

}  // namespace

std::vector<Remark> check(const Configuration& configuration, YamlPlace servers_at, const UnreadKeys& unread) {
    return Check{configuration, servers_at, unread}.all();
}

}  // namespace handyrep::config
