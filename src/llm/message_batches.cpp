#include "llm/message_batches.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>
#include <unordered_map>
#include <unordered_set>

#include "base/date.h"
#include "base/error.h"
#include "base/random.h"
#include "base/utf8.h"
#include "llm/wire.h"

namespace chatmem {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view kBodyBegin = "{\"requests\":[", kBodyEnd = "]}";
constexpr int kListed = 1000;      // batches on one page, the most there can be
constexpr int kMaxPages = 1000;    // of a list that does not end
constexpr int kResultFetches = 3;  // when results are missing from a whole answer
constexpr auto kResultsKept = std::chrono::days(29);  // by the API
constexpr size_t kMaxResultBytes = size_t(256) << 20, kMaxErrorBytes = size_t(1) << 20;
constexpr size_t kMaxResultsBytes = size_t(1) << 36;
// A token is at least a byte of the text; the API adds some for roles and schemas.
constexpr int64_t kTokensAdded = 2000;

using Keys = std::unordered_set<std::string>;

// progress() said so: unwinds to the end of the run from wherever it waits.
struct Stopped {};

bool is_id(std::string_view id) {
  constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  return !id.empty() && id.find_first_not_of(kAllowed) == id.npos;
}

// Minutes are enough, and of the zones UTC, in which the API and we write.
std::optional<Minute> minute_of(std::string text) {
  if (text.size() < 16) return std::nullopt;
  text.resize(16);
  if (text[10] == 'T') text[10] = ' ';
  return parse_minute(text);
}

// What the API says of a batch.
struct BatchState {
  std::string id, created_at;
  bool ended = false;
  int64_t requests = 0, processing = 0;
};

BatchState batch_state(const Json& json, std::string_view where) {
  BatchState state{.id = json_string(json, "id", where),
                   .created_at = json_string_or(json, "created_at", "", where)};
  if (!is_id(state.id)) throw Error(fmt::format("[llm] {}: no id of a batch", where));
  state.ended = json_string(json, "processing_status", where) == "ended";
  for (const auto& [name, count] : json_object(json, "request_counts", where).items()) {
    if (!count.is_number_integer()) continue;
    state.requests += count.get<int64_t>();
    if (name == "processing") state.processing = count.get<int64_t>();
  }
  return state;
}

// The calls, each repeated until it is answered.
class BatchCalls {
 public:
  BatchCalls(const BatchJob& job, std::function<void(double seconds)> wait)
      : job_(job), wait_(std::move(wait)), random_(job.options.seed) {
    url_ = job.endpoint.base_url.empty() ? kAnthropicUrl : job.endpoint.base_url;
    while (url_.ends_with('/')) url_.pop_back();
    url_ += url_.ends_with("/v1") ? "/messages/batches" : "/v1/messages/batches";
  }

  // Once, without repetition: whether it may be repeated depends.
  HttpOutcome create(const std::string& body) {
    HttpCall call = call_to(url_);
    call.method = "POST";
    call.headers.emplace_back("content-type", "application/json");
    call.body = body;
    return send(call);
  }
  // None when the API does not know it.
  std::optional<BatchState> state(const std::string& id) {
    const std::string url = url_ + '/' + id;
    const HttpOutcome outcome = get(call_to(url), [] {});
    if (outcome.response.status == 404) return std::nullopt;
    return batch_state(parse_json(outcome.response.body, url), url);
  }
  // Of all batches that may have been created at `since` or later; the API gives the newest first.
  std::vector<BatchState> list(std::optional<Minute> since) {
    std::vector<BatchState> found;
    std::string after;
    for (int page = 0; page < kMaxPages; page++) {
      const std::string url = fmt::format("{}?limit={}{}", url_, kListed, after);
      const HttpOutcome outcome = get(call_to(url), [] {});
      const Json json = parse_json(outcome.response.body, url);
      bool all_older = true;
      for (const Json& item : json_array(json, "data", url)) {
        BatchState state = batch_state(item, url);
        const std::optional<Minute> created = minute_of(state.created_at);
        after = "&after_id=" + state.id;
        if (since && created && *created < *since) continue;
        all_older = false;
        found.push_back(std::move(state));
      }
      const auto more = json.find("has_more");
      if (all_older || more == json.end() || *more != Json(true)) break;
    }
    return found;
  }

