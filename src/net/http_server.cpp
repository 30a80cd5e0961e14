// Each connection lives on a strand: its reads, writes and timers never run at once, so they need
// no lock. Only what answers hand over from other threads (Outbox) is locked. A connection counts
// the operations that will still call back and the streams that refer to it; it is destroyed by
// the last of them.
#include "net/http_server.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio.hpp>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <thread>

#include "base/error.h"
#include "base/random.h"
#include "net/http_error.h"
#include "net/http_request_check.h"
#include "net/peer.h"

namespace chatmem {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using tcp = asio::ip::tcp;
using Milliseconds = std::chrono::milliseconds;

// While an answer is made, this much of the next requests is read ahead; beyond it the client
// waits.
constexpr size_t kReadAheadBytes = size_t(64) << 10;
// After the last answer a closing connection reads on so long, so that the client gets the answer
// and not a reset.
constexpr int kLingerMs = 2'000;

bool matches(const HttpRoute& route, std::string_view path) {
  if (!route.path.ends_with("/*")) return path == route.path;
  const std::string_view prefix = std::string_view(route.path).substr(0, route.path.size() - 1);
  return path.starts_with(prefix) && path.size() > prefix.size();
}

void append_chunk(std::string& out, std::string_view bytes, bool chunked) {
  if (!chunked) {
    out += bytes;
    return;
  }
  fmt::format_to(std::back_inserter(out), "{:x}\r\n", bytes.size());
  out += bytes;
  out += "\r\n";
}

}  // namespace

struct HttpServer::Core {
  Core(HttpServerOptions new_options, std::vector<HttpRoute> new_routes)
      : options(std::move(new_options)), routes(std::move(new_routes)) {}

  void listen();
  void accept();
  void take(tcp::socket socket);
  void remove(uint64_t id);
  void count_stream();
  void stream_released();
  // Runs the action on each connection's strand, if it still exists then.
  void post_to_all(void (Connection::*action)());
  void log(std::string_view line) const {
    if (options.log) options.log(line);
  }
  std::string new_request_id() {
    return fmt::format("req_{:016x}", Random(id_base + next_request++).next());
  }

  const HttpServerOptions options;
  const std::vector<HttpRoute> routes;
  asio::io_context io;
  asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
  tcp::acceptor acceptor{asio::make_strand(io)};
  asio::steady_timer accept_pause{acceptor.get_executor()};
  int port = 0;
  const uint64_t id_base = uint64_t(std::random_device{}()) << 32 | std::random_device{}();
  std::atomic<uint64_t> next_request = 0;
  std::atomic<bool> draining = false;
  std::atomic<size_t> body_bytes = 0;  // of requests that are being read

  std::mutex mutex;  // guards what follows
  std::condition_variable changed;
  std::map<uint64_t, std::unique_ptr<Connection>> connections;
  uint64_t next_connection = 0;
  int n_streams = 0;  // whose release() has not returned: their threads still use `io`
  std::vector<std::thread> threads;
};

class HttpServer::Connection {
 public:
  Connection(Core& core, tcp::socket socket, uint64_t id)
      : core_(core),
        socket_(std::move(socket)),
        executor_(socket_.get_executor()),
        timer_(executor_),
        ping_timer_(executor_),
        id_(id) {}

  // On the strand.
  void begin();
  void drain();
  void cut() { close(); }
  void leave();
  bool finished() const { return closed_ && operations_ == 0 && streams_ == 0; }
  const tcp::socket::executor_type& executor() const { return executor_; }

  // From the thread that holds the stream.
  void queue_whole(int status, const HttpHeaders& headers, std::string_view body);
  void queue_start(int status, const HttpHeaders& headers);
  bool queue_bytes(std::string_view bytes);
  void queue_end();
  void set_keep_alive(std::string bytes, int interval_ms);
  void set_on_delivery(std::function<void(Delivery)> report);
  void queue_cut();
  void release(bool started, bool ended);
  bool gone() const { return gone_; }

 private:
  enum class Phase { reading, answering, closing };

  template <typename F>
  auto counted(F callback) {
    operations_++;
    return [this, callback = std::move(callback)](auto... arguments) mutable {
      callback(arguments...);
      operations_--;
      leave();
    };
  }

  void read();
  void on_read(error_code error, size_t count);
  void on_read_end(error_code error);
  void parse();
  bool take_header();
  void hold_body(size_t bytes);
  void expect_request();
  void dispatch();
  void route(HttpRequest request, std::unique_ptr<ResponseStream> stream);
  void refuse(const HttpRefusal& refusal);
  void append_whole(int status, const HttpHeaders& headers, std::string_view body);
  std::string head(int status, const HttpHeaders& headers, std::string_view framing) const;

