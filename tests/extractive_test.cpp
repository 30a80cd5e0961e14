#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <set>

#include "extractive/reported.h"
#include "extractive/selection.h"
#include "extractive/sentences.h"
#include "extractive/summarizer.h"
#include "text/words.h"

namespace chatmem {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

Conversation chat(std::vector<std::pair<std::string, std::string>> lines) {
  Conversation conversation;
  conversation.id = "c";
  for (auto& [time, content] : lines) conversation.messages.push_back({time, content});
  return conversation;
}

Conversation award() {
  return chat({{"2024-05-27 14:32", "You: Philip, I was really glad to hear about your award."},
               {"2024-05-27 14:35", "Philip: Thanks so much!"},
               {"2024-06-09 11:03", "Philip: I'm moving the award to my new office tomorrow."},
               {"2024-06-09 11:05", "You: Sounds great, see you then!"},
               {"2024-08-08 09:42", "Philip: The project got approved. I'll need your plan."}});
}

std::string clause(std::string_view sentence, ReportedSpeech speech) {
  return reported_clause(sentence, speech).value_or("(none)");
}

TEST(Sentences, SplitNotAfterTitlesAndInNumbers) {
  EXPECT_THAT(split_sentences("Mr. Smith paid 7.30 pounds. Really? Yes!! J. Doe saw it"),
              ElementsAre("Mr. Smith paid 7.30 pounds.", "Really?", "Yes!!", "J. Doe saw it"));
  EXPECT_THAT(split_sentences("one\n\n two "), ElementsAre("one", "two"));
  EXPECT_TRUE(split_sentences("").empty());
  EXPECT_THAT(split_sentences("Wait... what happened"), ElementsAre("Wait... what happened"));
}

TEST(Sentences, OpenersAndNamesAreLeftOut) {
  EXPECT_EQ(without_openers("Well, yes, the shop is shut, Tom.", {"Tom"}), "The shop is shut.");
  EXPECT_EQ(without_openers("Hey Tom, I sold it.", {"Tom"}), "I sold it.");
  EXPECT_EQ(without_openers("I wanted to let you know that we moved.", {}), "We moved.");
  EXPECT_EQ(without_openers("Tea, please.", {}), "Tea, please.");
}

TEST(Sentences, Kinds) {
  EXPECT_EQ(kind_of("When does it open?"), SentenceKind::kQuestion);
  EXPECT_EQ(kind_of("Thanks so much!"), SentenceKind::kCourtesy);
  EXPECT_EQ(kind_of("The shop opens at nine."), SentenceKind::kStatement);
}

TEST(Reported, FirstPersonOfTheOther) {
  const ReportedSpeech she{.speaker_gender = Gender::kFemale};
  EXPECT_EQ(clause("I'm moving to Leeds with my rabbit.", she),
            "she was moving to Leeds with her rabbit");
  EXPECT_EQ(clause("I've got a room and I need your van.", she),
            "she had a room and she needed your van");
  EXPECT_EQ(clause("I'll call you tomorrow!", she), "she would call you the next day");
  const ReportedSpeech they{};
  EXPECT_EQ(clause("I was tired.", they), "they were tired");
}

TEST(Reported, FirstPersonOfTheReader) {
  const ReportedSpeech to_him{.by_you = true, .addressee_gender = Gender::kMale};
  EXPECT_EQ(clause("I was glad to hear about your award.", to_him),
            "you were glad to hear about his award");
  EXPECT_EQ(clause("You deserved it.", to_him), "he deserved it");
  EXPECT_EQ(clause("I bought tickets for you.", to_him), "you bought tickets for him");
}

TEST(Reported, WhatIsNotSafeIsNotConverted) {
  const ReportedSpeech speech{};
  for (const char* sentence :
       {"We should meet.", "Book it.", "I zorble daily.", "Lovely weather.", "Mum is ill.",
        "I said: \"No\".", "Is it far?", "A sausage roll at York.", "You know, I like it.", ""})
    EXPECT_EQ(clause(sentence, speech), "(none)") << sentence;
  // In a group "you" may be anyone.
  EXPECT_EQ(clause("I saw you.", {.two_people = false}), "(none)");
}

TEST(Selection, DaysInOrderAndUnreadableTimesInPlace) {
  const Conversation c = chat({{"?", "A: zero."},
                               {"2024-02-02 10:00", "A: one."},
                               {"2024-02-02 11:47 PM", "A: two."},
                               {"2024-01-01 10:00", "A: x."}});
  const std::vector<DayGroup> days = group_by_day(c);
  ASSERT_EQ(days.size(), 2u);
  EXPECT_THAT(days[0].messages, ElementsAre(3));
  EXPECT_THAT(days[1].messages, ElementsAre(0, 1, 2));
}

TEST(Extractive, TellsWhoWhenAndWhat) {
  const Recap recap = summarize_extractive(award(), {.as_of = parse_date("2024-08-15")});
  const std::string text = recap.text();
  EXPECT_THAT(text, StartsWith("Here's a summary of your interactions with Philip"));
  EXPECT_THAT(text, HasSubstr("from May 27th to August 8th, 2024"));
  EXPECT_THAT(text, HasSubstr("the award"));
  EXPECT_THAT(text, HasSubstr("you were really glad to hear about his award"));
  EXPECT_THAT(text, HasSubstr("June 9th, about two months ago"));
  EXPECT_THAT(text, HasSubstr("he was moving the award to his new office the next day"));
  EXPECT_THAT(text, HasSubstr("Most recently, on August 8th, a week ago"));
  EXPECT_THAT(text, HasSubstr("As of today, August 15th"));
  EXPECT_THAT(text, Not(HasSubstr("Sounds great")));
}

TEST(Extractive, EverySentenceKnowsItsMessages) {
  const Conversation c = award();
  const Recap recap = summarize_extractive(c);
  ASSERT_GT(recap.sentences.size(), 2u);
  for (const RecapSentence& sentence : recap.sentences) {
    EXPECT_FALSE(sentence.messages.empty());
    for (const int m : sentence.messages) EXPECT_LT(m, int(c.messages.size()));
  }
  EXPECT_EQ(recap.sentences[1].messages, std::vector<int>{0});
}

TEST(Extractive, NeverInvents) {
  const Conversation c = award();
  std::set<std::string> known;
  for (const Message& message : c.messages)
    for (const std::string& word : words_of(message.content)) known.insert(base_form(word));
  for (const char* word :
       {"summary", "interaction", "past",   "mostly",   "may",   "27th",      "june",  "9th",
        "august",  "8th",         "2024",   "recently", "wrote", "mentioned", "added", "shared",
        "need",    "needed",      "latest", "exchange", "was",   "over"})
    known.insert(word);
  for (const std::string& word : words_of(summarize_extractive(c).text()))
    EXPECT_TRUE(is_stopword(word) || known.contains(base_form(word))) << word;
}

TEST(Extractive, KeepsToTheLengthAskedFor) {
  for (const int max_words : {1, 5, 25, 40, 80, 220}) {
    const Recap recap = summarize_extractive(award(), {.max_words = max_words});
    EXPECT_LE(count_words(recap.text()), max_words);
  }
  EXPECT_FALSE(summarize_extractive(award(), {.max_words = 80}).sentences.empty());
}

TEST(Extractive, SmallAndOddChats) {
  EXPECT_TRUE(summarize_extractive(chat({})).sentences.empty());
  EXPECT_THAT(summarize_extractive(chat({{"2024-01-01 10:00", "Ann: The heating broke."}})).text(),
              HasSubstr("the heating broke"));
  EXPECT_THAT(summarize_extractive(chat({{"someday", "Ann: The heating broke."}})).text(),
              HasSubstr("eating broke"));
  EXPECT_FALSE(summarize_extractive(chat({{"", ""}, {"", "   "}})).sentences.empty());
  const std::string same = "Ann: The heating in the attic broke down.";
  const Recap recap = summarize_extractive(
      chat({{"2024-01-01 10:00", same}, {"2024-01-01 10:01", same}, {"2024-01-02 10:00", same}}));
  EXPECT_EQ(recap.text().find("broke"), recap.text().rfind("broke"));
}

TEST(Extractive, DaysOfOtherYearsAreNamedWithTheYear) {
  const Recap recap = summarize_extractive(
      chat({{"2022-03-04 10:00", "Ann: I sold the old boat to a neighbour."},
            {"2024-03-04 10:00", "Ann: I bought the boat back for ten pounds."}}));
  EXPECT_THAT(recap.text(), HasSubstr("March 4th, 2022, two years ago"));
}

TEST(Extractive, TenThousandMessagesInUnderASecond) {
  Conversation big = chat({});
  const char* nouns[] = {"garden", "boat", "exam", "kitchen", "ticket", "doctor", "piano"};
  const Date first = *parse_date("2023-01-01");
  for (int i = 0; i < 10000; i++)
    big.messages.push_back({format_minute(Minute(first) + std::chrono::minutes(i * 100)),
                            (i % 2 ? "You: I think the " : "Ann: I fixed my ") +
                                std::string(nouns[i % 7]) + " number " + std::to_string(i % 997) +
                                " for " + nouns[i / 7 % 7] + " day, and then we went home."});
  const auto start = std::chrono::steady_clock::now();
  const Recap recap = summarize_extractive(big);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
#ifdef __SANITIZE_ADDRESS__
  const double limit = 10;
#else
  const double limit = 1;
#endif
  EXPECT_LT(seconds.count(), limit);
  EXPECT_GT(recap.sentences.size(), 5u);
  EXPECT_EQ(recap.text(), summarize_extractive(big).text());
}

}  // namespace
}  // namespace chatmem
