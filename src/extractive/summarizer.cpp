// Renders the chosen sentences: opening, one paragraph of sentences for each day, latest state.
#include "extractive/summarizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <unordered_map>

#include "extractive/reported.h"
#include "extractive/selection.h"
#include "extractive/sentences.h"
#include "extractive/topics.h"
#include "text/names.h"
#include "text/time_expressions.h"
#include "text/time_words.h"
#include "text/words.h"

namespace chatmem {
namespace {

constexpr std::string_view kReader = "You";
constexpr int kMinWordsPerSentence = 12;  // with its date and speaker
constexpr size_t kMaxQuoteBytes = 300;

std::string joined(const std::vector<std::string>& items) {
  std::string text;
  for (size_t i = 0; i < items.size(); i++) {
    if (i > 0) text += i + 1 == items.size() ? (items.size() > 2 ? ", and " : " and ") : ", ";
    text += items[i];
  }
  return text;
}

// Who wrote, and in which message first; those with most messages come first.
struct Speaker {
  std::string name;
  int first_message = 0;
  int n_messages = 0;
};

// Everyone but "You".
std::vector<Speaker> other_speakers(const Conversation& conversation) {
  std::vector<Speaker> speakers;
  std::unordered_map<std::string_view, size_t> places;
  for (int i = 0; i < int(conversation.messages.size()); i++) {
    const std::string_view name = conversation.messages[size_t(i)].speaker();
    if (name.empty() || name == kReader) continue;
    const auto [place, is_new] = places.try_emplace(name, speakers.size());
    if (is_new) speakers.push_back({std::string(name), i, 0});
    speakers[place->second].n_messages++;
  }
  std::stable_sort(speakers.begin(), speakers.end(),
                   [](const Speaker& a, const Speaker& b) { return a.n_messages > b.n_messages; });
  return speakers;
}

// Those the opening names: a group of thirty must not fill the summary.
size_t n_named(const std::vector<Speaker>& speakers) {
  return speakers.size() > 4 ? 3 : speakers.size();
}

// "Anna, Ben, Cleo and 4 others".
std::string company(const std::vector<Speaker>& speakers) {
  std::vector<std::string> names;
  for (size_t i = 0; i < n_named(speakers); i++) names.push_back(speakers[i].name);
  if (speakers.size() > names.size())
    names.push_back(fmt::format("{} others", speakers.size() - names.size()));
  return joined(names);
}

std::string with_capital(std::string text) {
  if (!text.empty()) text[0] = char(std::toupper(static_cast<unsigned char>(text[0])));
  return text;
}

// "four days later": the words of relative_time from the later day, turned around.
std::string later(Date before, Date day) {
  std::string words = relative_time(before, day);
  if (words == "yesterday") return "the next day";
  if (words == "last week") return "a week later";
  if (words.ends_with(" ago")) words.replace(words.size() - 3, 3, "later");
  return words;
}

// The words as they were written, on one line, without double quotes inside the double quotes, and
// cut where they are very long. With the full stop that the sentence needs.
std::string quoted(std::string_view text) {
  const bool cut = text.size() > kMaxQuoteBytes;
  if (cut) {
    text = text.substr(0, kMaxQuoteBytes);
    const size_t space = text.rfind(' ');
    if (space != text.npos && space > 0) text = text.substr(0, space);
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0) == 0x80)
      text.remove_suffix(1);  // not in the middle of a character
  }
  std::string words = "\"";
  for (const char c : text) {
    const bool space = c == ' ' || c == '\n' || c == '\r' || c == '\t';
    if (!space)
      words += c == '"' ? '\'' : c;
    else if (words.back() != ' ')
      words += ' ';
  }
  if (cut) words += "...";
  return words + (cut || has_end_mark(text) ? "\"" : "\".");
}

