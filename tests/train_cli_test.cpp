// chatmem train as a user runs it: an adapter trained further, memory that must suffice, and
// several processes by mpirun.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <functional>
#include <regex>

#include "base/json.h"
#include "format/adapter_config.h"
#include "format/safetensors.h"
#include "run_command.h"
#include "test_folder.h"
#include "tiny_model.h"

namespace chatmem {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kTokenizer = fs::path(CHATMEM_SOURCE_DIR) / "samples/tokenizer";
using Arguments = std::vector<std::string>;

class TrainCli : public ::testing::Test {
 protected:
  std::string at(const std::string& name) const { return (folder_.path() / name).string(); }

  std::string chats() const {
    std::string lines;
    for (const char* place : {"Leeds", "York", "Bath", "Hull", "Kent"})
      lines +=
          dump_json({{"id", place},
                     {"messages",
                      {{{"role", "user"}, {"content", std::string("Who is in ") + place}},
                       {{"role", "assistant"}, {"content", std::string(place) + ", Hanna"}}}}}) +
          "\n";
    return folder_.write("chats.jsonl", lines).string();
  }
  std::string config(const std::string& name, const std::function<void(Json&)>& change) const {
    Json json = parse_json(kTinyConfig, "the tiny config");
    change(json);
    return folder_.write(name, dump_json(json)).string();
  }
  Arguments command(const Arguments& more, const std::string& output) const {
    Arguments all = {"train", "--data", chats(), "--packing", "off", "--output", at(output)};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  CommandResult train(const Arguments& more, const std::string& output,
                      const Arguments& launcher = {}) const {
    return run_command(command(more, output), {.launcher = launcher});
  }
  // A model of that shape.
  std::string base(
      const std::string& name, const std::function<void(Json&)>& change = [](Json&) {}) const {
    const CommandResult result =
        train({"--init", config(name + ".json", change), "--tokenizer", kTokenizer, "--steps", "2"},
              name);
    EXPECT_EQ(result.code, 0) << result.err;
    return at(name);
  }
  std::vector<Json> log(const std::string& output) const {
    std::vector<Json> rows;
    for_each_json_line(at(output) + "/log.jsonl", [&](Json& row, size_t) { rows.push_back(row); });
    return rows;
  }
  Json last_row(const std::string& output) const { return log(output).back(); }

  TestFolder folder_;
};

TEST_F(TrainCli, AnAdapterIsTrainedFurther) {
  const Arguments on_base = {"--model",       base("base"), "--val-data", chats(),
                             "--micro-batch", "5",          "--lr",       "1e-2"};
  const auto train_on_base = [&](Arguments more, const std::string& output) {
    more.insert(more.end(), on_base.begin(), on_base.end());
    return train(more, output);
  };
  const CommandResult first = train_on_base(
      {"--steps", "4", "--eval-every", "4", "--keep-best", "off", "--dora", "--rslora",
       "--lora-rank", "4", "--lora-alpha", "3", "--target-modules", "q_proj,up_proj"},
      "first");
  ASSERT_EQ(first.code, 0) << first.err;
  const double loss = last_row("first")["val_loss"];
  const CommandResult second = train_on_base(
      {"--steps", "1", "--init-adapter", at("first"), "--lora-rank", "4", "--lora-dropout", "0.1"},
      "second");
  ASSERT_EQ(second.code, 0) << second.err;
  const Json state = read_json(at("second/checkpoints/step-000001/state.json"));
  EXPECT_EQ(state["first_val_loss"], loss);
  const AdapterConfig result = read_adapter_config(at("second/adapter_config.json"));
  EXPECT_EQ(result.rank, 4);
  EXPECT_EQ(result.alpha, 3);
  EXPECT_EQ(result.dropout, 0.1);
  EXPECT_TRUE(result.dora && result.rslora);
  EXPECT_EQ(result.target_modules, (Arguments{"q_proj", "up_proj"}));
  EXPECT_EQ(result.base_model, at("base"));
  // Without dropout the first step has the loss of the same five examples, in another order.
  ASSERT_EQ(train_on_base({"--steps", "1", "--init-adapter", at("first")}, "third").code, 0);
  EXPECT_NEAR(last_row("third")["loss"].get<double>(), loss, 1e-5);

  for (const Arguments& flag : {Arguments{"--lora-rank", "8"}, Arguments{"--lora-alpha", "4"},
                                Arguments{"--target-modules", "q_proj,k_proj"}}) {
    Arguments more = {"--init-adapter", at("first"), "--steps", "1"};
    more.insert(more.end(), flag.begin(), flag.end());
    const CommandResult refused = train_on_base(more, "refused");
    EXPECT_EQ(refused.code, 2) << refused.err;
    EXPECT_THAT(refused.err, HasSubstr(flag[0] + " must be that of the adapter"));
  }
  EXPECT_FALSE(fs::exists(at("refused")));
}

TEST_F(TrainCli, AnAdapterOfAnotherBaseIsRefused) {
  ASSERT_EQ(train({"--model", base("base"), "--steps", "1"}, "adapter").code, 0);
  const auto refused = [&](const std::string& name, const std::function<void(Json&)>& change) {
    const CommandResult result = train(
        {"--model", base(name, change), "--steps", "1", "--init-adapter", at("adapter")}, "out");
    EXPECT_EQ(result.code, 1) << result.err;
    EXPECT_FALSE(fs::exists(at("out")));
    return result.err;
  };
  EXPECT_THAT(refused("wider", [](Json& c) { c["intermediate_size"] = 96; }),
              AllOf(HasSubstr("mlp.gate_proj.lora_B.weight"), HasSubstr("another base model")));
  EXPECT_THAT(refused("deeper", [](Json& c) { c["num_hidden_layers"] = 3; }),
              HasSubstr("q_proj must be adapted in all 3 layers"));
  EXPECT_THAT(refused("flatter", [](Json& c) { c["num_hidden_layers"] = 1; }),
              HasSubstr("model.layers.1."));
}

// All five examples in one step: its loss is that of the model before it.
TEST_F(TrainCli, TheLogHasARowAStepWithTheLossBeforeIt) {
  const CommandResult result = train({"--model", base("base"), "--steps", "2", "--micro-batch", "5",
                                      "--val-data", chats(), "--eval-every", "2"},
                                     "out");
  ASSERT_EQ(result.code, 0) << result.err;
  const std::vector<Json> rows = log("out");
  ASSERT_EQ(rows.size(), 2u);
  for (const char* key : {"step", "loss", "grad_norm", "lr", "tokens", "target_tokens"})
    for (const Json& row : rows) EXPECT_TRUE(row.contains(key) && row[key] > 0) << key;
  const Json state = read_json(at("out/checkpoints/step-000002/state.json"));
  EXPECT_NEAR(rows[0]["loss"].get<double>(), state["first_val_loss"].get<double>(), 1e-5);
  EXPECT_LT(rows[1]["val_loss"], rows[0]["loss"]);
}

// The bytes that a refusal names.
size_t bytes_of(const std::string& text) {
  std::smatch match;
  if (!std::regex_search(text, match, std::regex("takes ([0-9,]+) bytes"))) return 0;
  std::string digits;
  for (const char c : match[1].str())
    if (c != ',') digits += c;
  return std::stoull(digits);
}

TEST_F(TrainCli, TheRungIsThatWhichFitsTheMemory) {
  const std::string model = base("base");
  const auto with = [&](Arguments more, const std::string& output) {
    more.insert(more.end(), {"--model", model, "--steps", "1", "--micro-batch", "5"});
    return train(more, output);
  };
  const CommandResult plenty = with({"--memory", "1"}, "plenty");
  EXPECT_EQ(plenty.code, 0) << plenty.err;
  EXPECT_THAT(plenty.err, AllOf(HasSubstr("recomputing nothing"), HasSubstr("--memory")));
  EXPECT_THAT(with({}, "default").err, HasSubstr("recomputing cheap: the default"));
  EXPECT_THAT(with({"--memory", "1", "--recompute", "cheap"}, "flag").err,
              HasSubstr("recomputing cheap: as --recompute says"));

  const CommandResult refused = with({"--memory", "0.000001"}, "refused");
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("recomputing blocks"), HasSubstr("--micro-batch"),
                                 HasSubstr("--quantize nf4")));
  EXPECT_FALSE(fs::exists(at("refused")));
  // The lowest rung fits what it takes, to the byte.
  const size_t lowest = bytes_of(refused.err);
  const auto gb = [](size_t bytes) {
    return std::to_string(bytes / 1'000'000'000) + "." +
           std::to_string(1'000'000'000 + bytes).substr(1);
  };
  const CommandResult fits = with({"--memory", gb(lowest + 1)}, "fits");
  EXPECT_EQ(fits.code, 0) << fits.err;
  EXPECT_THAT(fits.err, HasSubstr("recomputing blocks: the fastest that fits"));
  EXPECT_EQ(with({"--memory", gb(lowest - 1)}, "below").code, 1);
  EXPECT_EQ(with({"--memory", gb(lowest + 1), "--recompute", "cheap"}, "wish").code, 1);
}

// Where no memory is named, that of the machine counts, before any of it is taken.
TEST_F(TrainCli, WhatTheMachineCannotHoldIsRefusedUnlessAskedFor) {
  const std::string huge = config("huge.json", [](Json& c) {
    c["hidden_size"] = 16384, c["intermediate_size"] = 65536, c["num_hidden_layers"] = 500;
    c["num_attention_heads"] = 128, c["num_key_value_heads"] = 128, c["head_dim"] = 128;
  });
  const Arguments command = {"--init", huge, "--tokenizer", kTokenizer};
  const CommandResult refused = train(command, "huge");
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("of this device"), HasSubstr("recomputing blocks")));
  EXPECT_GT(bytes_of(refused.err), size_t(1'000'000'000'000));
}