  void flush();
  void write_some();
  void answer_done();
  void start_close();
  void close();
  void report(Delivery delivery);

  void arm(int timeout_ms);
  void disarm();
  void on_deadline();
  void arm_ping();
  void on_ping();
  void post_flush();

  Core& core_;
  tcp::socket socket_;
  const tcp::socket::executor_type executor_;
  asio::steady_timer timer_, ping_timer_;
  const uint64_t id_;

  Phase phase_ = Phase::reading;
  bool closed_ = false, read_ended_ = false, reading_ = false, writing_ = false;
  int operations_ = 0, streams_ = 0;
  uint64_t deadline_ = 0;                      // number of the deadline that counts
  std::function<void(Delivery)> on_delivery_;  // of the last answer, until the next request
  bool delivered_ = false;
  std::array<char, 8192> chunk_;
  std::string in_, out_;
  size_t written_ = 0;  // bytes of out_
  std::optional<HttpRequestParser> parser_;
  bool request_begun_ = false, header_taken_ = false;
  size_t body_bytes_ = 0;  // counted in core_

  // Of the request being answered; set before its stream exists, constant while it does.
  std::string request_id_;
  bool keep_ = false, head_only_ = false, chunked_ = false;

  std::atomic<bool> gone_ = false;
  std::mutex outbox_mutex_;  // guards what follows
  std::string outbox_;       // not yet with the strand
  size_t unsent_ = 0;        // bytes of outbox_ and out_
  bool answer_ended_ = false, wrote_since_ping_ = false;
  std::string ping_;
  int ping_interval_ms_ = 0;
};

class HttpServer::Stream final : public ResponseStream {
 public:
  explicit Stream(Connection& connection) : connection_(connection) {}
  ~Stream() override {
    if (!started_)
      connection_.queue_whole(500, {{"content-type", "application/json"}},
                              http_error_body(500, "the request was given up"));
    connection_.release(started_, ended_ || !started_);
  }
  void respond(int status, const HttpHeaders& headers, std::string_view body) override {
    CHECK(!started_);
    started_ = ended_ = true;
    connection_.queue_whole(status, headers, body);
  }
  void start(int status, const HttpHeaders& headers) override {
    CHECK(!started_);
    started_ = true;
    connection_.queue_start(status, headers);
  }
  bool write(std::string_view bytes) override {
    CHECK(started_ && !ended_);
    return connection_.queue_bytes(bytes);
  }
  void end() override {
    CHECK(started_ && !ended_);
    ended_ = true;
    connection_.queue_end();
  }
  void keep_alive(std::string bytes, int interval_ms) override {
    CHECK(started_ && !ended_ && interval_ms > 0);
    connection_.set_keep_alive(std::move(bytes), interval_ms);
  }
  void on_delivery(std::function<void(Delivery)> report) override {
    CHECK(!started_);
    connection_.set_on_delivery(std::move(report));
  }
  void cut() override {
    CHECK(!ended_);
    started_ = ended_ = true;
    connection_.queue_cut();
  }
  bool client_gone() const override { return connection_.gone(); }

 private:
  Connection& connection_;
  bool started_ = false, ended_ = false;
};

// Reading

void HttpServer::Connection::begin() {
  error_code ignored;
  socket_.set_option(tcp::no_delay(true), ignored);
  expect_request();
  read();
}

// A new connection or one kept alive: nothing of a request is there yet.
void HttpServer::Connection::expect_request() {
  phase_ = Phase::reading;
  request_begun_ = header_taken_ = false;
  parser_.emplace();
  parser_->eager(true);
  parser_->header_limit(uint32_t(core_.options.max_header_bytes));
  parser_->body_limit(core_.options.max_body_bytes);
  arm(core_.options.idle_timeout_ms);
}

void HttpServer::Connection::read() {
  if (reading_ || closed_ || read_ended_) return;
  if (phase_ == Phase::answering && in_.size() >= kReadAheadBytes) return;
  reading_ = true;
  socket_.async_read_some(asio::buffer(chunk_), counted([this](error_code error, size_t count) {
                            on_read(error, count);
                          }));
}

void HttpServer::Connection::on_read(error_code error, size_t count) {
  reading_ = false;
  if (closed_) return;
  if (error) return on_read_end(error);
  if (phase_ != Phase::closing) in_.append(chunk_.data(), count);
  if (phase_ == Phase::reading) parse();
  read();
}

