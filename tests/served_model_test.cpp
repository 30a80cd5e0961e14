// The server over HTTP with a real engine: a small model of random weights and the sample
// tokenizer. Grammars, prefixes, adapters and limits as a client meets them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "base/json.h"
#include "compute/cpu_ops.h"
#include "model/random_model.h"
#include "net/http_client.h"
#include "net/sse.h"
#include "serve/batch_engine.h"
#include "serve/server.h"
#include "tiny_model.h"

namespace chatmem {
namespace {

using ::testing::HasSubstr;

class ServedModelTest : public ::testing::Test {
 protected:
  ServedModelTest() { server_.set_model({{{"tiny"}}, &engine_, &codec_, "fp_0"}); }

  HttpResponse post(const std::string& path, const Json& body) const {
    return http_request({.method = "POST",
                         .url = "http://127.0.0.1:" + std::to_string(server_.port()) + path,
                         .body = dump_json(body)});
  }
  Json answer(const std::string& path, const Json& body) const {
    const HttpResponse response = post(path, body);
    EXPECT_EQ(response.status, 200) << response.body;
    return parse_json(response.body, "body");
  }
  static Json ask(const std::string& text, const Json& more = Json::object()) {
    Json body = {{"messages", Json::array({Json{{"role", "user"}, {"content", text}}})},
                 {"max_tokens", 200},
                 {"seed", 7}};
    body.update(more);
    return body;
  }

  const std::unique_ptr<Ops> ops_ =
      make_cpu_ops_with(CpuSetup{.n_threads = 1, .isa = best_isa(), .gemm = GemmBackend::plain});
  const Tokenizer tokenizer_ = Tokenizer::load(fs::path(CHATMEM_SOURCE_DIR) / "samples/tokenizer");
  const Llama model_ =
      random_model(*ops_, parse_config(parse_json(kTinyConfig, "config"), "config"),
                   *parse_weight_formats("f32"), 3);
  Generator generator_{*ops_, model_, {.max_requests = 4, .kv_tokens = 4096, .draft_tokens = 3}};
  BatchEngine engine_{generator_, {}};
  const Llama3Codec codec_{tokenizer_};
  ChatServer server_{{}};  // ends before the engine
};

const char* const kSchema = R"({"type":"object","properties":{
  "mood":{"enum":["good","bad"]},"days":{"type":"array","items":{"type":"integer"},"maxItems":3},
  "who":{"type":"object","properties":{"name":{"type":"string","maxLength":8}},
  "required":["name"],"additionalProperties":false}},
  "required":["mood","days","who"],"additionalProperties":false})";

// Whatever a model of random weights wants to say, at whatever temperature.
TEST_F(ServedModelTest, AnswersBySchemaAreValid) {
  const Json schema = parse_json(kSchema, "schema");
  const Json format = {{"type", "json_schema"},
                       {"json_schema", {{"name", "recap"}, {"strict", true}, {"schema", schema}}}};
  for (int seed = 0; seed < 6; seed++) {
    const Json body =
        ask("How was it?",
            {{"response_format", format}, {"seed", seed}, {"temperature", seed % 3 / 2.0 * 2}});
    const Json choice = answer("/v1/chat/completions", body)["choices"][0];
    ASSERT_EQ(choice["finish_reason"], "stop") << choice.dump();
    const Json value = parse_json(choice["message"]["content"].get<std::string>(), "answer");
    ASSERT_EQ(value.size(), 3u) << value.dump();
    EXPECT_TRUE(value["mood"] == "good" || value["mood"] == "bad");
    EXPECT_LE(value["days"].size(), 3u);
    for (const Json& day : value["days"]) EXPECT_TRUE(day.is_number_integer());
    EXPECT_TRUE(value["who"]["name"].is_string());
  }
  const HttpResponse streamed = [&] {
    return post("/v1/chat/completions",
                ask("How was it?", {{"response_format", format}, {"stream", true}}));
  }();
  std::string text;
  SseDecoder decoder([&](const SseEvent& event) {
    if (event.data == "[DONE]") return;
    const Json delta = parse_json(event.data, "chunk")["choices"][0]["delta"];
    if (delta.contains("content")) text += delta["content"].get<std::string>();
  });
  decoder.feed(streamed.body);
  EXPECT_EQ(parse_json(text, "answer").size(), 3u) << text;
}

TEST_F(ServedModelTest, AForcedCallHasValidArguments) {
  const Json tool = {{"type", "function"},
                     {"function", {{"name", "save"}, {"parameters", parse_json(kSchema, "s")}}}};
  const Json choice = answer(
      "/v1/chat/completions",
      ask("Save it.", {{"tools", Json::array({tool})}, {"tool_choice", "required"}}))["choices"][0];
  ASSERT_EQ(choice["finish_reason"], "tool_calls") << choice.dump();
  const Json call = choice["message"]["tool_calls"][0]["function"];
  EXPECT_EQ(call["name"], "save");
  EXPECT_EQ(parse_json(call["arguments"].get<std::string>(), "arguments").size(), 3u);
}

