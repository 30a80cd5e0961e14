// The regular expression by which a tokenizer cuts a text into pieces before merging bytes. In a
// build without PCRE2 the constructor throws.
#pragma once
#include <memory>
#include <string>
#include <string_view>

namespace chatmem {

class SplitExpression {
 public:
  // Throws Error when the expression is not valid or over 16 KiB. \s and \S mean Unicode's
  // White_Space, as in the expression's home, not PCRE2's own set, which also has U+180E.
  SplitExpression(std::string_view expression, std::string_view where);
  SplitExpression(SplitExpression&&) noexcept;
  SplitExpression& operator=(SplitExpression&&) noexcept;
  ~SplitExpression();

  // The first match at or after `from` that is not empty. `text` must be valid UTF-8. Throws Error
  // when the match takes more steps or stack than its limits allow. Safe to call from several
  // threads.
  bool find(std::string_view text, size_t from, size_t& begin, size_t& end) const;
  const std::string& expression() const { return expression_; }

 private:
  struct Compiled;
  std::string expression_;
  std::unique_ptr<Compiled> compiled_;
};

// The expression with \s and \S replaced by ranges of code points.
std::string with_unicode_spaces(std::string_view expression);

}  // namespace chatmem
