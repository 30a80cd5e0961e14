#include "cli/model_summarizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "base/error.h"
#include "base/hash.h"
#include "model/fingerprint.h"
#include "serve/answer_text.h"

namespace chatmem {
namespace {

using Clock = std::chrono::steady_clock;

// What the engine's thread tells the thread that waits for a summary.
class Exchange {
 public:
  void say(std::string text) {
    const std::lock_guard lock(mutex_);
    if (ttft_ms_ == 0 && !text.empty()) ttft_ms_ = elapsed_ms();
    text_ += text;
    changed_.notify_one();
  }
  void finish(FinishReason reason) {
    const std::lock_guard lock(mutex_);
    result_.finish_reason = reason == FinishReason::length ? "length" : "stop";
  }
  void done(const Usage& usage) {
    const std::lock_guard lock(mutex_);
    result_.prompt_tokens = usage.prompt_tokens;
    result_.completion_tokens = usage.completion_tokens;
    result_.ttft_ms = ttft_ms_;
    result_.total_ms = elapsed_ms();
    over_ = true;
    changed_.notify_one();
  }
  void fail(std::string error) {
    const std::lock_guard lock(mutex_);
    error_ = std::move(error);
    over_ = true;
    changed_.notify_one();
  }

  // Hands the text on as it comes, on the caller's thread.
  ChatResult wait(const std::function<void(std::string_view)>& on_text) {
    for (;;) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return over_ || !text_.empty(); });
      const std::string piece = std::exchange(text_, {});
      const bool over = over_;
      lock.unlock();
      result_.text += piece;  // of this thread alone
      if (on_text && !piece.empty()) on_text(piece);
      if (!over) continue;
      if (!error_.empty()) throw Error(error_);
      return std::move(result_);
    }
  }

 private:
  double elapsed_ms() const {
    return std::chrono::duration<double, std::milli>(Clock::now() - begin_).count();
  }
  const Clock::time_point begin_ = Clock::now();
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string text_;  // not handed on yet
  double ttft_ms_ = 0;
  std::string error_;
  bool over_ = false;
  ChatResult result_;
};

// Belongs to the engine, which destroys it when the exchange is over.
class Listener final : public EngineClient {
 public:
  Listener(Exchange& exchange, const ChatCodec& codec) : exchange_(exchange), codec_(codec) {}
  void on_accepted() override {}
  void on_started() override {}
  void on_progress(int, int) override {}
  bool on_token(int, const GeneratedToken& token) override {
    exchange_.say(text_.push(codec_.decode(token.token)));
    return true;
  }
  void on_finish(int, FinishReason reason) override {
    exchange_.say(text_.finish());
    exchange_.finish(reason);
  }
  void on_done(const Usage& usage) override { exchange_.done(usage); }
  void on_error(EngineFailure, const std::string& message) override { exchange_.fail(message); }
  bool cancelled() const override { return false; }

 private:
  Exchange& exchange_;
  const ChatCodec& codec_;
  AnswerText text_{{}};
};

// Room for the largest requests that can run together, in whole pages; at least one page.
int kv_tokens_for(const Tokenizer& tokenizer, const Config& config,
                  std::span<const Conversation> conversations,
                  const ModelSummarizerOptions& options) {
  std::vector<int> pages;
  for (const Conversation& conversation : conversations) {
    if (conversation.messages.empty()) continue;
    const std::vector<int> prompt =
        encode_request(tokenizer, conversation, options.prompt_template);
    const int64_t n = int64_t(prompt.size()) + options.max_tokens;
    if (n <= config.max_seq_len) pages.push_back(pages_for(int(n)));
  }
  std::ranges::sort(pages, std::greater());
  int64_t n_pages = 0;
  for (size_t i = 0; i < pages.size() && i < size_t(options.concurrency); i++) n_pages += pages[i];
  constexpr int64_t kMostPages = (int64_t(1) << 30) / kPageTokens;
  return int(std::clamp<int64_t>(n_pages, 1, kMostPages)) * kPageTokens;
}

}  // namespace

ModelSummarizer::ModelSummarizer(const ModelOptions& model,
                                 std::span<const Conversation> conversations,
                                 const ModelSummarizerOptions& options)
    : options_(options), open_(open_model(model, WantTokenizer::yes)), codec_(*open_.tokenizer) {
  name_ = file_name(model.model);
  if (!model.adapter.empty()) name_ += "+" + file_name(model.adapter);
  settings_ = settings_of(model);
  GeneratorOptions generator{.max_requests = options.concurrency,
                             .kv_tokens = kv_tokens_for(*open_.tokenizer, open_.loaded.model.config,
                                                        conversations, options),
                             .dtype = open_.dtype,
                             .draft_tokens = kDraftTokens};
  if (open_.adapter) generator.adapters = {open_.adapter_or_null()};
  generator_ = std::make_unique<Generator>(*open_.ops, open_.loaded.model, generator);
  engine_ = std::make_unique<BatchEngine>(*generator_, BatchEngine::Options{options.concurrency});
}

std::string ModelSummarizer::settings_of(const ModelOptions& model) const {
  std::string settings = fmt::format(
      "model={} weights={:016x} tokenizer={:016x} dtype={} template={} max_tokens={} "
      "temperature={}",
      file_name(model.model), fingerprint_of(*open_.ops, open_.loaded.model),
      open_.tokenizer->fingerprint(), dtype_name(open_.dtype), int(options_.prompt_template),
      options_.max_tokens, options_.temperature);
  if (open_.adapter)
    settings += fmt::format(" adapter={:016x}", fingerprint_of(*open_.ops, *open_.adapter));
  if (options_.temperature > 0) settings += fmt::format(" seed={}", options_.seed);
  return settings;
}

ChatResult ModelSummarizer::summarize(const Conversation& conversation,
                                      const std::function<void(std::string_view)>& on_text) {
  Exchange exchange;
  EngineRequest request;
  request.prompt = encode_request(*open_.tokenizer, conversation, options_.prompt_template);
  request.max_tokens = options_.max_tokens;
  request.sampling.temperature = float(options_.temperature);
  request.sampling.seed = hash64(conversation.id, options_.seed);
  request.stop_tokens = codec_.stop_tokens();
  if (open_.adapter) request.adapter = 0;
  const int n_prompt = int(request.prompt.size()), room = engine_->context_length();
  if (n_prompt + options_.max_tokens > room)
    throw Error(fmt::format("[model] prompt and answer must fit {} tokens, conversation '{}' has a "
                            "prompt of {} and --max-tokens is {}",
                            open_.loaded.model.config.max_seq_len, conversation.id, n_prompt,
                            options_.max_tokens),
                "a lower --max-tokens, or fewer days of the chat");
  std::unique_ptr<EngineClient> listener = std::make_unique<Listener>(exchange, codec_);
  CHECK(engine_->submit(request, listener));  // no more than it takes call at once
  return exchange.wait(on_text);
}

}  // namespace chatmem
