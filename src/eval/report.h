// An evaluation for people and for programs.
#pragma once
#include <string>

#include "base/json.h"
#include "eval/evaluate.h"

namespace chatmem {

// A line for each system: ROUGE-1 F1 with its interval, ROUGE-2, ROUGE-L, precision, recall and F1
// of dates, precision of names, words, n; below it the speed where it was measured.
std::string systems_table(const Evaluation& evaluation);

// {"n","rouge1":{...},"rouge2":{...},"rougeL":{...},"system",
//  "systems":[{"system","n","words","rouge1":{"mean","low","high"},"rouge2","rougeL",
//    "dates":{"n","invented","precision","recall","f1","mean_days_off","event_order"},
//    "names":{"n","found","precision"},"numbers"}],
//  "speed":{"n","ttft_ms":{"mean","median","min","max"},"total_ms":{...},"tokens_per_second"},
//  "failed":[{"id","error"}]}: the first four as in scores_json; speed is null where unmeasured.
Json evaluation_json(const Evaluation& evaluation);

// scores.csv of the system and report.json, both or neither.
void write_report(const Evaluation& evaluation, const fs::path& folder);

}  // namespace chatmem
