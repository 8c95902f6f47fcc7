#include "base/ensure.hpp"
#include "base/error.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

#include <gtest/gtest.h>

#include <string>
#include <type_traits>

namespace handyrep {
namespace {

TEST(Error, SaysWhatHappenedAndWhileDoingWhatInnermostFirst) {
    const Error error = Error{ErrorKind::refused, "the server said no"}.during("promote db2").during("failover of cluster pay");
    EXPECT_EQ(error.text(), "the server said no (while: promote db2) (while: failover of cluster pay)");
}

TEST(Error, IsLeftAloneWhenAnActivityIsAddedToACopy) {
    const Error error{ErrorKind::failed, "it broke"};
    const Error longer = error.during("look");
    EXPECT_EQ(error.text(), "it broke");
    EXPECT_EQ(longer.text(), "it broke (while: look)");
}

TEST(ErrorKind, HasItsOwnRowInTheTable) {
    for (const KindRow& row : kind_table) EXPECT_EQ(row_of(row.kind).word, row.word);
}

TEST(ErrorKind, IsSurelyNotDoneOnlyWhereTheOtherSideSaidSo) {
    EXPECT_FALSE(surely_not_done(ErrorKind::timed_out));
    EXPECT_FALSE(surely_not_done(ErrorKind::unreachable));
    EXPECT_FALSE(surely_not_done(ErrorKind::failed));
    EXPECT_TRUE(surely_not_done(ErrorKind::refused));
    EXPECT_TRUE(surely_not_done(ErrorKind::denied));
    EXPECT_TRUE(surely_not_done(ErrorKind::invalid));
    EXPECT_TRUE(surely_not_done(ErrorKind::conflict));
    EXPECT_TRUE(surely_not_done(ErrorKind::unsupported));
}

TEST(Result, IsTrueWithAValueAndFalseWithAnError) {
    const Result<int> value = 7;
    const Result<int> error = Error{ErrorKind::invalid, "no number"};
    ASSERT_TRUE(value);
    EXPECT_EQ(*value, 7);
    ASSERT_FALSE(error);
    EXPECT_EQ(error.error().what, "no number");
}

TEST(Ensure, AbortsOnAFalseClaimAndNamesIt) {
    ensure(true, "never printed");
    EXPECT_DEATH(ensure(false, "a plan has a commit step"), "broken claim: a plan has a commit step");
}

template <class T>
concept Printable = requires(std::ostream& out, const T& it) { out << it; };

TEST(Secret, IsNotPrintableAndNotComparable) {
    static_assert(!Printable<Secret>);
    static_assert(!std::equality_comparable<Secret>);
    EXPECT_TRUE(Secret{}.empty());
    EXPECT_EQ(Secret{"hunter2"}.reveal(), "hunter2");
}

}  // namespace
}  // namespace handyrep
