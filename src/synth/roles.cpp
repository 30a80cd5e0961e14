#include "synth/roles.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "text/words.h"

namespace chatmem {
namespace {

// Said by who serves, treats, asks; the first words of a dialogue weigh as much as any.
struct Said {
  Relation relation;
  std::string_view words;
};
constexpr Said kServing[] = {
    {Relation::kService, "can i help you"},
    {Relation::kService, "may i help you"},
    {Relation::kService, "could i help you"},
    {Relation::kService, "how can i help"},
    {Relation::kService, "how may i help"},
    {Relation::kService, "what can i do for"},
    {Relation::kService, "may i take your"},
    {Relation::kService, "can i take your"},
    {Relation::kService, "ready to order"},
    {Relation::kService, "may i have your name"},
    {Relation::kService, "here is your change"},
    {Relation::kService, "here's your change"},
    {Relation::kService, "your room number"},
    {Relation::kService, "may i see your"},
    {Relation::kService, "can i see your passport"},
    {Relation::kService, "anything to declare"},
    {Relation::kService, "how would you like to"},
    {Relation::kService, "would you like to try"},
    {Relation::kService, "check-in time"},
    {Relation::kService, "at your service"},
    {Relation::kService, "welcome to our"},
    {Relation::kService, "for here or to go"},
    {Relation::kService, "where to, sir"},
    {Relation::kService, "yes, sir"},
    {Relation::kService, "yes, madam"},
    {Relation::kService, "yes, ma'am"},
    {Relation::kService, "good morning, sir"},
    {Relation::kService, "good evening, sir"},
    {Relation::kService, "good morning, madam"},
    {Relation::kService, "fill out this form"},
    {Relation::kService, "fill in this form"},
    {Relation::kService, "are you being helped"},
    {Relation::kService, "is there anything i can do for you"},
    {Relation::kService, "what size do you"},
    {Relation::kService, "room service"},
    {Relation::kService, "front desk"},
    {Relation::kService, "the fitting room"},
    {Relation::kService, "would you like to order"},
    {Relation::kService, "here is your bill"},
    {Relation::kService, "will that be all"},
    {Relation::kService, "will that be cash"},
    {Relation::kService, "would you like a receipt"},
    {Relation::kService, "have a reservation"},
    {Relation::kService, "what kind of room"},
    {Relation::kService, "cash or credit"},
    {Relation::kCare, "what seems to be"},
    {Relation::kCare, "what's the trouble"},
    {Relation::kCare, "how long have you had"},
    {Relation::kCare, "take your temperature"},
    {Relation::kCare, "write you a prescription"},
    {Relation::kCare, "give you a prescription"},
    {Relation::kCare, "fill this prescription"},
    {Relation::kCare, "take this medicine"},
    {Relation::kCare, "any allergies"},
    {Relation::kCare, "allergic to any"},
    {Relation::kCare, "open your mouth"},
    {Relation::kCare, "where does it hurt"},
    {Relation::kCare, "your blood pressure"},
    {Relation::kCare, "your symptoms"},
    {Relation::kCare, "let me examine"},
    {Relation::kCare, "let me have a look at your"},
    {Relation::kCare, "you've got a fever"},
    {Relation::kCare, "you have a fever"},
    {Relation::kHiring, "why do you want to work"},
    {Relation::kHiring, "why should we hire"},
    {Relation::kHiring, "why should i hire"},
    {Relation::kHiring, "your previous job"},
    {Relation::kHiring, "your last job"},
    {Relation::kHiring, "your strengths"},
    {Relation::kHiring, "your greatest strength"},
    {Relation::kHiring, "your weaknesses"},
    {Relation::kHiring, "your resume"},
    {Relation::kHiring, "salary expectations"},
    {Relation::kHiring, "what salary do you"},
    {Relation::kHiring, "why did you leave your"},
    {Relation::kHiring, "your work experience"},
    {Relation::kHiring, "tell me about yourself"},
    {Relation::kHiring, "tell me something about yourself"},
    {Relation::kHiring, "apply for this position"},
    {Relation::kHiring, "we'll be in touch"},
    {Relation::kHiring, "qualify you for"},
    {Relation::kLaw, "driver's license"},
    {Relation::kLaw, "driver's licence"},
    {Relation::kLaw, "you a ticket"},
    {Relation::kLaw, "pulled you over"},
    {Relation::kLaw, "you under arrest"},
    {Relation::kLaw, "order in the court"},
    {Relation::kLaw, "you plead"},
    {Relation::kLaw, "step out of the car"},
    {Relation::kLaw, "you were speeding"},
    {Relation::kLaw, "ran a red light"},
    {Relation::kLaw, "speed limit"},
};
// Said to them.
constexpr Said kServed[] = {{Relation::kCare, "doctor,"},   {Relation::kCare, ", doctor"},
                            {Relation::kLaw, ", officer"},  {Relation::kLaw, "officer,"},
                            {Relation::kLaw, "your honor"}, {Relation::kService, ", waiter"},
                            {Relation::kService, "waiter,"}};
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
  std::map<std::pair<Relation, int>, int> serving;
  int familiar = 0;
  for (const Utterance& turn : dialogue.turns) {
    const std::string lower = to_lower_ascii(turn.text);
    for (const auto& [relation, words] : kServing)
      serving[{relation, turn.person}] += lower.find(words) != lower.npos;
    for (const auto& [relation, words] : kServed)
      for (const int person : dialogue.persons)
        if (person != turn.person) serving[{relation, person}] += lower.find(words) != lower.npos;
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
  for (const auto& [role, count] : serving) {
    if (count > best) {
      best = count;
      roles = {role.first, role.second};
    } else if (count == best && count > 0 && role.second != roles.serving) {
      roles = {};  // both
    }
  }
  // "Grandma", "Doctor Hawkins".
  for (const auto& [person, name] : dialogue.names) {
    familiar += has_word(" mum mom mommy mummy grandma grandpa dad daddy ", to_lower_ascii(name));
    if (best == 0 && (name.starts_with("Doctor ") || name.starts_with("Dr")))
      roles = {Relation::kCare, person};
  }
  if (familiar > best) roles = {Relation::kFamiliar, 0};
  return roles;
}

bool greets_stranger(std::string_view turn) {
  static constexpr std::string_view kWords[] = {"nice to meet you",
                                                "pleased to meet you",
                                                "glad to meet you",
                                                "how do you do",
                                                "pleasure to meet you",
                                                "happy to meet you",
                                                "good to meet you",
                                                "we haven't met",
                                                "what's your name",
                                                "what is your name",
                                                "let me introduce myself",
                                                "my name is",
                                                "nice meeting you",
                                                "have we met",
                                                "we met before",
                                                "meet you before",
                                                "we meet somewhere",
                                                "don't i know you",
                                                "do you mind if i sit",
                                                "mind if i sit",
                                                "is this seat taken",
                                                "may i sit here",
                                                "can i sit here",
                                                "where are you from",
                                                "where do you come from",
                                                "where were you born",
                                                "are you from ",
                                                "are you american",
                                                "are you an american",
                                                "are you chinese",
                                                "are you a student",
                                                "do you study",
                                                "a new patient",
                                                "tell me about yourself",
                                                "tell me something about yourself",
                                                "do for a living",
                                                "i'm a tourist",
                                                "i'm a visitor",
                                                "i'm new here",
                                                "may i ask your name",
                                                "may i have your name",
                                                "may i know your name",
                                                "the name of your c",
                                                "your current occupation",
                                                "what do you do?",
                                                "how many people are there in your family",
                                                "you must be "};
  const std::string lower = to_lower_ascii(turn);
  return std::any_of(std::begin(kWords), std::end(kWords),
                     [&](std::string_view words) { return lower.find(words) != lower.npos; });
}

bool addresses_another(const Dialogue& dialogue) {
  for (const Utterance& turn : dialogue.turns)
    for (const std::string& name : addressed_in(turn.text)) {
      const bool borne =
          std::any_of(dialogue.names.begin(), dialogue.names.end(), [&](const auto& bearer) {
            return replace_name(bearer.second, name, "") != bearer.second ||
                   replace_name(name, bearer.second, "") != name;
          });
      if (!borne) return true;
    }
  return false;
}

}  // namespace chatmem
