// Numbers and times of day in English text, in digits and in words.
#pragma once
#include <optional>
#include <string_view>
#include <vector>

namespace chatmem {

struct NumberMention {
  size_t begin = 0, end = 0;  // bytes of the text; currencies and units are not part of it
  double value = 0;           // of a time of day: its minutes from midnight
  bool clock = false;         // "7:10", "7:10 pm", "7 pm", "seven o'clock"
};

// In order, without overlap. Understood: "3", "5,000", "3.5", "3rd", "10k", "two", "twenty-five",
// "a hundred", "three thousand two hundred". "one" alone and spelled ordinals are none, nor are
// digits within a word ("MP3").
std::vector<NumberMention> numbers_in(std::string_view text);

}  // namespace chatmem
