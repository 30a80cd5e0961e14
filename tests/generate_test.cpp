#include "synth/generate.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cctype>
#include <map>
#include <set>

#include "base/error.h"
#include "base/json.h"
#include "synth/casting.h"
#include "synth/deixis.h"
#include "synth/dialogue.h"
#include "synth/follow_up.h"
#include "synth/retell.h"
#include "synth/roles.h"
#include "synth/schedule.h"
#include "synth/sentences.h"
#include "test_folder.h"
#include "text/words.h"

namespace chatmem {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kHeader = "id,dialogue,summary,topic\n";
const std::string kRows =
    "a1,\"#Person1#: Hi, Sarah. Is the garden gate mended?\n#Person2#: Yes, I mended the gate "
    "yesterday with new hinges.\",#Person1# asks Sarah about the garden gate.,garden\n"
    "../b2,\"#Person1#: The garden gate is stuck again.\n#Person2#: I will oil the hinges of the "
    "gate.\",#Person1# tells #Person2# the gate is stuck.,garden\n"
    "c3,\"#Person1#: Shall we plant tomatoes in the garden?\n#Person2#: Good plan, beside the "
    "gate.\",#Person1# and #Person2# talk about tomatoes.,garden\n"
    "d4,\"#Person1#: Hi, Sarah. Is the garden gate mended?\n#Person2#: Yes, I mended the gate "
    "yesterday with new hinges.\",#Person2# says the gate is mended.,garden\n";

class GenerateTest : public ::testing::Test {
 protected:
  GenerateOptions options(std::string_view csv, const char* output = "out") {
    GenerateOptions made;
    made.input = folder_.write("in.csv", csv);
    made.output = folder_.path() / output;
    made.provider = "offline";
    made.rows = kAllRows;
    return made;
  }
  std::string error_of(const GenerateOptions& made) {
    try {
      generate(made);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }
  std::map<std::string, std::string> files(const fs::path& root) {
    std::map<std::string, std::string> all;
    for (const auto& entry : fs::recursive_directory_iterator(root))
      if (entry.is_regular_file())
        all[fs::relative(entry.path(), root).string()] = read_file(entry.path());
    return all;
  }
  TestFolder folder_;
};

TEST_F(GenerateTest, WritesTheFileSetAndEveryRow) {
  const GenerateOptions made = options(kHeader + kRows);
  const GenerateReport report = generate(made);
  EXPECT_EQ(report.succeeded, 4);
  EXPECT_EQ(report.failed, 0);
  EXPECT_EQ(report.duplicates, 1);
  EXPECT_THAT(report.first_duplicates, ElementsAre("d4"));
  EXPECT_TRUE(fs::exists(made.output / "success/conversation_%2E%2E%2Fb2_finetune.txt"));
  EXPECT_TRUE(fs::exists(made.output / "success/conversation_a1_original.json"));
  EXPECT_EQ(fs::read_symlink(made.output / "success/training_data.jsonl"),
            "../training_data.jsonl");
  EXPECT_EQ(read_json(made.output / "all_results.json").size(), 4u);
  EXPECT_FALSE(fs::exists(folder_.path() / "b2_finetune.txt"));
}

// Where a summary tells a day: by its date, or as a part of its month.
size_t told_at(const std::string& summary, Date day, size_t from = 0) {
  const std::string date = format_long_date(day), month = date.substr(0, date.find(' '));
  const int of_month = std::stoi(date.substr(date.find(' ')));
  const char* const part = of_month <= 10 ? "early " : of_month <= 20 ? "mid-" : "late ";
  return std::min(summary.find(date, from), summary.find(part + month, from));
}

TEST_F(GenerateTest, ConversationsKeepTheLaws) {
  const GenerateOptions made = options(kHeader + kRows);
  generate(made);
  for (const Conversation& c : read_conversations(made.output / "training_data.jsonl")) {
    std::set<std::string> allowed = {format_long_date(*c.as_of, true)}, speakers, texts;
    std::optional<Minute> before;
    for (const Message& message : c.messages) {
      ASSERT_TRUE(message.time()) << message.timestamp;
      EXPECT_TRUE(!before || *message.time() >= *before);
      before = message.time();
      allowed.insert(format_long_date(date_of(*message.time())));
      speakers.insert(std::string(message.speaker()));
      EXPECT_THAT(message.content, Not(HasSubstr("#Person")));
      const bool fresh = texts.insert(message.content).second;
      EXPECT_TRUE(fresh || message.content.size() < 50) << "twice: " << message.content;
    }
    EXPECT_EQ(speakers.size(), 2u);
    EXPECT_TRUE(speakers.contains("You"));
    EXPECT_GT(*c.as_of, date_of(*before));
    EXPECT_LE((*c.as_of - date_of(*before)).count(), 60);
    EXPECT_EQ(year_of(*c.as_of), 2024);
    EXPECT_THAT(c.summary, HasSubstr(format_long_date(*c.as_of, true)));
    for (const Date day : c.days()) EXPECT_NE(told_at(c.summary, day), c.summary.npos) << c.summary;
  }
}

TEST_F(GenerateTest, SameSeedSameBytesAndContinuedFolder) {
  GenerateOptions first = options(kHeader + kRows);
  first.threads = 1;
  generate(first);
  const auto whole = files(first.output);
  GenerateOptions second = options(kHeader + kRows, "out2");
  second.threads = 4;
  second.rows = 2;
  generate(second);
  second.rows = kAllRows;
  generate(second);
  EXPECT_EQ(files(second.output), whole);
  GenerateOptions other = options(kHeader + kRows, "out3");
  other.seed = 9;
  generate(other);
  EXPECT_NE(files(other.output), whole);
}

TEST_F(GenerateTest, FolderOfAnotherInputIsRefused) {
  generate(options(kHeader + kRows));
  const auto before = files(folder_.path() / "out");
  GenerateOptions other = options(kHeader + "z,\"#Person1#: Hi.\n#Person2#: Hello.\",s,t\n");
  EXPECT_THAT(error_of(other), HasSubstr("holds another run"));
  EXPECT_EQ(files(folder_.path() / "out"), before);
  other.force = true;
  EXPECT_EQ(generate(other).succeeded, 1);
  EXPECT_FALSE(fs::exists(other.output / "success/conversation_a1_original.json"));
}

TEST_F(GenerateTest, UnusableRowsGoToErrors) {
  const GenerateOptions made =
      options(kHeader + kRows + "e5,,nothing said,none\n" +
              "f6,#Person1#: Alone.,monologue,none\n" + "g7,no speaker here,s,none\n");
  const GenerateReport report = generate(made);
  EXPECT_EQ(report.failed, 3);
  EXPECT_THAT(report.first_failed, ElementsAre("e5", "f6", "g7"));
  const Json json = read_json(made.output / "errors/conversation_e5_original.json");
  EXPECT_EQ(json["original_data"]["summary"], "nothing said");
  EXPECT_THAT(std::string(json["error"]), HasSubstr("must have a dialogue"));
}

TEST_F(GenerateTest, SkippedDuplicatesAreLeftOut) {
  GenerateOptions made = options(kHeader + kRows);
  made.skip_duplicates = true;
  const GenerateReport report = generate(made);
  EXPECT_EQ(report.succeeded, 3);
  EXPECT_EQ(report.left_out, 1);
}

TEST_F(GenerateTest, BadInputIsNamedAndLeavesEarlierOutput) {
  generate(options(kHeader + kRows));
  const auto before = files(folder_.path() / "out");
  EXPECT_THAT(error_of(options("id,dialogue,summary\na,b,c\n")), HasSubstr("topic"));
  EXPECT_THAT(error_of(options(kHeader + "a,x,y,z\nb,x,y,z\na,x,y,z\n")),
              HasSubstr("lines 2 and 4"));
  EXPECT_THAT(error_of(options(kHeader + "a,\"open,y,z\n")), HasSubstr("line"));
  EXPECT_THAT(error_of(options(kHeader + std::string("a,x\0,y,z\n", 9))), HasSubstr("line 2"));
  EXPECT_THAT(error_of(options(kHeader + "a,\xFF,y,z\n")), HasSubstr("line 2"));
  EXPECT_THAT(error_of(options(kHeader)), HasSubstr("must have a row"));
  GenerateOptions none = options(kHeader + kRows);
  none.rows = 0;
  EXPECT_THAT(error_of(none), HasSubstr("must be positive"));
  EXPECT_EQ(files(folder_.path() / "out"), before);
}

TEST_F(GenerateTest, BomCrlfAndOtherColumnOrderGiveTheSame) {
  generate(options(kHeader + "a,\"#Person1#: Hi there.\n#Person2#: Hello you.\",s,t\n"));
  generate(
      options("\xEF\xBB\xBFtopic,summary,id,dialogue\r\n"
              "t,s,a,\"#Person1#: Hi there.\n#Person2#: Hello you.\"\r\n",
              "out2"));
  EXPECT_EQ(files(folder_.path() / "out"), files(folder_.path() / "out2"));
}

TEST(Dialogue, NamesAndTheirBearers) {
  Dialogue d =
      parse_dialogue("#Person1#: Hi, Mr. Smith. I'm Doctor Hawkins.\n#Person2#: Good morning.");
  EXPECT_EQ(d.names[1], "Doctor Hawkins");
  EXPECT_EQ(d.names[2], "Mr. Smith");
  d = parse_dialogue("#Person1#: Here it is.\n#Person2#: Thanks, Sarah.\nBye!");
  EXPECT_EQ(d.names[1], "Sarah");
  EXPECT_FALSE(d.names.contains(2));
  EXPECT_EQ(d.turns[1].text, "Thanks, Sarah. Bye!");
  EXPECT_EQ(replace_name("Mr. Smith, John Smithson", "Mr. Smith", "Ann"), "Ann, John Smithson");
}

TEST(Dialogue, PlaceholdersAreReplacedInEveryForm) {
  EXPECT_EQ(without_placeholders("#Person1# or #person2 at #PhoneNumber#, person", {{1, "A"}}),
            "A or someone at 555-0142, person");
  EXPECT_TRUE(has_placeholder("x #Person9# y"));
  EXPECT_FALSE(has_placeholder("in person, # 5"));
}

TEST(Retell, SecondPersonAndPast) {
  const Cast cast{.other_name = "Sarah"};
  const auto told = [&](std::string_view summary) { return retell(summary, cast); };
  EXPECT_THAT(told("#Person1# tells #Person2# the shop is shut."),
              ElementsAre("You told Sarah the shop was shut."));
  EXPECT_THAT(told("#Person2#'s looking for #Person1#'s keys and asks for help."),
              ElementsAre("Sarah was looking for your keys and asked for help."));
  EXPECT_THAT(told("#Person1# and #Person2# talk about tea. They'll meet."),
              ElementsAre("You and Sarah talked about tea.", "The two of you would meet."));
  EXPECT_THAT(told("#Person1# lost his keys."), ElementsAre("You lost your keys."));
  EXPECT_THAT(told("#Person2# says #Person2# needs #Person2#'s coat and leaves."),
              ElementsAre("Sarah said she needed her coat and left."));
  // Whose keys? And whose year?
  EXPECT_TRUE(told("#Person1# tells #Person2# his keys are lost.").empty());
  EXPECT_TRUE(told("#Person1# leaves on May 3rd.").empty());
  EXPECT_TRUE(told("#Person1# leaves on June seventh.").empty());
}

// Sentences that an earlier version told wrongly: left out, or right.
TEST(Retell, SaysNothingRatherThanNonsense) {
  const Cast cast{.other_name = "Martha"};
  const auto told = [&](std::string_view summary) { return retell(summary, cast); };
  EXPECT_TRUE(told("#Person2# tells #Person1# #Person2# got #Person2#'s from IKEA.").empty());
  EXPECT_TRUE(told("#Person1# removes the carpet themself.").empty());
  EXPECT_TRUE(told("#Person1# is late because their cousin came.").empty());
  EXPECT_TRUE(told("Allan #Person1# tells #Person2# the news.").empty());
  EXPECT_TRUE(told("#Person1# frobnicates the gate.").empty());
  EXPECT_THAT(told("#Person2# and #Person1# talks about tea."),
              ElementsAre("Martha and you talked about tea."));
  EXPECT_THAT(told("#Person1# books a table for tonight."),
              ElementsAre("You booked a table for that evening."));
}

TEST(Retell, ReflexivesOfAThirdPartyAreNotTheReader) {
  EXPECT_TRUE(
      retell("#Person1# hears a tape that Leonie herself could read", Cast{.other_name = "Max"})
          .empty());
}

// Each was told wrongly or not at all before pronouns were resolved.
TEST(Retell, PronounsMeanWhoCanBeMeant) {
  Cast cast{.other_name = "Sarah", .other_gender = Gender::kFemale};
  const auto told = [&](std::string_view summary) { return retell(summary, cast); };
  EXPECT_THAT(told("#Person1# tells #Person2# he is late because she called him."),
              ElementsAre("You told Sarah you were late because she called you."));
  EXPECT_THAT(told("#Person1# gives him a coffee. #Person2# thanks #Person1#."),
              ElementsAre("Sarah thanked you."));
  EXPECT_THAT(told("In his first lesson, #Person1# stalls. #Person2# laughs."),
              ElementsAre("In your first lesson, you stalled.", "Sarah laughed."));
  EXPECT_THAT(told("#Person2# suggests they call a cab."),
              ElementsAre("Sarah suggested the two of you call a cab."));
  EXPECT_THAT(told("#Person1# asks #Person2# for tea. They agree to meet."),
              ElementsAre("You asked Sarah for tea.", "The two of you agreed to meet."));
}

TEST(Retell, NothingRefersToWhatIsLeftOut) {
  const Cast cast{.other_name = "Max", .other_gender = Gender::kMale};
  EXPECT_THAT(retell("#Person1# frobnicates a gate. It was green. #Person2# leaves.", cast),
              ElementsAre("Max left."));
  EXPECT_THAT(retell("#Person1# frobnicates a gate. However, #Person2# leaves.", cast),
              ElementsAre("Max left."));
}

TEST(Retell, TheReaderIsYouAlone) {
  const Cast cast{.other_name = "Max"};
  const auto told = [&](std::string_view summary) { return retell(summary, cast); };
  EXPECT_THAT(told("#Person2# asks #Person1#, who owns a boat, whether it leaks."),
              ElementsAre("Max asked you whether it leaks."));
  EXPECT_THAT(told("#Person1#, sixty-eight, books a lesson."), ElementsAre("You booked a lesson."));
  EXPECT_THAT(told("Six-year-old #Person1# refuses."), ElementsAre("You refused."));
  EXPECT_THAT(told("The vet offers #Person1# a plan."), ElementsAre("The vet offered you a plan."));
  EXPECT_THAT(told("#Person1# lies awake."), ElementsAre("You lay awake."));
  EXPECT_THAT(told("#Person1# hears Paul's been promoted."),
              ElementsAre("You heard Paul had been promoted."));
}

// Each was told with "they", with the name again, or not at all.
TEST(Retell, TheTwoTogetherAndNamedAgain) {
  const Cast cast{.other_name = "Sarah", .other_gender = Gender::kFemale};
  const auto told = [&](std::string_view summary) { return retell(summary, cast); };
  EXPECT_THAT(
      told("#Person1# and #Person2# visit some cities. They will meet on Friday."),
      ElementsAre("You and Sarah visited some cities.", "The two of you would meet on Friday."));
  EXPECT_THAT(told("#Person1# and #Person2# praise the sea. Both of them prefer a cabin."),
              ElementsAre("You and Sarah praised the sea.", "Both of you preferred a cabin."));
  EXPECT_THAT(told("#Person1# and #Person2# have a nice talk and decide to go out."),
              ElementsAre("You and Sarah had a nice talk and decided to go out."));
  EXPECT_THAT(told("#Person1# and #Person2# plan to meet and go out."),
              ElementsAre("You and Sarah planned to meet and go out."));
  EXPECT_THAT(told("#Person2# tells #Person1# #Person2#'s late and describes #Person2#'s coat."),
              ElementsAre("Sarah told you she was late and described her coat."));
  EXPECT_THAT(told("#Person2# tells #Person1# #Person1# can wait."),
              ElementsAre("Sarah told you that you could wait."));
  EXPECT_TRUE(told("#Person1# advises #Person1# to wait.").empty());
}

TEST(Retell, GenitivesAndVerbsBehindTheApostrophe) {
  const Cast cast{.other_name = "Sarah"};
  const auto told = [&](std::string_view summary) { return retell(summary, cast); };
  EXPECT_THAT(told("#Person1#'s astonished to hear the news."),
              ElementsAre("You were astonished to hear the news."));
  EXPECT_THAT(told("#Person2# comes to #Person1#'s housewarming party."),
              ElementsAre("Sarah came to your housewarming party."));
  EXPECT_THAT(told("#Person2#'s contract ends in May, so #Person1# worries,"),
              ElementsAre("Sarah's contract ended in May, so you worried."));
  EXPECT_THAT(told("#Person1# says the plans have been put off."),
              ElementsAre("You said the plans had been put off."));
}

TEST(Retell, PronounsThatOnlyOneCanBeMeantBy) {
  const auto told = [&](std::string_view summary, Gender other) {
    return retell(summary, {.other_name = "Mary", .other_gender = other});
  };
  // Nobody suggests that he himself should; the same pronoun again means the same.
  EXPECT_THAT(told("#Person2# is upset. #Person1# suggests she report the loss.", Gender::kFemale),
              ElementsAre("Mary was upset.", "You suggested she report the loss."));
  EXPECT_THAT(
      told("#Person2# tells #Person1# about #Person2#'s job and her family.", Gender::kUnknown),
      ElementsAre("Mary told you about her job and her family."));
  // Whose hand?
  EXPECT_TRUE(told("#Person2# is here. #Person1# measures her hand.", Gender::kUnknown).size() < 2);
}

// Each was told, and told wrongly: what may mean another is left out.
TEST(Retell, WhatMayBeWrongIsNotTold) {
  const Cast cast{.other_name = "Mary", .other_gender = Gender::kFemale};
  const auto told = [&](std::string_view summary) { return retell(summary, cast); };
  // The mother may be the reader.
  EXPECT_TRUE(told("#Person2#'s mom persuades #Person2# to play outside.").empty());
  EXPECT_THAT(told("#Person2# leaves the camera in a friend's car."),
              ElementsAre("Mary left the camera in a friend's car."));
  // They: the guests, the boxes, the hotel.
  EXPECT_TRUE(told("#Person1# asks #Person2# what they are doing.").empty());
  EXPECT_TRUE(told("#Person2# says to #Person1# they will fit.").empty());
  EXPECT_TRUE(told("#Person1# tells #Person2# the boxes are full and they can't open.").empty());
  EXPECT_THAT(told("#Person1# asks #Person2# for tea and they will meet on Friday."),
              ElementsAre("You asked Mary for tea and you would meet on Friday."));
  EXPECT_TRUE(told("#Person2# tells Brazil takes soccer seriously.").empty());
  EXPECT_TRUE(told("#Person1# and #Person2# recollect the time.").empty());
  EXPECT_TRUE(told("#Person2# comes to #Person1#'s to find about a deposit.").empty());
  EXPECT_TRUE(told("#Person1# agrees to finish and offers its number.").empty());
  EXPECT_TRUE(told("#Person1# says #Person1# frobs the gate.").empty());
  EXPECT_TRUE(told("#Person2# comes to #Person1# and Betty's party.").empty());
  EXPECT_TRUE(told("#Person1# and #Person2# sit together and talk.").empty() ||
              told("#Person1# and #Person2# sit together and talk.")[0] ==
                  "You and Mary sat together and talked.");
  EXPECT_THAT(told("#Person1# pays $29. 99 for it."), ElementsAre("You paid $29. 99 for it."));
}

TEST(Casting, WhatIsNoName) {
  const auto names = [](std::string_view said) {
    return cast_dialogue(fmt::format("#Person1#: {}\n#Person2#: I see.", said), "").names;
  };
  EXPECT_TRUE(names("Good morning, Family. We have a meeting.").empty());
  EXPECT_TRUE(names("Hello, City Taxi?").empty());
  EXPECT_TRUE(names("Hello, Felix Wassermann Associates.").empty());
  EXPECT_TRUE(names("I asked Bob, Ann, and Tom.").empty());
  EXPECT_EQ(names("Are you there, Tom?")[2], "Tom");
  EXPECT_EQ(names("Dad. You love me?")[2], "Dad");
}

TEST(Casting, NamesAndRolesOfTheSummary) {
  Dialogue d = cast_dialogue("#Person1#: How was it, Leila?\n#Person2#: Fine.",
                             "Orvo asks Leila how it was.");
  EXPECT_EQ(d.names[1], "Orvo");
  EXPECT_EQ(d.names[2], "Leila");
  EXPECT_EQ(d.genders[1], Gender::kUnknown);
  d = cast_dialogue("#Person1#: Will it live?\n#Person2#: Yes.",
                    "#Person1# asks about his cat. The vet has hope.");
  EXPECT_THAT(d.summary, HasSubstr("#Person2#, the vet, has hope"));
  EXPECT_EQ(d.genders[1], Gender::kMale);
}

TEST(Casting, NamesThatNoListHas) {
  // The summary begins with it, the dialogue has it as a name.
  Dialogue d = cast_dialogue("#Person1#: You look tired, Karimo.\n#Person2#: I am.",
                             "Karimo is tired. #Person1# sees it.");
  EXPECT_EQ(d.names[2], "Karimo");
  d = cast_dialogue("#Person1#: Mrs. Doyle, take a seat.\n#Person2#: Thanks.",
                    "Mrs. Doyle sits down.");
  EXPECT_EQ(d.names[2], "Mrs. Doyle");
  d = cast_dialogue("#Person1#: Get up, son.\n#Person2#: All right, mom.", "#Person2# gets up.");
  EXPECT_EQ(d.genders[1], Gender::kFemale);
  const Cast cast{
      .other_source_name = "Mr. Smith", .other_name = "Mr. Smith", .actors = {"Steven Smith"}};
  EXPECT_THAT(retell("Steven Smith checks out.", cast), ElementsAre("Mr. Smith checked out."));
}

// Keeps the results by row.
class KeepingSink final : public ExpandSink {
 public:
  explicit KeepingSink(size_t n) : made(n) {}
  void done(const RowTask& task, const Expanded& expanded) override {
    made[task.index] = expanded.transformed;
  }
  void status(std::string_view) override {}
  void message(std::string_view) override {}
  std::vector<std::optional<Transformed>> made;
};

// What a reader would stumble over, in the summaries of all rows of a file.
void expect_no_residue(const fs::path& input, int64_t n_rows, double max_topic_share) {
  const std::vector<SourceRow> all = read_source_rows(input);
  const std::vector<SourceRow> rows(
      all.begin(), all.begin() + std::ptrdiff_t(std::min<size_t>(all.size(), size_t(n_rows))));
  const auto provider = make_offline_provider(rows, {.seed = 5});
  static constexpr std::string_view kResidue[] = {
      "#",          "Person1",   " you is ",    " you was ",    " you has ", " your his ",
      " your her ", "you, who",  " you lied ",  " tomorrow",    " tonight",  " him/her ",
      " themself ", " you you ", " your your ", "when however", "  ",        " , ",
      ".."};
  std::vector<RowTask> tasks;
  for (size_t i = 0; i < rows.size(); i++) tasks.push_back({i});
  KeepingSink sink(rows.size());
  provider->expand(tasks, sink);
  int64_t topics = 0;
  for (size_t i = 0; i < rows.size(); i++) {
    ASSERT_TRUE(sink.made[i]) << rows[i].id;
    const Transformed& made = *sink.made[i];
    const std::string& summary = made.personal_summary;
    for (const std::string_view residue : kResidue)
      EXPECT_EQ(summary.find(residue), summary.npos)
          << rows[i].id << " has '" << residue << "': " << summary;
    for (size_t at = 0; (at = summary.find(" next week", at)) != summary.npos; at++)
      EXPECT_TRUE(std::string_view(summary).substr(0, at).ends_with(" the"))
          << rows[i].id << ": " << summary;  // "the next week" is told from another day
    const size_t first = told_at(summary, made.conversations[0].date);
    const size_t end = made.conversations.size() < 2
                           ? summary.size()
                           : told_at(summary, made.conversations[1].date, first + 1);
    const std::string told = summary.substr(first, end - first);
    topics += told.find(" talked about " + rows[i].topic + ".") != told.npos ||
              told.find(" had a conversation") != told.npos;
  }
  EXPECT_LE(double(topics), max_topic_share * double(rows.size()));
}

TEST(Offline, SamplesHaveNoResidue) {
  expect_no_residue(fs::path(CHATMEM_SOURCE_DIR) / "samples/dialogues.csv", 1000, 0.25);
}

TEST(Offline, DialogSumHasNoResidue) {
  if (!fs::exists(shared_data() / "dialogsum/train.csv")) GTEST_SKIP() << "shared/data is absent";
  expect_no_residue(shared_data() / "dialogsum/train.csv", 600, 0.08);
}

TEST(Retell, TopicsThatReadAsNouns) {
  for (const char* noun : {"a leaking roof", "learning to drive", "night shifts at the hospital",
                           "university applications", "the missing parcel", "weather"})
    EXPECT_TRUE(reads_as_noun(noun)) << noun;
  for (const char* other : {"book a room", "job interview", "order food", "grandfather's memoirs",
                            "Learning", "a", "", "wedding plan", "talking (loudly)"})
    EXPECT_FALSE(reads_as_noun(other)) << other;
}

TEST(Retell, SentencesGoOnInSmallLettersButNames) {
  EXPECT_EQ(with_small_start("Hiring a tent costs 55.", "Max"), "hiring a tent costs 55.");
  EXPECT_EQ(with_small_start("No one came.", "Max"), "no one came.");
  EXPECT_EQ(with_small_start("You'd call.", "Max"), "you'd call.");
  for (const char* name : {"Max called.", "Sam called.", "Tongtong's mother called.", "May called.",
                           "Fleming called.", "I called.", "A-levels were over.", "BBC called."})
    EXPECT_EQ(with_small_start(name, "Max"), name);
}

TEST(Deixis, TimeWordsAreShifted) {
  EXPECT_EQ(shift_time_words("Tonight or tomorrow morning, not this weekend"),
            "That evening or the next morning, not that weekend");
  EXPECT_EQ(shift_time_words("yesterday, next month, last Friday, two days ago"),
            "the day before, the following month, the previous Friday, two days before");
  EXPECT_EQ(shift_time_words("From now on he lives here and is busy now."),
            "From then on he lives there and is busy at the time.");
  EXPECT_EQ(shift_time_words("says that today is fine"), "says that the same day is fine");
  for (const char* same : {"the next week", "next to the last name", "long ago", "this time"})
    EXPECT_FALSE(has_time_word_of_now(same)) << same;
}

TEST(Deixis, CalendarDatesInEveryForm) {
  for (const char* date :
       {"June 7th", "on June seventh", "June the seventh", "the 25th of May", "the third of March",
        "Monday the 5th", "on the fifteenth.", "12/5/2004", "2004-05-12", "Nov. 21st", "7 July"})
    EXPECT_TRUE(names_calendar_date(date)) << date;
  for (const char* none : {"in June", "you may 3 times", "the 5th floor", "the first day",
                           "call 555-0142", "on the second floor", "since 1998", "3/4 of it"})
    EXPECT_FALSE(names_calendar_date(none)) << none;
}

TEST(Retell, WhatDoesNotReadWellIsLeftOut) {
  const auto well = [](const char* sentence) { return reads_well(sentence, "Sarah Bell"); };
  for (const char* good :
       {"You told Sarah Bell the shop was shut.", "Sarah Bell also agreed.", "The vet had hope.",
        "Sarah Bell's contract ended in May.", "Sarah Bell suggested you rest.",
        "The two of you went out.", "You asked for two drinks and paid the bills."})
    EXPECT_TRUE(well(good)) << good;
  for (const char* bad :
       {"You from the company called Sarah Bell.", "Sarah Bell said some children learn at home.",
        "You thought homeschooling works but it was hard.", "Yamada told you the news.",
        "You told her what you want.", "Sarah Bell said they have no time.",
        "Sarah Bell was late because she works.", "You was late that day."})
    EXPECT_FALSE(well(bad)) << bad;
}

TEST(FollowUp, SentencesThatStandAlone) {
  const std::vector<Line> lines = {
      {"You", "Can I help you? What do you think of the old harbour?"},
      {"Max", "It was much quieter in spring. You should book a boat early. I like it here."},
      {"You", "I think the water is very cold. I'm going to learn sailing. See you tomorrow, Ann."},
      {"Max", "The harbour closes at 9 every evening. I'm worried about the weather!"}};
  std::vector<std::string> found;
  for (const Quotable& q : quotables(lines, "a quiet harbour in spring"))
    found.push_back(fmt::format("{}{}: {}", q.you ? "you " : "", int(q.saying), q.text));
  EXPECT_THAT(found,
              ElementsAre("3: It was much quieter in spring.", "0: You should book a boat early.",
                          "you 2: I'm going to learn sailing."));
}

TEST(FollowUp, TheMatterIsQuoted) {
  const std::vector<Line> lines = {{"You", "Hello there, Max."},
                                   {"Max", "Hello to you too."},
                                   {"You", "Is the garden gate mended?"},
                                   {"Max", "Yes, I mended the gate yesterday. It has new hinges."}};
  EXPECT_EQ(quoted(lines, "garden gate"),
            "You asked: \"Is the garden gate mended?\" Max answered: \"It has new hinges.\"");
  EXPECT_EQ(quoted({{"You", "Hm."}, {"Max", "#!"}}, "gate"), "");
}

void expect_written_out(const FollowUp& made) {
  EXPECT_GE(made.lines.size(), 2u);
  EXPECT_LE(made.lines.size(), 4u);
  EXPECT_NE(made.lines[0].speaker, made.lines[1].speaker);
  for (const Line& line : made.lines) {
    EXPECT_EQ(line.text.find_first_of("{}[]|&\n"), std::string::npos) << line.text;
    EXPECT_EQ(line.text.find("  "), std::string::npos) << line.text;
    EXPECT_TRUE(std::isupper(static_cast<unsigned char>(line.text[0])) || line.text[0] == '"');
    EXPECT_TRUE(std::string_view(".?!\"").find(line.text.back()) != std::string_view::npos);
    EXPECT_TRUE(line.speaker == kReader || line.text.find("Max") == std::string::npos);
  }
  EXPECT_TRUE(made.told.starts_with("You ") || made.told.starts_with("Max ")) << made.told;
  EXPECT_TRUE(made.told.ends_with('.') || made.told.ends_with('"')) << made.told;
  EXPECT_EQ(made.told.find_first_of("{}[]|&\n"), std::string::npos) << made.told;
}

std::vector<Storyline> all_stories() {
  std::vector<Storyline> all;
  for (const auto stories : {customer_storylines(), guest_storylines(), work_storylines(),
                             encounter_storylines(), family_storylines(), friend_storylines(),
                             leisure_storylines(), daily_storylines(), anybody_storylines()})
    all.insert(all.end(), stories.begin(), stories.end());
  return all;
}

// Every story has enough beats, each whole whoever is who.
TEST(FollowUp, EveryStoryIsWhole) {
  Random random(1);
  std::set<std::string_view> beats;
  for (const Storyline& story : all_stories()) {
    for (const bool a_is_you : {false, true}) {
      const std::vector<FollowUp> whole =
          whole_story(story, a_is_you,
                      {.lines = {},
                       .topic = "sailing",
                       .day = *parse_date("2024-03-01"),
                       .callers = {"Ann", "Max", "Max", Gender::kMale}},
                      random);
      EXPECT_GE(whole.size(), 7u) << story.beats.substr(0, 80);
      EXPECT_LE(whole.size(), 8u) << story.beats.substr(0, 80);
      for (const FollowUp& beat : whole) {
        expect_written_out(beat);
        EXPECT_FALSE(names_calendar_date(beat.told)) << beat.told;
      }
    }
    EXPECT_TRUE(beats.insert(story.beats).second);
    EXPECT_EQ(story.beats.find("&") < story.beats.find("\n\n"), false);
    // "Max were", "you was"
    for (const std::string_view verb : {"A} was ", "A} were ", "B} was ", "B} were ", "a} was ",
                                        "a} were ", "b} was ", "b} were ", "} has ", "} have "})
      EXPECT_EQ(story.beats.find(verb), std::string_view::npos) << story.beats.substr(0, 80);
  }
  EXPECT_GT(beats.size(), 90u);
}

// Beats may lie two days apart or two months.
TEST(FollowUp, NoBeatCountsDays) {
  for (const Storyline& story : all_stories())
    for (const std::string_view words : {"tomorrow", "yesterday", "last week", "next week"})
      EXPECT_EQ(to_lower_ascii(story.beats).find(words), std::string::npos)
          << words << story.beats.substr(0, 80);
}

// Each relation has stories for whatever the field is, customers and friends also by field.
TEST(FollowUp, StoriesForEveryRelation) {
  std::set<Between> any;
  std::map<Between, std::set<Field>> fields;
  for (const Storyline& story : all_stories()) {
    if (story.field == Field::kAny) any.insert(story.between);
    fields[story.between].insert(story.field);
  }
  EXPECT_EQ(any.size(), size_t(Between::kStrangers) + 1);
  EXPECT_GE(fields[Between::kCustomer].size(), 12u);
  EXPECT_GE(fields[Between::kFriends].size(), 18u);
}

// One of each seed's beats for each day, none twice.
TEST(FollowUp, AsManyAsDays) {
  const std::vector<Line> lines = {{"You", "I want to become a pilot. The water is cold."},
                                   {"Max", "You should wear a warm coat at sea."}};
  for (uint64_t seed = 0; seed < 300; seed++) {
    Random random(seed);
    FirstTalk first{.lines = lines,
                    .topic = seed % 2 ? "ordering food" : "sailing",
                    .day = *parse_date("2024-03-01"),
                    .callers = {seed % 5 ? "Ann" : "", "Max", "Max", Gender::kMale}};
    std::set<std::string> told;
    for (const FollowUp& made : follow_ups(first, seed % 7 + 1, random)) {
      EXPECT_TRUE(told.insert(made.told).second) << made.told;
      expect_written_out(made);
    }
    EXPECT_EQ(told.size(), seed % 7 + 1);
  }
}

// A name that was not said is called by equals only; a child says what it said.
TEST(FollowUp, WhatTheyCallEachOther) {
  const auto greeting = [](Between between, std::vector<Line> lines) {
    static constexpr std::string_view kBeat = "\nA: Bye{,n}.\nB: Bye{,n}.\n= {A} left {B}.\n";
    Random random(1);
    const FirstTalk first{.lines = lines,
                          .topic = "",
                          .day = *parse_date("2024-03-01"),
                          .callers = {"Ann", "Max", "Max", Gender::kMale}};
    return whole_story({Field::kAny, between, kBeat}, true, first, random).at(0).lines;
  };
  EXPECT_EQ(greeting(Between::kFriends, {{"You", "Hi."}})[0].text, "Bye, Max.");
  EXPECT_EQ(greeting(Between::kPatient, {{"You", "Hi."}})[0].text, "Bye.");
  EXPECT_EQ(greeting(Between::kPatient, {{"You", "Hi, Max."}})[0].text, "Bye, Max.");
  EXPECT_EQ(greeting(Between::kChild, {{"You", "Hi, dad!"}})[0].text, "Bye, Dad.");
  EXPECT_EQ(greeting(Between::kChild, {{"You", "Hi!"}})[0].text, "Bye.");
}

TEST(FollowUp, TheFieldByTopicThenByWords) {
  const std::vector<Field> among = {Field::kHotel, Field::kFood, Field::kStudy};
  const auto field = [&](const char* topic, const char* talk) {
    return field_of(topic, talk, among);
  };
  EXPECT_EQ(field("hotel food", ""), Field::kHotel);
  EXPECT_EQ(field("ordering food", "exam class teacher"), Field::kFood);
  EXPECT_EQ(field("check in", "exam class teacher"), Field::kHotel);
  EXPECT_EQ(field("to check what is in it", ""), Field::kAny);
  EXPECT_EQ(field("a talk", "The exam of our class, says the teacher."), Field::kStudy);
  EXPECT_EQ(field("a talk", "The teacher is here."), Field::kAny);
  EXPECT_EQ(field("weather", "It rains."), Field::kAny);  // not among them
}

struct RelationCase {
  const char *topic, *summary, *reader, *other;
  Between between;
  int a;  // 1 the reader, 2 the other, 0 they are alike
  bool sure = true;
};

// Who they are to each other, and who of the two is A, whoever speaks first.
TEST(Roles, WhoTheyAreToEachOther) {
  const RelationCase cases[] = {
      {"a talk", "", "Sirens all night. Did you sleep?", "My mom did.", Between::kFriends, 0},
      {"", "", "Dude, are you coming tonight?", "Let's go!", Between::kFriends, 0},
      {"", "#Person1# and #Person2# talk about a film.", "How much is it?", "Five dollars.",
       Between::kFriends, 0},
      {"", "", "How much is it?", "Five dollars.", Between::kFriends, 0, false},
      {"diet", "", "I have a headache, Max. Is it the flu?", "Take some medicine.",
       Between::kFriends, 0, false},
      {"", "", "Tea, honey?", "Yes, darling.", Between::kCouple, 0},
      {"", "", "Get up.", "All right, mom.", Between::kChild, 2},
      {"", "", "Was it cheap?", "I asked my mom, and she paid.", Between::kFriends, 0},
      {"", "", "Mom, I'm starving.", "Dinner is ready.", Between::kChild, 1},
      {"", "", "What does our boss say about the report?", "Our department likes it.",
       Between::kColleagues, 0},
      {"a raise", "", "I'd like to ask for a raise, sir.", "Not now.", Between::kEmployee, 1},
      {"", "", "Come into my office. Type this letter.", "Right away, sir.", Between::kEmployee, 2},
      {"negotiation", "", "Our price is fixed.", "We'd like to place an order. Your price is high.",
       Between::kBusiness, 2},
      {"", "", "Your term paper is late. Come to my office hours.", "I'm sorry, professor.",
       Between::kStudent, 2},
      {"", "", "It hurts, doctor.", "Where does it hurt?", Between::kPatient, 1},
      {"job interview", "", "Why did you leave your last job?", "Oh.", Between::kApplicant, 2},
      {"", "", "I'm calling about the apartment. Is it furnished?", "Yes. The deposit is low.",
       Between::kTenant, 1},
      {"the apartment", "", "What is the rent? Is it furnished?",
       "It's furnished, and the rent is low.", Between::kFriends, 0},
      {"", "", "Can I help you? What size do you wear?", "Nine.", Between::kCustomer, 2},
      {"", "", "How much is the coat? I'll take it.", "Good.", Between::kCustomer, 1},
      {"", "", "Max, do you have any?", "No.", Between::kFriends, 0, false},
      {"shopping", "", "How much is the coat? I'll take it.", "Cash or credit?", Between::kCustomer,
       1},
      {"", "", "Hello, who's calling, please? She's not in.", "May I speak to Ann?",
       Between::kCaller, 2},
      {"", "", "You dialed the wrong number.", "Is Ann there?", Between::kCaller, 2},
      {"", "", "I pulled you over. May I see your driver's license?", "Yes, officer.",
       Between::kCitizen, 2},
      {"", "", "Welcome to the show! Our listeners are curious.", "Thank you.",
       Between::kInterviewed, 2},
      {"", "", "Excuse me, is there a bank near here?", "Go straight and turn left.",
       Between::kWayfarer, 1},
      {"", "", "Is this seat taken? Where are you from?", "No. I'm from Spain.",
       Between::kStrangers, 0},
      {"", "", "Sir, you dropped it.", "Oh.", Between::kFriends, 0, false}};
  for (const RelationCase& c : cases) {
    const std::vector<Line> lines = {{kReader, c.reader}, {"Max", c.other}};
    const Relation relation = relation_of({.lines = lines,
                                           .topic = c.topic,
                                           .summary = c.summary,
                                           .day = *parse_date("2024-03-01"),
                                           .callers = {"", "Max", "Max", Gender::kMale}});
    EXPECT_EQ(relation.between, c.between) << c.reader;
    EXPECT_EQ(relation.a_is_you ? 2 - *relation.a_is_you : 0, c.a) << c.reader;
    EXPECT_EQ(relation.sure, c.sure) << c.reader;
  }
}

// A summary calls each person by name or by placeholder, never by both.
TEST(Dialogue, NamesAreSettledByTheSummary) {
  Dialogue d = parse_dialogue("#Person1#: Happy birthday.\n#Person2#: Oh.");
  d.names[2] = "Mary";
  settle_names(d, "#Person2# gives Mary a dog.");
  EXPECT_EQ(d.names[1], "Mary");
  EXPECT_FALSE(d.names.contains(2));
  settle_names(d, "#Person1# and #Person2# talk about Mary.");
  EXPECT_TRUE(d.names.empty());
  // Who said so bears it all the same.
  d = parse_dialogue("#Person1#: Call me Oma.\n#Person2#: Hello.");
  EXPECT_TRUE(settle_names(d, "Oma shows #Person1# a quilt."));
  EXPECT_EQ(d.names[1], "Oma");
}

TEST(Calendar, LengthGuidanceAndHours) {
  EXPECT_EQ(length_guidance("c", "order food").max_days, 14);    // 99 % 3 == 0
  EXPECT_EQ(length_guidance("c", "reorder food").max_days, 60);  // whole words only
  EXPECT_EQ(length_guidance("c", "health").max_conversations, 8);
  EXPECT_EQ(length_guidance("a", "order food").max_conversations, 8);  // 97 % 3 == 1
  EXPECT_EQ(length_guidance("b", "health").max_conversations, 5);      // 98 % 3 == 2
  Random random(1);
  for (const Minute minute :
       lay_minutes(*parse_date("2024-05-01"), std::vector<size_t>(3000, 200), random)) {
    EXPECT_GE(format_minute(minute), "2024-05-01 08:00");
    EXPECT_LE(format_minute(minute), "2024-05-01 22:30");
  }
}

}  // namespace
}  // namespace chatmem
