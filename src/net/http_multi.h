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

  // Begins a request; connections are kept and shared. `done` is called from poll(), once, also for
  // a call that cannot even begin.
  void start(HttpCall call, Done done);
  // Waits until something happens, at most timeout_ms, then calls `done` of each request that has
  // ended; it may start others.
  void poll(int timeout_ms);
  // Ends a wait in poll(), from any thread or a signal handler's pipe reader.
  void wake();
  int in_flight() const;

 private:
  struct Core;
  std::unique_ptr<Core> core_;
};

}  // namespace chatmem
