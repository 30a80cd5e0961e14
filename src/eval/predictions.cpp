#include "eval/predictions.h"

#include <fmt/format.h>

#include <atomic>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "base/date.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/progress.h"
#include "base/utf8.h"

namespace chatmem {
namespace {

// Of all that decides what is asked, each part ended by a byte that UTF-8 never holds.
std::string request_fingerprint(const Conversation& conversation, std::string_view settings) {
  uint64_t hash = hash64(settings);
  const auto add = [&](std::string_view part) { hash = hash64("\xFF", hash64(part, hash)); };
  add(conversation.start_date);
  add(conversation.end_date);
  add(conversation.as_of ? format_date(*conversation.as_of) : "");
  for (const Message& message : conversation.messages) add(message.timestamp), add(message.content);
  return fmt::format("{:016x}", hash);
}

Json to_json(const Prediction& prediction, const std::string& fingerprint) {
  return {{"id", prediction.id},
          {"prediction", prediction.text},
          {"finish_reason", prediction.finish_reason},
          {"ttft_ms", prediction.ttft_ms},
          {"total_ms", prediction.total_ms},
          {"prompt_tokens", prediction.prompt_tokens},
          {"completion_tokens", prediction.completion_tokens},
          {"request", fingerprint}};
}

int token_count(const Json& json, std::string_view key, std::string_view where) {
  const long long n = json_int(json, key, where);
  if (n < 0 || n > 1'000'000'000)
    throw Error(
        fmt::format("[evaluate] {}: key '{}' must be a count of tokens, is {}", where, key, n));
  return int(n);
}

Prediction prediction_from_json(const Json& json, std::string_view where) {
  return {.id = json_string(json, "id", where),
          .text = json_string(json, "prediction", where),
          .finish_reason = json_string(json, "finish_reason", where),
          .ttft_ms = json_number(json, "ttft_ms", where),
          .total_ms = json_number(json, "total_ms", where),
          .prompt_tokens = token_count(json, "prompt_tokens", where),
          .completion_tokens = token_count(json, "completion_tokens", where)};
}

// A process that was killed while it wrote leaves a last line without its end. It is cut off, or
// ended when all but the line break is there.
void repair_last_line(const fs::path& path) {
  std::string bytes = read_file(path);
  if (bytes.empty() || bytes.ends_with('\n')) return;
  const size_t last = bytes.rfind('\n') + 1;  // 0 when there is none
  if (Json::accept(bytes.substr(last)))
    bytes += '\n';
  else
    bytes.resize(last);
  write_file_atomic(path, bytes);
}

using Fingerprints = std::unordered_map<std::string, std::string>;  // by id
using ById = std::unordered_map<std::string, Prediction>;

ById read_journal(const fs::path& path, const Fingerprints& expected) {
  ById kept;
  if (!fs::is_regular_file(path)) return kept;
  repair_last_line(path);
  for_each_json_line(path, [&](Json& json, size_t line) {
    const std::string where = fmt::format("'{}', line {}", path.string(), line);
    Prediction prediction = prediction_from_json(json, where);
    const auto it = expected.find(prediction.id);
    if (it == expected.end()) return;  // --limit was larger
    if (json_string(json, "request", where) != it->second)
      throw Error(fmt::format("[evaluate] predictions of one folder must come from the same data "
                              "and settings, that of '{}' does not: {}",
                              prediction.id, where),
                  "choose another --output, or delete this folder to ask again");
    kept.emplace(prediction.id, std::move(prediction));
  });
  return kept;
}

std::string heading(const Conversation& conversation) {
  return fmt::format("{}  {} to {}", conversation.id, conversation.start_date,
                     conversation.end_date);
}

std::string reference_of(const Conversation& conversation) {
  return fmt::format("\n\nreference:\n{}\n\n", conversation.summary);
}

// Works through the conversations on some threads.
class Collection {
 public:
  Collection(std::span<const Conversation> conversations, const Summarize& summarize,
             const CollectOptions& options)
      : conversations_(conversations), summarize_(summarize), options_(options) {
    for (const Conversation& conversation : conversations)
      fingerprints_[conversation.id] = request_fingerprint(conversation, options.settings);
    resume();
  }

  Predictions run() {
    const size_t n_missing = missing_.size();
    if (options_.live == nullptr && n_missing > 0) progress_.emplace(options_.stage, n_missing);
    std::vector<std::thread> threads;
    const size_t n_threads = std::min(size_t(std::max(options_.concurrency, 1)), n_missing);
    for (size_t i = 1; i < n_threads; i++) threads.emplace_back([this] { work(); });
    work();
    for (std::thread& thread : threads) thread.join();
    progress_.reset();
    if (broken_) std::rethrow_exception(broken_);
    for (std::optional<Failure>& failure : failures_)
      if (failure) predictions_.failures.push_back(std::move(*failure));
    return std::move(predictions_);
  }

 private:
  void resume() {
    const fs::path path = options_.output / "predictions.jsonl";
    const fs::path error_path = options_.output / "errors.jsonl";
    ById kept = read_journal(path, fingerprints_);
    predictions_.of.resize(conversations_.size());
    failures_.resize(conversations_.size());
    for (size_t i = 0; i < conversations_.size(); i++) {
      const auto it = kept.find(conversations_[i].id);
      if (it == kept.end()) {
        missing_.push_back(i);
      } else {
        predictions_.of[i] = std::move(it->second);
        predictions_.n_resumed++;
      }
    }
    journal_.emplace(path);
    const fs::path streams = options_.output / "streams.jsonl";
    if (fs::is_regular_file(streams)) repair_last_line(streams);
    std::error_code no_such_file;
    fs::remove(error_path, no_such_file);
  }

  // One thread's share. An error of a conversation is that conversation's; an error of the journal
  // ends the run, because answers could no longer be kept.
  void work() {
    for (size_t k; (k = next_++) < missing_.size();) {
      try {
        ask(missing_[k]);
      } catch (const std::exception&) {
        const std::lock_guard lock(mutex_);
        if (!broken_) broken_ = std::current_exception();
        next_ = missing_.size();
      }
    }
  }

  void ask(size_t i) {
    const Conversation& conversation = conversations_[i];
    std::FILE* live = options_.concurrency <= 1 ? options_.live : nullptr;
    if (live) show_text(live, heading(conversation) + "\n\n");
    ChatResult result;
    try {
      result = summarize_(conversation, [live](std::string_view piece) {
        if (live) show_text(live, piece);
      });
    } catch (const std::exception& error) {
      const auto* fault = dynamic_cast<const ChatError*>(&error);
      keep_failure(i, error.what(), fault);
      if (live) show_text(live, fmt::format("\nfailed: {}\n\n", error.what()));
      return;
    }
    keep(i, std::move(result));
    if (live) show_text(live, reference_of(conversation));
  }

  void keep(size_t i, ChatResult result) {
    const std::string& id = conversations_[i].id;
    Prediction prediction{id,
                          replace_invalid_utf8(result.text),
                          replace_invalid_utf8(result.finish_reason),
                          result.ttft_ms,
                          result.total_ms,
                          result.prompt_tokens,
                          result.completion_tokens};
    const std::string line = dump_json(to_json(prediction, fingerprints_.at(id))) + '\n';
    const std::lock_guard lock(mutex_);
    if (!result.raw.empty()) keep_stream({{"id", id}}, result.raw);
    journal_->append(line);
    predictions_.of[i] = std::move(prediction);
    show_progress();
  }

  // fault: null where it is not of an endpoint.
  void keep_failure(size_t i, std::string error, const ChatError* fault) {
    Failure failure{conversations_[i].id, error.empty() ? "unknown" : replace_invalid_utf8(error)};
    if (fault) failure.fault = chat_fault_name(fault->fault());
    const Json json = {{"id", failure.id},
                       {"error", failure.error},
                       {"fault", fault ? Json(failure.fault) : Json(nullptr)},
                       {"timestamp", now_iso8601()}};
    const std::lock_guard lock(mutex_);
    if (fault && !fault->raw().empty())
      keep_stream({{"id", failure.id}, {"fault", failure.fault}}, fault->raw());
    failures_[i] = std::move(failure);
    AppendFile(options_.output / "errors.jsonl").append(dump_json(json) + '\n');
    n_failed_++;
    show_progress();
  }

  // Not flushed: the stream may be lost with the machine, the prediction may not.
  void keep_stream(Json line, std::string_view raw) {
    if (!streams_) streams_.emplace(options_.output / "streams.jsonl");
    line["stream"] = replace_invalid_utf8(raw);
    streams_->append(dump_json(line) + '\n', Durability::batched);
  }

  void show_progress() {
    n_done_++;
    if (progress_)
      progress_->update(n_done_, n_failed_ ? fmt::format("{} failed", n_failed_) : std::string());
  }

  std::span<const Conversation> conversations_;
  const Summarize& summarize_;
  const CollectOptions& options_;
  Fingerprints fingerprints_;
  Predictions predictions_;
  std::vector<size_t> missing_;
  std::vector<std::optional<Failure>> failures_;  // as the conversations
  std::optional<AppendFile> journal_, streams_;
  std::optional<Progress> progress_;
  std::atomic<size_t> next_{0};
  std::mutex mutex_;  // journal, progress, counts, broken_
  int64_t n_done_ = 0, n_failed_ = 0;
  std::exception_ptr broken_;
};

}  // namespace

Predictions collect_predictions(std::span<const Conversation> conversations,
                                const Summarize& summarize, const CollectOptions& options) {
  return Collection(conversations, summarize, options).run();
}

void show_text(std::FILE* out, std::string_view text) {
  std::string safe;
  for (const char c : text)
    if (uint8_t(c) >= 0x20 ? c != 0x7F : c == '\n' || c == '\t') safe += c;
  std::fwrite(safe.data(), 1, safe.size(), out);
  std::fflush(out);
}

void show_case(std::FILE* out, const Conversation& conversation, const Prediction& prediction) {
  show_text(out, heading(conversation) + "\n");
  for (const Message& message : conversation.messages)
    show_text(out, fmt::format("{} | {}\n", message.timestamp, message.content));
  show_text(out, fmt::format("\nprediction:\n{}", prediction.text));
  show_text(out, reference_of(conversation));
}

}  // namespace chatmem
