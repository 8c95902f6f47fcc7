// The closed sets: every word has its page, no two words are one, and docs/reasons.md is what the pages make.
#include "decide/reasons.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

namespace handyrep::decide {

namespace {

template <class Values>
void expect_whole(const Values& values) {
    std::set<std::string_view> words;
    for (const auto value : values) {
        EXPECT_FALSE(word_for(value).empty());
        EXPECT_TRUE(words.insert(word_for(value)).second) << word_for(value);
        const Page page = page_of(value);
        for (const std::string_view part : {page.means, page.evidence, page.handyrep, page.person}) {
            EXPECT_TRUE(part.ends_with('.')) << word_for(value) << ": '" << part << "'";
        }
    }
}

}  // namespace

TEST(Reasons, HaveAWordOfTheirOwnAndAWholePageEach) {
    expect_whole(all_situations);
    expect_whole(all_finding_kinds);
    expect_whole(all_reasons);
    expect_whole(all_closed);
}

TEST(Reasons, AreWhatTheDocumentSays) {
    const std::string path = HANDYREP_REASONS;
    if (std::getenv("HANDYREP_WRITE_REASONS") != nullptr) std::ofstream{path} << reasons_document();
    std::ifstream file{path};
    std::ostringstream text;
    text << file.rdbuf();
    EXPECT_EQ(text.str(), reasons_document()) << "docs/reasons.md is out of date: run this test once with HANDYREP_WRITE_REASONS=1";
}

}  // namespace handyrep::decide
