#include "text/json_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <map>
#include <optional>

#include "base/error.h"
#include "text/json_number.h"
#include "text/string_pattern.h"

namespace chatmem {
namespace {

constexpr size_t kMaxAlternatives = 256, kMaxProperties = 1'000;
constexpr int kUnlimited = ByteGrammar::kUnlimited;

// Keywords that describe a value, or hold schemas for $ref.
constexpr std::string_view kDescribing[] = {"title",       "description", "default",  "examples",
                                            "$schema",     "$id",         "$comment", "$defs",
                                            "definitions", "deprecated",  "readOnly", "writeOnly"};

struct Format {
  std::string_view name, pattern;
};
#define CHATMEM_TIME \
  "([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d{1,9})?(Z|[+-]([01]\\d|2[0-3]):[0-5]\\d)"
// Of the days of the Gregorian calendar: by length of the month, then the leap days.
#define CHATMEM_DATE                                                                              \
  "(\\d{4}-((0[13578]|1[02])-(0[1-9]|[12]\\d|3[01])|(0[469]|11)-(0[1-9]|[12]\\d|30)|"             \
  "02-(0[1-9]|1\\d|2[0-8]))|(\\d\\d(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)" \
  "-02-29)"
constexpr Format kFormats[] = {
    {"date", "^" CHATMEM_DATE "$"},
    {"time", "^" CHATMEM_TIME "$"},
    {"date-time", "^" CHATMEM_DATE "T" CHATMEM_TIME "$"},
    {"uuid", "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"},
};
#undef CHATMEM_DATE
#undef CHATMEM_TIME

const Json* member(const Json& object, std::string_view name) {
  const auto it = object.find(std::string(name));
  return it == object.end() ? nullptr : &*it;
}

// Adds a path for each text; texts with the same beginning share it.
void add_choice(ByteGrammar& grammar, int from, const std::vector<std::string>& texts, int to) {
  std::map<std::pair<int, char>, int> children;
  for (const std::string& text : texts) {
    int at = from;
    for (const char c : text) {
      const auto [it, fresh] = children.try_emplace({at, c}, -1);
      if (fresh) {
        it->second = grammar.add_state();
        grammar.add_bytes(at, uint8_t(c), uint8_t(c), it->second);
      }
      at = it->second;
    }
    grammar.add_empty(at, to);
  }
}

class SchemaCompiler {
 public:
  ByteGrammar schema(const Json& root) {
    rule_for({&root, &root, ""});
    return finished();
  }

  ByteGrammar object() {
    const int rule = grammar_.add_rule("");
    object_of(grammar_.start(rule), any_value(), grammar_.end(rule));
    return finished();
  }

  ByteGrammar calls(std::span<const FunctionSchema> functions) {
    const int rule = grammar_.add_rule("");
    for (const FunctionSchema& function : functions) {
      int at = literal(grammar_.start(rule), "{\"name\":");
      at = literal(space(at), "\"" + function.name + "\",");
      at = literal(space(at), "\"parameters\":");
      at = space(at);
      const int end = grammar_.add_state();
      if (function.parameters.is_null())
        object_of(at, any_value(), end);
      else
        grammar_.add_call(at, rule_for({&function.parameters, &function.parameters, ""}), end);
      grammar_.add_literal(end, "}", grammar_.end(rule));
    }
    return finished();
  }

 private:
  // A schema, the document whose $defs it may refer to, and where it is there.
  struct Place {
    const Json* schema;
    const Json* root;
    std::string pointer;
    Place at(std::string_view below, const Json& inner) const {
      return {&inner, root, fmt::format("{}/{}", pointer, below)};
    }
  };

  [[noreturn]] static void refuse(const Place& place, const std::string& must) {
    throw Error(fmt::format("[schema] the schema at '{}' {}", place.pointer, must));
  }

  // Schemas wait in a queue rather than on the stack: references may make long chains.
  ByteGrammar finished() {
    while (!queue_.empty()) {
      const auto [rule, place] = std::move(queue_.front());
      queue_.pop_front();
      compile(place, grammar_.start(rule), grammar_.end(rule));
    }
    grammar_.finish();
    return std::move(grammar_);
  }

  int rule_for(const Place& place) {
    const auto [it, fresh] = rules_.try_emplace(place.schema, -1);
    if (fresh) {
      it->second = grammar_.add_rule(place.pointer.empty() ? "#" : place.pointer);
      queue_.push_back({it->second, place});
    }
    return it->second;
  }

