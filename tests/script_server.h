// A server whose engine plays a script from threads of its own, for tests of what is around it.
#pragma once
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/json.h"
#include "net/http_client.h"
#include "net/sse.h"
#include "serve/server.h"

namespace chatmem {

inline bool eventually(const std::function<bool()>& condition) {
  for (const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
       std::chrono::steady_clock::now() < end;) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return condition();
}

// A prompt has a token for each byte of its contents; token i of an answer is pieces[i]. Only
// ASCII.
class ScriptCodec final : public ChatCodec {
 public:
  std::vector<int> encode(std::span<const Turn> turns, std::span<const Json>) const override {
    std::vector<int> tokens;
    for (const Turn& turn : turns)
      tokens.insert(tokens.end(), turn.content.begin(), turn.content.end());
    return tokens;
  }
  std::vector<int> encode_text(std::string_view text, SpecialTokens) const override {
    return {text.begin(), text.end()};
  }
  std::optional<int> bos() const override { return 1; }
  std::string decode(int token) const override {
    return size_t(token) < pieces.size() ? pieces[size_t(token)] : std::string(1, char(token));
  }
  std::string name(int token) const override { return decode(token); }
  std::vector<int> stop_tokens() const override { return {7}; }
  const TokenTrie& trie() const override { return trie_; }
  std::vector<std::string> pieces = {"Hel", "lo", " world"};

 private:
  const TokenTrie trie_{std::vector<std::string_view>{"{", "}"}};
};

class ScriptEngine final : public Engine {
 public:
  explicit ScriptEngine(const ScriptCodec& codec) : codec_(codec) {}
  ~ScriptEngine() override {
    for (std::thread& thread : threads_) thread.join();
  }
  int context_length() const override { return context; }
  int vocab_size() const override { return 128; }
  bool submit(EngineRequest& request, std::unique_ptr<EngineClient>& client) override {
    const std::lock_guard lock(mutex_);
    if (running_ >= capacity) return false;
    running_++;
    copy_plain(request, last_);
    constrained = request.constraint != nullptr;
    client->on_accepted();
    threads_.emplace_back([this, r = std::move(request), c = std::move(client)]() mutable {
      play(r, *c);
      c.reset();
      running_--;
    });
    return true;
  }
  EngineStats stats() const override { return {.waiting = 2, .running = running_}; }
  int running() const { return running_; }
  // What a test looks at of the last request.
  EngineRequest last_request() {
    const std::lock_guard lock(mutex_);
    EngineRequest copy;
    copy_plain(last_, copy);
    return copy;
  }

  std::atomic<int> context = 100, capacity = 100, cancelled = 0, tokens_made = 0;
  std::atomic<bool> holds = false;  // before the first token, with a look at cancelled()
  std::atomic<int> pause_ms = 0;    // between tokens
  std::atomic<bool> fails = false;
  std::atomic<int> repeats = 1;
  std::atomic<bool> constrained = false;  // the last request

 private:
  static void copy_plain(const EngineRequest& from, EngineRequest& to) {
    to.prompt = from.prompt, to.stop_tokens = from.stop_tokens, to.max_tokens = from.max_tokens;
    to.sampling = from.sampling, to.n = from.n, to.top_logprobs = from.top_logprobs;
    to.adapter = from.adapter, to.deadline = from.deadline;
  }
  void play(const EngineRequest& request, EngineClient& client) {
    while (holds) {
      if (client.cancelled()) return void(cancelled++);
      if (std::chrono::steady_clock::now() >= request.deadline)
        return client.on_error(EngineFailure::deadline, "the deadline passed");
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    client.on_started();
    if (request.prompt.size() > 4) client.on_progress(1, 4);
    Usage usage{int(request.prompt.size()), 1, 0};
    for (int choice = 0; choice < request.n; choice++)
      if (!play_choice(choice, request, client, usage)) return;
    client.on_done(usage);
  }
  // False when the client has been told of an error, or left.
  bool play_choice(int choice, const EngineRequest& request, EngineClient& client, Usage& usage) {
    const int n = int(codec_.pieces.size()) * repeats;
    for (int i = 0; i < n; i++) {
      if (i == request.max_tokens) return client.on_finish(choice, FinishReason::length), true;
      if (fails && i == 1)
        return client.on_error(EngineFailure::internal, "[engine] out of memory"), false;
      if (client.cancelled()) return cancelled++, false;
      usage.completion_tokens++;
      tokens_made++;
      GeneratedToken token{0, i % int(codec_.pieces.size()), FinishReason::none};
      if (request.top_logprobs >= 0) token.logprobs = TokenLogprobs{-0.5f, {{1, -0.25f}}};
      if (!client.on_token(choice, token)) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(pause_ms));
    }
    client.on_finish(choice, FinishReason::stop);
    return true;
  }

