#include "plans/undo_text.hpp"

#include <gtest/gtest.h>

#include <string_view>

namespace handyrep::plans {
namespace {

model::ServerName server(std::string_view name) { return *model::ServerName::parse(name); }

TEST(UndoText, OfEveryUndoIsReadBackAsItWas) {
    const std::vector<Command> undo{
        Reattach{server("db2"), server("db1")}, Reattach{server("db3"), server("db1")}, EndSalvage{server("db2")}};
    const auto read = parse_undo(undo_text(undo));
    ASSERT_TRUE(read) << read.error().what;
    EXPECT_EQ(undo_text(*read), undo_text(undo));
    ASSERT_EQ(read->size(), 3U);
    EXPECT_EQ(std::get<Reattach>((*read)[1]).replica, server("db3"));
    EXPECT_EQ(std::get<EndSalvage>((*read)[2]).candidate, server("db2"));
}

TEST(UndoText, ThatIsNotKnownIsRefusedAndNotGuessed) {
    for (const std::string_view text :
         {"", "{}", "[{}]", "[1]", R"([{"do":"promote","server":"db2"}])", R"([{"do":"reattach","replica":"db2"}])",
          R"([{"do":"reattach","replica":"../db2","upstream":"db1"}])"}) {
        EXPECT_FALSE(parse_undo(text)) << text;
    }
}

}  // namespace
}  // namespace handyrep::plans
