#include "serve/answer_text.h"

#include <algorithm>

#include "base/utf8.h"

namespace chatmem {
namespace {

// The length of the longest end of `text` that begins `stop` without being all of it.
size_t overlap(std::string_view text, std::string_view stop) {
  for (size_t n = std::min(text.size(), stop.size() - 1); n > 0; n--)
    if (text.ends_with(stop.substr(0, n))) return n;
  return 0;
}

}  // namespace

std::string AnswerText::push(std::string_view piece) {
  if (stopped_) return {};
  held_ += piece;
  size_t found = held_.npos, kept = 0;
  for (const std::string& stop : stop_) {
    found = std::min(found, held_.find(stop));
    kept = std::max(kept, overlap(held_, stop));
  }
  if (found != held_.npos) {
    stopped_ = true;
    held_.resize(found);
    return release(found);
  }
  const size_t end = held_.size() - kept;
  return release(end - incomplete_utf8_suffix(std::string_view(held_).substr(0, end)));
}

std::string AnswerText::finish() { return release(held_.size()); }

std::string AnswerText::release(size_t count) {
  std::string out = replace_invalid_utf8(std::string_view(held_).substr(0, count));
  held_.erase(0, count);
  return out;
}

}  // namespace chatmem
