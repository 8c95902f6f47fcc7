#include "base/yaml.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace handyrep {
namespace {

using Kind = YamlNode::Kind;

YamlNode node(std::string_view text) {
    auto read = read_yaml(text);
    if (const auto* trouble = std::get_if<YamlTrouble>(&read)) ADD_FAILURE() << trouble->text;
    const auto* const found = std::get_if<YamlNode>(&read);
    return found != nullptr ? *found : YamlNode{};
}

YamlTrouble trouble(std::string_view text) {
    const auto read = read_yaml(text);
    const auto* const found = std::get_if<YamlTrouble>(&read);
    if (found == nullptr) ADD_FAILURE() << "no trouble in: " << text.substr(0, 200);
    return found != nullptr ? *found : YamlTrouble{};
}

TEST(Yaml, KnowsWhereKeysAndValuesStandCountedFromOne) {
    const YamlNode root = node("a: 1\nb:\n  c: two\n");
    ASSERT_EQ(root.kind, Kind::map);
    ASSERT_EQ(root.items.size(), 2U);
    EXPECT_EQ(root.items[0].key_at, (YamlPlace{1, 1}));
    EXPECT_EQ(root.items[0].at, (YamlPlace{1, 4}));
    ASSERT_EQ(root.items[1].items.size(), 1U);
    const YamlNode& inner = root.items[1].items[0];
    EXPECT_EQ(inner.key, "c");
    EXPECT_EQ(inner.text, "two");
    EXPECT_EQ(inner.at, (YamlPlace{3, 6}));
}

TEST(Yaml, KeepsDuplicateKeys) {
    const YamlNode root = node("a: 1\na: 2\n");
    ASSERT_EQ(root.items.size(), 2U);
    EXPECT_EQ(root.items[1].text, "2");
}

TEST(Yaml, TellsNoValueFromAnEmptyText) {
    const YamlNode root = node("a:\nb: \"\"\nc: null\n");
    ASSERT_EQ(root.items.size(), 3U);
    EXPECT_EQ(root.items[0].kind, Kind::nothing);
    EXPECT_EQ(root.items[1].kind, Kind::text);
    EXPECT_EQ(root.items[2].kind, Kind::nothing);
}

TEST(Yaml, IsNothingWhenEmptyOrOnlyComments) {
    EXPECT_EQ(node("").kind, Kind::nothing);
    EXPECT_EQ(node("# nothing\n\n").kind, Kind::nothing);
}

TEST(Yaml, ReadsListsOfMaps) {
    const YamlNode root = node("list:\n  - a: 1\n  - a: 2\n");
    ASSERT_EQ(root.items[0].kind, Kind::list);
    ASSERT_EQ(root.items[0].items.size(), 2U);
    EXPECT_EQ(root.items[0].items[1].items[0].text, "2");
}

TEST(Yaml, NamesTheLineOfASyntaxError) { EXPECT_EQ(trouble("a: 1\nb: [1, 2\nc: 3\n").at.line, 3); }

TEST(Yaml, RefusesASecondDocument) { EXPECT_EQ(trouble("a: 1\n---\nb: 2\n").text, "a second document begins here; expected one"); }

TEST(Yaml, RefusesWhatWouldSilentlyChangeAnUnquotedPassword) {
    EXPECT_NE(trouble("pass: &hunter2 x\n").text.find("put it in quotes"), std::string::npos);
    EXPECT_NE(trouble("pass: *hunter2\n").text.find("put it in quotes"), std::string::npos);
    EXPECT_NE(trouble("pass: !hunter2\n").text.find("put it in quotes"), std::string::npos);
    EXPECT_NE(trouble("pass: &hunter2\n  a: b\n").text.find("put it in quotes"), std::string::npos);
}

TEST(Yaml, QuotesNothingOfTheFileInATrouble) {
    for (const std::string_view text :
         {"pass: *hunter2\n", "pass: \"hunter2\\q\"\n", "pass: [hunter2\n", "pass: %hunter2\n", "pass: @hunter2\n", "pass: 'hunter2\n",
          "pass: !<hunter2\n", "%hunter2\n", "pass: |hunter2\n", "pass:\n  hunter2: [}\n"}) {
        const auto read = read_yaml(text);
        if (const auto* found = std::get_if<YamlTrouble>(&read)) EXPECT_EQ(found->text.find("hunter2"), std::string::npos) << found->text;
    }
}

TEST(Yaml, RefusesAKeyThatIsAList) { EXPECT_EQ(trouble("[a, b]: 1\n").text, "a list or a map stands where a key was expected"); }

TEST(Yaml, RefusesDeepNestingInEveryStyle) {
    EXPECT_NE(trouble(std::string(100, '[')).text, "");
    EXPECT_NE(trouble(std::string(200'000, '[')).text, "");
    EXPECT_NE(trouble(std::string(200'000, '{')).text, "");
    std::string maps;
    for (std::size_t i = 0; i < 400; ++i) maps += std::string(i, ' ') + "a:\n";
    EXPECT_EQ(trouble(maps + std::string(400, ' ') + "x").text, "nested deeper than 16 levels");
    std::string lists;
    for (int i = 0; i < 50'000; ++i) lists += "- ";
    EXPECT_NE(trouble(lists + "x").text, "");
}

TEST(Yaml, RefusesATextThatIsTooLong) {
    const auto read = read_yaml("a: 12345\n", {.bytes = 5, .depth = 4});
    ASSERT_TRUE(std::holds_alternative<YamlTrouble>(read));
    EXPECT_EQ(std::get<YamlTrouble>(read).text, "9 B long; expected at most 5 B");
}

TEST(Yaml, RefusesBytesThatAreNoTextAndSaysWhere) {
    const YamlTrouble zero = trouble(std::string_view{"a: 1\nb: \0x\n", 11});
    EXPECT_EQ(zero.at, (YamlPlace{2, 4}));
    EXPECT_EQ(zero.text, "not a text file: byte 0x00");
    EXPECT_EQ(trouble("a: \xFF\xFE\n").text, "not UTF-8: byte 0xFF");
    EXPECT_EQ(trouble("a: \xE2\x82").text, "not UTF-8: byte 0xE2");
}

TEST(Yaml, ReadsUtf8AsItIs) { EXPECT_EQ(node("a: Größe\n").items[0].text, "Größe"); }

TEST(YamlText, IsReadBackAsTheVeryText) {
    for (const std::string_view value : {"",          "plain", "db1.example", "null",  "~",          "true",        "No",
                                         "-",         "- x",   "a: b",        "a #b",  "\"quoted\"", "back\\slash", "two\nlines",
                                         "tab\there", "*star", "&and",        "!bang", " blanks ",   "%",           "@at",
                                         "`",         "[x]",   "{x}",         "...",   "---",        "0x10",        "host=a port=5432",
                                         "Größe",     "\x01",  "\x7F",        "?",     "=",          "<<",          "it's",
                                         "a,b",       ":",     "|",           ">"}) {
        const YamlNode root = node("key: " + yaml_text(value) + "\nnext: 1\n");
        ASSERT_EQ(root.items.size(), 2U) << value;
        EXPECT_EQ(root.items[0].kind, Kind::text) << value;
        EXPECT_EQ(root.items[0].text, value);
    }
}

TEST(YamlText, MakesBytesThatAreNotUtf8Readable) { EXPECT_EQ(node("key: " + yaml_text("a\xFFz") + "\n").items[0].text, "a\uFFFDz"); }

}  // namespace
}  // namespace handyrep
