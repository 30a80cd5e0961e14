#include "base/dotenv.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <unordered_map>

#include "base/error.h"
#include "base/utf8.h"

namespace chatmem {
namespace {

constexpr size_t kMaxFileBytes = size_t(1) << 20;
// Values that hold each other may double with each line.
constexpr size_t kMaxExpandedBytes = size_t(4) << 20;

// What python's \s takes of ASCII, but for newlines.
bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\v' || c == '\f' || (c >= '\x1C' && c <= '\x1F');
}

// Text mode of python: every kind of newline is "\n", also within quotes.
std::string with_plain_newlines(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); i++) {
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    out += text[i] == '\r' ? '\n' : text[i];
  }
  return out;
}

std::string unescape(std::string_view text, std::string_view escapes, std::string_view meanings) {
  std::string out;
  for (size_t i = 0; i < text.size(); i++) {
    const size_t which =
        text[i] == '\\' && i + 1 < text.size() ? escapes.find(text[i + 1]) : escapes.npos;
    out += which == escapes.npos ? text[i] : meanings[which];
    if (which != escapes.npos) i++;
  }
  return out;
}

class Parser {
 public:
  Parser(std::string_view text, std::string_view where) : text_(text), where_(where) {}

  // False at the end; a line of comment has an empty name.
  bool next(DotenvVariable& variable) {
    while (at_ < text_.size() && (is_blank(text_[at_]) || text_[at_] == '\n')) at_++;
    if (at_ == text_.size()) return false;
    begin_ = at_;
    variable = {};
    skip_export();
    if (peek() != '#') variable.name = read_name();
    skip_blanks();
    if (peek() == '=' && !variable.name.empty()) {
      at_++;
      skip_blanks();
      variable.value = read_value();
    }
    skip_comment();
    if (at_ < text_.size() && text_[at_] != '\n')
      fail(variable.value ? "nothing but a comment may follow the closing quote"
                          : "'=' must follow the name");
    return true;
  }

  [[noreturn]] void fail(std::string_view what) const {
    const auto line = 1 + std::count(text_.begin(), text_.begin() + long(begin_), '\n');
    throw Error(fmt::format("[env] {}, line {}: {}", where_, line, what),
                "lines of such a file are NAME=value, NAME=\"value\" or # comments");
  }

 private:
  char peek() const { return at_ < text_.size() ? text_[at_] : '\n'; }
  void skip_blanks() {
    while (at_ < text_.size() && is_blank(text_[at_])) at_++;
  }
  void skip_export() {
    constexpr std::string_view kExport = "export";
    if (!text_.substr(at_).starts_with(kExport)) return;
    const size_t after = at_ + kExport.size();
    if (after >= text_.size() || !is_blank(text_[after])) return;
    at_ = after;
    skip_blanks();
  }
  std::string read_name() {
    const size_t begin = at_;
    if (peek() == '\'') {
      const size_t end = text_.find('\'', begin + 1);
      if (end == text_.npos || end == begin + 1) fail("the quote of the name must be closed");
      at_ = end + 1;
      return std::string(text_.substr(begin + 1, end - begin - 1));
    }
    const auto ends = [](char c) { return c == '=' || c == '#' || c == '\n' || is_blank(c); };
    while (at_ < text_.size() && !ends(text_[at_])) at_++;
    if (at_ == begin) fail("a name must stand before '='");
    return std::string(text_.substr(begin, at_ - begin));
  }
  std::string read_value() {
    if (peek() == '\'') return unescape(read_quoted(), "\\'", "\\'");
    if (peek() == '"') return unescape(read_quoted(), "\\'\"abfnrtv", "\\'\"\a\b\f\n\r\t\v");
    const size_t begin = at_, end = std::min(text_.find('\n', at_), text_.size());
    std::string_view value = text_.substr(begin, end - begin);
    at_ = end;
    for (size_t i = 1; i < value.size(); i++)
      if (value[i] == '#' && is_blank(value[i - 1])) value = value.substr(0, i);
    while (!value.empty() && is_blank(value.back())) value.remove_suffix(1);
    return std::string(value);
  }
  // As the expression "((?:\\"|[^"])*)" matches: a quote after a backslash is not the end, unless
  // no other one is.
  std::string_view read_quoted() {
    const size_t begin = at_ + 1;
    size_t end = text_.npos;
    for (size_t i = begin; (i = text_.find(text_[at_], i)) != text_.npos; i++) {
      end = i;
      if (i == begin || text_[i - 1] != '\\') break;
    }
    if (end == text_.npos) fail("the quote of the value must be closed");
    at_ = end + 1;
    return text_.substr(begin, end - begin);
  }
  void skip_comment() {
    skip_blanks();
    if (peek() == '#') at_ = std::min(text_.find('\n', at_), text_.size());
  }

