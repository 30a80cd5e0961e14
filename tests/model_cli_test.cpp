// Models in all their forms through the verbs: bitsandbytes' NF4, GGUF, adapters of other ranks,
// adapters of quantized bases; and what goes with a model for those who use it.
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <cmath>
#include <csignal>
#include <functional>
#include <thread>

#include "bnb_folder.h"
#include "files_of.h"
#include "format/gguf.h"
#include "format/safetensors.h"
#include "model/quantize.h"
#include "run_command.h"
#include "test_folder.h"
#include "train/model_card.h"

namespace chatmem {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const fs::path kTokenizer = fs::path(CHATMEM_SOURCE_DIR) / "samples/tokenizer/tokenizer.json";

// Whose rows fill blocks of 64.
Config tiny_config(int vocab_size = 4096) {
  Config config;
  config.dim = 64, config.hidden_dim = 128, config.n_layers = 2;
  config.n_heads = 4, config.n_kv_heads = 2, config.head_dim = 16;
  config.vocab_size = vocab_size, config.max_seq_len = 2048;
  config.bos_id = 3840, config.eos_ids = {3841, 3848, 3849};
  return config;
}

class ModelCli : public ::testing::Test {
 protected:
  std::string at(const std::string& name) const { return (folder_.path() / name).string(); }

  CommandResult run(const std::vector<std::string>& command) const {
    CommandResult result = run_command(command);
    EXPECT_EQ(result.code, 0) << command[0] << ": " << result.err;
    return result;
  }
  void expect_error(const std::vector<std::string>& command, int code,
                    const std::vector<std::string>& words) const {
    const CommandResult result = run_command(command);
    EXPECT_EQ(result.code, code) << result.err;
    for (const std::string& word : words) EXPECT_THAT(result.err, HasSubstr(word));
  }
  std::string data() const {
    std::string lines;
    for (int i = 0; i < 3; i++)
      lines += dump_json(
                   Json{{"id", fmt::format("chat_{}", i)},
                        {"messages",
                         {{{"timestamp", "2024-03-04 18:42"}, {"content", "Hanna: I have a room."}},
                          {{"timestamp", "2024-03-07 12:15"}, {"content", "You: In Leeds?"}}}},
                        {"summary", "Hanna found a room in Leeds."}}) +
               "\n";
    return folder_.write("chats.jsonl", lines).string();
  }
  // A model of random weights, in f32.
  std::string base() const {
    save_model(at("base"), *ops_, init_model(*ops_, tiny_config(), DType::f32, 5).model,
               {.dtype = DType::f32});
    fs::copy_file(kTokenizer, at("base/tokenizer.json"), fs::copy_options::overwrite_existing);
    return at("base");
  }
  // The same as bitsandbytes would have it.
  std::string nf4(DoubleQuantization nested) const {
    LoadedModel loaded = load_model(*ops_, base());
    quantize_to_nf4(*ops_, loaded.model);
    write_bnb_folder(at("nf4"), *ops_, loaded.model, nested);
    fs::copy_file(kTokenizer, at("nf4/tokenizer.json"), fs::copy_options::overwrite_existing);
    return at("nf4");
  }
  std::vector<std::string> train(const std::string& model, const std::string& output,
                                 const std::vector<std::string>& more = {}) const {
    std::vector<std::string> command = {"train",    "--model",  model,     "--data", data(),
                                        "--output", at(output), "--steps", "2",      "--lr",
                                        "1e-2",     "--dtype",  "f32"};
    command.insert(command.end(), more.begin(), more.end());
    return command;
  }
  double perplexity(const std::string& model, const std::string& adapter = {}) const {
    const std::string text = folder_.write("text.txt", "Hanna found a room in Leeds.").string();
    std::vector<std::string> command = {"score", "--model", model,     "--text",
                                        text,    "--json",  "--dtype", "f32"};
    if (!adapter.empty()) command.insert(command.end(), {"--adapter", at(adapter)});
    return parse_json(run(command).out, "score")["perplexity"];
  }

  double divergence(const std::string& model, const std::string& other,
                    const std::string& dtype) const {
    const Json answer =
        parse_json(run({"score", "--model", model, "--text", at("text.txt"), "--json", "--against",
                        other, "--dtype", dtype, "--prefill-tokens", "1"})
                       .out,
                   "score");
    double sum = 0;
    for (const Json& kl : answer["against"]["kl"]) sum += kl.get<double>();
    EXPECT_EQ(answer["against"]["kl"].size(), answer["n"].get<size_t>());
    EXPECT_NEAR(sum / answer["n"].get<double>(), answer["against"]["mean_kl"], 1e-9);
    return answer["against"]["mean_kl"];
  }

