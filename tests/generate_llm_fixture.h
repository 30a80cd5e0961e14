// What the tests of generate by a language model share: rows of which each has a word of its own,
// options that do not wait, and a look at the files.
#pragma once
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "anthropic_double.h"
#include "base/error.h"
#include "base/json.h"
#include "synth/generate.h"
#include "test_folder.h"

namespace chatmem {

// No other row's dialogue, nor the fixed part of the prompt, has that word.
constexpr std::string_view kFruits[] = {"quinces",      "medlars",   "kumquats", "persimmons",
                                        "gooseberries", "tamarinds", "lychees",  "mulberries",
                                        "elderberries", "rambutans", "pomelos",  "loganberries"};
constexpr int kRows = int(std::size(kFruits));

// What else is said: no two rows are nearly the same.
constexpr std::string_view kStories[kRows] = {
    "I promised my brother a cake for his birthday, with candles and a wooden horse on top.",
    "My doctor told me to eat more of them and to walk along the river every evening.",
    "The school wants each child to draw one, cut it in half and count the seeds inside.",
    "We are painting the kitchen, so nobody can cook anything hot until the end of the week.",
    "The choir sings at the lighthouse tonight and everybody brings something for the supper.",
    "Our old dog steals whatever lies on the low shelf, even what smells of vinegar.",
    "A neighbour lent me her copper pot, and I have never made jam in my life.",
    "The train leaves in twenty minutes and my aunt expects a full basket at the platform.",
    "Last winter the frost took both our trees, and the new ones carry nothing yet.",
    "I lost a bet over a chess game and must deliver a kilo to the barber.",
    "The museum shows still lifes this month, and my class copies one in water colours.",
    "Someone in our office retires today after forty years at the same narrow desk.",
};

inline std::string row_id(int i) { return fmt::format("row_{}", i); }

// In the form of the input file. Some rows name the other speaker.
inline std::string row_csv(int i) {
  const std::string_view fruit = kFruits[i];
  const std::string name = i % 3 == 0 ? ", Sarah" : "";
  return fmt::format(
      "{},\"#Person1#: Good morning{}. Do you still have {} at the market stall by the station?\n"
      "#Person2#: Yes, a new basket arrived at seven. How many pounds would you like today?\n"
      "#Person1#: Three pounds, please. {}\n"
      "#Person2#: Then take the ripe ones. They cost {} dollars a pound.\",#Person1# buys {}.,{}\n",
      row_id(i), name, fruit, kStories[i], i + 2, fruit, i % 4 == 1 ? "health" : "shopping");
}

class GenerateLlmTest : public ::testing::Test {
 protected:
  std::string csv(int n = kRows) const {
    std::string text = "id,dialogue,summary,topic\n";
    for (int i = 0; i < n; i++) text += row_csv(i);
    return text;
  }

  GenerateOptions options(const std::string& base_url, std::string_view input,
                          const std::string& output = "out") {
    GenerateOptions made;
    made.input = folder_.write("in.csv", input);
    made.output = folder_.path() / output;
    made.rows = kAllRows;
    made.ask.endpoint.base_url = base_url;
    made.ask.endpoint.api_key = "sk-ant-test-key";
    made.ask.flow.breaker_failures = 100;
    return made;
  }

  static Json error_file(const GenerateOptions& made, int i) {
    return read_json(made.output / "errors" /
                     fmt::format("conversation_{}_original.json", row_id(i)));
  }
  static bool has_success(const GenerateOptions& made, int i) {
    return fs::exists(made.output / "success" /
                      fmt::format("conversation_{}_original.json", row_id(i)));
  }
  static bool has_error(const GenerateOptions& made, int i) {
    return fs::exists(made.output / "errors" /
                      fmt::format("conversation_{}_original.json", row_id(i)));
  }
  // The folder's files of results, without the journal, whose lines are in the order of time.
  static std::map<std::string, std::string> results(const fs::path& root) {
    std::map<std::string, std::string> all;
    for (const auto& entry : fs::recursive_directory_iterator(root))
      if (entry.is_regular_file() && entry.path().filename() != "journal.jsonl" &&
          entry.path().filename() != "README.md")
        all[fs::relative(entry.path(), root).string()] = read_file(entry.path());
    return all;
  }
  static std::vector<Json> journal_events(const fs::path& path, std::string_view name) {
    std::vector<Json> events;
    std::string_view rest;
    const std::string text = read_file(path);
    for (rest = text; !rest.empty();) {
      const size_t end = rest.find('\n');
      Json event = parse_json(rest.substr(0, end), "journal");
      if (event.value("event", "") == name) events.push_back(std::move(event));
      rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
    }
    return events;
  }
  static std::string error_of(const GenerateOptions& made) {
    try {
      generate(made);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }

  TestFolder folder_;
};

}  // namespace chatmem
