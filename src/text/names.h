// Given names: their usual gender, for pronouns, and a stock to choose from.
#pragma once
#include <span>
#include <string_view>

namespace chatmem {

enum class Gender { kUnknown, kFemale, kMale };

// By a title ("Mrs. Bell", "Mr. Smith"), a family word ("Mum"), else by the first name when it is
// one commonly given to one gender only; kUnknown otherwise, never a guess.
Gender gender_of(std::string_view name);

// Names for people who have none, in a fixed order.
std::span<const std::string_view> female_names();
std::span<const std::string_view> male_names();

// "he", "him", "his", "himself"; "they" and so on when unknown.
struct Pronouns {
  std::string_view subject, object, possessive, possessive_alone, reflexive;
  bool plural;  // takes the plural of verbs
};
const Pronouns& pronouns_of(Gender gender);

// Whether the word is a given name of the lists behind gender_of, or a family word.
bool is_given_name(std::string_view word);

// "Mr.", "Mrs", "Dr." and the like.
bool is_title(std::string_view word);

}  // namespace chatmem
