#include "base/text.hpp"

#include <gtest/gtest.h>

#include <array>

namespace handyrep {
namespace {

TEST(Text, IsTrimmedOfBlanksAtBothEnds) {
    EXPECT_EQ(trim(" \t a b\r\n"), "a b");
    EXPECT_EQ(trim(" \n "), "");
    EXPECT_EQ(trim(""), "");
}

TEST(Text, IsSplitIntoOnePartMoreThanItHasSeparators) {
    EXPECT_EQ(split("a,,b", ','), (std::vector<std::string_view>{"a", "", "b"}));
    EXPECT_EQ(split("", ','), std::vector<std::string_view>{""});
    EXPECT_EQ(split(",", ','), (std::vector<std::string_view>{"", ""}));
}

TEST(Text, IsJoinedWithASeparatorBetween) {
    const std::vector<std::string> parts{"a", "b"};
    EXPECT_EQ(join(parts, ", "), "a, b");
    EXPECT_EQ(join({}, ", "), "");
}

TEST(Nearest, FindsTheWordThatWasMeant) {
    constexpr std::array<std::string_view, 3> known{"poll_interval", "poll_tries", "remaster"};
    EXPECT_EQ(nearest("pol_interval", known), "poll_interval");
    EXPECT_EQ(nearest("POLL_TRIES", known), "poll_tries");
    EXPECT_EQ(nearest("remastr", known), "remaster");
}

TEST(Nearest, FindsNothingWhereNothingIsClose) {
    constexpr std::array<std::string_view, 2> known{"port", "role"};
    EXPECT_FALSE(nearest("hostname", known));
    EXPECT_FALSE(nearest("x", {}));
}

TEST(Bytes, AreShownInPowersOf1024) {
    EXPECT_EQ(bytes_text(0), "0 B");
    EXPECT_EQ(bytes_text(1023), "1023 B");
    EXPECT_EQ(bytes_text(1536), "1.5 kB");
    EXPECT_EQ(bytes_text(16ULL << 20U), "16 MB");
    EXPECT_EQ(bytes_text(3ULL << 50U), "3072 TB");
}

}  // namespace
}  // namespace handyrep
