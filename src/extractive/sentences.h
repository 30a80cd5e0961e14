// Sentences of chat messages, and what kind of sentence each is. All views are of the text given.
#pragma once
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace chatmem {

// Ends at . ! ? and their like in other scripts, or a line break; not after titles ("Mr."),
// initials, inside numbers and addresses, or after the number of a list or a day ("1. April").
// White space around is removed, the final punctuation kept.
std::vector<std::string_view> split_sentences(std::string_view text);

// What people are called, in small letters: whole names and the first words of them.
using CalledNames = std::unordered_set<std::string>;
CalledNames called_names(const std::vector<std::string>& names);

// The sentence from behind what only opens the conversation: "Well,", "Oh,", "Hey Tom,", "And",
// "I wanted to let you know that".
std::string_view without_openers(std::string_view sentence, const CalledNames& names);

// The sentence before the name of a person spoken to at its end (", Tom."); all of it without one.
std::string_view without_address(std::string_view sentence, const CalledNames& names);

enum class SentenceKind {
  kStatement,
  kQuestion,
  kCourtesy,  // greetings, thanks, good wishes, assent: "Sounds great, see you then!"
};
SentenceKind kind_of(std::string_view sentence);

// Whether the sentence ends with a mark of its own, quotation marks and brackets passed over.
bool has_end_mark(std::string_view sentence);

}  // namespace chatmem
