// Schemas as grammars over tokens. Random walks through the masks must end in JSON that an
// independent checker of schemas, below, finds valid; and what a generator makes of a schema must
// be taken token by token, however it is cut.
#include "text/json_schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <regex>
#include <set>

#include "base/random.h"
#include "base/utf8.h"
#include "error_of.h"
#include "text/token_masks.h"
#include "tiny_tokenizer.h"

namespace chatmem {
namespace {

using ::testing::HasSubstr;

Json json(const std::string& text) { return parse_json(text, "test"); }

// The checker: JSON Schema's own words, with std::regex for patterns over ASCII.

bool matches_type(const Json& value, const std::string& type) {
  if (type == "integer") return value.is_number() && std::trunc(value.get<double>()) == value;
  return value.type_name() == type;
}

size_t n_characters(const std::string& text) {
  return size_t(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

// A byte for each character, so that std::regex sees as many: beyond ASCII a line end, a blank as
// ECMAScript has them, or anything else.
std::string ascii_image(std::string_view text) {
  std::string image;
  for (size_t i = 0; i < text.size();) {
    const uint8_t lead = uint8_t(text[i]);
    const size_t n = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    char32_t point = n == 1 ? lead : lead & (0xFF >> (n + 1));
    for (size_t k = 1; k < n; k++) point = point << 6 | (uint8_t(text[i + k]) & 0x3F);
    const bool is_line_end = point == 0x2028 || point == 0x2029;
    const bool is_blank = point == 0xA0 || point == 0x1680 ||
                          (point >= 0x2000 && point <= 0x200A) || point == 0x202F ||
                          point == 0x205F || point == 0x3000 || point == 0xFEFF;
    image += n == 1 ? text[i] : is_line_end ? '\n' : is_blank ? ' ' : '~';
    i += n;
  }
  return image;
}

bool is_date(const std::string& text) {
  std::smatch m;
  if (!std::regex_match(text, m, std::regex("(\\d{4})-(\\d\\d)-(\\d\\d)"))) return false;
  const int year = std::stoi(m[1]), month = std::stoi(m[2]), day = std::stoi(m[3]);
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  const int days[] = {31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1];
}

bool valid(const Json& value, const Json& schema, const Json& root);

bool valid_string(const std::string& text, const Json& schema) {
  const size_t n = n_characters(text);
  if (schema.contains("minLength") && n < schema["minLength"]) return false;
  if (schema.contains("maxLength") && n > schema["maxLength"]) return false;
  if (schema.contains("pattern") &&
      !std::regex_search(ascii_image(text), std::regex(schema["pattern"].get<std::string>())))
    return false;
  if (!schema.contains("format")) return true;
  if (schema["format"] == "date") return is_date(text);
  if (schema["format"] == "uuid")
    return std::regex_match(text, std::regex("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"));
  const std::regex time(
      "([01]\\d|2[0-3])(:[0-5]\\d){2}(\\.\\d+)?(Z|[+-]([01]\\d|2[0-3]):[0-5]\\d)");
  if (schema["format"] == "time") return std::regex_match(text, time);
  return text.size() > 11 && text[10] == 'T' && is_date(text.substr(0, 10)) &&
         std::regex_match(text.substr(11), time);
}

bool valid_object(const Json& value, const Json& schema, const Json& root) {
  const Json properties = schema.value("properties", Json::object());
  for (const Json& name : schema.value("required", Json::array()))
    if (!value.contains(name.get<std::string>())) return false;
  for (const auto& item : value.items()) {
    if (properties.contains(item.key())) {
      if (!valid(item.value(), properties[item.key()], root)) return false;
    } else if (schema.contains("additionalProperties")) {
      const Json& others = schema["additionalProperties"];
      if (others == false || (others.is_object() && !valid(item.value(), others, root)))
        return false;
    }
  }
  return true;
}

bool valid_number(double x, const Json& schema) {
  return !(schema.contains("minimum") && x < schema["minimum"]) &&
         !(schema.contains("maximum") && x > schema["maximum"]) &&
         !(schema.contains("exclusiveMinimum") && x <= schema["exclusiveMinimum"]) &&
         !(schema.contains("exclusiveMaximum") && x >= schema["exclusiveMaximum"]);
}

bool valid(const Json& value, const Json& schema, const Json& root) {
  if (schema.is_boolean()) return schema.get<bool>();
  if (schema.contains("$ref")) {
    const std::string reference = schema["$ref"];
    return valid(value, root.at(Json::json_pointer(reference.substr(1))), root);
  }
  if (schema.contains("const") && value != schema["const"]) return false;
  if (schema.contains("enum") &&
      std::find(schema["enum"].begin(), schema["enum"].end(), value) == schema["enum"].end())
    return false;
  for (const char* keyword : {"anyOf", "allOf"})
    if (schema.contains(keyword) &&
        std::none_of(schema[keyword].begin(), schema[keyword].end(),
                     [&](const Json& one) { return valid(value, one, root); }))
      return false;
  if (schema.contains("type")) {
    const Json types = schema["type"].is_array() ? schema["type"] : Json::array({schema["type"]});
    if (std::none_of(types.begin(), types.end(),
                     [&](const Json& type) { return matches_type(value, type); }))
      return false;
  }
  if (value.is_string()) return valid_string(value, schema);
  if (value.is_number()) return valid_number(value, schema);
  if (value.is_object()) return valid_object(value, schema, root);
  if (!value.is_array()) return true;
  if (schema.contains("minItems") && value.size() < schema["minItems"]) return false;
  if (schema.contains("maxItems") && value.size() > schema["maxItems"]) return false;
  return std::all_of(value.begin(), value.end(), [&](const Json& item) {
    return !schema.contains("items") || valid(item, schema["items"], root);
  });
}

// All bytes, and pieces as a tokenizer makes them: of several characters of JSON, half characters,
// the end of one thing and the beginning of the next.
const std::vector<std::string>& pieces() {
  static const std::vector<std::string> kPieces = [] {
    std::vector<std::string> made = tiny_pieces();
    for (const char* piece :
         {"\":",      "\": ",    "\",\"",   "\", \"",   "{\"",   "[{\"",
          "\"}",      "\"},{\"", "}}",      "]}",       "[]",    "{}",
          "null",     "true",    "fal",     "se",       "null}", "-1",
          "0.",       "00",      "1e",      "e+",       "e9",    "\\\"",
          "\\u00",    "\\ud8",   "3d\\ude", "\xE2\x82", "\xAC",  "\xF0\x9F\x98\x80",
          "\x9F\x98", "é\"",     "name",    "\"name\"", "\"a\"", "\"b\"",
          "a\",",     "20",      "24-",     "-0",       "2-29",  "T1",
          "Z\"",      "},",      "],",      ",",        "  ",    "\n",
          "abc",      "ABC",     "value"})
      made.push_back(piece);
    made.push_back("abc");  // a twin
    made.push_back("");     // as a special token is
    return made;
  }();
  return kPieces;
}

const TokenTrie& trie() {
  static const TokenTrie kTrie(std::vector<std::string_view>(pieces().begin(), pieces().end()));
  return kTrie;
}

std::vector<uint32_t> allowed(TokenMatcher& matcher) {
  std::vector<uint32_t> bits((pieces().size() + 31) / 32);
  matcher.add_allowed(bits);
  return bits;
}
bool has(const std::vector<uint32_t>& bits, size_t token) {
  return bits[token / 32] >> token % 32 & 1;
}

// Picks allowed tokens at random until the text is whole and may end, with a growing wish to end:
// then tokens are preferred that close what is open.
std::string random_text(const ByteGrammar& grammar, uint64_t seed) {
  Random random(seed);
  TokenMatcher matcher(grammar, trie());
  std::string text;
  for (int step = 0; step < 3'000; step++) {
    const std::vector<uint32_t> bits = allowed(matcher);
    std::vector<size_t> choices;
    for (size_t token = 0; token < pieces().size(); token++)
      if (has(bits, token)) choices.push_back(token);
    if (matcher.complete() && (choices.empty() || random.below(4) == 0)) return text;
    EXPECT_FALSE(choices.empty()) << "dead end after " << text;
    if (choices.empty()) return text;
    size_t token = choices[random.below(choices.size())];
    if (int(random.below(60)) < step) {
      // A quotation mark ends a string, in which brackets are text.
      const std::string_view first = random.below(2) == 0 ? "\"" : "]}";
      std::vector<size_t> closing;
      for (const size_t other : choices)
        if (pieces()[other].find_first_of(first) == 0) closing.push_back(other);
      if (!closing.empty()) token = closing[random.below(closing.size())];
    }
    EXPECT_TRUE(matcher.accept(int(token)));
    text += pieces()[token];
  }
  ADD_FAILURE() << "no end: " << text;
  return text;
}

bool accepts(const ByteGrammar& grammar, std::string_view text) {
  GrammarMatcher matcher(grammar);
  int state = matcher.start();
  for (const char c : text) {
    state = matcher.step(state, uint8_t(c));
    if (state == GrammarMatcher::kDead) return false;
  }
  return matcher.complete(state);
}
bool accepts(const std::string& schema, std::string_view text) {
  return accepts(schema_grammar(json(schema)), text);
}

// Cuts the text into tokens, each as long as `longest` allows or by chance, and feeds them; each
// must be in the mask.
::testing::AssertionResult takes(const ByteGrammar& grammar, const std::string& text,
                                 size_t longest, uint64_t seed) {
  Random random(seed);
  TokenMatcher matcher(grammar, trie());
  for (size_t at = 0; at < text.size();) {
    std::vector<size_t> fitting;
    size_t best = 0;
    for (size_t token = 0; token < pieces().size(); token++) {
      const std::string& piece = pieces()[token];
      if (piece.empty() || piece.size() > longest || text.compare(at, piece.size(), piece) != 0)
        continue;
      fitting.push_back(token);
      if (piece.size() > pieces()[best].size() || best == 0) best = token;
    }
    const size_t token = seed == 0 ? best : fitting[random.below(fitting.size())];
    if (!has(allowed(matcher), token) || !matcher.accept(int(token)))
      return ::testing::AssertionFailure()
             << "'" << pieces()[token] << "' at " << at << " of " << text;
    at += pieces()[token].size();
  }
  return matcher.complete() ? ::testing::AssertionSuccess()
                            : ::testing::AssertionFailure() << "not complete: " << text;
}

// A random value of a schema, by a recursion of its own; depth limits optional parts.
class ValueMaker {
 public:
  ValueMaker(const Json& root, uint64_t seed) : root_(root), random_(seed) {}

  Json make(const Json& schema, int depth) {
    if (schema.contains("$ref"))
      return make(root_.at(Json::json_pointer(schema["$ref"].get<std::string>().substr(1))), depth);
    if (schema.contains("const")) return schema["const"];
    if (schema.contains("enum")) return pick(schema["enum"]);
    if (schema.contains("anyOf")) {
      // The last one is the way out of a recursion, by the order of the schemas below.
      const Json& list = schema["anyOf"];
      return make(depth > 0 ? pick(list) : list.back(), depth - 1);
    }
    const Json type = schema["type"].is_array() ? pick(schema["type"]) : schema["type"];
    if (type == "object") return make_object(schema, depth);
    if (type == "array") return make_array(schema, depth);
    if (type == "string") return make_string(schema);
    if (type == "integer")
      return random_.between(schema.value("minimum", -100'000), schema.value("maximum", 100'000));
    if (type == "number") return random_.between(-9'000, 9'000) / 64.0;
    if (type == "boolean") return random_.below(2) == 0;
    return nullptr;
  }

 private:
  const Json& pick(const Json& list) { return list[random_.below(list.size())]; }
  Json make_object(const Json& schema, int depth) {
    Json made = Json::object();
    const Json required = schema.value("required", Json::array());
    for (const auto& item : schema["properties"].items())
      if (std::find(required.begin(), required.end(), item.key()) != required.end() ||
          (depth > 0 && random_.below(2) == 0))
        made[item.key()] = make(item.value(), depth - 1);
    return made;
  }
  Json make_array(const Json& schema, int depth) {
    const int least = schema.value("minItems", 0);
    const int most = depth > 0 ? schema.value("maxItems", least + 4) : least;
    Json made = Json::array();
    for (int n = random_.between(least, most); n > 0; n--)
      made.push_back(make(schema["items"], depth - 1));
    return made;
  }
  Json make_string(const Json& schema) {
    if (schema.contains("format"))
      return fmt::format("{:04}-{:02}-{:02}", random_.between(0, 9999), random_.between(1, 12),
                         random_.between(1, 28));
    static const char* const kCharacters[] = {
        "a", "B", " ", "é", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\"", "\\", "\n", "/", "\x01", "z"};
    std::string text;
    for (int n = random_.between(schema.value("minLength", 0), schema.value("maxLength", 12));
         n > 0; n--)
      text += kCharacters[random_.below(std::size(kCharacters))];
    return text;
  }

  const Json& root_;
  Random random_;
};

// Schemas whose values the ValueMaker can make too.
const char* const kSchemas[] = {
    R"({"type":"object","properties":{"name":{"type":"string"},"a":{"type":"integer"},
        "b":{"type":["boolean","null"]}},
        "required":["name","a","b"],"additionalProperties":false})",
    R"({"type":"object","properties":{"a":{"type":"number"},"b":{"type":"string"},"name":
        {"type":"boolean"}},"required":["b"]})",
    R"({"type":"object","properties":{"a":{"type":"null"},"b":{"type":"null"}}})",
    R"({"type":"array","items":{"type":"string","minLength":1,"maxLength":3},"minItems":1,
        "maxItems":3})",
    R"({"type":"array","items":{"type":"array","items":{"type":"integer","minimum":-20,
        "maximum":107}},"minItems":2})",
    R"({"enum":["a","abc","ab",1,12,null,true,{"a":[1,"x"]},"é\n\""]})",
    R"({"const":{"a":"value"}})",
    R"({"$defs":{"tree":{"type":"object","properties":{"name":{"type":"string"},"b":{"type":"array",
        "items":{"$ref":"#/$defs/tree"}}},"required":["name","b"]}},"$ref":"#/$defs/tree"})",
    R"({"type":"object","properties":{"value":{"type":"integer"},"next":{"anyOf":[{"$ref":"#"},
        {"type":"null"}]}},"required":["value","next"],"additionalProperties":false})",
    R"({"anyOf":[{"type":"object","properties":{"a":{"const":"a"},"value":{"type":"string"}},
        "required":["a","value"]},{"type":"object","properties":{"a":{"const":"b"},"value":
        {"type":"number"}},"required":["a","value"]}]})",
    R"({"type":"string","format":"date"})",
};

