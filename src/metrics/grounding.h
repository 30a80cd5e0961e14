// Which names and numbers of a summary its chat has. Rules and limits: docs/temporal.md.
#pragma once
#include <string_view>
#include <vector>

#include "metrics/chat_facts.h"

namespace chatmem {

struct CheckedMention {
  size_t begin = 0, end = 0;  // bytes of the summary
  bool found = false;
};

struct Grounding {
  std::vector<CheckedMention> names, numbers;  // in the order of the text
};

// Names: words with a capital letter within a sentence, neighbours as one ("Anna Bell"); at the
// head of a sentence only given names and words that the chat writes with a capital. Found when the
// chat has all their words. Words of time, titles and "I" are none.
// Numbers: numbers_in() outside of expressions of time. Found when the chat has a number of the
// same value; a time of day also as the time of a message; morning and evening are not told apart.
Grounding ground(std::string_view summary, const ChatFacts& chat);

}  // namespace chatmem
