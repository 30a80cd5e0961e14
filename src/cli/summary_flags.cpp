#include "cli/summary_flags.h"

#include <fmt/format.h>

#include <cstdlib>

#include "base/error.h"

namespace chatmem {
namespace {

constexpr const char *kWriter = "Who writes", *kAnswers = "Answers", *kPace = "Pace",
                     *kEngine = "A model in this process";

std::string bearer_token() {
  for (const char* name : {"OPENAI_API_KEY", "HF_TOKEN"})
    if (const char* value = std::getenv(name); value != nullptr && *value != '\0') return value;
  return {};
}

// As text where the template is text, unless a flag says otherwise.
AskAs ask_as(const SummaryFlags& flags) {
  const bool seed = flags.prompt_template == "seed";
  if (!seed && flags.api == "completions")
    throw Error("[usage] --api completions needs --template seed: the temporal template is a chat",
                "leave out --api, or add --template seed", kUsage);
  if (!seed) return AskAs::temporal_chat;
  return flags.api == "chat" ? AskAs::seed_chat : AskAs::seed_text;
}

SummaryWriter ask_endpoint(const SummaryFlags& flags) {
  if (!flags.model.adapter.empty())
    throw Error("[usage] --adapter is of a model in this process, not of an endpoint",
                "leave out --endpoint, or give the adapter to the server", kUsage);
  const AskAs how = ask_as(flags);
  ChatEndpoint endpoint{.base_url = flags.endpoint,
                        .api_key = bearer_token(),
                        .idle_timeout_ms = flags.timeout_ms,
                        .max_retries = flags.retries};
  ChatRequest request;
  request.model =
      flags.model.model.empty() ? ChatClient(endpoint).first_model() : flags.model.model;
  request.max_tokens = flags.max_tokens;
  request.temperature = flags.temperature;
  std::string settings = fmt::format("model={} max_tokens={} temperature={}", request.model,
                                     flags.max_tokens, flags.temperature);
  if (how != AskAs::temporal_chat)
    settings += how == AskAs::seed_chat ? " template=seed api=chat" : " template=seed";
  return {request.model, settings, endpoint_summarizer(endpoint, request, how), nullptr};
}

}  // namespace

void add_summary_flags(CLI::App& verb, SummaryFlags& flags) {
  verb.add_option("--endpoint", flags.endpoint,
                  "an OpenAI-compatible server; OPENAI_API_KEY or HF_TOKEN is its bearer token")
      ->type_name("URL")
      ->group(kWriter);
  verb.add_option("--model", flags.model.model,
                  "a Hugging Face folder or GGUF file, run in this process; with --endpoint the "
                  "name to ask for (default: the server's first)")
      ->group(kWriter);
  verb.add_option("--adapter", flags.model.adapter,
                  "a LoRA adapter of --model: PEFT folder or GGUF file")
      ->group(kWriter);
  verb.add_option("--tokenizer", flags.model.tokenizer,
                  "tokenizer file or folder; default: the model's own")
      ->group(kWriter);
  verb.add_option("--template", flags.prompt_template,
                  "what is asked, as the model was trained: temporal, or seed, the original "
                  "project's [INST] text")
      ->check(CLI::IsMember({"temporal", "seed"}))
      ->capture_default_str()
      ->group(kAnswers);
  verb.add_option("--api", flags.api,
                  "of an endpoint: chat, or completions for a template that is text; auto: as the "
                  "template is")
      ->check(CLI::IsMember({"auto", "chat", "completions"}))
      ->capture_default_str()
      ->group(kAnswers);
  verb.add_option("--max-tokens", flags.max_tokens, "longest answer")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str()
      ->group(kAnswers);
  verb.add_option("--temperature", flags.temperature, "0: greedy")
      ->check(CLI::Range(0.0, 2.0))
      ->capture_default_str()
      ->group(kAnswers);
  verb.add_option("--concurrency", flags.concurrency,
                  "requests at once; a model in this process decodes so many together")
      ->check(CLI::Range(1, 256))
      ->capture_default_str()
      ->group(kPace);
  verb.add_option("--timeout-ms", flags.timeout_ms, "without a byte of an endpoint's answer")
      ->check(CLI::Range(1'000, 3'600'000))
      ->capture_default_str()
      ->group(kPace);
  verb.add_option("--retries", flags.retries,
                  "of a request to an endpoint that failed before its first text")
      ->check(CLI::Range(0, 100))
      ->capture_default_str()
      ->group(kPace);
  add_device_flags(verb, flags.model);
  for (const char* name : {"--device", "--threads", "--dtype"})
    verb.get_option(name)->group(kEngine);
}

SummaryWriter open_summary_writer(const SummaryFlags& flags, uint64_t seed,
                                  std::span<const Conversation> conversations) {
  if (!flags.endpoint.empty()) return ask_endpoint(flags);
  if (flags.model.model.empty())
    throw Error("[usage] --endpoint or --model must say who writes the summaries",
                "for example --endpoint http://127.0.0.1:8080", kUsage);
  if (flags.api != "auto")
    throw Error("[usage] --api is of an endpoint, not of a model in this process",
                "leave out --api, or give --endpoint", kUsage);
  SummaryWriter writer;
  writer.model = std::make_unique<ModelSummarizer>(
      flags.model, conversations,
      ModelSummarizerOptions{.prompt_template = *parse_prompt_template(flags.prompt_template),
                             .max_tokens = flags.max_tokens,
                             .temperature = flags.temperature,
                             .seed = seed,
                             .concurrency = flags.concurrency});
  writer.name = writer.model->name();
  writer.settings = writer.model->settings();
  writer.summarize = [model = writer.model.get()](
                         const Conversation& conversation,
                         const std::function<void(std::string_view)>& on_text) {
    return model->summarize(conversation, on_text);
  };
  return writer;
}

}  // namespace chatmem
