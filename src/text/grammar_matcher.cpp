#include "text/grammar_matcher.h"

#include <algorithm>

#include "base/error.h"

namespace chatmem {

size_t GrammarMatcher::PlacesHash::operator()(const std::vector<Place>& places) const {
  uint64_t hash = places.size();
  for (const Place& place : places) {
    hash = (hash ^ uint64_t(uint32_t(place.state)) << 32 ^ uint32_t(place.calls)) *
           0x9E3779B97F4A7C15ull;
    hash ^= hash >> 29;
  }
  return size_t(hash);
}

GrammarMatcher::GrammarMatcher(const ByteGrammar& grammar)
    : grammar_(grammar),
      n_classes_(size_t(grammar.n_classes())),
      last_with_(size_t(grammar.n_states()), -1) {}

int GrammarMatcher::start() { return add_closure({{grammar_.start(0), kBottom}}); }

int GrammarMatcher::find_next(int state, int byte_class) {
  if (work_left_ <= 0) return kDead;  // not noted: it may be found another time
  const uint8_t byte = grammar_.class_byte(byte_class);
  std::vector<Place> after;
  for (const Place& place : states_[size_t(state)].places)
    for (const ByteGrammar::Edge& edge : grammar_.edges(place.state))
      if (edge.kind == ByteGrammar::EdgeKind::bytes && byte >= edge.low && byte <= edge.high &&
          depth(place.calls) + grammar_.need(edge.to) <= ByteGrammar::kMaxDepth)
        after.push_back({edge.to, place.calls});
  const int next = after.empty() ? kDead : add_closure(after);
  next_[size_t(state) * n_classes_ + size_t(byte_class)] = next;
  return next;
}

// Adds the place unless it is there.
void GrammarMatcher::visit(Place place) {
  int& last = last_with_[size_t(place.state)];
  for (int i = last; i >= 0; i = before_[size_t(i)], work_left_--)
    if (visited_[size_t(i)] == place) return;
  before_.push_back(last);
  last = int(visited_.size());
  visited_.push_back(place);
  open_.push_back(place);
  work_left_--;
}

// Where a place leads without a byte. Nothing is followed that could not be ended.
void GrammarMatcher::follow(Place place) {
  using Kind = ByteGrammar::EdgeKind;
  if (grammar_.is_end(place.state) && place.calls != kBottom) {
    const Call call = calls_[size_t(place.calls)];
    return visit({call.back, call.below});
  }
  const int below = depth(place.calls);
  for (const ByteGrammar::Edge& edge : grammar_.edges(place.state)) {
    if (edge.kind == Kind::bytes || below + grammar_.need(edge.to) > ByteGrammar::kMaxDepth)
      continue;
    if (edge.kind == Kind::empty) {
      visit({edge.to, place.calls});
    } else if (const int first = grammar_.start(edge.rule);
               below + 1 + grammar_.need(first) <= ByteGrammar::kMaxDepth) {
      visit({first, push_call(edge.to, place.calls)});
    }
  }
}

int GrammarMatcher::push_call(int back, int below) {
  const auto [it, fresh] = call_numbers_.try_emplace({back, below}, int(calls_.size()));
  if (fresh) calls_.push_back({back, below, depth(below) + 1});
  return it->second;
}

// The number of the state of these places and all that they lead to without a byte. What was found
// last is followed first, so that even a closure that is cut short has places that read.
int GrammarMatcher::add_closure(const std::vector<Place>& places) {
  visited_.clear(), before_.clear(), open_.clear();
  for (const Place& place : places) visit(place);
  State made;
  while (!open_.empty() && made.places.size() < kMaxPlaces) {
    const Place place = open_.back();
    open_.pop_back();
    const bool ends = grammar_.is_end(place.state) && place.calls == kBottom;
    const auto edges = grammar_.edges(place.state);
    made.complete |= ends;
    made.text_room = std::max(made.text_room, grammar_.text_room(place.state));
    // States that differ in places without edges of bytes behave alike, but for being complete.
    if (ends || std::any_of(edges.begin(), edges.end(), [](const ByteGrammar::Edge& edge) {
          return edge.kind == ByteGrammar::EdgeKind::bytes;
        }))
      made.places.push_back(place);
    follow(place);
  }
  for (const Place& place : visited_) last_with_[size_t(place.state)] = -1;
  std::sort(made.places.begin(), made.places.end(), [](const Place& a, const Place& b) {
    return a.state != b.state ? a.state < b.state : a.calls < b.calls;
  });
  const auto [it, fresh] = numbers_.try_emplace(made.places, int(states_.size()));
  if (!fresh) return it->second;
  n_places_ += made.places.size();
  states_.push_back(std::move(made));
  next_.resize(next_.size() + n_classes_, kUnknown);
  return it->second;
}

int GrammarMatcher::compact(int state) {
  const State kept = std::move(states_[size_t(state)]);
  const std::vector<Call> calls = std::move(calls_);
  states_.clear(), next_.clear(), numbers_.clear(), calls_.clear(), call_numbers_.clear();
  n_places_ = 0;
  std::vector<Place> places;
  std::vector<int> backs;
  for (const Place& place : kept.places) {
    backs.clear();
    for (int call = place.calls; call != kBottom; call = calls[size_t(call)].below)
      backs.push_back(calls[size_t(call)].back);
    int copy = kBottom;
    for (size_t i = backs.size(); i > 0; i--) copy = push_call(backs[i - 1], copy);
    places.push_back({place.state, copy});
  }
  const int copied = add_closure(places);
  states_[size_t(copied)].text_room = kept.text_room;  // its place may not read, and so be lost
  return copied;
}

}  // namespace chatmem