  enum class Results { complete, gone, ended_by_reader };
  // Calls on_line for each line, until it says false; on_begin before the first one, again each
  // time that the answer has to be asked for again.
  Results results(const std::string& id, const std::function<void()>& on_begin,
                  const std::function<bool(std::string_view line)>& on_line) {
    std::string held, error_body;
    bool stopped = false;
    HttpCall call = call_to(url_ + '/' + id + "/results");
    call.max_response_bytes = kMaxResultsBytes;
    const auto take_line = [&](std::string_view line) {
      if (line.find_first_not_of(" \r\t") != line.npos && !on_line(line)) stopped = true;
      return !stopped;
    };
    call.on_body = [&](const HttpResponse& head, std::string_view bytes) {
      if (head.status / 100 != 2) {
        error_body += bytes.substr(0, kMaxErrorBytes - std::min(kMaxErrorBytes, error_body.size()));
        return true;
      }
      for (size_t end; (end = bytes.find('\n')) != bytes.npos; bytes.remove_prefix(end + 1)) {
        held += bytes.substr(0, end);
        if (!take_line(std::exchange(held, {}))) return false;
      }
      held += bytes;
      if (held.size() > kMaxResultBytes)
        throw Error(fmt::format("[llm] {}: a result must not be longer than {} bytes", call.url,
                                kMaxResultBytes));
      return true;
    };
    const auto begin = [&] {
      held.clear();
      error_body.clear();
      on_begin();
    };
    const HttpOutcome outcome = get(call, begin, &error_body, &stopped);
    if (stopped) return Results::ended_by_reader;
    if (outcome.response.status == 404) return Results::gone;
    return take_line(held) ? Results::complete : Results::ended_by_reader;
  }

  // Throws unless the call may be repeated, and waits until then.
  void wait_to_repeat(const HttpOutcome& outcome, const LlmFailure& failure, int attempt) {
    const int status = outcome.error ? 0 : outcome.response.status;
    const bool refused = status == 401 || status == 403;
    if (refused || failure.verdict != LlmVerdict::retry || attempt >= job_.options.max_attempts)
      throw Error(failure.message, failure.hint);
    const double backoff_ms = std::min(double(job_.options.max_backoff_ms),
                                       job_.options.backoff_ms * std::exp2(attempt - 1)) *
                              (1 - 0.25 * random_.uniform());
    wait_(failure.retry_after_s.value_or(backoff_ms / 1000));
  }

 private:
  HttpCall call_to(const std::string& url) const {
    HttpCall call;
    call.url = url;
    call.headers = job_.headers;
    call.headers.emplace_back("x-api-key", job_.endpoint.api_key);
    if (!find_header(call.headers, "anthropic-version"))
      call.headers.emplace_back("anthropic-version", kAnthropicVersion);
    call.connect_timeout_ms = job_.endpoint.connect_timeout_ms;
    call.idle_timeout_ms = job_.endpoint.timeout_ms;
    return call;
  }
  static HttpOutcome send(const HttpCall& call) {
    HttpOutcome outcome;
    try {
      outcome.response = http_request(call);
    } catch (const HttpError& e) {
      outcome.error = e;
    }
    return outcome;
  }
  // Repeats until the answer is 2xx or 404, or `stopped` by its reader.
  HttpOutcome get(const HttpCall& call, const std::function<void()>& on_begin,
                  const std::string* body = nullptr, const bool* stopped = nullptr) {
    for (int attempt = 1;; attempt++) {
      on_begin();
      HttpOutcome outcome = send(call);
      const int status = outcome.response.status;
      if (stopped && *stopped) return outcome;
      if (!outcome.error && (status / 100 == 2 || status == 404)) return outcome;
      if (body) outcome.response.body = *body;
      wait_to_repeat(outcome, job_.api.parse_failure(outcome), attempt);
    }
  }