class Renderer {
 public:
  Renderer(const Conversation& conversation, const ExtractiveOptions& options)
      : conversation_(conversation),
        days_(group_by_day(conversation)),
        others_(other_speakers(conversation)),
        max_words_(std::max(options.max_words, 1)) {
    for (const Speaker& speaker : others_) names_.push_back(speaker.name);
    names_.emplace_back(kReader);
    called_ = called_names(names_);
    const auto first = std::find_if(conversation.messages.begin(), conversation.messages.end(),
                                    [](const Message& m) { return m.speaker() == kReader; });
    if (first != conversation.messages.end())
      first_of_reader_ = int(first - conversation.messages.begin());
    two_people_ = first_of_reader_ && others_.size() == 1;
    as_of_ = options.as_of ? options.as_of : conversation.as_of;
    if (!as_of_ && !days_.empty()) as_of_ = days_.back().date;
  }

  Recap run() {
    if (days_.empty()) return {};
    topics_ = find_topics(conversation_, names_, 3);
    candidates_ = score_sentences(conversation_, days_, called_);
    prefer_reported_speech();
    const SentenceSelector selector(candidates_, int(days_.size()));
    // The most sentences that keep to the length.
    Recap best = shortest();
    int fits = 0, too_many = max_words_ / kMinWordsPerSentence + 2;
    while (fits + 1 < too_many) {
      const int n = fits + (too_many - fits) / 2;
      Recap recap = render(selector.select(n));
      if (count_words(recap.text()) <= max_words_) {
        best = std::move(recap);
        fits = n;
      } else {
        too_many = n;
      }
    }
    return best;
  }

 private:
  const Message& message_of(const Candidate& candidate) const {
    return conversation_.messages[size_t(candidate.message)];
  }

  ReportedSpeech speech_of(const Message& message) const {
    ReportedSpeech speech;
    speech.by_you = message.speaker() == kReader;
    speech.speaker_gender = gender_of(message.speaker());
    speech.addressee_gender = others_.empty() ? Gender::kUnknown : gender_of(others_[0].name);
    speech.two_people = two_people_;
    return speech;
  }

  // What can be told reads better than what must be quoted.
  void prefer_reported_speech() {
    reported_.resize(candidates_.size());
    for (size_t i = 0; i < candidates_.size(); i++) {
      Candidate& candidate = candidates_[i];
      if (candidate.kind != SentenceKind::kStatement) continue;
      const Message& message = message_of(candidate);
      if (message.speaker().empty()) continue;
      reported_[i] = reported_clause(without_address(candidate.text, called_), speech_of(message));
      if (reported_[i]) candidate.score *= 1.5;
    }
  }

  std::string day_text(Date day) const {
    return format_long_date(day, year_of(day) != year_of(*as_of_));
  }

  std::string opening() const {
    std::string text = "Here's a summary of ";
    if (others_.empty())
      text += first_of_reader_ ? "your messages" : "the messages";
    else if (first_of_reader_)
      text += "your interactions with " + company(others_);
    else
      text += (others_.size() > 1 ? "the conversation between " : "the messages of ") +
              company(others_);
    text += span();
    std::vector<std::string> subjects;
    for (const Topic& topic : topics_) subjects.push_back(topic.text);
    if (!subjects.empty()) text += ", mostly about " + joined(subjects);
    return text + ".";
  }

  // The first message of everyone and everything that the opening names, and the ends of the span.
  std::vector<int> messages_of_opening() const {
    std::vector<int> messages = {days_.front().messages.front(), days_.back().messages.back()};
    if (first_of_reader_) messages.push_back(*first_of_reader_);
    for (size_t i = 0; i < n_named(others_); i++) messages.push_back(others_[i].first_message);
    for (const Topic& topic : topics_)
      messages.insert(messages.end(), topic.messages.begin(), topic.messages.end());
    std::sort(messages.begin(), messages.end());
    messages.erase(std::unique(messages.begin(), messages.end()), messages.end());
    return messages;
  }

