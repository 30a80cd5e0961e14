// Runs a ByteGrammar over bytes: a deterministic automaton whose states are made as they are met.
// A state is a set of places in the grammar, each with the calls it has to return to.
#pragma once
#include <cstdint>
#include <map>
#include <unordered_map>
#include <vector>

#include "text/byte_grammar.h"

namespace chatmem {

// Every state that a byte leads to can be completed: there are no dead ends. Bounds on memory and
// time keep that: where a set of places would be too large, places are dropped, and where making
// states takes too much work, bytes are refused; what is left of the language is smaller, never
// wrong. Only ambiguous schemas (an anyOf of lists of the same lists, a pattern such as
// (a|b)*a(a|b){20}) come near the bounds.
class GrammarMatcher {
 public:
  static constexpr int kDead = -1;
  // Places of one state that read a byte; of all states, after which compact() begins anew; work
  // without refill().
  static constexpr size_t kMaxPlaces = 1 << 12, kMaxAllPlaces = 1 << 20;
  static constexpr int64_t kMaxWork = 1 << 19;

  // The grammar must outlive the matcher.
  explicit GrammarMatcher(const ByteGrammar& grammar);

  int start();
  // The state after one more byte, or kDead where the grammar has no such text.
  int step(int state, uint8_t byte) {
    const int next = next_[size_t(state) * n_classes_ + size_t(grammar_.byte_class(byte))];
    return next != kUnknown ? next : find_next(state, grammar_.byte_class(byte));
  }
  // Whether the text so far is whole.
  bool complete(int state) const { return states_[size_t(state)].complete; }
  // How many characters may follow in any case (ByteGrammar::set_text_room).
  int text_room(int state) const { return states_[size_t(state)].text_room; }

  // Allows kMaxWork more work; nothing is refused for work before it is used up.
  void refill() { work_left_ = kMaxWork; }
  // Whether memory asks for compact().
  bool is_full() const { return n_places_ > kMaxAllPlaces || next_.size() > 4 * kMaxAllPlaces; }
  // Forgets all states but this one, whose new number is returned.
  int compact(int state);

 private:
  static constexpr int kUnknown = -2;
  static constexpr int kBottom = -1;  // of the calls
  struct Place {
    int state;  // of the grammar
    int calls;  // kBottom, or an index into calls_
    bool operator==(const Place&) const = default;
  };
  struct Call {
    int back;  // the grammar's state after the call
    int below;
    int depth;
  };
  struct State {
    std::vector<Place> places;  // those with edges of bytes
    bool complete = false;
    int text_room = 0;
  };
  struct PlacesHash {
    size_t operator()(const std::vector<Place>& places) const;
  };
  int find_next(int state, int byte_class);
  int add_closure(const std::vector<Place>& places);
  void follow(Place place);
  void visit(Place place);
  int push_call(int back, int below);
  int depth(int calls) const { return calls == kBottom ? 0 : calls_[size_t(calls)].depth; }

  const ByteGrammar& grammar_;
  const size_t n_classes_;
  std::vector<State> states_;
  std::vector<int> next_;  // (states, classes)
  std::unordered_map<std::vector<Place>, int, PlacesHash> numbers_;
  std::vector<Call> calls_;
  std::map<std::pair<int, int>, int> call_numbers_;  // of back and below
  // Of the closure at work: the places visited, for each the one before it with the same state, the
  // last one with each state, and those whose edges are still to be followed.
  std::vector<Place> visited_;
  std::vector<int> before_, last_with_;
  std::vector<Place> open_;
  size_t n_places_ = 0;
  int64_t work_left_ = kMaxWork;
};

}  // namespace chatmem
