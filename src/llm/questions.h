// Questions that are bought: each answer is in a journal before it is looked at, and the same
// questions asked again, after a kill or for the next report, buy only what is missing.
#pragma once
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "llm/message_batches.h"
#include "llm/request_run.h"

namespace chatmem {

struct Question {
  std::string id;  // of what is asked about: the same request of two ids is asked twice
  LlmRequest request;
};

// Neither text nor failure: the run ended before it was asked.
struct QuestionEnd {
  std::string text;     // the model's
  std::string failure;  // why there is no text, for a person
};

struct QuestionOptions {
  fs::path journal;                  // its folder is locked while it is asked
  RequestRunOptions run;             // its on_status is replaced
  std::optional<LlmEndpoint> batch;  // there: in Message Batches of it; needs a price
  bool ask_again = false;            // questions whose answers cannot be used, once more each
  std::string stage;                 // what the progress line and errors begin with: "summarize"
  std::string introduction;          // a line before anything is sent
  // What is wrong with a text; empty: nothing. Empty function: every text will do.
  std::function<std::string(size_t question, const std::string& text)> wrong;
};

struct QuestionReport {
  std::vector<QuestionEnd> ends;     // as the questions
  int n_before = 0;                  // of them, answered by earlier runs
  std::string end_reason, end_hint;  // why questions are left; empty: none is
  std::optional<double> spent_usd;   // by all runs of the journal; none without a price
};

QuestionReport ask_questions(const LlmApi& api, std::span<const Question> questions,
                             const QuestionOptions& options);

// The indexes of those that a run would ask now; nothing is sent or written.
std::vector<size_t> open_questions(const LlmApi& api, std::span<const Question> questions,
                                   const QuestionOptions& options);

// What an answer that ended otherwise than it should lacks, for a person.
std::string what_is_missing(const LlmAnswer& answer, int max_tokens);
// A gateway's error that only looks like an answer was not; a kill can leave one in the journal.
bool was_sold(const LlmApi& api, const JournalAnswer& found);
// What the run before was killed over, for a person; empty: nothing.
std::string what_was_lost(const Journal& journal, bool priced);

}  // namespace chatmem
