#include "eval/report_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "eval/html.h"
#include "eval/report_cases.h"
#include "eval/report_html.h"
#include "eval/report_plots.h"
#include "eval/rouge_report.h"
#include "eval/verdict.h"

namespace chatmem {
namespace {

constexpr size_t kMaxInvented = 200;  // listed on the page; report.json has all

// "-" for a ratio of nothing.
std::string figure(double value, int digits = 4) {
  return std::isnan(value) ? "-" : fmt::format("{:.{}f}", value, digits);
}

std::string row_class(SystemKind kind) {
  return kind == SystemKind::system ? "system" : kind == SystemKind::floor ? "floor" : "reference";
}

// A table that scrolls within the page where it is too wide. Cells are HTML, the first of a row its
// head.
class Table {
 public:
  explicit Table(const std::vector<std::string>& heads) {
    html_ = "<div class=\"scroll\"><table><thead><tr>";
    for (const std::string& head : heads) html_ += "<th>" + head + "</th>";
    html_ += "</tr></thead><tbody>\n";
  }
  void row(const std::string& kind, const std::vector<std::string>& cells) {
    html_ += fmt::format("<tr class=\"{}\">", kind);
    for (size_t i = 0; i < cells.size(); i++)
      html_ += fmt::format("<{0}>{1}</{0}>", i == 0 ? "th" : "td", cells[i]);
    html_ += "</tr>\n";
  }
  std::string html() const { return html_ + "</tbody></table></div>\n"; }

