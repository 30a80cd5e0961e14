// Reads Hugging Face's tokenizer.json: model (type, vocab, merges, ignore_merges), added_tokens,
// pre_tokenizer. Post-processors and decoders do not change ids and are not read.
#include <fmt/format.h>

#include <unordered_map>

#include "base/error.h"
#include "base/json.h"
#include "base/utf8.h"
#include "text/tokenizer_source.h"

namespace chatmem {
namespace {

// The large parts are taken while the text is parsed: a tree of them would take ten times their
// size.
struct ParsedFile {
  nlohmann::json rest;  // all but vocab and merges
  std::vector<std::pair<std::string, int64_t>> vocabulary;
  std::vector<std::pair<std::string, std::string>> merges;
};

class FileParser {
 public:
  FileParser(ParsedFile& file, std::string_view where) : file_(file), where_(where) {}

  // A callback of nlohmann's parser: false drops the value.
  bool operator()(int depth, nlohmann::json::parse_event_t event, nlohmann::json& value) {
    using Event = nlohmann::json::parse_event_t;
    if (depth > 64) tokenizer_error(where_, "nesting must not be deeper than 64");
    if (event == Event::key && depth <= 2) keys_[depth - 1] = value.get_ref<std::string&>();
    if (event == Event::key && depth == 1) keys_[1].clear();
    if (depth < 3 || keys_[0] != "model") return true;
    if (keys_[1] == "vocab") return vocabulary(depth, event, value);
    if (keys_[1] == "merges") return merge(depth, event, value);
    return true;
  }

 private:
  bool vocabulary(int depth, nlohmann::json::parse_event_t event, nlohmann::json& value) {
    if (event == nlohmann::json::parse_event_t::key && depth == 3) {
      if (file_.vocabulary.size() >= kMaxVocabulary)
        tokenizer_error(where_, fmt::format("may have at most {} tokens", kMaxVocabulary));
      file_.vocabulary.emplace_back(value.get<std::string>(), -1);
      return false;
    }
    if (event != nlohmann::json::parse_event_t::value) return true;
    if (depth != 3 || !value.is_number_unsigned() || value.get<uint64_t>() >= kMaxVocabulary)
      tokenizer_error(where_, "the ids of model.vocab must be numbers from 0");
    file_.vocabulary.back().second = value.get<int64_t>();
    return true;
  }

  // ["a", "b"] or "a b"
  bool merge(int depth, nlohmann::json::parse_event_t event, nlohmann::json& value) {
    using Event = nlohmann::json::parse_event_t;
    if (event == Event::array_start && depth == 3) {
      pair_.clear();
      return true;
    }
    if (event == Event::array_end && depth == 3) {
      if (pair_.size() != 2) bad_merge();
      file_.merges.emplace_back(std::move(pair_[0]), std::move(pair_[1]));
      return false;
    }
    if (event != Event::value || !value.is_string() || depth > 4) bad_merge();
    std::string& text = value.get_ref<std::string&>();
    if (depth == 4) {
      pair_.push_back(std::move(text));
      return false;
    }
    const size_t space = text.find(' ');
    if (space == text.npos) bad_merge();
    file_.merges.emplace_back(text.substr(0, space), text.substr(space + 1));
    return false;
  }

  [[noreturn]] void bad_merge() const {
    tokenizer_error(
        where_, fmt::format("merge {} must be [\"a\", \"b\"] or \"a b\"", file_.merges.size() + 1));
  }

