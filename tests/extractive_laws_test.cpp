// What holds of every recap whatever the chat, checked by other means than those of the engine: no
// word, date or quotation that its messages do not give; time that grows with the chat, no faster.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <ctime>
#include <map>
#include <regex>
#include <set>

#include "base/file.h"
#include "extractive/summarizer.h"
#include "text/words.h"

namespace chatmem {
namespace {

using std::chrono::days;

struct Case {
  Conversation conversation;
  ExtractiveOptions options;
};

// Windows of the sample chat seen from several days, and the seed's training chats where they are.
std::vector<Case> cases() {
  std::vector<Case> found;
  const Conversation sample =
      read_any_conversations(fs::path(CHATMEM_SOURCE_DIR) / "samples/chat.txt").front();
  const std::vector<Date> all = sample.days();
  for (size_t begin = 0; begin < all.size(); begin += 3)
    for (const size_t length : {1, 4, 12, 40}) {
      const Date first = all[begin], last = all[std::min(begin + length, all.size()) - 1];
      Conversation window = sample;
      std::erase_if(window.messages, [&](const Message& message) {
        return *message.date() < first || *message.date() > last;
      });
      for (const int later : {0, 1, 8, 50, 400, -5})
        found.push_back({window, {.as_of = last + days(later)}});
    }
  const fs::path seed = fs::path(CHATMEM_SOURCE_DIR) / "../shared/data/seed";
  if (!fs::exists(seed / "train.jsonl")) return found;
  std::vector<Conversation> chats = read_conversations(seed / "train.jsonl");
  join_as_of(chats, seed / "as_of.jsonl");
  for (Conversation& chat : chats) found.push_back({std::move(chat), {}});
  return found;
}

const std::vector<Case>& all_cases() {
  static const std::vector<Case> kCases = cases();
  return kCases;
}

// On one line, with straight marks, as quotations are.
std::string folded(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '\n' || c == '\t' || c == '\r') c = ' ';
    if (c == ' ' && out.ends_with(' ')) continue;
    out += c == '"' ? '\'' : c;
  }
  return out;
}

std::string sources_of(const RecapSentence& sentence, const Conversation& conversation) {
  std::string text;
  for (const int message : sentence.messages)
    text += conversation.messages[size_t(message)].content + "\n";
  return text;
}

// Calls check(sentence, its messages' contents, case) for each sentence of each case.
template <typename Check>
void for_each_sentence(const Check& check) {
  for (const Case& one : all_cases())
    for (const RecapSentence& sentence :
         summarize_extractive(one.conversation, one.options).sentences) {
      ASSERT_FALSE(sentence.messages.empty());
      for (const int message : sentence.messages)
        ASSERT_TRUE(message >= 0 && message < int(one.conversation.messages.size()));
      check(sentence, sources_of(sentence, one.conversation), one);
    }
}

TEST(ExtractiveLaws, QuotationsStandInTheirMessages) {
  int n = 0;
  for_each_sentence([&](const RecapSentence& sentence, const std::string& sources, const Case&) {
    const size_t open = sentence.text.find(": \""), close = sentence.text.rfind('"');
    if (open == sentence.text.npos) return;
    std::string words = sentence.text.substr(open + 3, close - open - 3);
    if (words.size() > 250 && words.ends_with("...")) words.resize(words.size() - 3);
    EXPECT_NE(folded(sources).find(words), std::string::npos) << sentence.text << "\n" << sources;
    n++;
  });
  EXPECT_GT(n, 100);
}

// The present of a past that reported speech makes, where the spelling does not show it.
std::string present_of(const std::string& word) {
  static const std::map<std::string, std::string> kIrregular = {
      {"understood", "understand"}, {"meant", "mean"}, {"ran", "run"}, {"taught", "teach"},
      {"spent", "spend"},           {"kept", "keep"},  {"saw", "see"}, {"gave", "give"}};
  if (const auto it = kIrregular.find(word); it != kIrregular.end()) return it->second;
  if (!word.ends_with("ed")) return word;
  if (word.ends_with("ied")) return word.substr(0, word.size() - 3) + "y";
  std::string stem = word.substr(0, word.size() - 2);
  if (stem.size() > 2 && stem.back() == stem[stem.size() - 2] && stem.back() != 's')
    stem.pop_back();
  return stem;  // without the e that it may have had
}