  TestFolder folder_;
  std::unique_ptr<Ops> ops_ = make_cpu_ops();
};

TEST_F(ModelCli, FoldersOfBitsandbytesOpenWithEveryVerb) {
  for (const auto nested : {DoubleQuantization::on, DoubleQuantization::off}) {
    const std::string model = nf4(nested);
    const bool is_nested = nested == DoubleQuantization::on;
    EXPECT_THAT(run({"inspect", model}).out, HasSubstr(is_nested ? " nf4 " : " bf16 "));
    fs::remove_all(at("adapter"));
    run(train(model, "adapter", {"--lora-rank", "4"}));
    const double adapted = perplexity(model, "adapter");
    EXPECT_GT(std::abs(adapted / perplexity(model) - 1), 1e-3) << "it learnt";
    run({"export", "--model", model, "--adapter", at("adapter"), "--output", at("merged"),
         "--dtype", "f32"});
    EXPECT_NEAR(perplexity(at("merged")) / adapted, 1, 2e-3);
    EXPECT_FALSE(read_json(at("merged/config.json")).contains("quantization_config"));
    run({"export", "--model", model, "--output", at("model.gguf"), "--dtype", "f32"});
    EXPECT_NEAR(perplexity(at("model.gguf")) / perplexity(model), 1, 1e-3);
    EXPECT_LT(divergence(model, at("model.gguf"), "f32"), 1e-6);
    EXPECT_GT(divergence(model, at("model.gguf"), "bf16"), 1e-7) << "activations are rounded";
    EXPECT_LT(divergence(model, at("model.gguf"), "bf16"), 1e-2);
    RunningCommand server({"serve", "--model", model, "--port", "0"});
    EXPECT_TRUE(server.wait_for("listening on")) << server.err();
  }
  nf4(DoubleQuantization::on);
  expect_error(train(at("nf4"), "full", {"--method", "full"}), 2,
               {"needs weights in f32, bf16 or f16", "q_proj.weight' is nf4"});
  expect_error(train(at("nf4"), "twice", {"--quantize", "nf4"}), 1, {"is nf4", "--quantize"});
}

TEST_F(ModelCli, PatternsShapeTheAdapter) {
  const std::string model = base();
  const std::vector<std::string> patterns = {"--lora-rank",     "4",
                                             "--rank-pattern",  "q_proj=2,layers.1.mlp.down_proj=8",
                                             "--alpha-pattern", "v_proj=6.5"};
  run(train(model, "adapter", patterns));
  const Json config = read_json(at("adapter/adapter_config.json"));
  EXPECT_EQ(config["rank_pattern"], (Json{{"q_proj", 2}, {"layers.1.mlp.down_proj", 8}}));
  EXPECT_EQ(config["alpha_pattern"], (Json{{"v_proj", 6.5}}));
  const SafetensorsFile file(at("adapter/adapter_model.safetensors"));
  const auto rank = [&](const std::string& module) {
    return file.tensors().at("base_model.model.model.layers." + module + ".lora_A.weight").shape[0];
  };
  EXPECT_EQ(rank("0.self_attn.q_proj"), 2);
  EXPECT_EQ(rank("0.mlp.down_proj"), 4);
  EXPECT_EQ(rank("1.mlp.down_proj"), 8);
  perplexity(model, "adapter");

  std::vector<std::string> dry = train(model, "dry", patterns);
  dry.push_back("--dry-run");
  EXPECT_THAT(run(dry).out, HasSubstr("rank 2 of q_proj; rank 8 of layers.1.mlp.down_proj; alpha "
                                      "6.5 of v_proj"));
  const std::string toml = folder_.write("run.toml", "rank-pattern = \"q_proj=3\"\n").string();
  dry = train(model, "dry", {"--config", toml, "--dry-run"});
  EXPECT_THAT(run(dry).out, HasSubstr("rank 3 of q_proj"));

  const auto planned = [&](const std::string& pattern) {
    const std::string out = run({"inspect", model, "--plan", "--rank-pattern", pattern}).out;
    return out.substr(out.find("training by"));
  };
  EXPECT_NE(planned("q_proj=4"), planned("q_proj=1000"));
  expect_error(train(model, "bad", {"--rank-pattern", "x_proj=4"}), 1,
               {"the pattern 'x_proj' must match an adapted module"});
  expect_error(train(model, "bad", {"--alpha-pattern", "lm_head=4"}), 1, {"'lm_head' must match"});
  for (const char* bad :
       {"q_proj", "q_proj=", "=4", "q_proj=4x", "q_proj=0", "q_proj=2000", "q_proj=2,q_proj=3"})
    expect_error(train(model, "bad", {"--rank-pattern", bad}), 2, {"--rank-pattern"});
  EXPECT_FALSE(fs::exists(at("bad")));
}

TEST_F(ModelCli, CardsSayWhatIsKnown) {
  const std::string model = base();
  folder_.write("base/generation_config.json", R"({"temperature": 0.6, "eos_token_id": [3849]})");
  run(train(model, "adapter", {"--lora-rank", "4", "--val-data", data()}));
  const std::string adapter = read_file(at("adapter/README.md"));
  EXPECT_THAT(adapter, StartsWith("---\nlicense: unknown\nlibrary_name: peft\nbase_model: base\n"));
  for (const char* said : {"# adapter\n", "LoRA of rank 4, alpha 32", "| data | chats.jsonl |",
                           "| examples | ", "| steps | 2 |", "validation loss at the end",
                           "| template | temporal |", "Unknown: no evaluation was given."})
    EXPECT_THAT(adapter, HasSubstr(said));
  EXPECT_THAT(adapter, Not(HasSubstr("Built with")));
  const TrainingSummary summary = *read_training(at("adapter"));
  EXPECT_EQ(summary.examples, 3);
  EXPECT_EQ(summary.validation_examples, 3);
  EXPECT_EQ(training_to_json(summary), read_json(at("adapter/training.json")));

  const Json score = {{"mean", 0.5}, {"low", 0.4}, {"high", 0.6}};
  const Json system = {
      {"system", "merged|x"}, {"n", 7}, {"rouge1", score}, {"rouge2", score}, {"rougeL", score}};
  const Json report = {{"systems", Json::array({system})}};
  const std::string scores = folder_.write("report.json", dump_json(report)).string();
  std::vector<std::string> command = {"export",      "--model",  model,       "--adapter",
                                      at("adapter"), "--output", at("merged")};
  command.insert(command.end(), {"--scores", scores});
  run(command);
  const std::string merged = read_file(at("merged/README.md"));
  EXPECT_THAT(merged, StartsWith("---\nlicense: unknown\nlibrary_name: transformers\n"));
  for (const char* said : {"The adapter adapter merged into base.", "| data | chats.jsonl |",
                           "| merged_x | 7 | 0.5000 (0.4000 to 0.6000) |", "Weights in f32"})
    EXPECT_THAT(merged, HasSubstr(said));
  EXPECT_EQ(read_file(at("merged/generation_config.json")),
            read_file(at("base/generation_config.json")));
  EXPECT_EQ(read_file(at("merged/tokenizer.json")), read_file(kTokenizer));
  EXPECT_EQ(read_json(at("merged/training.json")), read_json(at("adapter/training.json")));

  folder_.write("report.json", "{}");
  expect_error(command, 1, {"systems"});
  run({"export", "--model", model, "--adapter", at("adapter"), "--output", at("merged.gguf")});
  const GgufFile gguf(at("merged.gguf"));
  const auto text = [&](const char* key) { return *gguf.find(key)->get<std::string>(); };
  EXPECT_EQ(text("general.name"), "merged");
  EXPECT_EQ(text("general.license"), "unknown");
  EXPECT_EQ(text("general.base_model.0.name"), "base");
  EXPECT_EQ(text("general.dataset.0.name"), "chats.jsonl");
  EXPECT_EQ(gguf.find("general.base_model.count")->integer(), 1);
}

TEST_F(ModelCli, MadeOfLlamaIsSaid) {
  Config config = tiny_config(128256);
  config.dim = config.head_dim = 16, config.hidden_dim = 16;
  config.n_layers = config.n_heads = config.n_kv_heads = 1;
  config.bos_id = 128000, config.eos_ids = {128001, 128009};
  config.rope_scaling = RopeScaling{};
  save_model(at("base"), *ops_, init_model(*ops_, config, DType::bf16, 5).model, {});
  run({"export", "--model", at("base"), "--output", at("mine")});
  const std::string card = read_file(at("mine/README.md"));
  for (const char* said :
       {"license: llama3.1\n", "# Llama mine\n", "Built with Llama\n", "nothing was trained",
        "begins with \"Llama\"", "Llama 3.1 Community License",
        "How it was trained, and on what data, is unknown"})
    EXPECT_THAT(card, HasSubstr(said));
  const auto family = [&](const std::function<void(Config&)>& change) {
    Config other = config;
    change(other);
    const LlamaFamily* found = llama_family(other);
    return found ? std::string(found->name) : "none";
  };
  EXPECT_EQ(family([](Config& c) { c.rope_scaling->factor = 32; }), "Llama 3.2");
  EXPECT_EQ(family([](Config& c) { c.n_layers = 80; }), "Llama 3.1 or 3.3");
  EXPECT_EQ(family([](Config& c) { c.rope_scaling.reset(), c.max_seq_len = 8192; }), "Llama 3");
  EXPECT_EQ(family([](Config& c) { c.vocab_size = 128000; }), "none");
  EXPECT_EQ(family([](Config& c) { c.bos_id = 1; }), "none");
  EXPECT_EQ(family([](Config& c) { c.rope_theta = 10000; }), "none");
}

TEST_F(ModelCli, AdaptersOfAQuantizedBaseAreMergedIntoEither) {
  const std::string quantized = nf4(DoubleQuantization::on), model = at("base");
  run(train(model, "adapter", {"--lora-rank", "4", "--quantize", "nf4"}));
  const std::vector<std::string> merge = {"export",    "--model",     model,
                                          "--adapter", at("adapter"), "--output"};
  std::vector<std::string> own = merge, seen = merge;
  own.push_back(at("own"));
  seen.insert(seen.end(), {at("seen"), "--quantize", "nf4"});
  EXPECT_THAT(run(own).err, HasSubstr("--quantize nf4 merges it into that"));
  EXPECT_THAT(run(seen).err, Not(HasSubstr("merges it into that")));
  const double trained = perplexity(quantized, "adapter");
  EXPECT_NEAR(perplexity(at("seen")) / trained, 1, 2e-3);
  EXPECT_NEAR(perplexity(at("own")) / perplexity(model, "adapter"), 1, 2e-3);
  EXPECT_GT(std::abs(perplexity(at("own")) / trained - 1), 2e-3);
  EXPECT_THAT(read_file(at("seen/README.md")), HasSubstr("as it was quantized to nf4"));
  EXPECT_THAT(read_file(at("own/README.md")), HasSubstr("whose own weights differ"));
}

TEST_F(ModelCli, FullTrainingOnAGguf) {
  const std::string model = base();
  run({"export", "--model", model, "--output", at("base.gguf"), "--dtype", "f32"});
  run({"export", "--model", model, "--output", at("q8.gguf"), "--dtype", "q8_0"});
  run(train(model, "of_folder", {"--method", "full"}));
  run(train(at("base.gguf"), "of_gguf", {"--method", "full"}));
  EXPECT_NEAR(perplexity(at("of_gguf")) / perplexity(at("of_folder")), 1, 1e-3);
  EXPECT_GT(std::abs(perplexity(at("of_gguf")) / perplexity(model) - 1), 1e-2) << "it learnt";
  run({"export", "--model", at("of_gguf"), "--output", at("again.gguf")});
  EXPECT_NEAR(perplexity(at("again.gguf")) / perplexity(at("of_gguf")), 1, 1e-3);
  expect_error(train(at("q8.gguf"), "refused", {"--method", "full"}), 2,
               {"needs weights in f32, bf16 or f16", "is q8_0", "--method lora"});
  EXPECT_FALSE(fs::exists(at("refused")));
}

// What a folder or file held stays until what takes its place has passed the check.
TEST_F(ModelCli, AnExportThatFailsItsCheckLeavesTheEarlierModel) {
  const std::string model = base(), weights = model + "/model.safetensors";
  const std::string good = read_file(weights);
  for (const std::string& output : {at("merged"), at("merged.gguf")}) {
    const std::vector<std::string> command = {"export", "--model", model, "--output", output};
    run(command);
    const auto before = files_of(folder_.path());
    {
      const SafetensorsFile file(weights);
      std::map<std::string, TensorInfo> tensors = file.tensors();
      const std::vector<std::byte> bad(tensors.at("model.norm.weight").bytes.size(),
                                       std::byte(0xFF));
      tensors["model.norm.weight"].bytes = bad;
      write_safetensors(weights, tensors);
    }
    expect_error(command, 1, {"must predict as the source does", "not finite"});
    write_file_atomic(weights, good);
    EXPECT_TRUE(files_of(folder_.path()) == before) << output;
  }
}

// A pipe in place of the configuration keeps it loading for ever.
TEST_F(ModelCli, ServeIsStoppedWhileItLoads) {
  fs::create_directory(at("model"));
  const std::string pipe = at("model/config.json");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  RunningCommand server({"serve", "--model", at("model"), "--port", "0"});
  int reads = -1;  // opens once the other end is open
  for (int i = 0; i < 300 && reads < 0; i++) {
    reads = ::open(pipe.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (reads < 0) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  ASSERT_GE(reads, 0) << server.err();
  server.send(SIGTERM);
  const CommandResult end = server.wait();
  EXPECT_EQ(end.code, 128 + SIGTERM);
  EXPECT_THAT(end.err, HasSubstr("stopped while the model was loading"));
  ::close(reads);
}

}  // namespace
}  // namespace chatmem