  // " over the past few months, from May 27th to August 8th, 2024".
  std::string span() const {
    if (!days_.front().date) return "";
    const Date first = *days_.front().date, last = *days_.back().date;
    if (first == last) {
      const std::string day = " on " + format_long_date(first, true);
      return *as_of_ > first ? day + ", " + relative_time(first, *as_of_) : day;
    }
    const int days = int((*as_of_ - first).count());
    static constexpr std::pair<int, std::string_view> kSpans[] = {
        {7, "week"},        {17, "two weeks"},   {45, "few weeks"},
        {70, "two months"}, {330, "few months"}, {400, "year"}};
    std::string text;
    if (*as_of_ >= last && (*as_of_ - last).count() <= 60)
      for (const auto& [limit, words] : kSpans)
        if (days <= limit) {
          text = fmt::format(" over the past {},", words);
          break;
        }
    return text + " from " + format_long_date(first, year_of(first) != year_of(last)) + " to " +
           format_long_date(last, true);
  }

  // "On June 9th, about two months ago, ", in varied words. `before` is the day told before.
  std::string day_lead(const Candidate& candidate, int position, std::optional<Date> before) const {
    const std::optional<Date> date = days_[size_t(candidate.day)].date;
    const bool last = candidate.day + 1 == int(days_.size()) && position > 0;
    if (days_.size() == 1) return "";
    if (!date) return position == 0 ? "First, " : last ? "Most recently, " : "";
    const std::string on = day_text(*date);
    std::string when = relative_time(*date, *as_of_);
    if (*date > *as_of_) {  // not known on that day
      when.clear();
    } else if (before && when == relative_time(*before, *as_of_)) {
      when = later(*before, *date);
    }
    if (when.empty()) return fmt::format("{} {}, ", last ? "Most recently, on" : "On", on);
    if (position == 0) return fmt::format("It all started back on {}, {}, when ", on, when);
    if (last && (when == "today" || when == "yesterday"))
      return fmt::format("Most recently, {}, on {}, ", when, on);
    if (last) return fmt::format("Most recently, on {}, {}, ", on, when);
    static constexpr std::string_view kLeads[] = {"On {}, {}, ", "Then, on {}, {}, ",
                                                  "{1}, on {0}, ", "Later, on {}, {}, "};
    return with_capital(
        fmt::format(fmt::runtime(kLeads[size_t(position) % std::size(kLeads)]), on, when));
  }

  // How a sentence is told, or a span of quoted ones from `first` to `last`. `again`: the same
  // speaker as in the sentence before; `opens`: it begins the sentence.
  std::string told(int first, int last, bool again, bool opens, int position) const {
    const Candidate& candidate = candidates_[size_t(first)];
    const std::string_view speaker = message_of(candidate).speaker();
    const bool by_you = speaker == kReader;
    std::string who = by_you ? "you" : again ? pronoun(speaker) : std::string(speaker);
    if (speaker.empty()) who = "a message";
    // A name stays as its owner writes it.
    if (opens && who != speaker) who = with_capital(std::move(who));
    const std::string whom =
        !by_you ? (two_people_ ? " you" : "") : (others_.size() == 1 ? " " + others_[0].name : "");
    if (const std::optional<std::string>& clause = reported_[size_t(first)]) {
      static constexpr std::string_view kMore[] = {"added", "also mentioned", "also said"};
      static constexpr std::string_view kTold[] = {"mentioned", "told", "shared", "said"};
      std::string verb(again ? kMore[size_t(position) % std::size(kMore)]
                             : kTold[size_t(position) % std::size(kTold)]);
      if (verb == "told") verb = whom.empty() ? "said" : "told" + whom;
      return fmt::format("{} {} that {}.", who, verb, *clause);
    }
    const std::string_view begin = candidate.text, end = candidates_[size_t(last)].text;
    const std::string words = quoted({begin.data(), end.data() + end.size()});
    if (speaker.empty()) return fmt::format("{} said: {}", who, words);
    if (candidate.kind == SentenceKind::kQuestion)
      return fmt::format("{} asked{}: {}", who, again ? "" : whom, words);
    return fmt::format("{} {}: {}", who, again ? "added" : "wrote", words);
  }

