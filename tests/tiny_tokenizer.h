// A tokenizer of a few dozen pieces in both file forms, made by the test that uses it.
#pragma once
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/utf8.h"

namespace chatmem {

// 256 bytes, then words that build on each other.
inline std::vector<std::string> tiny_pieces() {
  std::vector<std::string> pieces;
  for (int byte = 0; byte < 256; byte++) pieces.push_back(std::string(1, char(byte)));
  for (const char* piece :
       {"he",  "ll",  "hell",     "hello", "hi",  " h",   " hi",  "\n\n", "in",  "ing",
        "th",  " t",  " th",      " the",  "er",  "us",   "user", "ist",  "ass", "assist",
        "12",  "123", "\xC3\xA9", "aa",    "aaa", "aaaa", "ab",   "abab", " s",  "ys",
        "tem", "sys", "system",   "Today", "Cut", "20",   "24"})
    pieces.push_back(piece);
  return pieces;
}

inline std::vector<std::string> llama3_specials() {
  std::vector<std::string> names = {"<|begin_of_text|>",
                                    "<|end_of_text|>",
                                    "<|reserved_special_token_0|>",
                                    "<|reserved_special_token_1|>",
                                    "<|finetune_right_pad_id|>",
                                    "<|reserved_special_token_2|>",
                                    "<|start_header_id|>",
                                    "<|end_header_id|>",
                                    "<|eom_id|>",
                                    "<|eot_id|>",
                                    "<|python_tag|>"};
  for (int i = 3; i <= 247; i++) names.push_back(fmt::format("<|reserved_special_token_{}|>", i));
  return names;
}

inline std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t word = 0;
    for (size_t k = 0; k < 3; k++)
      word = word << 8 | (i + k < bytes.size() ? uint8_t(bytes[i + k]) : 0);
    for (size_t k = 0; k < 4; k++)
      text += i + k < bytes.size() + 1 ? kDigits[word >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

inline std::string tiny_tiktoken() {
  std::string file;
  const std::vector<std::string> pieces = tiny_pieces();
  for (size_t i = 0; i < pieces.size(); i++) file += fmt::format("{} {}\n", base64(pieces[i]), i);
  return file;
}

// GPT-2's alphabet, written from its definition (encoder.py, bytes_to_unicode).
inline std::string byte_level(std::string_view bytes) {
  std::vector<int> code(256, -1);
  for (int b = '!'; b <= '~'; b++) code[size_t(b)] = b;
  for (int b = 0xA1; b <= 0xAC; b++) code[size_t(b)] = b;
  for (int b = 0xAE; b <= 0xFF; b++) code[size_t(b)] = b;
  for (int b = 0, n = 0; b < 256; b++)
    if (code[size_t(b)] < 0) code[size_t(b)] = 256 + n++;
  std::string text;
  for (const char c : bytes) append_utf8(text, char32_t(code[uint8_t(c)]));
  return text;
}

constexpr const char* kLlama3Expression =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| "
    "?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

// The same tokenizer as a tokenizer.json tree, for a test to change and dump.
inline Json tiny_tokenizer_json() {
  const std::vector<std::string> pieces = tiny_pieces();
  const auto id_of = [&](std::string_view piece) {
    return std::find(pieces.begin(), pieces.end(), piece) - pieces.begin();
  };
  Json vocab = Json::object(), merges = Json::array(), added = Json::array();
  for (size_t id = 0; id < pieces.size(); id++) {
    vocab[byte_level(pieces[id])] = id;
    std::vector<std::pair<long, long>> pairs;
    for (size_t cut = 1; cut < pieces[id].size(); cut++) {
      const long left = id_of(pieces[id].substr(0, cut)), right = id_of(pieces[id].substr(cut));
      if (left < long(pieces.size()) && right < long(pieces.size())) pairs.push_back({left, right});
    }
    std::sort(pairs.begin(), pairs.end());
    for (const auto& [left, right] : pairs)
      merges.push_back({byte_level(pieces[size_t(left)]), byte_level(pieces[size_t(right)])});
  }
  size_t id = pieces.size();
  for (const std::string& name : llama3_specials())
    added.push_back({{"id", id++}, {"content", name}, {"special", true}});
  return {
      {"added_tokens", added},
      {"normalizer", nullptr},
      {"pre_tokenizer",
       {{"type", "Sequence"},
        {"pretokenizers",
         {{{"type", "Split"},
           {"pattern", {{"Regex", kLlama3Expression}}},
           {"behavior", "Isolated"},
           {"invert", false}},
          {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}}}}}},
      {"model", {{"type", "BPE"}, {"ignore_merges", true}, {"vocab", vocab}, {"merges", merges}}}};
}

}  // namespace chatmem