// -- several processes

const Arguments kTwo = {"/usr/bin/env",    "mpirun", "--allow-run-as-root",
                        "--oversubscribe", "-n",     "2"};

class TrainTogether : public TrainCli {
 protected:
  void SetUp() override {
    if (run_command({}, {.launcher = {"/usr/bin/env", "mpirun", "--version"}}).code != 0)
      GTEST_SKIP() << "mpirun is not installed: apt-get install openmpi-bin";
    if (launched_alone().err.find("this build has no MPI") != std::string::npos)
      GTEST_SKIP() << "this build has no MPI: apt-get install libopenmpi-dev";
    base_ = base("base");
  }
  // As if mpirun of another MPI had started it.
  static CommandResult launched_alone() {
    return run_command({"train"}, {.environment = {"PMI_SIZE=2"}});
  }
  // Values and moments of the last checkpoint.
  std::map<std::string, std::vector<float>> state(const std::string& output, int step) const {
    const SafetensorsFile file(fs::path(at(output)) / "checkpoints" /
                               fmt::format("step-{:06}", step) / "optimizer.safetensors");
    std::map<std::string, std::vector<float>> all;
    for (const auto& [name, info] : file.tensors()) {
      all[name].resize(info.bytes.size() / sizeof(float));
      std::memcpy(all[name].data(), info.bytes.data(), info.bytes.size());
    }
    return all;
  }