  const ScriptCodec& codec_;
  std::mutex mutex_;  // guards last_ and threads_
  EngineRequest last_;
  std::atomic<int> running_ = 0;
  std::vector<std::thread> threads_;
};

class Server : public ::testing::Test {
 protected:
  void start(ChatServerOptions options = {}, bool ready = true) {
    server_ = std::make_unique<ChatServer>(std::move(options));
    if (ready) set_model();
  }
  void set_model() { server_->set_model({names_, &engine_, &codec_, "fp_0"}); }
  HttpResponse get(const std::string& path) const { return http_request({.url = url(path)}); }
  HttpResponse post_to(const std::string& path, const std::string& body,
                       HttpHeaders headers = {}) const {
    return http_request(
        {.method = "POST", .url = url(path), .headers = std::move(headers), .body = body});
  }
  std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(server_->port()) + path;
  }
  HttpResponse post(const std::string& fields, const std::string& content = "Hi",
                    HttpHeaders headers = {}) const {
    return post_to("/v1/chat/completions", body(fields, content), std::move(headers));
  }
  static std::string body(const std::string& fields, const std::string& content = "Hi") {
    return "{\"messages\":[{\"role\":\"user\",\"content\":\"" + content + "\"}]" +
           (fields.empty() ? "" : "," + fields) + "}";
  }
  static std::string raw_post(const std::string& fields) {
    const std::string text = body(fields);
    return "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: " +
           std::to_string(text.size()) + "\r\n\r\n" + text;
  }
  static std::vector<std::string> events(std::string_view stream) {
    std::vector<std::string> found;
    SseDecoder decoder([&](const SseEvent& event) { found.push_back(event.data); });
    decoder.feed(stream);
    return found;
  }
  // The contents of a stream, joined by "|", then its finish reason; checks its order.
  static std::string story(const std::string& stream) {
    const std::vector<std::string> data = events(stream);
    EXPECT_EQ(data.back(), "[DONE]");
    std::string out, reason;
    for (size_t i = 0; i + 1 < data.size(); i++) {
      const Json chunk = parse_json(data[i], "chunk");
      if (chunk["choices"].empty()) continue;
      const Json& choice = chunk["choices"][0];
      EXPECT_EQ(i == 0, choice["delta"].contains("role"));
      EXPECT_EQ(reason, "") << "nothing comes after the finish";
      if (i > 0 && choice["delta"].contains("content"))
        out += choice["delta"]["content"].get<std::string>() + "|";
      if (!choice["finish_reason"].is_null()) reason = choice["finish_reason"];
    }
    return out + reason;
  }
  static Json error(const HttpResponse& response) {
    return parse_json(response.body, "error")["error"];
  }

  std::vector<ServedModel::Name> names_ = {{"tiny"}};
  ScriptCodec codec_;
  ScriptEngine engine_{codec_};
  std::unique_ptr<ChatServer> server_;  // ends before the engine
};

}  // namespace chatmem
