// `chatmem generate` killed at random moments while it asks the test double of the Anthropic API,
// which has latency and faults. Judged by the double's ledger and by the journal:
//   - after an answer that the journal holds, the same request never comes again;
//   - a kill loses at most what was in flight, which is at most --concurrency, and nothing was
//     sent that the journal does not know; with --batch, nothing at all is bought twice;
//   - the files at the end are those of an undisturbed run, byte for byte.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <thread>
#include <unordered_map>

#include "anthropic_double.h"
#include "base/error.h"
#include "base/random.h"
#include "load/asked_rows.h"
#include "test_folder.h"

namespace chatmem {
namespace {

struct Flags {
  std::string input = "samples/dialogues.csv";
  int rows = 1000, kills = 20, concurrency = 32, latency_ms = 300, longest_ms = 0;
  uint64_t seed = 1;
  bool batch = false;
};

struct Counts {
  int64_t kills = 0, rounds = 0, answers = 0;
  int64_t faults = 0;  // answers of status 400 and more; broken connections come on top
  int64_t in_flight = 0, most_in_flight = 0;      // at kills, by the journal
  int64_t paid_unread = 0, most_paid_unread = 0;  // sold by the double, cut off from the journal
  int64_t bought_again = 0;
};

// A few of everything. By body and attempt, so that no request fails for ever.
Json faults(int latency_ms) {
  Json rules = Json::array();
  const auto add = [&](const char* on, const char* fault, double share, int seed) {
    rules.push_back({{"on", on}, {"fault", fault}, {"share", share}, {"seed", seed}});
  };
  add("messages", "rate_limit", 0.01, 1);
  rules.back()["retry_after_ms"] = 200;
  add("messages", "overloaded", 0.005, 2);
  add("messages", "server_error", 0.01, 3);
  add("messages", "reset_mid_body", 0.01, 4);
  add("messages", "reset", 0.005, 5);
  add("batches", "overloaded", 0.2, 6);
  add("batches", "reset_mid_body", 0.3, 7);  // created, though nobody was told
  add("poll", "server_error", 0.2, 8);
  add("results", "reset_mid_body", 0.2, 9);
  add("batch_item", "errored", 0.02, 10);
  add("batch_item", "expired", 0.02, 11);
  return {{"latency_ms", latency_ms}, {"rules", std::move(rules)}};
}

void must(bool holds, const std::string& what) {
  if (!holds) throw Error("[kills] " + what);
}

// The files that must be those of the undisturbed run: all but the journal, the lock, and the card,
// which says what it has cost.
std::map<std::string, std::string> result_files(const fs::path& root) {
  std::map<std::string, std::string> all;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    const std::string name = fs::relative(entry.path(), root).string();
    if (entry.is_regular_file() && name != "journal.jsonl" && name != ".lock" &&
        name != "README.md")
      all[name] = read_file(entry.path());
  }
  return all;
}

// One folder with its double, from the first run to the one that ends undisturbed.
class Round {
 public:
  Round(const Flags& flags, const fs::path& input, const Json& script)
      : flags_(flags), input_(input), api_({.script = script}) {}

  // Kills it after so long; false: it had ended before.
  bool run(int kill_after_ms) {
    before_ = read_journal_story(journal());
    begin_ = api_.ledger().size();
    RunningCommand command(arguments(), asking(api_.base_url()));
    std::this_thread::sleep_for(std::chrono::milliseconds(kill_after_ms));
    command.send(SIGKILL);
    const CommandResult result = command.wait();
    if (result.code == -1) return true;
    must(result.code == kDone, fmt::format("exit code {}: {}", result.code, result.err));
    return false;
  }
  void run_to_end() {
    before_ = read_journal_story(journal());
    begin_ = api_.ledger().size();
    const CommandResult result = run_command(arguments(), asking(api_.base_url()));
    must(result.code == kDone, fmt::format("exit code {}: {}", result.code, result.err));
  }

  void judge_kill(Counts& counts) {
    // What had arrived is answered by then, to nobody.
    std::this_thread::sleep_for(std::chrono::milliseconds(flags_.latency_ms + 100));
    const JournalStory now = read_journal_story(journal());
    const auto in_flight = int64_t(now.in_flight.size());
    must(in_flight <= flags_.concurrency,
         fmt::format("{} requests were in flight at a kill, {} are allowed", in_flight,
                     flags_.concurrency));
    const int64_t unread = judge_ledger(now);
    must(unread <= in_flight,
         fmt::format("{} answers were paid that the journal has not, {} were in flight", unread,
                     in_flight));
    in_flight_ += in_flight;
    unread_ += unread;
    counts.kills++;
    counts.in_flight += in_flight;
    counts.most_in_flight = std::max(counts.most_in_flight, in_flight);
    counts.paid_unread += unread;
    counts.most_paid_unread = std::max(counts.most_paid_unread, unread);
  }

  void judge_end(const std::map<std::string, std::string>& expected, Counts& counts) {
    const JournalStory now = read_journal_story(journal());
    must(now.in_flight.empty(), "a run that has ended left requests in flight");
    must(judge_ledger(now) == 0, "an undisturbed run did not keep an answer");
    must(now.answered_twice == 0, "the journal has two answers under one key");
    must(now.lost <= in_flight_,
         fmt::format("the journal counts {} requests lost, {} were", now.lost, in_flight_));
    const LedgerSummary summary = api_.summary();
    must(summary.bought_again <= unread_,
         fmt::format("{} answers were bought again, {} had not been read", summary.bought_again,
                     unread_));
    must(summary.batch_items_again == 0,
         fmt::format("{} items of batches were bought again", summary.batch_items_again));
    judge_files(expected);
    counts.rounds++;
    counts.answers += summary.bought + summary.batch_items;
    counts.bought_again += summary.bought_again;
    for (const auto& [status, count] : summary.statuses)
      if (status >= 400) counts.faults += count;
  }

