// The journal of paid answers: what is in it survives a kill at any byte.
#include "llm/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <set>

#include "base/error.h"
#include "test_folder.h"

namespace chatmem {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& e) {
    EXPECT_FALSE(e.hint().empty());
    return e.what();
  }
  return "no error";
}

std::string all_bytes() {
  std::string bytes;
  for (int c = 0; c < 256; c++) bytes += char(c);
  return bytes;
}

TEST(Journal, AnswersComeBackByteForByte) {
  const TestFolder folder;
  const fs::path path = folder.path() / "sub/journal.jsonl";
  const std::vector<std::string> bodies = {"",
                                           R"({"text":"ü \"quoted\" \\ \u0000","n":1})",
                                           "line\nline\r\n",
                                           all_bytes(),
                                           std::string("\0\xFF", 2),
                                           "\xC3\xA9\xE2\x82",
                                           std::string(3'000'000, 'x')};
  const auto check = [&](const Journal& journal) {
    for (size_t i = 0; i < bodies.size(); i++) {
      const auto answer = journal.find("key" + std::to_string(i));
      ASSERT_TRUE(answer);
      EXPECT_EQ(answer->body, bodies[i]);
      EXPECT_EQ(answer->status, 200 + int(i));
      EXPECT_EQ(answer->request_id, "req_\xEF\xBF\xBD");
      EXPECT_EQ(answer->cost_usd, 0.1 * double(i));
    }
    EXPECT_FALSE(journal.find("key"));
    EXPECT_EQ(journal.size(), bodies.size());
  };
  Journal journal(path);
  for (size_t i = 0; i < bodies.size(); i++)
    journal.received("key" + std::to_string(i), {200 + int(i), "req_\xFF", bodies[i], 0.1 * i});
  check(journal);
  check(Journal(path));
  // Every line is JSON for other programs, too.
  for_each_json_line(path, [](Json&, size_t) {});
  journal.received("key0", {200, "", "again", 0});
  EXPECT_EQ(Journal(path).find("key0")->body, "again");
}

TEST(Journal, CountsWhatIsSpentAndCommitted) {
  const TestFolder folder;
  const fs::path path = folder.path() / "journal.jsonl";
  Journal journal(path);
  journal.sent("a", 4);
  journal.sent("b", 2);
  journal.sent("c", 1);
  EXPECT_EQ(journal.spent_usd(), 0);
  EXPECT_EQ(journal.committed_usd(), 7);
  EXPECT_EQ(journal.in_flight_usd("b"), 2);
  journal.received("a", {200, "r", "x", 0.5});
  journal.failed("b", 0.25, "cut \xFF off");
  EXPECT_EQ(journal.spent_usd(), 0.75);
  EXPECT_EQ(journal.committed_usd(), 1.75);
  journal.failed("c", 0, "refused");
  EXPECT_EQ(journal.committed_usd(), 0.75);
  EXPECT_EQ(Journal(path).committed_usd(), 0.75);
  EXPECT_FALSE(Journal(path).contains("b"));
}

// A killed process, then killed ones that send nothing or more: each loss counts once, for ever.
// A gateway's error in the place of an answer is received first, and read then.
TEST(Journal, AFailureVoidsWhatWasReceived) {
  const TestFolder folder;
  const fs::path path = folder.path() / "journal.jsonl";
  {
    Journal journal(path);
    for (const char* key : {"good", "bad"}) {
      journal.sent(key, 0.5);
      journal.received(key, {200, "", "body", 0.5});
    }
    journal.cost_less("bad", 0.5);
    journal.failed("bad", 0, "502");
    EXPECT_FALSE(journal.contains("bad"));
  }
  Journal journal(path);
  EXPECT_TRUE(journal.contains("good"));
  EXPECT_FALSE(journal.find("bad"));
  EXPECT_EQ(journal.spent_usd(), 0.5);
  journal.received("bad", {200, "", "at last", 0.25});
  EXPECT_EQ(Journal(path).find("bad")->body, "at last");
}

TEST(Journal, WhatWasLostIsSpentOnce) {
  const TestFolder folder;
  const fs::path path = folder.path() / "journal.jsonl";
  {
    Journal journal(path);
    journal.sent("a", 4);
    journal.sent("b", 2);
    journal.received("a", {200, "r", "x", 0.5});
  }
  for (int i = 0; i < 3; i++) {
    const Journal journal(path);
    EXPECT_EQ(journal.spent_usd(), 2.5);
    EXPECT_EQ(journal.committed_usd(), 2.5);
    EXPECT_EQ(journal.lost_requests(), 1);
    EXPECT_EQ(journal.newly_lost_requests(), i == 0 ? 1 : 0);
    EXPECT_EQ(journal.newly_lost_usd(), i == 0 ? 2 : 0);
  }
  {
    Journal journal(path);
    journal.sent("b", 8);  // bought again, and lost again
  }
  {
    Journal journal(path);
    EXPECT_EQ(journal.lost_usd(), 10);
    EXPECT_EQ(journal.newly_lost_usd(), 8);
    journal.sent("b", 16);
    journal.received("b", {200, "r", "y", 1});
  }
  const Journal journal(path);
  EXPECT_EQ(journal.spent_usd(), 0.5 + 10 + 1);
  EXPECT_EQ(journal.lost_requests(), 2);
  EXPECT_EQ(journal.newly_lost_requests(), 0);
}

