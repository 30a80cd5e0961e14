// The text of an answer as it may be sent: whole characters, cut at the first stop string.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace chatmem {

class AnswerText {
 public:
  // Stop strings are not empty and valid UTF-8.
  explicit AnswerText(std::vector<std::string> stop) : stop_(std::move(stop)) {}

  // Takes the bytes of the next token; returns what can be sent now. Held back is what may be the
  // beginning of a stop string or of a character; bytes that are no character become U+FFFD.
  std::string push(std::string_view piece);
  // What was held back when no more comes.
  std::string finish();
  bool stopped() const { return stopped_; }  // a stop string was found; push() returns nothing more

 private:
  std::string release(size_t count);
  std::vector<std::string> stop_;
  std::string held_;
  bool stopped_ = false;
};

}  // namespace chatmem
