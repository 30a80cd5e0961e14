#include "extractive/selection.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "text/words.h"

namespace chatmem {
namespace {

using TermCounts = std::unordered_map<std::string, int>;

bool has_digit(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c); });
}

std::vector<std::string> terms_of(std::string_view text) {
  std::vector<std::string> terms;
  for (const std::string& word : words_of(text))
    if (word.size() > 1 && !is_stopword(word)) terms.push_back(base_form(word));
  std::sort(terms.begin(), terms.end());
  terms.erase(std::unique(terms.begin(), terms.end()), terms.end());
  return terms;
}

// Words of events, decisions and plans, and of the calendar.
bool tells_of_events(const std::vector<std::string>& words) {
  static const std::unordered_set<std::string_view> kWords = {
      "decided",   "decide",    "booked",   "plan",     "plans",     "planning",  "accepted",
      "offer",     "offered",   "passed",   "approved", "moved",     "moving",    "finished",
      "started",   "bought",    "sold",     "won",      "lost",      "signed",    "graduated",
      "promoted",  "promotion", "news",     "invited",  "arrived",   "scheduled", "appointment",
      "interview", "meeting",   "agreed",   "applied",  "hired",     "found",     "completed",
      "quit",      "learned",   "visited",  "met",      "received",  "suggested", "recommend",
      "married",   "engaged",   "wedding",  "birthday", "trip",      "january",   "february",
      "march",     "april",     "june",     "july",     "august",    "september", "october",
      "november",  "december",  "monday",   "tuesday",  "wednesday", "thursday",  "friday",
      "saturday",  "sunday",    "tomorrow", "weekend",  "results",   "update",    "finally",
      "progress",  "improved",  "solved",   "launched", "delivered"};
  return std::any_of(words.begin(), words.end(),
                     [](const std::string& word) { return kWords.contains(word); });
}

// A capital inside the sentence: a name of a person, place or thing.
bool names_something(std::string_view text) {
  for (size_t i = 2; i + 1 < text.size(); i++)
    if (text[i - 1] == ' ' && std::isupper(static_cast<unsigned char>(text[i])) &&
        std::islower(static_cast<unsigned char>(text[i + 1])) &&
        std::isalnum(static_cast<unsigned char>(text[i - 2])))
      return true;
  return false;
}

// "It took hours", "That works": clear only after the sentence before.
bool leans_back(const std::vector<std::string>& words) {
  static const std::unordered_set<std::string_view> kStarts = {
      "it",   "it's", "that", "that's",  "this",    "those", "these", "he",
      "she",  "they", "he's", "she's",   "they're", "which", "then",  "there",
      "same", "not",  "or",   "because", "if",      "just"};
  return !words.empty() && kStarts.contains(words[0]);
}

double length_factor(size_t n_words) {
  if (n_words < 4) return 0.25;
  if (n_words < 7) return 0.75;
  if (n_words <= 28) return 1;
  return n_words <= 40 ? 0.7 : 0.3;
}

double kind_factor(SentenceKind kind) {
  switch (kind) {
    case SentenceKind::kStatement:
      return 1;
    case SentenceKind::kQuestion:
      return 0.4;
    case SentenceKind::kCourtesy:
      return 0.15;
  }
  return 1;
}

void score(Candidate& candidate, const TermCounts& sentence_counts, size_t n_sentences) {
  const std::vector<std::string> words = words_of(candidate.text);
  double weight = 0;
  for (const std::string& term : candidate.terms) {
    const double count = sentence_counts.at(term);
    weight += std::log(1 + count) * std::log(1 + double(n_sentences) / count);
  }
  // Divided by the root of the length, so that a sentence gains by having more to say, but not in
  // proportion.
  double value = weight / std::sqrt(4.0 + double(words.size()));
  value *= length_factor(words.size()) * kind_factor(candidate.kind);
  if (has_digit(candidate.text)) value *= 1.15;
  if (tells_of_events(words)) value *= 1.35;
  if (names_something(candidate.text)) value *= 1.1;
  if (leans_back(words)) value *= 0.55;
  candidate.score = value;
}

