#include "eval/floors.h"

#include <fmt/format.h>

#include <numeric>

#include "base/error.h"
#include "base/random.h"
#include "extractive/summarizer.h"

namespace chatmem {
namespace {

constexpr std::string_view kSpace = " \t\n\r";

// Calls word(text) for each word until it returns false.
template <typename Word>
void for_each_word(std::string_view text, const Word& word) {
  for (size_t begin; (begin = text.find_first_not_of(kSpace)) != text.npos;) {
    text.remove_prefix(begin);
    const size_t end = std::min(text.find_first_of(kSpace), text.size());
    if (!word(text.substr(0, end))) return;
    text.remove_prefix(end);
  }
}

}  // namespace

std::vector<size_t> derangement(size_t n, uint64_t seed) {
  CHECK(n >= 2);
  std::vector<size_t> order(n);
  std::iota(order.begin(), order.end(), size_t(0));
  Random random(seed);
  // Sattolo 1986: a shuffle that never swaps an item with itself leaves one cycle through all.
  for (size_t i = n - 1; i > 0; i--) std::swap(order[i], order[random.below(i)]);
  return order;
}

std::string lead_of_chat(const Conversation& conversation, int max_words) {
  std::string lead;
  int n = 0;
  for (const Message& message : conversation.messages) {
    if (n >= max_words) break;
    for_each_word(message.content, [&](std::string_view word) {
      if (n > 0) lead += ' ';
      lead += word;
      return ++n < max_words;
    });
  }
  return lead;
}

std::vector<SystemTexts> floor_systems(std::span<const Conversation> conversations,
                                       std::span<const std::string> references, uint64_t seed) {
  CHECK(references.size() == conversations.size());
  std::vector<SystemTexts> systems;
  if (conversations.size() >= 2) {
    SystemTexts other{"reference of another chat", {}};
    for (const size_t i : derangement(conversations.size(), seed))
      other.texts.push_back(references[i]);
    systems.push_back(std::move(other));
  }
  SystemTexts lead{fmt::format("first {} words of the chat", kLeadWords), {}};
  SystemTexts extractive{std::string(kExtractiveFloor), {}};
  for (const Conversation& conversation : conversations) {
    lead.texts.push_back(lead_of_chat(conversation));
    extractive.texts.push_back(summarize_extractive(conversation).text());
  }
  systems.push_back(std::move(lead));
  systems.push_back(std::move(extractive));
  return systems;
}

}  // namespace chatmem