TEST(Journal, BatchesStayInFlightOverRestarts) {
  const TestFolder folder;
  const fs::path path = folder.path() / "journal.jsonl";
  {
    Journal journal(path);
    journal.batch_begins({{"a", 1}, {"b", 2}, {"c", 4}}, "2026-11-22T10:00:00Z");
    EXPECT_EQ(journal.committed_usd(), 7);
  }
  {
    Journal journal(path);
    EXPECT_EQ(journal.lost_requests(), 0);
    ASSERT_EQ(journal.batches().size(), 1u);
    EXPECT_EQ(journal.batches()[0].id, "");
    EXPECT_THAT(journal.batches()[0].keys, ElementsAre("a", "b", "c"));
    EXPECT_EQ(journal.batches()[0].created_at, "2026-11-22T10:00:00Z");
    journal.batch_created("msgbatch_1");
    journal.received("a", {200, "", "x", 0.5}, Durability::batched);
    journal.failed("b", 0, "expired");
    EXPECT_TRUE(journal.in_batch("c"));
    EXPECT_FALSE(journal.in_batch("b"));
  }
  {
    Journal journal(path);
    EXPECT_EQ(journal.committed_usd(), 4.5);
    journal.batch_begins({{"b", 2}}, "2026-11-22T11:00:00Z");
    journal.batch_ended("msgbatch_1");  // c ended without a word
    EXPECT_EQ(journal.committed_usd(), 2.5);
    EXPECT_TRUE(journal.batches()[0].ended);
    journal.batch_not_created();
    EXPECT_EQ(journal.committed_usd(), 0.5);
  }
  const Journal journal(path);
  EXPECT_EQ(journal.batches().size(), 1u);
  EXPECT_EQ(journal.committed_usd(), 0.5);
  EXPECT_FALSE(journal.in_batch("b") || journal.in_batch("c"));
}

// The events of a run, and what must be true of every file that is a beginning of theirs.
struct Recorded {
  std::string bytes;
  std::vector<std::pair<size_t, std::string>> received;  // the size of the file then, key
};

Recorded record(const fs::path& path) {
  Recorded run;
  Journal journal(path);
  const auto receive = [&](const std::string& key, const std::string& body) {
    journal.received(key, {200, "r", body, 0.25});
    run.received.emplace_back(fs::file_size(path), key);
  };
  journal.sent("a", 1);
  journal.sent("b", 1);
  receive("a", "first\n" + all_bytes());
  journal.failed("b", 0.5, "cut off");
  journal.batch_begins({{"c", 1}, {"d", 1}}, "2026-11-22T10:00:00Z");
  journal.batch_created("msgbatch_1");
  receive("c", "{\"x\":\"}\\n\"}");
  receive("d", "ü");
  journal.batch_ended("msgbatch_1");
  journal.sent("e", 1);
  run.bytes = read_file(path);
  return run;
}

TEST(Journal, AKillAtAnyByteLosesNoWholeLine) {
  const TestFolder folder;
  const Recorded run = record(folder.path() / "whole.jsonl");
  const std::string lost = "{\"event\":\"lost\"";
  for (size_t size = 0; size <= run.bytes.size(); size++) {
    const fs::path path = folder.path() / "cut.jsonl";
    std::ofstream(path, std::ios::binary) << run.bytes.substr(0, size);
    for (int opened = 0; opened < 2; opened++) {  // killed again right after
      Journal journal(path);
      for (const auto& [end, key] : run.received) {
        EXPECT_EQ(journal.contains(key), end <= size) << key << " at " << size;
        if (journal.contains(key)) {
          EXPECT_EQ(journal.find(key)->cost_usd, 0.25);
        }
      }
      EXPECT_EQ(journal.newly_lost_requests(), opened == 0 ? journal.lost_requests() : 0) << size;
      EXPECT_EQ(journal.lost_usd(), double(journal.lost_requests()));
    }
    const std::string after = read_file(path);
    const size_t whole = size == 0 ? 0 : run.bytes.rfind('\n', size - 1) + 1;
    const std::string kept = run.bytes.substr(0, whole);
    EXPECT_TRUE(after.starts_with(kept) || whole == 0) << size;
    EXPECT_EQ(after.find(lost) == after.npos, Journal(path).lost_requests() == 0);
    // What comes after the cut begins a line of its own.
    Journal(path).received("z", {200, "", "last", 0});
    EXPECT_EQ(Journal(path).find("z")->body, "last");
  }
}

