// A grammar over bytes: rules that may call each other, each a nondeterministic automaton whose
// edges are byte ranges, calls of rules, or empty. Built by a compiler such as
// text/json_schema.h, run by text/grammar_matcher.h.
#pragma once
#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace chatmem {

class ByteGrammar {
 public:
  static constexpr int kMaxStates = 1 << 16;
  // Calls within calls. A derivation is never led where it would need more.
  static constexpr int kMaxDepth = 48;
  static constexpr int kUnlimited = std::numeric_limits<int>::max();

  enum class EdgeKind : uint8_t { bytes, call, empty };
  struct Edge {
    EdgeKind kind;
    uint8_t low, high;  // of bytes, both included
    int rule;           // of a call
    int from, to;
  };

  // Building. The first rule is the whole; a rule begins at its start and ends at its end, whose
  // edges must be none. Throws Error over kMaxStates.
  int add_rule(std::string name);  // the name is for errors
  int add_state();
  void add_bytes(int from, int low, int high, int to);
  void add_call(int from, int rule, int to);
  void add_empty(int from, int to);
  int start(int rule) const { return rules_[size_t(rule)].start; }
  int end(int rule) const { return rules_[size_t(rule)].end; }
  void add_literal(int from, std::string_view bytes, int to);
  // Says that from the state on any `characters` characters may follow that are valid UTF-8 and
  // neither controls, nor quotation marks, nor backslashes.
  void set_text_room(int state, int characters);
  // Ends building. Throws Error when a rule can call itself before it takes a byte, and when the
  // first rule has no finite text within kMaxDepth.
  void finish();

  // Reading, after finish().
  std::span<const Edge> edges(int state) const;
  bool is_end(int state) const { return states_[size_t(state)].is_end; }
  int text_room(int state) const { return states_[size_t(state)].text_room; }
  // The fewest calls within calls that the rest of the rule needs; over kMaxDepth: it cannot end.
  int need(int state) const { return states_[size_t(state)].need; }
  int n_states() const { return int(states_.size()); }
  // Bytes that no edge tells apart have one class.
  int n_classes() const { return n_classes_; }
  int byte_class(uint8_t byte) const { return classes_[byte]; }
  uint8_t class_byte(int byte_class) const { return class_bytes_[size_t(byte_class)]; }

 private:
  struct Rule {
    std::string name;
    int start, end;
  };
  struct State {
    int first_edge = 0, n_edges = 0;
    int text_room = 0;
    int need = kMaxDepth + 1;
    bool is_end = false;
  };
  void sort_edges();
  void refuse_left_recursion() const;
  void find_needs();
  void find_classes();

  std::vector<Rule> rules_;
  std::vector<State> states_;
  std::vector<Edge> edges_;  // by `from` after finish()
  int n_classes_ = 0;
  std::array<uint8_t, 256> classes_ = {};
  std::vector<uint8_t> class_bytes_;
};

}  // namespace chatmem