  std::string_view text_, where_;
  size_t at_ = 0, begin_ = 0;  // begin_: of the line that is read
};

using Values = std::unordered_map<std::string, std::optional<std::string>>;

// The value of ${name:-fallback}.
std::string resolve(std::string_view name, std::string_view fallback, const Values& values,
                    const EnvironmentLookup& environment) {
  const std::string key(name);
  if (const char* value = environment(key)) return value;
  const auto it = values.find(key);
  // A name without a value hides the default, as there.
  return it == values.end() ? std::string(fallback) : it->second.value_or("");
}

// Replaces ${NAME} and ${NAME:-DEFAULT}, once: what comes in is not looked at again.
std::string expand(std::string_view text, const Values& values,
                   const EnvironmentLookup& environment) {
  std::string out;
  for (size_t at; (at = text.find("${")) != text.npos;) {
    const std::string_view inner = text.substr(at + 2);
    const size_t name_end = inner.find_first_of(":}");
    size_t end = name_end;
    std::string_view fallback;
    if (name_end != inner.npos && inner[name_end] == ':') {
      end = inner.substr(name_end).starts_with(":-") ? inner.find('}', name_end) : inner.npos;
      if (end != inner.npos) fallback = inner.substr(name_end + 2, end - name_end - 2);
    }
    if (end == inner.npos) {  // no reference: it stays as it is
      out += text.substr(0, at + 2);
      text.remove_prefix(at + 2);
      continue;
    }
    out += text.substr(0, at);
    out += resolve(inner.substr(0, name_end), fallback, values, environment);
    text = inner.substr(end + 1);
    if (out.size() > kMaxExpandedBytes) break;
  }
  return out.append(text);
}

}  // namespace

const char* process_environment(const std::string& name) { return std::getenv(name.c_str()); }

std::vector<DotenvVariable> parse_dotenv(std::string_view text, std::string_view where,
                                         const EnvironmentLookup& environment) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  const std::string plain = with_plain_newlines(text);
  if (const size_t bad = std::min(find_invalid_utf8(plain), plain.find('\0')); bad != plain.npos)
    throw Error(fmt::format("[env] {}, line {}: must be text in UTF-8", where,
                            1 + std::count(plain.begin(), plain.begin() + long(bad), '\n')));
  std::vector<DotenvVariable> variables;
  std::unordered_map<std::string, size_t> places;
  Values values;
  size_t expanded_bytes = 0;
  Parser parser(plain, where);
  for (DotenvVariable variable; parser.next(variable);) {
    if (variable.name.empty()) continue;
    if (variable.value) variable.value = expand(*variable.value, values, environment);
    expanded_bytes += variable.value.value_or("").size();
    if (expanded_bytes > kMaxExpandedBytes)
      parser.fail(fmt::format("values must not expand to more than {} bytes", kMaxExpandedBytes));
    values[variable.name] = variable.value;
    const auto [place, fresh] = places.emplace(variable.name, variables.size());
    if (fresh)
      variables.push_back(std::move(variable));
    else
      variables[place->second].value = std::move(variable.value);
  }
  return variables;
}

std::vector<DotenvVariable> read_dotenv(const fs::path& path,
                                        const EnvironmentLookup& environment) {
  return parse_dotenv(read_file(path, kMaxFileBytes), fmt::format("'{}'", path.string()),
                      environment);
}

std::optional<fs::path> find_dotenv(const fs::path& folder) {
  std::error_code ignored;
  for (fs::path at = fs::absolute(folder).lexically_normal();; at = at.parent_path()) {
    if (fs::is_regular_file(at / ".env", ignored)) return at / ".env";
    if (at == at.parent_path()) return std::nullopt;
  }
}

}  // namespace chatmem
