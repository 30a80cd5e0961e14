// The task that a language model gets for one row, its answer read, and the answer checked: pure
// functions from text to text. What is asked follows the original pipeline (docs/formats.md).
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "synth/provider.h"
#include "synth/schedule.h"

namespace chatmem {

// json: by schema, the answer is the transformed_conversations object itself. text: the original's
// bracket format, for endpoints without schemas.
enum class AnswerFormat { json, text };

// What is decided for a row before the model is asked: by the row and the seed alone.
struct ExpansionTask {
  LengthGuidance guidance;
  Date today;
  std::string other_name;  // found in the dialogue; empty: the model is to choose one
  std::string flavour;     // a detail that differs from row to row, so that answers do
};
// Throws Error for a row without a dialogue of two speakers.
ExpansionTask expansion_task(const SourceRow& row, uint64_t seed, int year);

// The fixed part, the same bytes for every row of a run: what prompt caches keep.
std::string expansion_system(AnswerFormat format);
// The row's part.
std::string expansion_prompt(const SourceRow& row, const ExpansionTask& task, AnswerFormat format);
// The answer's, in the subset of JSON Schema that structured outputs take.
Json expansion_schema();

// About how many tokens an answer has, for estimates before anything is bought.
struct TokenRange {
  int64_t low = 0, high = 0;
};
TokenRange expansion_answer_tokens(const SourceRow& row, const ExpansionTask& task);

// The answer as conversations, in the order given: check_expansion says where that is not the order
// of time. Understands a fenced or framed JSON object, and the bracket format with its usual slips.
// A timestamp that cannot be read is kept as it is. Throws Error that says what is missing and
// where.
Transformed parse_expansion(std::string_view answer, AnswerFormat format);

// What is wrong with it, each in a sentence that the model can act upon, at most 10; none: it is
// good. Dates and times real and in order, today as asked and not before the last message, both
// speakers there, the row's dialogue as the first exchange, the summary's dates found in the
// messages (their days, or days they speak of), today named, no placeholder left, conversations and
// span within the guidance (the span with a tenth of slack).
std::vector<std::string> check_expansion(const SourceRow& row, const ExpansionTask& task,
                                         const Transformed& transformed);

// The turn that follows a bad answer: what was wrong, and to send the whole answer again.
std::string repair_prompt(const std::vector<std::string>& findings, AnswerFormat format);

}  // namespace chatmem
