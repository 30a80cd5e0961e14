// Conversations: JSON, finetune text, plain lines; what is kept, what is refused.
#include "text/conversation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "error_of.h"
#include "test_folder.h"

namespace chatmem {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Conversation from_text(std::string_view json) {
  return conversation_from_json(parse_json(json, "here"), "here");
}

TEST(Message, SpeakerAndText) {
  const auto speaker = [](std::string content) {
    const Message message{"", std::move(content)};
    return std::string(message.speaker()) + "|" + std::string(message.text());
  };
  EXPECT_EQ(speaker("Mr. Smith: I know: really."), "Mr. Smith|I know: really.");
  EXPECT_EQ(speaker("no one"), "|no one");
  EXPECT_EQ(speaker(": empty"), "|: empty");
  EXPECT_EQ(speaker("two\nlines: x"), "|two\nlines: x");
  EXPECT_EQ(speaker("https://a.b"), "|https://a.b");
  EXPECT_EQ(speaker(std::string(60, 'n') + ": x"), std::string(60, 'n') + "|x");
  EXPECT_EQ(speaker(std::string(61, 'n') + ": x"), "|" + std::string(61, 'n') + ": x");
}

TEST(Message, DateOfATimestampThatIsNoTime) {
  EXPECT_EQ(format_date(*Message{"2024-07-09 phone call - 47 min", ""}.date()), "2024-07-09");
  EXPECT_FALSE((Message{"2024-07-09 phone call - 47 min", ""}.time()));
  EXPECT_FALSE((Message{"2024-07-099", ""}.date()));
  EXPECT_FALSE((Message{"", ""}.date()));
}

TEST(Conversation, JsonComesBackAsItWas) {
  const std::string text =
      R"({"topic":"x","id":"a","summary":"S","messages":[{"edited":true,"content":"You: hi",)"
      R"("timestamp":"2024-03-05 11:47 PM"}],"start_date":"2024-03-05","end_date":"2024-03-06",)"
      R"("today_date":"2024-04-01","n":1.5})";
  Conversation conversation = from_text(text);
  EXPECT_EQ(dump_json(conversation_to_json(conversation)), text);
  EXPECT_EQ(format_date(*conversation.as_of), "2024-04-01");
  EXPECT_THAT(conversation.unreadable_times(), ElementsAre(0u));
  conversation.messages[0].content = "You: ho";
  conversation.as_of = parse_date("2024-05-01");
  const Json changed = conversation_to_json(conversation);
  EXPECT_EQ(changed["messages"][0]["content"], "You: ho");
  EXPECT_EQ(changed["messages"][0]["edited"], true);
  EXPECT_EQ(changed["today_date"], "2024-05-01");
  EXPECT_FALSE(changed.contains("as_of"));
}

TEST(Conversation, DatesAreTakenFromTheMessages) {
  const Conversation c = from_text(
      R"({"id":"a","messages":[{"timestamp":"2024-03-05 10:00","content":"Ann: x"},)"
      R"({"timestamp":"phone","content":"Bob: y"},{"timestamp":"2024-03-05 11:00","content":"z"},)"
      R"({"timestamp":"2024-03-09 10:00","content":"You: x"},{"content":"Bob: y"}]})");
  EXPECT_EQ(c.start_date, "2024-03-05");
  EXPECT_EQ(c.end_date, "2024-03-09");
  EXPECT_THAT(c.days(), ElementsAre(*parse_date("2024-03-05"), *parse_date("2024-03-09")));
  EXPECT_THAT(c.unreadable_times(), ElementsAre(1u, 4u));
  EXPECT_EQ(c.other_speaker(), "Bob");
  Conversation fresh = c;
  fresh.source = Json::object();
  fresh.messages.resize(1);
  EXPECT_EQ(dump_json(conversation_to_json(fresh)),
            R"({"id":"a","start_date":"2024-03-05","end_date":"2024-03-09",)"
            R"("messages":[{"timestamp":"2024-03-05 10:00","content":"Ann: x"}]})");
}

TEST(Conversation, RefusesWhatIsNoRecord) {
  const auto error = [](std::string_view json) { return error_of([&] { from_text(json); }); };
  EXPECT_THAT(error("[]"), HasSubstr("must be an object, is array"));
  EXPECT_THAT(error(R"({"messages":[]})"), HasSubstr("key 'id' is missing"));
  EXPECT_THAT(error(R"({"id":"","messages":[]})"), HasSubstr("id must not be empty"));
  EXPECT_THAT(error(R"({"id":7,"messages":[]})"), HasSubstr("'id' must be a string"));
  EXPECT_THAT(error(R"({"id":")" + std::string(600, 'x') + R"(","messages":[]})"),
              HasSubstr("an id may have at most 512 bytes, has 600"));
  EXPECT_THAT(error(R"({"id":"a"})"), HasSubstr("'messages' is missing"));
  EXPECT_THAT(error(R"({"id":"a","messages":[3]})"), HasSubstr("message 1: must be an object"));
  EXPECT_THAT(error(R"({"id":"a","messages":[{"content":"x"},{"timestamp":"t"}]})"),
              HasSubstr("here, message 2: key 'content' is missing"));
  EXPECT_THAT(error(R"({"id":"a","messages":[],"start_date":"2024-02-30"})"),
              HasSubstr("start_date must be a day, YYYY-MM-DD, is '2024-02-30'"));
  EXPECT_THAT(error(R"({"id":"a","messages":[],"as_of":"soon"})"), HasSubstr("as_of must be"));
  EXPECT_THAT(error(R"({"id":"a","messages":[],"summary":[]})"), HasSubstr("'summary' must be"));
}

TEST(Conversation, FilesNameTheLine) {
  TestFolder folder;
  const fs::path good = folder.write("good.jsonl",
                                     "{\"id\":\"a\",\"messages\":[]}\n\n"
                                     "{\"id\":\"b\",\"messages\":[],\"as_of\":\"2024-01-01\"}\n");
  std::vector<Conversation> records = read_conversations(good);
  ASSERT_EQ(records.size(), 2u);
  const fs::path twice = folder.write(
      "twice.jsonl", "{\"id\":\"a\",\"messages\":[]}\n\n{\"id\":\"a\",\"messages\":[]}\n");
  EXPECT_THAT(error_of([&] { read_conversations(twice); }),
              HasSubstr("twice.jsonl', line 3: the id 'a' was seen on line 1"));
  EXPECT_THAT(error_of([&] { read_any_conversations(twice); }), HasSubstr("line 3"));
  const fs::path broken = folder.write("broken.jsonl", "{\"id\":\"a\",\"messages\":[]}\n{\n");
  EXPECT_THAT(error_of([&] { read_conversations(broken); }), HasSubstr("line 2"));
  const fs::path days = folder.write("days.jsonl",
                                     "{\"id\":\"a\",\"as_of\":\"2024-02-02\"}\n"
                                     "{\"id\":\"b\",\"as_of\":\"2024-02-02\"}\n"
                                     "{\"id\":\"c\",\"as_of\":\"2024-02-02\"}\n");
  EXPECT_EQ(join_as_of(records, days), 1);
  EXPECT_EQ(format_date(*records[0].as_of), "2024-02-02");
  EXPECT_EQ(format_date(*records[1].as_of), "2024-01-01");
  const fs::path wrong = folder.write("wrong.jsonl", "{\"id\":\"a\",\"as_of\":\"2.2.2024\"}\n");
  EXPECT_THAT(error_of([&] { join_as_of(records, wrong); }), HasSubstr("line 1: as_of must be"));
}

constexpr std::string_view kFinetune =
    "[START DATE]\n2024-01-15\n[END DATE]\n2024-02-15\n[CHAT MESSAGES]\n"
    "2024-01-15 09:23 | Person1: message\nsecond line\n\nthird line\n"
    "2024-01-20 phone call - 47 min | \n"
    " | You: a | b\n"
    "2024-02-15 09:23 | You: bye\n"
    "[SUMMARY]\nYou talked.\n\n[SUMMARY]\nIndeed.\n";

TEST(Conversation, FinetuneText) {
  const Conversation c = parse_finetune_text(kFinetune, "here");
  ASSERT_EQ(c.messages.size(), 4u);
  EXPECT_EQ(c.messages[0].content, "Person1: message\nsecond line\n\nthird line");
  EXPECT_EQ(c.messages[1].timestamp, "2024-01-20 phone call - 47 min");
  EXPECT_EQ(c.messages[1].content, "");
  EXPECT_EQ(c.messages[2].timestamp, "");
  EXPECT_EQ(c.messages[2].content, "You: a | b");
  EXPECT_EQ(c.summary, "You talked.\n\n[SUMMARY]\nIndeed.");
  EXPECT_EQ(format_finetune_text(c) + "\n", kFinetune);
}

TEST(Conversation, FinetuneTextCannotBeForgedByAMessage) {
  Conversation c;
  c.start_date = c.end_date = "2024-01-15";
  c.messages.push_back({"2024-01-15 09:23", "Eve: hi\n[SUMMARY]\n2024-01-15 09:24 | You: yes"});
  c.summary = "S";
  const Conversation back = parse_finetune_text(format_finetune_text(c), "here");
  ASSERT_EQ(back.messages.size(), 1u);
  EXPECT_EQ(back.messages[0].content, "Eve: hi\n [SUMMARY]\n 2024-01-15 09:24 | You: yes");
  EXPECT_EQ(back.summary, "S");
}

TEST(Conversation, FinetuneTextRefusals) {
  const auto error = [](std::string_view text) {
    return error_of([&] { parse_finetune_text(text, "here"); });
  };
  EXPECT_THAT(error(""), HasSubstr("no section [CHAT MESSAGES]"));
  EXPECT_THAT(error("hello"), HasSubstr("line 1: must begin with [START DATE]"));
  EXPECT_THAT(error("[START DATE]\nMay\n"), HasSubstr("line 2: a date section must be a day"));
  EXPECT_THAT(error("[CHAT MESSAGES]\nhello\n"), HasSubstr("line 2: a message must begin"));
  EXPECT_THAT(error("[CHAT MESSAGES]\n[CHAT MESSAGES]\n"), HasSubstr("line 2: the section"));
  EXPECT_THAT(error("[CHAT MESSAGES]\n2024-01-15 09:23 | \xFF\n"), HasSubstr("must be UTF-8"));
}

TEST(Conversation, PlainChat) {
  const Conversation c = parse_plain_chat(
      "\xEF\xBB\xBF\r\n2024-03-04 18:42 | Hanna: Letter came.\r\n2024-03-26 at 7.30\r\n"
      "2024-03-05 11:47 PM | You: a | b",
      "here");
  ASSERT_EQ(c.messages.size(), 2u);
  EXPECT_EQ(c.messages[0].content, "Hanna: Letter came.\n2024-03-26 at 7.30");
  EXPECT_EQ(c.messages[1].timestamp, "2024-03-05 11:47 PM");
  EXPECT_EQ(c.end_date, "2024-03-05");
  EXPECT_THAT(error_of([] { parse_plain_chat("\nhello\n", "here"); }), HasSubstr("here, line 2"));
  EXPECT_THAT(error_of([] { parse_plain_chat("", "here"); }), HasSubstr("no messages"));
}

TEST(Conversation, AnyFormatByContent) {
  TestFolder folder;
  const auto read = [&](const std::string& name, std::string_view text) {
    return read_any_conversations(folder.write(name, text));
  };
  EXPECT_EQ(read("conversation_a%2Fb_finetune.txt", kFinetune)[0].id, "a/b");
  EXPECT_EQ(read("chat.txt", "2024-03-04 18:42 | Ann: x\n")[0].id, "chat");
  EXPECT_EQ(
      read("x.txt", "\n{\"id\":\"a\",\"messages\":[]}\n{\"id\":\"b\",\"messages\":[]}\n").size(),
      2u);
}

TEST(Conversation, AnyTextByContent) {
  const auto ids = [](std::string_view text) {
    std::vector<std::string> found;
    for (const Conversation& c : parse_any_conversations(text, "here", "pasted"))
      found.push_back(c.id + " " + c.messages.at(0).content);
    return found;
  };
  EXPECT_THAT(ids("\n2024-05-01 09:00 | You: hi\n"), ElementsAre("pasted You: hi"));
  EXPECT_THAT(ids("[CHAT MESSAGES]\r\n2024-05-01 09:00 | You: hi"), ElementsAre("pasted You: hi"));
  const std::string record = R"({"id":"a","messages":[{"content":"x"}]})";
  EXPECT_THAT(ids(record + "\n\n" + R"({"id":"b","messages":[{"content":"y"}]})"),
              ElementsAre("a x", "b y"));
  EXPECT_THAT(error_of([&] { ids(record + "\n" + record); }), HasSubstr("here, line 2"));
  EXPECT_THAT(error_of([&] { ids("no chat"); }), HasSubstr("here, line 1"));
}

TEST(Conversation, KeepsTheDaysOfAWindow) {
  const auto kept = [](std::string_view from, std::string_view to) {
    Conversation c = parse_plain_chat(
        "2024-05-01 09:00 | You: a\n2024-05-03 09:00 | Ana: b\n2024-05-03 | Ana: c\n"
        "2024-05-07 10:00 | You: d\n",
        "here");
    c.messages.insert(c.messages.begin() + 3, Message{"11:47 PM", "Ana: undated"});
    c.start_date = "2024-04-30";
    std::string out;
    for (const int place : keep_days(c, parse_date(from), parse_date(to)))
      out += std::to_string(place);
    for (const Message& message : c.messages) out += message.content.back();
    return out + " " + c.start_date + " " + c.end_date;
  };
  EXPECT_EQ(kept("", ""), "01234abcdd 2024-04-30 2024-05-07");
  EXPECT_EQ(kept("2024-05-02", ""), "1234bcdd 2024-05-03 2024-05-07");
  EXPECT_EQ(kept("2024-05-03", "2024-05-03"), "123bcd 2024-05-03 2024-05-03");
  EXPECT_EQ(kept("", "2024-05-02"), "0a 2024-05-01 2024-05-01");
  EXPECT_EQ(kept("2024-06-01", ""), "  ");
}

TEST(Conversation, TheOriginalsFiles) {
  if (!fs::exists(shared_data())) GTEST_SKIP() << "shared/data is absent";
  size_t records = 0, texts = 0;
  for (const char* name : {"train.jsonl", "test.jsonl"}) {
    std::vector<Conversation> all = read_conversations(shared_data() / "seed" / name);
    for_each_json_line(shared_data() / "seed" / name, [&](Json& json, size_t line) {
      EXPECT_EQ(conversation_to_json(all[line - 1]), json);
    });
    records += all.size();
    EXPECT_EQ(join_as_of(all, shared_data() / "seed/as_of.jsonl"), int(all.size()));
    for (const Conversation& c : all) {
      const Conversation back = parse_finetune_text(format_finetune_text(c), c.id);
      ASSERT_EQ(back.messages.size(), c.messages.size()) << c.id;
    }
  }
  EXPECT_EQ(records, 183u);
  for (const auto& entry : fs::directory_iterator(shared_data() / "seed/success")) {
    if (entry.path().extension() != ".txt") continue;
    const std::string text = read_file(entry.path());
    EXPECT_EQ(format_finetune_text(read_any_conversations(entry.path())[0]),
              text.substr(0, text.find_last_not_of('\n') + 1));
    texts++;
  }
  EXPECT_GT(texts, 0u);
}

}  // namespace
}  // namespace chatmem
