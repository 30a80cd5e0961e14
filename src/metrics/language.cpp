#include "metrics/language.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <unordered_set>

#include "text/words.h"

namespace chatmem {
namespace {

constexpr int kMinLetters = 20, kMinCommonWords = 5;

struct Letters {
  char32_t first, last;
  std::string_view script;
};
constexpr Letters kLetters[] = {
    {U'A', U'Z', "Latin"},       {U'a', U'z', "Latin"},        {0xC0, 0x24F, "Latin"},
    {0x370, 0x3FF, "Greek"},     {0x400, 0x52F, "Cyrillic"},   {0x590, 0x5FF, "Hebrew"},
    {0x600, 0x77F, "Arabic"},    {0x900, 0x97F, "Devanagari"}, {0xE00, 0xE7F, "Thai"},
    {0x1100, 0x11FF, "Korean"},  {0x3040, 0x30FF, "Japanese"}, {0x3400, 0x4DBF, "Chinese"},
    {0x4E00, 0x9FFF, "Chinese"}, {0xAC00, 0xD7AF, "Korean"}};
constexpr std::array<std::string_view, 10> kScripts = {
    "Latin",      "Greek", "Cyrillic", "Hebrew",   "Arabic",
    "Devanagari", "Thai",  "Korean",   "Japanese", "Chinese"};

struct CommonWords {
  std::string_view language, words;  // separated by spaces; in no other language's list
};
constexpr CommonWords kCommonWords[] = {
    {"English",
     "the and of to that was is with for you your they had have this been about from were which "
     "their has would it he she but not are"},
    {"German",
     "der die das und ist nicht ich sie mit dem den ein eine einen für auf dich dir hat haben "
     "wurde dass auch von zu im wie bei nach sich du"},
    {"French",
     "le les des et est vous pour dans qui une avec sur pas votre ont sont mais il elle nous ce "
     "au aux du cette été"},
    {"Spanish",
     "el los las y es para por una con del usted pero su ella como más fue ha lo al sobre muy "
     "también tú te"},
    {"Italian",
     "il gli di che è per una con non sono ha hai della del nel ma anche più ti tuo suo lei lui "
     "alla questo"},
    {"Portuguese",
     "o os não é para uma com você ele ela mas foi ao dos das pelo pela sua seu em mais também "
     "isso tem"},
    {"Dutch",
     "het een en van dat niet je jij voor met zijn aan maar ook heeft hebben werd naar deze wordt "
     "bij uit ze hij nog"}};

// Calls letter(code point) for each well-formed character beyond control and punctuation of ASCII.
template <typename Visit>
void for_each_character(std::string_view text, const Visit& visit) {
  for (size_t i = 0; i < text.size();) {
    const auto byte = [&](size_t k) { return k < text.size() ? uint8_t(text[k]) : uint8_t(0); };
    const uint8_t lead = byte(i);
    const size_t n = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    char32_t c = n == 1 ? lead : lead & (0xFF >> (n + 1));
    for (size_t k = 1; k < n; k++) c = c << 6 | (byte(i + k) & 0x3F);
    visit(c);
    i += n;
  }
}

// The script of most letters; Japanese has Chinese characters beside its own.
std::string_view script_of(std::string_view text) {
  std::array<int, kScripts.size()> counts{};
  int n = 0;
  for_each_character(text, [&](char32_t c) {
    for (const Letters& letters : kLetters) {
      if (c < letters.first || c > letters.last) continue;
      counts[size_t(std::find(kScripts.begin(), kScripts.end(), letters.script) -
                    kScripts.begin())]++;
      n++;
      return;
    }
  });
  if (n < kMinLetters) return {};
  constexpr size_t kJapanese = 8, kChinese = 9;
  if (counts[kJapanese] * 10 > counts[kChinese]) counts[kJapanese] += counts[kChinese];
  return kScripts[size_t(std::max_element(counts.begin(), counts.end()) - counts.begin())];
}

std::string_view latin_language_of(std::string_view text) {
  using Words = std::unordered_set<std::string_view>;
  static const auto kLists = [] {
    std::array<Words, std::size(kCommonWords)> lists;
    for (size_t i = 0; i < lists.size(); i++) {
      std::string_view words = kCommonWords[i].words;
      while (!words.empty()) {
        const size_t space = std::min(words.find(' '), words.size());
        lists[i].insert(words.substr(0, space));
        words.remove_prefix(std::min(space + 1, words.size()));
      }
    }
    return lists;
  }();
  std::array<int, std::size(kCommonWords)> counts{};
  for (const std::string& word : words_of(text))
    for (size_t i = 0; i < counts.size(); i++) counts[i] += kLists[i].contains(word);
  const size_t best = size_t(std::max_element(counts.begin(), counts.end()) - counts.begin());
  const bool tied = std::count(counts.begin(), counts.end(), counts[best]) > 1;
  return counts[best] < kMinCommonWords || tied ? std::string_view() : kCommonWords[best].language;
}

}  // namespace

std::string_view language_of(std::string_view text) {
  const std::string_view script = script_of(text);
  return script == "Latin" ? latin_language_of(text) : script;
}

}  // namespace chatmem
