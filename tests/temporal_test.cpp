// Summaries against their chats: times, their order, names and numbers.
#include "metrics/temporal.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "metrics/grounding.h"
#include "test_folder.h"
#include "text/numbers.h"

namespace chatmem {
namespace {

using ::testing::ElementsAre;

Conversation chat_of(std::vector<std::pair<std::string, std::string>> messages,
                     std::optional<std::string> as_of = "2024-08-15") {
  Conversation chat;
  for (auto& [timestamp, content] : messages) chat.messages.push_back({timestamp, content});
  chat.end_date = chat.messages.back().timestamp.substr(0, 10);
  if (as_of) chat.as_of = parse_date(*as_of);
  return chat;
}

Conversation ladder_chat() {
  return chat_of({{"2024-05-27 14:32", "You: Nora, may I borrow the 3 metre ladder for $20?"},
                  {"2024-06-09 11:03", "Nora Bell: It is yours until Friday, by twelve o'clock."},
                  {"2024-08-08 09:42", "You: Thanks, the ladder saved me 1,200 pounds in Leeds!"}});
}

// "span:standing;", w n t i u by the standing.
std::string judged(std::string_view summary, const Conversation& chat = ladder_chat()) {
  std::string all;
  for (const JudgedTime& time : judge_times(summary, ChatFacts(chat)).times)
    all += fmt::format(
        "{}:{};",
        summary.substr(time.expression.begin, time.expression.end - time.expression.begin),
        "wntiu"[int(time.standing)]);
  return all;
}

TEST(Temporal, StandingsOfTimes) {
  EXPECT_EQ(judged("On May 27th, in early June, last week and on June 20th."),
            "May 27th:w;early June:w;last week:w;June 20th:i;");
  // Friday, told on June 9th, is the 7th or the 14th.
  EXPECT_EQ(judged("by June 14th, on June 13th"), "June 14th:n;June 13th:i;");
  EXPECT_EQ(judged("As of August 15th, a few days later he slept."),
            "August 15th:t;a few days later:u;");
}

TEST(Temporal, WhatMessagesNameIsNotInvented) {
  const Conversation chat = chat_of({{"2024-03-04 10:00", "You: I fly in late September."},
                                     {"2024-03-05 10:00", "Nora: We move on October 12th."},
                                     {"2024-03-06 10:00", "You: We met last week in 2021."}});
  // The year to come, and as vague as it was told or vaguer.
  EXPECT_EQ(judged("in September", chat), "September:n;");
  EXPECT_EQ(judged("in late September", chat), "late September:n;");
  EXPECT_EQ(judged("on September 25th", chat), "September 25th:i;");
  EXPECT_EQ(judged("on October 12th, 2024 and in November", chat),
            "October 12th, 2024:n;November:i;");
  // A week by the calendar, another by seven days.
  EXPECT_EQ(judged("On March 6th you told of the previous week.", chat),
            "March 6th:w;previous week:n;");
}

TEST(Temporal, WordsOfAQuotationDoNotCount) {
  EXPECT_EQ(judged("On June 9th Nora wrote: \"until tomorrow, or June 20th\"."),
            "June 9th:w;tomorrow:u;June 20th:i;");
}

TEST(Temporal, Figures) {
  const TemporalCounts counts =
      judge_times(
          "As of today: on May 27th you asked. On June 19th she agreed, and last week you "
          "thanked her. Over the past few months you wrote often.",
          ChatFacts(ladder_chat()))
          .counts;
  EXPECT_EQ(counts.counted, 3);
  EXPECT_EQ(counts.right, 2);
  EXPECT_DOUBLE_EQ(counts.precision(), 2.0 / 3);
  EXPECT_DOUBLE_EQ(counts.recall(), 2.0 / 3);
  EXPECT_DOUBLE_EQ(counts.f1(), 2.0 / 3);
  EXPECT_DOUBLE_EQ(counts.mean_days_off(), 10.0 / 3);
  EXPECT_EQ(counts.event_order(), 1);
  TemporalCounts twice = counts;
  twice += counts;
  EXPECT_DOUBLE_EQ(twice.precision(), counts.precision());
  EXPECT_EQ(twice.in_order, 6);
}

TEST(Temporal, AnExpressionTellsOfOneDay) {
  const Conversation chat = chat_of({{"2024-06-03 10:00", "You: a"},
                                     {"2024-06-04 10:00", "You: b"},
                                     {"2024-06-20 10:00", "You: c"}});
  const auto told = [&](std::string_view summary) {
    return judge_times(summary, ChatFacts(chat)).counts.told_days;
  };
  EXPECT_EQ(told("In June you talked."), 1);
  EXPECT_EQ(told("In June you talked. In June you talked. In early June too."), 3);
  EXPECT_EQ(told("On June 3rd, on June 3rd, on June 3rd."), 1);
  // June 3rd must go to the narrow one for both to count.
  EXPECT_EQ(told("In early June, on June 3rd."), 2);
}

TEST(Temporal, NothingToJudge) {
  const TemporalCounts none = judge_times("You talked.", ChatFacts(ladder_chat())).counts;
  EXPECT_TRUE(std::isnan(none.precision()));
  EXPECT_TRUE(std::isnan(none.mean_days_off()));
  EXPECT_TRUE(std::isnan(none.event_order()));
  EXPECT_EQ(none.f1(), 0);
  EXPECT_TRUE(std::isnan(TemporalCounts{}.f1()));
}

TEST(Temporal, AsOfIsAssumedWhereItIsAbsent) {
  Conversation chat = ladder_chat();
  chat.as_of.reset();
  const ChatFacts facts(chat);
  EXPECT_TRUE(facts.as_of_assumed);
  EXPECT_EQ(format_date(facts.as_of), "2024-08-08");
  EXPECT_FALSE(ChatFacts(ladder_chat()).as_of_assumed);
}

// Against all pairs, on random texts of days.
TEST(Temporal, OrderEqualsThatOfAllPairs) {
  Random random(5);
  for (int round = 0; round < 200; round++) {
    std::string summary;
    std::vector<DateRange> ranges;
    const int n = random.between(0, 12);
    for (int i = 0; i < n; i++) {
      const int day = random.between(1, 30);
      const bool wide = random.below(4) == 0;
      summary += wide ? "In June. " : fmt::format("On June {}. ", day);
      const Date june = parse_date("2024-06-01").value();
      ranges.push_back(
          wide ? month_range(2024, 6)
               : DateRange{june + std::chrono::days(day - 1), june + std::chrono::days(day - 1)});
    }
    int in_order = 0, out_of_order = 0;
    for (size_t i = 0; i < ranges.size(); i++)
      for (size_t j = i + 1; j < ranges.size(); j++) {
        in_order += ranges[i].latest < ranges[j].earliest;
        out_of_order += ranges[i].earliest > ranges[j].latest;
      }
    const TemporalCounts counts = judge_times(summary, ChatFacts(ladder_chat())).counts;
    EXPECT_EQ(counts.in_order, in_order) << summary;
    EXPECT_EQ(counts.out_of_order, out_of_order) << summary;
  }
}

// "mention:+;" when it was found.
std::string marked(std::string_view summary, const std::vector<CheckedMention>& mentions) {
  std::string all;
  for (const CheckedMention& m : mentions)
    all += fmt::format("{}:{};", summary.substr(m.begin, m.end - m.begin), m.found ? '+' : '-');
  return all;
}

TEST(Grounding, Names) {
  const ChatFacts facts(ladder_chat());
  const auto names = [&](std::string_view summary) {
    return marked(summary, ground(summary, facts).names);
  };
  EXPECT_EQ(names("You met Nora Bell in Leeds, not in York."), "Nora Bell:+;Leeds:+;York:-;");
  EXPECT_EQ(names("Nora agreed. Then Nora's ladder broke. Maria laughed. Ladders break."),
            "Nora:+;Nora:+;Maria:-;");
  EXPECT_EQ(names("In May I met Dr. Bell on Friday; \"Great\" she said."), "Bell:+;");
  EXPECT_EQ(names("It was Nora Smith."), "Nora Smith:-;");
}

TEST(Grounding, Numbers) {
  const ChatFacts facts(ladder_chat());
  const auto numbers = [&](std::string_view summary) {
    return marked(summary, ground(summary, facts).numbers);
  };
  EXPECT_EQ(numbers("three metres, 20 dollars, twelve hundred pounds, 30 euros"),
            "three:+;20:+;twelve hundred:+;30:-;");
  EXPECT_EQ(numbers("at noon, at 12 pm, at 2:32 PM, at 5 pm"), "12 pm:+;2:32 PM:+;5 pm:-;");
  EXPECT_EQ(numbers("Two weeks ago, on May 27th, one of you"), "");
}

TEST(Numbers, HoweverTheyAreWritten) {
  const auto values = [](std::string_view text) {
    std::vector<double> all;
    for (const NumberMention& n : numbers_in(text)) all.push_back(n.clock ? -n.value : n.value);
    return all;
  };
  EXPECT_THAT(values("3 5,000 3.5 10k 3rd 35kg $20.50"),
              ElementsAre(3, 5000, 3.5, 10000, 3, 35, 20.5));
  EXPECT_THAT(values("twenty-five, a hundred, two thousand three hundred and ten, two three"),
              ElementsAre(25, 100, 2310, 2, 3));
  EXPECT_THAT(values("7:10 pm, 7 a.m., seven o'clock, 23:05, 12 am"),
              ElementsAre(-1150, -420, -420, -1385, -0.0));
  EXPECT_THAT(values("one, MP3, 1,2, 25:99, the hundreds"), ElementsAre(1, 2));
}

}  // namespace
}  // namespace chatmem