TEST(Journal, RefusesWhatItCannotRead) {
  const TestFolder folder;
  const std::string head = "{\"format\":\"chatmem-journal\",\"version\":1}\n";
  const auto error = [&](const std::string& bytes) {
    const fs::path path = folder.write("j", bytes);
    const std::string message = error_of([&] { Journal journal(path); });
    EXPECT_EQ(read_file(path), bytes) << "a refused file must stay as it is";
    return message;
  };
  EXPECT_THAT(error("id,dialogue\n1,x\n"), HasSubstr("line 1: must be the head of a journal"));
  EXPECT_THAT(error("a letter"), HasSubstr("line 1: must be the head"));
  EXPECT_THAT(error("\n"), HasSubstr("line 1: must be the head"));
  EXPECT_THAT(error("{\"format\":\"other\",\"version\":1}\n"),
              HasSubstr("line 1: must be the head"));
  EXPECT_THAT(error("{\"format\":\"chatmem-journal\",\"version\":2}\n"),
              HasSubstr("line 1: version must be 1, is 2"));
  EXPECT_THAT(error(head + "{\"event\":\"sent\",\"key\":\"a\",\"bound_usd\":1}\n{\"ev\n" + head),
              HasSubstr("line 3: broken"));
  for (const char* line :
       {"", "[]", "{\"event\":\"bought\"}", "{\"event\":\"sent\",\"key\":\"a\"}",
        "{\"event\":\"sent\",\"key\":\"a\",\"bound_usd\":-1}",
        "{\"event\":\"sent\",\"key\":\"a\",\"bound_usd\":1e999}",
        "{\"event\":\"received\",\"key\":\"a\",\"status\":200,\"request_id\":\"\",\"cost_usd\":0}",
        "{\"event\":\"received\",\"key\":\"a\",\"status\":200,\"request_id\":\"\",\"cost_usd\":0,"
        "\"body_latin1\":\"\xE2\x82\xAC\"}",
        "{\"event\":\"received\",\"key\":\"a\",\"status\":200,\"request_id\":\"\",\"cost_usd\":0,"
        "\"body\":\"\\ud800\"}",
        "{\"event\":\"received\",\"key\":\"a\",\"status\":200,\"request_id\":\"\",\"cost_usd\":0,"
        "\"body\":\"\xFF\"}",
        "{\"event\":\"received\",\"key\":\"a\",\"status\":200,\"request_id\":\"\",\"cost_usd\":0,"
        "\"body\":\"\"}}",
        "{\"event\":\"batch_created\",\"id\":\"x\"}", "{\"event\":\"batch_ended\",\"id\":\"x\"}",
        "{\"event\":\"batch_begins\",\"created_at\":\"\",\"requests\":[[\"a\"]]}"})
    EXPECT_THAT(error(head + line + "\n"), HasSubstr("line 2: broken")) << line;
}

// A disk that is full within a line: the line goes, and the next one is whole.
TEST(Journal, AFailedWriteLeavesNoPartOfALine) {
  const TestFolder folder;
  const fs::path path = folder.path() / "journal.jsonl";
  Journal journal(path);
  journal.sent("a", 1);
  const auto size = fs::file_size(path);
  rlimit limit;
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &limit), 0);
  const rlimit small = {size + 100, limit.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  EXPECT_THROW(journal.received("a", {200, "", std::string(1000, 'x'), 0.5}), Error);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(fs::file_size(path), size);
  EXPECT_FALSE(journal.contains("a"));
  EXPECT_EQ(journal.committed_usd(), 1);
  journal.received("a", {200, "", "x", 0.5});
  EXPECT_EQ(Journal(path).find("a")->body, "x");
}

TEST(Journal, KeysAreCustomIdsAndDiffer) {
  std::set<std::string> keys;
  for (int i = 0; i < 10'000; i++) keys.insert(journal_key(std::to_string(i)));
  EXPECT_EQ(keys.size(), 10'000u);
  EXPECT_EQ(journal_key("").size(), 32u);
  EXPECT_EQ(journal_key("").find_first_not_of("0123456789abcdef"), std::string::npos);
  // A run of another version must find its answers again.
  EXPECT_EQ(journal_key("chatmem"), "2b94e346cb9fe4ca38c9192988b10447");
}

}  // namespace
}  // namespace chatmem