// One sentence repeats the other: most content words are the same, or a longer one holds all of it.
bool near_equal(const Candidate& a, const Candidate& b) {
  if (a.text == b.text) return true;
  std::vector<std::string> both;
  std::set_intersection(a.terms.begin(), a.terms.end(), b.terms.begin(), b.terms.end(),
                        std::back_inserter(both));
  const double shared = double(both.size());
  const size_t smaller = std::min(a.terms.size(), b.terms.size());
  const double all = double(a.terms.size() + b.terms.size()) - shared;
  return shared > 0 && (shared / all >= 0.6 || (smaller >= 4 && shared / double(smaller) >= 0.75));
}

class Selector {
 public:
  Selector(const std::vector<Candidate>& candidates, int n_days)
      : candidates_(candidates), by_day_(size_t(n_days)), per_day_(size_t(n_days)) {
    for (int i = 0; i < int(candidates.size()); i++)
      by_day_[size_t(candidates[size_t(i)].day)].push_back(i);
    for (std::vector<int>& day : by_day_)
      std::stable_sort(day.begin(), day.end(), [&](int a, int b) { return value(a) > value(b); });
  }

  // The best sentence of the best day in each of `n` equal parts of the span; the first and the
  // last day are parts of their own.
  void spread(int n) {
    const int n_days = int(by_day_.size());
    n = std::min(n, n_days);
    for (int part = 0; part < n; part++) {
      int begin = int(int64_t(n_days) * part / n), end = int(int64_t(n_days) * (part + 1) / n);
      if (part == 0) end = std::min(end, 1);
      if (part == n - 1 && n > 1) begin = n_days - 1;
      int best = -1;
      for (int day = begin; day < end; day++) {
        const int first = best_new(day);
        if (first >= 0 && (best < 0 || value(first) > value(best))) best = first;
      }
      if (best >= 0) take(best);
    }
  }

  // The best of what is left; a day that has some gets more only for a much better sentence.
  void fill(int n) {
    while (int(chosen_.size()) < n) {
      int best = -1;
      double best_value = 0;
      for (int day = 0; day < int(by_day_.size()); day++) {
        const int first = best_new(day);
        if (first < 0) continue;
        const double v = value(first) / (1 + 0.6 * per_day_[size_t(day)]);
        if (v > best_value) best_value = v, best = first;
      }
      if (best < 0) return;
      take(best);
    }
  }

  std::vector<int> chosen() {
    std::sort(chosen_.begin(), chosen_.end());
    return chosen_;
  }

 private:
  double value(int i) const { return candidates_[size_t(i)].score; }

  // The best sentence of a day that is not chosen and not near-equal to a chosen one, or -1.
  int best_new(int day) {
    std::vector<int>& waiting = by_day_[size_t(day)];
    while (!waiting.empty()) {
      const Candidate& candidate = candidates_[size_t(waiting.front())];
      // A day of thanks and greetings only is passed over, unless there is nothing else.
      if (candidate.kind == SentenceKind::kCourtesy && !chosen_.empty()) return -1;
      const bool repeats = std::any_of(chosen_.begin(), chosen_.end(), [&](int other) {
        return near_equal(candidates_[size_t(other)], candidate);
      });
      if (!repeats) return waiting.front();
      waiting.erase(waiting.begin());
    }
    return -1;
  }

  void take(int i) {
    const int day = candidates_[size_t(i)].day;
    std::vector<int>& waiting = by_day_[size_t(day)];
    waiting.erase(std::find(waiting.begin(), waiting.end(), i));
    per_day_[size_t(day)]++;
    chosen_.push_back(i);
  }

  const std::vector<Candidate>& candidates_;
  std::vector<std::vector<int>> by_day_;
  std::vector<int> per_day_;
  std::vector<int> chosen_;
};

}  // namespace

std::vector<DayGroup> group_by_day(const Conversation& conversation) {
  std::map<std::optional<Date>, DayGroup> groups;
  std::optional<Date> day;
  for (const Message& message : conversation.messages)  // the first readable day serves what is
    if (const auto time = message.time()) {             // before it
      day = date_of(*time);
      break;
    }
  for (int i = 0; i < int(conversation.messages.size()); i++) {
    if (const auto time = conversation.messages[size_t(i)].time()) day = date_of(*time);
    DayGroup& group = groups[day];
    group.date = day;
    group.messages.push_back(i);
  }
  std::vector<DayGroup> days;
  for (auto& [date, group] : groups) days.push_back(std::move(group));
  return days;
}

