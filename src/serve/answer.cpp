#include "serve/answer.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.h"
#include "net/sse.h"
#include "serve/api_error.h"

namespace chatmem {
namespace {

const HttpHeaders kJsonHeaders = {{"content-type", "application/json"}};
// The last one asks nginx not to collect the stream before it passes it on.
const HttpHeaders kEventStream = {{"content-type", "text/event-stream"},
                                  {"cache-control", "no-cache"},
                                  {"x-accel-buffering", "no"}};

// Joins arrays of logprobs; null is none.
void append(Json& entries, Json more) {
  for (Json& entry : more) entries.push_back(std::move(entry));
}

// Characters that begin in these bytes.
size_t count_characters(std::string_view bytes) {
  return size_t(std::ranges::count_if(bytes, [](char c) { return (uint8_t(c) & 0xC0) != 0x80; }));
}

}  // namespace

Answer::Answer(AnswerOptions options, const ChatCodec& codec)
    : options_(std::move(options)), codec_(codec) {
  for (int i = 0; i < options_.n; i++) {
    choices_.push_back({.index = i, .text = AnswerText(options_.stop)});
    choices_.back().n_characters = count_characters(options_.echo);
    if (options_.streams) continue;
    choices_.back().whole.text = options_.echo;
    choices_.back().whole.logprobs = echo_entries();
  }
}

// Prompts are not scored: their tokens have no logprobs. Null where there are no entries.
Json Answer::echo_entries() const {
  Json entries;
  size_t offset = 0;
  for (const int token : options_.echo_logprobs) {
    const std::string bytes = codec_.decode(token);
    entries.push_back(logprob_entry({codec_.name(token), bytes, {}}, {}, offset));
    offset += count_characters(bytes);
  }
  return entries;
}

void Answer::on_accepted() {
  if (!options_.streams) return;
  http->start(200, kEventStream);
  http->write(kSsePing);
  http->keep_alive(std::string(kSsePing), options_.ping_interval_ms);
}

void Answer::on_started() { http->record().started = RequestRecord::Clock::now(); }

void Answer::on_progress(int cached_tokens, int done_tokens) {
  if (options_.streams && options_.tells_progress)
    event(progress_chunk(options_.head, options_.n_prompt, cached_tokens, done_tokens));
}

bool Answer::on_token(int index, const GeneratedToken& token) {
  RequestRecord& record = http->record();
  record.last_token = RequestRecord::Clock::now();
  if (!record.first_token) record.first_token = record.last_token;
  Choice& choice = choices_.at(size_t(index));
  const std::string bytes = codec_.decode(token.token);
  const size_t end = choice.n_bytes + bytes.size();
  if (token.logprobs) {
    std::vector<NamedLogprob> top;
    for (const TokenLogprob& one : token.logprobs->top) top.push_back(named(one));
    const NamedLogprob picked = named({token.token, token.logprobs->logprob});
    choice.logprobs.push_back(
        {choice.n_bytes, end, logprob_entry(picked, top, choice.n_characters)});
  }
  choice.n_bytes = end;
  choice.n_characters += count_characters(bytes);
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
  choice.whole.finish_reason = name;
  if (options_.streams) {
    begin(choice);
    return event(finish_chunk(options_.head, index, name, take_logprobs(choice)));
  }
  append(choice.whole.logprobs, take_logprobs(choice));
}

void Answer::record_end() {
  RequestRecord& record = http->record();
  for (const Choice& choice : choices_) {
    if (!choice.whole.finish_reason.empty())
      record.finish += (record.finish.empty() ? "" : ",") + std::string(choice.whole.finish_reason);
    if (!options_.logs_content) continue;
    const AnswerChoice& whole = choice.whole;
    record.answer +=
        (record.answer.empty() ? "" : "\n") + (whole.call ? whole.call->arguments : whole.text);
  }
}

void Answer::on_done(const Usage& usage) {
  http->record().usage = usage;
  record_end();
  if (http->client_gone()) return http->cut();  // nobody shall take this for a whole answer
  if (!options_.streams) {
    std::vector<AnswerChoice> whole;
    for (Choice& choice : choices_) whole.push_back(std::move(choice.whole));
    return http->respond(200, kJsonHeaders, whole_answer(options_.head, whole, usage));
  }
  if (options_.head.include_usage) event(usage_chunk(options_.head, usage));
  http->write(kSseDone);
  http->end();
}

void Answer::on_error(EngineFailure failure, const std::string& message) {
  const ApiError error = failure == EngineFailure::deadline
                             ? ApiError(504, message, "", "deadline_exceeded")
                             : ApiError(500, message);
  http->record().error = message;
  record_end();
  if (!options_.streams) return http->respond(error.status(), kJsonHeaders, error.body());
  http->record().status = error.status();
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
  if (std::exchange(choice.begun, true)) return;
  if (options_.head.shape == AnswerShape::chat)
    event(role_chunk(options_.head, choice.index));
  else if (!options_.echo.empty())
    event(content_chunk(options_.head, choice.index, options_.echo, echo_entries()));
}

void Answer::send(Choice& choice, const std::string& text) {
  if (text.empty()) return;
  if (options_.calls_function) return send_arguments(choice, choice.call_text.push(text));
  if (!options_.streams || options_.logs_content) choice.whole.text += text;
  if (!options_.streams) return append(choice.whole.logprobs, take_logprobs(choice));
  begin(choice);
  event(content_chunk(options_.head, choice.index, text, take_logprobs(choice)));
}

void Answer::send_arguments(Choice& choice, const std::string& arguments) {
  if (choice.call_text.name().empty()) return;
  send_call(choice);
  if (arguments.empty()) return;
  if (!options_.streams || options_.logs_content) choice.whole.call->arguments += arguments;
  if (options_.streams)
    return event(arguments_chunk(options_.head, choice.index, arguments, take_logprobs(choice)));
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
