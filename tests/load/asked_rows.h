// What the load programs of generate have in common: the input, the command line, the journal.
#pragma once
#include <fmt/format.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/csv.h"
#include "base/file.h"
#include "base/json.h"
#include "run_command.h"

namespace chatmem {

// The rows of a CSV, over and over until there are so many: each copy under an id of its own and
// with a word of its own, so that no two requests are the same.
inline void write_asked_rows(const fs::path& from, int64_t count, const fs::path& to) {
  static const std::vector<std::string> kColumns = {"id", "dialogue", "summary", "topic"};
  std::vector<CsvRow> rows;
  for_each_csv_row(from, kColumns, [&](CsvRow& row) { rows.push_back(std::move(row)); });
  AtomicFile file(to);
  file.write("id,dialogue,summary,topic\n");
  for (int64_t i = 0; i < count; i++) {
    const std::vector<std::string>& row = rows[size_t(i) % rows.size()].fields;
    const int64_t copy = i / int64_t(rows.size());
    std::string id = row[0], dialogue = row[1];
    if (copy > 0) {
      id += fmt::format("_copy{}", copy);
      dialogue += fmt::format("\n#Person1#: And that is what I wrote in letter {}.", copy);
    }
    file.write(fmt::format("{},{},{},{}\n", csv_field(id), csv_field(dialogue), csv_field(row[2]),
                           csv_field(row[3])));
  }
  file.commit();
}

inline std::vector<std::string> generate_arguments(const fs::path& input, const fs::path& output,
                                                   int concurrency) {
  return {"generate",      "--input",       input.string(),
          "--rows",        "all",           "--output",
          output.string(), "--concurrency", std::to_string(concurrency)};
}

inline CommandOptions asking(const std::string& base_url) {
  CommandOptions options;
  options.environment = {"ANTHROPIC_API_KEY=sk-ant-load", "ANTHROPIC_BASE_URL=" + base_url};
  options.timeout_ms = 3'600'000;
  return options;
}

// What a journal says, read by its description in docs/formats.md alone.
struct JournalStory {
  int64_t sent = 0, received = 0, failed = 0, lost = 0;
  std::set<std::string> in_flight;             // keys
  std::map<std::string, std::string> answers;  // key to request id; of a batch's: empty
  int64_t answered_twice = 0;
};

inline JournalStory read_journal_story(const fs::path& path) {
  JournalStory story;
  if (!fs::exists(path)) return story;
  std::string text = read_file(path);
  text.erase(text.rfind('\n') + 1);  // a line that the kill has torn was never written
  for (size_t begin = 0, number = 1; begin < text.size(); number++) {
    const size_t end = text.find('\n', begin);
    const Json event = parse_json(std::string_view(text).substr(begin, end - begin),
                                  fmt::format("{}, line {}", path.string(), number));
    begin = end + 1;
    const std::string name = event.value("event", ""), key = event.value("key", "");
    if (name == "sent") {
      story.sent++;
      story.in_flight.insert(key);
    } else if (name == "received") {
      story.received++;
      story.in_flight.erase(key);
      story.answered_twice += !story.answers.emplace(key, event.value("request_id", "")).second;
    } else if (name == "failed") {
      story.failed++;
      story.in_flight.erase(key);
    } else if (name == "lost") {
      story.lost += event.value("requests", int64_t(0));
      story.in_flight.clear();
    }
  }
  return story;
}

}  // namespace chatmem
