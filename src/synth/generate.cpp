#include "synth/generate.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <unordered_map>

#include "base/csv.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/progress.h"
#include "synth/dataset_card.h"
#include "synth/make_provider.h"
#include "synth/result_folder.h"
#include "synth/result_stats.h"

namespace chatmem {
namespace {

constexpr size_t kMaxFileIdBytes = 60;  // percent-encoded it still fits a file name
constexpr size_t kReportedIds = 5;      // ids named in a report

void name_one(std::vector<std::string>& named, const std::string& id) {
  if (named.size() < kReportedIds) named.push_back(id);
}

// The rows of a run: all of the file, and which of them are worked on.
struct ChosenRows {
  std::vector<SourceRow> all;
  std::vector<size_t> chosen;  // indexes of all
  DuplicateReport duplicates;  // of all
};

ChosenRows choose_rows(const GenerateOptions& options, GenerateReport& report) {
  if (options.rows != kAllRows && options.rows <= 0)
    throw Error(
        fmt::format("[generate] the number of rows must be positive or 'all', is {}", options.rows),
        "--rows 2 tries the first two rows, --rows all takes the whole file", kUsage);
  ChosenRows rows{read_source_rows(options.input), {}, {}};
  rows.duplicates = find_duplicates(rows.all);
  size_t n = rows.all.size();
  if (options.rows != kAllRows && size_t(options.rows) < n) n = size_t(options.rows);
  std::vector<std::vector<int>> near_before(rows.all.size());
  for (const DuplicatePair& pair : rows.duplicates.near)
    near_before[size_t(pair.second)].push_back(pair.first);
  std::vector<bool> chosen(n, false);
  for (size_t i = 0; i < n; i++) {
    const bool same = rows.duplicates.first_same[i] != int(i);
    // Near a row that is left out itself is not near enough.
    const bool near = std::any_of(near_before[i].begin(), near_before[i].end(),
                                  [&](int before) { return chosen[size_t(before)]; });
    if (same) name_one(report.first_duplicates, rows.all[i].id);
    report.duplicates += same;
    report.near_duplicates += near;
    chosen[i] = !options.skip_duplicates || !(same || near);
    if (chosen[i])
      rows.chosen.push_back(i);
    else
      report.left_out++;
  }
  report.rows = int64_t(rows.chosen.size());
  return rows;
}

std::string fingerprint_of(const std::vector<SourceRow>& rows) {
  uint64_t hash = hash64("");
  for (const SourceRow& row : rows)
    for (const std::string* field : {&row.id, &row.dialogue, &row.summary, &row.topic})
      hash = hash64("\n", hash64(*field, hash));
  return fmt::format("{:016x}", hash);
}

// Writes each row's result as it comes, and shows how far it is.
class ResultWriter final : public ExpandSink {
 public:
  ResultWriter(const ResultFolder& folder, const std::vector<SourceRow>& rows, int year,
               int64_t total)
      : folder_(folder),
        rows_(rows),
        error_time_(fmt::format("{}-12-31T12:00:00Z", year)),
        progress_("generate", total) {}

  void done(const RowTask& task, const Expanded& expanded) override {
    if (expanded.transformed)
      folder_.write_success(rows_[task.index], *expanded.transformed);
    else
      folder_.write_failure(rows_[task.index], expanded, task.attempt, error_time_);
    const std::lock_guard lock(mutex_);
    progress_.update(++done_, detail_);
  }
  void status(std::string_view detail) override {
    const std::lock_guard lock(mutex_);
    detail_ = detail;
    progress_.update(done_, detail_);
  }
  void message(std::string_view line) override {
    const std::lock_guard lock(mutex_);
    progress_.message(line);
  }