  const BatchJob& job_;
  std::function<void(double)> wait_;
  Random random_;
  std::string url_;
};

// The requests of the next batch.
struct BatchDraft {
  std::vector<JournalBatchRequest> requests;
  Keys keys;
  std::string body{kBodyBegin};
  double bound_usd = 0;

  void add(const std::string& key, const std::string& entry, double usd) {
    if (!requests.empty()) body += ',';
    body += entry;
    requests.push_back({key, usd});
    keys.insert(key);
    bound_usd += usd;
  }
};

class BatchRun {
 public:
  explicit BatchRun(BatchJob job)
      : job_(std::move(job)),
        journal_(job_.journal),
        calls_(job_, [this](double seconds) { wait(seconds); }) {}

  BatchOutcome run(const BatchSupply& supply) {
    try {
      resolve_unnamed();
      for (;;) {
        submit(supply);
        if (open_ids().empty()) break;
        poll();
      }
    } catch (const Stopped&) {
      outcome_.stopped = true;
    }
    return outcome_;
  }

 private:
  // Sending.
  void submit(const BatchSupply& supply);
  std::string entry_of(const BatchItem& item) const;
  void create(BatchDraft draft);
  // Finding a batch whose creation was cut off.
  void resolve_unnamed();
  std::optional<std::string> look_up();
  bool await_end(const std::string& id);
  bool has_keys(const std::string& id, const Keys& keys);
  // Receiving.
  void poll();
  void collect(const JournalBatch& batch);
  void collect_gone(const JournalBatch& batch);
  void take_result(std::string_view line, const std::string& batch_id, const Keys& keys, Keys& seen,
                   std::vector<std::pair<std::string, LlmFailure>>& failures);
  void take_message(const std::string& key, const Json& message, const std::string& batch_id);
  void end_in_failure(const std::string& key, const LlmFailure& failure);
  void give_up(const std::string& key, const LlmFailure& failure);

  std::vector<std::string> open_ids() const;
  JournalBatch batch_of(const std::string& id) const;
  void checkpoint();
  void wait(double seconds);
  void warn(const std::string& text) const {
    if (job_.events.warn) job_.events.warn(text);
  }