  std::string base_;
};

TEST(TrainLaunched, ProcessesThatCannotReachEachOtherAreRefused) {
  const CommandResult result = run_command({"train"}, {.environment = {"PMI_SIZE=2"}});
  EXPECT_EQ(result.code, 1) << result.err;
  EXPECT_THAT(result.err, HasSubstr("would write over each other"));
  EXPECT_EQ(run_command({"train"}, {.environment = {"PMI_SIZE=1"}}).code, 2);  // no flags
}

// But for the order of the sums. Five rows: the last step of an epoch leaves one process without.
TEST_F(TrainTogether, TwoAreOneWithTwiceTheAccumulation) {
  const Arguments adapter = {"--model", base_, "--lora-dropout", "0.2"},
                  full = {"--model", base_, "--method", "full"};
  for (const Arguments& method : {adapter, full}) {
    const bool is_full = method[2] == "--method";
    const auto name = [&](const char* of) {
      return std::string(of) + (is_full ? "_full" : "_lora");
    };
    Arguments common = method;
    common.insert(common.end(), {"--epochs", "5", "--eval-every", "2", "--val-data", chats(),
                                 "--recompute", "nothing", "--lr", "1e-3"});
    Arguments twice = common;
    twice.insert(twice.end(), {"--grad-accum-steps", "2"});
    const CommandResult one = train(twice, name("one")), two = train(common, name("two"), kTwo);
    ASSERT_EQ(one.code, 0) << one.err;
    ASSERT_EQ(two.code, 0) << two.err;
    const auto one_log = log(name("one")), two_log = log(name("two"));
    ASSERT_EQ(one_log.size(), 13u);  // 25 rows, two a step
    ASSERT_EQ(two_log.size(), 13u);
    for (size_t i = 0; i < one_log.size(); i++) {
      ASSERT_EQ(two_log[i].size(), one_log[i].size());
      for (const auto& [key, value] : one_log[i].items())
        EXPECT_NEAR(two_log[i][key].get<double>() / value.get<double>(), 1, 1e-4)
            << key << " of step " << i + 1;
    }
    const auto one_state = state(name("one"), 13), two_state = state(name("two"), 13);
    ASSERT_EQ(one_state.size(), two_state.size());
    for (const auto& [tensor, values] : one_state)
      for (size_t i = 0; i < values.size(); i++)
        ASSERT_NEAR(two_state.at(tensor)[i], values[i], 1e-4) << tensor;
    EXPECT_THAT(two.out, HasSubstr("done: step 13 of 13"));
    EXPECT_EQ(two.out.find("done:"), two.out.rfind("done:"));  // said once
    EXPECT_THAT(two.err, HasSubstr("2 processes"));
  }
}