// A client that closes its sending side while it waits has gone, as for other servers; what is
// already written still reaches one that only half-closed.
void HttpServer::Connection::on_read_end(error_code error) {
  read_ended_ = true;
  gone_ = true;
  if (error != asio::error::eof) report(Delivery::broken);
  if (error != asio::error::eof || phase_ != Phase::answering) close();
}

void HttpServer::Connection::parse() {
  if (!request_begun_) {
    while (in_.starts_with("\r\n")) in_.erase(0, 2);  // RFC 9112, 2.2
    if (in_.empty() || in_ == "\r") return;
    request_begun_ = true;
    arm(core_.options.header_timeout_ms);
  }
  if (!header_taken_)
    if (const auto refusal = check_lines(in_)) return refuse(*refusal);
  error_code error;
  const size_t used = parser_->put(asio::const_buffer(in_.data(), in_.size()), error);
  in_.erase(0, used);
  if (error == http::error::need_more) error = {};
  if (error) return refuse(refusal_of(error));
  if (parser_->is_header_done() && !header_taken_ && !take_header()) return;
  hold_body(parser_->get().body().size());
  if (core_.body_bytes > core_.options.max_bodies_bytes)
    return refuse({503, "the requests that are being read are too large together; try again"});
  if (parser_->is_done()) return dispatch();
  // The parser leaves what it cannot take yet: a line of a header or of a chunk, never more.
  if (in_.size() > core_.options.max_header_bytes) refuse({431, "a line is too long"});
}

void HttpServer::Connection::hold_body(size_t bytes) {
  core_.body_bytes += bytes - body_bytes_;
  body_bytes_ = bytes;
}

bool HttpServer::Connection::take_header() {
  header_taken_ = true;
  if (const auto refusal = check_header(*parser_)) {
    refuse(*refusal);
    return false;
  }
  arm(core_.options.body_timeout_ms);
  const bool waits = !parser_->get()[http::field::expect].empty() && in_.empty();
  if (waits && !parser_->is_done() && parser_->get().version() == 11) {
    {
      const std::lock_guard lock(outbox_mutex_);
      outbox_ += "HTTP/1.1 100 Continue\r\n\r\n";
    }
    flush();
  }
  return true;
}

void HttpServer::Connection::dispatch() {
  disarm();
  auto message = parser_->release();
  phase_ = Phase::answering;
  request_id_ = core_.new_request_id();
  on_delivery_ = nullptr;
  delivered_ = false;
  keep_ = message.keep_alive();
  head_only_ = message.method() == http::verb::head;
  chunked_ = message.version() == 11;
  HttpRequest request;
  request.id = request_id_;
  request.method = std::string(message.method_string());
  const std::string target(message.target());
  const size_t question = target.find('?');
  request.path = target.substr(0, question);
  if (question != target.npos) request.query = target.substr(question + 1);
  for (const auto& field : message)
    request.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
  request.body = std::move(message.body());
  {
    const std::lock_guard lock(outbox_mutex_);
    answer_ended_ = false;
  }
  streams_++;
  core_.count_stream();
  std::unique_ptr<ResponseStream> stream = std::make_unique<Stream>(*this);
  if (core_.options.observe) stream = core_.options.observe(request, std::move(stream));
  route(std::move(request), std::move(stream));
  hold_body(0);
}

void HttpServer::Connection::route(HttpRequest request, std::unique_ptr<ResponseStream> stream) {
  std::string allowed;
  for (const HttpRoute& route : core_.routes) {
    if (!matches(route, request.path)) continue;
    if (route.method == request.method || (route.method == "GET" && request.method == "HEAD")) {
      try {
        route.handler(std::move(request), std::move(stream));
      } catch (const std::exception& e) {
        core_.log(fmt::format("{}: {}", request_id_, e.what()));
      }
      return;
    }
    allowed += (allowed.empty() ? "" : ", ") + route.method;
    if (route.method == "GET") allowed += ", HEAD";
  }
  const HttpHeaders json = {{"content-type", "application/json"}};
  if (allowed.empty() && request.path != "*")
    return stream->respond(404, json,
                           http_error_body(404, fmt::format("there is no {}", request.path)));
  const HttpHeaders allow = {{"allow", allowed + (allowed.empty() ? "OPTIONS" : ", OPTIONS")}};
  if (request.method == "OPTIONS") return stream->respond(204, allow, "");
  stream->respond(405, {json[0], allow[0]},
                  http_error_body(405, fmt::format("{} does not take {}, but {}", request.path,
                                                   request.method, allowed)));
}

