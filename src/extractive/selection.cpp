#include "extractive/selection.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <queue>
#include <unordered_map>

#include "extractive/word_lists.h"
#include "text/words.h"

namespace chatmem {
namespace {

// "It took hours", "That works": clear only after the sentence before.
bool leans_back(const std::vector<std::string>& words) {
  static const PhraseSet kStarts = phrase_set(
      "it|it's|that|that's|this|those|these|he|she|they|he's|she's|they're|which|then|there|same|"
      "not|or|because|if|just");
  return !words.empty() && kStarts.contains(words[0]);
}

// Addresses, pictures and code are not prose, nor is what has none of the small words.
bool is_no_prose(std::string_view text, const std::vector<std::string>& words) {
  if (text.find("://") != text.npos || text.find("www.") != text.npos) return true;
  if (text.find_first_of("<>{}[]|`") != text.npos) return true;
  return std::none_of(words.begin(), words.end(),
                      [](const std::string& word) { return is_stopword(word); });
}

double length_factor(size_t n_words) {
  if (n_words < 4) return 0.25;
  if (n_words < 7) return 0.75;
  if (n_words <= 24) return 1;
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

// Numbers for the words of a chat, and how many sentences have each.
struct Terms {
  std::unordered_map<std::string, int> number;
  std::vector<int> n_sentences;

  std::vector<int> of(const std::vector<std::string>& words) {
    std::vector<int> terms;
    for (const std::string& word : words)
      if (word.size() > 1 && !is_stopword(word))
        terms.push_back(number.try_emplace(base_form(word), int(number.size())).first->second);
    std::sort(terms.begin(), terms.end());
    terms.erase(std::unique(terms.begin(), terms.end()), terms.end());
    n_sentences.resize(number.size());
    for (const int term : terms) n_sentences[size_t(term)]++;
    return terms;
  }
};

// What the sentence is worth by itself; the weight of its words comes on top.
double value_of(const Candidate& candidate, const std::vector<std::string>& words) {
  // Divided by the root of the length, so that a sentence gains by having more to say, but not in
  // proportion.
  double value = 1 / std::sqrt(4.0 + double(words.size()));
  value *= length_factor(words.size()) * kind_factor(candidate.kind);
  if (leans_back(words)) value *= 0.55;
  if (is_no_prose(candidate.text, words)) value *= 0.4;
  return value;
}

// One sentence repeats the other: most content words are the same, or a longer one holds all of it.
bool near_equal(const Candidate& a, const Candidate& b) {
  if (a.text == b.text) return true;
  size_t shared = 0;
  for (size_t i = 0, j = 0; i < a.terms.size() && j < b.terms.size();) {
    shared += a.terms[i] == b.terms[j];
    const bool step_a = a.terms[i] <= b.terms[j], step_b = b.terms[j] <= a.terms[i];
    i += step_a, j += step_b;
  }
  const size_t smaller = std::min(a.terms.size(), b.terms.size());
  const double all = double(a.terms.size() + b.terms.size() - shared);
  return shared > 0 && (double(shared) / all >= 0.6 ||
                        (smaller >= 4 && double(shared) / double(smaller) >= 0.75));
}

// One choice of sentences while it is made.
class Choice {
 public:
  Choice(const std::vector<Candidate>& candidates, const std::vector<std::vector<int>>& by_day,
         int n_terms)
      : candidates_(candidates),
        by_day_(by_day),
        next_(by_day.size()),
        per_day_(by_day.size()),
        with_term_(size_t(n_terms)) {}

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
    std::priority_queue<std::pair<double, int>> days;  // of a value that may have sunk since
    const auto offer = [&](int day) {
      const int first = best_new(day);
      if (first >= 0 && worth(first) > 0) days.emplace(worth(first), -day);
    };
    for (int day = 0; day < int(by_day_.size()); day++) offer(day);
    while (int(chosen_.size()) < n && !days.empty()) {
      const auto [old_worth, minus_day] = days.top();
      days.pop();
      const int first = best_new(-minus_day);
      if (first >= 0 && worth(first) == old_worth) take(first);
      offer(-minus_day);
    }
  }

  std::vector<int> chosen() && {
    std::sort(chosen_.begin(), chosen_.end());
    return std::move(chosen_);
  }

 private:
  double value(int i) const { return candidates_[size_t(i)].score; }
  double worth(int i) const {
    return value(i) / (1.0 + per_day_[size_t(candidates_[size_t(i)].day)]);
  }

  // The best sentence of a day that is not chosen and not near-equal to a chosen one, or -1.
  int best_new(int day) {
    const std::vector<int>& sentences = by_day_[size_t(day)];
    for (size_t& next = next_[size_t(day)]; next < sentences.size(); next++) {
      const int i = sentences[next];
      // A day of thanks and greetings only is passed over, unless there is nothing else.
      if (candidates_[size_t(i)].kind == SentenceKind::kCourtesy && !chosen_.empty()) return -1;
      if (!repeats_chosen(candidates_[size_t(i)])) return i;
    }
    return -1;
  }

  // Near-equal sentences have a term in common, or have no terms at all.
  bool repeats_chosen(const Candidate& candidate) const {
    const auto equals = [&](int other) {
      return near_equal(candidates_[size_t(other)], candidate);
    };
    if (candidate.terms.empty()) return std::any_of(chosen_.begin(), chosen_.end(), equals);
    return std::any_of(candidate.terms.begin(), candidate.terms.end(), [&](int term) {
      const std::vector<int>& with = with_term_[size_t(term)];
      return std::any_of(with.begin(), with.end(), equals);
    });
  }

  void take(int i) {
    const Candidate& candidate = candidates_[size_t(i)];
    next_[size_t(candidate.day)]++;
    per_day_[size_t(candidate.day)]++;
    for (const int term : candidate.terms) with_term_[size_t(term)].push_back(i);
    chosen_.push_back(i);
  }

  const std::vector<Candidate>& candidates_;
  const std::vector<std::vector<int>>& by_day_;
  std::vector<size_t> next_;  // of each day, the sentences before are chosen or repeat a chosen one
  std::vector<int> per_day_;
  std::vector<std::vector<int>> with_term_;  // the chosen
  std::vector<int> chosen_;
};

}  // namespace

std::vector<DayGroup> group_by_day(const Conversation& conversation) {
  std::map<std::optional<Date>, DayGroup> groups;
  std::optional<Date> day;
  for (const Message& message : conversation.messages)  // the first day serves what is before it
    if ((day = message.date())) break;
  for (int i = 0; i < int(conversation.messages.size()); i++) {
    if (const auto date = conversation.messages[size_t(i)].date()) day = date;
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
                                       const CalledNames& names) {
  std::vector<Candidate> candidates;
  Terms terms;
  for (int day = 0; day < int(days.size()); day++)
    for (const int message : days[size_t(day)].messages)
      for (const std::string_view sentence :
           split_sentences(conversation.messages[size_t(message)].text())) {
        Candidate candidate{message, day, without_openers(sentence, names)};
        const std::vector<std::string> words = words_of(candidate.text);
        candidate.kind = kind_of(candidate.text);
        candidate.terms = terms.of(words);
        candidate.score = value_of(candidate, words);
        candidates.push_back(std::move(candidate));
      }
  for (Candidate& candidate : candidates) {
    double weight = 0;
    for (const int term : candidate.terms) {
      const double n = terms.n_sentences[size_t(term)];
      weight += std::log(1 + n) * std::log(1 + double(candidates.size()) / n);
    }
    candidate.score *= weight;
  }
  return candidates;
}

SentenceSelector::SentenceSelector(const std::vector<Candidate>& candidates, int n_days)
    : candidates_(candidates), by_day_(size_t(n_days)) {
  for (int i = 0; i < int(candidates.size()); i++) {
    const Candidate& candidate = candidates[size_t(i)];
    by_day_[size_t(candidate.day)].push_back(i);
    if (!candidate.terms.empty()) n_terms_ = std::max(n_terms_, candidate.terms.back() + 1);
  }
  for (std::vector<int>& day : by_day_)
    std::stable_sort(day.begin(), day.end(), [&](int a, int b) {
      return candidates[size_t(a)].score > candidates[size_t(b)].score;
    });
}

std::vector<int> SentenceSelector::select(int max_sentences) const {
  Choice choice(candidates_, by_day_, n_terms_);
  choice.spread(max_sentences);
  choice.fill(max_sentences);
  return std::move(choice).chosen();
}

}  // namespace chatmem