  std::map<std::string, std::string> files() const { return result_files(output()); }

 private:
  fs::path output() const { return folder_.path() / "out"; }
  fs::path journal() const { return output() / "journal.jsonl"; }
  std::vector<std::string> arguments() const {
    std::vector<std::string> all = generate_arguments(input_, output(), flags_.concurrency);
    if (flags_.batch) all.push_back("--batch");
    return all;
  }

  // The answers of this run that were sold whole and are not in the journal. Fails for a request
  // that came although the journal had its answer, and for one of which the journal knows nothing.
  int64_t judge_ledger(const JournalStory& now) const {
    if (flags_.batch) return 0;
    std::set<std::string> kept;
    for (const auto& [key, request_id] : now.answers) kept.insert(request_id);
    const std::vector<LedgerEntry> entries = api_.ledger();
    std::unordered_map<uint64_t, std::string> safe;  // by body: the answer that is in the journal
    int64_t unread = 0, found = 0;
    for (size_t i = 0; i < entries.size(); i++) {
      const LedgerEntry& entry = entries[i];
      if (entry.kind != "messages") continue;
      if (const auto it = safe.find(entry.hash); it != safe.end())
        must(false, fmt::format("{} asks for what {} had answered", entry.request_id, it->second));
      if (kept.contains(entry.request_id)) {
        safe[entry.hash] = entry.request_id;
        found++;
      } else if (i >= begin_ && entry.status == 200 && entry.state == LedgerState::sent) {
        unread++;
      }
    }
    must(found == int64_t(kept.size()), "the journal has answers that nobody has given");
    const int64_t came = int64_t(entries.size() - begin_), sent = now.sent - before_.sent;
    must(came <= sent, fmt::format("{} requests came, the journal has sent {}", came, sent));
    return unread;
  }

  void judge_files(const std::map<std::string, std::string>& expected) const {
    const std::map<std::string, std::string> found = files();
    for (const auto& [name, bytes] : expected) {
      must(found.contains(name), name + " is missing");
      must(found.at(name) == bytes, name + " is not that of the undisturbed run");
    }
    for (const auto& [name, bytes] : found) must(expected.contains(name), name + " is too much");
  }

  const Flags& flags_;
  const fs::path& input_;
  TestFolder folder_;
  AnthropicDouble api_;
  JournalStory before_;                 // when the last run began
  size_t begin_ = 0;                    // entries of the ledger by then
  int64_t in_flight_ = 0, unread_ = 0;  // at the kills
};

int run(const Flags& flags) {
  const TestFolder folder;
  const fs::path input = folder.path() / "rows.csv";
  write_asked_rows(flags.input, flags.rows, input);
  Round undisturbed(flags, input, {{"latency_ms", 20}});
  undisturbed.run_to_end();
  const std::map<std::string, std::string> expected = undisturbed.files();

  Counts counts;
  Random random(flags.seed);
  const Json script = faults(flags.latency_ms);
  auto round = std::make_unique<Round>(flags, input, script);
  while (counts.kills < flags.kills) {
    if (round->run(random.between(0, flags.longest_ms))) {
      round->judge_kill(counts);
      continue;
    }
    round->judge_end(expected, counts);
    round = std::make_unique<Round>(flags, input, script);
  }
  round->run_to_end();
  round->judge_end(expected, counts);

  fmt::print("{} rows{}, killed {} times in {} runs to the end: {} answers, {} errors of the API\n",
             flags.rows, flags.batch ? " in batches" : "", counts.kills, counts.rounds,
             counts.answers, counts.faults);
  if (!flags.batch)
    fmt::print(
        "in flight at a kill {:.1f} on average, {} at most; answers sold and lost by kills "
        "{}, {} at most by one; bought again {}\n",
        double(counts.in_flight) / double(std::max<int64_t>(1, counts.kills)),
        counts.most_in_flight, counts.paid_unread, counts.most_paid_unread, counts.bought_again);
  fmt::print("no answer in the journal was asked for again; {} files equal the undisturbed run's\n",
             expected.size());
  return kDone;
}

}  // namespace
}  // namespace chatmem

int main(int argc, char** argv) {
  CLI::App app("Kills of chatmem generate that buy nothing twice");
  chatmem::Flags flags;
  app.add_option("--input", flags.input, "CSV of dialogues, repeated as often as is needed");
  app.add_option("--rows", flags.rows)->check(CLI::Range(1, 1'000'000));
  app.add_option("--kills", flags.kills)->check(CLI::Range(0, 100'000));
  app.add_option("--concurrency", flags.concurrency)->check(CLI::Range(1, 1024));
  app.add_option("--latency-ms", flags.latency_ms, "of an answer")->check(CLI::Range(0, 60'000));
  app.add_option("--longest-ms", flags.longest_ms,
                 "until a kill, at most; 0: 2,000, with --batch 7,000, which is beyond a poll");
  app.add_option("--seed", flags.seed, "of the moments");
  app.add_flag("--batch", flags.batch);
  CLI11_PARSE(app, argc, argv);
  if (flags.longest_ms <= 0) flags.longest_ms = flags.batch ? 7000 : 2000;
  try {
    return chatmem::run(flags);
  } catch (const chatmem::Error& e) {
    fmt::print(stderr, "error: {}\n", e.what());
    return chatmem::kFailed;
  }
}
