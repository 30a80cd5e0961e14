// Examples from records: conversations, chats, completions, tokens.
#include "train/encode.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>

#include "base/error.h"

namespace chatmem {
namespace {

int rendered_size(const Tokenizer& tokenizer, std::span<const Turn> turns) {
  return int(render_chat(tokenizer, turns, Generation::no).size());
}

// Turns [begin, end) of a chat that go into one window.
struct TurnRange {
  size_t begin, end;
};

// The pieces that cannot be divided: each ends with a turn that is learnt. What follows the last of
// these is in none.
std::vector<TurnRange> exchanges(const ChatRecord& chat, size_t begin) {
  std::vector<TurnRange> pieces;
  for (size_t i = begin; i < chat.turns.size(); i++)
    if (chat.learnt[i]) {
      pieces.push_back({begin, i + 1});
      begin = i + 1;
    }
  return pieces;
}

// Encodes records into a data set and collects those that are too long.
class Encoder {
 public:
  Encoder(const Tokenizer* tokenizer, const EncodeRules& rules)
      : tokenizer_(tokenizer), rules_(rules) {}

  void add(const Conversation& conversation) {
    put(encode_example(tokenizer(), conversation, rules_.which));
  }
  void add(const CompletionRecord& record) {
    put(encode_completion(tokenizer(), record.id, record.prompt, record.completion));
  }
  void add(const ChatRecord& chat) {
    Example whole = encode_chat(tokenizer(), chat.id, chat.turns, chat.learnt);
    if (rules_.too_long == TooLong::split && int(whole.tokens.size()) > rules_.max_tokens)
      split(chat);
    else
      put(std::move(whole));
  }
  void add(const TokenRecord& record) {
    Example example{record.id, record.tokens, record.target};
    if (!example.target.empty()) example.target[0] = 0;  // nothing is before it
    if (example.n_targets() == 0)
      throw Error(fmt::format("[encode] '{}' must have a target: no label after the first is a "
                              "token, of {}",
                              record.id, record.tokens.size()),
                  "labels are -100 where no loss is, else the token itself");
    const int n = tokenizer_ ? tokenizer_->vocab_size() : std::numeric_limits<int>::max();
    for (const int token : example.tokens) {
      if (token >= n)
        throw Error(fmt::format("[encode] '{}' has token {}, outside the tokenizer's vocabulary "
                                "of {}",
                                record.id, token, n),
                    "the tokenizer that made these tokens is another");
      largest_token_ = std::max(largest_token_, token);
    }
    put(std::move(example));
  }

  Dataset take() {
    if (!too_long_.empty())
      throw Error(fmt::format("[encode] an example must have at most {} tokens, {} have more: {}",
                              rules_.max_tokens, too_long_.size(), first_names(too_long_)),
                  hint());
    return std::move(dataset_);
  }
  int largest_token() const { return largest_token_; }

 private:
  const Tokenizer& tokenizer() const {
    if (!tokenizer_)
      throw Error("[encode] records of text need a tokenizer, found none", "give --tokenizer");
    return *tokenizer_;
  }
  void put(Example example) {
    if (int(example.tokens.size()) > rules_.max_tokens)
      too_long_.push_back(fmt::format("{} ({})", example.id, example.tokens.size()));
    else
      dataset_.examples.push_back(std::move(example));
  }

  // As many exchanges to a window as it holds.
  void split(const ChatRecord& chat) {
    const size_t first = chat.turns[0].role == "system" ? 1 : 0;
    const auto system = std::span(chat.turns).first(first);
    const Turn other{"user", ""};  // so that a system turn is not taken for the chat's first
    const int frame = rendered_size(tokenizer(), system),
              alone = rendered_size(tokenizer(), {&other, 1});
    const auto size_of = [&](TurnRange range) {
      int size = 0;
      for (size_t i = range.begin; i < range.end; i++)
        size += rendered_size(tokenizer(), std::vector{other, chat.turns[i]}) - alone;
      return size;
    };
    TurnRange window{first, first};
    int size = frame, n = 0;
    const auto flush = [&] {
      if (window.begin == window.end) return;
      std::vector<Turn> turns(system.begin(), system.end());
      turns.insert(turns.end(), chat.turns.begin() + ptrdiff_t(window.begin),
                   chat.turns.begin() + ptrdiff_t(window.end));
      std::vector<uint8_t> learnt(first, 0);
      learnt.insert(learnt.end(), chat.learnt.begin() + ptrdiff_t(window.begin),
                    chat.learnt.begin() + ptrdiff_t(window.end));
      put(encode_chat(tokenizer(), fmt::format("{}#{}", chat.id, ++n), turns, learnt));
      window.begin = window.end;
      size = frame;
    };
    for (const TurnRange exchange : exchanges(chat, first)) {
      const int more = size_of(exchange);
      if (size + more > rules_.max_tokens) flush();
      window.end = exchange.end;
      size += more;
    }
    flush();
    dataset_.info.n_split++;
  }

  std::string hint() const {
    if (rules_.too_long == TooLong::split)
      return "a single exchange is longer than that: raise --max-tokens, or take these records out";
    return "raise --max-tokens, or take these records out of the data (chats: --split-long)";
  }

