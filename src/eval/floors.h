// What a summary scores without any model: the floors that stand beside every score. On the data
// of the original project another chat's reference alone reaches a ROUGE-1 of 0.38.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/conversation.h"

namespace chatmem {

inline constexpr int kLeadWords = 220;  // about the length of a reference

// A permutation of 0 ... n-1 in which nothing stays in its place; n must be at least 2.
std::vector<size_t> derangement(size_t n, uint64_t seed);

// The first max_words words of the messages, speakers included.
std::string lead_of_chat(const Conversation& conversation, int max_words = kLeadWords);

// A system's summary of each conversation, in their order.
struct SystemTexts {
  std::string name;
  std::vector<std::string> texts;
};

inline constexpr std::string_view kExtractiveFloor = "extractive engine";

// Another chat's reference (left out for a single conversation), the lead of the chat, the
// extractive engine. references[i] is of conversations[i].
std::vector<SystemTexts> floor_systems(std::span<const Conversation> conversations,
                                       std::span<const std::string> references, uint64_t seed);

}  // namespace chatmem
