// The plan of a copy: what is taken back, what is the point of no return, and that a later life reads what it was about.
#include "plans/copying.hpp"
#include "plans/describe.hpp"
#include "plans/undo_text.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace handyrep::plans {
namespace {

model::ServerName server(std::string_view name) { return *model::ServerName::parse(name); }

decide::CopyServer decision() {
    return {
        .wanted =
            {.server = server("db3"),
             .replaces = true,
             .from = server("db2"),
             .keep_old = false,
             .wishes = {.rate = model::Bytes{50ULL << 20U}, .slot = "db3", .wal_directory = "/wal/db3", .tablespaces = {{"/a=b", "/c d"}}}},
        .source = server("db2"),
        .upstream = server("db1"),
        .system_id = model::SystemId{7},
        .version = model::ServerVersion{150018},
        .old_directory = true,
        .text = "makes db3 anew"};
}

model::SavedState saved() {
    model::SavedState out{.cluster = *model::ClusterName::parse("pay")};
    for (const auto* const name : {"db1", "db2", "db3"})
        out.servers.push_back(
            {.name = server(name), .hostname = std::string("host-of-") + name, .ssh_key = {}, .ssh_config = {}, .pgdata = "/data"});
    return out;
}

std::string text_of(const Plan& plan) {
    std::string out;
    for (const std::string& line : describe(plan)) out += line + "\n";
    return out;
}

TEST(CopyPlan, DeletesNothingBeforeTheCopyIsInPlaceAndStreams) {
    const Plan plan = copying(decision(), saved());
    EXPECT_EQ(plan.kind, OperationKind::reclone);
    ASSERT_TRUE(plan.commit);
    EXPECT_TRUE(std::holds_alternative<PutInPlace>(plan.commit->apply.front()));
    ASSERT_EQ(plan.finish.size(), 2U) << "one after the other";
    EXPECT_TRUE(std::holds_alternative<StartCopy>(plan.finish[0].steps.front().apply.front()));
    EXPECT_TRUE(std::holds_alternative<DiscardOld>(plan.finish[1].steps.front().apply.front()));
}

TEST(CopyPlan, KeepsTheOldDirectoryWhereThatIsWantedOrThereIsNone) {
    decide::CopyServer kept = decision();
    kept.wanted.keep_old = true;
    EXPECT_EQ(copying(kept, saved()).finish.size(), 1U);
    decide::CopyServer fresh = decision();
    fresh.old_directory = false;
    EXPECT_EQ(copying(fresh, saved()).finish.size(), 1U);
}

TEST(CopyPlan, SaysTheCommandThatIsRun) {
    const std::string text = text_of(copying(decision(), saved()));
    for (const auto* const part :
         {"pg_basebackup -d 'host=host-of-db2 port=5432", "-D /data.handyrep-new", "--max-rate=51200", "-S db3",
          "--waldir=/wal/db3.handyrep-new", "-T /a=b=/c d.handyrep-new", "mv /data /data.handyrep-old", "rm -rf /data.handyrep-old",
          "undo: on db3: end the copy"})
        EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
}

TEST(CopyPlan, IsReadAgainByALaterLife) {
    const auto read = parse_copy(copy_text(decision()));
    ASSERT_TRUE(read) << read.error().what;
    EXPECT_EQ(read->wanted, decision().wanted);
    EXPECT_EQ(copy_text(*read), copy_text(decision()));
    EXPECT_FALSE(parse_copy("{}"));
    EXPECT_FALSE(parse_copy("7"));
    const auto undo = parse_undo(undo_text(copying(decision(), saved()).reversible[1].undo));
    ASSERT_TRUE(undo);
    EXPECT_EQ(std::get<AbandonCopy>(undo->front()).server, server("db3"));
}

}  // namespace
}  // namespace handyrep::plans
