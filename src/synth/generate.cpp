#include "synth/generate.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>

#include "base/csv.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/progress.h"
#include "synth/dialogue.h"

namespace chatmem {
namespace {

constexpr size_t kBatch = 256;          // rows in memory at a time
constexpr size_t kMaxFileIdBytes = 60;  // percent-encoded it still fits a file name
constexpr size_t kNamed = 5;            // ids named in a report
constexpr std::string_view kManifest = "generate.json";

// A row's results, made by a worker, written in the order of the input.
struct RowResult {
  bool ok = false;
  std::string training_line, original;  // JSON
};

std::string hex(uint64_t value) { return fmt::format("{:016x}", value); }

// Results carry a time, and the same run must give the same bytes: noon of the row's today.
std::string timestamp_of(Date day) { return format_date(day) + "T12:00:00Z"; }

Json original_json(const SourceRow& row, const Transformed& transformed) {
  Json conversations = Json::array();
  for (const DatedChat& chat : transformed.conversations) {
    Json messages = Json::array();
    for (const Message& message : chat.messages)
      messages.push_back({{"timestamp", message.timestamp}, {"content", message.content}});
    conversations.push_back({{"date", format_date(chat.date)}, {"messages", std::move(messages)}});
  }
  return {{"original_id", row.id},
          {"topic", row.topic},
          {"original_summary", row.summary},
          {"transformed_conversations",
           {{"today_date", format_date(transformed.today)},
            {"personal_summary", transformed.personal_summary},
            {"conversations", std::move(conversations)}}},
          {"timestamp", timestamp_of(transformed.today)}};
}

Json error_json(const SourceRow& row, const std::string& reason, int year) {
  return {{"original_id", row.id},
          {"error", reason},
          {"timestamp", timestamp_of(std::chrono::year(year) / 12 / 31)},
          {"original_data",
           {{"topic", row.topic}, {"summary", row.summary}, {"dialogue", row.dialogue}}},
          {"raw_response", nullptr}};
}

Conversation conversation_of(const SourceRow& row, const Transformed& transformed) {
  Conversation conversation;
  conversation.id = row.id;
  conversation.as_of = transformed.today;
  conversation.summary = transformed.personal_summary;
  for (const DatedChat& chat : transformed.conversations)
    conversation.messages.insert(conversation.messages.end(), chat.messages.begin(),
                                 chat.messages.end());
  conversation.start_date = format_date(transformed.conversations.front().date);
  conversation.end_date = format_date(transformed.conversations.back().date);
  return conversation;
}

class Run {
 public:
  explicit Run(const GenerateOptions& options) : options_(options) {}

  GenerateReport run() {
    const auto start = std::chrono::steady_clock::now();
    if (options_.rows != kAllRows && options_.rows <= 0)
      throw Error(fmt::format("[generate] the number of rows must be positive or 'all', is {}",
                              options_.rows),
                  "--rows 2 tries the first two rows, --rows all takes the whole file", kUsage);
    rows_ = read_source_rows(options_.input);
    choose_rows();
    claim_folder();
    if (options_.provider != "offline")
      throw Error(
          fmt::format("[generate] the provider must be offline, is '{}'", options_.provider), "",
          kUsage);
    const auto provider = make_offline_provider(rows_, {options_.seed, options_.year});
    expand_all(*provider);
    link_training_data();
    sync_file_system(options_.output);
    report_.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return std::move(report_);
  }

 private:
  void choose_rows() {
    size_t n = rows_.size();
    if (options_.rows != kAllRows && size_t(options_.rows) < n) n = size_t(options_.rows);
    std::unordered_map<std::string, size_t> seen;
    for (size_t i = 0; i < n; i++) {
      const std::string text = normalized_dialogue(rows_[i].dialogue);
      const bool duplicate = !text.empty() && !seen.try_emplace(text, i).second;
      if (duplicate) {
        if (report_.first_duplicates.size() < kNamed)
          report_.first_duplicates.push_back(rows_[i].id);
        report_.duplicates++;
      }
      if (duplicate && options_.skip_duplicates)
        report_.left_out++;
      else
        chosen_.push_back(i);
    }
    report_.rows = int64_t(chosen_.size());
  }

  // What decides the bytes of the files, apart from how many rows there are.
  Json manifest() const {
    uint64_t hash = hash64("");
    for (const SourceRow& row : rows_)
      for (const std::string* field : {&row.id, &row.dialogue, &row.summary, &row.topic})
        hash = hash64("\n", hash64(*field, hash));
    return {{"input_fingerprint", hex(hash)},
            {"provider", options_.provider},
            {"seed", options_.seed},
            {"year", options_.year},
            {"skip_duplicates", options_.skip_duplicates}};
  }

  void claim_folder() const {
    const fs::path path = options_.output / kManifest;
    const bool known = fs::exists(path);
    const bool used = known || fs::exists(options_.output / "success") ||
                      fs::exists(options_.output / "errors") ||
                      fs::exists(options_.output / "training_data.jsonl");
    if (used && (!known || read_json(path) != manifest())) {
      if (!options_.force)
        throw Error(fmt::format("[generate] the output folder must be new or of the same input and "
                                "settings, '{}' holds another run",
                                options_.output.string()),
                    "choose another --output, or --force to replace what is there");
      remove_results();
    }
    write_file_atomic(path, dump_json(manifest(), 2) + "\n");
    fs::create_directories(options_.output / "success");
    fs::create_directories(options_.output / "errors");
    for (const char* folder : {"", "success", "errors"})
      remove_stale_temporaries(options_.output / folder);
  }