  BatchJob job_;
  Journal& journal_;
  BatchCalls calls_;
  BatchOutcome outcome_;
  Keys failed_;  // for good
  std::unordered_map<std::string, int> times_failed_;
  std::unordered_map<std::string, int64_t> processing_;  // requests of the open batches
};

void BatchRun::checkpoint() {
  if (!job_.events.progress) return;
  BatchProgress progress{.received = outcome_.received,
                         .failed = outcome_.failed,
                         .over_budget = outcome_.over_budget};
  for (const std::string& id : open_ids()) {
    progress.open_batches++;
    const auto it = processing_.find(id);
    progress.in_flight += it == processing_.end() ? 0 : it->second;
  }
  if (!job_.events.progress(progress)) throw Stopped{};
}

void BatchRun::wait(double seconds) {
  constexpr auto kSlice = std::chrono::milliseconds(500);
  constexpr double kLongest = 86'400;  // whatever a server's retry-after says
  const auto end =
      Clock::now() + std::chrono::duration_cast<Clock::duration>(
                         std::chrono::duration<double>(std::clamp(seconds, 0.0, kLongest)));
  do {
    checkpoint();
    std::this_thread::sleep_for(std::min<Clock::duration>(kSlice, end - Clock::now()));
  } while (Clock::now() < end);
}

std::vector<std::string> BatchRun::open_ids() const {
  std::vector<std::string> ids;
  for (const JournalBatch& batch : journal_.batches())
    if (!batch.ended && !batch.id.empty()) ids.push_back(batch.id);
  return ids;
}

JournalBatch BatchRun::batch_of(const std::string& id) const {
  for (const JournalBatch& batch : journal_.batches())
    if (batch.id == id && !batch.ended) return batch;
  CHECK(false);
  return {};
}

std::string BatchRun::entry_of(const BatchItem& item) const {
  constexpr size_t kMaxIdBytes = 64;
  CHECK(is_id(item.key) && item.key.size() <= kMaxIdBytes);
  Json params = job_.api.body(item.request);
  params.erase("stream");  // batches refuse it
  Json entry = Json::object();
  entry["custom_id"] = item.key;
  entry["params"] = std::move(params);
  return dump_json(entry);
}

void BatchRun::submit(const BatchSupply& supply) {
  const BatchOptions& options = job_.options;
  BatchDraft draft;
  outcome_.over_budget = 0;
  supply([&](BatchItem item) {
    const std::string& key = item.key;
    if (journal_.contains(key) || journal_.in_batch(key) || failed_.contains(key) ||
        draft.keys.contains(key))
      return;
    const std::string entry = entry_of(item);
    const size_t size = entry.size() + 1 + kBodyEnd.size();
    if (kBodyBegin.size() + size > options.max_bytes)
      return give_up(key, {.verdict = LlmVerdict::fail_row,
                           .message = fmt::format("the request has {} bytes, a batch may have {}",
                                                  entry.size(), options.max_bytes)});
    if (draft.requests.size() >= size_t(std::max(1, options.max_requests)) ||
        draft.body.size() + size > options.max_bytes)
      create(std::exchange(draft, {}));
    const int64_t tokens =
        item.input_tokens > 0 ? item.input_tokens : int64_t(entry.size()) + kTokensAdded;
    const double usd = job_.price.bound_usd(tokens, item.request.max_tokens, true);
    if (journal_.committed_usd() + draft.bound_usd + usd > options.budget_usd) {
      outcome_.over_budget++;
      return;
    }
    draft.add(key, entry, usd);
  });
  if (!draft.requests.empty()) create(std::move(draft));
}

// After some failures the batch may exist all the same: those before its answer came.
bool surely_not_created(const HttpOutcome& outcome) {
  if (outcome.error)
    return outcome.error->failure() == HttpFailure::connect ||
           outcome.error->failure() == HttpFailure::invalid;
  const int status = outcome.response.status;
  constexpr int kOverloaded = 529;
  return (status >= 300 && status < 500 && status != 408) || status == kOverloaded;
}

// The id in the answer to a creation; empty when there is none.
std::string created_id(const HttpResponse& response) {
  try {
    return batch_state(parse_json(response.body, "answer"), "answer").id;
  } catch (const Error&) {
    return {};  // cut off or broken: the batch is looked for
  }
}

void BatchRun::create(BatchDraft draft) {
  checkpoint();
  draft.body += kBodyEnd;
  journal_.batch_begins(draft.requests, now_iso8601());
  for (int attempt = 1;; attempt++) {
    const HttpOutcome outcome = calls_.create(draft.body);
    const bool is_2xx = !outcome.error && outcome.response.status / 100 == 2;
    if (const std::string id = is_2xx ? created_id(outcome.response) : ""; !id.empty()) {
      processing_[id] = int64_t(draft.requests.size());
      return journal_.batch_created(id);
    }
    const LlmFailure failure = job_.api.parse_failure(outcome);
    if (!surely_not_created(outcome))
      if (const auto id = look_up()) return journal_.batch_created(*id);
    try {
      calls_.wait_to_repeat(outcome, failure, attempt);
    } catch (const Error&) {
      journal_.batch_not_created();
      throw;
    }
  }
}

void BatchRun::resolve_unnamed() {
  if (journal_.batches().empty() || !journal_.batches().back().id.empty()) return;
  if (const auto id = look_up())
    journal_.batch_created(*id);
  else
    journal_.batch_not_created();
}

// The batch that has exactly the keys of the last one begun, among those that the journal does not
// know. An ended one shows its keys; another is waited for: a wrong guess would buy all of it
// twice.
std::optional<std::string> BatchRun::look_up() {
  const JournalBatch begun = journal_.batches().back();
  wait(job_.options.settle_ms / 1000.0);
  std::optional<Minute> since = minute_of(begun.created_at);
  if (since) *since -= std::chrono::minutes(job_.options.clock_skew_minutes);
  std::vector<BatchState> found = calls_.list(since);
  Keys known;
  for (const JournalBatch& batch : journal_.batches()) known.insert(batch.id);
  std::erase_if(found, [&](const BatchState& state) {
    return known.contains(state.id) || state.requests != int64_t(begun.keys.size());
  });
  std::stable_partition(found.begin(), found.end(), [](const BatchState& s) { return s.ended; });
  const Keys keys(begun.keys.begin(), begun.keys.end());
  for (const BatchState& state : found)
    if (await_end(state.id) && has_keys(state.id, keys)) return state.id;
  return std::nullopt;
}

// False when the batch is gone.
bool BatchRun::await_end(const std::string& id) {
  for (double ms = job_.options.poll_ms;;) {
    const std::optional<BatchState> state = calls_.state(id);
    if (!state || state->ended) return state.has_value();
    wait(ms / 1000);
    ms = std::min(ms * 1.5, double(job_.options.max_poll_ms));
  }
}

bool BatchRun::has_keys(const std::string& id, const Keys& keys) {
  Keys seen;
  const auto is_ours = [&](std::string_view line) {
    const std::string key = json_string(parse_json(line, "result"), "custom_id", "result");
    seen.insert(key);
    return keys.contains(key);
  };
  const auto results = calls_.results(
      id, [&] { seen.clear(); }, is_ours);
  return results == BatchCalls::Results::complete && seen.size() == keys.size();
}

void BatchRun::poll() {
  for (double ms = job_.options.poll_ms;;) {
    bool any_ended = false;
    for (const std::string& id : open_ids()) {
      const std::optional<BatchState> state = calls_.state(id);
      if (state) processing_[id] = state->processing;
      if (state && !state->ended) continue;
      any_ended = true;
      processing_.erase(id);
      if (state)
        collect(batch_of(id));
      else
        collect_gone(batch_of(id));
    }
    checkpoint();
    if (open_ids().empty()) return;
    ms = any_ended ? job_.options.poll_ms : std::min(ms * 1.5, double(job_.options.max_poll_ms));
    wait(ms / 1000);
  }
}

void BatchRun::collect(const JournalBatch& batch) {
  const Keys keys(batch.keys.begin(), batch.keys.end());
  Keys seen;
  std::vector<std::pair<std::string, LlmFailure>> failures;
  for (int fetch = 1; seen.size() < keys.size() && fetch <= kResultFetches; fetch++) {
    const auto begin = [&] {
      seen.clear();
      failures.clear();
    };
    const auto results = calls_.results(batch.id, begin, [&](std::string_view line) {
      take_result(line, batch.id, keys, seen, failures);
      return true;
    });
    if (results == BatchCalls::Results::gone) return collect_gone(batch);
    if (seen.size() < keys.size() && fetch < kResultFetches) wait(job_.options.poll_ms / 1000.0);
  }
  if (seen.size() < keys.size())
    warn(fmt::format("batch {}: {} of {} results are missing; they are asked for again", batch.id,
                     keys.size() - seen.size(), keys.size()));
  for (const std::string& key : batch.keys)
    if (!seen.contains(key)) failures.emplace_back(key, LlmFailure{.message = "no result came"});
  for (const auto& [key, failure] : failures) end_in_failure(key, failure);
  journal_.batch_ended(batch.id);
}

// The API forgets results; a batch that is younger than that is another account's.
void BatchRun::collect_gone(const JournalBatch& batch) {
  const std::optional<Minute> created = minute_of(batch.created_at);
  const auto now = std::chrono::floor<std::chrono::minutes>(std::chrono::system_clock::now());
  if (created && now - *created < kResultsKept)
    throw Error(fmt::format("[llm] batch {} of {} must be known to {}, is not", batch.id,
                            batch.created_at, job_.api.host()),
                "use the API key and the base URL with which the batch was created");
  int64_t n_lost = 0;
  for (const std::string& key : batch.keys) {
    if (journal_.contains(key) || !journal_.in_batch(key)) continue;
    journal_.failed(key, journal_.in_flight_usd(key), "the batch's results are no longer kept");
    n_lost++;
  }
  warn(fmt::format("batch {} of {}: its results are no longer kept; {} requests are sent again",
                   batch.id, batch.created_at, n_lost));
  journal_.batch_ended(batch.id);
}

// What became of a request without a message.
LlmFailure failure_of(const Json& result, const std::string& type) {
  LlmFailure failure{.message = "the request has " + type};  // "expired", "canceled"
  if (type != "errored") return failure;
  // Types that say that the server failed, not that the request is wrong.
  static const Keys kOfServer = {"api_error", "overloaded_error", "rate_limit_error",
                                 "timeout_error"};
  const Json none = Json::object();
  const auto object_in = [&](const Json& outer) -> const Json& {
    const auto it = outer.find("error");
    return it != outer.end() && it->is_object() ? *it : none;
  };
  const Json& outer = object_in(result);
  const Json& error = outer.contains("error") ? object_in(outer) : outer;
  const std::string kind = json_string_or(error, "type", "error without a type", "result");
  failure.message = kind + ": " + json_string_or(error, "message", "no message", "result");
  const std::string request_id = json_string_or(outer, "request_id", "", "result");
  if (!request_id.empty()) failure.message += " (" + request_id + ")";
  failure.verdict = kOfServer.contains(kind) ? LlmVerdict::retry : LlmVerdict::fail_row;
  return failure;
}

void BatchRun::take_result(std::string_view line, const std::string& batch_id, const Keys& keys,
                           Keys& seen, std::vector<std::pair<std::string, LlmFailure>>& failures) {
  const std::string where = "a result of " + batch_id;
  std::string key, type;
  Json json;
  std::optional<LlmFailure> failure;
  try {
    json = parse_json(line, where);
    key = json_string(json, "custom_id", where);
    const Json& result = json_object(json, "result", where);
    type = json_string(result, "type", where);
    if (type == "succeeded")
      json_object(result, "message", where);
    else
      failure = failure_of(result, type);
  } catch (const Error& e) {
    return warn(e.what());  // it counts as missing
  }
  if (!keys.contains(key)) return warn(where + " has a custom_id that was not sent");
  if (!seen.insert(key).second || journal_.contains(key)) return;
  if (failure)
    failures.emplace_back(key, *failure);
  else
    take_message(key, json["result"]["message"], batch_id);
}

// Not flushed: until the batch has ended, which is, its results can be had again for nothing.
void BatchRun::take_message(const std::string& key, const Json& message,
                            const std::string& batch_id) {
  JournalAnswer answer{.status = 200, .request_id = batch_id, .body = dump_json(message)};
  try {
    answer.cost_usd = job_.price.cost_usd(job_.api.parse_answer(answer.body).usage, true);
  } catch (const Error&) {
    answer.cost_usd = journal_.in_flight_usd(key);  // paid, whatever it is
  }
  journal_.received(key, answer, Durability::batched);
  outcome_.received++;
  if (job_.events.received) job_.events.received(key);
}

// Neither errors nor expired requests are billed.
void BatchRun::end_in_failure(const std::string& key, const LlmFailure& failure) {
  if (journal_.in_batch(key)) journal_.failed(key, 0, failure.message);
  const bool again = failure.verdict == LlmVerdict::retry &&
                     ++times_failed_[key] <= job_.options.max_resubmissions;
  if (!again) give_up(key, failure);
}

void BatchRun::give_up(const std::string& key, const LlmFailure& failure) {
  if (!failed_.insert(key).second) return;
  outcome_.failed++;
  if (job_.events.failed) job_.events.failed(key, failure);
}

}  // namespace

BatchOutcome run_message_batches(BatchJob job, const BatchSupply& supply) {
  return BatchRun(std::move(job)).run(supply);
}

}  // namespace chatmem
