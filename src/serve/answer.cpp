#include "serve/answer.h"

#include <fmt/format.h>

#include "net/sse.h"

namespace chatmem {
namespace {

const HttpHeaders kJson = {{"content-type", "application/json"}};
// The last one asks nginx not to collect the stream before it passes it on.
const HttpHeaders kEventStream = {{"content-type", "text/event-stream"},
                                  {"cache-control", "no-cache"},
                                  {"x-accel-buffering", "no"}};

// Joins arrays of logprobs; null is none.
void append(Json& entries, Json more) {
  for (Json& entry : more) entries.push_back(std::move(entry));
}

}  // namespace

Answer::Answer(AnswerOptions options, const ChatCodec& codec)
    : options_(std::move(options)), codec_(codec) {
  for (int i = 0; i < options_.n; i++)
    choices_.push_back({.index = i, .text = AnswerText(options_.stop)});
}

void Answer::on_accepted() {
  if (!options_.streams) return;
  http->start(200, kEventStream);
  http->write(kSsePing);
  http->keep_alive(std::string(kSsePing), options_.ping_interval_ms);
}

bool Answer::on_token(int index, const GeneratedToken& token) {
  Choice& choice = choices_.at(size_t(index));
  const std::string bytes = codec_.decode(token.token);
  const size_t end = choice.n_bytes + bytes.size();
  if (token.logprobs) {
    std::vector<NamedLogprob> top;
    for (const TokenLogprob& one : token.logprobs->top) top.push_back(named(one));
    const NamedLogprob picked = named({token.token, token.logprobs->logprob});
    choice.logprobs.push_back({choice.n_bytes, end, logprob_entry(picked, top)});
  }
  choice.n_bytes = end;
  send(choice, choice.text.push(bytes));
  return !choice.text.stopped() && !http->client_gone();
}

void Answer::on_finish(int index, FinishReason reason) {
  Choice& choice = choices_.at(size_t(index));
  send(choice, choice.text.finish());
  const bool by_itself = reason == FinishReason::stop && !choice.text.stopped();
  if (options_.calls_function) send_arguments(choice, choice.call_text.finish(by_itself));
  const std::string_view name = by_itself && options_.calls_function ? "tool_calls"
                                : by_itself || choice.text.stopped() ? "stop"
                                                                     : "length";
  if (options_.streams) {
    begin(choice);
    return event(finish_chunk(options_.head, index, name, take_logprobs(choice)));
  }
  append(choice.whole.logprobs, take_logprobs(choice));
  choice.whole.finish_reason = name;
}

void Answer::on_done(const Usage& usage) {
  if (!options_.streams) {
    std::vector<AnswerChoice> whole;
    for (Choice& choice : choices_) whole.push_back(std::move(choice.whole));
    return http->respond(200, kJson, chat_completion(options_.head, whole, usage));
  }
  if (options_.head.include_usage) event(usage_chunk(options_.head, usage));
  http->write(kSseDone);
  http->end();
}

void Answer::on_error(const std::string& message) {
  const ApiError error(500, message);
  if (!options_.streams) return http->respond(error.status(), kJson, error.body());
  event(error.body());  // the status is gone; clients raise on a chunk with an error
  http->end();
}

NamedLogprob Answer::named(const TokenLogprob& one) const {
  return {codec_.name(one.token), codec_.decode(one.token), one.logprob};
}

// Of the tokens that have sent a part of their text, or had none to send; those whose text a stop
// string cut off stay back. Null where there are none.
Json Answer::take_logprobs(Choice& choice) const {
  Json entries;
  const size_t sent = choice.text.n_sent();
  while (!choice.logprobs.empty() &&
         (choice.logprobs.front().begin < sent || choice.logprobs.front().end <= sent)) {
    entries.push_back(std::move(choice.logprobs.front().entry));
    choice.logprobs.pop_front();
  }
  return entries;
}

void Answer::event(const std::string& data) { http->write(sse_event(data)); }

void Answer::begin(Choice& choice) {
  if (!std::exchange(choice.begun, true)) event(role_chunk(options_.head, choice.index));
}

void Answer::send(Choice& choice, const std::string& text) {
  if (text.empty()) return;
  if (options_.calls_function) return send_arguments(choice, choice.call_text.push(text));
  if (!options_.streams) {
    choice.whole.text += text;
    return append(choice.whole.logprobs, take_logprobs(choice));
  }
  begin(choice);
  event(content_chunk(options_.head, choice.index, text, take_logprobs(choice)));
}

void Answer::send_arguments(Choice& choice, const std::string& arguments) {
  if (choice.call_text.name().empty()) return;
  send_call(choice);
  if (arguments.empty()) return;
  if (options_.streams)
    return event(arguments_chunk(options_.head, choice.index, arguments, take_logprobs(choice)));
  choice.whole.call->arguments += arguments;
  append(choice.whole.logprobs, take_logprobs(choice));
}

// Once the name is known.
void Answer::send_call(Choice& choice) {
  if (choice.whole.call) return;
  const std::string id = options_.head.id.substr(options_.head.id.find('-') + 1);
  choice.whole.call = {fmt::format("call_{}_{}", id, choice.index), choice.call_text.name(), ""};
  if (!options_.streams) return;
  begin(choice);
  event(call_chunk(options_.head, choice.index, *choice.whole.call));
}

}  // namespace chatmem