TEST(ExtractiveLaws, EveryWordIsOfItsMessagesOrOfTheTemplates) {
  // What opening, leads and verbs of telling bring along. No subject of any chat is among them.
  static const std::set<std::string> kTemplates = {
      "summary",   "interaction", "conversation", "message", "mostly", "over",  "past",
      "half",      "recently",    "mentioned",    "shared",  "added",  "wrote", "asked",
      "latest",    "exchange",    "day",          "week",    "month",  "year",  "following",
      "previous",  "five",        "six",          "seven",   "eight",  "nine",  "ten",
      "eleven",    "twelve",      "other",        "night",   "before", "could", "went",
      "themselve", "between",     "herself",      "himself", "she'd",  "he'd",  "they'd",
      "theirs",    "him"};
  static const std::regex kOthers("[0-9]+ others");
  static const std::regex kDate("[a-z]+ [0-9]{1,2}(st|nd|rd|th)(, [0-9]{4})?");
  int n = 0;
  for_each_sentence(
      [&](const RecapSentence& sentence, const std::string& sources, const Case& one) {
        std::set<std::string> known;
        std::string told = sources;  // and to whom: the others of the chat
        for (const Message& message : one.conversation.messages)
          told.append(" ").append(message.speaker());
        for (const std::string& word : words_of(told)) {
          known.insert(base_form(word));
          if (word.ends_with("e")) known.insert(word.substr(0, word.size() - 1));  // "use", "used"
        }
        std::string text = to_lower_ascii(sentence.text);
        text = std::regex_replace(text, kDate, " ");  // dates have a test of their own
        text = std::regex_replace(text, kOthers, " ");
        for (const std::string& word : words_of(text)) {
          const std::string base = base_form(word);
          EXPECT_TRUE(is_stopword(word) || kTemplates.contains(base) || known.contains(base) ||
                      known.contains(present_of(word)))
              << "'" << word << "' in: " << sentence.text << "\nof: " << sources;
          n++;
        }
      });
  EXPECT_GT(n, 10000);
}

// The fewest and the most days that "about two weeks" may stand for; generous, but a month is never
// taken for two.
std::pair<int, int> days_of(const std::string& words) {
  static const std::map<std::string, int> kNumbers = {
      {"a", 1},     {"two", 2},   {"three", 3}, {"four", 4}, {"five", 5},    {"six", 6},
      {"seven", 7}, {"eight", 8}, {"nine", 9},  {"ten", 10}, {"eleven", 11}, {"twelve", 12}};
  static const std::map<std::string, double> kUnits = {
      {"day", 1}, {"week", 7}, {"month", 30.44}, {"year", 365.25}};
  if (words == "today") return {0, 0};
  if (words == "yesterday" || words == "the next day") return {1, 1};
  if (words == "last week") return {8, 10};
  std::smatch match;
  static const std::regex kSpan("((about|almost|over) )?(half a|[a-z]+) (day|week|month|year)s?");
  if (!std::regex_match(words, match, kSpan)) return {1, -1};
  const double unit = kUnits.at(match[4]);
  const bool half = match[3] == "half a";
  const double exact = (half ? 0.5 : kNumbers.at(match[3])) * unit;
  const double give = half ? 12 : unit < 7 ? 0 : unit * 0.6;
  const bool less = match[2] == "almost", more = match[2] == "over";
  return {int(exact - (more ? 2 : give)), int(exact + (less ? 2 : more ? 1.1 * unit : give))};
}

