// libFuzzer: schemas of anyone are compiled within limits or refused, and a walk that the rest of
// the input steers through the grammar never meets a dead end and ends in JSON. A zero byte parts
// the schema from the steering.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "text/grammar_matcher.h"
#include "text/json_schema.h"

namespace {

using namespace chatmem;

constexpr int kSteps = 2'000;

// The byte that the steering asks for, or the next one that is allowed.
int allowed_byte(GrammarMatcher& matcher, int state, uint8_t wanted) {
  for (int i = 0; i < 256; i++)
    if (matcher.step(state, uint8_t(wanted + i)) != GrammarMatcher::kDead)
      return uint8_t(wanted + i);
  return -1;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t end = std::min(input.find('\0'), size);
  try {
    const ByteGrammar grammar = schema_grammar(parse_json(input.substr(0, end), "fuzz"));
    GrammarMatcher matcher(grammar);
    int state = matcher.start();
    std::string text;
    for (int i = 0; i < kSteps && !matcher.complete(state); i++) {
      matcher.refill();
      const size_t at = end + 1 + size_t(i);
      // Without steering, what closes: quotes first.
      const int byte = allowed_byte(matcher, state, at < size ? data[at] : uint8_t('"'));
      CHECK(byte >= 0);
      text += char(byte);
      state = matcher.step(state, uint8_t(byte));
      if (matcher.is_full()) state = matcher.compact(state);
    }
    if (matcher.complete(state) && text.size() < kSteps) parse_json(text, "text");
  } catch (const Error& e) {
    CHECK(std::string_view(e.what()).starts_with("[schema]") ||
          std::string_view(e.what()).starts_with("[json] fuzz"));
  }
  return 0;
}
