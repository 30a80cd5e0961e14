// Renders the chosen sentences: opening, one paragraph of sentences for each day, latest state.
#include "extractive/summarizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "extractive/reported.h"
#include "extractive/selection.h"
#include "text/names.h"
#include "text/time_words.h"
#include "text/words.h"

namespace chatmem {
namespace {

constexpr int kWordsPerSentence = 22;  // with its date and speaker, as measured on real chats
constexpr int kFrameWords = 40;        // opening and closing

std::string joined(const std::vector<std::string>& items) {
  std::string text;
  for (size_t i = 0; i < items.size(); i++) {
    if (i > 0) text += i + 1 == items.size() ? (items.size() > 2 ? ", and " : " and ") : ", ";
    text += items[i];
  }
  return text;
}

// Everyone but "You", those with most messages first.
std::vector<std::string> other_speakers(const Conversation& conversation) {
  std::map<std::string, int, std::less<>> counts;
  for (const Message& message : conversation.messages) {
    const std::string_view name = message.speaker();
    if (!name.empty() && name != "You") counts[std::string(name)]++;
  }
  std::vector<std::pair<std::string, int>> ranked(counts.begin(), counts.end());
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::vector<std::string> names;
  for (auto& [name, count] : ranked) names.push_back(std::move(name));
  return names;
}

// "Anna, Ben, Cleo and 4 others": a group of thirty must not fill the summary.
std::string company(std::vector<std::string> names) {
  constexpr size_t kNamed = 3;
  if (names.size() > kNamed + 1) {
    const size_t rest = names.size() - kNamed;
    names.resize(kNamed);
    names.push_back(fmt::format("{} others", rest));
  }
  return joined(names);
}

class Renderer {
 public:
  Renderer(const Conversation& conversation, const ExtractiveOptions& options)
      : conversation_(conversation),
        days_(group_by_day(conversation)),
        others_(other_speakers(conversation)),
        has_you_(std::any_of(conversation.messages.begin(), conversation.messages.end(),
                             [](const Message& m) { return m.speaker() == "You"; })),
        max_words_(std::max(options.max_words, 1)) {
    as_of_ = options.as_of ? options.as_of : conversation.as_of;
    if (!as_of_ && !days_.empty()) as_of_ = days_.back().date;
  }

  Recap run() {
    if (days_.empty()) return {};
    candidates_ = score_sentences(conversation_, days_, names_with_you());
    prefer_reported_speech();
    for (int n = std::max(1, (max_words_ - kFrameWords) / kWordsPerSentence + 4); n > 0; n--) {
      Recap recap = render(select_sentences(candidates_, int(days_.size()), n));
      if (count_words(recap.text()) <= max_words_) return recap;
    }
    return shortest();
  }

 private:
  std::vector<std::string> names_with_you() const {
    std::vector<std::string> names = others_;
    names.push_back("You");
    return names;
  }

  ReportedSpeech speech_of(const Message& message) const {
    ReportedSpeech speech;
    speech.by_you = message.speaker() == "You";
    speech.speaker_gender = gender_of(message.speaker());
    speech.addressee_gender = others_.empty() ? Gender::kUnknown : gender_of(others_[0]);
    speech.two_people = has_you_ && others_.size() == 1;
    return speech;
  }

  // What can be told reads better than what must be quoted.
  void prefer_reported_speech() {
    reported_.resize(candidates_.size());
    for (size_t i = 0; i < candidates_.size(); i++) {
      Candidate& candidate = candidates_[i];
      if (candidate.kind != SentenceKind::kStatement) continue;
      const Message& message = conversation_.messages[size_t(candidate.message)];
      if (message.speaker().empty()) continue;
      reported_[i] = reported_clause(candidate.text, speech_of(message));
      if (reported_[i]) candidate.score *= 1.3;
    }
  }

  std::string day_text(Date day) const {
    return format_long_date(day, year_of(day) != year_of(*as_of_));
  }

