// The answers to one request on their way from tokens to HTTP.
#pragma once
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "net/http_server.h"
#include "serve/answer_text.h"
#include "serve/chat_codec.h"
#include "serve/engine.h"
#include "serve/openai_api.h"

namespace chatmem {

struct AnswerOptions {
  AnswerHead head;
  std::vector<std::string> stop;
  int n = 1;
  bool streams = false;
  bool calls_function = false;  // the texts are {"name": NAME, "parameters": VALUE}
  int ping_interval_ms = 5'000;
};

// Belongs to the engine. The codec must outlive it.
class Answer final : public EngineClient {
 public:
  Answer(AnswerOptions options, const ChatCodec& codec);

  std::unique_ptr<ResponseStream> http;  // set before submit(); taken back when that refuses

  void on_accepted() override;
  bool on_token(int choice, const GeneratedToken& token) override;
  void on_finish(int choice, FinishReason reason) override;
  void on_done(const Usage& usage) override;
  void on_error(const std::string& message) override;
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
    bool begun = false;       // the role is sent
    AnswerChoice whole = {};  // filled where the answer is not streamed
  };
  NamedLogprob named(const TokenLogprob& one) const;
  Json take_logprobs(Choice& choice) const;
  void event(const std::string& data);
  void begin(Choice& choice);
  void send(Choice& choice, const std::string& text);
  void send_arguments(Choice& choice, const std::string& arguments);
  void send_call(Choice& choice);

  const AnswerOptions options_;
  const ChatCodec& codec_;
  std::vector<Choice> choices_;
};

}  // namespace chatmem
