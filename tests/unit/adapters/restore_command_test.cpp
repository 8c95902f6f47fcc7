// restore_command while WAL is brought to a standby: what a shell makes of it, and what it says of the one before.
#include "adapters/postgres/restore_command.hpp"

#include <gtest/gtest.h>

namespace handyrep::adapters::postgres {
namespace {

TEST(RestoreCommand, CopiesOutOfTheFolderAndSaysWhoseItIs) {
    EXPECT_EQ(
        offering_command("/home/postgres/.handyrep/salvage.1.2", 12, {}),
        R"([ -f '/home/postgres/.handyrep/salvage.1.2'/%f ] && cp '/home/postgres/.handyrep/salvage.1.2'/%f "%p" # handyrep operation 12 replaced nothing)");
}

TEST(RestoreCommand, OfAFolderWithAQuoteAndAPercentLeadsThere) {
    EXPECT_TRUE(offering_command("/a'b%c", 1, {}).starts_with(R"([ -f '/a'\''b%%c'/%f ] && cp )"));
}

TEST(RestoreCommand, SaysWhatItReplacedWhateverThatWas) {
    for (const Replaced& replaced :
         {Replaced{}, Replaced{""}, Replaced{R"(cp '/archive/%f' "%p" # handyrep operation 3 replaced nothing)"},
          Replaced{"a'b\\c %% \xc3\xa4"}}) {
        const std::string command = offering_command("/kept", 7, replaced);
        EXPECT_EQ(replaced_by(command), replaced) << command;
        EXPECT_EQ(command.find('\n'), std::string::npos);
    }
}

TEST(RestoreCommand, OfSomebodyElseReplacedNothing) {
    for (const std::string_view command :
         {"", "cp /archive/%f %p", "cp /archive/%f %p # handyrep operation", "true # handyrep operation 3 replaced xyz",
          "true # handyrep operation 3 replaced x4", "true # handyrep operation  replaced nothing"})
        EXPECT_EQ(replaced_by(command), std::nullopt) << command;
}

}  // namespace
}  // namespace handyrep::adapters::postgres
