// A language model as judge: of two summaries of a chat, which one serves its reader better? Each
// case is asked in both orders, because judges prefer the place as well as the text: a verdict
// counts where both orders name the same summary, else the case is a tie.
#pragma once
#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "eval/predictions.h"
#include "llm/questions.h"
#include "metrics/statistics.h"
#include "text/conversation.h"

namespace chatmem {

// The rubric's criteria; the last is the verdict.
inline constexpr std::array<std::string_view, 5> kCriteria = {"faithful", "times", "complete",
                                                              "readable", "overall"};

enum class Verdict { win, tie, loss };  // of the summary that is judged
using Verdicts = std::array<Verdict, kCriteria.size()>;

struct JudgeCase {
  const Conversation* conversation;
  std::string summary;  // that is judged
  std::string other;    // that it is held against
};

// What the judge is asked: rubric, chat, summaries "A" and "B", an answer by JSON schema.
LlmRequest judge_request(const Conversation& conversation, std::string_view a, std::string_view b,
                         const std::string& model);
// Of an answer; `judged` is the letter of the summary that is judged. Throws Error for a text that
// is no answer by the schema.
struct JudgeAnswer {
  Verdicts verdicts;
  std::string reason;
};
JudgeAnswer parse_judge_answer(const std::string& text, char judged);

struct JudgedCase {
  std::string id;
  std::array<JudgeAnswer, 2> orders;  // the judged one shown first; shown second
  Verdicts verdicts;                  // of both together
};

struct VerdictCounts {
  int wins = 0, ties = 0, losses = 0;
};

struct JudgeReport {
  std::string model, against;  // who judges; what the summaries are held against
  std::vector<JudgedCase> cases;
  std::vector<Failure> failures;  // cases without an answer in both orders
  std::array<VerdictCounts, kCriteria.size()> counts;
  double win_share = 0;  // overall; a tie is half a win
  Interval interval;     // 95%, bootstrap
  double agreement = 0;  // share of the cases in which both orders say the same overall
  // Of the answers that prefer one summary, the share that prefers the one shown first; 0.5 is
  // fair. NaN where all are ties.
  double first_share = 0;
  std::optional<double> spent_usd;   // by all runs of the journal
  std::string end_reason, end_hint;  // why cases are left; empty: none is
};

struct JudgeOptions {
  std::string model, against;
  QuestionOptions questions;  // its `wrong` and `introduction` are the judge's
  std::optional<Price> price;
  uint64_t seed = 1;  // of the interval
};

// What is left open (budget, endpoint) is among the failures, and asked by the next run.
JudgeReport judge_summaries(const LlmApi& api, std::span<const JudgeCase> cases,
                            const JudgeOptions& options);

// {"model","against","n","overall":{"wins","ties","losses"},"criteria":{"faithful":{...},...},
//  "win_share":{"mean","low","high"},"agreement","first_share","spent_usd",
//  "failed":[{"id","error"}]}
Json judge_json(const JudgeReport& report);
// A line for each case: {"id","verdict","orders":[{"faithful",...,"overall","reason"},{...}]}.
std::string judge_lines(const JudgeReport& report);
// "Wins 63% (95% 45% to 79%); both orders agree in 84%, the one shown first is preferred in 55%."
std::string judge_sentence(const JudgeReport& report);
// All of it for a person.
std::string judge_table(const JudgeReport& report);

}  // namespace chatmem
