// Which sentences of a conversation a summary should keep.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "extractive/sentences.h"
#include "text/conversation.h"

namespace chatmem {

// The messages of one day; `date` is empty when no message of the chat has a readable time. A
// message without one belongs to the day of the message before it.
struct DayGroup {
  std::optional<Date> date;
  std::vector<int> messages;  // indexes, in the order of the conversation
};
std::vector<DayGroup> group_by_day(const Conversation& conversation);

struct Candidate {
  int message = 0;  // index
  int day = 0;      // index into the groups
  std::string text;
  SentenceKind kind = SentenceKind::kStatement;
  std::vector<std::string> terms;  // base forms of content words, sorted, each once
  double score = 0;
};

// Every sentence of the groups with its score: weight of its words in the chat (tf-idf), its place,
// numbers, dates, names, words of decision and plan; questions, courtesies, fragments and sentences
// that lean on the one before score low.
std::vector<Candidate> score_sentences(const Conversation& conversation,
                                       const std::vector<DayGroup>& days,
                                       const std::vector<std::string>& names);

// Indexes of the chosen candidates by day, then by their order in the chat: at least one for each
// of at most `max_sentences` days spread over the span, the rest by score. Near-equal sentences are
// taken once.
std::vector<int> select_sentences(const std::vector<Candidate>& candidates, int n_days,
                                  int max_sentences);

// Up to `n` subjects of the chat, most frequent first, as they read after "about": "the award",
// "Leeds". Only words with evidence of being nouns in the chat.
std::vector<std::string> find_topics(const Conversation& conversation,
                                     const std::vector<std::string>& names, int n);

}  // namespace chatmem
