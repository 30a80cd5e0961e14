// An evaluation for people and for programs: tables, JSON, CSV, one page of HTML.
#pragma once
#include <string>

#include "base/json.h"
#include "eval/evaluate.h"

namespace chatmem {

// The verdict of each system (eval/verdict.h); a line for each row of the evaluation: ROUGE-1 F1
// with its interval, ROUGE-2, ROUGE-L, precision, recall and F1 of dates, precision of names,
// words, n; below it the speed where it was measured.
std::string systems_table(const Evaluation& evaluation);

// {"n","rouge1":{...},"rouge2":{...},"rougeL":{...},"system","references","reference_rule","seed",
//  "systems":[...],"speed":{...},"failed":[{"id","error"}]}; docs/formats.md has all keys. The
//  first
// four as in scores_json, of the first system; its speed is null where unmeasured.
Json evaluation_json(const Evaluation& evaluation);

// The nine columns of rouge.py and id, as scores_csv; then system, what is found in the summary and
// a column of 0 or 1 for each fault. The rows of the first system come first; floors have none.
std::string cases_csv(const Evaluation& evaluation);

// scores.csv, report.html and report.json, all or none.
void write_report(const Evaluation& evaluation, const fs::path& folder);

}  // namespace chatmem
