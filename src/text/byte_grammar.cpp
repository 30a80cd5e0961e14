#include "text/byte_grammar.h"

#include <fmt/format.h>

#include <algorithm>
#include <queue>

#include "base/error.h"

namespace chatmem {

int ByteGrammar::add_rule(std::string name) {
  const int begin = add_state(), last = add_state();
  states_[size_t(last)].is_end = true;
  rules_.push_back({std::move(name), begin, last});
  return int(rules_.size()) - 1;
}

int ByteGrammar::add_state() {
  if (states_.size() == size_t(kMaxStates))
    throw Error(
        fmt::format("[schema] must not need more than {} states of its automaton", kMaxStates),
        "smaller limits of lengths and numbers of items need fewer");
  states_.emplace_back();
  return int(states_.size()) - 1;
}

void ByteGrammar::add_bytes(int from, int low, int high, int to) {
  edges_.push_back({EdgeKind::bytes, uint8_t(low), uint8_t(high), -1, from, to});
}

void ByteGrammar::add_call(int from, int rule, int to) {
  edges_.push_back({EdgeKind::call, 0, 0, rule, from, to});
}

void ByteGrammar::add_empty(int from, int to) {
  edges_.push_back({EdgeKind::empty, 0, 0, -1, from, to});
}

void ByteGrammar::add_literal(int from, std::string_view bytes, int to) {
  if (bytes.empty()) return add_empty(from, to);
  for (size_t i = 0; i < bytes.size(); i++) {
    const int next = i + 1 == bytes.size() ? to : add_state();
    add_bytes(from, uint8_t(bytes[i]), uint8_t(bytes[i]), next);
    from = next;
  }
}

void ByteGrammar::set_text_room(int state, int characters) {
  states_[size_t(state)].text_room = characters;
}

std::span<const ByteGrammar::Edge> ByteGrammar::edges(int state) const {
  const State& s = states_[size_t(state)];
  return std::span(edges_).subspan(size_t(s.first_edge), size_t(s.n_edges));
}

void ByteGrammar::finish() {
  CHECK(!rules_.empty());
  sort_edges();
  refuse_left_recursion();
  find_needs();
  find_classes();
}

void ByteGrammar::sort_edges() {
  std::stable_sort(edges_.begin(), edges_.end(),
                   [](const Edge& a, const Edge& b) { return a.from < b.from; });
  for (size_t i = 0; i < edges_.size(); i++) {
    State& from = states_[size_t(edges_[i].from)];
    CHECK(!from.is_end);
    if (from.n_edges++ == 0) from.first_edge = int(i);
  }
}

// A rule takes at least one byte before its end, so only calls before the first byte matter.
void ByteGrammar::refuse_left_recursion() const {
  std::vector<std::vector<int>> first_calls(rules_.size());
  std::vector<int> seen_by(states_.size(), -1), work;
  for (size_t rule = 0; rule < rules_.size(); rule++) {
    work = {rules_[rule].start};
    while (!work.empty()) {
      const int state = work.back();
      work.pop_back();
      if (std::exchange(seen_by[size_t(state)], int(rule)) == int(rule)) continue;
      CHECK(state != rules_[rule].end);
      for (const Edge& edge : edges(state)) {
        if (edge.kind == EdgeKind::empty) work.push_back(edge.to);
        if (edge.kind == EdgeKind::call) first_calls[rule].push_back(edge.rule);
      }
    }
  }
  // Takes away, again and again, rules that are the first call of none; a circle stays.
  std::vector<int> n_callers(rules_.size());
  for (const auto& calls : first_calls)
    for (const int rule : calls) n_callers[size_t(rule)]++;
  for (size_t rule = 0; rule < rules_.size(); rule++)
    if (n_callers[rule] == 0) work.push_back(int(rule));
  while (!work.empty()) {
    const int rule = work.back();
    work.pop_back();
    for (const int called : first_calls[size_t(rule)])
      if (--n_callers[size_t(called)] == 0) work.push_back(called);
  }
  for (size_t rule = 0; rule < rules_.size(); rule++)
    if (n_callers[rule] > 0)
      throw Error(fmt::format("[schema] '{}' must not refer to itself without a value between",
                              rules_[rule].name));
}

// Knuth's generalization of Dijkstra's algorithm: states become certain in the order of their
// needs. A call needs one more than the rule it calls, a path the most of what it passes.
void ByteGrammar::find_needs() {
  std::vector<std::vector<int>> into(states_.size()), callers(rules_.size());  // edges by number
  for (size_t i = 0; i < edges_.size(); i++) {
    into[size_t(edges_[i].to)].push_back(int(i));
    if (edges_[i].kind == EdgeKind::call) callers[size_t(edges_[i].rule)].push_back(int(i));
  }
  std::vector<int> rule_at(states_.size(), -1);
  for (size_t rule = 0; rule < rules_.size(); rule++)
    rule_at[size_t(rules_[rule].start)] = int(rule);

  using Found = std::pair<int, int>;  // need, state
  std::priority_queue<Found, std::vector<Found>, std::greater<>> found;
  for (const Rule& rule : rules_) found.push({0, rule.end});
  std::vector<uint8_t> certain(states_.size());
  const auto follow = [&](int number) {
    const Edge& edge = edges_[size_t(number)];
    if (!certain[size_t(edge.to)]) return;
    int need = states_[size_t(edge.to)].need;
    if (edge.kind == EdgeKind::call) {
      const int called = start(edge.rule);
      if (!certain[size_t(called)]) return;
      need = std::max(need, 1 + states_[size_t(called)].need);
    }
    if (need <= kMaxDepth) found.push({need, edge.from});
  };
  while (!found.empty()) {
    const auto [need, state] = found.top();
    found.pop();
    if (std::exchange(certain[size_t(state)], 1)) continue;
    states_[size_t(state)].need = need;
    for (const int edge : into[size_t(state)]) follow(edge);
    if (const int rule = rule_at[size_t(state)]; rule >= 0)
      for (const int edge : callers[size_t(rule)]) follow(edge);
  }
  if (need(rules_[0].start) > kMaxDepth)
    throw Error(
        fmt::format("[schema] must have a value nested at most {} deep, has none", kMaxDepth),
        "a $ref that leads back to itself needs a way out: null, an empty array, or "
        "an optional property");
}

void ByteGrammar::find_classes() {
  std::array<bool, 257> cut = {};
  cut[0] = true;
  for (const Edge& edge : edges_)
    if (edge.kind == EdgeKind::bytes) cut[edge.low] = cut[edge.high + size_t(1)] = true;
  for (int byte = 0; byte < 256; byte++) {
    if (cut[size_t(byte)]) class_bytes_.push_back(uint8_t(byte));
    classes_[size_t(byte)] = uint8_t(class_bytes_.size() - 1);
  }
  n_classes_ = int(class_bytes_.size());
}

}  // namespace chatmem