// And more for walks alone.
const char* const kMoreSchemas[] = {
    "true",
    R"({"type":"object"})",
    R"({"type":"object","additionalProperties":{"type":"array","items":{"type":"boolean"}}})",
    R"({"type":"object","properties":{},"additionalProperties":false})",
    R"({"type":"array","maxItems":0})",
    R"({"type":"array","minItems":3})",
    R"({"type":"string","maxLength":0})",
    R"({"type":"string","minLength":5})",
    R"({"type":"string","format":"date-time"})",
    R"({"type":"string","format":"time"})",
    R"({"type":"string","format":"uuid"})",
    R"({"type":"string","pattern":"^[a-c]{2,4}(x|yz)+\\d?$"})",
    R"({"type":"string","pattern":"ab|^c.$"})",
    R"({"type":"string","pattern":"^[^a-z\"]{3}\\\\\\s$"})",
    R"({"type":"integer","minimum":7,"exclusiveMaximum":8})",
    R"({"type":"integer","exclusiveMinimum":-1000,"maximum":-98})",
    R"({"type":"integer","minimum":0})",
    R"({"type":"number","minimum":-3,"maximum":12})",
    R"({"type":"number","minimum":5,"maximum":5})",
    R"({"type":"number","maximum":-2})",
    R"({"allOf":[{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]}]})",
    R"({"type":["string","integer","array"],"maxLength":2,"minimum":0,"items":{"type":"null"}})",
};

