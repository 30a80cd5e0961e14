#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
  EXPECT_THAT(split_sentences("I like J.K. Rowling. Am 1. April, see www.a.org/b.c."),
              ElementsAre("I like J.K. Rowling.", "Am 1. April, see www.a.org/b.c."));
  EXPECT_THAT(split_sentences("我在北京。你呢？ كيف؟ نعم"),
              ElementsAre("我在北京。", "你呢？", "كيف؟", "نعم"));
}

TEST(Sentences, OpenersAndNamesAreLeftOut) {
  const CalledNames names = called_names({"Tom Bell", "kleedrac"});
  EXPECT_EQ(without_openers("Well, yes, the shop is shut, Tom.", names), "the shop is shut, Tom.");
  EXPECT_EQ(without_address("the shop is shut, Tom.", names), "the shop is shut");
  EXPECT_EQ(without_address("Tea, please.", names), "Tea, please.");
  EXPECT_EQ(without_openers("Hey Tom, I sold it.", names), "I sold it.");
  EXPECT_EQ(without_openers("kleedrac: try xine", names), "try xine");
  EXPECT_EQ(without_openers("I wanted to let you know that we moved.", {}), "we moved.");
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

TEST(Reported, VerbsOfTheThirdPersonGoAlong) {
  const ReportedSpeech she{.speaker_gender = Gender::kFemale};
  EXPECT_EQ(clause("I think it means a lot.", she), "she thought it meant a lot");
  EXPECT_EQ(clause("I have a card which gives a discount.", she),
            "she had a card which gave a discount");
  EXPECT_EQ(clause("It's really been a good year.", she), "it had really been a good year");
}

TEST(Reported, TimesAreThoseOfTheMessage) {
  const ReportedSpeech she{.speaker_gender = Gender::kFemale};
  EXPECT_EQ(clause("I sold it two weeks ago.", she), "she sold it two weeks before");
  EXPECT_EQ(clause("I'll call tomorrow morning.", she), "she would call the next morning");
  EXPECT_EQ(clause("I slept badly last night.", she), "she slept badly the previous night");
  EXPECT_EQ(clause("I'm back next June.", she), "she was back the following June");
}

TEST(Reported, WeekdaysOnlyWhereTheyTellWhich) {
  const ReportedSpeech she{.speaker_gender = Gender::kFemale};
  EXPECT_EQ(clause("I'm free next Friday.", she), "she was free the following Friday");
  EXPECT_EQ(clause("I have lessons every Friday.", she), "she had lessons every Friday");
}

TEST(Reported, EndsWithoutLaughterAndPictures) {
  const ReportedSpeech she{.speaker_gender = Gender::kFemale};
  EXPECT_EQ(clause("I passed haha!! 🎉", she), "she passed");
}

TEST(Reported, WhatIsNotSafeIsNotConverted) {
  const ReportedSpeech speech{}, he{.speaker_gender = Gender::kMale};
  for (const char* sentence : {"We should meet.",
                               "Book it.",
                               "I zorble daily.",
                               "Lovely weather.",
                               "Mum is ill.",
                               "I said: \"No\".",
                               "Is it far?",
                               "A sausage roll at York.",
                               "You know, I like it.",
                               "",
                               "My friend and I hiked.",
                               "The team worked hard and it shows.",
                               "They said it will rain.",
                               "You mention a method but don't explain it.",
                               "I called and was told to wait.",
                               "It's noticed and it's appreciated.",
                               "I'm back the day after tomorrow.",
                               "I'm happy 🎉 it works",
                               "I need it by Friday.",
                               "I was at the dentist on Monday."})
    EXPECT_EQ(clause(sentence, speech), "(none)") << sentence;
  // Told of Tom, "he" would be Tom.
  EXPECT_EQ(clause("He just retired.", he), "(none)");
  EXPECT_EQ(clause("She just retired.", he), "she just retired");
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

TEST(Extractive, QuotesExactly) {
  const Recap recap =
      summarize_extractive(chat({{"2024-03-01 10:00", "kleedrac: Oh, \"xine\"  is\nnot here"},
                                 {"2024-03-02 10:00", "kleedrac: see http://a.org/b"}}));
  EXPECT_THAT(recap.text(), HasSubstr("kleedrac wrote: \"'xine' is\"."));
  EXPECT_THAT(recap.text(), HasSubstr("kleedrac wrote: \"see http://a.org/b\"."));
  const Recap cut = summarize_extractive(chat({{"?", "Ann: " + std::string(5000, 'x')}}));
  EXPECT_THAT(cut.text(), HasSubstr("xxx...\""));
  EXPECT_LT(cut.text().size(), 500u);
}

TEST(Extractive, DaysInVariedWords) {
  const Conversation c = chat({{"2024-03-01 10:00", "Ann: I sold the boat."},
                               {"2024-03-05 10:00", "Ann: I bought a bicycle."},
                               {"2024-06-10 10:00", "Ann: I lost the keys of the shed."}});
  const std::string text = summarize_extractive(c, {.as_of = parse_date("2024-06-10")}).text();
  EXPECT_THAT(text, HasSubstr("on March 1st, about three months ago, when Ann"));
  EXPECT_THAT(text, HasSubstr("on March 5th, four days later, Ann"));
  EXPECT_THAT(text, HasSubstr("Most recently, today, on June 10th, Ann"));
  // What is after the day of the summary has no "ago".
  const std::string before = summarize_extractive(c, {.as_of = parse_date("2024-03-02")}).text();
  EXPECT_THAT(before, HasSubstr("Most recently, on June 10th, Ann"));
  EXPECT_THAT(before, Not(HasSubstr("As of today")));
}

// Between two days another one is told, from which "four days later" would be counted.
TEST(Extractive, LaterIsToldFromTheDayBeforeAlone) {
  const Conversation c = chat({{"2024-03-01 10:00", "Ann: I sold the boat to a neighbour."},
                               {"2024-03-20 10:00", "Ann: I travel to Norway in early September."},
                               {"2024-03-24 10:00", "Ann: I bought a bicycle from a colleague."}});
  const std::string text = summarize_extractive(c, {.as_of = parse_date("2024-06-24")}).text();
  EXPECT_THAT(text, HasSubstr("she travelled to Norway in early September"));
  EXPECT_THAT(text, HasSubstr("on March 24th, three months ago, Ann"));
  EXPECT_THAT(text, Not(HasSubstr("four days later")));
}

TEST(Extractive, OneDayIsNamedOnce) {
  const std::string text =
      summarize_extractive(chat({{"2024-03-01 10:00", "Ann: I sold the boat."},
                                 {"2024-03-01 10:01", "You: I'd have taken it."}}))
          .text();
  EXPECT_EQ(text,
            "Here's a summary of your interactions with Ann on March 1st, 2024. Ann mentioned that "
            "she sold the boat. You told Ann that you'd have taken it.");
}

}  // namespace
}  // namespace chatmem
