#include "synth/roles.h"

#include <string_view>

#include "text/words.h"

namespace chatmem {
namespace {

// Said by who serves; the first words of a dialogue weigh as much as any.
constexpr std::string_view kServing[] = {"can i help you",
                                         "may i help you",
                                         "could i help you",
                                         "how can i help",
                                         "how may i help",
                                         "what can i do for",
                                         "may i take your",
                                         "can i take your",
                                         "ready to order",
                                         "may i have your name",
                                         "here is your change",
                                         "here's your change",
                                         "your room number",
                                         "may i see your",
                                         "can i see your passport",
                                         "anything to declare",
                                         "how would you like to",
                                         "would you like to try",
                                         "check-in time",
                                         "at your service",
                                         "welcome to our",
                                         "for here or to go",
                                         "where to, sir",
                                         "yes, sir",
                                         "yes, madam",
                                         "yes, ma'am",
                                         "good morning, sir",
                                         "good evening, sir",
                                         "good morning, madam",
                                         "what seems to be",
                                         "what's the trouble",
                                         "fill out this form",
                                         "fill in this form"};
constexpr std::string_view kFamiliar[] = {"honey", "darling", "sweetie", "sweetheart", "mum",
                                          "mom",   "mommy",   "dad",     "daddy",      "my dear"};

bool has_word(std::string_view text, std::string_view word) {
  const auto letter = [&](size_t i) { return text[i] >= 'a' && text[i] <= 'z'; };
  for (size_t at = text.find(word); at != text.npos; at = text.find(word, at + 1))
    if ((at == 0 || !letter(at - 1)) &&
        (at + word.size() == text.size() || !letter(at + word.size())))
      return true;
  return false;
}

}  // namespace

Roles roles_of(const Dialogue& dialogue) {
  std::map<int, int> serving;
  int familiar = 0;
  for (const Utterance& turn : dialogue.turns) {
    const std::string lower = to_lower_ascii(turn.text);
    for (const std::string_view words : kServing)
      serving[turn.person] += lower.find(words) != lower.npos;
    // "Mom" spoken of is no address: a comma or a stop goes with one.
    for (const std::string_view word : kFamiliar)
      for (const char stop : {',', '.', '!', '?'}) {
        const std::string address = std::string(word) + stop;
        familiar += has_word(lower, word) &&
                    (lower.find(", " + address) != lower.npos || lower.starts_with(address));
      }
  }
  Roles roles;
  int best = 0;
  for (const auto& [person, count] : serving) {
    if (count > best) {
      best = count;
      roles.serving = person;
    } else if (count == best) {
      roles.serving = 0;  // both, or neither
    }
  }
  if (familiar > best)
    roles = {Relation::kFamiliar, 0};
  else if (roles.serving)
    roles.relation = Relation::kService;
  else
    roles.serving = 0;
  return roles;
}

}  // namespace chatmem
