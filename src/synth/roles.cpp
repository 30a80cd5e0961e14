#include "synth/roles.h"

#include <algorithm>
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

}  // namespace chatmem
