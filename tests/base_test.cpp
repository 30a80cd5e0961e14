#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <limits>

#include "base/csv.h"
#include "base/date.h"
#include "base/dtype.h"
#include "base/error.h"
#include "base/file.h"
#include "base/file_lock.h"
#include "base/json.h"
#include "base/progress.h"
#include "base/random.h"
#include "base/staged_folder.h"
#include "base/utf8.h"
#include "error_of.h"
#include "test_folder.h"

namespace chatmem {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::vector<std::string>> read_csv(const fs::path& path,
                                               std::vector<std::string> columns,
                                               CsvLimits limits = {}) {
  std::vector<std::vector<std::string>> rows;
  for_each_csv_row(
      path, columns, [&](CsvRow& row) { rows.push_back(row.fields); }, limits);
  return rows;
}

TEST(File, AtomicWriteIsWholeOrAbsent) {
  TestFolder folder;
  const fs::path path = folder.path() / "sub/a.txt";
  write_file_atomic(path, "first");
  {
    AtomicFile file(path);
    file.write("second");
  }  // not committed
  EXPECT_EQ(read_file(path), "first");
  EXPECT_EQ(std::distance(fs::directory_iterator(path.parent_path()), {}), 1);
  EXPECT_THAT(error_of([&] { read_file(folder.path() / "none"); }), HasSubstr("No such file"));
  EXPECT_THAT(error_of([&] { read_file(folder.path()); }), HasSubstr("Is a directory"));
  EXPECT_THAT(error_of([&] { read_file(path, 3); }), HasSubstr("too large"));
  if (fs::exists("/dev/full")) {
    EXPECT_THAT(error_of([&] { AppendFile("/dev/full").append("x"); }), HasSubstr("No space left"));
  }
}

TEST(File, AppendsKeepTheirOrderWhateverTheirDurability) {
  TestFolder folder;
  const fs::path path = folder.path() / "a.txt";
  AppendFile file(path);
  file.append("one\n", Durability::batched);
  file.append("two\n");
  file.append("three\n", Durability::batched);
  EXPECT_EQ(read_file(path), "one\ntwo\nthree\n");
}

// The lock of a folder belongs to one process, as long as it lives.
TEST(FileLock, IsForOneProcessUntilItsDeath) {
  TestFolder folder;
  const fs::path path = folder.path() / "sub";
  int to_parent[2];
  ASSERT_EQ(::pipe(to_parent), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const FileLock lock(path, "test");
    const bool told = ::write(to_parent[1], "x", 1) == 1;
    while (told) ::pause();
    ::_exit(1);
  }
  char byte;
  ASSERT_EQ(::read(to_parent[0], &byte, 1), 1);
  EXPECT_EQ(
      error_of([&] { FileLock(path, "test"); }),
      "[test] another process (" + std::to_string(child) + ") works in '" + path.string() + "'");
  ::kill(child, SIGKILL);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  ::close(to_parent[0]);
  ::close(to_parent[1]);
  {
    const FileLock lock(path, "test");
    EXPECT_EQ(read_file(path / ".lock"), std::to_string(::getpid()) + "\n");
    EXPECT_THAT(error_of([&] { FileLock(path, "test"); }), HasSubstr("another process"));
  }
  EXPECT_EQ(error_of([&] { FileLock(path, "test"); }), "no error");
  EXPECT_THAT(error_of([&] { FileLock("/proc/none", "test"); }), HasSubstr("cannot create"));
}

TEST(File, LinesWithBomAndCrlf) {
  TestFolder folder;
  const fs::path path = folder.write("a.txt", "\xEF\xBB\xBFone\r\n\ntwo");
  std::vector<std::string> lines;
  for_each_line(path, [&](std::string_view line, size_t) { lines.emplace_back(line); });
  EXPECT_THAT(lines, ElementsAre("one", "", "two"));
  EXPECT_THAT(error_of([&] {
                for_each_line(
                    path, [](auto, auto) {}, 2);
              }),
              HasSubstr("line 1"));
}

TEST(Utf8, FindsTheFirstInvalidByte) {
  EXPECT_EQ(find_invalid_utf8("Füße \xF0\x9F\x98\x80"), std::string::npos);
  EXPECT_EQ(find_invalid_utf8("ab\xC0\x80"), 2u);        // overlong
  EXPECT_EQ(find_invalid_utf8("\xED\xA0\x80"), 0u);      // surrogate
  EXPECT_EQ(find_invalid_utf8("\xF4\x90\x80\x80"), 0u);  // over U+10FFFF
  EXPECT_EQ(find_invalid_utf8("a\xE2\x82"), 1u);         // cut off
  EXPECT_EQ(replace_invalid_utf8("a\xFFz"), "a\xEF\xBF\xBDz");
  EXPECT_EQ(incomplete_utf8_suffix("a\xE2\x82"), 2u);
  EXPECT_EQ(incomplete_utf8_suffix("a\xE2\x82\xAC"), 0u);
}

TEST(File, StaleTemporariesAreRemovedAndNothingElse) {
  const TestFolder folder;
  // A writer that is killed, and is not waited for: its number is still in use then.
  const pid_t child = ::fork();
  if (child == 0) {
    AtomicFile file(folder.path() / "killed");
    file.write("half");
    ::raise(SIGKILL);
  }
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, id_t(child), &info, WEXITED | WNOWAIT), 0);
  AtomicFile written(folder.path() / "written");
  const std::string left = "b.json.tmp1-12";
  folder.write(left, "half");
  for (const char* kept : {"b.json", "c.tmp1", "c.tmp1-x", "c.tmp1-1.txt", "c.tmp-1"})
    folder.write(kept, "whole");
  remove_stale_temporaries(folder.path());
  EXPECT_FALSE(fs::exists(folder.path() / left));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()), 6);
  written.commit();
  EXPECT_TRUE(fs::exists(folder.path() / "written"));
  EXPECT_NO_THROW(remove_stale_temporaries(folder.path() / "absent"));
  ::waitpid(child, nullptr, 0);
}