  std::string opening() const {
    std::string text = "Here's a summary of ";
    if (others_.empty())
      text += has_you_ ? "your messages" : "the messages";
    else if (has_you_)
      text += "your interactions with " + company(others_);
    else
      text += (others_.size() > 1 ? "the conversation between " : "the messages of ") +
              company(others_);
    text += span();
    const std::vector<std::string> topics = find_topics(conversation_, others_, 3);
    if (!topics.empty()) text += ", mostly about " + joined(topics);
    return text + ".";
  }

  // " over the past few months, from May 27th to August 8th, 2024".
  std::string span() const {
    if (!days_.front().date) return "";
    const Date first = *days_.front().date, last = *days_.back().date;
    if (first == last) return " on " + format_long_date(first, true);
    const int days = int((*as_of_ - first).count());
    const bool recent = *as_of_ >= last && (*as_of_ - last).count() <= 60;
    std::string text;
    if (recent && days <= 7)
      text = " over the past week,";
    else if (recent && days <= 45)
      text = " over the past few weeks,";
    else if (recent && days <= 70)
      text = " over the past two months,";
    else if (recent && days <= 330)
      text = " over the past few months,";
    else if (recent && days <= 400)
      text = " over the past year,";
    return text + " from " + format_long_date(first, year_of(first) != year_of(last)) + " to " +
           format_long_date(last, true);
  }

  // "On June 9th, about two months ago, ", in varied words.
  std::string day_lead(int day, int position, bool last) const {
    const std::optional<Date> date = days_[size_t(day)].date;
    if (!date) return position == 0 ? "First, " : last ? "Most recently, " : "";
    const std::string on = day_text(*date), ago = relative_time(*date, *as_of_);
    if (position == 0) return fmt::format("It all started back on {}, {}, when ", on, ago);
    if (last) return fmt::format("Most recently, on {}, {}, ", on, ago);
    static constexpr std::string_view kLeads[] = {"On {}, {}, ", "Then, on {}, {}, ",
                                                  "{1}, on {0}, ", "Later, on {}, {}, "};
    std::string text =
        fmt::format(fmt::runtime(kLeads[size_t(position) % std::size(kLeads)]), on, ago);
    text[0] = char(std::toupper(static_cast<unsigned char>(text[0])));
    return text;
  }

  // How the sentence is told. `again`: the same speaker as in the sentence before.
  std::string told(int index, bool again, int position) const {
    const Candidate& candidate = candidates_[size_t(index)];
    const Message& message = conversation_.messages[size_t(candidate.message)];
    const bool by_you = message.speaker() == "You";
    std::string who = by_you ? "you" : std::string(message.speaker());
    if (who.empty()) return fmt::format("a message said: \"{}\"", quotable(candidate.text));
    if (again && !by_you) who = pronoun(message.speaker());
    const std::string whom = !by_you ? (has_you_ && others_.size() == 1 ? " you" : "")
                                     : (others_.size() == 1 ? " " + others_[0] : "");
    if (reported_[size_t(index)]) {
      static constexpr std::string_view kMore[] = {"added", "also mentioned", "also said"};
      static constexpr std::string_view kTold[] = {"mentioned", "told", "shared", "said"};
      std::string verb(again ? kMore[size_t(position) % std::size(kMore)]
                             : kTold[size_t(position) % std::size(kTold)]);
      if (verb == "told") verb = whom.empty() ? "said" : "told" + whom;
      return fmt::format("{} {} that {}", who, verb, *reported_[size_t(index)]);
    }
    if (candidate.kind == SentenceKind::kQuestion)
      return fmt::format("{} asked{}: \"{}\"", who, again ? "" : whom, quotable(candidate.text));
    return fmt::format("{} {}: \"{}\"", who, again ? "added" : "wrote", quotable(candidate.text));
  }