TEST_F(ServedModelTest, APrefixIsCachedAndChangesNothing) {
  std::string chat;
  for (int day = 1; day < 10; day++)
    chat += "2024-05-0" + std::to_string(day) + " 09:00 | Ana: The boat is nearly ready.\n";
  const Json body = {{"chat", chat}, {"max_tokens", 20}};
  const Json cold = answer("/summarize", body), warm = answer("/summarize", body);
  EXPECT_EQ(cold["usage"]["prompt_tokens_details"]["cached_tokens"], 0);
  EXPECT_GT(warm["usage"]["prompt_tokens_details"]["cached_tokens"].get<int>(), 100);
  EXPECT_EQ(cold["choices"], warm["choices"]);
  const Json grown = answer(
      "/summarize", {{"chat", chat + "2024-05-11 10:00 | You: At last."}, {"max_tokens", 20}});
  EXPECT_GT(grown["usage"]["prompt_tokens_details"]["cached_tokens"].get<int>(), 100);
  const std::string metrics =
      http_request({.url = "http://127.0.0.1:" + std::to_string(server_.port()) + "/metrics"}).body;
  EXPECT_THAT(metrics, HasSubstr("chatmem_prefix_cache_hits_total 2\n"));
  EXPECT_THAT(metrics, HasSubstr("chatmem_kv_used_bytes "));
}

// The prompt of the original's client, as its models were trained: bos, then plain text.
TEST_F(ServedModelTest, PromptsOfTheOriginalGoInUnchanged) {
  const std::string prompt =
      "<s>[INST] You are a chat summarization assistant. Please summarize this conversation:\n\n"
      "[START DATE]\n2024-05-01\n[END DATE]\n2024-05-01\n[CHAT MESSAGES]\n"
      "2024-05-01 09:00 | You: hi [/INST]";
  const Json json = answer("/v1/completions", {{"prompt", prompt}, {"max_tokens", 5}, {"seed", 1}});
  std::vector<int> tokens = tokenizer_.encode(prompt);
  EXPECT_EQ(json["usage"]["prompt_tokens"], tokens.size() + 1);
  tokens.insert(tokens.begin(), tokenizer_.bos());
  EXPECT_EQ(
      answer("/v1/completions", {{"prompt", tokens}, {"max_tokens", 5}, {"seed", 1}})["choices"],
      json["choices"]);
  EXPECT_EQ(answer("/tokenize", {{"content", prompt}, {"add_special", true}})["tokens"],
            Json(tokens));
  tokens.erase(tokens.begin());
  EXPECT_EQ(answer("/detokenize", {{"tokens", tokens}})["content"], prompt);
  EXPECT_EQ(answer("/v1/chat/completions", ask(prompt, {{"max_tokens", 5}}))["choices"].size(), 1u);
}

TEST_F(ServedModelTest, SpecialTokensAreReadInPromptsButNotInMessages) {
  const auto tokens = [&](const Json& body) { return answer("/tokenize", body)["tokens"].size(); };
  EXPECT_EQ(tokens({{"content", "<|eot_id|>"}}), 1u);
  EXPECT_GT(tokens({{"content", "<|eot_id|>"}, {"parse_special", false}}), 3u);
  EXPECT_GT(tokens(ask("<|eot_id|>")), tokens(ask("a")) + 3);
}

TEST_F(ServedModelTest, APromptThatDoesNotFit) {
  std::string words;
  for (int i = 0; i < 5'000; i++) words += "zebra ";
  const HttpResponse response = post("/v1/chat/completions", ask(words, {{"stream", true}}));
  EXPECT_EQ(response.status, 400);
  const Json error = parse_json(response.body, "body")["error"];
  EXPECT_EQ(error["type"], "exceed_context_size_error");
  EXPECT_EQ(error["n_ctx"], 4096);
  EXPECT_GT(error["n_prompt_tokens"].get<int>(), 4096);
}

TEST_F(ServedModelTest, ManyClientsGetWhatEachGetsAlone) {
  const auto question = [](int i) {
    return ask("Question " + std::to_string(i % 5), {{"seed", i % 5}, {"max_tokens", 12}});
  };
  std::vector<Json> alone;
  for (int i = 0; i < 5; i++)
    alone.push_back(answer("/v1/chat/completions", question(i))["choices"]);
  std::atomic<int> right = 0;
  std::vector<std::jthread> clients;
  for (int i = 0; i < 20; i++)
    clients.emplace_back([&, i] {
      right += answer("/v1/chat/completions", question(i))["choices"] == alone[size_t(i % 5)];
    });
  clients.clear();
  EXPECT_EQ(right, 20);
}

}  // namespace
}  // namespace chatmem