  ParsedFile& file_;
  std::string_view where_;
  std::string keys_[2];  // the last keys of the file and of the model
  std::vector<std::string> pair_;
};

ParsedFile parse_file(std::string_view bytes, std::string_view where) {
  if (const size_t bad = find_invalid_utf8(bytes); bad != bytes.npos)
    tokenizer_error(where, fmt::format("must be UTF-8, byte {} is not", bad));
  ParsedFile file;
  FileParser parser(file, where);
  try {
    file.rest = nlohmann::json::parse(bytes, [&](int depth, auto event, nlohmann::json& value) {
      return parser(depth, event, value);
    });
  } catch (const nlohmann::json::exception& e) {
    tokenizer_error(where, fmt::format("not valid JSON: {}", e.what()));
  }
  if (!file.rest.is_object()) tokenizer_error(where, "must be an object");
  return file;
}

// The value of a key, null when it is absent.
const nlohmann::json& member(const nlohmann::json& object, const char* key) {
  static const nlohmann::json null;
  if (!object.is_object()) return null;
  const auto it = object.find(key);
  return it == object.end() ? null : *it;
}

bool flag(const nlohmann::json& object, const char* key, bool fallback, std::string_view where) {
  const nlohmann::json& value = member(object, key);
  if (value.is_null()) return fallback;
  if (!value.is_boolean()) tokenizer_error(where, fmt::format("'{}' must be true or false", key));
  return value.get<bool>();
}

std::string text_of(const nlohmann::json& object, const char* key) {
  const nlohmann::json& value = member(object, key);
  return value.is_string() ? value.get<std::string>() : std::string();
}

void check_model(const nlohmann::json& root, std::string_view where) {
  const nlohmann::json& model = member(root, "model");
  const std::string type = text_of(model, "type");
  if (type != "BPE") tokenizer_error(where, fmt::format("model.type must be BPE, is '{}'", type));
  if (flag(model, "byte_fallback", false, where))
    tokenizer_error(where, "must be byte-level BPE, this one falls back to bytes (SentencePiece)");
  for (const char* key : {"dropout", "unk_token"})
    if (!member(model, key).is_null())
      tokenizer_error(where, fmt::format("model.{} must be null", key));
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"})
    if (!member(model, key).is_null() && member(model, key) != "")
      tokenizer_error(where, fmt::format("model.{} must be null", key));
  if (!member(root, "normalizer").is_null())
    tokenizer_error(where, "the normalizer must be null: text is encoded as it is");
}

void read_pre_tokenizer(const nlohmann::json& step, bool& has_byte_level, TokenizerSource& source,
                        std::string_view where) {
  const std::string type = text_of(step, "type");
  if (has_byte_level) tokenizer_error(where, "nothing may follow the ByteLevel pre-tokenizer");
  if (type == "Sequence") {
    const nlohmann::json& steps = member(step, "pretokenizers");
    if (!steps.is_array() || steps.size() > 16)
      tokenizer_error(where, "a Sequence must have an array of at most 16 pretokenizers");
    for (const nlohmann::json& one : steps) read_pre_tokenizer(one, has_byte_level, source, where);
  } else if (type == "Split") {
    const std::string expression = text_of(member(step, "pattern"), "Regex");
    if (expression.empty() || text_of(step, "behavior") != "Isolated" ||
        flag(step, "invert", false, where))
      tokenizer_error(where, "a Split must be by a Regex, Isolated and not inverted");
    source.splits.emplace_back(expression, where);
  } else if (type == "ByteLevel") {
    has_byte_level = true;
    if (flag(step, "add_prefix_space", true, where))
      tokenizer_error(where, "add_prefix_space must be false");
    if (flag(step, "use_regex", true, where)) source.splits.emplace_back(kGpt2Split, where);
  } else {
    tokenizer_error(where,
                    fmt::format("the pre-tokenizer must be Split and ByteLevel, is '{}'", type));
  }
}

struct AddedToken {
  std::string content;
  TokenKind kind;
};

std::unordered_map<size_t, AddedToken> read_added(const nlohmann::json& root,
                                                  std::string_view where) {
  std::unordered_map<size_t, AddedToken> tokens;
  const nlohmann::json& list = member(root, "added_tokens");
  if (list.is_null()) return tokens;
  if (!list.is_array() || list.size() > kMaxVocabulary)
    tokenizer_error(where, "added_tokens must be an array");
  for (const nlohmann::json& one : list) {
    const nlohmann::json& id = member(one, "id");
    std::string content = text_of(one, "content");
    if (!id.is_number_unsigned() || id.get<uint64_t>() >= kMaxVocabulary || content.empty() ||
        content.size() > kMaxPieceBytes)
      tokenizer_error(where, "an added token must have an id from 0 and a content");
    for (const char* key : {"lstrip", "rstrip", "single_word"})
      if (flag(one, key, false, where))
        tokenizer_error(where, fmt::format("the added token '{}': {} must be false", content, key));
    const bool special = flag(one, "special", false, where);
    const auto [it, is_new] = tokens.emplace(
        id.get<size_t>(),
        AddedToken{std::move(content), special ? TokenKind::special : TokenKind::added});
    if (!is_new) tokenizer_error(where, fmt::format("the id {} is added twice", it->first));
  }
  return tokens;
}

// Ids must be 0 to n - 1, each once.
void place_pieces(ParsedFile& file, std::string_view where, TokenizerSource& source) {
  std::unordered_map<size_t, AddedToken> added = read_added(file.rest, where);
  size_t n = 0;
  for (const auto& [text, id] : file.vocabulary) n = std::max(n, size_t(id) + 1);
  for (const auto& [id, token] : added) n = std::max(n, id + 1);
  if (n > file.vocabulary.size() + added.size())
    tokenizer_error(where, fmt::format("ids must be dense: {} tokens have ids up to {}",
                                       file.vocabulary.size() + added.size(), n - 1));
  source.pieces.resize(n);
  source.kinds.assign(n, TokenKind::ordinary);
  for (auto& [id, token] : added) {
    source.pieces[id] = token.content;
    source.kinds[id] = token.kind;
  }
  std::vector<uint8_t> seen(n);
  for (const auto& [text, signed_id] : file.vocabulary) {
    const size_t id = size_t(signed_id);
    if (seen[id]++) tokenizer_error(where, fmt::format("the id {} comes twice in the vocab", id));
    if (source.kinds[id] != TokenKind::ordinary) {  // listed in both places
      if (text != source.pieces[id])
        tokenizer_error(where,
                        fmt::format("the id {} is '{}' and '{}'", id, text, source.pieces[id]));
      continue;
    }
    auto bytes = bytes_of_byte_level(text);
    if (!bytes || bytes->empty() || bytes->size() > kMaxPieceBytes)
      tokenizer_error(where, fmt::format("the piece '{}' is not of the byte-level alphabet, or "
                                         "empty, or over {} bytes",
                                         text, kMaxPieceBytes));
    source.pieces[id] = std::move(*bytes);
  }
  for (size_t id = 0; id < n; id++)
    if (source.pieces[id].empty())
      tokenizer_error(where, fmt::format("ids must be dense, {} is missing", id));
}

}  // namespace

TokenizerSource read_tokenizer_json(std::string_view bytes, std::string_view where) {
  ParsedFile file = parse_file(bytes, where);
  check_model(file.rest, where);
  TokenizerSource source;
  bool has_byte_level = false;
  read_pre_tokenizer(member(file.rest, "pre_tokenizer"), has_byte_level, source, where);
  if (!has_byte_level) tokenizer_error(where, "the pre-tokenizer must end with ByteLevel");
  place_pieces(file, where, source);
  source.whole_pieces_first = flag(member(file.rest, "model"), "ignore_merges", false, where);
  const PieceTable table = ordinary_pieces(source);
  source.merges.reserve(file.merges.size());
  for (const auto& [left, right] : file.merges) add_merge(source, table, left, right, where);
  return source;
}

std::string tokenizer_json(const TokenizerSource& source) {
  const Json byte_level = {{"type", "ByteLevel"},
                           {"add_prefix_space", false},
                           {"trim_offsets", true},
                           {"use_regex", false}};
  Json steps = Json::array(), added = Json::array(), merges = Json::array();
  for (const SplitExpression& split : source.splits)
    steps.push_back({{"type", "Split"},
                     {"pattern", {{"Regex", split.expression()}}},
                     {"behavior", "Isolated"},
                     {"invert", false}});
  steps.push_back(byte_level);
  Json vocabulary = Json::object();
  for (size_t id = 0; id < source.pieces.size(); id++) {
    if (source.kinds[id] == TokenKind::ordinary) {
      // push_back: finding the place of a key among many in an ordered object is linear
      vocabulary.get_ref<Json::object_t&>().push_back({byte_level_of_bytes(source.pieces[id]), id});
      continue;
    }
    added.push_back({{"id", id},
                     {"content", source.pieces[id]},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", source.kinds[id] == TokenKind::special}});
  }
  for (const Merge& merge : source.merges)
    merges.push_back({byte_level_of_bytes(source.pieces[size_t(merge.left)]),
                      byte_level_of_bytes(source.pieces[size_t(merge.right)])});
  const Json json = {{"version", "1.0"},
                     {"truncation", nullptr},
                     {"padding", nullptr},
                     {"added_tokens", added},
                     {"normalizer", nullptr},
                     {"pre_tokenizer", {{"type", "Sequence"}, {"pretokenizers", steps}}},
                     {"post_processor", nullptr},
                     {"decoder", byte_level},
                     {"model",
                      {{"type", "BPE"},
                       {"dropout", nullptr},
                       {"unk_token", nullptr},
                       {"continuing_subword_prefix", nullptr},
                       {"end_of_word_suffix", nullptr},
                       {"fuse_unk", false},
                       {"byte_fallback", false},
                       {"ignore_merges", source.whole_pieces_first},
                       {"vocab", vocabulary},
                       {"merges", merges}}}};
  return dump_json(json, 1) + "\n";
}

}  // namespace chatmem
