// Predictions of a test set: asked for, kept as they arrive, continued after a kill.
//
// DIR/predictions.jsonl, one object a line, flushed to disk before the next is asked for:
//   {"id","prediction","finish_reason","ttft_ms","total_ms","prompt_tokens","completion_tokens",
//    "request"}   request: a fingerprint of the conversation and of the settings it was asked with
// DIR/errors.jsonl, of the last run alone: {"id","error","fault","timestamp"}
// DIR/streams.jsonl, the bytes of every stream that came, whole or not: {"id","stream"}, with
// "fault"
//   where it was no answer
#pragma once
#include <cstdio>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "llm/chat_client.h"
#include "text/conversation.h"

namespace chatmem {

// Whatever writes a summary: an endpoint, a model in this process, a test. Calls the second
// argument for each piece of text as it arrives. Called from several threads at once when
// CollectOptions::concurrency is over 1. What it throws is the failure of that conversation.
using Summarize =
    std::function<ChatResult(const Conversation&, const std::function<void(std::string_view)>&)>;

// How an endpoint is asked. temporal_chat: summary_request's turns; seed_chat: seed_request as a
// user's turn, as the original's test_api.py asked; seed_text: seed_request as plain text, as
// training has it.
enum class AskAs { temporal_chat, seed_chat, seed_text };

// Asks an endpoint; `request` has all but the messages or the prompt.
Summarize endpoint_summarizer(ChatEndpoint endpoint, ChatRequest request,
                              AskAs ask_as = AskAs::temporal_chat);

struct Prediction {
  std::string id, text, finish_reason;
  double ttft_ms = 0, total_ms = 0;  // 0 where it was not measured
  int prompt_tokens = 0, completion_tokens = 0;
};

struct Failure {
  std::string id, error;
  std::string fault = {};  // by chat_fault_name; empty where no endpoint was asked
};

struct Predictions {
  std::vector<std::optional<Prediction>> of;  // as the conversations, absent where it failed
  std::vector<Failure> failures;              // in the order of the conversations
  int n_resumed = 0;                          // how many were there from an earlier run
};

struct CollectOptions {
  fs::path output;       // the folder of predictions.jsonl and errors.jsonl
  std::string settings;  // model, max_tokens, ...: what else decides an answer
  int concurrency = 4;
  // With concurrency 1: each case is shown here as it streams (id, dates, summary, reference)
  // instead of a progress line.
  std::FILE* live = nullptr;
  std::string stage = "evaluate";  // what the progress line begins with
};

// Asks for what predictions.jsonl does not have yet. Throws Error when the folder holds predictions
// made with other settings or of other conversations of the same id, or cannot be written.
Predictions collect_predictions(std::span<const Conversation> conversations,
                                const Summarize& summarize, const CollectOptions& options);

// Text of a model for a terminal: without control characters, which could command it.
void show_text(std::FILE* out, std::string_view text);

// One case for a reader: id and dates, the chat, the prediction, the reference.
void show_case(std::FILE* out, const Conversation& conversation, const Prediction& prediction);

}  // namespace chatmem