std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> children;
  for (const auto& thread : fs::directory_iterator(fmt::format("/proc/{}/task", parent))) {
    std::ifstream file(thread.path() / "children");
    for (pid_t child; file >> child;) children.push_back(child);
  }
  return children;
}

// A signal to one process ends the step of all; what was cut goes on with the same bits, also in
// one process with twice the accumulation.
TEST_F(TrainTogether, ASignalToOneStopsAllAndTheRunResumes) {
  const Arguments run = {"--model", base_, "--steps", "60", "--lr", "1e-3"};
  ASSERT_EQ(train(run, "whole", kTwo).code, 0);
  RunningCommand training(command(run, "cut"), {.launcher = kTwo});
  const fs::path log_file = at("cut") + "/log.jsonl";
  for (int i = 0; i < 20'000 && (!fs::exists(log_file) || fs::file_size(log_file) < 200); i++)
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  const std::vector<pid_t> processes = children_of(training.pid());
  ASSERT_EQ(processes.size(), 2u);
  ::kill(processes[1], SIGINT);
  const CommandResult stopped = training.wait();
  EXPECT_EQ(stopped.code, 3) << stopped.err;
  EXPECT_THAT(stopped.out, HasSubstr("next: the same command with --resume"));
  const size_t n_done = log("cut").size();
  ASSERT_LT(n_done, 60u);
  Arguments rest = run;
  rest.push_back("--resume");
  const CommandResult resumed = train(rest, "cut", kTwo);
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_EQ(read_file(log_file), read_file(at("whole/log.jsonl")));
  EXPECT_EQ(state("cut", 60), state("whole", 60));
}

// One has other data than the other, or none.
TEST_F(TrainTogether, AnErrorOfOneEndsAllWithItsMessage) {
  const auto with_data_of_second = [&](const std::string& data) {
    Arguments both = command({"--model", base_, "--steps", "1000000"}, "out");
    const Arguments second = {"train",   "--data",  data,  "--packing", "off",    "--output",
                              at("out"), "--model", base_, "--steps",   "1000000"};
    both.insert(both.end(), {":", "-n", "1", CHATMEM_BINARY});
    both.insert(both.end(), second.begin(), second.end());
    Arguments launcher = kTwo;
    launcher.back() = "1";
    return run_command(both, {.launcher = launcher});
  };
  const CommandResult missing = with_data_of_second(at("missing.jsonl"));
  EXPECT_EQ(missing.code, 1) << missing.err;
  EXPECT_THAT(missing.err, AllOf(HasSubstr("in process 2 of 2"), HasSubstr("missing.jsonl")));
  const std::string chat = read_file(chats());
  const CommandResult other =
      with_data_of_second(folder_.write("other.jsonl", chat.substr(0, chat.find('\n') + 1)));
  EXPECT_EQ(other.code, 1) << other.err;
  EXPECT_THAT(other.err, HasSubstr("must read the same data, options and checkpoint"));
  EXPECT_FALSE(fs::exists(at("out")));
}

TEST_F(TrainTogether, AnErrorOfAllIsToldOnce) {
  const CommandResult result = train({"--model", base_, "--patience", "2"}, "out", kTwo);
  EXPECT_EQ(result.code, 2) << result.err;
  const size_t at = result.err.find("error: [train] --patience");
  EXPECT_NE(at, std::string::npos) << result.err;
  EXPECT_EQ(result.err.find("error: [train]", at + 1), std::string::npos) << result.err;
}

}  // namespace
}  // namespace chatmem
