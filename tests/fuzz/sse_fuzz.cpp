// libFuzzer: a stream of server-sent events gives the same events in whatever pieces it comes, and
// an event that is written is read back. The first byte chooses the size of the pieces.
#include <cstdint>
#include <optional>
#include <vector>

#include "base/error.h"
#include "net/sse.h"

namespace {

using namespace chatmem;

using Events = std::vector<std::pair<std::string, std::string>>;

constexpr size_t kMaxEventBytes = 300;  // small, so that it is met

// What was delivered before the end, and whether the stream was refused.
struct Decoded {
  Events events;
  bool refused = false;
};

Decoded decode(std::string_view stream, size_t piece_bytes) {
  Decoded decoded;
  SseDecoder decoder(
      [&](const SseEvent& event) {
        CHECK(event.data.size() <= kMaxEventBytes);
        decoded.events.emplace_back(event.event, event.data);
      },
      kMaxEventBytes);
  try {
    for (size_t at = 0; at < stream.size(); at += piece_bytes)
      decoder.feed(stream.substr(at, piece_bytes));
  } catch (const Error&) {
    decoded.refused = true;
  }
  return decoded;
}

// Line ends of all kinds arrive as "\n".
std::string with_plain_lines(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); i++) {
    const bool cr = text[i] == '\r';
    if (cr && i + 1 < text.size() && text[i + 1] == '\n') i++;
    out += cr ? '\n' : text[i];
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Decoded whole = decode(stream, stream.size() + 1);
  const Decoded pieces = decode(stream, size_t(1) + data[0] % 16);
  CHECK(whole.refused == pieces.refused);
  CHECK(whole.events == pieces.events);

  std::optional<std::string> read;
  SseDecoder decoder([&](const SseEvent& event) {
    CHECK(!read);
    read = event.data;
  });
  decoder.feed(sse_event(stream));
  CHECK(read == with_plain_lines(stream));
  return 0;
}