std::vector<Candidate> score_sentences(const Conversation& conversation,
                                       const std::vector<DayGroup>& days,
                                       const std::vector<std::string>& names) {
  std::vector<Candidate> candidates;
  TermCounts counts;
  for (int day = 0; day < int(days.size()); day++)
    for (const int message : days[size_t(day)].messages)
      for (const std::string& sentence :
           split_sentences(conversation.messages[size_t(message)].text())) {
        Candidate candidate{message, day, without_openers(sentence, names), {}, {}, 0};
        candidate.kind = kind_of(candidate.text);
        candidate.terms = terms_of(candidate.text);
        for (const std::string& term : candidate.terms) counts[term]++;
        candidates.push_back(std::move(candidate));
      }
  for (Candidate& candidate : candidates) score(candidate, counts, candidates.size());
  return candidates;
}

std::vector<int> select_sentences(const std::vector<Candidate>& candidates, int n_days,
                                  int max_sentences) {
  Selector selector(candidates, n_days);
  selector.spread(max_sentences);
  selector.fill(max_sentences);
  return selector.chosen();
}

namespace {

struct TopicCount {
  int messages = 0, determined = 0, capital = 0, vocative = 0, last_message = -1;
  std::map<std::string, int> surfaces;
  std::map<std::string, int> after;  // the word that follows, by its base, and how often
};
using Topics = std::unordered_map<std::string, TopicCount>;

bool is_determiner(const std::string& word) {
  static const std::unordered_set<std::string_view> kWords = {"the", "a",   "an",  "my",    "your",
                                                              "our", "his", "her", "their", "this"};
  return kWords.contains(word);
}

struct WrittenWord {
  std::string text, lower;
  char before = ' ', after = ' ';  // the punctuation around it, or a space
};

// Letters and inner hyphens; "Mum's" gives "Mum", "don't" is left out.
std::vector<WrittenWord> written_words(std::string_view sentence) {
  std::vector<WrittenWord> words;
  char before = ' ';
  for (size_t i = 0; i < sentence.size();) {
    if (!std::isalpha(static_cast<unsigned char>(sentence[i]))) {
      if (sentence[i] != ' ') before = sentence[i];
      i++;
      continue;
    }
    size_t end = i;
    while (end < sentence.size() &&
           (std::isalpha(static_cast<unsigned char>(sentence[end])) || sentence[end] == '-'))
      end++;
    WrittenWord word{std::string(sentence.substr(i, end - i)), {}, before, ' '};
    word.lower = to_lower_ascii(word.text);
    before = ' ';
    i = end;
    if (end < sentence.size() && sentence[end] == '\'') {
      while (i < sentence.size() && sentence[i] != ' ') i++;
      if (sentence.substr(end, 2) != "'s") continue;
    }
    if (i < sentence.size()) word.after = sentence[i];
    words.push_back(std::move(word));
  }
  return words;
}

// A name called out: "Denise, the offer came", "See you, Denise!"
bool is_vocative(const std::vector<WrittenWord>& words, size_t i) {
  const bool stop_after = words[i].after == ',' || words[i].after == '.' || words[i].after == '!' ||
                          words[i].after == '?';
  const bool after_greeting = i > 0 && i < 3 && is_stopword(words[i - 1].lower);
  return stop_after && (i == 0 || words[i].before == ',' || after_greeting);
}

void count_topics(std::string_view sentence, int message, Topics& topics) {
  const std::vector<WrittenWord> words = written_words(sentence);
  for (size_t i = 0; i < words.size(); i++) {
    const WrittenWord& word = words[i];
    if (word.lower.size() < 3 || is_stopword(word.lower)) continue;
    TopicCount& topic = topics[base_form(word.lower)];
    if (topic.last_message != message) topic.messages++;
    topic.last_message = message;
    const bool joined = i + 1 < words.size() && word.after == ' ' &&
                        !is_stopword(words[i + 1].lower);  // with the next word, by its look
    topic.determined += i > 0 && !joined && word.before == ' ' && is_determiner(words[i - 1].lower);
    // A capital at the start of a sentence proves nothing.
    const bool capital = i > 0 && std::isupper(static_cast<unsigned char>(word.text[0]));
    topic.capital += capital;
    topic.vocative +=
        std::isupper(static_cast<unsigned char>(word.text[0])) && is_vocative(words, i);
    if (i > 0) topic.surfaces[capital ? word.text : word.lower]++;
    if (joined) topic.after[base_form(words[i + 1].lower)]++;
  }
}

// The day of the week, a title, or a word that is rarely what a chat is about.
bool is_no_subject(const std::string& lower) {
  static const std::unordered_set<std::string_view> kWords = {
      "monday",    "tuesday",  "wednesday", "thursday", "friday", "saturday", "sunday",
      "january",   "february", "march",     "april",    "june",   "july",     "august",
      "september", "october",  "november",  "december", "mr",     "mrs",      "ms",
      "dr",        "hour",     "minute",    "couple",   "person", "chance",   "lol",
      "advice",    "step",     "way",       "hand",     "rest",   "part",     "fact",
      "reason",    "side",     "case",      "future",   "favor",  "pleasure", "congratulation",
      "detail",    "option",   "list",      "number",   "name",   "call",     "break",
      "world",     "deal",     "ton",       "dollar",   "pound",  "god",      "guidance",
      "support",   "update"};
  return kWords.contains(lower);
}

std::string surface_of(const TopicCount& topic) {
  return std::max_element(topic.surfaces.begin(), topic.surfaces.end(),
                          [](const auto& a, const auto& b) { return a.second < b.second; })
      ->first;
}

bool is_capital(const std::string& word) {
  return std::isupper(static_cast<unsigned char>(word[0])) != 0;
}

// The base that mostly follows `base`, so that both are one subject ("space agency"); or empty.
std::string companion(const Topics& topics, const std::string& base) {
  const TopicCount& topic = topics.at(base);
  for (const auto& [next, count] : topic.after) {
    const auto it = topics.find(next);
    if (it == topics.end() || next == base || count < 2) continue;
    if (topic.surfaces.empty() || it->second.surfaces.empty()) continue;
    if (2 * count >= std::min(topic.messages, it->second.messages) &&
        is_capital(surface_of(topic)) == is_capital(surface_of(it->second)))
      return next;
  }
  return "";
}

}  // namespace

