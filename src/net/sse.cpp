#include "net/sse.h"

#include <fmt/format.h>

#include <utility>

#include "base/error.h"

namespace chatmem {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

SseDecoder::SseDecoder(OnEvent on_event, size_t max_event_bytes)
    : on_event_(std::move(on_event)), max_event_bytes_(max_event_bytes) {}

void SseDecoder::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    if (after_cr_) {
      after_cr_ = false;
      if (bytes.front() == '\n') {
        bytes.remove_prefix(1);
        continue;
      }
    }
    const size_t end = bytes.find_first_of("\r\n");
    const std::string_view part = bytes.substr(0, end);
    if (part.size() > max_event_bytes_ - line_.size())
      throw Error(fmt::format("[sse] a line must not be longer than {} bytes", max_event_bytes_));
    line_ += part;
    if (end == bytes.npos) return;
    after_cr_ = bytes[end] == '\r';
    bytes.remove_prefix(end + 1);
    take_line();
  }
}

void SseDecoder::take_line() {
  std::string_view line = line_;
  if (std::exchange(at_beginning_, false) && line.starts_with(kByteOrderMark))
    line.remove_prefix(kByteOrderMark.size());
  if (line.empty()) {
    dispatch();
  } else if (const size_t colon = line.find(':'); colon != 0) {
    std::string_view value = colon == line.npos ? std::string_view() : line.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    take_field(line.substr(0, colon), value);
  }
  line_.clear();
}

void SseDecoder::take_field(std::string_view name, std::string_view value) {
  if (name == "event") {
    event_.event = value;
  } else if (name == "data") {
    if (value.size() + 1 > max_event_bytes_ - event_.data.size())
      throw Error(fmt::format("[sse] an event must not be larger than {} bytes", max_event_bytes_));
    if (has_data_) event_.data += '\n';
    event_.data += value;
    has_data_ = true;
  }
}

void SseDecoder::dispatch() {
  SseEvent event = std::exchange(event_, {});
  if (std::exchange(has_data_, false)) on_event_(event);
}

std::string sse_event(std::string_view data) {
  std::string out;
  for (;;) {
    const size_t end = data.find_first_of("\r\n");
    out.append("data: ").append(data.substr(0, end)).append("\n");
    if (end == data.npos) break;
    data.remove_prefix(end + (data.substr(end).starts_with("\r\n") ? 2 : 1));
  }
  return out + "\n";
}

}  // namespace chatmem
