// lab/service.hpp — what stands beside the servers, each on a host of its own: pgbouncer, HAProxy, etcd.
//
// The real programs of Debian, as unprivileged users. HandyRep does not drive them: pgbouncer points where its file says, as a
// person wrote it; HAProxy asks every server by itself whether it is the primary.
#pragma once

#include "base/result.hpp"
#include "lab/machine.hpp"
#include "lab/server.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace handyrep::lab {

/// Who may look into pgbouncer's console, from the manager's host as from any other.
inline constexpr const char* console_user = "handyrep";

struct ServiceKind {
    std::string_view name;  // and its host's
    std::string_view program;
    std::string_view user;
    std::uint16_t port;
    std::size_t number;  // of its address
    bool routes;         // clients reach PostgreSQL through it
};
/// Nothing when no service is called so.
[[nodiscard]] const ServiceKind* service_kind(std::string_view name);

class Service {
public:
    Service(Machine& machine, const ServiceKind& kind, const Passwords& passwords)
        : machine_{machine}, kind_{kind}, passwords_{passwords} {}

    [[nodiscard]] const Machine& machine() const { return machine_; }
    [[nodiscard]] const std::string& name() const { return machine_.name(); }
    [[nodiscard]] std::uint16_t port() const { return kind_.port; }
    [[nodiscard]] bool routes() const { return kind_.routes; }

    /// Its files, for these servers. The first is the primary.
    Result<void> configure(const std::vector<const Server*>& servers) const;
    Result<void> start() const;
    /// Asked, not assumed: from `manager` whether it answers, and from `apps` whether a router leads to a primary.
    [[nodiscard]] Result<void> healthy(const Machine& manager, const Machine& apps) const;

private:
    [[nodiscard]] std::vector<std::string> command() const;
    Result<void> write(const std::string& file, const std::string& content) const;
    Result<void> configure_pgbouncer(const Server& primary) const;
    Result<void> configure_haproxy(const std::vector<const Server*>& servers) const;
    [[nodiscard]] Result<void> console_answers(const Machine& from) const;
    [[nodiscard]] Result<void> one_leads_to_primary() const;  // from the network of the calling thread
    [[nodiscard]] Result<void> leads_to_primary(const Machine& from) const;

    Machine& machine_;
    const ServiceKind& kind_;
    const Passwords& passwords_;
};

}  // namespace handyrep::lab
