// M. F. Porter, "An algorithm for suffix stripping", Program 14(3), 1980, with NLTK's departures,
// each marked "NLTK". A step's rules are tried in their order and the first suffix that matches
// decides, even when its condition then fails.
#include "metrics/porter.h"

#include <array>
#include <span>

namespace chatmem {
namespace {

bool is_consonant(std::string_view word, size_t i) {
  switch (word[i]) {
    case 'a':
    case 'e':
    case 'i':
    case 'o':
    case 'u':
      return false;
    case 'y': {  // a consonant at the start and after a vowel; a run of them alternates
      size_t run = 0;
      while (run < i && word[i - run - 1] == 'y') run++;
      const bool first = run == i || !is_consonant(word, i - run - 1);
      return first == (run % 2 == 0);
    }
    default:
      return true;
  }
}

// m, the number of vowel-consonant sequences of [C](VC)^m[V].
int measure(std::string_view stem) {
  int m = 0;
  bool after_vowel = false, consonant = false;
  for (size_t i = 0; i < stem.size(); i++) {
    // In one pass: a y is a consonant exactly when no consonant is before it.
    consonant = stem[i] == 'y' ? i == 0 || !consonant : is_consonant(stem, i);
    m += after_vowel && consonant;
    after_vowel = !consonant;
  }
  return m;
}

bool contains_vowel(std::string_view stem) {
  for (size_t i = 0; i < stem.size(); i++)
    if (!is_consonant(stem, i)) return true;
  return false;
}

bool ends_double_consonant(std::string_view word) {
  const size_t n = word.size();
  return n >= 2 && word[n - 1] == word[n - 2] && is_consonant(word, n - 1);
}

// *o of the paper: consonant, vowel, consonant other than w, x, y. NLTK: also a vowel and a
// consonant that are the whole stem.
bool ends_cvc(std::string_view word) {
  const size_t n = word.size();
  if (n == 2) return !is_consonant(word, 0) && is_consonant(word, 1);
  if (n < 3) return false;
  const char last = word[n - 1];
  return is_consonant(word, n - 3) && !is_consonant(word, n - 2) && is_consonant(word, n - 1) &&
         last != 'w' && last != 'x' && last != 'y';
}

std::string_view without(std::string_view word, size_t n_last) {
  return word.substr(0, word.size() - n_last);
}

void replace_end(std::string& word, size_t n_last, std::string_view replacement) {
  word.resize(word.size() - n_last);
  word += replacement;
}

struct Rule {
  std::string_view suffix, replacement;
};

// Applies the first rule whose suffix matches, when the stem before it has a measure over `above`.
void apply_first(std::string& word, std::span<const Rule> rules, int above) {
  for (const Rule& rule : rules) {
    if (!word.ends_with(rule.suffix)) continue;
    if (measure(without(word, rule.suffix.size())) > above)
      replace_end(word, rule.suffix.size(), rule.replacement);
    return;
  }
}

// Plurals.
void step_1a(std::string& word) {
  if (word.size() == 4 && word.ends_with("ies"))
    word.pop_back();  // NLTK: dies, ties
  else if (word.ends_with("sses") || word.ends_with("ies"))
    replace_end(word, 2, "");
  else if (word.ends_with("s") && !word.ends_with("ss"))
    word.pop_back();
}

// What is left after -ed or -ing is made a word again: hop(p), size, file.
void restore_after_1b(std::string& word) {
  if (word.ends_with("at") || word.ends_with("bl") || word.ends_with("iz")) {
    word += 'e';
  } else if (ends_double_consonant(word)) {
    const char last = word.back();
    if (last != 'l' && last != 's' && last != 'z') word.pop_back();
  } else if (measure(word) == 1 && ends_cvc(word)) {
    word += 'e';
  }
}

// Past tenses.
void step_1b(std::string& word) {
  if (word.ends_with("ied")) {  // NLTK: died, but tri(ed)
    replace_end(word, word.size() == 4 ? 1 : 2, "");
    return;
  }
  if (word.ends_with("eed")) {
    if (measure(without(word, 3)) > 0) word.pop_back();
    return;
  }
  const size_t n_last = word.ends_with("ed") ? 2 : word.ends_with("ing") ? 3 : 0;
  if (n_last == 0 || !contains_vowel(without(word, n_last))) return;
  replace_end(word, n_last, "");
  restore_after_1b(word);
}

// NLTK: y after a consonant that is not the first letter, whether or not a vowel is before it.
void step_1c(std::string& word) {
  const size_t n = word.size();
  if (n > 2 && word.back() == 'y' && is_consonant(word, n - 2)) word.back() = 'i';
}

// Double suffixes.
void step_2(std::string& word) {
  static constexpr std::array<Rule, 21> kRules = {{
      {"ational", "ate"}, {"tional", "tion"}, {"enci", "ence"},   {"anci", "ance"},
      {"izer", "ize"},    {"bli", "ble"},     {"alli", "al"},     {"entli", "ent"},
      {"eli", "e"},       {"ousli", "ous"},   {"ization", "ize"}, {"ation", "ate"},
      {"ator", "ate"},    {"alism", "al"},    {"iveness", "ive"}, {"fulness", "ful"},
      {"ousness", "ous"}, {"aliti", "al"},    {"iviti", "ive"},   {"biliti", "ble"},
      {"fulli", "ful"},  // NLTK
  }};
  while (word.ends_with("alli") && measure(without(word, 4)) > 0)
    replace_end(word, 2, "");                            // NLTK: and the step begins again
  if (word.ends_with("logi")) {                          // no other rule's suffix ends so
    if (measure(without(word, 3)) > 0) word.pop_back();  // NLTK: the l counts as the stem's
    return;
  }
  apply_first(word, kRules, 0);
}

void step_3(std::string& word) {
  static constexpr std::array<Rule, 7> kRules = {{{"icate", "ic"},
                                                  {"ative", ""},
                                                  {"alize", "al"},
                                                  {"iciti", "ic"},
                                                  {"ical", "ic"},
                                                  {"ful", ""},
                                                  {"ness", ""}}};
  apply_first(word, kRules, 0);
}

void step_4(std::string& word) {
  static constexpr std::array<Rule, 18> kRules = {{{"al", ""},
                                                   {"ance", ""},
                                                   {"ence", ""},
                                                   {"er", ""},
                                                   {"ic", ""},
                                                   {"able", ""},
                                                   {"ible", ""},
                                                   {"ant", ""},
                                                   {"ement", ""},
                                                   {"ment", ""},
                                                   {"ent", ""},
                                                   {"ou", ""},
                                                   {"ism", ""},
                                                   {"ate", ""},
                                                   {"iti", ""},
                                                   {"ous", ""},
                                                   {"ive", ""},
                                                   {"ize", ""}}};
  if (word.ends_with("ion")) {  // no suffix of the list ends so
    const std::string_view stem = without(word, 3);
    if (measure(stem) > 1 && (stem.ends_with('s') || stem.ends_with('t'))) replace_end(word, 3, "");
    return;
  }
  apply_first(word, kRules, 1);
}

// A final e, and ll.
void step_5(std::string& word) {
  if (word.ends_with('e')) {
    const std::string_view stem = without(word, 1);
    const int m = measure(stem);
    if (m > 1 || (m == 1 && !ends_cvc(stem))) word.pop_back();
  }
  if (word.ends_with("ll") && measure(without(word, 1)) > 1) word.pop_back();
}

// NLTK: words whose stems are listed.
bool stem_listed(std::string& word) {
  static constexpr std::array<Rule, 16> kPool = {{{"sky", "sky"},
                                                  {"skies", "sky"},
                                                  {"dying", "die"},
                                                  {"lying", "lie"},
                                                  {"tying", "tie"},
                                                  {"news", "news"},
                                                  {"inning", "inning"},
                                                  {"innings", "inning"},
                                                  {"outing", "outing"},
                                                  {"outings", "outing"},
                                                  {"canning", "canning"},
                                                  {"cannings", "canning"},
                                                  {"howe", "howe"},
                                                  {"proceed", "proceed"},
                                                  {"exceed", "exceed"},
                                                  {"succeed", "succeed"}}};
  for (const Rule& rule : kPool)
    if (word == rule.suffix) {
      word = rule.replacement;
      return true;
    }
  return false;
}

}  // namespace

void porter_stem_in_place(std::string& word) {
  if (stem_listed(word) || word.size() <= 2) return;
  step_1a(word);
  step_1b(word);
  step_1c(word);
  step_2(word);
  step_3(word);
  step_4(word);
  step_5(word);
}

std::string porter_stem(std::string_view word) {
  std::string stem(word);
  porter_stem_in_place(stem);
  return stem;
}

}  // namespace chatmem
