// generate by an OpenAI-compatible endpoint: a small server that answers chat/completions as the
// test double's model would.
#include <gmock/gmock.h>

#include <atomic>
#include <functional>
#include <memory>

#include "anthropic_answer.h"
#include "generate_llm_fixture.h"
#include "net/http_server.h"

namespace chatmem {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

Json completion_of(const Json& request) {
  Json asked = {{"messages", Json::array()}};
  for (const Json& message : request["messages"])
    if (message["role"] != "system") asked["messages"].push_back(message);
  if (request.contains("response_format"))
    asked["output_config"]["format"] = {
        {"type", "json_schema"}, {"schema", request["response_format"]["json_schema"]["schema"]}};
  return {{"id", "chatcmpl-1"},
          {"object", "chat.completion"},
          {"model", request["model"]},
          {"choices",
           {{{"index", 0},
             {"finish_reason", "stop"},
             {"message", {{"role", "assistant"}, {"content", default_anthropic_answer(asked)}}}}}},
          {"usage", {{"prompt_tokens", 2000}, {"completion_tokens", 1000}}}};
}

class GenerateOpenAiTest : public GenerateLlmTest {
 protected:
  // `instead` of an answer to the request of that number, from 0, unless it is empty.
  using Instead = std::function<std::string(int number)>;

  void serve(Instead instead = [](int) { return std::string(); }) {
    std::vector<HttpRoute> routes;
    routes.push_back({"POST", "/v1/chat/completions",
                      [this, instead](HttpRequest request, std::unique_ptr<ResponseStream> stream) {
                        const int number = asked_++;
                        std::string body = instead(number);
                        if (body.empty())
                          body = dump_json(completion_of(parse_json(request.body, "request")));
                        stream->respond(200, {{"content-type", "application/json"}}, body);
                      }});
    server_ = std::make_unique<HttpServer>(HttpServerOptions{}, std::move(routes));
  }
  GenerateOptions openai_options(const std::string& output = "out") {
    GenerateOptions made =
        options(fmt::format("http://127.0.0.1:{}", server_->port()), csv(), output);
    made.provider = "openai";
    made.ask.model = "local-model";
    return made;
  }

  std::atomic<int> asked_ = 0;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(GenerateOpenAiTest, BothFormatsWithAndWithoutAPrice) {
  serve();
  GenerateOptions made = openai_options();
  GenerateReport report = generate(made);
  EXPECT_EQ(report.succeeded, kRows);
  EXPECT_FALSE(report.spent_usd);
  EXPECT_EQ(asked_, kRows);
  made = openai_options("brackets");
  made.ask.format = AnswerFormat::text;
  made.ask.price = Price{.input = 1, .output = 2};
  report = generate(made);
  EXPECT_EQ(report.succeeded, kRows);
  EXPECT_NEAR(*report.spent_usd, kRows * (2000 + 2 * 1000) / 1e6, 1e-9);
  EXPECT_EQ(asked_, 2 * kRows);
}

TEST_F(GenerateOpenAiTest, BudgetNeedsAPrice) {
  serve();
  GenerateOptions made = openai_options();
  made.ask.budget_usd = 1;
  EXPECT_THAT(error_of(made), HasSubstr("price of 'local-model'"));
  EXPECT_EQ(asked_, 0);
}

// Gateways answer 200 with an error within: nothing was sold, and it may pass.
TEST_F(GenerateOpenAiTest, GatewaysErrorInAnAnswerIsAskedAgainAndNotPaid) {
  serve([](int number) {
    return number == 0 || number == 2
               ? std::string(R"({"error":{"code":502,"message":"upstream is away"}})")
               : std::string();
  });
  GenerateOptions made = openai_options();
  made.ask.price = Price{.input = 1, .output = 2};
  const GenerateReport report = generate(made);
  EXPECT_EQ(report.succeeded, kRows);
  EXPECT_EQ(asked_, kRows + 2);
  EXPECT_NEAR(*report.spent_usd, kRows * (2000 + 2 * 1000) / 1e6, 1e-9);
  EXPECT_EQ(generate(made).kept, kRows);
  EXPECT_EQ(asked_, kRows + 2);
}

TEST_F(GenerateOpenAiTest, RefusalWithinAnAnswerEndsTheRunAtOnce) {
  std::atomic<bool> refuse = true;
  serve([&](int) {
    return refuse ? std::string(R"({"error":{"code":401,"message":"no such key"}})")
                  : std::string();
  });
  const GenerateOptions made = openai_options();
  GenerateReport report = generate(made);
  EXPECT_EQ(asked_, 1);
  EXPECT_EQ(report.left, kRows);
  EXPECT_THAT(report.end_reason, AllOf(HasSubstr("401"), HasSubstr("no such key")));
  refuse = false;
  report = generate(made);
  EXPECT_EQ(report.succeeded, kRows);
  EXPECT_EQ(asked_, 1 + kRows);
}

// Bytes that are no UTF-8 reach errors/ as far as they can be shown.
TEST_F(GenerateOpenAiTest, BytesThatAreNoTextAreKept) {
  serve(
      [](int number) { return number == 3 ? std::string("\xff\xfe{broken \xc3") : std::string(); });
  const GenerateOptions made = openai_options();
  const GenerateReport report = generate(made);
  EXPECT_EQ(report.succeeded, kRows - 1);
  EXPECT_EQ(report.failed, 1);
  for (int i = 0; i < kRows; i++) {
    if (!has_error(made, i)) continue;
    EXPECT_THAT(std::string(error_file(made, i)["raw_response"]), HasSubstr("{broken"));
  }
  const int before = asked_;
  EXPECT_EQ(generate(made).kept, kRows);
  EXPECT_EQ(asked_, before);
}

}  // namespace
}  // namespace chatmem
