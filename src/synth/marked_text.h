// A summary with its two persons marked, in tokens: what the retelling and its pronouns read.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "synth/retell.h"
#include "text/names.h"

namespace chatmem {

// The two persons while a sentence is worked on; bytes that no checked input holds.
constexpr char kYouMark = '\x01', kOtherMark = '\x02';

struct Token {
  std::string text, lower;
  bool word = false;   // letters, digits, apostrophes; or a person
  char person = 0;     // kYouMark, kOtherMark or 0
  std::string ending;  // of a person: "'s", "'ll" and the like
  bool actor = false;  // a part of the name of somebody who acts in the summary
};

std::vector<Token> tokenize(std::string_view text);

// The names that a text gives to those who act in it, "Mrs. Doyle" and "Freya" but not "Aberdeen",
// each once, in their order. A first word that the dialogue has in small letters is none.
std::vector<std::string> actors_of(std::string_view summary, std::string_view dialogue);

struct MarkedSentence {
  std::vector<Token> tokens;
  bool dated = false;  // names a day of the calendar
};
// The sentences of a summary, its persons marked, words as of now shifted.
std::vector<MarkedSentence> marked_sentences(std::string_view summary, const Cast& cast);

// The summary with placeholders, names and titled names of the two as kYouMark and kOtherMark.
std::string mark_persons(std::string_view summary, const Cast& cast);

// Between a subject and its verb: "also", "finally", "gladly".
bool is_adverb(const std::string& lower);

// A verb in the third person that is a plural noun too: "helps", "plans".
bool is_also_noun(const std::string& lower);

// "is", "couldn't", "has" and the like.
bool is_auxiliary(const std::string& lower);

// What only persons do, "tells", "hopes": a word before it that no list has is a name, and not
// "Surgery" or "Traffic".
bool is_human_verb(const std::string& lower);

// "he", "her", "himself", "she'll".
bool is_gendered_pronoun(const std::string& lower);

// A person by what he is ("brother", "boss") or by a given name or a title. The gender is kUnknown
// where the word has none.
bool names_somebody(const Token& token);
Gender gender_of_somebody(const Token& token);

bool is_capital(const Token& token);
bool is_verb(const Token& token);  // an auxiliary, or a known verb in the third person

// Words after "her" that leave it an object: "asks her to wait", not "her keys".
bool follows_object(std::string_view word);

}  // namespace chatmem