 private:
  std::string html_;
};

std::string header(const Evaluation& evaluation) {
  std::vector<std::string> names;
  for (const SystemScores* system : evaluation.of_kind(SystemKind::system))
    names.push_back(html_text(system->name));
  std::vector<std::string> references;
  for (const std::string& name : evaluation.references.names) references.push_back(html_text(name));
  std::string facts = fmt::format("{} chats", evaluation.conversations.size());
  if (!evaluation.options.data.empty()) facts += " of " + html_text(evaluation.options.data);
  if (evaluation.conversations.size() < evaluation.n_conversations)
    facts += fmt::format(" (of {}: the others were not answered)", evaluation.n_conversations);
  facts += fmt::format(", against {}", fmt::join(references, " and "));
  if (references.size() > 1)
    facts += fmt::format(", combined by {}", reference_rule_name(evaluation.options.scores));
  return fmt::format("<header><h1>Evaluation of {}</h1><p class=\"dim\">{}</p></header>\n",
                     fmt::join(names, ", "), facts);
}

std::string verdict_html(const Evaluation& evaluation, const SystemScores& system) {
  const FloorVerdict verdict = verdict_of(system);
  const std::string_view kind = verdict == FloorVerdict::better      ? "yes"
                                : verdict == FloorVerdict::not_shown ? "open"
                                                                     : "no";
  const std::string headline = verdict_headline(system);
  const size_t word = headline.find('.') + 1;
  std::string html = fmt::format("<section class=\"verdict {}\"><h2><b>{}</b>{}</h2><ul>", kind,
                                 headline.substr(0, word), html_text(headline.substr(word)));
  for (const std::string& sentence : verdict_sentences(evaluation, system))
    html += "<li>" + html_text(sentence) + "</li>";
  return html + "</ul></section>\n";
}

std::string difference_cell(const SystemScores& row) {
  const ScoreDifference* difference = row.difference_to(kExtractiveFloor);
  if (!difference) return {};
  const PairedDifference& d = difference->rouge1;
  return fmt::format("{:+.4f}<small>{}</small>", d.mean, significance(d));
}

// The table of the first screen: whether the dots of the systems are right of the line.
std::string scoreboard(const Evaluation& evaluation) {
  const IntervalScale scale = interval_scale(evaluation);
  Table table({"", "ROUGE-1", "95% interval; line: best floor", "to extractive"});
  for (const SystemScores& row : evaluation.systems) {
    if (row.items.empty()) continue;
    const Interval& interval = row.rouge1.interval;
    table.row(row_class(row.kind),
              {html_text(row.name), figure(row.rouge1.mean),
               interval_bar(row.rouge1, scale) +
                   fmt::format("<small>{:.4f} to {:.4f}</small>", interval.low, interval.high),
               difference_cell(row)});
  }
  return table.html();
}

std::string all_scores(const Evaluation& evaluation) {
  std::vector<std::string> heads = {"",           "ROUGE-1 F1", "precision", "recall",
                                    "ROUGE-2 F1", "ROUGE-L F1", "words",     "of reference"};
  const bool several = evaluation.references.size() > 1;
  if (several)
    for (const std::string& name : evaluation.references.names)
      heads.push_back("R1 to " + html_text(name));
  Table table(heads);
  for (const SystemScores& row : evaluation.systems) {
    const bool scored = !row.items.empty();
    std::vector<std::string> cells = {html_text(row.name),
                                      figure(row.rouge1.mean),
                                      scored ? figure(row.rouge1_precision) : "-",
                                      scored ? figure(row.rouge1_recall) : "-",
                                      figure(row.rouge2.mean),
                                      figure(row.rougeL.mean),
                                      fmt::format("{:.0f}", row.mean_words),
                                      fmt::format("{:.0f}%", 100 * row.mean_length_ratio)};
    if (several && row.kind != SystemKind::reference)
      for (const double mean : row.rouge1_by_reference) cells.push_back(figure(mean));
    table.row(row_class(row.kind), cells);
  }
  std::string html = table.html();
  for (const SystemScores* system : evaluation.of_kind(SystemKind::system)) {
    html += fmt::format("<p>{} against:</p>", html_text(system->name));
    Table paired({"", "ROUGE-1", "ROUGE-2", "ROUGE-L"});
    for (const ScoreDifference& difference : system->differences) {
      const auto cell = [](const PairedDifference& d) {
        return fmt::format("{:+.4f}<small>{:+.4f} to {:+.4f}, {}</small>", d.mean, d.interval.low,
                           d.interval.high, significance(d));
      };
      paired.row("", {html_text(difference.against), cell(difference.rouge1),
                      cell(difference.rouge2), cell(difference.rougeL)});
    }
    html += paired.html();
  }
  return html;
}

std::string mentions_table(const Evaluation& evaluation) {
  Table table({"", "dates", "invented", "precision", "recall", "F1", "days off", "order", "names",
               "numbers"});
  const auto found = [](const MentionCounts& counts) {
    return counts.mentioned == 0 ? std::string("-")
                                 : fmt::format("{} of {}", counts.found, counts.mentioned);
  };
  for (const SystemScores& row : evaluation.systems)
    table.row(row_class(row.kind),
              {html_text(row.name), std::to_string(row.dates.counted),
               std::to_string(row.dates.counted - row.dates.right),
               figure(row.dates.precision(), 3), figure(row.dates.recall(), 3),
               figure(row.dates.f1(), 3), figure(row.dates.mean_days_off(), 1),
               figure(row.dates.event_order(), 2), found(row.names), found(row.numbers)});
  return table.html();
}

// The days and names that no chat has, by case.
std::string invented_list(const Evaluation& evaluation, const SystemScores& system) {
  std::string items;
  size_t n = 0;
  const auto item = [&](size_t i, std::string_view text, const std::string& why) {
    if (++n > kMaxInvented) return;
    const std::string link = case_link(i);
    const std::string id = html_text(evaluation.conversations[i].id);
    items += fmt::format("<li><mark class=\"missing\">{}</mark> {} <a href=\"{}\">{}</a></li>",
                         html_text(text), why, link, id);
  };
  for (size_t i = 0; i < system.cases.size(); i++) {
    const SummaryCase& one = system.cases[i];
    for (const JudgedTime& time : one.times.times)
      if (time.standing == TimeStanding::invented && time.counts())
        item(i,
             one.summary().substr(time.expression.begin,
                                  time.expression.end - time.expression.begin),
             fmt::format("{} days off,", time.days_off));
    for (const CheckedMention& name : one.grounding.names)
      if (!name.found) item(i, one.summary().substr(name.begin, name.end - name.begin), "name,");
  }
  if (n == 0) return fmt::format("<p>{}: nothing invented was found.</p>", html_text(system.name));
  if (n > kMaxInvented)
    items += fmt::format("<li>and {} more, in report.json</li>", n - kMaxInvented);
  return fmt::format("<p>{}, what no chat has:</p><ul class=\"invented\">{}</ul>",
                     html_text(system.name), items);
}

std::string faults_table(const Evaluation& evaluation) {
  const auto systems = evaluation.of_kind(SystemKind::system);
  std::vector<std::string> heads = {""};
  for (const SystemScores* system : systems) heads.push_back(html_text(system->name));
  Table table(heads);
  const auto row = [&](const std::string& head, const auto& cell) {
    std::vector<std::string> cells = {head};
    for (const SystemScores* system : systems) cells.push_back(cell(*system));
    table.row("", cells);
  };
  for (const FaultName& fault : kFaults)
    row(std::string(fault.title), [&](const SystemScores& system) {
      return fmt::format("{} of {}", system.count(fault.fault), system.cases.size());
    });
  row("ROUGE-1 F1 with the echo",
      [](const SystemScores& system) { return figure(system.rouge1_with_echo.mean); });
  row("ROUGE-1 F1 without the echo",
      [](const SystemScores& system) { return figure(system.rouge1.mean); });
  row("the same, no summary counted as 0",
      [](const SystemScores& system) { return figure(system.rouge1_missing_as_0.mean); });
  return table.html();
}

std::string plots(const Evaluation& evaluation) {
  const SystemScores& extractive = *evaluation.of_kind(SystemKind::floor).back();
  std::string html =
      "<div class=\"plots\"><figure><figcaption>ROUGE-1 F1 of each summary; bar: "
      "mean and its 95% interval</figcaption>" +
      score_strips(evaluation) + "</figure>";
  for (const SystemScores* system : evaluation.of_kind(SystemKind::system)) {
    std::vector<PlotPoint> floor, balance;
    for (size_t i = 0; i < system->items.size(); i++) {
      const RougeScore& ours = system->items[i].rouge.rouge1;
      const double theirs = extractive.items[i].rouge.rouge1.f1;
      const std::string& id = system->items[i].id;
      floor.push_back({theirs, ours.f1,
                       fmt::format("{}: {:.4f}, extractive {:.4f}", id, ours.f1, theirs),
                       case_link(i)});
      balance.push_back(
          {ours.recall, ours.precision,
           fmt::format("{}: precision {:.4f}, recall {:.4f}", id, ours.precision, ours.recall),
           case_link(i)});
    }
    html += fmt::format(
        "<figure><figcaption>{0}: each case against the extractive engine; above "
        "the line it is better</figcaption>{1}</figure><figure><figcaption>{0}: "
        "balance of ROUGE-1; below the line the summaries are too long, above it "
        "too short</figcaption>{2}</figure>",
        html_text(system->name), scatter(floor, {"extractive engine", "ROUGE-1 F1"}),
        scatter(balance, {"recall", "precision"}));
  }
  return html + "</div>\n";
}

std::string speed_table(const Evaluation& evaluation) {
  Table table({"", "measured", "mean", "median", "90%", "99%", "worst"});
  bool any = false;
  const auto row = [&](const std::string& head, const std::vector<double>& values, bool best_high) {
    if (values.empty()) return;
    any = true;
    // Of a rate the slow ones are the low ones.
    const auto at = [&](double q) { return figure(quantile(values, best_high ? 1 - q : q), 1); };
    table.row("", {head, std::to_string(values.size()), figure(statistics_of(values).mean, 1),
                   at(0.5), at(0.9), at(0.99), at(1)});
  };
  for (const SystemScores* system : evaluation.of_kind(SystemKind::system)) {
    const std::string name = html_text(system->name);
    row(name + ": first token, ms", system->speed.ttft_ms, false);
    row(name + ": whole answer, ms", system->speed.total_ms, false);
    row(name + ": tokens per second", system->speed.tokens_per_second, true);
  }
  return any ? "<section><h2>Speed</h2>\n" + table.html() + "</section>\n" : std::string();
}

std::string failures_html(const Evaluation& evaluation) {
  if (evaluation.failures.empty()) return {};
  std::string html =
      fmt::format("<section><h2>Failed requests: {}</h2><ul>", evaluation.failures.size());
  for (const Failure& failure : evaluation.failures)
    html +=
        fmt::format("<li>{}: {}</li>", html_text(failure.id), html_text_cut(failure.error, 1000));
  return html + "</ul></section>\n";
}

std::string section(std::string_view title, std::string_view note, const std::string& html) {
  return fmt::format("<section><h2>{}</h2><p class=\"dim\">{}</p>{}</section>\n", title, note,
                     html);
}

std::string judge_section(const Evaluation& evaluation) {
  if (!evaluation.judge) return {};
  const JudgeReport& report = *evaluation.judge;
  Table table({"", "wins", "ties", "losses"});
  for (size_t i = 0; i < kCriteria.size(); i++)
    table.row("", {std::string(kCriteria[i]), std::to_string(report.counts[i].wins),
                   std::to_string(report.counts[i].ties), std::to_string(report.counts[i].losses)});
  return section(
      "A language model as judge",
      html_text(fmt::format("{}: {} against {}, {} chats, each in both orders.", report.model,
                            evaluation.system().name, report.against, report.cases.size())),
      table.html() + "<p>" + html_text(judge_sentence(report)) + "</p>");
}

std::string body(const Evaluation& evaluation) {
  std::string html = header(evaluation) + "<div class=\"first\"><div>";
  std::string invented;
  for (const SystemScores* system : evaluation.of_kind(SystemKind::system)) {
    html += verdict_html(evaluation, *system);
    invented += invented_list(evaluation, *system);
  }
  html += "</div><section>" + scoreboard(evaluation) + "</section></div>\n";
  html += failures_html(evaluation);
  html += section("Faults", "Counted before anything is scored.",
                  "<div class=\"narrow\">" + faults_table(evaluation) + "</div>");
  html += section("Scores",
                  "Means over the chats. Intervals: percentile bootstrap, 2,000 resamples. "
                  "Significance: paired permutation test, two-sided, 10,000 permutations.",
                  all_scores(evaluation));
  html += section("Dates and names",
                  "Sums over all summaries, held against the chats. Order: Kendall's tau, 1 is "
                  "chronological.",
                  mentions_table(evaluation) + invented);
  html += judge_section(evaluation);
  html += section("Distributions", "Each dot is a chat; those of a plot lead to its case.",
                  plots(evaluation));
  html += speed_table(evaluation);
  html += section("Cases", "ROUGE-1 F1 of each; dates that are right, of those told.",
                  cases_index(evaluation));
  html +=
      "<p class=\"legend\"><mark class=\"found\">found in the chat</mark> <mark "
      "class=\"missing\">not in the chat</mark> <mark class=\"open\">not to be told</mark></p>\n";
  return html + cases_html(evaluation);
}

std::string replaced(std::string_view page, std::string_view place, const std::string& html) {
  const size_t at = page.find(place);
  CHECK(at != page.npos);
  return std::string(page.substr(0, at)) + html + std::string(page.substr(at + place.size()));
}

}  // namespace

std::string report_page(const Evaluation& evaluation) {
  // The body last: what it holds must not be taken for a place.
  const std::string page = replaced(kReportHtml, "__CHATMEM_TITLE__",
                                    "Evaluation of " + html_text(evaluation.system().name));
  const size_t at = page.rfind("__CHATMEM_BODY__");
  CHECK(at != page.npos);
  return page.substr(0, at) + body(evaluation) +
         page.substr(at + std::string_view("__CHATMEM_BODY__").size());
}

}  // namespace chatmem
