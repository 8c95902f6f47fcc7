// The checks of one server's host.
#include "base/text.hpp"
#include "decide/readiness_rules.hpp"

#include <array>
#include <chrono>

namespace handyrep::decide {

using model::PgCtlStatus;

namespace {

Verdict host_answers(const Subject& self, const Scene& /*scene*/) {
    const std::string_view transport = word_for(self.definition.transport);
    if (self.host != nullptr) return fine(fmt::format("commands run there over {} as {}", transport, self.host->owner));
    if (self.seen == nullptr || !self.seen->host) return unknown("it was not looked into yet; nothing about its host is known");
    return broken(fmt::format(
        "no command runs there over {}: {}; no fence is possible, and nothing else about its host is known", transport,
        self.seen->host->error().text()));
}

Verdict pg_ctl(const Subject& self, const Scene& /*scene*/) {
    const std::string text = fmt::format("pg_ctl status: {}", word_for(self.host->pg_ctl));
    switch (self.host->pg_ctl) {
        case PgCtlStatus::running: return fine(fmt::format("{} ({})", text, self.host->programs.value_or("")));
        case PgCtlStatus::not_found: return debt("pg_ctl was not found");
        case PgCtlStatus::not_running:
            return self.database == nullptr ? fine(text) : broken(text + ", and yet it answers: pgdata is not its data directory");
        case PgCtlStatus::no_access:
        case PgCtlStatus::failed: return broken(text);
    }
    return unknown(text);
}

Verdict control_data(const Subject& self, const Scene& /*scene*/) {
    return self.host->control_data_readable ? fine("pg_controldata reads it")
                                            : debt("pg_controldata was not found or cannot read the data directory");
}

Verdict data_directory_writable(const Subject& self, const Scene& /*scene*/) {
    return self.host->data_writable
               ? fine("a file could be made there, and was removed")
               : broken(fmt::format(
                     "{} may not write in {}: the fence cannot mark it as a standby", self.host->owner, self.definition.pgdata));
}

Verdict parent_writable(const Subject& self, const Scene& /*scene*/) {
    return self.host->parent_writable ? fine("a file could be made beside the data directory, and was removed")
                                      : debt(fmt::format(
                                            "{} may not write beside {}: no copy can be made there and put in its place", self.host->owner,
                                            self.definition.pgdata));
}

Verdict wal_space(const Subject& self, const Scene& /*scene*/) {
    if (!self.host->wal_free) return unknown("the free space of pg_wal is not known: its host did not say");
    const auto most = self.database == nullptr ? std::nullopt : number_of(*self.database, "max_wal_size");  // MB
    if (!most) return unknown("max_wal_size cannot be read");
    const std::uint64_t free = self.host->wal_free->count;
    const auto wanted = static_cast<std::uint64_t>(*most) << 20;
    const std::uint64_t segment = static_cast<std::uint64_t>(number_of(*self.database, "wal_segment_size").value_or(16 << 20));
    const std::string text = fmt::format("{} are free for pg_wal, max_wal_size is {}", bytes_text(free), bytes_text(wanted));
    if (free < 4 * segment) return broken(text + ": it is about to stop");
    return free < wanted ? debt(text) : fine(text);
}

Verdict reclone_space(const Subject& self, const Scene& scene) {
    const auto* const primary = scene.primary_database();
    if (primary == nullptr || !primary->size) return unknown("the size of the primary's databases was not read");
    if (!self.host->data_free) return unknown("the free space of its data directory is not known");
    const std::string text = fmt::format(
        "{} are free, the primary's databases take {}", bytes_text(self.host->data_free->count), bytes_text(primary->size->count));
    return *self.host->data_free < *primary->size ? debt(text + ": its old data must go before a new copy fits") : fine(text);
}

Verdict autostart(const Subject& self, const Scene& /*scene*/) {
    if (!self.seen->drill) return unknown("the fence's drill was not made");
    if (!*self.seen->drill) return unknown(self.seen->drill->error().text());
    const model::FenceDrill& drill = **self.seen->drill;
    if (drill.autostart_off) return fine(fmt::format("what would start it at boot and be disabled by a fence: {}", drill.autostart));
    return broken(fmt::format("it would be started again after a fence: {}", drill.autostart));
}

Verdict fence_drill(const Subject& self, const Scene& /*scene*/) {
    if (!self.seen->drill) return unknown("the fence's drill was not made");
    if (!*self.seen->drill) return broken(fmt::format("the fence's drill failed: {}", self.seen->drill->error().text()));
    const model::FenceDrill& drill = **self.seen->drill;
    std::vector<std::string> impossible;
    if (!drill.autostart_off) impossible.emplace_back("disable its autostart");
    if (!drill.markable) impossible.emplace_back("mark it as a standby");
    if (drill.untouchable > 0) impossible.push_back(fmt::format("end {} of its processes", drill.untouchable));
    const std::string took = text(std::chrono::round<std::chrono::milliseconds>(drill.took));
    if (impossible.empty()) return fine(fmt::format("{} processes could be ended and the mark written; it took {}", drill.processes, took));
    return broken(fmt::format("the fence could not {}; a failover could not prove that this server is stopped", join(impossible, ", ")));
}

constexpr std::array rules{
    Rule{
        CheckName::host_answers, About::every, Needs::nothing, host_answers,
        "`ssh -l USER HOST` from the manager's account must succeed without a question, its host key be known, and sudo -n -u the data "
        "directory's owner be allowed"},
    Rule{
        CheckName::pg_ctl, About::every, Needs::host, pg_ctl,
        "install the server's programs, and let pgdata name the data directory, owned by the account that runs the server"},
    Rule{CheckName::control_data, About::every, Needs::host, control_data, "install the server's programs beside it"},
    Rule{
        CheckName::data_directory_writable, About::every, Needs::host, data_directory_writable,
        "look at its owner and rights, at the mount (read-only after an error?) and at free space and inodes"},
    Rule{
        CheckName::parent_writable, About::every, Needs::host, parent_writable,
        "let the folder that holds the data directory belong to the account that runs the server"},
    Rule{
        CheckName::wal_space, About::every, Needs::host, wal_space,
        "free space there: look for slots that nobody reads and an archive_command that fails; or lower max_wal_size"},
    Rule{CheckName::reclone_space, About::every, Needs::host, reclone_space, "enlarge that file system"},
    Rule{
        CheckName::autostart, About::every, Needs::host, autostart,
        "let the owner write start.conf, or allow `sudo -n systemctl mask UNIT` to it"},
    Rule{
        CheckName::fence_drill, About::every, Needs::host, fence_drill,
        "give the account what is named here; until then fencing this server needs a person or a fence plug-in"},
};

}  // namespace

std::span<const Rule> host_rules() { return rules; }

}  // namespace handyrep::decide