TEST(JsonSchema, RandomWalksEndInValidValues) {
  std::vector<const char*> schemas(std::begin(kSchemas), std::end(kSchemas));
  schemas.insert(schemas.end(), std::begin(kMoreSchemas), std::end(kMoreSchemas));
  for (const char* text : schemas) {
    const Json schema = json(text);
    const ByteGrammar grammar = schema_grammar(schema);
    std::set<std::string> different;
    for (uint64_t seed = 0; seed < 60; seed++) {
      const std::string made = random_text(grammar, seed);
      different.insert(made);
      EXPECT_TRUE(valid(json(made), schema, schema)) << made << "\nof " << text;
    }
    EXPECT_FALSE(different.empty());
  }
}

TEST(JsonSchema, EveryValueIsTakenHoweverItIsCut) {
  for (const char* text : kSchemas) {
    const Json schema = json(text);
    const ByteGrammar grammar = schema_grammar(schema);
    for (uint64_t seed = 0; seed < 40; seed++) {
      const Json value = ValueMaker(schema, seed).make(schema, 5);
      ASSERT_TRUE(valid(value, schema, schema)) << value << "\nof " << text;
      const std::string compact = dump_json(value);
      EXPECT_TRUE(takes(grammar, compact, 1, 0));
      EXPECT_TRUE(takes(grammar, compact, 100, 0));
      EXPECT_TRUE(takes(grammar, compact, 100, seed + 1));
      EXPECT_TRUE(takes(grammar, compact, 4, seed + 1));
    }
  }
}

