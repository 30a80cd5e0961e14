// Sentences of chat messages, and what kind of sentence each is.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace chatmem {

// Ends at . ! ? or a line break; not after titles ("Mr."), initials or inside numbers. White space
// around is removed, the final punctuation kept.
std::vector<std::string> split_sentences(std::string_view text);

// The sentence without what only serves the conversation: openers ("Well,", "Oh,", "Yes,", "Hey
// Tom,") and the name of a person spoken to at the end (", Tom."). The first letter is capital.
std::string without_openers(std::string_view sentence, const std::vector<std::string>& names);

enum class SentenceKind {
  kStatement,
  kQuestion,
  kCourtesy,  // greetings, thanks, good wishes, assent: "Sounds great, see you then!"
};
SentenceKind kind_of(std::string_view sentence);

}  // namespace chatmem
