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
  size_t n_sent() const { return n_sent_; }  // bytes that came in and are not held back or cut

 private:
  std::string release(size_t count);
  std::vector<std::string> stop_;
  std::string held_;
  bool stopped_ = false;
  size_t n_sent_ = 0;
};

// Takes {"name": NAME, "parameters": VALUE} apart as it comes, which is known to be valid.
class FunctionCallText {
 public:
  // Takes whole characters; returns what is sure to be of VALUE.
  std::string push(std::string_view text);
  // What was held back when no more comes. whole: the text ended by itself, with the object's }.
  std::string finish(bool whole);
  const std::string& name() const {
    return name_;
  }  // empty until it is known with all before VALUE

 private:
  std::string name_, held_;
  bool in_value_ = false;
};

}  // namespace chatmem