TEST(JsonSchema, AMaskIsTheTokensThatAreAccepted) {
  for (const char* text : {kSchemas[0], kSchemas[3], kSchemas[7], kMoreSchemas[0]}) {
    const ByteGrammar grammar = schema_grammar(json(text));
    Random random(3);
    TokenMatcher matcher(grammar, trie());
    for (int step = 0; step < 60; step++) {
      const std::vector<uint32_t> bits = allowed(matcher);
      std::vector<int> choices;
      for (size_t token = 0; token < pieces().size(); token++) {
        TokenMatcher other = matcher;
        EXPECT_EQ(other.accept(int(token)), has(bits, token)) << pieces()[token];
        if (has(bits, token)) choices.push_back(int(token));
      }
      if (choices.empty()) break;
      matcher.accept(choices[random.below(choices.size())]);
    }
  }
}

TEST(JsonSchema, Texts) {
  const std::string object =
      R"({"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"string"}},)"
      R"("required":["a"]})";
  EXPECT_TRUE(accepts(object, R"({"a":1,"b":"x"})"));
  EXPECT_TRUE(accepts(object, R"({"a": 1, "b": "x"})"));
  EXPECT_TRUE(accepts(object, R"({"a":-0.0})") == false);
  EXPECT_FALSE(accepts(object, R"({"a":  1})")) << "one space at most";
  EXPECT_FALSE(accepts(object, R"({ "a":1})"));
  EXPECT_FALSE(accepts(object, R"({"b":"x","a":1})")) << "the order is the schema's";
  EXPECT_FALSE(accepts(object, R"({"b":"x"})"));
  EXPECT_FALSE(accepts(object, R"({"a":1,"c":2})"));
  EXPECT_FALSE(accepts(object, R"({"a":1,})"));
  EXPECT_FALSE(accepts(object, R"({"a":01})"));
  const std::string text = R"({"type":"string"})";
  EXPECT_TRUE(accepts(text, R"("\u00e9\n\/\ud83d\ude00é😀")"));
  EXPECT_FALSE(accepts(text, R"("\ud83d")"));
  EXPECT_FALSE(accepts(text, R"("\ude00")"));
  EXPECT_FALSE(accepts(text, "\"\xC0\x80\""));
  EXPECT_FALSE(accepts(text, "\"\xED\xA0\x80\""));
  EXPECT_FALSE(accepts(text, "\"\n\""));
  EXPECT_TRUE(accepts(R"({"type":"string","maxLength":1})", "\"\xF0\x9F\x98\x80\""));
  EXPECT_TRUE(accepts(R"({"type":"string","maxLength":1})", R"("\ud83d\ude00")"));
  EXPECT_FALSE(accepts(R"({"type":"string","maxLength":1})", R"("ab")"));
  for (const char* number : {"0", "-0", "-1.50", "12e9", "1E-03", "0.000000000000001"})
    EXPECT_TRUE(accepts(R"({"type":"number"})", number)) << number;
  for (const char* number : {"", "-", "1.", ".5", "1e", "00", "+1", "1e999", "0x1", "1e+"})
    EXPECT_FALSE(accepts(R"({"type":"number"})", number)) << number;
  EXPECT_TRUE(accepts(R"({"type":"string","format":"date"})", "\"2000-02-29\""));
  EXPECT_FALSE(accepts(R"({"type":"string","format":"date"})", "\"1900-02-29\""));
  EXPECT_FALSE(accepts(R"({"type":"string","format":"date"})", "\"2023-04-31\""));
  EXPECT_TRUE(accepts(object_grammar(), R"({"a":[1,{"b":null}],"a":{}})"));
  EXPECT_FALSE(accepts(object_grammar(), "[]"));
}