// Answers what is not a request. Where the next request would begin is not known, so the
// connection ends.
void HttpServer::Connection::refuse(const HttpRefusal& refusal) {
  disarm();
  phase_ = Phase::answering;
  request_id_ = core_.new_request_id();
  keep_ = head_only_ = false;
  parser_.reset();
  hold_body(0);
  if (core_.options.on_refused)
    core_.options.on_refused(request_id_, refusal.status, refusal.message);
  append_whole(refusal.status, {{"content-type", "application/json"}},
               http_error_body(refusal.status, refusal.message));
  flush();
}

// Answers

std::string HttpServer::Connection::head(int status, const HttpHeaders& headers,
                                         std::string_view framing) const {
  std::string out = fmt::format("HTTP/1.1 {} {}\r\nDate: {}\r\nx-request-id: {}\r\n", status,
                                http_reason(status), http_date(), request_id_);
  for (const auto& [name, value] : headers) {
    CHECK((name + value).find_first_of("\r\n") == std::string::npos);
    fmt::format_to(std::back_inserter(out), "{}: {}\r\n", name, value);
  }
  const bool keep = keep_ && !core_.draining;
  fmt::format_to(std::back_inserter(out), "{}Connection: {}\r\n\r\n", framing,
                 keep ? "keep-alive" : "close");
  return out;
}

void HttpServer::Connection::append_whole(int status, const HttpHeaders& headers,
                                          std::string_view body) {
  const bool no_body = status == 204 || status == 304;
  std::string bytes =
      head(status, headers, no_body ? "" : fmt::format("Content-Length: {}\r\n", body.size()));
  if (!head_only_ && !no_body) bytes += body;
  const std::lock_guard lock(outbox_mutex_);
  outbox_ += bytes;
  unsent_ += bytes.size();
  answer_ended_ = true;
}

void HttpServer::Connection::queue_whole(int status, const HttpHeaders& headers,
                                         std::string_view body) {
  append_whole(status, headers, body);
  post_flush();
}

void HttpServer::Connection::queue_start(int status, const HttpHeaders& headers) {
  if (!chunked_) keep_ = false;  // HTTP/1.0: the end of the body is the end of the connection
  const std::string bytes = head(status, headers, chunked_ ? "Transfer-Encoding: chunked\r\n" : "");
  const std::lock_guard lock(outbox_mutex_);
  outbox_ += bytes;
  unsent_ += bytes.size();
  post_flush();
}

bool HttpServer::Connection::queue_bytes(std::string_view bytes) {
  if (gone_) return false;
  if (bytes.empty() || head_only_) return true;
  const std::lock_guard lock(outbox_mutex_);
  const size_t before = outbox_.size();
  append_chunk(outbox_, bytes, chunked_);
  unsent_ += outbox_.size() - before;
  wrote_since_ping_ = true;
  if (unsent_ > core_.options.max_queued_bytes) {
    gone_ = true;
    asio::post(executor_, [this] { close(); });
    return false;
  }
  post_flush();
  return true;
}

void HttpServer::Connection::queue_end() {
  const std::lock_guard lock(outbox_mutex_);
  if (chunked_ && !head_only_) outbox_ += "0\r\n\r\n";
  answer_ended_ = true;
  ping_interval_ms_ = 0;
  post_flush();
}

void HttpServer::Connection::set_keep_alive(std::string bytes, int interval_ms) {
  const std::lock_guard lock(outbox_mutex_);
  ping_ = std::move(bytes);
  ping_interval_ms_ = interval_ms;
  asio::post(executor_, [this] { arm_ping(); });
}

void HttpServer::Connection::set_on_delivery(std::function<void(Delivery)> report) {
  asio::post(executor_, [this, report = std::move(report)]() mutable {
    if (closed_) return report(Delivery::broken);
    on_delivery_ = std::move(report);
  });
}

void HttpServer::Connection::queue_cut() {
  asio::post(executor_, [this] {
    error_code ignored;  // with nothing to linger for, close sends a reset
    socket_.set_option(asio::socket_base::linger(true, 0), ignored);
    close();
  });
}

// The stream's last call. What it posted before runs before this on the strand, so the connection
// is there for all of it; when post() returns, it may be gone already.
void HttpServer::Connection::release(bool started, bool ended) {
  Core& core = core_;
  asio::post(executor_, [this, cut = started && !ended] {
    streams_--;
    if (cut) close();
    leave();
  });
  core.stream_released();
}

