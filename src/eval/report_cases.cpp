#include "eval/report_cases.h"

#include <fmt/format.h>

#include <algorithm>

#include "eval/html.h"

namespace chatmem {
namespace {

constexpr size_t kMaxMessages = 400;      // shown of a chat
constexpr size_t kMaxTextBytes = 20'000;  // shown of a message, an echo, a piece of a summary

struct Mark {
  size_t begin = 0, end = 0;
  std::string_view kind;  // found, missing, open
  std::string why;
};

Mark mark_of(const JudgedTime& time) {
  Mark mark{time.expression.begin, time.expression.end, "open", {}};
  switch (time.standing) {
    case TimeStanding::written:
      return {mark.begin, mark.end, "found", "a message was written then"};
    case TimeStanding::named:
      return {mark.begin, mark.end, "found", "a message names this day"};
    case TimeStanding::told_now:
      mark.why = "the day the summary is told from";
      return mark;
    case TimeStanding::untold:
      mark.why = "the text does not tell which day";
      return mark;
    case TimeStanding::invented:
      break;
  }
  if (time.expression.kind == TimeKind::period) {
    mark.why = "a stretch of time, not counted";
    return mark;
  }
  return {mark.begin, mark.end, "missing",
          fmt::format("no message is of this day: {} days from the nearest", time.days_off)};
}

std::vector<Mark> marks_of(const SummaryCase& one) {
  std::vector<Mark> marks;
  for (const JudgedTime& time : one.times.times) marks.push_back(mark_of(time));
  for (const CheckedMention& name : one.grounding.names)
    marks.push_back({name.begin, name.end, name.found ? "found" : "missing",
                     name.found ? "a name of the chat" : "the chat does not have this name"});
  std::sort(marks.begin(), marks.end(),
            [](const Mark& a, const Mark& b) { return a.begin < b.begin; });
  return marks;
}

std::string marked_text(const SummaryCase& one) {
  const std::string_view text = one.summary();
  std::string html;
  size_t at = 0;
  for (const Mark& mark : marks_of(one)) {
    if (mark.begin < at) continue;
    html += html_text_cut(text.substr(at, mark.begin - at), kMaxTextBytes);
    html += fmt::format("<mark class=\"{}\" title=\"{}\">{}</mark>", mark.kind, mark.why,
                        html_text(text.substr(mark.begin, mark.end - mark.begin)));
    at = mark.end;
  }
  return html + html_text_cut(text.substr(at), kMaxTextBytes);
}

// What stands before and behind the summary in the prediction.
std::string echo_html(std::string_view title, std::string_view text) {
  if (text.find_first_not_of(" \n\r\t") == text.npos) return {};
  return fmt::format("<div class=\"echo\"><b>{}, {} bytes, left out of the score</b>\n{}</div>",
                     title, text.size(), html_text_cut(text, kMaxTextBytes));
}

std::string fault_chips(const Diagnosis& diagnosis) {
  std::string chips;
  for (const FaultName& fault : kFaults)
    if (diagnosis.has(fault.fault))
      chips += fmt::format("<span class=\"chip\">{}</span> ", fault.title);
  return chips;
}

std::string speed_text(const SummaryCase& one) {
  if (one.total_ms <= 0) return {};
  std::string text =
      fmt::format(" · first token {:.0f} ms, all {:.1f} s", one.ttft_ms, one.total_ms / 1000);
  if (const double rate = one.tokens_per_second(); rate > 0)
    text += fmt::format(", {:.1f} tokens/s", rate);
  return text;
}

std::string summary_html(const SystemScores& row, size_t i) {
  const SummaryCase& one = row.cases[i];
  std::string facts = fmt::format("{} words", one.words);
  if (row.kind == SystemKind::system) {
    const RougeScores& rouge = row.items[i].rouge;
    facts = fmt::format(
        "ROUGE-1 {:.4f} (precision {:.2f}, recall {:.2f}) · ROUGE-2 {:.4f} · {} "
        "words, {:.0f}% of the reference{}",
        rouge.rouge1.f1, rouge.rouge1.precision, rouge.rouge1.recall, rouge.rouge2.f1, one.words,
        100 * one.length_ratio, speed_text(one));
    if (one.summary().size() != one.text.size())
      facts +=
          fmt::format(" · ROUGE-1 with the echo {:.4f}", row.items_with_echo[i].rouge.rouge1.f1);
  }
  const std::string_view text = one.text;
  return fmt::format(
      "<section class=\"text {}\"><h4>{}</h4><p class=\"dim\">{}</p>{}{}<div class=\"{}\">{}"
      "</div>{}</section>",
      row.kind == SystemKind::system ? "prediction" : "reference", html_text(row.name), facts,
      fault_chips(one.diagnosis), echo_html("before it", text.substr(0, one.diagnosis.begin)),
      one.diagnosis.has_summary() ? "summary" : "summary none", marked_text(one),
      echo_html("behind it", text.substr(one.diagnosis.end)));
}

std::string chat_html(const Conversation& conversation) {
  std::string html = "<section class=\"chat\"><h4>Chat</h4><div class=\"messages\">";
  std::string_view day;
  const size_t n = std::min(conversation.messages.size(), kMaxMessages);
  for (size_t i = 0; i < n; i++) {
    const Message& message = conversation.messages[i];
    const std::string_view stamp = message.timestamp;
    const bool dated = message.date().has_value();
    if (dated && stamp.substr(0, 10) != day) {
      day = stamp.substr(0, 10);
      html += fmt::format("<h5>{}</h5>", html_text(day));
    }
    html += fmt::format("<p><time>{}</time> <b>{}</b> {}</p>",
                        html_text(dated ? stamp.substr(10) : stamp), html_text(message.speaker()),
                        html_text_cut(message.text(), kMaxTextBytes));
  }
  if (n < conversation.messages.size())
    html +=
        fmt::format("<p class=\"dim\">and {} more messages</p>", conversation.messages.size() - n);
  return html + "</div></section>";
}

std::string case_html(const Evaluation& evaluation, size_t i) {
  const Conversation& conversation = evaluation.conversations[i];
  std::string facts = fmt::format("{} to {}, {} messages", html_text(conversation.start_date),
                                  html_text(conversation.end_date), conversation.messages.size());
  facts += conversation.as_of ? ", told from " + format_date(*conversation.as_of)
                              : std::string(", told from its last day (no as_of is known)");
  std::string predictions, references;
  for (const SystemScores& row : evaluation.systems) {
    if (row.kind == SystemKind::system) predictions += summary_html(row, i);
    if (row.kind == SystemKind::reference) references += summary_html(row, i);
  }
  return fmt::format(
      "<article id=\"case-{}\"><h3>{}</h3><p class=\"dim\">{}</p><div class=\"sides\">{}<div>{}"
      "</div><div>{}</div></div></article>\n",
      i + 1, html_text(conversation.id), facts, chat_html(conversation), predictions, references);
}

size_t n_shown(const Evaluation& evaluation) {
  return std::min(evaluation.conversations.size(), kMaxReportCases);
}

}  // namespace

std::string case_link(size_t i) {
  return i < kMaxReportCases ? fmt::format("#case-{}", i + 1) : std::string();
}

std::string cases_index(const Evaluation& evaluation) {
  const auto systems = evaluation.of_kind(SystemKind::system);
  const auto floors = evaluation.of_kind(SystemKind::floor);
  const SystemScores& extractive = *floors.back();
  std::string html = "<div class=\"scroll index\"><table><thead><tr><th>case</th>";
  for (const SystemScores* system : systems)
    html += fmt::format("<th>{}</th><th>dates</th><th>words</th><th class=\"left\">faults</th>",
                        html_text(system->name));
  html += fmt::format("<th>{}</th></tr></thead><tbody>", html_text(extractive.name));
  for (size_t i = 0; i < n_shown(evaluation); i++) {
    html += fmt::format("<tr><th><a href=\"{}\">{}</a></th>", case_link(i),
                        html_text(evaluation.conversations[i].id));
    for (const SystemScores* system : systems) {
      const SummaryCase& one = system->cases[i];
      const TemporalCounts& dates = one.times.counts;
      html += fmt::format("<td>{:.4f}</td><td>{}</td><td>{}</td><td class=\"left\">{}</td>",
                          system->items[i].rouge.rouge1.f1,
                          dates.counted == 0 ? std::string("-")
                                             : fmt::format("{} of {}", dates.right, dates.counted),
                          one.words, fault_chips(one.diagnosis));
    }
    html += fmt::format("<td>{:.4f}</td></tr>\n", extractive.items[i].rouge.rouge1.f1);
  }
  return html + "</tbody></table></div>";
}

std::string cases_html(const Evaluation& evaluation) {
  std::string html;
  const size_t n = n_shown(evaluation), all = evaluation.conversations.size();
  if (n < all)
    html += fmt::format(
        "<p>This page shows the first {} of {} cases; scores.csv and report.json "
        "have all.</p>",
        n, all);
  for (size_t i = 0; i < n; i++) html += case_html(evaluation, i);
  return html;
}

}  // namespace chatmem