 private:
  const ResultFolder& folder_;
  const std::vector<SourceRow>& rows_;
  const std::string error_time_;  // fixed, so that the same run gives the same bytes
  std::mutex mutex_;
  Progress progress_;
  std::string detail_;
  int64_t done_ = 0;
};

// What is left to do. Offline makes all anew: that costs nothing and heals what was damaged.
std::vector<RowTask> open_tasks(const ChosenRows& rows, const ResultFiles& folder,
                                const GenerateOptions& options) {
  std::vector<RowTask> tasks;
  for (const size_t index : rows.chosen) {
    const std::string& id = rows.all[index].id;
    if (options.provider == "offline") {
      tasks.push_back({index});
      continue;
    }
    if (folder.has_success(id)) continue;
    const std::optional<StoredFailure> failed = folder.failure(id);
    // The original pipeline kept no answer of a failure (attempt 0): those are always tried again.
    if (!failed || failed->attempt == 0)
      tasks.push_back({index});
    else if (options.ask.retry_errors)
      tasks.push_back({index, failed->attempt + 1});
  }
  return tasks;
}

void count_results(const ChosenRows& rows, const ResultFolder& folder, ResultStatsBuilder& stats,
                   GenerateReport& report) {
  for (const size_t index : rows.chosen) {
    const std::string& id = rows.all[index].id;
    if (folder.has_success(id)) {
      report.succeeded++;
    } else if (const std::optional<StoredFailure> failed = folder.failure(id)) {
      stats.add_errors(failed->reason);
      report.failed++;
      name_one(report.first_failed, id);
    } else {
      report.left++;
    }
  }
}

// The files of the whole: training data, splits, dataset card. Each result is read once.
void collect(const GenerateOptions& options, const ChosenRows& rows, const ResultFolder& folder,
             const Json& settings, GenerateReport& report) {
  std::vector<Side> sides;
  if (options.split) {
    sides = split_rows(rows.all, rows.duplicates, *options.split);
    report.leaks = find_leaks(rows.all, sides);
  }
  ResultStatsBuilder stats;
  const ResultFolder::Collected collected =
      folder.collect(rows.all, rows.chosen, sides, [&](const ResultRow& row) { stats.add(row); });
  count_results(rows, folder, stats, report);
  report.fingerprint = collected.fingerprint;
  DatasetCard card;
  card.license = options.license;
  card.input_file = options.input.filename().string();
  card.input_fingerprint = settings["input_fingerprint"];
  card.input_rows = int64_t(rows.all.size());
  card.exact_duplicates = rows.duplicates.exact;
  card.near_duplicates = rows.duplicates.near_rows;
  card.provider = options.provider;
  card.model = settings.value("model", "");
  card.prompt_hash = settings.value("prompt", "");
  card.seed = options.seed;
  card.year = options.year;
  card.version = options.version;
  card.command = command_line(options.arguments);
  card.cost_usd = report.spent_usd;
  card.leaks = int64_t(report.leaks.size());
  card.splits.push_back({"all", "training_data.jsonl", collected.conversations});
  for (size_t i = 0; !sides.empty() && i < collected.by_side.size(); i++)
    card.splits.push_back(
        {std::string(side_name(Side(i))), split_file(Side(i)).string(), collected.by_side[i]});
  card.stats = stats.finish();
  write_file_atomic(folder.path() / "README.md", dataset_card(card));
}

}  // namespace

std::vector<SourceRow> read_source_rows(const fs::path& path) {
  static const std::vector<std::string> kColumns = {"id", "dialogue", "summary", "topic"};
  std::vector<SourceRow> rows;
  std::unordered_map<std::string, size_t> lines;
  for_each_csv_row(path, kColumns, [&](CsvRow& row) {
    SourceRow source{std::move(row.fields[0]), std::move(row.fields[1]), std::move(row.fields[2]),
                     std::move(row.fields[3]), row.line};
    if (source.id.empty() || source.id.size() > kMaxFileIdBytes)
      throw Error(fmt::format("[generate] an id must have 1 to {} bytes, has {}, '{}', line {}",
                              kMaxFileIdBytes, source.id.size(), path.string(), row.line));
    const auto [it, added] = lines.try_emplace(source.id, row.line);
    if (!added)
      throw Error(
          fmt::format("[generate] ids must be unique, '{}' stands twice, '{}', lines {} "
                      "and {}",
                      source.id, path.string(), it->second, row.line));
    rows.push_back(std::move(source));
  });
  if (rows.empty())
    throw Error(fmt::format("[generate] the input must have a row, '{}' has none", path.string()));
  return rows;
}

GenerateReport generate(const GenerateOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  GenerateReport report;
  const ChosenRows rows = choose_rows(options, report);
  const std::unique_ptr<Provider> provider = make_provider(options, rows.all);
  Json settings = {{"input_fingerprint", fingerprint_of(rows.all)}};
  settings.update(provider->settings());
  settings["skip_duplicates"] = options.skip_duplicates;
  const ResultFolder folder(options.output, settings, options.force);
  const std::vector<RowTask> tasks = open_tasks(rows, folder, options);
  report.kept = report.rows - int64_t(tasks.size());
  {
    ResultWriter writer(folder, rows.all, options.year, int64_t(tasks.size()));
    ExpandEnd end = provider->expand(tasks, writer);
    report.end_reason = std::move(end.reason);
    report.end_hint = std::move(end.hint);
    report.spent_usd = end.spent_usd;
  }
  collect(options, rows, folder, settings, report);
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

GenerateEstimate estimate_generate(const GenerateOptions& options) {
  GenerateReport report;
  const ChosenRows rows = choose_rows(options, report);
  const std::vector<RowTask> tasks = open_tasks(rows, ResultFiles(options.output), options);
  GenerateEstimate estimate = estimate_asking(options, rows.all, tasks);
  estimate.rows = report.rows;
  estimate.left_out = report.left_out;
  return estimate;
}

}  // namespace chatmem