  // Only files of the names that this verb writes.
  void remove_results() const {
    std::error_code ignored;
    for (const char* folder : {"success", "errors"}) {
      if (!fs::is_directory(options_.output / folder)) continue;
      for (const auto& entry : fs::directory_iterator(options_.output / folder)) {
        const std::string name = entry.path().filename().string();
        if (name.starts_with("conversation_") || name == "training_data.jsonl")
          fs::remove(entry.path(), ignored);
      }
    }
    fs::remove(options_.output / "training_data.jsonl", ignored);
    fs::remove(options_.output / "all_results.json", ignored);
  }

  RowResult expand(const Provider& provider, const SourceRow& row, size_t index) const {
    const std::string name = "conversation_" + encoded_id(row.id);
    const fs::path success = options_.output / "success", errors = options_.output / "errors";
    RowResult result;
    std::error_code ignored;
    std::optional<Transformed> transformed;
    std::string reason;
    try {
      transformed = provider.expand(index);
    } catch (const Error& error) {
      reason = error.what();
    }
    if (!transformed) {
      write_file_atomic(errors / (name + "_original.json"),
                        dump_json(error_json(row, reason, options_.year), 2) + "\n",
                        Durability::batched);
      fs::remove(success / (name + "_original.json"), ignored);
      fs::remove(success / (name + "_finetune.txt"), ignored);
      return result;
    }
    const Conversation conversation = conversation_of(row, *transformed);
    const Json original = original_json(row, *transformed);
    write_file_atomic(success / (name + "_original.json"), dump_json(original, 2) + "\n",
                      Durability::batched);
    write_file_atomic(success / (name + "_finetune.txt"), format_finetune_text(conversation),
                      Durability::batched);
    fs::remove(errors / (name + "_original.json"), ignored);
    result.ok = true;
    result.training_line = dump_json(conversation_to_json(conversation)) + "\n";
    result.original = dump_json(original, 2);
    return result;
  }

  // The chosen rows begin..end, by all threads; the first Error of a worker is thrown here.
  std::vector<RowResult> expand_batch(const Provider& provider, size_t begin, size_t end,
                                      Progress& progress) const {
    std::vector<RowResult> results(end - begin);
    std::atomic<size_t> next{begin}, done{begin};
    std::exception_ptr failure;
    std::mutex failure_mutex;
    // Only the calling thread writes the progress line.
    const auto work = [&](bool shows) {
      try {
        for (size_t i; (i = next++) < end;) {
          results[i - begin] = expand(provider, rows_[chosen_[i]], chosen_[i]);
          done++;
          if (shows) progress.update(int64_t(done));
        }
      } catch (const std::exception&) {
        const std::scoped_lock lock(failure_mutex);
        if (!failure) failure = std::current_exception();
        next = end;
      }
    };
    const size_t n_threads = options_.threads > 0
                                 ? size_t(options_.threads)
                                 : std::max<size_t>(1, std::thread::hardware_concurrency());
    std::vector<std::thread> workers;
    for (size_t i = 1; i < std::min(n_threads, end - begin); i++) workers.emplace_back(work, false);
    work(true);
    for (std::thread& worker : workers) worker.join();
    if (failure) std::rethrow_exception(failure);
    return results;
  }

  void expand_all(const Provider& provider) {
    AtomicFile training(options_.output / "training_data.jsonl");
    AtomicFile all(options_.output / "all_results.json");
    Progress progress("generate", int64_t(chosen_.size()));
    report_.fingerprint = hash64("");
    all.write("[");
    for (size_t begin = 0; begin < chosen_.size(); begin += kBatch) {
      const size_t end = std::min(begin + kBatch, chosen_.size());
      const std::vector<RowResult> results = expand_batch(provider, begin, end, progress);
      for (size_t i = 0; i < results.size(); i++) {
        const RowResult& result = results[i];
        if (!result.ok) {
          report_.failed++;
          if (report_.first_failed.size() < kNamed)
            report_.first_failed.push_back(rows_[chosen_[begin + i]].id);
          continue;
        }
        training.write(result.training_line);
        report_.fingerprint = hash64(result.training_line, report_.fingerprint);
        all.write(report_.succeeded++ > 0 ? ",\n" : "\n");
        all.write(result.original);
      }
      progress.update(int64_t(end));
    }
    all.write("\n]\n");
    training.commit();
    all.commit();
  }

  // success/training_data.jsonl points to the file beside it, wherever the folder is moved.
  void link_training_data() const {
    const fs::path link = options_.output / "success" / "training_data.jsonl";
    if (fs::is_symlink(link) && fs::read_symlink(link) == "../training_data.jsonl") return;
    std::error_code error;
    fs::remove(link, error);
    fs::create_symlink("../training_data.jsonl", link, error);
    if (error)
      throw Error(fmt::format("[generate] cannot link '{}': {}", link.string(), error.message()));
  }

  const GenerateOptions& options_;
  std::vector<SourceRow> rows_;
  std::vector<size_t> chosen_;  // indexes of rows
  GenerateReport report_;
};

}  // namespace

std::string encoded_id(std::string_view id) {
  std::string out;
  for (const char c : id) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == '-';
    if (plain)
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

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

GenerateReport generate(const GenerateOptions& options) { return Run(options).run(); }

}  // namespace chatmem
