// Which sentences of a conversation a summary should keep.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "extractive/sentences.h"
#include "text/conversation.h"

namespace chatmem {

// The messages of one day; `date` is empty when no message of the chat has a readable date. A
// message without one belongs to the day of the message before it.
struct DayGroup {
  std::optional<Date> date;
  std::vector<int> messages;  // indexes, in the order of the conversation
};
std::vector<DayGroup> group_by_day(const Conversation& conversation);

struct Candidate {
  int message = 0;        // index
  int day = 0;            // index into the groups
  std::string_view text;  // of the message
  SentenceKind kind = SentenceKind::kStatement;
  std::vector<int> terms;  // numbers of the base forms of content words, sorted, each once
  double score = 0;
};

// Every sentence of the groups with its score: the weight of its words in the chat (tf-idf);
// questions, courtesies, fragments, addresses and code, and sentences that lean on the one before
// score low. The views are of the conversation.
std::vector<Candidate> score_sentences(const Conversation& conversation,
                                       const std::vector<DayGroup>& days, const CalledNames& names);

// Chooses sentences: at least one for each of at most `max_sentences` days spread over the span,
// the rest by score. Near-equal sentences are taken once.
class SentenceSelector {
 public:
  // `candidates` must outlive the selector.
  SentenceSelector(const std::vector<Candidate>& candidates, int n_days);

  // Indexes of the chosen candidates by day, then by their order in the chat.
  std::vector<int> select(int max_sentences) const;

 private:
  const std::vector<Candidate>& candidates_;
  std::vector<std::vector<int>> by_day_;  // the best first
  int n_terms_ = 0;
};

}  // namespace chatmem
