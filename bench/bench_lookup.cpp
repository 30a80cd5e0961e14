// What guesses from the prompt bring: tokens a second of decoding with and without them, for
// answers that are given, token by token, through a TokenFilter: summaries that quote every second
// turn of their chat, and summaries in own words. Four layers and the head of Llama 3.1 8B, all
// cores. Each chat in turn without and with.
//
//   bench_lookup [FORMAT [FILE.csv [TOKENIZER]]]   q4_k_m, samples/dialogues.csv, samples/tokenizer
//
// Prints one JSON object: tokens a second without and with guesses of both, and the share of
// guesses that were right.
#include <fmt/format.h>

#include <chrono>

#include "base/csv.h"
#include "base/json.h"
#include "compute/short_waits.h"
#include "model/generate.h"
#include "model/random_model.h"
#include "text/tokenizer.h"

namespace chatmem {
namespace {

constexpr size_t kChats = 8;
constexpr size_t kAnswerTokens = 160;

struct Chat {
  std::vector<int> prompt, answer;
};

// Allows one text alone.
class GivenAnswer : public TokenFilter {
 public:
  explicit GivenAnswer(std::span<const int> answer) : answer_(answer) {}
  void allow(std::span<uint32_t> bits) override {
    bits[size_t(answer_[at_]) / 32] |= 1u << (answer_[at_] % 32);
  }
  void accept(int) override { at_++; }

 private:
  std::span<const int> answer_;
  size_t at_ = 0;
};

// Every second turn in quotation marks.
std::string quoting(std::string_view dialogue) {
  std::string summary;
  for (size_t begin = 0, turn = 0; begin < dialogue.size(); turn++) {
    const size_t end = std::min(dialogue.find('\n', begin), dialogue.size());
    const std::string_view line = dialogue.substr(begin, end - begin);
    const size_t colon = std::min(line.find(": "), line.size());
    if (turn % 2 == 0 && colon < line.size())
      summary += fmt::format("{} said: \"{}\" ", line.substr(0, colon), line.substr(colon + 2));
    begin = end + 1;
  }
  return summary;
}

std::vector<Chat> read_chats(const fs::path& path, const Tokenizer& tokenizer, bool quotes) {
  const std::string columns[] = {"dialogue", "summary"};
  std::vector<Chat> chats;
  for_each_csv_row(path, columns, [&](const CsvRow& row) {
    if (chats.size() == kChats) return;
    Chat chat{tokenizer.encode(row.fields[0]),
              tokenizer.encode(quotes ? quoting(row.fields[0]) : row.fields[1])};
    chat.answer.resize(std::min(chat.answer.size(), kAnswerTokens));
    if (chat.answer.size() >= 16) chats.push_back(std::move(chat));
  });
  CHECK(!chats.empty());
  return chats;
}

// Answers with guesses of a length, or without any, and how long that took.
class Answering {
 public:
  Answering(Ops& ops, const Llama& model, int draft_tokens)
      : generator_(ops, model,
                   {.max_requests = 1, .dtype = DType::bf16, .draft_tokens = draft_tokens}) {}

  void answer(const Chat& chat) {
    using Clock = std::chrono::steady_clock;
    GivenAnswer given(chat.answer);
    CHECK(generator_.add(
        1, {.prompt = chat.prompt, .max_tokens = int(chat.answer.size()), .filter = &given}));
    std::vector<int> made;
    Clock::time_point first;
    while (generator_.n_active() > 0) {
      for (const GeneratedToken& token : generator_.step()) made.push_back(token.token);
      if (made.size() == 1) first = Clock::now();
    }
    CHECK(made == chat.answer);
    seconds_ += std::chrono::duration<double>(Clock::now() - first).count();
    tokens_ += int64_t(made.size()) - 1;
  }
  // Of all tokens but the first of each answer.
  double tokens_per_second() const { return double(tokens_) / seconds_; }
  double share_right() const {
    const GeneratorStats& stats = generator_.stats();
    return stats.drafted_tokens > 0 ? double(stats.accepted_tokens) / double(stats.drafted_tokens)
                                    : 0;
  }

 private:
  Generator generator_;
  double seconds_ = 0;
  int64_t tokens_ = 0;
};

void run(Json& result, Ops& ops, const Llama& model, const std::string& name,
         std::span<const Chat> chats) {
  Answering off(ops, model, 0), on(ops, model, kDraftTokens);
  for (const Chat& chat : chats) off.answer(chat), on.answer(chat);
  result[name + "_off"] = off.tokens_per_second();
  result[name + "_on"] = on.tokens_per_second();
  result[name + "_right"] = on.share_right();
}

}  // namespace
}  // namespace chatmem

int main(int argc, char** argv) {
  using namespace chatmem;
  begin_with_short_waits(argv);
  const fs::path samples = fs::path(CHATMEM_SOURCE_DIR) / "samples";
  const auto argument = [&](int i, const fs::path& otherwise) {
    return argc > i ? fs::path(argv[i]) : otherwise;
  };
  const auto ops = make_cpu_ops();
  Config config = *known_config("llama-3.1-8b");
  config.n_layers = 4, config.max_seq_len = 8192;
  const Llama model =
      random_model(*ops, config, *parse_weight_formats(argument(1, "q4_k_m").string()), 1);
  const fs::path chats = argument(2, samples / "dialogues.csv");
  const Tokenizer tokenizer = Tokenizer::load(argument(3, samples / "tokenizer/tokenizer.json"));
  Json result;
  run(result, *ops, model, "quotes", read_chats(chats, tokenizer, true));
  run(result, *ops, model, "own_words", read_chats(chats, tokenizer, false));
  fmt::print("{}\n", dump_json(result));
}