// Every integer of a range, and none beside it.
TEST(JsonSchema, IntegerBoundsAreExact) {
  Random random(12);
  for (int i = 0; i < 60; i++) {
    const int scale = i % 3 == 0 ? 12 : i % 3 == 1 ? 130 : 2'400;
    const int a = random.between(-scale, scale), b = random.between(-scale, scale);
    const auto [low, high] = std::minmax(a, b);
    const ByteGrammar grammar =
        schema_grammar(Json{{"type", "integer"}, {"minimum", low}, {"maximum", high}});
    const ByteGrammar decimal =
        schema_grammar(Json{{"type", "number"}, {"minimum", low}, {"maximum", high}});
    for (int x = low - 130; x <= high + 130; x++) {
      EXPECT_EQ(accepts(grammar, std::to_string(x)), x >= low && x <= high) << x;
      if (i > 8) continue;
      const std::string half = (x < 0 ? "-" : "") + std::to_string(std::abs(x)) + ".5";
      const double y = std::stod(half);
      EXPECT_EQ(accepts(decimal, half), y >= low && y <= high) << half;
    }
  }
}

TEST(JsonSchema, PatternsMatchAsStdRegexDoes) {
  const std::vector<std::string> texts = {
      "",  "a", "b", "ab",  "ba",  "aab", "abab", "abc",   "a1",  "1",    "12",  "a-b",
      "A", "_", " ", "a b", "xay", "a.b", "aaaa", "aaaaa", "bbb", "a\nb", "cab", "]"};
  for (const char* pattern : {"a",
                              "^a",
                              "b$",
                              "^a$",
                              "^$",
                              "a|b",
                              "^a|b$",
                              "^(ab)*$",
                              "^(a|b)+$",
                              "^a{2,4}$",
                              "^a{3}$",
                              "^a{2,}b?$",
                              "^[a-c]+$",
                              "^[^a]$",
                              "\\d",
                              "^\\w+$",
                              "\\W",
                              "^\\s$",
                              "^a\\.b$",
                              "^a.b$",
                              "^(?:a|ab)(?:c|bcd)?$",
                              "^[\\]a-]$",
                              "^[-a]+$",
                              "\\x61\\u0062",
                              "^(a*b){1,2}$",
                              "^a{0}b$",
                              "^[\\d_]$",
                              "^a+?b??$",
                              ""}) {
    const ByteGrammar grammar = schema_grammar(Json{{"type", "string"}, {"pattern", pattern}});
    for (const std::string& text : texts)
      EXPECT_EQ(accepts(grammar, dump_json(Json(text))),
                std::regex_search(text, std::regex(pattern)))
          << "'" << text << "' and " << pattern;
  }
  const auto whole = [](const char* pattern, const std::string& text) {
    return accepts(schema_grammar(Json{{"pattern", pattern}}), "\"" + text + "\"");
  };
  EXPECT_TRUE(whole("^[à-ü]$", "é"));
  EXPECT_TRUE(whole("^.$", "\xF0\x9F\x98\x80"));
  EXPECT_TRUE(whole("^[^x]$", "\xEF\xBF\xBF"));
  EXPECT_FALSE(whole("^[^x]$", "\xED\xA0\x80"));
  EXPECT_TRUE(whole("^[\\u0400-\\uA000]+$", "Жक"));
}

