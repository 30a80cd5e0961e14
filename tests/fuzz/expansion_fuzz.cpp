// libFuzzer: answers of language models are read or refused with Error, and whatever was read is
// checked: at most ten findings, each valid UTF-8. The first byte chooses the form.
#include <cstdint>

#include "base/error.h"
#include "base/utf8.h"
#include "synth/date_mentions.h"
#include "synth/expansion.h"

namespace {

using namespace chatmem;

const SourceRow kRow = {"train_4",
                        "#Person1#: Hi, Sarah. Is the gate mended?\n#Person2#: Yes, since May 3rd.",
                        "#Person1# asks Sarah about the gate.", "garden", 2};

void check_mentions(std::string_view text) {
  size_t end = 0;
  for (const DateMention& mention : date_mentions(text)) {
    CHECK(mention.begin >= end && mention.begin < mention.end && mention.end <= text.size());
    CHECK(mention.month >= 0 && mention.month <= 12 && mention.day >= 1 && mention.day <= 31);
    end = mention.end;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  const AnswerFormat format = data[0] % 2 ? AnswerFormat::text : AnswerFormat::json;
  check_mentions(input);
  try {
    const Transformed read = parse_expansion(input, format);
    CHECK(!read.conversations.empty());
    const std::vector<std::string> findings =
        check_expansion(kRow, expansion_task(kRow, 1, 2024), read);
    CHECK(findings.size() <= 10);
    for (const std::string& finding : findings)
      CHECK(find_invalid_utf8(finding) == std::string::npos);
    CHECK(!repair_prompt(findings, format).empty());
  } catch (const Error& error) {
    CHECK(find_invalid_utf8(error.what()) == std::string::npos);
  }
  return 0;
}
