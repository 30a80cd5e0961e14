// libFuzzer: bodies of requests for answers are read within their limits or refused with an
// answer that is JSON; the text of an answer is cut the same way in whatever pieces it comes. The
// first byte chooses.
#include <cmath>
#include <cstdint>
#include <vector>

#include "base/error.h"
#include "base/utf8.h"
#include "serve/answer_json.h"
#include "serve/answer_text.h"
#include "serve/openai_api.h"

namespace {

using namespace chatmem;

// Bodies of the other requests for answers.
void check_others(std::string_view body) {
  for (const bool summary : {true, false}) {
    try {
      if (summary) {
        CHECK(!parse_summary(body).conversation.messages.empty());
        continue;
      }
      const CompletionRequest request = parse_completion(body, 1'000);
      CHECK(request.tokens.empty() || request.prompt.empty());
      for (const int token : request.tokens) CHECK(token >= 0 && token < 1'000);
    } catch (const ApiError& e) {
      CHECK(e.status() >= 400 && e.status() < 500);
      json_object(parse_json(e.body(), "error"), "error", "error");
    }
  }
}

void check_request(std::string_view body) {
  check_others(body);
  try {
    const ChatCompletionRequest request = parse_chat_completion(body);
    CHECK(!request.turns.empty());
    const SamplingOptions& sampling = request.sampling;
    CHECK(sampling.temperature >= 0 && sampling.temperature <= 2);
    CHECK(sampling.top_p >= 0 && sampling.top_p <= 1);
    CHECK(sampling.min_p >= 0 && sampling.min_p <= 1);
    CHECK(sampling.top_k >= 0 && request.max_tokens.value_or(0) >= 0);
    for (const auto& [token, bias] : sampling.logit_bias)
      CHECK(token >= 0 && std::abs(bias) <= 100);
    CHECK(request.n >= 1 && request.top_logprobs >= -1 && request.top_logprobs <= 20);
    CHECK(request.functions.empty() || request.grammar);
    for (const std::string& stop : request.stop) CHECK(!stop.empty());
    const AnswerHead head{"chatcmpl-1", request.model, 1, "", request.include_usage};
    for (const Turn& turn : request.turns) {
      const std::string chunk = content_chunk(head, 0, turn.content, nullptr);
      CHECK(json_string(parse_json(chunk, "chunk"), "model", "chunk") == request.model);
    }
    const AnswerChoice choice{request.turns[0].content, {}, nullptr, "stop"};
    parse_json(whole_answer(head, std::vector{choice}, {}), "answer");
  } catch (const ApiError& e) {
    CHECK(e.status() >= 400 && e.status() < 500);
    json_object(parse_json(e.body(), "error"), "error", "error");
  }
}

struct Answer {
  std::string text;
  bool stopped = false;
  bool operator==(const Answer&) const = default;
};

Answer answer_in_pieces(std::string_view bytes, size_t piece_bytes) {
  AnswerText answer({"END", "EN!", "\xC3\xA9\n"});
  Answer out;
  for (size_t at = 0; at < bytes.size(); at += piece_bytes) {
    const std::string sent = answer.push(bytes.substr(at, piece_bytes));
    CHECK(find_invalid_utf8(sent) == sent.npos);
    out.text += sent;
  }
  out.text += answer.finish();
  CHECK(find_invalid_utf8(out.text) == out.text.npos);
  out.stopped = answer.stopped();
  CHECK(out.text.find("END") == out.text.npos && out.text.find("EN!") == out.text.npos);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 4 == 0)
    CHECK(answer_in_pieces(input, 1 + data[0] / 4 % 8) ==
          answer_in_pieces(input, input.size() + 1));
  else
    check_request(input);
  return 0;
}
