// Server-sent events (the WHATWG text/event-stream format): a decoder for clients and the few
// strings a server writes.
#pragma once
#include <functional>
#include <string>
#include <string_view>

namespace chatmem {

struct SseEvent {
  std::string event;  // empty: "message"
  std::string data;   // the data lines, joined by "\n"
};

// Takes the bytes of a stream in any pieces. Lines end in LF, CRLF or CR; comments (": ...") and
// the fields id and retry are skipped; an event that the stream does not end with an empty line
// stays undelivered, as the format demands.
class SseDecoder {
 public:
  using OnEvent = std::function<void(const SseEvent&)>;
  explicit SseDecoder(OnEvent on_event, size_t max_event_bytes = size_t(64) << 20);

  // Calls on_event for each event that these bytes complete. Throws Error when a line or the data
  // of an event passes max_event_bytes.
  void feed(std::string_view bytes);

 private:
  void take_line();
  void take_field(std::string_view name, std::string_view value);
  void dispatch();

  OnEvent on_event_;
  size_t max_event_bytes_;
  std::string line_;
  SseEvent event_;
  bool has_data_ = false;
  bool after_cr_ = false;     // a following LF belongs to the CR
  bool at_beginning_ = true;  // of the whole stream
};

// "data: ...\n\n"; a payload with line breaks becomes several data lines.
std::string sse_event(std::string_view data);
// A comment: keeps proxies and clients from giving up on a silent stream.
inline constexpr std::string_view kSsePing = ": ping\n\n";
// What ends a stream of an OpenAI-compatible server.
inline constexpr std::string_view kSseDone = "data: [DONE]\n\n";

}  // namespace chatmem
