#include "eval/sources.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "base/error.h"
#include "base/json.h"
#include "base/utf8.h"
#include "text/words.h"

namespace chatmem {
namespace {

// "NAME=REST"; what stands before the first "=" is no name when it has a slash or a colon.
struct NamedArgument {
  std::string_view name, rest;
};

NamedArgument parse_named_argument(std::string_view argument) {
  const size_t equals = argument.find('=');
  if (equals == argument.npos || argument.substr(0, equals).find_first_of("/:") != argument.npos)
    return {{}, argument};
  const NamedArgument named{argument.substr(0, equals), argument.substr(equals + 1)};
  if (named.name.empty() || named.rest.empty())
    throw Error(
        fmt::format("[evaluate] a name and what it names must be NAME=SOURCE, is '{}'", argument),
        "", kUsage);
  return named;
}

std::string short_name(const TextSource& source) {
  const std::string file = source.path.filename().string();
  return source.key.empty() ? file : file + ":" + source.key;
}

[[noreturn]] void refuse(std::string_view what, const std::string& where,
                         const std::vector<std::string>& without) {
  throw Error(fmt::format("[evaluate] each conversation must have a {}, '{}' lacks {}: {}", what,
                          where, without.size(), fmt::join(without, ", ")));
}

// The row of each conversation. `what` is for the messages: "prediction".
std::vector<TextRow> rows_of_conversations(std::span<const Conversation> conversations,
                                           const TextSource& source, std::string_view what) {
  std::vector<TextRow> rows = read_text_rows(source);
  for (TextRow& row : rows) row.text = replace_invalid_utf8(row.text);
  if (!rows.front().id) {
    if (rows.size() != conversations.size())
      throw Error(
          fmt::format("[evaluate] {}s without ids must be as many as the conversations, "
                      "'{}' has {} for {}",
                      what, source.path.string(), rows.size(), conversations.size()));
    return rows;
  }
  std::unordered_map<std::string_view, size_t> by_id;
  for (size_t i = 0; i < rows.size(); i++) by_id.emplace(*rows[i].id, i);
  std::vector<TextRow> found;
  std::vector<std::string> without;
  for (const Conversation& conversation : conversations) {
    const auto it = by_id.find(conversation.id);
    if (it == by_id.end())
      without.push_back(conversation.id);
    else
      found.push_back(rows[it->second]);
  }
  if (!without.empty()) refuse(what, source.path.string(), without);
  return found;
}

std::vector<std::string> texts_under(std::span<const Conversation> conversations,
                                     std::string_view key) {
  std::vector<std::string> texts;
  for (const Conversation& conversation : conversations) {
    const auto it = conversation.source.find(key);
    const bool is_text = it != conversation.source.end() && it->is_string();
    texts.push_back(key == "summary" ? conversation.summary
                    : is_text        ? it->get<std::string>()
                                     : std::string());
  }
  return texts;
}

// What a line of predictions.jsonl says beside the text; other files have none of it.
void add_measurements(const Json& row, Prediction& prediction) {
  const auto number = [&](const char* key) {
    const auto it = row.find(key);
    const double value = it != row.end() && it->is_number() ? it->get<double>() : 0;
    return value > 0 && value < 1e12 ? value : 0;
  };
  if (const auto it = row.find("finish_reason"); it != row.end() && it->is_string())
    prediction.finish_reason = it->get<std::string>();
  prediction.ttft_ms = number("ttft_ms");
  prediction.total_ms = number("total_ms");
  prediction.prompt_tokens = int(std::min(number("prompt_tokens"), 1e9));
  prediction.completion_tokens = int(std::min(number("completion_tokens"), 1e9));
}

}  // namespace

ReferenceTexts read_references(std::span<const Conversation> conversations,
                               std::span<const std::string> arguments) {
  CHECK(!arguments.empty());
  ReferenceTexts references;
  for (const std::string& argument : arguments) {
    const auto [name, rest] = parse_named_argument(argument);
    std::string own_name(rest);
    std::vector<std::string> texts;
    if (rest.find(':') == rest.npos) {
      texts = texts_under(conversations, rest);
    } else {
      const TextSource source = parse_text_source(rest);
      own_name = short_name(source);
      for (TextRow& row : rows_of_conversations(conversations, source, "reference"))
        texts.push_back(std::move(row.text));
    }
    std::vector<std::string> without;
    for (size_t i = 0; i < texts.size(); i++)
      if (count_words(texts[i]) == 0) without.push_back(conversations[i].id);
    if (!without.empty())
      refuse("summary to score against", rest == own_name ? "--data, key " + own_name : own_name,
             without);
    references.names.push_back(name.empty() ? own_name : std::string(name));
    references.texts.push_back(std::move(texts));
    if (std::count(references.names.begin(), references.names.end(), references.names.back()) > 1)
      throw Error(fmt::format("[evaluate] each of the references must have a name of its own, "
                              "'{}' comes twice",
                              references.names.back()),
                  "name them: --references NAME=FILE.jsonl:key", kUsage);
  }
  return references;
}

SystemAnswers read_system_answers(std::span<const Conversation> conversations,
                                  std::string_view argument) {
  const auto [name, rest] = parse_named_argument(argument);
  const TextSource source = parse_text_source(rest);
  SystemAnswers answers{name.empty() ? short_name(source) : std::string(name), {}};
  std::unordered_map<size_t, Prediction> by_line;
  if (source.path.extension() == ".jsonl")
    for_each_json_line(source.path,
                       [&](Json& row, size_t line) { add_measurements(row, by_line[line]); });
  const std::vector<TextRow> rows = rows_of_conversations(conversations, source, "prediction");
  for (size_t i = 0; i < rows.size(); i++) {
    Prediction& prediction = answers.predictions.of.emplace_back(by_line[rows[i].line]).value();
    prediction.id = conversations[i].id;
    prediction.text = rows[i].text;
  }
  return answers;
}

}  // namespace chatmem
