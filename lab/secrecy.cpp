// lab/secrecy.cpp — after a story: whether a password stands where nobody may write it.
#include "lab/site.hpp"
#include "tests/harness/temporary_folder.hpp"

#include <fmt/format.h>

namespace handyrep::lab {

namespace {

/// What is told or kept: the daemon's log and all of its saved state, journal and history; the logs of the servers and of sshd.
std::vector<std::filesystem::path> told_in(const Site& site, const Manager& manager) {
    std::vector<std::filesystem::path> out;
    for (const Machine* it : site.machines()) {
        const auto folder = it->folder();
        out.insert(out.end(), {folder / "handyrep.log", folder / "sshd.log", folder / "boot.log", folder / "log" / "postgresql.log"});
    }
    std::error_code error;
    const auto state = manager.machine().from_outside(manager.state_folder());
    for (const auto& it : std::filesystem::recursive_directory_iterator(state, error)) {
        if (it.is_regular_file(error)) out.push_back(it.path());
    }
    return out;
}

}  // namespace

std::vector<std::string> Site::passwords_told() const {
    std::vector<std::string> out;
    for (const auto& file : told_in(*this, *manager_)) {
        const auto text = harness::read_file(file);
        if (!text) continue;
        for (const auto& [whose, password] :
             {std::pair{"the superuser", &passwords_.superuser}, std::pair{"replication", &passwords_.replication}}) {
            if (text->find(password->reveal()) != std::string::npos)
                out.push_back(fmt::format("the password of {} stands in {}", whose, file.string()));
        }
    }
    return out;
}

}  // namespace handyrep::lab
