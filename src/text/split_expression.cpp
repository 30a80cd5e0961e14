// Splits by PCRE2, compiled to machine code.
#include "text/split_expression.h"

#include <fmt/format.h>

#include <algorithm>
#include <new>

#include "base/error.h"

#if CHATMEM_PCRE2
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#endif

namespace chatmem {
namespace {

constexpr size_t kMaxExpressionBytes = 16 << 10;

// White_Space of Unicode (PropList.txt), and all other code points, as they stand in a class.
constexpr std::string_view kSpaces =
    R"(\x{9}-\x{D}\x{20}\x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F})"
    R"(\x{3000})";
constexpr std::string_view kOthers =
    R"(\x{0}-\x{8}\x{E}-\x{1F}\x{21}-\x{84}\x{86}-\x{9F}\x{A1}-\x{167F}\x{1681}-\x{1FFF})"
    R"(\x{200B}-\x{2027}\x{202A}-\x{202E}\x{2030}-\x{205E}\x{2060}-\x{2FFF}\x{3001}-\x{10FFFF})";

}  // namespace

std::string with_unicode_spaces(std::string_view expression) {
  std::string out;
  bool in_class = false;
  for (size_t i = 0; i < expression.size(); i++) {
    const char c = expression[i];
    if (c == '\\' && i + 1 < expression.size()) {
      const char next = expression[++i];
      if (next == 'Q') {  // a literal: nothing in it is an escape
        const size_t end = std::min(expression.find("\\E", i), expression.size());
        out.append(expression.substr(i - 1, end - i + 1));
        i = end - 1;
      } else if (next != 's' && next != 'S') {
        out += c;
        out += next;
      } else if (in_class) {
        out += next == 's' ? kSpaces : kOthers;
      } else {
        out += fmt::format("[{}{}]", next == 's' ? "" : "^", kSpaces);
      }
      continue;
    }
    if (in_class && expression.substr(i).starts_with("[:")) {  // [:alpha:] does not end the class
      const size_t end = expression.find(":]", i + 2);
      if (end != expression.npos) {
        out.append(expression.substr(i, end + 2 - i));
        i = end + 1;
        continue;
      }
    }
    out += c;
    if (c == '[' && !in_class) {
      in_class = true;
      // "]" right after "[" or "[^" is a character of the class
      if (i + 1 < expression.size() && expression[i + 1] == '^') out += expression[++i];
      if (i + 1 < expression.size() && expression[i + 1] == ']') out += expression[++i];
    } else if (c == ']') {
      in_class = false;
    }
  }
  return out;
}

#if CHATMEM_PCRE2

namespace {

constexpr uint32_t kMatchLimit = 200'000'000;  // steps of one match
constexpr size_t kMaxJitStackBytes = size_t(8) << 20;

template <auto release>
struct Release {
  template <typename T>
  void operator()(T* p) const {
    release(p);
  }
};
using Code = std::unique_ptr<pcre2_code, Release<pcre2_code_free>>;

// What a match writes to; one a thread.
struct MatchSpace {
  std::unique_ptr<pcre2_match_data, Release<pcre2_match_data_free>> data{
      pcre2_match_data_create(1, nullptr)};
  std::unique_ptr<pcre2_match_context, Release<pcre2_match_context_free>> context{
      pcre2_match_context_create(nullptr)};
  std::unique_ptr<pcre2_jit_stack, Release<pcre2_jit_stack_free>> stack{
      pcre2_jit_stack_create(size_t(32) << 10, kMaxJitStackBytes, nullptr)};

  MatchSpace() {
    if (!data || !context || !stack) throw std::bad_alloc();
    pcre2_set_match_limit(context.get(), kMatchLimit);
    pcre2_set_heap_limit(context.get(), 64 << 10);  // KiB
    pcre2_jit_stack_assign(context.get(), nullptr, stack.get());
  }
};

std::string message_of(int code) {
  unsigned char text[256] = {};
  pcre2_get_error_message(code, text, sizeof text);
  return reinterpret_cast<const char*>(text);
}

PCRE2_SPTR bytes_of(std::string_view text) { return reinterpret_cast<PCRE2_SPTR>(text.data()); }

}  // namespace

struct SplitExpression::Compiled {
  Code code;
  bool has_jit = false;
};

SplitExpression::SplitExpression(std::string_view expression, std::string_view where)
    : expression_(expression), compiled_(std::make_unique<Compiled>()) {
  if (expression.size() > kMaxExpressionBytes)
    throw Error(fmt::format("[tokenizer] {}: a split expression may have at most {} bytes, has {}",
                            where, kMaxExpressionBytes, expression.size()));
  const std::string ours = with_unicode_spaces(expression);
  int error = 0;
  size_t offset = 0;
  compiled_->code.reset(pcre2_compile(bytes_of(ours), ours.size(),
                                      PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &error,
                                      &offset, nullptr));
  if (!compiled_->code)
    throw Error(fmt::format("[tokenizer] {}: the split expression is not understood: {}, at '{}'",
                            where, message_of(error), ours.substr(std::min(offset, ours.size()))));
  compiled_->has_jit = pcre2_jit_compile(compiled_->code.get(), PCRE2_JIT_COMPLETE) == 0;
}

bool SplitExpression::find(std::string_view text, size_t from, size_t& begin, size_t& end) const {
  thread_local MatchSpace space;
  const auto match = compiled_->has_jit ? pcre2_jit_match : pcre2_match;
  // NO_UTF_CHECK: the caller promises valid UTF-8, and a check of the whole text at each piece
  // would take quadratic time.
  const int found = match(compiled_->code.get(), bytes_of(text), text.size(), from,
                          PCRE2_NOTEMPTY | (compiled_->has_jit ? 0 : PCRE2_NO_UTF_CHECK),
                          space.data.get(), space.context.get());
  if (found == PCRE2_ERROR_NOMATCH) return false;
  if (found < 0)
    throw Error(fmt::format("[tokenizer] splitting a text of {} bytes failed at byte {}: {}",
                            text.size(), from, message_of(found)));
  const size_t* range = pcre2_get_ovector_pointer(space.data.get());
  begin = range[0];
  end = range[1];
  // \K in a lookaround could set a match that goes backwards.
  if (begin < from || end <= begin || end > text.size())
    throw Error("[tokenizer] the split expression must match forwards, \\K is not allowed");
  return true;
}

#else

struct SplitExpression::Compiled {};

SplitExpression::SplitExpression(std::string_view, std::string_view where) {
  throw Error(fmt::format("[tokenizer] {}: this build has no regular expressions", where),
              "build with PCRE2: apt-get install libpcre2-dev");
}

bool SplitExpression::find(std::string_view, size_t, size_t&, size_t&) const { return false; }

#endif

SplitExpression::SplitExpression(SplitExpression&&) noexcept = default;
SplitExpression& SplitExpression::operator=(SplitExpression&&) noexcept = default;
SplitExpression::~SplitExpression() = default;

}  // namespace chatmem