std::vector<std::string> find_topics(const Conversation& conversation,
                                     const std::vector<std::string>& names, int n) {
  Topics topics;
  for (int i = 0; i < int(conversation.messages.size()); i++)
    for (const std::string& sentence : split_sentences(conversation.messages[size_t(i)].text()))
      count_topics(sentence, i, topics);
  std::unordered_set<std::string> used;
  for (const std::string& name : names)
    for (const std::string& word : words_of(name)) used.insert(base_form(word));
  const auto weight = [](const TopicCount& t) {
    return t.messages + 0.5 * std::min(t.determined + t.capital, 6);
  };
  std::vector<std::pair<double, std::string>> ranked;
  for (const auto& [base, topic] : topics)
    if (topic.messages >= 2 && topic.determined + topic.capital > 0 &&
        4 * topic.vocative < topic.messages && !is_no_subject(base))
      ranked.emplace_back(-weight(topic), base);
  std::sort(ranked.begin(), ranked.end());
  std::map<std::string, std::string> leader;  // the word that a base mostly follows
  for (const auto& [_, base] : ranked)
    if (const std::string next = companion(topics, base); !next.empty()) leader.emplace(next, base);
  std::vector<std::string> found;
  for (const auto& [_, ranked_base] : ranked) {
    if (int(found.size()) == n) break;
    std::string base = ranked_base;
    if (const auto it = leader.find(base); it != leader.end() && !used.contains(it->second))
      base = it->second;
    if (!used.insert(base).second) continue;
    std::string text = surface_of(topics.at(base));
    if (const std::string next = companion(topics, base); !next.empty()) {
      if (!used.insert(next).second) continue;
      if (!is_capital(text)) text = base;  // "the studio system", not "the studios system"
      text += ' ' + surface_of(topics.at(next));
    }
    found.push_back(is_capital(text) ? text : "the " + text);
  }
  return found;
}

}  // namespace chatmem