  // Quoted sentences that follow each other in one message are one quotation.
  bool continues_quotation(int before, int index) const {
    const Candidate& a = candidates_[size_t(before)];
    const Candidate& b = candidates_[size_t(index)];
    return index == before + 1 && a.message == b.message && a.kind != SentenceKind::kQuestion &&
           b.kind != SentenceKind::kQuestion && !reported_[size_t(before)] &&
           !reported_[size_t(index)];
  }

  // With an end of its own, and without double quotes inside the double quotes.
  static std::string quotable(std::string text) {
    std::replace(text.begin(), text.end(), '"', '\'');
    const char end = text.back();
    if (end != '.' && end != '!' && end != '?') text += '.';
    return text;
  }

  // "She" only where it is known; else the name again.
  static std::string pronoun(std::string_view name) {
    const Gender gender = gender_of(name);
    return gender == Gender::kUnknown ? std::string(name)
                                      : std::string(pronouns_of(gender).subject);
  }

  static std::string finished(std::string text) {
    text[0] = char(std::toupper(static_cast<unsigned char>(text[0])));
    const char end = text.back();
    if (end != '"' && end != '.' && end != '!' && end != '?') text += '.';
    return text;
  }

  Recap render(const std::vector<int>& chosen) const {
    Recap recap;
    std::vector<int> all(conversation_.messages.size());
    for (size_t i = 0; i < all.size(); i++) all[i] = int(i);
    recap.sentences.push_back({opening(), std::move(all)});
    int day = -1, n_days = 0;
    std::string_view speaker_before;
    for (size_t i = 0; i < chosen.size(); i++) {
      const Candidate& candidate = candidates_[size_t(chosen[i])];
      const Message& message = conversation_.messages[size_t(candidate.message)];
      const bool new_day = candidate.day != day;
      const bool again = !new_day && message.speaker() == speaker_before;
      if (again && continues_quotation(chosen[i - 1], chosen[i])) {
        std::string& text = recap.sentences.back().text;
        text.insert(text.size() - 1, " " + quotable(candidate.text));
        continue;
      }
      std::string text = told(chosen[i], again, int(i));
      if (new_day) {
        const bool last = candidate.day + 1 == int(days_.size()) && n_days > 0;
        text = day_lead(candidate.day, n_days++, last) + text;
      }
      day = candidate.day;
      speaker_before = message.speaker();
      recap.sentences.push_back({finished(std::move(text)), {candidate.message}});
    }
    add_closing(recap, day + 1 == int(days_.size()));
    return recap;
  }

  // Says that nothing newer is known on the day of the summary.
  void add_closing(Recap& recap, bool told_last_day) const {
    if (!days_.back().date || *days_.back().date >= *as_of_ || days_.size() < 2) return;
    const std::string who = others_.size() == 1 ? " with " + others_[0] : "";
    const std::string what = fmt::format("{}latest exchange{}", has_you_ ? "your " : "the ", who);
    const std::string day = day_text(*days_.back().date);
    recap.sentences.push_back(
        {fmt::format("As of today, {}, {}.", day_text(*as_of_),
                     told_last_day ? "that was " + what : fmt::format("{} was on {}", what, day)),
         days_.back().messages});
  }

  // When not even one sentence fits beside the opening: the best that fits alone, else nothing.
  Recap shortest() const {
    Recap recap = render({});
    if (!recap.sentences.empty()) recap.sentences.resize(1);
    if (count_words(recap.text()) > max_words_) recap.sentences.clear();
    return recap;
  }

  const Conversation& conversation_;
  std::vector<DayGroup> days_;
  std::vector<std::string> others_;
  bool has_you_;
  int max_words_;
  std::optional<Date> as_of_;
  std::vector<Candidate> candidates_;
  std::vector<std::optional<std::string>> reported_;
};

}  // namespace

std::string Recap::text() const {
  std::string text;
  for (const RecapSentence& sentence : sentences) {
    if (!text.empty()) text += ' ';
    text += sentence.text;
  }
  return text;
}

Recap summarize_extractive(const Conversation& conversation, const ExtractiveOptions& options) {
  return Renderer(conversation, options).run();
}

}  // namespace chatmem
