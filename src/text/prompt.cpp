// The prompt templates and Llama 3.1's chat template.
#include "text/prompt.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/error.h"

namespace chatmem {
namespace {

constexpr std::string_view kInstruction =
    "You keep the memory of a person's chats. Write a personal summary of the dated chat for that "
    "person, the speaker \"You\", and address them as \"you\". Tell in the order of time what "
    "happened, what was decided and what is still open, with names. Give dates, and say how long "
    "ago things were, counted from the day under [AS OF], or from the end date where there is "
    "none. Use only what the chat says. Write flowing text, without lists and headings.";

// What the original project's client asked, as its outputs echo it.
constexpr std::string_view kSeedInstruction =
    "You are a chat summarization assistant. Please summarize this conversation:\n\n";

// The header that Meta's template puts before every system prompt, with its fixed default date.
constexpr std::string_view kSystemHeader =
    "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n";

// What the template adds where functions are offered.
constexpr std::string_view kFunctionsHeader = "Environment: ipython\n";
constexpr std::string_view kFunctionsRequest =
    "Given the following functions, please respond with a JSON for a function call with its proper "
    "arguments that best answers the given prompt.\n\n"
    "Respond in the format {\"name\": function name, \"parameters\": dictionary of argument name "
    "and "
    "its value}.Do not use variables.\n\n";

// Takes one space off the text's begin or end; spaces are those of Jinja's trim, which is Python's
// str.strip.
bool strip_space(std::string_view& text, bool at_end) {
  static constexpr std::string_view kSpaces[] = {
      " ",      "\n",     "\t",     "\r",     "\v",     "\f",     "\x1C",   "\x1D",
      "\x1E",   "\x1F",   "\u0085", "\u00A0", "\u1680", "\u2000", "\u2001", "\u2002",
      "\u2003", "\u2004", "\u2005", "\u2006", "\u2007", "\u2008", "\u2009", "\u200A",
      "\u2028", "\u2029", "\u202F", "\u205F", "\u3000"};
  for (const std::string_view space : kSpaces) {
    if (at_end ? !text.ends_with(space) : !text.starts_with(space)) continue;
    at_end ? text.remove_suffix(space.size()) : text.remove_prefix(space.size());
    return true;
  }
  return false;
}

std::string_view stripped(std::string_view text) {
  while (strip_space(text, false)) {
  }
  while (strip_space(text, true)) {
  }
  return text;
}

int required_special(const Tokenizer& tokenizer, std::string_view name) {
  const auto id = tokenizer.special(name);
  if (!id)
    throw Error(fmt::format("[prompt] the tokenizer must have the special token {}, has not", name),
                "the temporal template needs a tokenizer of the Llama 3 family");
  return *id;
}

// Writes turns as tokens; the texts between special tokens are encoded as plain text.
class TurnWriter {
 public:
  explicit TurnWriter(const Tokenizer& tokenizer)
      : tokenizer_(tokenizer),
        start_header_(required_special(tokenizer, "<|start_header_id|>")),
        end_header_(required_special(tokenizer, "<|end_header_id|>")),
        eot_(required_special(tokenizer, "<|eot_id|>")) {
    tokens_.push_back(required_special(tokenizer, "<|begin_of_text|>"));
  }

  // The text after a header is encoded in one go with its "\n\n", as the rendered string would be.
  void turn(std::string_view role, std::string_view content) {
    header(role);
    text("\n\n" + std::string(content));
    tokens_.push_back(eot_);
  }
  // A turn that is learnt is encoded as it will be generated: after the header with its "\n\n".
  // The split expression ends a piece there, so the tokens are those of turn().
  void learnt_turn(std::string_view role, std::string_view content) {
    header(role);
    text("\n\n");
    const size_t begin = tokens_.size();
    text(content);
    tokens_.push_back(eot_);
    target_.resize(begin, 0);
    target_.resize(tokens_.size(), 1);
  }
  void generation_header() {
    header("assistant");
    text("\n\n");
  }
  std::vector<int> take() { return std::move(tokens_); }
  Example take_example(std::string id) {
    target_.resize(tokens_.size(), 0);
    return {std::move(id), std::move(tokens_), std::move(target_)};
  }