// Only under a stream, which keeps the connection until its release.
void HttpServer::Connection::post_flush() {
  asio::post(executor_, [this] { flush(); });
}

void HttpServer::Connection::flush() {
  if (writing_ || closed_ || phase_ == Phase::closing) return;
  bool ended;
  {
    const std::lock_guard lock(outbox_mutex_);
    out_.swap(outbox_);
    ended = answer_ended_;
  }
  written_ = 0;
  if (!out_.empty()) return write_some();
  if (phase_ == Phase::answering && ended) answer_done();
}

void HttpServer::Connection::write_some() {
  writing_ = true;
  if (phase_ == Phase::answering) arm(core_.options.write_timeout_ms);
  socket_.async_write_some(asio::buffer(out_.data() + written_, out_.size() - written_),
                           counted([this](error_code error, size_t count) {
                             writing_ = false;
                             if (closed_) return;
                             if (error) return close();
                             written_ += count;
                             {
                               const std::lock_guard lock(outbox_mutex_);
                               unsent_ -= std::min(unsent_, count);
                             }
                             if (written_ < out_.size()) return write_some();
                             out_.clear();
                             if (phase_ == Phase::answering) disarm();
                             flush();
                           }));
}

void HttpServer::Connection::answer_done() {
  {
    const std::lock_guard lock(outbox_mutex_);
    answer_ended_ = false;
    unsent_ = 0;
  }
  report(!read_ended_ || peer_has_all(socket_.native_handle()) ? Delivery::sent : Delivery::broken);
  if (!keep_ || core_.draining || read_ended_) return start_close();
  expect_request();
  if (!in_.empty()) parse();
  read();
}

void HttpServer::Connection::start_close() {
  phase_ = Phase::closing;
  error_code ignored;
  socket_.shutdown(tcp::socket::shutdown_send, ignored);
  if (read_ended_) return close();
  in_.clear();
  arm(kLingerMs);
  read();
}

void HttpServer::Connection::close() {
  if (closed_) return;
  closed_ = true;
  gone_ = true;
  if (!delivered_) report(Delivery::broken);
  on_delivery_ = nullptr;
  hold_body(0);
  error_code ignored;
  timer_.cancel(ignored);
  ping_timer_.cancel(ignored);
  socket_.close(ignored);
}

void HttpServer::Connection::report(Delivery delivery) {
  delivered_ = true;
  if (on_delivery_) on_delivery_(delivery);
}

void HttpServer::Connection::drain() {
  if (phase_ == Phase::reading && !request_begun_) close();
}

void HttpServer::Connection::leave() {
  if (finished()) core_.remove(id_);
}

// Time

void HttpServer::Connection::arm(int timeout_ms) {
  const uint64_t number = ++deadline_;
  timer_.expires_after(Milliseconds(timeout_ms));
  timer_.async_wait(counted([this, number](error_code error) {
    if (!error && number == deadline_ && !closed_) on_deadline();
  }));
}

void HttpServer::Connection::disarm() {
  deadline_++;
  timer_.cancel();
}

void HttpServer::Connection::on_deadline() {
  if (phase_ == Phase::reading && request_begun_)
    refuse({408, "the request did not arrive in time"});
  else
    close();
}

void HttpServer::Connection::arm_ping() {
  const std::lock_guard lock(outbox_mutex_);
  if (closed_ || ping_interval_ms_ == 0) return;
  wrote_since_ping_ = false;
  ping_timer_.expires_after(Milliseconds(ping_interval_ms_));
  ping_timer_.async_wait(counted([this](error_code error) {
    if (!error && !closed_) on_ping();
  }));
}

void HttpServer::Connection::on_ping() {
  {
    const std::lock_guard lock(outbox_mutex_);
    if (ping_interval_ms_ == 0 || answer_ended_) return;
    if (!wrote_since_ping_ && outbox_.empty() && !writing_ && !head_only_)
      append_chunk(outbox_, ping_, chunked_);
  }
  flush();
  arm_ping();
}

// Core

