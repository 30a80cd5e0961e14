#include "synth/roles.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <string>
#include <string_view>

#include "text/words.h"

namespace chatmem {
namespace {

// Said by or to who serves, treats, hires, questions or is met for the first time; a price.
constexpr std::string_view kDistant[] = {
    "speaking.",
    "take a message",
    "could i speak",
    "counter",
    "hello, i am ",
    "can i help you",
    "could i help you",
    "how can i help",
    "what can i do for",
    "can i take your",
    "ready to order",
    "here is your change",
    "here's your change",
    "your room number",
    "anything to declare",
    "how would you like to",
    "would you like to try",
    "check-in time",
    "at your service",
    "for here or to go",
    "fill out this form",
    "fill in this form",
    "are you being helped",
    "is there anything i can do for you",
    "what size do you",
    "room service",
    "front desk",
    "the fitting room",
    "would you like to order",
    "here is your bill",
    "will that be all",
    "will that be cash",
    "what kind of room",
    "cash or credit",
    "what seems to be",
    "what's the trouble",
    "how long have you had",
    "take your temperature",
    "write you a prescription",
    "give you a prescription",
    "fill this prescription",
    "take this medicine",
    "any allergies",
    "allergic to any",
    "open your mouth",
    "where does it hurt",
    "your blood pressure",
    "your symptoms",
    "let me examine",
    "let me have a look at your",
    "you've got a fever",
    "you have a fever",
    "why do you want to work",
    "why should we hire",
    "why should i hire",
    "your previous job",
    "your last job",
    "your strengths",
    "your greatest strength",
    "your weaknesses",
    "your resume",
    "salary expectations",
    "what salary do you",
    "why did you leave your",
    "your work experience",
    "tell me about yourself",
    "tell me something about yourself",
    "we'll be in touch",
    "qualify you for",
    "driver's license",
    "driver's licence",
    "you a ticket",
    "pulled you over",
    "you under arrest",
    "order in the court",
    "you plead",
    "step out of the car",
    "you were speeding",
    "ran a red light",
    "speed limit",
    "doctor,",
    ", doctor",
    ", officer",
    "officer,",
    "your honor",
    ", waiter",
    "waiter,",
    "nice to meet you",
    "pleased to meet you",
    "glad to meet you",
    "how do you do",
    "pleasure to meet you",
    "happy to meet you",
    "good to meet you",
    "we haven't met",
    "let me introduce myself",
    "my name is",
    "nice meeting you",
    "have we met",
    "we met before",
    "meet you before",
    "we meet somewhere",
    "don't i know you",
    "mind if i sit",
    "is this seat taken",
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
    "do for a living",
    "i'm a tourist",
    "i'm a visitor",
    "i'm new here",
    "the name of your c",
    "your current occupation",
    "what do you do?",
    "how many people are there in your family",
    "you must be ",
    " sir.",
    " sir,",
    " sir?",
    " sir!",
    "madam",
    "ma'am",
    "excuse me",
    "$",
    " dollars",
    "yuan",
    "passport",
    "reservation",
    "receipt",
    "discount",
    "credit card",
    " your order",
    "this is a",
    "interview",
    "position",
    "contract",
    "ladies",
    "welcome",
    "may i",
    "customer",
    "your name",
    "per night",
    "delivery",
    "company",
    "how much",
    "block",
};
constexpr std::string_view kFamily[] = {"honey", "darling", "sweetie", "sweetheart", "mum",
                                        "mom",   "mommy",   "dad",     "daddy",      "my dear",
                                        "son",   "grandma", "grandpa", "mummy"};

constexpr std::string_view kSaidServing[] = {"can i help you",
                                             "could i help you",
                                             "may i help you",
                                             "how may i help",
                                             "can i do for you",
                                             "take your order",
                                             "ready to order",
                                             "are you being helped",
                                             "here is your bill",
                                             "here's your change",
                                             "would you like to try",
                                             "what size",
                                             "kind of room",
                                             "your room",
                                             "sign here",
                                             "fill out this form",
                                             "fill in this form",
                                             "anything to declare",
                                             "will that be all",
                                             "cash or credit",
                                             "what seems to be",
                                             "what's the trouble",
                                             "how long have you had",
                                             "your blood pressure",
                                             "prescription",
                                             "let me examine",
                                             "take this medicine",
                                             "open your mouth",
                                             "where does it hurt",
                                             "you want to work",
                                             "should we hire",
                                             "should i hire",
                                             "your greatest",
                                             "your strengths",
                                             "your weaknesses",
                                             "your last job",
                                             "your previous job",
                                             "your resume",
                                             "about yourself",
                                             "we'll be in touch",
                                             "your qualifications",
                                             "may i see your",
                                             "may i have your",
                                             "can i have your",
                                             "could i have your",
                                             "here you are, sir",
                                             "anything else, sir",
                                             "go straight",
                                             "turn left",
                                             "turn right",
                                             "next to the bank",
                                             "where to, "};
constexpr std::string_view kSaidServed[] = {"i'd like to order",
                                            "like to check in",
                                            "like to check out",
                                            "i'd like to buy",
                                            "i'd like to open",
                                            "i'd like to book",
                                            "a reservation",
                                            "i'd like to reserve",
                                            "how much is",
                                            "how much are",
                                            "how much does",
                                            "i'll take it",
                                            "i'll take them",
                                            "i'm looking for a",
                                            "do you have any",
                                            "can i try",
                                            "may i try",
                                            "the menu",
                                            ", doctor",
                                            "doctor,",
                                            "waiter",
                                            "tell me how to",
                                            "tell me the way",
                                            "can i get to",
                                            "do i get to",
                                            "where is the",
                                            "take me to",
                                            "show me the way",
                                            "the way to",
                                            "to exchange",
                                            "a refund",
                                            "i'd like a room"};

// "Mom" spoken of is no address: a comma or a stop goes with one.
bool addresses_family(std::string_view lower) {
  for (const std::string_view word : kFamily)
    for (const char stop : {',', '.', '!', '?'}) {
      const std::string address = std::string(word) + stop;
      if (lower.starts_with(address) || lower.find(", " + address) != lower.npos) return true;
    }
  return false;
}

}  // namespace

bool may_be_friends(const Dialogue& dialogue) {
  return std::none_of(dialogue.turns.begin(), dialogue.turns.end(), [](const Utterance& turn) {
    const std::string lower = to_lower_ascii(turn.text);
    return addresses_family(lower) ||
           std::any_of(std::begin(kDistant), std::end(kDistant), [&](std::string_view words) {
             return (' ' + lower).find(words) != std::string::npos;
           });
  });
}

int served_person(const Dialogue& dialogue) {
  if (dialogue.persons.size() != 2) return 0;
  // Nobody is the guest of the police or of a court.
  for (const Utterance& turn : dialogue.turns)
    for (const std::string_view word : {"officer", "police", "court", "arrest", "driver's license"})
      if (to_lower_ascii(turn.text).find(word) != std::string::npos) return 0;
  const auto cues = [&](int person, auto&& phrases) {
    std::string said;
    for (const Utterance& turn : dialogue.turns)
      if (turn.person == person) said += to_lower_ascii(turn.text) + '\n';
    return int(std::count_if(std::begin(phrases), std::end(phrases), [&](std::string_view phrase) {
      return said.find(phrase) != said.npos;
    }));
  };
  const int a = dialogue.persons[0], b = dialogue.persons[1];
  const int a_served = cues(a, kSaidServed) + cues(b, kSaidServing);
  const int b_served = cues(b, kSaidServed) + cues(a, kSaidServing);
  if (std::abs(a_served - b_served) < 2) return 0;
  return a_served > b_served ? a : b;
}

}  // namespace chatmem
