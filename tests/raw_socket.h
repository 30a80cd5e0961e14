// A TCP client that sends exactly the bytes a test wants, for what a proper HTTP client never does.
#pragma once
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <string_view>

#include "base/error.h"

namespace chatmem {

class RawSocket {
 public:
  explicit RawSocket(int port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    CHECK(fd_ >= 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(uint16_t(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  }
  ~RawSocket() { close(); }
  RawSocket(const RawSocket&) = delete;
  RawSocket& operator=(const RawSocket&) = delete;

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;  // the server has closed: what it answered shows in receive
      bytes.remove_prefix(size_t(sent));
    }
  }
  // Reads until `marker` has come, the server closes, or the time is over; returns all since the
  // last call.
  std::string receive(std::string_view marker, int timeout_ms = 5'000) {
    std::string got;
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
    while (marker.empty() || got.find(marker) == got.npos) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
          end - std::chrono::steady_clock::now());
      pollfd ready{fd_, POLLIN, 0};
      if (left.count() <= 0 || ::poll(&ready, 1, int(left.count())) <= 0) break;
      char buffer[4096];
      const ssize_t count = ::recv(fd_, buffer, sizeof buffer, 0);
      if (count <= 0) {
        closed_ = true;
        break;
      }
      got.append(buffer, size_t(count));
    }
    return got;
  }
  // Waits until there is something to read, and leaves it there.
  bool await_bytes(int timeout_ms = 5'000) {
    pollfd ready{fd_, POLLIN, 0};
    return ::poll(&ready, 1, timeout_ms) > 0;
  }
  std::string receive_all(int timeout_ms = 5'000) { return receive("", timeout_ms); }
  bool closed_by_server() const { return closed_; }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  void close_sending() { ::shutdown(fd_, SHUT_WR); }

 private:
  int fd_;
  bool closed_ = false;
};

}  // namespace chatmem
