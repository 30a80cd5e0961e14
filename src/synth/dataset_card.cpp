#include "synth/dataset_card.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/json.h"
#include "base/progress.h"
#include "base/utf8.h"
#include "text/words.h"

namespace chatmem {
namespace {

// One line, with what has a meaning in a Markdown table or code taken out.
std::string in_table(std::string_view text) {
  std::string out;
  for (const char c : replace_invalid_utf8(text)) {
    if (uint8_t(c) < ' ')
      out += ' ';
    else if (c == '|' || c == '`' || c == '<')
      out += '_';
    else
      out += c;
  }
  return out;
}

// Plain where YAML takes it for a string anyhow, else quoted as JSON, which YAML includes.
std::string in_yaml(std::string_view text) {
  const std::string line = in_table(text);
  const bool plain = !line.empty() && std::all_of(line.begin(), line.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c == '/';
  });
  return plain ? line : dump_json(line);
}

// The sizes that the hub's search knows.
std::string_view size_category(int64_t rows) {
  if (rows < 1'000) return "n<1K";
  if (rows < 10'000) return "1K<n<10K";
  if (rows < 100'000) return "10K<n<100K";
  return rows < 1'000'000 ? "100K<n<1M" : "1M<n<10M";
}

std::string header(const DatasetCard& card) {
  std::string text = "---\n";
  text += fmt::format("license: {}\n", card.license.empty() ? "unknown" : in_yaml(card.license));
  text += "language:\n- en\ntask_categories:\n- summarization\n";
  text += "tags:\n- synthetic\n- conversations\n- chatmem\n";
  text += fmt::format("size_categories:\n- {}\n", size_category(card.stats.rows));
  if (!card.splits.empty()) text += "configs:\n- config_name: default\n  data_files:\n";
  for (const CardSplit& split : card.splits)
    text += fmt::format("  - split: {}\n    path: {}\n", in_yaml(split.name), in_yaml(split.file));
  return text + "---\n\n";
}

std::string provenance(const DatasetCard& card) {
  std::string text = "## Provenance\n\n| | |\n|---|---|\n";
  const auto line = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) text += fmt::format("| {} | {} |\n", name, in_table(value));
  };
  line("input", fmt::format("{}, {} rows", card.input_file, format_count(card.input_rows)));
  line("fingerprint of the input", card.input_fingerprint);
  line("duplicates in the input",
       fmt::format("{} exact, {} near (Jaccard of runs of five words at least 0.7)",
                   format_count(card.exact_duplicates), format_count(card.near_duplicates)));
  line("provider", card.provider);
  line("model", card.model);
  line("version of the prompt", card.prompt_hash);
  line("seed", fmt::format("{}", card.seed));
  line("year of today", fmt::format("{}", card.year));
  line("made with", "chatmem " + card.version);
  if (card.cost_usd) line("cost", fmt::format("${:.4f}", *card.cost_usd));
  text += fmt::format("\n```\n{}\n```\n\n", in_table(card.command));
  return text;
}

std::string counts(const ResultStats& stats) {
  std::string text = fmt::format("## Counts\n\n{} rows with {} messages; {} rows failed.\n\n",
                                 format_count(stats.rows), format_count(stats.messages),
                                 format_count(stats.errors));
  if (stats.rows > 0) {
    text += "| a row | min | 25% | median | 75% | max |\n|---|--:|--:|--:|--:|--:|\n";
    const auto line = [&](std::string_view name, const Quartiles& q) {
      text += fmt::format("| {} | {:.0f} | {:.0f} | {:.0f} | {:.0f} | {:.0f} |\n", name, q.min,
                          q.q1, q.median, q.q3, q.max);
    };
    line("conversations", stats.conversations);
    line("messages", stats.messages_a_row);
    line("days with messages", stats.days);
    line("span in days", stats.span_days);
    line("words of the summary", stats.summary_words);
    text += '\n';
  }
  if (!stats.errors_by_reason.empty()) text += "| failed rows | reason |\n|--:|---|\n";
  for (size_t i = 0; i < std::min<size_t>(stats.errors_by_reason.size(), 10); i++)
    text += fmt::format("| {} | {} |\n", format_count(stats.errors_by_reason[i].second),
                        in_table(stats.errors_by_reason[i].first));
  return text + (stats.errors_by_reason.empty() ? "" : "\n");
}

std::string splits(const DatasetCard& card) {
  if (card.splits.empty()) return "";
  std::string text = "## Splits\n\n| split | file | rows |\n|---|---|--:|\n";
  for (const CardSplit& split : card.splits)
    text += fmt::format("| {} | {} | {} |\n", in_table(split.name), in_table(split.file),
                        format_count(split.rows));
  text += fmt::format(
      "\nA row's split follows from a hash of its dialogue; exact and near duplicates are kept "
      "together. {} found across splits.\n\n",
      card.leaks == 0   ? "No duplicates were"
      : card.leaks == 1 ? "1 pair of duplicates was"
                        : format_count(card.leaks) + " pairs of duplicates were");
  return text;
}

constexpr std::string_view kRecord = R"(## A record

One JSON object a line: `id`; `start_date`, `end_date`, the days of the first and the last message;
`as_of`, the day the summary is written from; `messages` with `timestamp` (YYYY-MM-DD HH:MM) and
`content` ("Speaker: text", the reader is "You"); `summary`. Without `as_of` the relative times of a
summary ("two months ago") cannot be told from the messages.

)";

std::string limits(const DatasetCard& card) {
  std::string text = "## Known limits\n\n";
  text += card.provider == "offline"
              ? "- Made without a language model: the conversations are dialogues of the input put "
                "on dates, and the summaries retell their human summaries.\n"
              : "- Written by a language model: persons, events and dates are invented. Dates are "
                "checked against the messages; what a summary says of events is not.\n";
  text += "- No message is a real person's. English only; without time zones.\n";
  text += fmt::format("- All messages of a row lie in the year {}.\n\n", card.year);
  return text;
}

std::string licence(const DatasetCard& card) {
  std::string text = "## Licence\n\n";
  text += card.license.empty()
              ? "None was given when this was made, so it is unknown."
              : fmt::format("Given by whoever made this: {}.", in_table(card.license));
  text +=
      " The data derives from its input and its licence must allow that: DialogSum, for which "
      "this format was made, is CC BY-NC-SA 4.0, which asks for attribution and the same "
      "licence and allows no commercial use.";
  if (card.provider != "offline")
    text += " The terms of the model's provider say what its outputs may train; check them.";
  return text + "\n";
}

// "--api-key", "--auth_token".
bool is_secret_option(std::string_view name) {
  const std::string lower = to_lower_ascii(name);
  return lower.starts_with("-") &&
         (lower.find("key") != lower.npos || lower.find("secret") != lower.npos ||
          lower.find("password") != lower.npos || lower.ends_with("token"));
}

// Of a URL the user part and the query.
std::string without_url_secrets(std::string text) {
  const size_t scheme = text.find("://");
  if (scheme == text.npos) return text;
  const size_t host = scheme + 3, path = std::min(text.find('/', host), text.size());
  const size_t query = text.find('?', host);
  if (query != text.npos) text = text.substr(0, query) + "?***";
  const size_t user = text.rfind('@', path);
  if (user != text.npos && user >= host && user < path) text.replace(host, user - host, "***");
  return text;
}

std::string in_shell(const std::string& text) {
  if (!text.empty() && text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                              "0123456789_-./,:=%+") == text.npos)
    return text;
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

}  // namespace

std::string dataset_card(const DatasetCard& card) {
  return header(card) + fmt::format("# {}\n\n", in_table(card.title)) +
         "Chat histories of two people over days to months, each with a personal summary that the "
         "reader would want on a given day: what happened, and how long ago.\n\n" +
         provenance(card) + counts(card.stats) + splits(card) + std::string(kRecord) +
         limits(card) + licence(card);
}

std::string command_line(const std::vector<std::string>& arguments) {
  std::string text;
  bool secret = false;
  for (const std::string& argument : arguments) {
    std::string shown = without_url_secrets(argument);
    const size_t equals = argument.find('=');
    if (secret || argument.find("sk-") == 0 || argument.find("=sk-") != argument.npos)
      shown = "***";
    else if (equals != argument.npos && is_secret_option(argument.substr(0, equals)))
      shown = argument.substr(0, equals) + "=***";
    secret = !secret && equals == argument.npos && is_secret_option(argument);
    text += (text.empty() ? "" : " ") + (shown == "***" ? shown : in_shell(shown));
  }
  return text;
}

}  // namespace chatmem
