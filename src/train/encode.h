// Records of training as examples: encoded, checked, and never cut without a word.
#pragma once
#include <string>
#include <vector>

#include "text/training_record.h"
#include "train/dataset.h"

namespace chatmem {

// What becomes of a record that is too long. split: a chat is divided between its turns into
// windows, each with the chat's system turn and ending with a turn that is learnt; no turn is
// learnt twice. Other records speak of the whole and are refused.
enum class TooLong { refuse, split };

struct EncodeRules {
  PromptTemplate which = PromptTemplate::temporal;  // of conversations
  int max_tokens = 4096;                            // of an example
  TooLong too_long = TooLong::refuse;
};

// Encodes every record. The template of the data set is that of conversations, or "chat",
// "completion", "tokens". Token records need no tokenizer; with one their ids must be in its
// vocabulary. Throws Error naming the records that are too long (how many, and the first few), and
// a record that has no target.
Dataset encode_records(const TrainingRecords& records, const Tokenizer* tokenizer,
                       const EncodeRules& rules);

// A folder that write_dataset wrote, or a file of records, which is encoded. `as_of`, unless empty,
// is joined to conversations (join_as_of). Throws Error for a folder of another tokenizer, for
// examples that do not end (check_ends), and where as_of or a split has nothing to work on.
Dataset load_dataset(const fs::path& path, const fs::path& as_of, const Tokenizer* tokenizer,
                     const EncodeRules& rules);

// Throws Error naming the examples whose last target is no end token (eot, eos, eom): a model that
// learns from them never stops.
void check_ends(const Dataset& dataset, const Tokenizer& tokenizer);

// Every token of an example but its first becomes a target.
void learn_all_tokens(Dataset& dataset);

// What the original project's collator made of its examples: cut at max_tokens from the right,
// filled up to it with eos, loss on all but the first token.
struct OriginalCuts {
  std::vector<std::string> cut;    // ids of examples that lost a part of their target
  std::vector<std::string> empty;  // of these, ids of those that lost all of it
};
OriginalCuts collate_as_original(Dataset& dataset, int max_tokens, int eos);

// "a, b, c" or "a, b, c, ..." of more than `most` names.
std::string first_names(std::vector<std::string> names, size_t most = 5);

}  // namespace chatmem