std::string refusal(const std::string& schema) {
  return error_of([&] { schema_grammar(json(schema)); });
}

TEST(JsonSchema, RefusesByPlace) {
  EXPECT_THAT(refusal(R"({"type":"object","properties":{"a":{"type":"number","multipleOf":2}}})"),
              HasSubstr("keyword 'multipleOf' at '/properties/a' is not supported"));
  EXPECT_THAT(refusal(R"({"oneOf":[true]})"), HasSubstr("keyword 'oneOf' at ''"));
  EXPECT_THAT(refusal(R"({"type":"string","format":"email"})"), HasSubstr("format \"email\""));
  for (const char* schema : {"3",
                             "[]",
                             "false",
                             R"({"type":"text"})",
                             R"({"type":[]})",
                             R"({"enum":[]})",
                             R"({"type":"string","enum":[1]})",
                             R"({"anyOf":[]})",
                             R"({"anyOf":[false]})",
                             R"({"$ref":"#/no"})",
                             R"({"$ref":"http://x/y"})",
                             R"({"$ref":7})",
                             R"({"type":"array","minItems":2,"maxItems":1})",
                             R"({"type":"array","maxItems":-1})",
                             R"({"type":"string","maxLength":1e30})",
                             R"({"type":"string","pattern":"a","maxLength":3})",
                             R"({"type":"integer","minimum":5,"maximum":4})",
                             R"({"type":"integer","minimum":"1"})",
                             R"({"type":"number","minimum":0.5})",
                             R"({"required":["a"]})",
                             R"({"properties":{"a":true},"additionalProperties":true})",
                             R"({"properties":{"a":true},"required":["b"]})",
                             R"({"properties":[]})",
                             R"({"allOf":[true,true]})"})
    EXPECT_THAT(refusal(schema), HasSubstr("[schema]")) << schema;
  for (const char* pattern :
       {"(",    ")",      "a**",      "*",       "[",    "[]",   "[z-a]",  "\\",
        "\\1",  "(?=a)",  "(?<a>b)",  "\\p{L}",  "\\bx", "a^b",  "a$b",    "(^a)",
        "(a|)", "a{2,1}", "a{99999}", "\\ud800", "{",    "a||b", "[\\d-z]"})
    EXPECT_THAT(error_of([&] {
                  schema_grammar(Json{{"pattern", pattern}});
                }),
                HasSubstr("pattern"))
        << pattern;
}

