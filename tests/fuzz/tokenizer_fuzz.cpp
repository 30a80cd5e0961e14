// libFuzzer: tokenizer files and texts that no one would write. The first byte chooses: a
// tokenizer.json, a rank file, or a text for a good tokenizer.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error.h"
#include "text/conversation.h"
#include "text/tokenizer.h"
#include "tiny_tokenizer.h"

namespace {

using namespace chatmem;

void check_text(const Tokenizer& tokenizer, std::string_view text) {
  for (const SpecialTokens special : {SpecialTokens::as_text, SpecialTokens::parse})
    CHECK(tokenizer.decode(tokenizer.encode(text, special)) == text);
}

void check_file(std::string_view bytes, bool is_json) {
  const Tokenizer tokenizer =
      is_json ? Tokenizer::from_json(bytes, "fuzz") : Tokenizer::from_tiktoken(bytes, "fuzz");
  check_text(tokenizer, "Hello world, it's 12345 o'clock\n\n <|eot_id|>");
}

void check_chat(std::string_view text) {
  const Conversation plain = parse_plain_chat(text, "fuzz");
  const std::string written = format_finetune_text(plain);
  CHECK(parse_finetune_text(written, "fuzz").messages.size() == plain.messages.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  static const Tokenizer tiny = Tokenizer::from_tiktoken(tiny_tiktoken(), "tiny");
  try {
    switch (data[0] % 5) {
      case 0:
        check_file(input, true);
        break;
      case 1:
        check_file(input, false);
        break;
      case 2:
        check_text(tiny, input);
        break;
      case 3:
        check_chat(input);
        break;
      case 4:
        parse_finetune_text(input, "fuzz");
        break;
    }
  } catch (const Error&) {  // refusing is right; crashing is not
  }
  return 0;
}
