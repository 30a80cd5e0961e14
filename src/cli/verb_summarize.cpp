// chatmem summarize: the recap of a chat by the built-in engine, by a model, or bought from one.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "base/error.h"
#include "base/progress.h"
#include "cli/buy_summaries.h"
#include "cli/environment.h"
#include "cli/interrupt.h"
#include "cli/llm_flags.h"
#include "cli/summary_flags.h"
#include "cli/verbs.h"
#include "extractive/summarizer.h"
#include "text/conversation.h"

namespace chatmem {
namespace {

struct SummarizeFlags {
  std::string file, as_of, from, to, output, key, provider;
  int max_words = 220;
  uint64_t seed = 1;
  bool json = false, dry_run = false, batch = false, retry_errors = false;
  SummaryFlags writer;
  MoneyFlags money;
  FlowOptions flow;
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

// Where summaries go: to standard output as they come, or to a file that appears whole.
class Output {
 public:
  explicit Output(const SummarizeFlags& flags) : key_(flags.key) {
    if (!flags.output.empty()) file_.emplace(flags.output);
  }
  // The record with the summary under the key that the user names, else id and summary.
  void record(const Conversation& conversation, const std::string& summary) {
    Json json = {{"id", conversation.id}};
    if (!key_.empty()) json = conversation_to_json(conversation);
    json[key_.empty() ? "summary" : key_] = summary;
    line(dump_json(json));
  }
  void line(const std::string& text) {
    if (file_)
      file_->write(text + '\n');
    else
      fmt::print("{}\n", text);
  }
  void finish() {
    if (file_) file_->commit();
    if (std::fflush(stdout) != 0) throw Error("[summarize] cannot write to standard output");
  }