  const Tokenizer* tokenizer_;
  const EncodeRules& rules_;
  Dataset dataset_;
  std::vector<std::string> too_long_;
  int largest_token_ = 0;
};

std::string template_of(const TrainingRecords& records, PromptTemplate which) {
  constexpr const char* kTemplates[] = {"", "chat", "completion", "tokens"};
  if (records.index() > 0) return kTemplates[records.index()];
  return which == PromptTemplate::temporal ? "temporal" : "seed";
}

std::string fingerprint_of(const Tokenizer& tokenizer) {
  return fmt::format("{:016x}", tokenizer.fingerprint());
}

// Data encoded with another tokenizer would train nonsense without an error. Token records say of
// none with which they were made.
void check_same_tokenizer(const Dataset& data, const Tokenizer& tokenizer, const fs::path& path) {
  const std::string own = fingerprint_of(tokenizer);
  if (!data.info.tokenizer.empty() && data.info.tokenizer != own)
    throw Error(fmt::format("[train] '{}' must be encoded with the model's tokenizer ({}), was "
                            "with another ({})",
                            path.string(), own, data.info.tokenizer),
                "encode again with --tokenizer of this model");
}

}  // namespace

std::string first_names(std::vector<std::string> names, size_t most) {
  const bool more = names.size() > most;
  if (more) names.resize(most);
  return fmt::format("{}{}", fmt::join(names, ", "), more ? ", ..." : "");
}

Dataset encode_records(const TrainingRecords& records, const Tokenizer* tokenizer,
                       const EncodeRules& rules) {
  if (rules.too_long == TooLong::split && !std::holds_alternative<std::vector<ChatRecord>>(records))
    throw Error(fmt::format("[encode] --split-long divides chats between their turns, these are {}",
                            kind_of(records)),
                "a summary tells of all its messages, a completion and labels of all before them: "
                "raise --max-tokens instead");
  Encoder encoder(tokenizer, rules);
  std::visit(
      [&](const auto& all) {
        for (const auto& record : all) encoder.add(record);
      },
      records);
  Dataset dataset = encoder.take();
  const bool tokens = std::holds_alternative<std::vector<TokenRecord>>(records);
  dataset.info.prompt_template = template_of(records, rules.which);
  dataset.info.tokenizer = tokenizer && !tokens ? fingerprint_of(*tokenizer) : "";
  dataset.info.vocab_size = tokenizer ? tokenizer->vocab_size() : encoder.largest_token() + 1;
  dataset.info.max_tokens = rules.max_tokens;
  return dataset;
}

Dataset load_dataset(const fs::path& path, const fs::path& as_of, const Tokenizer* tokenizer,
                     const EncodeRules& rules) {
  if (fs::exists(path / "dataset.json")) {
    if (!as_of.empty() || rules.too_long == TooLong::split)
      throw Error(fmt::format("[train] '{}' is encoded already: {} comes too late", path.string(),
                              as_of.empty() ? "--split-long" : "--as-of"),
                  "give it to chatmem encode", kUsage);
    Dataset dataset = read_dataset(path);
    if (tokenizer) {
      check_same_tokenizer(dataset, *tokenizer, path);
      check_ends(dataset, *tokenizer);
    }
    return dataset;
  }
  TrainingRecords records = read_training_records(path);
  if (!as_of.empty()) {
    auto* conversations = std::get_if<std::vector<Conversation>>(&records);
    if (!conversations)
      throw Error(fmt::format("[encode] --as-of is joined to conversations, '{}' holds {}",
                              path.string(), kind_of(records)),
                  {}, kUsage);
    fmt::print(stderr, "as_of joined to {} of {} conversations\n",
               join_as_of(*conversations, as_of), conversations->size());
  }
  Dataset dataset = encode_records(records, tokenizer, rules);
  if (tokenizer) check_ends(dataset, *tokenizer);
  return dataset;
}

void check_ends(const Dataset& dataset, const Tokenizer& tokenizer) {
  const std::optional<int> eom = tokenizer.special("<|eom_id|>");
  std::vector<std::string> endless;
  for (const Example& e : dataset.examples) {
    const auto last = std::find(e.target.rbegin(), e.target.rend(), 1);
    if (last == e.target.rend()) continue;  // the trainer refuses it
    const int token = e.tokens[size_t(e.target.rend() - last) - 1];
    const bool ends = token == tokenizer.eot() || token == tokenizer.eos() || token == eom;
    if (!ends) endless.push_back(e.id);
  }
  if (!endless.empty())
    throw Error(fmt::format("[train] the last target of an example must be <|eot_id|> or "
                            "<|end_of_text|>, of {} it is not: {}",
                            endless.size(), first_names(endless)),
                "a model that learns from them never stops: end the labels with an end token");
}

void learn_all_tokens(Dataset& dataset) {
  for (Example& e : dataset.examples) {
    e.target.assign(e.tokens.size(), 1);
    e.target[0] = 0;
  }
}

OriginalCuts collate_as_original(Dataset& dataset, int max_tokens, int eos) {
  OriginalCuts cuts;
  for (Example& e : dataset.examples) {
    const auto target = size_t(std::find(e.target.begin(), e.target.end(), 1) - e.target.begin());
    if (int(e.tokens.size()) > max_tokens) {
      cuts.cut.push_back(e.id);
      if (target >= size_t(max_tokens)) cuts.empty.push_back(e.id);
    }
    e.tokens.resize(size_t(max_tokens), eos);
  }
  learn_all_tokens(dataset);
  dataset.info.max_tokens = max_tokens;
  return cuts;
}

}  // namespace chatmem
