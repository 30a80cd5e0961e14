#include "text/words.h"

#include <unordered_set>

#include "base/chars.h"

namespace chatmem {

std::string to_lower_ascii(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = char(c + ('a' - 'A'));
  return lower;
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  for (size_t i = 0; i < text.size();) {
    if (!is_word_char(text[i])) {
      i++;
      continue;
    }
    size_t end = i;
    while (end < text.size() &&
           (is_word_char(text[end]) ||
            (text[end] == '\'' && end + 1 < text.size() && is_word_char(text[end + 1]))))
      end++;
    words.push_back(to_lower_ascii(text.substr(i, end - i)));
    i = end;
  }
  return words;
}

bool is_stopword(std::string_view word) {
  static const std::unordered_set<std::string_view> kWords = {
      "a",          "about",       "above",      "absolutely", "actually",   "after",    "again",
      "ago",        "ah",          "all",        "almost",     "already",    "alright",  "also",
      "always",     "am",          "amazing",    "an",         "and",        "another",  "any",
      "anybody",    "anyone",      "anything",   "anyway",     "are",        "aren't",   "around",
      "as",         "ask",         "at",         "away",       "awesome",    "back",     "be",
      "because",    "been",        "before",     "being",      "best",       "better",   "bit",
      "both",       "but",         "by",         "bye",        "came",       "can",      "can't",
      "cannot",     "come",        "coming",     "congrats",   "could",      "couldn't", "course",
      "day",        "days",        "definitely", "did",        "didn't",     "do",       "does",
      "doesn't",    "doing",       "don't",      "done",       "down",       "each",     "either",
      "else",       "enough",      "even",       "evening",    "ever",       "every",    "everyone",
      "everything", "excited",     "fantastic",  "far",        "feel",       "feeling",  "felt",
      "few",        "fine",        "first",      "for",        "from",       "full",     "get",
      "gets",       "getting",     "give",       "glad",       "go",         "goes",     "going",
      "gone",       "gonna",       "good",       "goodbye",    "got",        "great",    "guess",
      "guys",       "had",         "hadn't",     "happen",     "happened",   "happy",    "hard",
      "has",        "hasn't",      "have",       "haven't",    "having",     "he",       "he's",
      "hello",      "help",        "her",        "here",       "here's",     "hers",     "hey",
      "hi",         "him",         "his",        "hope",       "hoping",     "how",      "how's",
      "huge",       "i",           "i'd",        "i'll",       "i'm",        "i've",     "if",
      "in",         "incredible",  "into",       "is",         "isn't",      "it",       "it'll",
      "it's",       "its",         "just",       "keep",       "kind",       "kinda",    "knew",
      "know",       "last",        "later",      "least",      "left",       "less",     "let",
      "let's",      "like",        "little",     "long",       "look",       "looked",   "looking",
      "lot",        "lots",        "love",       "lovely",     "made",       "make",     "makes",
      "making",     "many",        "may",        "maybe",      "me",         "mean",     "might",
      "mine",       "month",       "months",     "moment",     "more",       "morning",  "most",
      "much",       "must",        "my",         "myself",     "need",       "needed",   "never",
      "new",        "next",        "nice",       "no",         "nope",       "not",      "nothing",
      "now",        "of",          "off",        "oh",         "ok",         "okay",     "old",
      "on",         "once",        "one",        "ones",       "only",       "or",       "other",
      "our",        "out",         "over",       "own",        "people",     "perfect",  "please",
      "pretty",     "probably",    "put",        "quite",      "rather",     "ready",    "real",
      "really",     "right",       "said",       "same",       "say",        "saying",   "says",
      "see",        "seem",        "seems",      "seen",       "sense",      "shall",    "she",
      "she's",      "should",      "shouldn't",  "since",      "sir",        "so",       "some",
      "somebody",   "someone",     "something",  "soon",       "sorry",      "sort",     "sound",
      "sounds",     "start",       "started",    "still",      "stuff",      "such",     "super",
      "sure",       "take",        "takes",      "taking",     "talk",       "talking",  "tell",
      "than",       "thank",       "thanks",     "that",       "that'll",    "that's",   "the",
      "their",      "them",        "then",       "there",      "there's",    "these",    "they",
      "they'll",    "they're",     "they've",    "thing",      "things",     "think",    "thinking",
      "this",       "those",       "though",     "thought",    "through",    "time",     "times",
      "to",         "today",       "together",   "told",       "tomorrow",   "too",      "took",
      "totally",    "tried",       "true",       "try",        "trying",     "turn",     "two",
      "um",         "under",       "until",      "up",         "us",         "use",      "used",
      "very",       "wait",        "wanna",      "want",       "wanted",     "was",      "wasn't",
      "way",        "we",          "we'd",       "we'll",      "we're",      "we've",    "week",
      "weeks",      "well",        "went",       "were",       "weren't",    "what",     "what's",
      "when",       "where",       "where's",    "which",      "while",      "who",      "who's",
      "whole",      "why",         "will",       "wish",       "with",       "without",  "won't",
      "wonderful",  "wondering",   "worry",      "would",      "wouldn't",   "wow",      "yeah",
      "year",       "years",       "yep",        "yes",        "yesterday",  "yet",      "you",
      "you'd",      "you'll",      "you're",     "you've",     "your",       "yours",    "yourself",
      "tonight",    "afternoon",   "night",      "three",      "four",       "five",     "hear",
      "heard",      "check",       "find",       "found",      "idea",       "ideas",    "bring",
      "able",       "big",         "forward",    "welcome",    "remember",   "believe",  "mind",
      "place",      "problem",     "question",   "matter",     "point",      "end",      "proud",
      "fun",        "interesting", "exactly",    "agree",      "appreciate", "guy",      "man",
      "madam"};
  return kWords.contains(word);
}

std::string base_form(std::string_view word) {
  std::string base(word);
  if (base.ends_with("'s")) base.resize(base.size() - 2);
  if (base.size() > 4 && base.ends_with("ies")) return base.substr(0, base.size() - 3) + "y";
  if (base.size() > 4 && (base.ends_with("ches") || base.ends_with("shes") ||
                          base.ends_with("xes") || base.ends_with("sses")))
    return base.substr(0, base.size() - 2);
  if (base.size() > 3 && base.ends_with('s') && !base.ends_with("ss") && !base.ends_with("us") &&
      !base.ends_with("is"))
    base.pop_back();
  return base;
}

int count_words(std::string_view text) {
  int n = 0;
  bool inside = false;
  for (const char c : text) {
    const bool space = c == ' ' || c == '\n' || c == '\t' || c == '\r';
    n += !space && !inside;
    inside = !space;
  }
  return n;
}

}  // namespace chatmem
