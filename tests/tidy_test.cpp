// The rules of style that a program can check: floors, widths, lengths, words.
#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "base/file.h"

namespace chatmem {
namespace {

const fs::path kRoot = CHATMEM_SOURCE_DIR;

const std::map<std::string, int> kFloors = {
    {"base", 0},  {"text", 1},    {"compute", 1},    {"format", 1}, {"net", 1},
    {"model", 2}, {"metrics", 2}, {"extractive", 2}, {"llm", 2},    {"synth", 3},
    {"train", 3}, {"serve", 3},   {"eval", 3},       {"recall", 3}, {"cli", 4}};

bool is_source(const fs::path& path) {
  static const std::set<std::string> kEndings = {".h", ".cpp", ".cu", ".cuh"};
  return kEndings.contains(path.extension().string());
}

std::vector<fs::path> sources(const std::string& folder) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::recursive_directory_iterator(kRoot / folder))
    if (entry.is_regular_file() && is_source(entry.path())) found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<fs::path> all_sources() {
  std::vector<fs::path> found;
  for (const char* folder : {"src", "tests", "bench"})
    for (fs::path& path : sources(folder)) found.push_back(std::move(path));
  return found;
}

TEST(Tidy, IncludesGoDownTheFloors) {
  const std::regex include("^#include \"([a-z]+)/");
  for (const fs::path& path : sources("src")) {
    const std::string folder = fs::relative(path, kRoot / "src").begin()->string();
    ASSERT_TRUE(kFloors.contains(folder)) << path << ": folder '" << folder << "' has no floor";
    for_each_line(path, [&](std::string_view line, size_t number) {
      std::smatch match;
      const std::string text(line);
      if (!std::regex_search(text, match, include)) return;
      const std::string other = match[1];
      ASSERT_TRUE(kFloors.contains(other)) << path << ":" << number;
      EXPECT_TRUE(other == folder || kFloors.at(other) < kFloors.at(folder))
          << path << ":" << number << ": " << folder << "/ must not include " << other << "/";
    });
  }
}

TEST(Tidy, LinesAndFilesAreShort) {
  for (const fs::path& path : all_sources()) {
    size_t lines = 0;
    for_each_line(path, [&](std::string_view line, size_t number) {
      lines = number;
      size_t width = 0;
      for (const char c : line) width += (uint8_t(c) & 0xC0) != 0x80;
      EXPECT_LE(width, 100u) << path << ":" << number;
      EXPECT_EQ(line.find('\t'), line.npos) << path << ":" << number << ": tab";
      EXPECT_FALSE(line.ends_with(' ')) << path << ":" << number << ": space at the end";
    });
    EXPECT_LE(lines, 800u) << path;
  }
}

// A function of the formatted sources begins where a line without indentation, or with that of a
// class body, ends in "{", and ends with the first "}" at the same indentation.
TEST(Tidy, FunctionsAreShort) {
  const std::regex opening("^( {0,4})[A-Za-z~\\[].*\\) ?(const |noexcept |override |final )*\\{$");
  for (const fs::path& path : sources("src")) {
    std::string indent;
    size_t begin = 0;
    for_each_line(path, [&](std::string_view line, size_t number) {
      const std::string text(line);
      std::smatch match;
      if (begin == 0 && std::regex_match(text, match, opening)) {
        if (match[1].length() > 2) return;
        indent = match[1];
        begin = number;
      } else if (begin != 0 && text == indent + "}") {
        EXPECT_LE(number - begin + 1, 80u) << path << ":" << begin << ": long function";
        begin = 0;
      }
    });
  }
}

TEST(Tidy, NoUnfinishedOrForbiddenWords) {
  const std::string at_work[] = {std::string("TO") + "DO", std::string("FIX") + "ME",
                                 std::string("shared_") + "ptr"};
  for (const fs::path& path : all_sources())
    for_each_line(path, [&](std::string_view line, size_t number) {
      for (const std::string& word : at_work)
        EXPECT_EQ(line.find(word), line.npos) << path << ":" << number << ": " << word;
    });
}

// Two types of one name in the one namespace would break the rule of one definition, which no
// linker reports.
TEST(Tidy, TypesOfHeadersHaveTheirOwnNames) {
  const std::regex definition("^(struct|class|enum class) ([A-Z][A-Za-z0-9]*)\\b[^;]*\\{");
  std::map<std::string, fs::path> defined;
  for (const fs::path& path : sources("src")) {
    if (path.extension() != ".h") continue;
    for_each_line(path, [&](std::string_view line, size_t) {
      std::smatch match;
      const std::string text(line);
      if (!std::regex_search(text, match, definition)) return;
      const auto [it, fresh] = defined.emplace(match[2], path);
      EXPECT_TRUE(fresh) << match[2] << ": " << it->second << " and " << path;
    });
  }
  EXPECT_GT(defined.size(), 50u);
}

TEST(Tidy, EveryHeaderIsGuardedAndSaysWhatItIs) {
  for (const fs::path& path : sources("src")) {
    if (path.extension() != ".h") continue;
    const std::string text = read_file(path);
    EXPECT_NE(text.find("#pragma once"), text.npos) << path;
    EXPECT_TRUE(text.starts_with("//")) << path << " must open with a comment";
  }
}

}  // namespace
}  // namespace chatmem
