#include "net/http_multi.h"

#include <algorithm>
#include <deque>
#include <exception>
#include <utility>
#include <vector>

#include "net/curl_transfer.h"

namespace chatmem {
namespace {

// Idle connections kept; libcurl's own limit follows the number of requests and falls with it.
constexpr long kKeptConnections = 256;

using Clock = CurlTransfer::Clock;

// From start() until its done is called.
struct Flight {
  Flight(HttpCall the_call, HttpMulti::Done the_done)
      : call(std::move(the_call)), done(std::move(the_done)) {}

  HttpCall call;
  HttpMulti::Done done;
  std::unique_ptr<CurlTransfer> transfer;  // of `call`; destroyed before it
  HttpOutcome outcome;
  std::exception_ptr thrown;  // by on_body
};
using FlightPtr = std::unique_ptr<Flight>;

// Milliseconds until then, rounded up so that a wait never ends just before it.
int ms_until(Clock::time_point time) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(time - Clock::now());
  return int(std::clamp<int64_t>(left.count(), 0, 1 << 30));
}

}  // namespace

struct HttpMulti::Core {
  std::unique_ptr<CURLM, decltype(&curl_multi_cleanup)> multi{nullptr, &curl_multi_cleanup};
  std::vector<FlightPtr> waiting;  // until the next poll: libcurl takes none within its callbacks
  std::vector<FlightPtr> flying;
  std::deque<FlightPtr> ended;  // their done is to be called

  ~Core() {
    for (const FlightPtr& flight : flying)
      curl_multi_remove_handle(multi.get(), flight->transfer->handle());
  }
  void begin_waiting();
  void begin(FlightPtr flight);
  void perform();
  void end(CURL* handle, CURLcode code);
  void end_idle();
  void wait(int timeout_ms);
  void call_done();
};

void HttpMulti::Core::begin_waiting() {
  for (FlightPtr& flight : std::exchange(waiting, {})) begin(std::move(flight));
}

void HttpMulti::Core::begin(FlightPtr flight) {
  try {
    flight->transfer = std::make_unique<CurlTransfer>(flight->call);
  } catch (const HttpError& e) {
    flight->outcome.error = e;
    ended.push_back(std::move(flight));
    return;
  }
  CURL* handle = flight->transfer->handle();
  // Over TLS the handshake says whether the connection can be shared (HTTP/2), so waiting for it
  // is short. Over plain TCP only the first answer would say so.
  if (flight->call.url.starts_with("https:"))
    CHECK(curl_easy_setopt(handle, CURLOPT_PIPEWAIT, 1L) == CURLE_OK);
  CHECK(curl_multi_add_handle(multi.get(), handle) == CURLM_OK);
  flying.push_back(std::move(flight));
}

void HttpMulti::Core::perform() {
  int running = 0;
  CHECK(curl_multi_perform(multi.get(), &running) == CURLM_OK);
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi.get(), &left))
    if (message->msg == CURLMSG_DONE) end(message->easy_handle, message->data.result);
  end_idle();
}

void HttpMulti::Core::end(CURL* handle, CURLcode code) {
  const auto it = std::find_if(flying.begin(), flying.end(), [&](const FlightPtr& flight) {
    return flight->transfer->handle() == handle;
  });
  CHECK(it != flying.end());
  FlightPtr flight = std::move(*it);
  flying.erase(it);
  CHECK(curl_multi_remove_handle(multi.get(), handle) == CURLM_OK);
  try {
    flight->outcome.error = flight->transfer->end(code);
  } catch (...) {
    flight->thrown = std::current_exception();  // thrown on in its turn, by call_done
  }
  flight->outcome.response = flight->transfer->take_response();
  flight->transfer.reset();
  ended.push_back(std::move(flight));
}

// libcurl asks a transfer only when it has something to do for it, so silence is looked for here.
void HttpMulti::Core::end_idle() {
  std::vector<CurlTransfer*> silent;
  const auto now = Clock::now();
  for (const FlightPtr& flight : flying)
    if (flight->transfer->idle_deadline() < now) silent.push_back(flight->transfer.get());
  for (CurlTransfer* transfer : silent) {
    transfer->set_idle();
    end(transfer->handle(), CURLE_ABORTED_BY_CALLBACK);
  }
}

void HttpMulti::Core::wait(int timeout_ms) {
  for (const FlightPtr& flight : flying)
    timeout_ms = std::min(timeout_ms, ms_until(flight->transfer->idle_deadline()) + 1);
  CHECK(curl_multi_poll(multi.get(), nullptr, 0, std::max(timeout_ms, 0), nullptr) == CURLM_OK);
}

// What throws leaves the others for the next poll.
void HttpMulti::Core::call_done() {
  for (size_t n = ended.size(); n > 0; n--) {
    const FlightPtr flight = std::move(ended.front());
    ended.pop_front();
    if (flight->thrown) std::rethrow_exception(flight->thrown);
    flight->done(std::move(flight->outcome));
  }
}

HttpMulti::HttpMulti() : core_(std::make_unique<Core>()) {
  init_curl();
  core_->multi.reset(curl_multi_init());
  if (!core_->multi) throw std::bad_alloc();
  CHECK(curl_multi_setopt(core_->multi.get(), CURLMOPT_MAXCONNECTS, kKeptConnections) == CURLM_OK);
}

HttpMulti::~HttpMulti() = default;

void HttpMulti::start(HttpCall call, Done done) {
  core_->waiting.push_back(std::make_unique<Flight>(std::move(call), std::move(done)));
}

void HttpMulti::poll(int timeout_ms) {
  core_->begin_waiting();
  core_->perform();
  if (core_->ended.empty()) {
    core_->wait(timeout_ms);
    core_->perform();
  }
  core_->call_done();
}

void HttpMulti::wake() { curl_multi_wakeup(core_->multi.get()); }

int HttpMulti::in_flight() const {
  return int(core_->waiting.size() + core_->flying.size() + core_->ended.size());
}

}  // namespace chatmem