  // Whether the quoted sentence of chosen[i] goes on in the next one chosen: they follow each other
  // in one message.
  bool goes_on(const std::vector<int>& chosen, size_t i, size_t begin) const {
    if (i + 1 >= chosen.size() || chosen[i + 1] != chosen[i] + 1) return false;
    const auto is_quoted = [&](int c) {
      return !reported_[size_t(c)] && candidates_[size_t(c)].kind != SentenceKind::kQuestion;
    };
    const Candidate& first = candidates_[size_t(chosen[begin])];
    const Candidate& next = candidates_[size_t(chosen[i + 1])];
    return first.message == next.message && is_quoted(chosen[i]) && is_quoted(chosen[i + 1]) &&
           next.text.data() + next.text.size() <= first.text.data() + kMaxQuoteBytes;
  }

  // What follows may be taken to be told from it.
  bool tells_of_a_time(const std::string& text) const {
    const auto times = time_expressions(text, {.as_of = as_of_.value_or(Date())});
    return std::any_of(times.begin(), times.end(), [](const auto& time) { return time.when; });
  }

  // "She" only where it is known; else the name again.
  static std::string pronoun(std::string_view name) {
    const Gender gender = gender_of(name);
    return gender == Gender::kUnknown ? std::string(name)
                                      : std::string(pronouns_of(gender).subject);
  }

  Recap render(const std::vector<int>& chosen) const {
    Recap recap;
    recap.sentences.push_back({opening(), messages_of_opening()});
    int day = -1, n_days = 0;
    std::optional<Date> date;  // told before, while "a week later" is clearly told from it
    std::string_view speaker_before;
    for (size_t i = 0; i < chosen.size(); i++) {
      const size_t begin = i;
      while (goes_on(chosen, i, begin)) i++;
      const Candidate& candidate = candidates_[size_t(chosen[begin])];
      const std::string_view speaker = message_of(candidate).speaker();
      const bool new_day = candidate.day != day;
      const bool again = !new_day && speaker == speaker_before && !speaker.empty();
      std::string lead;
      if (new_day) lead = day_lead(candidate, n_days++, date);
      const std::string text = told(chosen[begin], chosen[i], again, lead.empty(), int(begin));
      recap.sentences.push_back({lead + text, {candidate.message}});
      if (new_day) date = days_[size_t(candidate.day)].date;
      if (tells_of_a_time(text)) date.reset();
      day = candidate.day;
      speaker_before = speaker;
    }
    add_closing(recap, day + 1 == int(days_.size()));
    return recap;
  }

  // Says that nothing newer is known on the day of the summary.
  void add_closing(Recap& recap, bool told_last_day) const {
    if (!days_.back().date || *days_.back().date >= *as_of_ || days_.size() < 2) return;
    const std::string who = others_.size() == 1 ? " with " + others_[0].name : "";
    const std::string what =
        fmt::format("{}latest exchange{}", first_of_reader_ ? "your " : "the ", who);
    const std::string day = day_text(*days_.back().date);
    recap.sentences.push_back(
        {fmt::format("As of today, {}, {}.", day_text(*as_of_),
                     told_last_day ? "that was " + what : fmt::format("{} was on {}", what, day)),
         {days_.back().messages.back()}});
  }

  // When not even one sentence fits beside the opening: the opening alone, else nothing.
  Recap shortest() const {
    Recap recap;
    recap.sentences.push_back({opening(), messages_of_opening()});
    if (count_words(recap.text()) > max_words_) recap.sentences.clear();
    return recap;
  }

  const Conversation& conversation_;
  std::vector<DayGroup> days_;
  std::vector<Speaker> others_;
  std::vector<std::string> names_;  // of all, the reader's too
  CalledNames called_;
  std::optional<int> first_of_reader_;  // a message
  bool two_people_ = false;             // the reader and one other
  int max_words_;
  std::optional<Date> as_of_;
  std::vector<Topic> topics_;
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
