#include "serve/answer_text.h"

#include <algorithm>
#include <utility>

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
  n_sent_ += count;
  return out;
}

std::string FunctionCallText::push(std::string_view text) {
  constexpr std::string_view kKey = "\"parameters\":";
  held_ += text;
  if (!in_value_) {
    const size_t key = held_.find(kKey);
    if (key == held_.npos || held_.size() == key + kKey.size()) return {};
    // {"name": "NAME", before the key; a name has no quotation marks in it.
    const size_t begin = held_.find('"', held_.find(':') + 1) + 1;
    name_ = held_.substr(begin, held_.find('"', begin) - begin);
    held_.erase(0, key + kKey.size());
    if (held_.front() == ' ') held_.erase(0, 1);
    in_value_ = true;
  }
  // A last } may be the object's.
  const size_t n = held_.size() - (held_.ends_with('}') ? 1 : 0);
  std::string sure = held_.substr(0, n);
  held_.erase(0, n);
  return sure;
}

std::string FunctionCallText::finish(bool whole) {
  return whole || !in_value_ ? std::string() : std::exchange(held_, {});
}

}  // namespace chatmem