// Schemas that want too much are refused, or run within bounds.
TEST(JsonSchema, AdversarialSchemas) {
  EXPECT_THAT(refusal(R"({"$ref":"#"})"), HasSubstr("must not refer to itself"));
  EXPECT_THAT(refusal(R"({"anyOf":[{"$ref":"#"},{"type":"null"}]})"), HasSubstr("itself"));
  EXPECT_THAT(refusal(R"({"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"anyOf":[{"$ref":"#/$defs/a"}]}},
                          "type":"array","items":{"$ref":"#/$defs/a"}})"),
              HasSubstr("itself"));
  EXPECT_THAT(refusal(R"({"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]})"),
              HasSubstr("must have a value nested at most"));
  // What cannot end is never begun.
  EXPECT_TRUE(accepts(R"({"type":"object","properties":{"a":{"$ref":"#/$defs/x"}},
      "$defs":{"x":{"type":"array","minItems":1,"items":{"$ref":"#/$defs/x"}}}})",
                      "{}"));
  EXPECT_FALSE(accepts(R"({"type":"object","properties":{"a":{"$ref":"#/$defs/x"}},
      "$defs":{"x":{"type":"array","minItems":1,"items":{"$ref":"#/$defs/x"}}}})",
                       R"({"a":[)"));
  EXPECT_THAT(refusal(R"({"type":"string","maxLength":65536})"), HasSubstr("states"));
  EXPECT_THAT(refusal(R"({"pattern":"^((((a{99}){99}){99}){99})$"})"), HasSubstr("states"));
  EXPECT_THAT(
      refusal(R"({"pattern":")" + std::string(40, '(') + "a" + std::string(40, ')') + "\"}"),
      HasSubstr("groups"));
  Json huge = {{"enum", Json::array()}};
  for (int i = 0; i < 100'000; i++) huge["enum"].push_back("value " + std::to_string(i * 7919));
  EXPECT_THAT(error_of([&] { schema_grammar(huge); }), HasSubstr("states"));
  // A chain of 5,000 references: no recursion of the compiler. Too deep to be a value.
  Json chain = {{"$ref", "#/$defs/0"}, {"$defs", Json::object()}};
  for (int i = 0; i < 5'000; i++)
    chain["$defs"][std::to_string(i)] = {{"$ref", "#/$defs/" + std::to_string(i + 1)}};
  chain["$defs"]["5000"] = {{"type", "null"}};
  EXPECT_THAT(error_of([&] { schema_grammar(chain); }), HasSubstr("nested at most"));
}

// Nesting stops where it must still be possible to close everything.
TEST(JsonSchema, DepthIsBoundedWithoutDeadEnds) {
  const ByteGrammar grammar = schema_grammar(json(kSchemas[7]));
  GrammarMatcher matcher(grammar);
  int state = matcher.start(), depth = 0;
  const std::string level = R"({"name":"","b":[)";
  for (;; depth++) {
    int next = state;
    for (const char c : level)
      if (next != GrammarMatcher::kDead) next = matcher.step(next, uint8_t(c));
    if (next == GrammarMatcher::kDead) break;
    state = next;
    ASSERT_LT(depth, 100);
  }
  EXPECT_EQ(depth, ByteGrammar::kMaxDepth / 3);  // each level calls an object, an array, a value
  for (int i = 0; i < depth; i++)
    for (const char c : std::string_view("]}")) {
      state = matcher.step(state, uint8_t(c));
      ASSERT_NE(state, GrammarMatcher::kDead);
    }
  EXPECT_TRUE(matcher.complete(state));
}

// Ambiguity that doubles with each bracket, and an expression whose deterministic form has 2^20
// states: bounded work for each mask, and still an end.
TEST(JsonSchema, AmbiguityIsBounded) {
  for (const char* text : {R"({"$defs":{"a":{"anyOf":[{"type":"array","items":{"$ref":"#/$defs/a"}},
           {"type":"array","items":{"$ref":"#/$defs/a"}},{"type":"array","maxItems":0}]}},
           "$ref":"#/$defs/a"})",
                           R"({"type":"string","pattern":"^(a|b)*a(a|b){20}$"})",
                           R"({"type":"string","pattern":"^(a?b?){300}$"})"}) {
    const Json schema = json(text);
    const ByteGrammar grammar = schema_grammar(schema);
    TokenMatcher matcher(grammar, trie());
    Random random(1);
    std::string made;
    double slowest = 0;
    for (int step = 0; step < 300; step++) {
      const auto begin = std::chrono::steady_clock::now();
      const std::vector<uint32_t> bits = allowed(matcher);
      slowest = std::max(
          slowest, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
      std::vector<int> choices;
      for (size_t token = 0; token < pieces().size(); token++)
        if (has(bits, token)) choices.push_back(int(token));
      if (choices.empty()) break;
      const int token = choices[random.below(choices.size())];
      ASSERT_TRUE(matcher.accept(token));
      made += pieces()[size_t(token)];
    }
    EXPECT_LT(slowest, 5) << text;  // loose: sanitizers and busy machines
    EXPECT_FALSE(made.empty());
    if (matcher.complete()) {
      EXPECT_TRUE(accepts(grammar, made));
    }
  }
}

