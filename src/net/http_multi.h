// Many HTTP requests in flight on one thread.
#pragma once
#include <functional>
#include <memory>
#include <optional>

#include "net/http_client.h"

namespace chatmem {

// What became of a request: an answer of any status, or why there is none (what came of it until
// then is in the response all the same: status 0 when not even headers did).
struct HttpOutcome {
  HttpResponse response;
  std::optional<HttpError> error;
};

// Not safe for several threads, but for wake().
class HttpMulti {
 public:
  using Done = std::function<void(HttpOutcome)>;

  HttpMulti();
  ~HttpMulti();  // ends what is in flight, without a call of done
  HttpMulti(const HttpMulti&) = delete;
  HttpMulti& operator=(const HttpMulti&) = delete;

  // A request that the next poll() begins; connections are kept, and shared where the server
  // speaks HTTP/2. It is sent once, also when a kept connection breaks. `done` is called from
  // poll(), once, also for a call that cannot even begin.
  void start(HttpCall call, Done done);
  // Waits until something happens, at most timeout_ms, then calls `done` of each request that has
  // ended; it may start others. What an on_body or a done throws is thrown on (an on_body's request
  // has no call of done then); what else has ended is kept for the next poll.
  void poll(int timeout_ms);
  // Ends a wait in poll(), from any thread or a signal handler's pipe reader.
  void wake();
  int in_flight() const;  // started, and done not yet called

 private:
  struct Core;
  std::unique_ptr<Core> core_;
};

}  // namespace chatmem
