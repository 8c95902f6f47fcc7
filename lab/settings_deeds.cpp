// lab/settings_deeds.cpp — what is done to the settings of one server, and to whom it lets in.
#include "lab/deeds.hpp"

#include <fmt/format.h>

#include <chrono>

namespace handyrep::lab {

using scenarios::DeedKind;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

Result<void> nothing() { return {}; }

Error cannot(DeedKind kind, std::string_view why) {
    return Error{ErrorKind::unsupported, fmt::format("{} cannot be played on real servers: {}", word_for(kind), why)};
}

Result<void> reload(const Server& server) {
    if (auto read = server.ask("SELECT pg_reload_conf()::text"); !read) return read.error();
    return {};
}

}  // namespace

/// pg_hba.conf becomes what `script` prints, which finds the one that was as $whole.
Deeds::Outcome Deeds::change_rules(Server& server, const std::string& script) {
    const std::string rules = server.rules_file();
    auto changed = server.as_owner(fmt::format("whole='{0}.whole'; cp '{0}' \"$whole\"; {{ {1}; }} >'{0}'", rules, script));
    if (!changed) return changed.error();
    if (auto read = reload(server); !read) return read.error();
    return Undo{[&server, rules]() -> Result<void> {
        if (auto mended = server.as_owner(fmt::format("mv '{0}.whole' '{0}'", rules)); !mended) return mended.error();
        return server.has_processes() ? reload(server) : nothing();
    }};
}

/// Whoever is connected goes on; whoever connects anew sees it.
Deeds::Outcome Deeds::let_certificate_expire(Server& server) {
    const auto replace = [this, &server](harness::Validity validity) -> Result<void> {
        if (auto signed_anew = site_.certify(server, validity); !signed_anew) return signed_anew;
        return server.has_processes() ? reload(server) : nothing();
    };
    if (auto expired = replace(harness::Validity::expired); !expired) return expired.error();
    return Undo{[replace] { return replace(harness::Validity::good); }};
}

/// Whatever becomes free is taken, too: a replica that lost its sender does not get it back.
Deeds::Outcome Deeds::fill_walsenders(Server& server) {
    auto crowd = std::make_shared<std::jthread>([&server](const std::stop_token& stop) {
        std::vector<harness::Session> kept;
        constexpr std::size_t most = 50;
        while (!stop.stop_requested()) {
            auto session =
                kept.size() < most ? server.replication_session() : Result<harness::Session>{Error{ErrorKind::refused, "enough"}};
            if (session) {
                kept.push_back(std::move(*session));
            } else {
                std::this_thread::sleep_for(milliseconds{20});
            }
        }
    });
    auto full = harness::wait_until(
        [&] { return !server.replication_session(); }, seconds{20}, "no WAL sender of " + server.name() + " is left", milliseconds{20});
    if (!full) return full.error();
    return Undo{[crowd]() -> Result<void> {
        crowd->request_stop();
        crowd->join();
        return {};
    }};
}

Deeds::Outcome Deeds::fill_connections(Server& server) {
    auto& kept = sessions_[server.name()];
    constexpr std::size_t most = 200;
    while (kept.size() < most) {
        auto session = server.session(seconds{1}, "crowd");
        if (!session) break;
        kept.push_back(std::move(*session));
    }
    return Undo{[this, name = server.name()]() -> Result<void> {
        sessions_.erase(name);
        return {};
    }};
}

Deeds::Outcome Deeds::to_settings(DeedKind kind, Server& server) {
    switch (kind) {
        // The manager's login is refused by its address: what replicas and clients do goes on.
        case DeedKind::password_broken:
            return change_rules(
                server, fmt::format("echo 'host all all {}/32 reject'; cat \"$whole\"", site_.manager().machine().address()));
        case DeedKind::hba_broken: return change_rules(server, "echo 'local all all scram-sha-256'");
        case DeedKind::connections_full: return fill_connections(server);
        case DeedKind::walsenders_full: return fill_walsenders(server);
        case DeedKind::certificate_expired: return let_certificate_expire(server);
        case DeedKind::detach: return detach(server);
        case DeedKind::slot: {
            if (auto made = server.ask("SELECT pg_create_physical_replication_slot('left_behind', true)::text"); !made) return made.error();
            return Undo{[&server]() -> Result<void> {
                if (auto dropped = server.ask("SELECT pg_drop_replication_slot('left_behind')::text"); !dropped) return dropped.error();
                return {};
            }};
        }
        case DeedKind::refuse_promotion: return cannot(kind, "pg_promote() refuses nobody who may call it");
        case DeedKind::refuses_look: return cannot(kind, "the manager's role is a superuser here, which nothing can be revoked from");
        default: break;
    }
    return cannot(kind, "nobody has built it");
}

Deeds::Outcome Deeds::detach(Server& server) {
    const auto before = server.ask("SELECT current_setting('primary_conninfo')");
    if (!before) return before.error();
    if (auto emptied = server.set("primary_conninfo", ""); !emptied) return emptied.error();
    return Undo{[&server, conninfo = *before]() -> Result<void> {
        const auto now = server.ask("SELECT current_setting('primary_conninfo')");
        if (!now || !now->empty()) return nothing();  // somebody made it follow again
        return server.set("primary_conninfo", conninfo);
    }};
}

}  // namespace handyrep::lab
