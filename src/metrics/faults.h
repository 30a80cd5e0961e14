// What is wrong with a summary before anybody reads it: an echo of its prompt, no summary at all, a
// chat that goes on, an end in the middle. Rules and limits: docs/faults.md.
#pragma once
#include <array>
#include <bitset>
#include <string_view>

#include "text/conversation.h"

namespace chatmem {

enum class Fault {
  empty,           // no word at all
  no_summary,      // text, but nothing that could be a summary
  prompt_echo,     // the prompt or the chat is repeated
  continued_chat,  // goes on with messages or with another prompt
  cut_off,         // ends in the middle of a sentence
  repetition,      // many of its trigrams come again
  wrong_language   // another language than the reference's
};
struct FaultName {
  Fault fault;
  std::string_view key, title;  // "cut_off", "is cut off"
};
inline constexpr std::array<FaultName, 7> kFaults = {
    {{Fault::empty, "empty", "empty"},
     {Fault::no_summary, "no_summary", "no summary"},
     {Fault::prompt_echo, "prompt_echo", "repeats the prompt"},
     {Fault::continued_chat, "continued_chat", "goes on with chat"},
     {Fault::cut_off, "cut_off", "cut off"},
     {Fault::repetition, "repetition", "repeats itself"},
     {Fault::wrong_language, "wrong_language", "wrong language"}}};
using FaultSet = std::bitset<kFaults.size()>;  // by the places of Fault

inline constexpr double kManyRepeats = 0.15;  // of people's summaries none has more than 0.04

struct Diagnosis {
  FaultSet faults;
  // The bytes of the summary: behind the last [SUMMARY], else behind (or before) an echo; all of
  // the prediction where there is neither, and where no summary is.
  size_t begin = 0, end = 0;
  double repeated_trigrams = 0;  // the share that came before in the summary

  bool has(Fault fault) const { return faults[size_t(fault)]; }
  bool has_summary() const { return !has(Fault::empty) && !has(Fault::no_summary); }
};

// `reference` tells the language wanted. `finish_reason` is that of the API: "length" where the
// limit of tokens ended the text. Time O(messages x bytes of the prediction).
Diagnosis diagnose(std::string_view prediction, const Conversation& chat,
                   std::string_view reference, std::string_view finish_reason = {});

}  // namespace chatmem