// Precision of the dates: each is the date of a message that the sentence rests on, or the day of
// the summary, or a date that the message itself names; and the words beside it fit.
TEST(ExtractiveLaws, EveryDateIsOfItsMessagesOrTheDayOfTheSummary) {
  static const std::regex kDate(
      "(January|February|March|April|May|June|July|August|September|October|November|December) "
      "([0-9]{1,2})(st|nd|rd|th)(, ([0-9]{4}))?");
  static const std::regex kBeside(
      "^(It all started back|Then,|Later,|On|Most recently,)( on)? ?[A-Z][a-z]+ [0-9]+[a-z]+"
      "(, [0-9]{4})?, ([a-z ]+ (ago|later)|yesterday|today|last week|the next day),");
  static const std::regex kBefore("^([A-Z][a-z ]+ (ago|later)|Yesterday|Last week), on ");
  int n_dates = 0, n_right = 0, n_relative = 0;
  const Case* current = nullptr;
  Date before;
  for_each_sentence(
      [&](const RecapSentence& sentence, const std::string& sources, const Case& one) {
        const Date as_of = one.options.as_of ? *one.options.as_of : *one.conversation.as_of;
        std::set<Date> given = {as_of};
        for (const int message : sentence.messages)
          if (const auto date = one.conversation.messages[size_t(message)].date())
            given.insert(*date);
        const std::string text = sentence.text.substr(0, sentence.text.find(": \""));
        std::optional<Date> lead;
        for (std::sregex_iterator it(text.begin(), text.end(), kDate), end; it != end; ++it) {
          const auto is_it = [&](Date date) {
            return month_name(month_of(date)) == (*it)[1].str() &&
                   day_of_month(date) == std::stoi((*it)[2]) &&
                   (!(*it)[5].matched || year_of(date) == std::stoi((*it)[5]));
          };
          const auto found = std::find_if(given.begin(), given.end(), is_it);
          if (found != given.end() && !lead) lead = *found;
          n_dates++;
          n_right += found != given.end() || sources.find(it->str()) != sources.npos;
        }
        std::smatch match;
        std::string words;
        if (std::regex_search(text, match, kBeside)) words = match[4];
        if (std::regex_search(text, match, kBefore)) words = to_lower_ascii(match[1].str());
        if (&one != current) before = Date();
        if (lead && !words.empty()) {
          const bool from_before = words.ends_with(" later") || words == "the next day";
          const int gap = int((from_before ? *lead - before : as_of - *lead).count());
          for (const std::string_view end : {" ago", " later"})
            if (words.ends_with(end)) words.resize(words.size() - end.size());
          const auto [least, most] = days_of(words);
          EXPECT_TRUE(least <= gap && gap <= most) << gap << " days: " << sentence.text;
          n_relative++;
        }
        // Sentences without a date, and the closing, leave the day as it was.
        if (lead && !text.starts_with("As of") && !text.starts_with("Here's")) before = *lead;
        current = &one;
      });
  EXPECT_GT(n_dates, 500);
  EXPECT_GT(n_relative, 300);
  EXPECT_EQ(n_right, n_dates);
}

// Months of chat between `n_speakers` people, a message every `minutes`.
Conversation long_chat(int n, int n_speakers, int minutes) {
  static const std::string kNouns[] = {"garden", "boat",   "exam",  "kitchen",
                                       "ticket", "doctor", "piano", "letter"};
  Conversation chat;
  const Date first = *parse_date("2019-01-01");
  for (int i = 0; i < n; i++) {
    const std::string speaker = i % 2 ? "You" : "P" + std::to_string(i % n_speakers);
    const std::string text =
        fmt::format("I fixed the {} near number {} for w{}. Hey P2, is the {} done?", kNouns[i % 8],
                    i % 997, i * 7919LL % 20000, kNouns[i / 8 % 8]);
    chat.messages.push_back(
        {format_minute(Minute(first) + std::chrono::minutes(int64_t(i) * minutes)),
         speaker + ": " + text});
  }
  return chat;
}

// Of one thread, whatever else the machine does.
double cpu_seconds(const Conversation& chat, ExtractiveOptions options = {}) {
  const std::clock_t start = std::clock();
  EXPECT_GT(summarize_extractive(chat, options).sentences.size(), 5u);
  return double(std::clock() - start) / CLOCKS_PER_SEC;
}

TEST(ExtractiveLaws, TimeGrowsWithTheChatNoFaster) {
#ifdef __SANITIZE_ADDRESS__
  const double limit = 10;
#else
  const double limit = 1;
#endif
  const Conversation ten_thousand = long_chat(10000, 1000, 200);
  const double small = cpu_seconds(ten_thousand);
  const double large = cpu_seconds(long_chat(100000, 10000, 20));
  std::printf("10,000 messages %.3f s, 100,000 %.3f s\n", small, large);
  EXPECT_LT(small, limit);
  EXPECT_LT(large, 30 * small);
}

}  // namespace
}  // namespace chatmem
