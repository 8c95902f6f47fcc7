// The checks of a lease that is wanted (S6): what it costs, what it needs on each host, and which replica keeps a primary alive.
#include "decide/readiness_rules.hpp"

#include <array>
#include <chrono>

namespace handyrep::decide {

namespace {

/// Said whatever the check comes to: nobody may learn it at night.
std::string price(const Subject& self, const Scene& scene) {
    return fmt::format(
        "{} is stopped when the manager and all replicas are lost to it for longer than {}",
        self.is_primary() ? self.name() : self.name() + ", once it is the primary,", text(scene.input.settings.lease_ttl));
}

Verdict lease(const Subject& self, const Scene& scene) {
    if (!self.seen->lease) return unknown("it was not tried whether a lease could be armed there");
    if (!*self.seen->lease)
        return unknown(fmt::format("it could not be tried whether a lease can be armed: {}", self.seen->lease->error().text()));
    const model::LeaseDrill& found = **self.seen->lease;
    if (!found.missing.empty()) return broken(fmt::format("no lease can be armed there, without {}", found.missing));
    if (!found.asks && self.database != nullptr)
        return broken(fmt::format(
            "no lease can be armed there: psql as {} does not see pg_stat_replication over the local socket: {}", self.host->owner,
            found.said.empty() ? "it is no member of pg_read_all_stats" : found.said));
    if (!found.autostart_off)
        return debt(fmt::format(
            "{}, and yet the lease proves nothing: something may start it by itself ({})", price(self, scene), found.autostart));
    return fine(fmt::format("{}; autostart: {}", price(self, scene), found.autostart));
}

Verdict lease_replies(const Subject& self, const Scene& scene) {
    const auto seconds = number_of(*self.database, "wal_receiver_status_interval");
    if (!seconds) return unknown("wal_receiver_status_interval cannot be read");
    const Duration interval = std::chrono::seconds{*seconds};
    const Duration ttl = scene.input.settings.lease_ttl;
    if (self.database->version.major() < 13) return broken("it is older than PostgreSQL 13, cannot be detached, and so is not listed");
    if (interval == Duration{} || 2 * interval > ttl)
        return broken(fmt::format(
            "wal_receiver_status_interval is {}: idle, it replies too seldom to keep a primary alive that has a lease of {}, and is not listed",
            text(interval), text(ttl)));
    return fine(fmt::format("it keeps the primary alive, with a reply every {} at least", text(interval)));
}

constexpr std::array rules{
    Rule{
        CheckName::lease, About::every, Needs::host, lease,
        "install what is missing, let the owner of the data in by peer with pg_read_all_stats, and switch autostart off there: "
        "start.conf manual, or systemctl disable and Restart=no"},
    Rule{
        CheckName::lease_replies, About::replica, Needs::database, lease_replies,
        "wal_receiver_status_interval of at most half of failover.lease_ttl, or a longer lease_ttl"},
};

}  // namespace

std::span<const Rule> lease_rules() { return rules; }

}  // namespace handyrep::decide
