// The built-in summarizer: no model, no network. Picks and orders sentences per day, addresses
// "you", dates them in absolute and relative time; every sentence rests on messages of the
// conversation.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "text/conversation.h"

namespace chatmem {

struct ExtractiveOptions {
  std::optional<Date> as_of;  // default: the conversation's, else its last day
  int max_words = 220;
};

struct RecapSentence {
  std::string text;
  std::vector<int> messages;  // indexes into Conversation::messages
};

struct Recap {
  std::vector<RecapSentence> sentences;
  std::string text() const;  // the sentences joined by spaces
};

// Deterministic. A conversation without messages gives an empty recap.
Recap summarize_extractive(const Conversation& conversation, const ExtractiveOptions& options = {});

}  // namespace chatmem
