// A prediction with each fault planted is diagnosed, and what people wrote is not.
#include "metrics/faults.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "metrics/language.h"
#include "test_folder.h"
#include "text/prompt.h"

namespace chatmem {
namespace {

using ::testing::ElementsAre;

const std::string kSummary =
    "In early March you began to learn the cello, and Mara lent you a book about it. On March 9th "
    "you thanked her for it.";

Conversation cello() {
  Conversation c;
  c.id = "cello", c.start_date = "2024-03-01", c.end_date = "2024-03-09";
  c.as_of = parse_date("2024-03-20");
  c.messages = {{"2024-03-01 10:00", "You: I have started to learn the cello this week."},
                {"2024-03-01 10:02", "Mara: The cello takes patience, I can lend you a book."},
                {"2024-03-09 18:30", "You: The book about the cello is wonderful, thanks!"}};
  c.summary = kSummary;
  return c;
}

std::string chat_lines() {
  std::string lines;
  for (const Message& message : cello().messages)
    lines += message.timestamp + " | " + message.content + "\n";
  return lines;
}

// The original's prompt, as its outputs echo it.
std::string seed_prompt() {
  return "<s>[INST] You are a chat summarization assistant. Please summarize this "
         "conversation:\n\n[START DATE]\n2024-03-01\n[END DATE]\n2024-03-09\n[CHAT MESSAGES]\n" +
         chat_lines();
}

struct Planted {
  const char* name;
  std::string prediction;
  std::vector<std::string_view> faults;
  std::string summary;  // what is scored
  std::string_view finish_reason = "stop";
};

std::vector<Planted> planted() {
  const std::string temporal = summary_request(cello())[1].content;
  const std::string loop = "You talked about the cello with Mara. ";
  const std::string refrain = loop + loop + loop + loop;
  const std::string german =
      "Anfang März hast du mit dem Cello begonnen, und Mara hat dir ein Buch geliehen. Am neunten "
      "März hast du dich für das Buch bedankt.";
  const std::string more_chat =
      "\n2024-03-10 09:00 | Mara: I am glad that you like it so much.\n2024-03-10 09:05 | You: I "
      "will bring it back soon.";
  return {
      {"clean", kSummary, {}, kSummary},
      {"empty", "", {"empty"}, ""},
      {"only spaces", " \n\t", {"empty"}, " \n\t"},
      {"too short", "Sure, here.", {"no_summary"}, "Sure, here."},
      {"echo of the original",
       seed_prompt() + " [/INST]\n[SUMMARY]\n" + kSummary,
       {"prompt_echo"},
       "\n" + kSummary},
      {"echo without marker", temporal + "\n\n" + kSummary, {"prompt_echo"}, kSummary},
      {"echo with headers",
       temporal + "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n" + kSummary,
       {"prompt_echo"},
       kSummary},
      {"marker alone", "[SUMMARY] " + kSummary, {}, " " + kSummary},
      {"echo behind the summary",
       kSummary + "\n[START DATE]\n" + chat_lines(),
       {"prompt_echo", "continued_chat"},
       kSummary + "\n"},
      {"echo and nothing else", temporal, {"no_summary", "prompt_echo"}, temporal},
      {"echo, then more chat",
       seed_prompt() + more_chat,
       {"no_summary", "prompt_echo", "continued_chat"},
       seed_prompt() + more_chat},
      {"chat instead of a summary",
       more_chat.substr(1),
       {"no_summary", "continued_chat"},
       more_chat.substr(1)},
      {"speakers instead of a summary",
       "Mara: I am glad that you like the book.\nYou: I will bring it back to you soon.",
       {"no_summary", "continued_chat"},
       "Mara: I am glad that you like the book.\nYou: I will bring it back to you soon."},
      {"summary, then chat", kSummary + more_chat, {"continued_chat"}, kSummary + more_chat},
      {"summary, then another prompt",
       kSummary + "\n[INST] Next one.",
       {"continued_chat"},
       kSummary + "\n[INST] Next one."},
      {"goes on behind its end",
       "[SUMMARY] " + kSummary + " [/SUMMARY]\nWhat would you like",
       {"continued_chat"},
       " " + kSummary + " [/SUMMARY]\nWhat would you like"},
      {"cut in a sentence", kSummary.substr(0, 70), {"cut_off"}, kSummary.substr(0, 70)},
      {"cut by the limit", kSummary, {"cut_off"}, kSummary, "length"},
      {"refrain", refrain, {"repetition"}, refrain},
      {"other language", german, {"wrong_language"}, german},
      {"other script",
       "В начале марта вы начали учиться играть на виолончели, и Мара одолжила вам книгу о ней.",
       {"wrong_language"},
       "В начале марта вы начали учиться играть на виолончели, и Мара одолжила вам книгу о ней."},
      {"a list is no cut",
       "Your chat with Mara:\n- You began with the cello\n- She lent you a book",
       {},
       "Your chat with Mara:\n- You began with the cello\n- She lent you a book"},
      {"quotation at the end",
       "You told Mara on March 9th: \"The book is wonderful, thanks!\"",
       {},
       "You told Mara on March 9th: \"The book is wonderful, thanks!\""},
      {"a day before a line",
       "2024-03-01: you began with the cello and asked Mara about it.",
       {},
       "2024-03-01: you began with the cello and asked Mara about it."},
  };
}

std::vector<std::string_view> names_of(const FaultSet& faults) {
  std::vector<std::string_view> names;
  for (const FaultName& fault : kFaults)
    if (faults[size_t(fault.fault)]) names.push_back(fault.key);
  return names;
}

TEST(Faults, EachPlantedOneIsFound) {
  for (const Planted& one : planted()) {
    const Diagnosis d = diagnose(one.prediction, cello(), kSummary, one.finish_reason);
    EXPECT_EQ(names_of(d.faults), one.faults) << one.name;
    EXPECT_EQ(one.prediction.substr(d.begin, d.end - d.begin), one.summary) << one.name;
  }
}

TEST(Faults, NamesStandInTheirOrder) {
  for (size_t i = 0; i < kFaults.size(); i++) EXPECT_EQ(size_t(kFaults[i].fault), i);
}

TEST(Faults, AChatWithoutMessages) {
  EXPECT_EQ(names_of(diagnose(kSummary, {}, kSummary).faults), std::vector<std::string_view>());
}

TEST(Language, IsToldByItsCommonWordsOrItsLetters) {
  EXPECT_EQ(language_of(kSummary), "English");
  EXPECT_EQ(language_of("Le violoncelle est dans la maison, et vous avez une leçon avec elle pour "
                        "les enfants qui sont au village."),
            "French");
  EXPECT_EQ(language_of("El libro es para usted, pero su amiga y el perro son los que la leyeron "
                        "con una taza del té como ella."),
            "Spanish");
  EXPECT_EQ(language_of("三月初你开始学大提琴，玛拉借给你一本关于大提琴的书，你很感谢她。"),
            "Chinese");
  EXPECT_EQ(language_of("三月の初めにチェロを習い始めて、マラが本を貸してくれました。"),
            "Japanese");
  EXPECT_EQ(language_of("3월 초에 첼로를 배우기 시작했고 마라가 책을 빌려주었습니다. 고마웠어요."),
            "Korean");
  EXPECT_EQ(language_of("Cello, Mara, 2024."), "");
  EXPECT_EQ(language_of("\xFF\xE4\xB8"), "");
}

// 183 summaries that a large model wrote to the end have no fault; a detector that finds one there
// is wrong.
TEST(Faults, WhatIsWholeHasNone) {
  const fs::path seed = shared_data() / "seed";
  if (!fs::exists(seed)) GTEST_SKIP() << "shared/data is absent";
  for (const char* file : {"train.jsonl", "test.jsonl"})
    for (const Conversation& c : read_conversations(seed / file)) {
      const Diagnosis d = diagnose(c.summary, c, c.summary);
      EXPECT_THAT(names_of(d.faults), ElementsAre()) << c.id << ": " << c.summary;
      EXPECT_EQ(language_of(c.summary), "English") << c.id;
    }
}

}  // namespace
}  // namespace chatmem