TEST(JsonSchema, MemoryIsForgottenNotLost) {
  const ByteGrammar grammar = schema_grammar(json(kSchemas[7]));
  GrammarMatcher matcher(grammar);
  int state = matcher.start();
  for (const char c : std::string_view(R"({"name":"x","b":[{"name": "é)"))
    state = matcher.step(state, uint8_t(c));
  state = matcher.compact(state);
  for (const char c : std::string_view(R"(","b":[]}]})")) {
    state = matcher.step(state, uint8_t(c));
    ASSERT_NE(state, GrammarMatcher::kDead);
  }
  EXPECT_TRUE(matcher.complete(state));
}

TEST(JsonSchema, FunctionCalls) {
  const FunctionSchema functions[] = {
      {"get_day", json(R"({"$defs":{"d":{"type":"integer"}},"type":"object",
          "properties":{"day":{"$ref":"#/$defs/d"}},"required":["day"]})")},
      {"stop", nullptr}};
  const ByteGrammar grammar = function_call_grammar(functions);
  EXPECT_TRUE(accepts(grammar, R"({"name": "get_day", "parameters": {"day": 4}})"));
  EXPECT_TRUE(accepts(grammar, R"({"name":"stop","parameters":{"x":[]}})"));
  EXPECT_FALSE(accepts(grammar, R"({"name": "get_day", "parameters": {}})"));
  EXPECT_FALSE(accepts(grammar, R"({"name": "other", "parameters": {}})"));
}

// The Llama 3 tokenizer, where it lies beside the checkout.
TEST(JsonSchema, WithTheTokensOfLlama3) {
  const fs::path path = fs::path(CHATMEM_SOURCE_DIR) / "../shared/data/llama3/tokenizer.json";
  if (!fs::exists(path)) GTEST_SKIP() << "../shared/data/llama3/tokenizer.json is absent";
  const Tokenizer tokenizer = Tokenizer::load(path);
  const TokenTrie llama(tokenizer);
  std::vector<uint32_t> bits((size_t(tokenizer.vocab_size()) + 31) / 32);
  for (const char* text : kSchemas) {
    const Json schema = json(text);
    const ByteGrammar grammar = schema_grammar(schema);
    for (uint64_t seed = 0; seed < 5; seed++) {
      const std::string made = dump_json(ValueMaker(schema, seed).make(schema, 5));
      TokenMatcher matcher(grammar, llama);
      for (const int token : tokenizer.encode(made)) {
        std::fill(bits.begin(), bits.end(), 0);
        matcher.add_allowed(bits);
        ASSERT_TRUE(has(bits, size_t(token))) << tokenizer.piece(token) << " in " << made;
        ASSERT_TRUE(matcher.accept(token));
      }
      EXPECT_TRUE(matcher.complete());
    }
  }
}

}  // namespace
}  // namespace chatmem