  void compile(const Place& place, int from, int to) {
    const Json& schema = *place.schema;
    if (schema.is_boolean() && schema.get<bool>()) return grammar_.add_call(from, any_value(), to);
    if (!schema.is_object()) refuse(place, "must be an object or true");
    if (const Json* reference = member(schema, "$ref")) {
      check_keywords(place, {"$ref"});
      grammar_.add_call(from, rule_for(resolve(place, *reference)), to);
    } else if (member(schema, "enum") || member(schema, "const")) {
      check_keywords(place, {"type", "enum", "const"});
      choice(place, from, to);
    } else if (const Json* any_of = member(schema, "anyOf")) {
      check_keywords(place, {"anyOf"});
      alternatives(place, "anyOf", *any_of, kMaxAlternatives, from, to);
    } else if (const Json* all_of = member(schema, "allOf")) {
      check_keywords(place, {"allOf"});
      alternatives(place, "allOf", *all_of, 1, from, to);
    } else {
      typed(place, from, to);
    }
  }

  static void check_keywords(const Place& place, const std::vector<std::string_view>& known) {
    for (const auto& item : place.schema->items())
      if (std::ranges::find(known, item.key()) == known.end() &&
          std::ranges::find(kDescribing, item.key()) == std::end(kDescribing))
        throw Error(fmt::format("[schema] keyword '{}' at '{}' is not supported", item.key(),
                                place.pointer));
  }

  // "#" or "#/a/b" in the document.
  Place resolve(const Place& place, const Json& reference) const {
    const std::string text = reference.is_string() ? reference.get<std::string>() : "";
    if (!text.starts_with("#") || (text.size() > 1 && text[1] != '/'))
      refuse(place, "must refer to a place in the document: # or #/...");
    const Json* at = place.root;
    for (size_t begin = 1; begin < text.size();) {
      const size_t end = std::min(text.find('/', begin + 1), text.size());
      std::string key = text.substr(begin + 1, end - begin - 1);
      for (size_t i = 0; (i = key.find('~', i)) != key.npos; i++)
        key.replace(i, 2, key.compare(i, 2, "~1") == 0 ? "/" : "~");
      at = at->is_object() ? member(*at, key) : nullptr;
      if (at == nullptr)
        refuse(place, fmt::format("must refer to what is there, not to '{}'", text));
      begin = end;
    }
    return {at, place.root, text.substr(1)};
  }

  void choice(const Place& place, int from, int to) {
    std::vector<const Json*> values;
    if (const Json* value = member(*place.schema, "const")) values.push_back(value);
    if (const Json* list = member(*place.schema, "enum")) {
      if (!values.empty()) refuse(place, "must have enum or const, not both");
      if (!list->is_array()) refuse(place, "must have an array as enum");
      for (const Json& value : *list) values.push_back(&value);
    }
    const std::vector<std::string> types = types_of(place);
    std::vector<std::string> texts;
    for (const Json* value : values)
      if (types.empty() || std::ranges::any_of(types, [&](const std::string& type) {
            return has_type(*value, type);
          }))
        texts.push_back(dump_json(*value));
    if (texts.empty()) refuse(place, "must have a value of its type in its enum or const");
    add_choice(grammar_, from, texts, to);
  }

  static bool has_type(const Json& value, const std::string& type) {
    if (type == "integer")
      return value.is_number_integer() ||
             (value.is_number_float() && std::trunc(value.get<double>()) == value.get<double>());
    return value.type_name() == type;  // nlohmann's names are those of JSON Schema
  }

  void alternatives(const Place& place, const char* keyword, const Json& list, size_t most,
                    int from, int to) {
    if (!list.is_array() || list.empty() || list.size() > most)
      refuse(place, fmt::format("must have an array of 1 to {} schemas as {}", most, keyword));
    for (size_t i = 0; i < list.size(); i++)
      grammar_.add_call(from, rule_for(place.at(fmt::format("{}/{}", keyword, i), list[i])), to);
  }

  // The schema's type or types; empty where it has none.
  static std::vector<std::string> types_of(const Place& place) {
    const Json* type = member(*place.schema, "type");
    if (type == nullptr) return {};
    std::vector<std::string> types;
    for (const Json& one : type->is_array() ? *type : Json::array({*type})) {
      static constexpr std::string_view kTypes[] = {"object",  "array",   "string", "number",
                                                    "integer", "boolean", "null"};
      if (!one.is_string() || std::ranges::find(kTypes, one.get<std::string>()) == std::end(kTypes))
        refuse(place,
               "must have a type of JSON Schema: object, array, string, number, integer, "
               "boolean, null");
      types.push_back(one.get<std::string>());
    }
    if (types.empty()) refuse(place, "must have at least one type");
    return types;
  }

