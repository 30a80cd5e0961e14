// An HTTP/1.1 server for answers that stream: routes, limits, time-outs, graceful stop. It knows no
// body but its own errors, {"error":{"message","type","param","code"}}.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/http.h"

namespace chatmem {

struct HttpRequest {
  std::string id;       // what the answer carries as x-request-id
  std::string method;   // "GET"
  std::string path;     // without the query, as sent: not percent-decoded
  std::string query;    // after "?"
  HttpHeaders headers;  // each value without surrounding space
  std::string body;
};

// What became of an answer, as far as its sender can know. sent: all of it was handed to the
// operating system while the client was there, or arrived before it left. broken: it was cut short,
// or the connection was reset, which a client's system does when it dies with unread bytes.
enum class Delivery { sent, broken };

// The answer to one request. May be used from any thread, by one at a time, and kept as long as the
// server lives. Destroyed without an answer, it answers 500; destroyed between start() and end(),
// it cuts the connection, so that the client sees that the answer is not whole.
class ResponseStream {
 public:
  virtual ~ResponseStream() = default;

  // The whole answer. Nothing may be called after it but client_gone().
  virtual void respond(int status, const HttpHeaders& headers, std::string_view body) = 0;

  // Sends status and headers at once; the body follows by write() and ends with end().
  virtual void start(int status, const HttpHeaders& headers) = 0;
  // Queues bytes and returns at once. False when nobody will read them: the client has gone, or
  // leaves more than max_queued_bytes unread (its connection is cut then).
  virtual bool write(std::string_view bytes) = 0;
  virtual void end() = 0;
  // After start(): writes `bytes` whenever nothing was written for interval_ms, until end().
  virtual void keep_alive(std::string bytes, int interval_ms) = 0;

  // Before respond() or start(): `report` is called on an I/O thread when the answer was sent or is
  // broken; and again, broken after sent, for a reset before the next request of the connection.
  virtual void on_delivery(std::function<void(Delivery)> report) = 0;
  // Resets the connection at once, with or without start(); nothing may be called after it.
  virtual void cut() = 0;

  // True once the client has closed its side; noticed while nothing is written, too.
  virtual bool client_gone() const = 0;
};

// Runs on an I/O thread: it must not wait. What it throws is logged and answered with 500.
using HttpHandler = std::function<void(HttpRequest, std::unique_ptr<ResponseStream>)>;

struct HttpRoute {
  std::string method;  // GET serves HEAD too
  std::string path;    // exact; or a prefix, when it ends in "/*"
  HttpHandler handler;
};

struct HttpServerOptions {
  std::string address = "127.0.0.1";
  int port = 0;  // 0: any free one
  int threads = 2;
  size_t max_header_bytes = size_t(16) << 10;   // 431
  size_t max_body_bytes = size_t(16) << 20;     // 413
  size_t max_bodies_bytes = size_t(256) << 20;  // of all requests that are being read: 503
  size_t max_queued_bytes = size_t(4) << 20;    // written but unread bytes of one answer
  size_t max_connections = 1024;                // 503 over it
  int header_timeout_ms = 10'000;             // from the first byte to the end of the headers: 408
  int body_timeout_ms = 60'000;               // for the whole body: 408
  int idle_timeout_ms = 75'000;               // between two requests of a connection
  int write_timeout_ms = 30'000;              // without a byte accepted by the client
  std::function<void(std::string_view)> log;  // a line for each internal error
  // Called on an I/O thread for each request before it is routed; what it returns answers.
  std::function<std::unique_ptr<ResponseStream>(const HttpRequest&,
                                                std::unique_ptr<ResponseStream>)>
      observe;
  // Called on an I/O thread for what could not be read as a request, and how it was answered.
  std::function<void(const std::string& id, int status, const std::string& message)> on_refused;
};

class HttpServer {
 public:
  // Listens and serves when it returns. Throws Error when the address or port cannot be had.
  HttpServer(HttpServerOptions options, std::vector<HttpRoute> routes);
  // stop(0), then waits until every ResponseStream is destroyed.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  int port() const;
  int connections() const;
  // Accepts no more, lets answers finish for drain_ms, then cuts the rest. Not from an I/O thread.
  void stop(int drain_ms);

 private:
  struct Core;
  class Connection;
  class Stream;
  std::unique_ptr<Core> core_;
};

}  // namespace chatmem