TEST(StagedFolder, FilesComeTogetherAndWhatWasKilledIsRemoved) {
  const TestFolder folder;
  for (const char* name : {"a", "b", "last"}) folder.write(name, "old");
  const pid_t child = ::fork();
  if (child == 0) {
    StagedFolder staged(folder.path(), "last");
    write_file_atomic(staged.path() / "a", "half");
    ::raise(SIGKILL);
  }
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, id_t(child), &info, WEXITED | WNOWAIT), 0);
  const fs::path left = folder.path() / (".staging" + std::to_string(child));
  EXPECT_TRUE(fs::exists(left / "a"));
  fs::create_directory(folder.path() / ".staging-mine");
  fs::path path;
  {
    StagedFolder staged(folder.path(), "last");
    path = staged.path();
    EXPECT_FALSE(fs::exists(left));
    EXPECT_TRUE(fs::exists(folder.path() / ".staging-mine"));
    write_file_atomic(path / "a", "new");
    const pid_t neighbour = ::fork();
    if (neighbour == 0) {
      { const StagedFolder beside(folder.path(), "last"); }
      ::_exit(0);
    }
    ::waitpid(neighbour, nullptr, 0);
    EXPECT_TRUE(fs::exists(path)) << "its writer lives";
  }  // without commit
  EXPECT_FALSE(fs::exists(path));
  EXPECT_EQ(read_file(folder.path() / "a"), "old");
  {
    StagedFolder staged(folder.path(), "last");
    for (const char* name : {"a", "last"}) write_file_atomic(staged.path() / name, "new");
    staged.commit([](const std::string& name) { return name == "b"; });
  }
  EXPECT_EQ(read_file(folder.path() / "a"), "new");
  EXPECT_EQ(read_file(folder.path() / "last"), "new");
  EXPECT_FALSE(fs::exists(folder.path() / "b"));
  ::waitpid(child, nullptr, 0);
}

TEST(Json, ErrorsNameThePlace) {
  EXPECT_THAT(error_of([] { parse_json("{\"a\":}", "'x.jsonl', line 7"); }), HasSubstr("line 7"));
  EXPECT_THAT(error_of([] { parse_json(std::string(100, '['), "x"); }), HasSubstr("nesting"));
  EXPECT_THAT(error_of([] { parse_json("\"\xFF\"", "x"); }), HasSubstr("UTF-8"));
  EXPECT_THAT(error_of([] { json_string(parse_json("{\"a\":1}", "x"), "a", "x"); }),
              HasSubstr("must be a string"));
  EXPECT_THAT(error_of([] { json_int(parse_json("{\"a\":1.5}", "x"), "a", "x"); }),
              HasSubstr("integer"));
  EXPECT_EQ(dump_json(parse_json("{\"b\":1,\"a\":[true,null]}", "x")),
            "{\"b\":1,\"a\":[true,null]}");
}

