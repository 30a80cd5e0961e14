// libFuzzer: training.json and the scores of anyone. What is accepted is written and read back as
// it was, and its card is one of valid UTF-8 whose tables hold no value that would end them.
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "base/utf8.h"
#include "train/model_card.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace chatmem;
  try {
    const Json json = parse_json({reinterpret_cast<const char*>(data), size}, "fuzz");
    ModelCard card{.name = "m", .made = "Made.", .format = "f32", .version = "1"};
    if (json.is_object() && json.contains("systems")) {
      card.scores = json;
    } else {
      card.training = training_from_json(json, "fuzz");
      const Json written = training_to_json(*card.training);
      CHECK(training_to_json(training_from_json(written, "fuzz")) == written);
      card.base = card.name = card.training->base;
      card.family = find_llama_family(card.training->family);
    }
    const std::string text = model_card(card);
    CHECK(find_invalid_utf8(text) == text.npos && text.starts_with("---\n"));
    CHECK(text.find('`') == text.npos || card.scores);
  } catch (const Error&) {  // refusing is right; crashing is not
  }
  return 0;
}