  static std::vector<std::string_view> keywords_of(std::string_view type) {
    if (type == "object") return {"properties", "required", "additionalProperties"};
    if (type == "array") return {"items", "minItems", "maxItems"};
    if (type == "string") return {"minLength", "maxLength", "pattern", "format"};
    if (type == "number") return {"minimum", "maximum"};
    if (type == "integer") return {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"};
    return {};
  }

  void typed(const Place& place, int from, int to) {
    std::vector<std::string> types = types_of(place);
    // Without a type, that of the keywords it has.
    for (const char* type : {"object", "array", "string", "integer"})
      for (const std::string_view keyword : keywords_of(type))
        if (types.empty() && member(*place.schema, keyword))
          types = {std::string(type) == "integer" ? "number" : type};
    std::vector<std::string_view> known = {"type"};
    for (const std::string& type : types)
      for (const std::string_view keyword : keywords_of(type)) known.push_back(keyword);
    check_keywords(place, known);
    if (types.empty()) return grammar_.add_call(from, any_value(), to);
    for (const std::string& type : types) {
      if (type == "object") object(place, from, to);
      if (type == "array") array(place, from, to);
      if (type == "string") string(place, from, to);
      if (type == "number") number(place, from, to);
      if (type == "integer") integer(place, from, to);
      if (type == "boolean") add_choice(grammar_, from, {"true", "false"}, to);
      if (type == "null") grammar_.add_literal(from, "null", to);
    }
  }

  int literal(int from, std::string_view text) {
    const int to = grammar_.add_state();
    grammar_.add_literal(from, text, to);
    return to;
  }

  // The state after at most one space.
  int space(int from) {
    const int to = grammar_.add_state();
    grammar_.add_bytes(from, ' ', ' ', to);
    grammar_.add_empty(from, to);
    return to;
  }

  void object(const Place& place, int from, int to) {
    const Json* properties = member(*place.schema, "properties");
    const Json* others = member(*place.schema, "additionalProperties");
    if (properties != nullptr && !properties->is_object())
      refuse(place, "must have an object as properties");
    const bool names = properties != nullptr && !properties->empty();
    const std::vector<std::string> required =
        required_of(place, names ? *properties : Json::object());
    if (names) {
      if (others != nullptr && *others != false)
        refuse(place, "must have additionalProperties: false beside its properties");
      if (properties->size() > kMaxProperties)
        refuse(place, fmt::format("must have at most {} properties", kMaxProperties));
      return object_with(place, *properties, required, from, to);
    }
    if (others != nullptr && *others == false) return grammar_.add_literal(from, "{}", to);
    object_of(from,
              others == nullptr ? any_value() : rule_for(place.at("additionalProperties", *others)),
              to);
  }

  static std::vector<std::string> required_of(const Place& place, const Json& properties) {
    std::vector<std::string> required;
    const Json* list = member(*place.schema, "required");
    if (list == nullptr) return required;
    if (!list->is_array()) refuse(place, "must have an array as required");
    for (const Json& name : *list) {
      if (!name.is_string() || !properties.contains(name.get<std::string>()))
        refuse(place, "must have properties for all that is required");
      required.push_back(name.get<std::string>());
    }
    std::sort(required.begin(), required.end());
    return required;
  }

  void object_with(const Place& place, const Json& properties,
                   const std::vector<std::string>& required, int from, int to) {
    const int none = literal(from, "{");  // no property is written yet
    bool may_be_none = true;
    int some = -1;  // at least one is written, none from here on
    for (const auto& item : properties.items()) {
      const int key = grammar_.add_state(), after = grammar_.add_state();
      if (may_be_none) grammar_.add_empty(none, key);
      if (some >= 0) grammar_.add_empty(space(literal(some, ",")), key);
      const int value = space(literal(key, dump_json(Json(item.key())) + ":"));
      grammar_.add_call(value, rule_for(place.at("properties/" + item.key(), item.value())), after);
      if (std::ranges::binary_search(required, item.key()))
        may_be_none = false;
      else if (some >= 0)
        grammar_.add_empty(some, after);
      some = after;
    }
    if (may_be_none) grammar_.add_literal(none, "}", to);
    grammar_.add_literal(some, "}", to);
  }

  // Any keys, values of a rule.
  void object_of(int from, int value_rule, int to) {
    const int first = literal(from, "{"), key = grammar_.add_state(),
              after_key = grammar_.add_state(), after = grammar_.add_state();
    grammar_.add_literal(first, "}", to);
    grammar_.add_empty(first, key);
    grammar_.add_call(key, any_string(), after_key);
    grammar_.add_call(space(literal(after_key, ":")), value_rule, after);
    grammar_.add_empty(space(literal(after, ",")), key);
    grammar_.add_literal(after, "}", to);
  }

  void array(const Place& place, int from, int to) {
    const Json* items = member(*place.schema, "items");
    const int rule = items == nullptr ? any_value() : rule_for(place.at("items", *items));
    const auto [least, most] = limits(place, "minItems", "maxItems");
    array_of(from, rule, least, most, to);
  }

  void array_of(int from, int item_rule, int least, int most, int to) {
    int item = literal(from, "[");
    if (least == 0) grammar_.add_literal(item, "]", to);
    for (int n = 1; n <= most; n++) {
      const int after = grammar_.add_state();
      grammar_.add_call(item, item_rule, after);
      if (n >= least) grammar_.add_literal(after, "]", to);
      if (n == most) break;
      item = space(literal(after, ","));
      if (n < least || most != kUnlimited) continue;
      grammar_.add_call(item, item_rule, after);
      break;
    }
  }

  std::pair<int, int> limits(const Place& place, const char* least, const char* most) const {
    const auto limit = [&](const char* keyword, int otherwise) {
      const Json* value = member(*place.schema, keyword);
      if (value == nullptr) return otherwise;
      const double x = value->is_number() ? value->get<double>() : -1;
      if (!(x >= 0 && x <= ByteGrammar::kMaxStates && std::trunc(x) == x))
        refuse(place, fmt::format("must have an integer from 0 to {} as {}",
                                  ByteGrammar::kMaxStates, keyword));
      return int(x);
    };
    const std::pair<int, int> found = {limit(least, 0), limit(most, kUnlimited)};
    if (found.first > found.second)
      refuse(place, fmt::format("must not have {} over {}", least, most));
    return found;
  }

  void string(const Place& place, int from, int to) {
    const Json* pattern = member(*place.schema, "pattern");
    const Json* format = member(*place.schema, "format");
    const auto [least, most] = limits(place, "minLength", "maxLength");
    if ((pattern != nullptr) + (format != nullptr) + (least > 0 || most != kUnlimited) > 1)
      refuse(place, "must have one of pattern, format, and limits of length");
    if (pattern != nullptr) {
      if (!pattern->is_string()) refuse(place, "must have a string as pattern");
      const int end = grammar_.add_state();
      add_pattern(grammar_, literal(from, "\""), pattern->get<std::string>(), end, place.pointer);
      return grammar_.add_literal(end, "\"", to);
    }
    if (format != nullptr) {
      const auto known =
          std::ranges::find_if(kFormats, [&](const Format& f) { return *format == f.name; });
      if (known == std::end(kFormats))
        throw Error(fmt::format("[schema] format {} at '{}' is not supported", dump_json(*format),
                                place.pointer),
                    "date, time, date-time and uuid are");
      const int end = grammar_.add_state();
      add_pattern(grammar_, literal(from, "\""), known->pattern, end, place.pointer);
      return grammar_.add_literal(end, "\"", to);
    }
    if (least == 0 && most == kUnlimited) return grammar_.add_call(from, any_string(), to);
    text(from, least, most, to);
  }

  // A string of least to most characters.
  void text(int from, int least, int most, int to) {
    int at = literal(from, "\"");
    for (int n = 0;; n++) {
      grammar_.set_text_room(at, most == kUnlimited ? kUnlimited : most - n);
      if (n >= least) grammar_.add_literal(at, "\"", to);
      if (n == most) break;
      if (n >= least && most == kUnlimited) {
        add_character(at, at);
        break;
      }
      const int after = grammar_.add_state();
      grammar_.add_call(at, any_character(), after);
      at = after;
    }
  }

  // A character of a string in any spelling.
  void add_character(int from, int to) {
    constexpr CodeRange kPlain[] = {{' ', '!'}, {'#', '['}, {']', 0x10FFFF}};
    add_code_points(grammar_, from, kPlain, to);
    const int escape = literal(from, "\\");
    for (const char c : std::string_view("\"\\/bfnrt")) grammar_.add_bytes(escape, c, c, to);
    const int unicode = literal(escape, "u");
    // Surrogates come in pairs, high before low.
    const auto digits = [&](int at, int n, int end) {
      for (int i = 0; i < n; i++) {
        const int next = i + 1 == n ? end : grammar_.add_state();
        for (const auto& [low, high] : {std::pair{'0', '9'}, {'A', 'F'}, {'a', 'f'}})
          grammar_.add_bytes(at, low, high, next);
        at = next;
      }
    };
    const int last3 = grammar_.add_state(), after_d = grammar_.add_state(),
              last2 = grammar_.add_state(), high2 = grammar_.add_state();
    for (const auto& [low, high] :
         {std::pair{'0', '9'}, {'A', 'C'}, {'E', 'F'}, {'a', 'c'}, {'e', 'f'}})
      grammar_.add_bytes(unicode, low, high, last3);
    digits(last3, 3, to);
    for (const char d : {'D', 'd'}) grammar_.add_bytes(unicode, d, d, after_d);
    grammar_.add_bytes(after_d, '0', '7', last2);
    digits(last2, 2, to);
    for (const auto& [low, high] : {std::pair{'8', '9'}, {'A', 'B'}, {'a', 'b'}})
      grammar_.add_bytes(after_d, low, high, high2);
    const int pair = grammar_.add_state(), low_d = grammar_.add_state(),
              low2 = grammar_.add_state();
    digits(high2, 2, pair);
    const int low_begin = literal(pair, "\\u");
    for (const char d : {'D', 'd'}) grammar_.add_bytes(low_begin, d, d, low_d);
    for (const auto& [low, high] : {std::pair{'C', 'F'}, {'c', 'f'}})
      grammar_.add_bytes(low_d, low, high, low2);
    digits(low2, 2, to);
  }

  std::optional<double> bound(const Place& place, const char* keyword) const {
    const Json* value = member(*place.schema, keyword);
    if (value == nullptr) return std::nullopt;
    if (!value->is_number()) refuse(place, fmt::format("must have a number as {}", keyword));
    return value->get<double>();
  }

  void integer(const Place& place, int from, int to) {
    constexpr double kMost = double(kMaxInteger);
    double low = std::ceil(bound(place, "minimum").value_or(-kMost));
    double high = std::floor(bound(place, "maximum").value_or(kMost));
    if (const auto x = bound(place, "exclusiveMinimum")) low = std::max(low, std::floor(*x) + 1);
    if (const auto x = bound(place, "exclusiveMaximum")) high = std::min(high, std::ceil(*x) - 1);
    low = std::max(low, -kMost);
    high = std::min(high, kMost);
    if (low > high) refuse(place, "must have an integer of at most 15 digits between its bounds");
    add_integers(grammar_, from, int64_t(low), int64_t(high), to);
  }

  void number(const Place& place, int from, int to) {
    const auto low = bound(place, "minimum"), high = bound(place, "maximum");
    if (!low && !high) return grammar_.add_call(from, any_number(), to);
    constexpr double kMost = double(kMaxInteger);
    const double least = low.value_or(-kMost), most = high.value_or(kMost);
    if (std::trunc(least) != least || std::trunc(most) != most || least > most ||
        std::abs(least) > kMost || std::abs(most) > kMost)
      refuse(place,
             "must have integers of at most 15 digits as minimum and maximum, in this order");
    add_numbers(grammar_, from, int64_t(least), int64_t(most), to);
  }

  // Rules that many places share, made at their first use.
  template <typename Make>
  int shared(int& rule, const char* name, const Make& make) {
    if (rule >= 0) return rule;
    rule = grammar_.add_rule(name);
    make(grammar_.start(rule), grammar_.end(rule));
    return rule;
  }
  int any_character() {
    return shared(character_, "character", [&](int from, int to) { add_character(from, to); });
  }
  int any_string() {
    return shared(string_, "string", [&](int from, int to) { text(from, 0, kUnlimited, to); });
  }
  int any_number() {
    return shared(number_, "number", [&](int from, int to) { add_any_number(grammar_, from, to); });
  }
  int any_value() {
    return shared(value_, "value", [&](int from, int to) {
      object_of(from, value_, to);
      array_of(from, value_, 0, kUnlimited, to);
      grammar_.add_call(from, any_string(), to);
      grammar_.add_call(from, any_number(), to);
      add_choice(grammar_, from, {"true", "false", "null"}, to);
    });
  }

  ByteGrammar grammar_;
  std::map<const Json*, int> rules_;
  std::deque<std::pair<int, Place>> queue_;
  int character_ = -1, string_ = -1, number_ = -1, value_ = -1;
};

}  // namespace

ByteGrammar schema_grammar(const Json& schema) { return SchemaCompiler().schema(schema); }

ByteGrammar object_grammar() { return SchemaCompiler().object(); }

ByteGrammar function_call_grammar(std::span<const FunctionSchema> functions) {
  return SchemaCompiler().calls(functions);
}

}  // namespace chatmem