void HttpServer::Core::listen() {
  const std::string place = fmt::format("{}:{}", options.address, options.port);
  const std::string name = options.address == "localhost" ? "127.0.0.1" : options.address;
  error_code error;
  const auto address = asio::ip::make_address(name, error);
  if (error || options.port < 0 || options.port > 65535)
    throw Error(fmt::format("[serve] '{}' must be an IP address and a port", place));
  const tcp::endpoint endpoint(address, uint16_t(options.port));
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error == asio::error::address_in_use)
    throw Error(fmt::format("[serve] port {} on {} must be free, it is in use", options.port,
                            options.address),
                "choose another with --port, or stop the program that listens there");
  if (error) throw Error(fmt::format("[serve] cannot listen on {}: {}", place, error.message()));
  port = acceptor.local_endpoint().port();
}

void HttpServer::Core::accept() {
  acceptor.async_accept(asio::make_strand(io), [this](error_code error, tcp::socket socket) {
    if (draining || error == asio::error::operation_aborted) return;
    if (!error) {
      take(std::move(socket));
      return accept();
    }
    // Out of descriptors, most likely: others will end.
    accept_pause.expires_after(Milliseconds(100));
    accept_pause.async_wait([this](error_code stopped) {
      if (!stopped) accept();
    });
  });
}

void HttpServer::Core::take(tcp::socket socket) {
  const std::lock_guard lock(mutex);
  if (draining || connections.size() >= options.max_connections) {
    const std::string body = http_error_body(503, "too many connections");
    const std::string answer = fmt::format(
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 1\r\n"
        "Content-Length: {}\r\nConnection: close\r\n\r\n{}",
        body.size(), body);
    error_code ignored;
    socket.non_blocking(true, ignored);
    socket.write_some(asio::buffer(answer), ignored);  // a fresh socket takes so much at once
    return;
  }
  const uint64_t id = next_connection++;
  auto owned = std::make_unique<Connection>(*this, std::move(socket), id);
  Connection* connection = owned.get();
  connections.emplace(id, std::move(owned));
  asio::post(connection->executor(), [connection] { connection->begin(); });
}

void HttpServer::Core::remove(uint64_t id) {
  std::unique_ptr<Connection> removed_connection;
  {
    const std::lock_guard lock(mutex);
    const auto found = connections.find(id);
    if (found == connections.end()) return;
    removed_connection = std::move(found->second);
    connections.erase(found);
  }
  removed_connection.reset();
  const std::lock_guard lock(mutex);
  changed.notify_all();
}

void HttpServer::Core::count_stream() {
  const std::lock_guard lock(mutex);
  n_streams++;
}

void HttpServer::Core::stream_released() {
  const std::lock_guard lock(mutex);
  n_streams--;
  changed.notify_all();
}

void HttpServer::Core::post_to_all(void (Connection::*action)()) {
  const std::lock_guard lock(mutex);
  for (const auto& [id, connection] : connections)
    asio::post(connection->executor(), [this, id = id, action] {
      Connection* found = nullptr;
      {
        const std::lock_guard again(mutex);
        const auto it = connections.find(id);
        if (it == connections.end()) return;
        found = it->second.get();
      }
      (found->*action)();  // on its own strand, where alone it is removed
      found->leave();
    });
}

HttpServer::HttpServer(HttpServerOptions options, std::vector<HttpRoute> routes)
    : core_(std::make_unique<Core>(std::move(options), std::move(routes))) {
  CHECK(core_->options.threads > 0);
  core_->listen();
  core_->accept();
  for (int i = 0; i < core_->options.threads; i++)
    core_->threads.emplace_back([core = core_.get()] { core->io.run(); });
}

HttpServer::~HttpServer() {
  stop(0);
  {
    std::unique_lock lock(core_->mutex);
    core_->changed.wait(lock, [&] { return core_->connections.empty() && core_->n_streams == 0; });
  }
  core_->work.reset();
  for (std::thread& thread : core_->threads) thread.join();
}

int HttpServer::port() const { return core_->port; }

int HttpServer::connections() const {
  const std::lock_guard lock(core_->mutex);
  return int(core_->connections.size());
}

void HttpServer::stop(int drain_ms) {
  for (const std::thread& thread : core_->threads)
    CHECK(thread.get_id() != std::this_thread::get_id());
  {
    const std::lock_guard lock(core_->mutex);
    core_->draining = true;
  }
  asio::post(core_->acceptor.get_executor(), [core = core_.get()] {
    error_code ignored;
    core->acceptor.close(ignored);
    core->accept_pause.cancel(ignored);
  });
  core_->post_to_all(&Connection::drain);
  {
    std::unique_lock lock(core_->mutex);
    core_->changed.wait_for(lock, Milliseconds(drain_ms),
                            [&] { return core_->connections.empty(); });
  }
  core_->post_to_all(&Connection::cut);
}

}  // namespace chatmem