std::string object_of(int n_keys) {
  std::string text = "{";
  for (int i = 0; i < n_keys; i++)
    text += (i ? ",\"" : "\"") + std::to_string(i) + "\":{\"a:\":[\":\"]}";
  return text + "}";
}

// Keys are looked for one after the other: many of them would take minutes.
TEST(Json, ManyKeysAreRefused) {
  EXPECT_EQ(parse_json(object_of(8192), "x").size(), 8192u);
  EXPECT_THAT(error_of([] { parse_json(object_of(8193), "x"); }), HasSubstr("so many keys"));
  std::string many = "[" + object_of(2000);
  for (int i = 1; i < 17; i++) many += "," + object_of(2000);
  EXPECT_THAT(error_of([&] { parse_json(many + "]", "x"); }), HasSubstr("so many keys"));
  std::string small = "[" + object_of(64);
  for (int i = 1; i < 20'000; i++) small += "," + object_of(3);
  EXPECT_EQ(parse_json(small + "]", "x").size(), 20'000u);
}

TEST(Json, LinesWithABrokenOneNameIt) {
  TestFolder folder;
  const fs::path path = folder.write("a.jsonl", "{\"a\":1}\n\n{\"a\":2\n");
  EXPECT_THAT(error_of([&] { for_each_json_line(path, [](Json&, size_t) {}); }),
              HasSubstr("line 3"));
}

TEST(Csv, ReadsQuotesNewlinesBomCrlfAndAnyColumnOrder) {
  TestFolder folder;
  const fs::path path = folder.write(
      "a.csv", "\xEF\xBB\xBFtopic,id,extra\r\n\"a \"\"b\"\",\nc\",1, x \r\n\r\nplain,2,\r\n");
  EXPECT_THAT(read_csv(path, {"id", "topic"}),
              ElementsAre(ElementsAre("1", "a \"b\",\nc"), ElementsAre("2", "plain")));
  EXPECT_THAT(read_csv(path, {"extra"}), ElementsAre(ElementsAre(" x "), ElementsAre("")));
}

TEST(Csv, RefusesWhatIsMalformedWithItsLine) {
  TestFolder folder;
  const auto error = [&](std::string_view text, CsvLimits limits = {}) {
    const fs::path path = folder.write("a.csv", text);
    return error_of([&] { read_csv(path, {"id", "x"}, limits); });
  };
  EXPECT_THAT(error("id,y\n1,2\n"), HasSubstr("must have a column 'x'"));
  EXPECT_THAT(error(""), HasSubstr("header"));
  EXPECT_THAT(error("id,x\n1,2\n3,\"abc\n"), HasSubstr("line 3"));
  EXPECT_THAT(error("id,x\n1,\"a\" b\n"), HasSubstr("line 2"));
  EXPECT_THAT(error("id,x\n1,2,3\n"), HasSubstr("2 fields as the header has, found 3"));
  EXPECT_THAT(error("id,x\n1,\xFF\n"), HasSubstr("UTF-8"));
  EXPECT_THAT(error(std::string_view("id,x\n1,\0\n", 9)), HasSubstr("NUL"));
  EXPECT_THAT(error("id,x\n1,\"" + std::string(5000, 'a') + "\"\n", {.max_field_bytes = 1000}),
              HasSubstr("1000"));
  std::string many_lines = "id,x\n1,\"";
  for (int i = 0; i < 1000; i++) many_lines += "aaaaaaaaa\n";
  EXPECT_THAT(error(many_lines, {.max_field_bytes = 1000}), HasSubstr("line 2"));
}

// Rows that end in a bare "\r" are on one line as an editor counts.
TEST(Csv, NumbersTheLinesOfItsRows) {
  TestFolder folder;
  const fs::path path = folder.write("in.csv", "id\na\n\"b\nc\"\nd\re\nf\n");
  std::vector<size_t> lines;
  const std::vector<std::string> columns = {"id"};
  for_each_csv_row(path, columns, [&](CsvRow& row) { lines.push_back(row.line); });
  EXPECT_EQ(lines, (std::vector<size_t>{2, 3, 5, 5, 6}));
}

TEST(Csv, WritesWhatItReads) {
  EXPECT_EQ(csv_field("plain"), "plain");
  EXPECT_EQ(csv_field("a,\"b\"\n"), "\"a,\"\"b\"\"\n\"");
}

TEST(Date, MomentsOfServers) {
  const Moment moment = Moment(*parse_date("2026-11-22")) + std::chrono::hours(18);
  for (const char* same : {"2026-11-22T18:00:00Z", "2026-11-22t18:00:00.999999z",
                           "2026-11-22T20:30:00+02:30", "2026-11-21T23:00:00-19:00"})
    EXPECT_EQ(parse_rfc3339(same), moment) << same;
  EXPECT_EQ(parse_http_date("Sun, 22 Nov 2026 18:00:00 GMT"), moment);
  for (const char* bad : {"", "2026-11-22", "2026-11-22T18:00:00", "2026-11-22T18:00:00.Z",
                          "2026-11-22T24:00:00Z", "2026-02-30T18:00:00Z", "2026-11-22T18:00:00.5",
                          "2026-11-22T18:00:00+2:00", "2026-11-22T18:00:00Zx"})
    EXPECT_FALSE(parse_rfc3339(bad)) << bad;
  for (const char* bad : {"Sun, 31 Nov 2026 18:00:00 GMT", "Sun, 22 Nox 2026 18:00:00 GMT",
                          "Sun, 22 Nov 2026 18:00:00 CET", "22 Nov 2026 18:00:00 GMT", ""})
    EXPECT_FALSE(parse_http_date(bad)) << bad;
}

TEST(Date, OnlyRealDays) {
  EXPECT_EQ(format_date(*parse_date("2024-02-29")), "2024-02-29");
  for (const char* bad :
       {"2023-02-29", "2024-13-01", "2024-1-1", "2024-01-01x", "", "24-01-01", "2024/01/01"})
    EXPECT_FALSE(parse_date(bad)) << bad;
  EXPECT_EQ(format_minute(*parse_minute("2024-05-27 14:32")), "2024-05-27 14:32");
  for (const char* bad :
       {"2024-05-27 24:00", "2024-05-27 11:47 PM", "2024-05-27T14:32", "2024-05-27"})
    EXPECT_FALSE(parse_minute(bad)) << bad;
  EXPECT_EQ(format_date(add_months(*parse_date("2024-01-31"), 1)), "2024-02-29");
  EXPECT_EQ(weekday_name(weekday_of(*parse_date("2024-05-27"))), "Monday");
  EXPECT_EQ(format_long_date(*parse_date("2024-11-12")), "November 12th");
  EXPECT_EQ(format_long_date(*parse_date("2024-03-22"), true), "March 22nd, 2024");
}

TEST(Dtype, Bf16RoundsToNearestEven) {
  EXPECT_EQ(to_f32(to_bf16(1.0f)), 1.0f);
  EXPECT_EQ(to_bf16(1.00390625f).bits, 0x3F80);  // a tie: down to even
  EXPECT_EQ(to_bf16(1.01171875f).bits, 0x3F82);  // a tie: up to even
  EXPECT_TRUE(std::isnan(to_f32(to_bf16(std::numeric_limits<float>::quiet_NaN()))));
  EXPECT_EQ(to_f32(f16{0x3C01}), 1.0009765625f);
  EXPECT_EQ(to_f32(f16{0x8001}), -0x1.0p-24f);
  EXPECT_TRUE(std::isinf(to_f32(f16{0x7C00})));
}

TEST(Random, SameNumbersEverywhere) {
  Random random(1);
  EXPECT_EQ(random.next(), 0x910A2DEC89025CC1ull);  // SplitMix64's published sequence for seed 1
  double sum = 0, squares = 0;
  for (int i = 0; i < 20000; i++) {
    const double x = random.normal();
    sum += x, squares += x * x;
  }
  EXPECT_NEAR(sum / 20000, 0, 0.03);
  EXPECT_NEAR(squares / 20000, 1, 0.05);
}

TEST(Progress, FormatsForPeople) {
  EXPECT_EQ(format_count(12460), "12,460");
  EXPECT_EQ(format_count(-123456), "-123,456");
  EXPECT_EQ(format_bytes(16.1e9), "16 GB");
  EXPECT_EQ(format_bytes(3.44e6), "3.4 MB");
  EXPECT_EQ(format_duration(250), "4 min 10 s");
}

}  // namespace
}  // namespace chatmem
