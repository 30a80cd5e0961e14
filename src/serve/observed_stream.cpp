#include "serve/observed_stream.h"

#include <utility>

namespace chatmem {
namespace {

constexpr int kClientGone = 499;  // as nginx has it

}  // namespace

ObservedStream::~ObservedStream() { give_up(); }

void ObservedStream::respond(int status, const HttpHeaders& headers, std::string_view body) {
  record_.status = status;
  finish();
  stream_->respond(status, with_own(headers), body);
}

void ObservedStream::start(int status, const HttpHeaders& headers) {
  record_.status = status;
  stream_->start(status, with_own(headers));
}

void ObservedStream::end() {
  finish();
  stream_->end();
}

void ObservedStream::cut() {
  give_up();
  stream_->cut();
}

HttpHeaders ObservedStream::with_own(const HttpHeaders& headers) const {
  HttpHeaders all = headers;
  all.insert(all.end(), headers_.begin(), headers_.end());
  return all;
}

void ObservedStream::finish() {
  record_.ended = RequestRecord::Clock::now();
  if (const OnEnd on_end = std::exchange(on_end_, nullptr)) on_end(record_);
}

void ObservedStream::give_up() {
  if (!on_end_) return;
  const bool gone = stream_->client_gone();
  record_.status = gone ? kClientGone : 500;
  record_.error = gone ? "the client left" : "the answer was given up";
  finish();
}

}  // namespace chatmem
