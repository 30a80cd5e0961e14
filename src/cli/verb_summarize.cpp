// chatmem summarize: the recap of a chat by the built-in engine.
#include <fmt/format.h>

#include <cstdio>

#include "base/error.h"
#include "cli/verbs.h"
#include "extractive/summarizer.h"
#include "text/conversation.h"

namespace chatmem {
namespace {

struct SummarizeOptions {
  std::string file, as_of, from, to;
  int max_words = 220;
  bool json = false;
};

Date required_date(const std::string& text, std::string_view flag) {
  if (const auto date = parse_date(text)) return *date;
  throw Error(fmt::format("[summarize] {} must be a date, found '{}'", flag, text),
              "write it as YYYY-MM-DD, for example 2024-05-27", kUsage);
}

// A date is that day for every conversation; anything else names a file of id and as_of.
void apply_as_of(std::vector<Conversation>& conversations, const std::string& as_of) {
  if (as_of.empty()) return;
  if (const auto date = parse_date(as_of)) {
    for (Conversation& conversation : conversations) conversation.as_of = date;
    return;
  }
  if (!fs::exists(as_of))
    throw Error(
        fmt::format("[summarize] --as-of must be a date or a JSONL file, found '{}'", as_of),
        "write the date as YYYY-MM-DD, for example 2024-05-27", kUsage);
  if (join_as_of(conversations, as_of) == 0)
    fmt::print(stderr, "warning: no id of the input is in {}\n", as_of);
}

void warn_about_times(const std::vector<Conversation>& conversations) {
  size_t count = 0;
  std::string first;
  for (const Conversation& conversation : conversations)
    for (size_t i = 0; i < conversation.messages.size(); i++) {
      const Message& message = conversation.messages[i];
      if (message.time()) continue;
      if (count++ == 0)
        first = fmt::format("conversation '{}', message {}: '{}'", conversation.id, i + 1,
                            message.timestamp);
    }
  if (count > 0)
    fmt::print(stderr,
               "warning: {} message{} without a readable time, kept in place; the first: {}\n",
               count, count == 1 ? "" : "s", first);
}

// `places`: of the messages in the input.
void print_json(const Conversation& conversation, const Recap& recap,
                const std::vector<int>& places) {
  Json sentences = Json::array();
  for (const RecapSentence& sentence : recap.sentences) {
    Json messages = Json::array();
    for (const int message : sentence.messages) messages.push_back(places[size_t(message)]);
    sentences.push_back({{"text", sentence.text}, {"messages", std::move(messages)}});
  }
  const Json as_of = conversation.as_of ? Json(format_date(*conversation.as_of)) : Json(nullptr);
  const Json line = {{"id", conversation.id},
                     {"as_of", as_of},
                     {"summary", recap.text()},
                     {"sentences", std::move(sentences)}};
  fmt::print("{}\n", dump_json(line));
}

int summarize(const SummarizeOptions& options) {
  std::optional<Date> from, to;
  if (!options.from.empty()) from = required_date(options.from, "--from");
  if (!options.to.empty()) to = required_date(options.to, "--to");
  if (from && to && *from > *to)
    throw Error("[summarize] --from must not be after --to", "", kUsage);
  std::vector<Conversation> conversations = read_any_conversations(options.file);
  apply_as_of(conversations, options.as_of);
  std::vector<std::vector<int>> places;
  for (Conversation& conversation : conversations)
    places.push_back(keep_days(conversation, from, to));
  warn_about_times(conversations);
  for (size_t i = 0; i < conversations.size(); i++) {
    Conversation& conversation = conversations[i];
    // The day it is written from: the one given, else the day of the last message.
    if (!conversation.as_of && !conversation.days().empty())
      conversation.as_of = conversation.days().back();
    const Recap recap = summarize_extractive(conversation, {conversation.as_of, options.max_words});
    if (conversation.messages.empty())
      fmt::print(stderr, "warning: conversation '{}' has no messages{}\n", conversation.id,
                 from || to ? " in these days" : "");
    if (options.json)
      print_json(conversation, recap, places[i]);
    else if (conversations.size() == 1)
      fmt::print("{}\n", recap.text());
    else
      fmt::print("{}\n", dump_json({{"id", conversation.id}, {"summary", recap.text()}}));
  }
  if (std::fflush(stdout) != 0) throw Error("[summarize] cannot write to standard output");
  return kDone;
}

}  // namespace

void add_summarize(CLI::App& app, Action& action) {
  CLI::App* verb = app.add_subcommand(
      "summarize",
      "recap a chat, without a model\n\n"
      "example: chatmem summarize samples/chat.txt --as-of 2024-06-20\n"
      "         chatmem summarize samples/chat.txt --from 2024-05-01 --json\n"
      "         chatmem summarize --data out/training_data.jsonl > recaps.jsonl\n\n"
      "One chat gives its recap as text; several give one JSON object a line. "
      "The reader of the recap is who writes as 'You'.");
  static SummarizeOptions options;  // the action reads it after this function has ended
  verb->add_option("file,--data", options.file,
                   "JSONL, *_finetune.txt, or lines 'YYYY-MM-DD HH:MM | Name: text'; - is stdin")
      ->required();
  verb->add_option("--as-of", options.as_of,
                   "the day to write from, YYYY-MM-DD (that of the last message), or a JSONL "
                   "file of id and as_of");
  verb->add_option("--from", options.from, "leave out messages before this day, YYYY-MM-DD");
  verb->add_option("--to", options.to, "leave out messages after this day, YYYY-MM-DD");
  verb->add_option("--max-words", options.max_words, "length of the recap, in words")
      ->capture_default_str()
      ->check(CLI::Range(1, 100000));
  verb->add_flag("--json", options.json, "with the messages each sentence rests on");
  verb->callback([&action] { action = [] { return summarize(options); }; });
}

}  // namespace chatmem
