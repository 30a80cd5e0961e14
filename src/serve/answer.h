// The answers to one request on their way from tokens to HTTP.
#pragma once
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "serve/answer_json.h"
#include "serve/answer_text.h"
#include "serve/chat_codec.h"
#include "serve/engine.h"
#include "serve/observed_stream.h"

namespace chatmem {

struct AnswerOptions {
  AnswerHead head;
  std::vector<std::string> stop;
  int n = 1;
  bool streams = false;
  bool calls_function = false;     // the texts are {"name": NAME, "parameters": VALUE}
  bool tells_progress = false;     // of the prompt, where the answer is streamed
  int n_prompt = 0;                // tokens
  std::string echo;                // stands before each answer
  std::vector<int> echo_logprobs;  // tokens of it that are listed among those with logprobs
  bool logs_content = false;       // the answers go into the request's record
  int ping_interval_ms = 5'000;
};

// Belongs to the engine. The codec must outlive it.
class Answer final : public EngineClient {
 public:
  Answer(AnswerOptions options, const ChatCodec& codec);

  std::unique_ptr<ObservedStream> http;  // set before submit(); taken back when that refuses

  void on_accepted() override;
  void on_started() override;
  void on_progress(int cached_tokens, int done_tokens) override;
  bool on_token(int choice, const GeneratedToken& token) override;
  void on_finish(int choice, FinishReason reason) override;
  void on_done(const Usage& usage) override;
  void on_error(EngineFailure failure, const std::string& message) override;
  bool cancelled() const override { return http->client_gone(); }

 private:
  // A token whose logprobs are not sent yet, and where its bytes lie in the answer.
  struct Waiting {
    size_t begin, end;
    Json entry;
  };
  struct Choice {
    int index;
    AnswerText text;
    FunctionCallText call_text = {};
    std::deque<Waiting> logprobs = {};
    size_t n_bytes = 0;       // of all its tokens
    size_t n_characters = 0;  // the same with the echo
    bool begun = false;       // the role, or the echo, is sent
    AnswerChoice whole = {};  // filled where the answer is not streamed, or logged
  };
  NamedLogprob named(const TokenLogprob& one) const;
  Json take_logprobs(Choice& choice) const;
  void event(const std::string& data);
  void begin(Choice& choice);
  void send(Choice& choice, const std::string& text);
  void send_arguments(Choice& choice, const std::string& arguments);
  void send_call(Choice& choice);
  Json echo_entries() const;
  void record_end();

  const AnswerOptions options_;
  const ChatCodec& codec_;
  std::vector<Choice> choices_;
};

}  // namespace chatmem