 private:
  const std::string key_;
  std::optional<AtomicFile> file_;
};

// `places`: of the messages in the input.
std::string recap_json(const Conversation& conversation, std::optional<Date> as_of,
                       const Recap& recap, const std::vector<int>& places) {
  Json sentences = Json::array();
  for (const RecapSentence& sentence : recap.sentences) {
    Json messages = Json::array();
    for (const int message : sentence.messages) messages.push_back(places[size_t(message)]);
    sentences.push_back({{"text", sentence.text}, {"messages", std::move(messages)}});
  }
  return dump_json({{"id", conversation.id},
                    {"as_of", as_of ? Json(format_date(*as_of)) : Json(nullptr)},
                    {"summary", recap.text()},
                    {"sentences", std::move(sentences)}});
}

// Whether one summary is all there is to say, as text.
bool is_one_text(const SummarizeFlags& flags, const std::vector<Conversation>& conversations) {
  return conversations.size() == 1 && !flags.json && flags.key.empty() && flags.output.empty();
}

int recap_all(const SummarizeFlags& flags, const std::vector<Conversation>& conversations,
              const std::vector<std::vector<int>>& places) {
  Output output(flags);
  for (size_t i = 0; i < conversations.size(); i++) {
    const Conversation& conversation = conversations[i];
    // The day it is written from: the one given, else the day of the last message.
    std::optional<Date> as_of = conversation.as_of;
    const std::vector<Date> days = conversation.days();
    if (!as_of && !days.empty()) as_of = days.back();
    const Recap recap = summarize_extractive(conversation, {as_of, flags.max_words});
    if (is_one_text(flags, conversations))
      output.line(recap.text());
    else if (flags.json)
      output.line(recap_json(conversation, as_of, recap, places[i]));
    else
      output.record(conversation, recap.text());
  }
  output.finish();
  return kDone;
}

int report_failures(const std::vector<Failure>& failures, size_t n_conversations) {
  if (failures.empty()) return kDone;
  fmt::print(stderr, "{} of {} summaries failed:\n", failures.size(), n_conversations);
  for (const Failure& failure : failures)
    fmt::print(stderr, "  {}: {}\n", failure.id, failure.error);
  fmt::print(stderr, "hint: the same command again asks for these alone\n");
  return failures.size() == n_conversations ? kFailed : kPartial;
}

fs::path journal_folder(const SummarizeFlags& flags) { return flags.output + ".journal"; }

void print_speed(const ChatResult& result) {
  const double decode_s = (result.total_ms - result.ttft_ms) / 1000;
  fmt::print(stderr, "{} prompt tokens, first token after {:.0f} ms; {} tokens in {:.2f} s",
             format_count(result.prompt_tokens), result.ttft_ms,
             format_count(result.completion_tokens), result.total_ms / 1000);
  if (result.completion_tokens > 1 && decode_s > 0)
    fmt::print(stderr, ", {:.1f} tokens/s", double(result.completion_tokens - 1) / decode_s);
  fmt::print(stderr, "\n");
  if (result.finish_reason == "length")
    fmt::print(stderr, "warning: cut off: a higher --max-tokens lets it end\n");
}

// One chat as it streams.
int stream_summary(const SummaryWriter& writer, const Conversation& conversation) {
  const ChatResult result =
      writer.summarize(conversation, [](std::string_view piece) { show_text(stdout, piece); });
  fmt::print("\n");
  if (std::fflush(stdout) != 0) throw Error("[summarize] cannot write to standard output");
  print_speed(result);
  return kDone;
}

// Several chats, decoded together; what was written is kept beside the output.
int write_file(const SummarizeFlags& flags, const SummaryWriter& writer,
               const std::vector<Conversation>& conversations) {
  const Predictions written = collect_predictions(conversations, writer.summarize,
                                                  {.output = journal_folder(flags),
                                                   .settings = writer.settings,
                                                   .concurrency = flags.writer.concurrency,
                                                   .stage = "summarize"});
  Output output(flags);
  for (size_t i = 0; i < conversations.size(); i++)
    if (written.of[i]) output.record(conversations[i], written.of[i]->text);
  if (written.failures.size() < conversations.size()) output.finish();
  return report_failures(written.failures, conversations.size());
}

int write_all(const SummarizeFlags& flags, const std::vector<Conversation>& conversations) {
  if (flags.output.empty() && conversations.size() != 1)
    throw Error("[summarize] a model's summaries of several chats need --output, none is given",
                "--output recaps.jsonl: there a run that was killed is continued", kUsage);
  const SummaryWriter writer = open_summary_writer(flags.writer, flags.seed, conversations);
  if (is_one_text(flags, conversations)) return stream_summary(writer, conversations.front());
  if (!flags.output.empty()) return write_file(flags, writer, conversations);
  Output output(flags);
  output.record(conversations.front(), writer.summarize(conversations.front(), {}).text);
  output.finish();
  return kDone;
}

BuyOptions buy_options(const CLI::App& verb, const SummarizeFlags& flags) {
  if (flags.output.empty())
    throw Error("[summarize] --provider needs --output, none is given",
                "--output FILE.jsonl: what was paid for is kept beside it", kUsage);
  if (!flags.writer.model.adapter.empty() || flags.writer.prompt_template != "temporal")
    throw Error("[summarize] --adapter and --template are of one's own model, not of --provider",
                "leave them out", kUsage);
  if (flags.batch && flags.provider != "anthropic")
    throw Error("[summarize] batches are of the anthropic provider alone", "leave out --batch",
                kUsage);
  BuyOptions options;
  options.provider = flags.provider.empty() ? "openai" : flags.provider;
  options.folder = journal_folder(flags);
  options.batch = flags.batch;
  options.ask_again = flags.retry_errors;
  if (verb.get_option("--max-tokens")->count() > 0) options.max_tokens = flags.writer.max_tokens;
  if (verb.get_option("--temperature")->count() > 0) options.temperature = flags.writer.temperature;
  LlmAccess& access = options.access;
  access.model = flags.writer.model.model;
  access.endpoint.base_url = flags.writer.endpoint;
  access.endpoint.timeout_ms = flags.writer.timeout_ms;
  access.flow = flags.flow;
  access.flow.concurrency = flags.writer.concurrency;
  access.flow.seed = flags.seed;
  apply_money_flags(flags.money, access);
  fill_from_environment(options.provider, access.endpoint);
  return options;
}

int show_estimate(const BuyEstimate& estimate, size_t n_conversations) {
  fmt::print("chats           {}, of which {} are to be asked for\n",
             format_count(int64_t(n_conversations)), format_count(estimate.to_ask));
  fmt::print("model           {}\n", estimate.model);
  fmt::print("input tokens    {} (by bytes / 3.5)\n", format_count(estimate.input_tokens));
  fmt::print("output tokens   {}, without thinking\n", format_count(estimate.output_tokens));
  if (estimate.usd)
    fmt::print("price           about ${:.4f}, at most ${:.4f}\n", *estimate.usd,
               *estimate.usd_at_most);
  fmt::print(stderr, "nothing was bought; without --dry-run it would be\n");
  return kDone;
}

int buy_all(const CLI::App& verb, const SummarizeFlags& flags,
            const std::vector<Conversation>& conversations) {
  BuyOptions options = buy_options(verb, flags);
  if (flags.dry_run)
    return show_estimate(estimate_buying(conversations, options), conversations.size());
  options.stop = stop_on_interrupt();
  const QuestionReport bought = buy_summaries(conversations, options);
  Output output(flags);
  std::vector<Failure> failures;
  size_t n_left = 0;
  for (size_t i = 0; i < conversations.size(); i++) {
    const QuestionEnd& end = bought.ends[i];
    if (!end.text.empty())
      output.record(conversations[i], end.text);
    else if (!end.failure.empty())
      failures.push_back({conversations[i].id, end.failure});
    else
      n_left++;
  }
  const size_t n_written = conversations.size() - failures.size() - n_left;
  if (n_written > 0) output.finish();
  if (bought.n_before > 0)
    fmt::print(stderr, "{} answers were there from an earlier run\n",
               format_count(bought.n_before));
  if (!bought.end_reason.empty())
    fmt::print(stderr, "{}: ended early, {} left: {}\n", n_written > 0 ? "warning" : "error",
               n_left, bought.end_reason);
  if (!bought.end_hint.empty()) fmt::print(stderr, "hint: {}\n", bought.end_hint);
  if (bought.spent_usd) fmt::print(stderr, "spent ${:.4f} on this output\n", *bought.spent_usd);
  report_failures(failures, conversations.size());
  if (n_written == 0) return kFailed;
  return n_written == conversations.size() ? kDone : kPartial;
}

void warn_about_empty(const std::vector<Conversation>& conversations, bool windowed) {
  for (const Conversation& conversation : conversations)
    if (conversation.messages.empty())
      fmt::print(stderr, "warning: conversation '{}' has no messages{}\n", conversation.id,
                 windowed ? " in these days" : "");
}

void check_key(const SummarizeFlags& flags) {
  if (flags.json && !flags.key.empty())
    throw Error("[summarize] --json and --key are two forms of output, give one", "", kUsage);
  for (const char* taken : {"id", "start_date", "end_date", "as_of", "today_date", "messages"})
    if (flags.key == taken)
      throw Error(
          fmt::format("[summarize] --key must not be one of the record's own, is '{}'", flags.key),
          "for example --key truth_summary", kUsage);
}

int summarize(const CLI::App& verb, const SummarizeFlags& flags) {
  std::optional<Date> from, to;
  if (!flags.from.empty()) from = required_date(flags.from, "--from");
  if (!flags.to.empty()) to = required_date(flags.to, "--to");
  if (from && to && *from > *to)
    throw Error("[summarize] --from must not be after --to", "", kUsage);
  check_key(flags);
  std::vector<Conversation> conversations = read_any_conversations(flags.file);
  apply_as_of(conversations, flags.as_of);
  std::vector<std::vector<int>> places;
  for (Conversation& conversation : conversations)
    places.push_back(keep_days(conversation, from, to));
  warn_about_times(conversations);
  warn_about_empty(conversations, from || to);
  const bool endpoint = !flags.writer.endpoint.empty();
  if (!flags.provider.empty() || (endpoint && !flags.output.empty()))
    return buy_all(verb, flags, conversations);
  if (flags.dry_run || flags.batch)
    throw Error("[summarize] --dry-run and --batch are of what is bought", "give --provider too",
                kUsage);
  if (endpoint || !flags.writer.model.model.empty()) return write_all(flags, conversations);
  return recap_all(flags, conversations, places);
}

void add_bought_flags(CLI::App& verb, SummarizeFlags& flags) {
  constexpr const char* kBought = "Bought summaries";
  verb.add_option("--provider", flags.provider,
                  "buy them: anthropic (with ANTHROPIC_API_KEY), or openai, any --endpoint, which "
                  "is the default where --endpoint and --output are given")
      ->check(CLI::IsMember({"anthropic", "openai"}))
      ->group(kBought);
  verb.add_flag("--dry-run", flags.dry_run, "say what it would cost, and buy nothing")
      ->group(kBought);
  verb.add_flag("--retry-errors", flags.retry_errors, "ask again where an answer could not be used")
      ->group(kBought);
  verb.add_flag("--batch", flags.batch,
                "Message Batches of anthropic: half the price, answers within a day")
      ->group(kBought);
  add_money_flags(verb, flags.money, kBought);
  add_pace_flag(verb, flags.flow, kBought);
}

}  // namespace

void add_summarize(CLI::App& app, Action& action) {
  CLI::App* verb = app.add_subcommand(
      "summarize",
      "recap a chat, without a model unless one is named\n\n"
      "example: chatmem summarize samples/chat.txt --as-of 2024-06-20\n"
      "         chatmem summarize samples/chat.txt --from 2024-05-01 --json\n"
      "         chatmem summarize --data out/training_data.jsonl > recaps.jsonl\n"
      "         chatmem summarize samples/chat.txt --model MERGED --as-of 2024-06-20\n"
      "         chatmem summarize --data test.jsonl --provider anthropic --key truth_summary "
      "--output truth.jsonl --budget 1\n\n"
      "One chat gives its recap as text; several give one JSON object a line. "
      "The reader of the recap is who writes as 'You'.");
  static SummarizeFlags flags;  // the action reads it after this function has ended
  verb->add_option("file,--data", flags.file,
                   "JSONL, *_finetune.txt, or lines 'YYYY-MM-DD HH:MM | Name: text'; - is stdin")
      ->required();
  verb->add_option("--as-of", flags.as_of,
                   "the day to write from, YYYY-MM-DD (that of the last message), or a JSONL "
                   "file of id and as_of");
  verb->add_option("--from", flags.from, "leave out messages before this day, YYYY-MM-DD");
  verb->add_option("--to", flags.to, "leave out messages after this day, YYYY-MM-DD");
  verb->add_option("--max-words", flags.max_words, "length of the recap, in words")
      ->capture_default_str()
      ->check(CLI::Range(1, 100000));
  verb->add_flag("--json", flags.json, "with the messages each sentence rests on");
  verb->add_option("--output", flags.output,
                   "a JSONL file, instead of standard output; a model's run is continued in it")
      ->type_name("FILE");
  verb->add_option("--key", flags.key,
                   "write the records of the input, with the summary under this key");
  verb->add_option("--seed", flags.seed, "of what a model in this process draws")
      ->capture_default_str();
  flags.writer.max_tokens = 512;
  add_summary_flags(*verb, flags.writer);
  add_bought_flags(*verb, flags);
  verb->preparse_callback([](size_t) { load_dotenv(); });
  verb->callback([verb, &action] { action = [verb] { return summarize(*verb, flags); }; });
}

}  // namespace chatmem
