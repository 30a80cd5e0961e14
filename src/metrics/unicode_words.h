// Words of any script, in lower case.
#pragma once
#include <functional>
#include <string_view>

#include "text/split_expression.h"

namespace chatmem {

class UnicodeWords {
 public:
  // Throws Error in a build without PCRE2.
  UnicodeWords();

  // Runs of letters, marks and digits of Unicode; each Chinese or Japanese character is a word of
  // its own. Letters are exchanged one for one for those in lower case. Invalid bytes separate.
  void for_each(std::string_view text, const std::function<void(std::string_view)>& word) const;

 private:
  SplitExpression expression_;
};

}  // namespace chatmem
