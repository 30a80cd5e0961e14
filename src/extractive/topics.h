// What a chat is mostly about.
#pragma once
#include <string>
#include <vector>

#include "text/conversation.h"

namespace chatmem {

// A subject of the chat as it reads after "about": "the award", "Leeds".
struct Topic {
  std::string text;
  std::vector<int> messages;  // the first with each of its words
};
// Up to `n`, most frequent first. Only words with evidence of being nouns in the chat.
std::vector<Topic> find_topics(const Conversation& conversation,
                               const std::vector<std::string>& names, int n);

}  // namespace chatmem