 private:
  void header(std::string_view role) {
    tokens_.push_back(start_header_);
    text(role);
    tokens_.push_back(end_header_);
  }
  void text(std::string_view text) {
    const std::vector<int> tokens = tokenizer_.encode(text);
    tokens_.insert(tokens_.end(), tokens.begin(), tokens.end());
  }

  const Tokenizer& tokenizer_;
  int start_header_, end_header_, eot_;
  std::vector<int> tokens_;
  std::vector<uint8_t> target_;  // of the tokens so far; shorter where the last carry no loss
};

// The system turn is there always; those after it are written by write(turn, index).
template <typename Write>
void write_chat(TurnWriter& writer, std::span<const Turn> turns, std::string_view header,
                const Write& write) {
  const bool has_system = !turns.empty() && turns.front().role == "system";
  const std::string_view system = has_system ? stripped(turns.front().content) : std::string_view();
  writer.turn("system", std::string(header) + std::string(system));
  for (size_t i = has_system ? 1 : 0; i < turns.size(); i++) write(turns[i], i);
}

void check_messages(const Conversation& conversation) {
  if (conversation.messages.empty())
    throw Error(fmt::format("[prompt] the conversation '{}' must have messages, has none",
                            conversation.id));
}

std::string message_lines(const Conversation& conversation) {
  std::string lines;
  for (const Message& message : conversation.messages)
    lines += fmt::format("{} | {}\n", message.timestamp, message.content);
  return lines;
}

// The prompt's tokens, then the completion's, which carry the loss.
Example joined(std::string id, std::vector<int> prompt, const std::vector<int>& completion) {
  Example example{std::move(id), std::move(prompt), {}};
  example.target.resize(example.tokens.size(), 0);
  example.tokens.insert(example.tokens.end(), completion.begin(), completion.end());
  example.target.resize(example.tokens.size(), 1);
  return example;
}

Example encode_temporal(const Tokenizer& tokenizer, const Conversation& conversation) {
  std::vector<Turn> turns = summary_request(conversation);
  turns.push_back({"assistant", conversation.summary});
  std::vector<uint8_t> learnt(turns.size(), 0);
  learnt.back() = 1;
  return encode_chat(tokenizer, conversation.id, turns, learnt);
}

// `<s>[INST] ... [/INST]` is plain text to a Llama 3 tokenizer, as it was to the original's.
std::vector<int> encode_seed_request(const Tokenizer& tokenizer, const Conversation& conversation) {
  std::vector<int> tokens = tokenizer.encode(seed_request(conversation));
  if (tokenizer.bos() >= 0) tokens.insert(tokens.begin(), tokenizer.bos());
  return tokens;
}

Example encode_seed(const Tokenizer& tokenizer, const Conversation& conversation) {
  if (tokenizer.eos() < 0 || tokenizer.eot() < 0)
    throw Error("[prompt] the tokenizer must have <|end_of_text|> and <|eot_id|>, has not");
  const std::string answer =
      fmt::format("\n[SUMMARY]\n{} [/SUMMARY]", stripped(conversation.summary));
  std::vector<int> completion = tokenizer.encode(answer);
  completion.push_back(tokenizer.eos());
  return joined(conversation.id, encode_seed_request(tokenizer, conversation), completion);
}

}  // namespace

std::optional<PromptTemplate> parse_prompt_template(std::string_view name) {
  if (name == "temporal") return PromptTemplate::temporal;
  if (name == "seed") return PromptTemplate::seed;
  return std::nullopt;
}

std::vector<Turn> summary_request(const Conversation& conversation) {
  check_messages(conversation);
  std::string user =
      fmt::format("[START DATE]\n{}\n[CHAT MESSAGES]\n{}[END DATE]\n{}", conversation.start_date,
                  message_lines(conversation), conversation.end_date);
  if (conversation.as_of) user += fmt::format("\n[AS OF]\n{}", format_date(*conversation.as_of));
  return {{"system", std::string(kInstruction)}, {"user", std::move(user)}};
}

std::string seed_request(const Conversation& conversation) {
  check_messages(conversation);
  std::string prompt = fmt::format(
      "<s>[INST] {}[START DATE]\n{}\n[END DATE]\n{}\n"
      "[CHAT MESSAGES]\n{}",
      kSeedInstruction, conversation.start_date, conversation.end_date,
      message_lines(conversation));
  prompt.back() = ' ';  // for the last line end
  return prompt + "[/INST]";
}

std::vector<int> encode_request(const Tokenizer& tokenizer, const Conversation& conversation,
                                PromptTemplate which) {
  if (which == PromptTemplate::seed) return encode_seed_request(tokenizer, conversation);
  return render_chat(tokenizer, summary_request(conversation), Generation::prompt);
}

std::vector<int> render_chat(const Tokenizer& tokenizer, std::span<const Turn> turns,
                             Generation generation, std::span<const Json> functions) {
  TurnWriter writer(tokenizer);
  std::string header, request;
  if (!functions.empty()) header = kFunctionsHeader, request = kFunctionsRequest;
  header += kSystemHeader;
  for (const Json& function : functions) request += dump_json(function, 4) + "\n\n";
  write_chat(writer, turns, header, [&](const Turn& turn, size_t) {
    const std::string before = turn.role == "user" ? std::exchange(request, {}) : std::string();
    writer.turn(turn.role, before + std::string(stripped(turn.content)));
  });
  if (generation == Generation::prompt) writer.generation_header();
  return writer.take();
}

int Example::n_targets() const { return std::accumulate(target.begin(), target.end(), 0); }

Example encode_example(const Tokenizer& tokenizer, const Conversation& conversation,
                       PromptTemplate which) {
  check_messages(conversation);
  if (stripped(conversation.summary).empty())
    throw Error(fmt::format("[prompt] the conversation '{}' must have a summary to learn from",
                            conversation.id));
  return which == PromptTemplate::temporal ? encode_temporal(tokenizer, conversation)
                                           : encode_seed(tokenizer, conversation);
}

Example encode_chat(const Tokenizer& tokenizer, const std::string& id, std::span<const Turn> turns,
                    std::span<const uint8_t> learnt) {
  CHECK(turns.size() == learnt.size());
  if (std::ranges::count(learnt, 1) == 0)
    throw Error(
        fmt::format("[prompt] the chat '{}' must have a turn of the assistant to learn from", id));
  TurnWriter writer(tokenizer);
  write_chat(writer, turns, kSystemHeader, [&](const Turn& turn, size_t i) {
    const std::string_view content = stripped(turn.content);
    if (learnt[i] && content.empty())
      throw Error(fmt::format("[prompt] the chat '{}': turn {} must not be empty to be learnt from",
                              id, i + 1));
    learnt[i] ? writer.learnt_turn(turn.role, content) : writer.turn(turn.role, content);
  });
  return writer.take_example(id);
}

Example encode_completion(const Tokenizer& tokenizer, const std::string& id,
                          std::string_view prompt, std::string_view completion) {
  if (tokenizer.eos() < 0) throw Error("[prompt] the tokenizer must have <|end_of_text|>, has not");
  if (prompt.empty() || completion.empty())
    throw Error(
        fmt::format("[prompt] the record '{}' must have a prompt and a completion, its {} "
                    "is empty",
                    id, prompt.empty() ? "prompt" : "completion"));
  for (const std::string_view mark :
       {"<|start_header_id|>", "<|eot_id|>", "<|im_start|>", "[/INST]"})
    for (const std::string_view text : {prompt, completion})
      if (text.find(mark) != text.npos)
        throw Error(fmt::format("[prompt] the record '{}' must be plain text, holds {}", id, mark),
                    "give chats as messages with role and content: the template is put in here");
  std::vector<int> tokens = tokenizer.encode(prompt);
  if (tokenizer.bos() >= 0) tokens.insert(tokens.begin(), tokenizer.bos());
  std::vector<int> learnt = tokenizer.encode(completion);
  learnt.push_back(tokenizer.eos());
  return joined(id, std::move(tokens), learnt);
}

}  // namespace chatmem
