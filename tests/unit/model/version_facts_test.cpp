#include "model/version_facts.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace handyrep::model {

const VersionFacts& of(int number) { return facts_of(ServerVersion{number}); }

TEST(VersionFacts, AreThoseOfTheNewestVersionThatIsNotNewer) {
    EXPECT_EQ(of(90624).promoting, Promoting::not_possible);
    EXPECT_EQ(of(100023).promoting, Promoting::by_host);
    EXPECT_EQ(of(110022).repointing, Repointing::by_recovery_conf);
    EXPECT_EQ(of(120022).promoting, Promoting::by_sql);
    EXPECT_EQ(of(120022).repointing, Repointing::by_restart);
    EXPECT_EQ(of(120022).mark, "standby.signal");
    EXPECT_FALSE(of(120022).stays_detached);
    EXPECT_TRUE(of(130023).stays_detached);
    EXPECT_EQ(of(180004).repointing, Repointing::by_reload);
}

TEST(VersionFacts, OnlyWhatFollowsByAReloadCanBeDetached) {
    for (const VersionFacts& it : all_version_facts()) EXPECT_EQ(it.stays_detached, it.repointing == Repointing::by_reload) << it.major;
}

/// The table of docs/user-guide.md, one line of it.
std::string documented(const VersionFacts& it, std::string_view versions) {
    return fmt::format(
        "| {} | {} | {} | {} | {} | {} | {} | {} |", versions, sentence_for(it.promoting), sentence_for(it.repointing),
        it.stays_detached ? "yes" : "no", sentence_for(it.salvaging), it.mark, it.shows_delay ? "yes" : "no",
        it.tells_immediate_stop ? "yes" : "no");
}

TEST(VersionFacts, AreTheTableInTheUserGuide) {
    std::ostringstream guide;
    guide << std::ifstream{"docs/user-guide.md"}.rdbuf();
    const auto facts = all_version_facts();
    for (std::size_t i = 1; i < facts.size(); ++i) {
        const int last = i + 1 < facts.size() ? facts[i + 1].major - 1 : 18;
        const std::string versions = last == facts[i].major ? fmt::format("{}", last) : fmt::format("{} to {}", facts[i].major, last);
        const std::string line = documented(facts[i], versions);
        EXPECT_NE(guide.str().find(line), std::string::npos) << line;
    }
}

}  // namespace handyrep::model
