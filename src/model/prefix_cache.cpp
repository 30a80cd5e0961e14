#include "model/prefix_cache.h"

#include <algorithm>
#include <new>
#include <utility>

namespace chatmem {

bool PrefixCache::make_room() {
  if (pages_.free_pages() > 0) return true;
  PageTree::Node* node = tree_.oldest();
  if (!node) return false;
  pages_.give(int(node->value));
  tree_.erase(node);
  return true;
}

PageTree::Node* PrefixCache::load(int root, std::span<const int> tokens, PageTree::Node* parent) {
  if (!store_ || !store_->contains(root, tokens) || !make_room()) return nullptr;
  PageTree::Node* node = tree_.insert(parent, tokens.last(kPageTokens), 0);
  const int page = pages_.take();
  node->value = page;
  const auto read = [&](const void* keys, const void* values) {
    ops_.copy_in(pages_.keys(page), keys);
    ops_.copy_in(pages_.values(page), values);
  };
  try {
    if (store_->load(root, tokens, read)) return node;
  } catch (const std::bad_alloc&) {  // as if it were not there
  }
  tree_.erase(node);
  pages_.give(page);
  return nullptr;
}

SharedSequence::SharedSequence(PrefixCache& cache, int adapter)
    : cache_(cache),
      root_(1 + adapter),
      node_(cache.tree_.root(root_)),
      view_{&cache.pages_.pool(), {}} {}

SharedSequence::~SharedSequence() {
  cache_.tree_.release(node_);
  for (size_t i = held_.size(); i > size_t(n_shared_); i--) cache_.pages_.give(held_[i - 1]);
}

namespace {

// The page number `index` of the tokens; empty where they end before its end.
std::span<const int> page_of(std::span<const int> tokens, int index) {
  const size_t begin = size_t(index) * kPageTokens;
  return begin + kPageTokens <= tokens.size() ? tokens.subspan(begin, kPageTokens)
                                              : std::span<const int>();
}

}  // namespace

// The node's page takes the place of the sequence's own, if it has one there.
void SharedSequence::adopt(PageTree::Node* node) {
  const size_t at = size_t(n_shared_);
  if (at == held_.size())
    held_.push_back(int(node->value));
  else
    cache_.pages_.give(std::exchange(held_[at], int(node->value)));
  cache_.tree_.use(node);
  node_ = node;
  n_shared_++;
  view_.pages = held_;
}

int SharedSequence::take(std::span<const int> tokens) {
  for (;;) {
    const std::span<const int> page = page_of(tokens, n_shared_);
    if (page.empty()) break;
    PageTree::Node* node = PageTree::find(node_, page);
    if (!node) node = cache_.load(root_, tokens.first(size_t(n_shared_ + 1) * kPageTokens), node_);
    if (!node) break;
    adopt(node);
  }
  return n_shared_ * kPageTokens;
}

bool SharedSequence::reserve(int n_tokens) {
  const int more = pages_for(n_tokens) - int(held_.size());
  if (more > cache_.available_pages()) return false;
  held_.reserve(held_.size() + size_t(std::max(more, 0)));
  for (int i = 0; i < more; i++) {
    CHECK(cache_.make_room());
    held_.push_back(cache_.pages_.take());
  }
  view_.pages = held_;
  return true;
}

void SharedSequence::share(std::span<const int> tokens) {
  try {
    for (;;) {
      const std::span<const int> page = page_of(tokens, n_shared_);
      if (page.empty()) break;
      if (PageTree::Node* node = PageTree::find(node_, page)) {
        adopt(node);  // another request was first
        continue;
      }
      node_ = cache_.tree_.insert(node_, page, held_[size_t(n_shared_)]);
      cache_.tree_.use(node_);
      n_shared_++;
    }
    if (cache_.store_) save(tokens);
  } catch (const std::bad_alloc&) {  // the request can do without; the next call tries again
  }
}

// What the store does not take now is offered again with the next page, or the next request.
void SharedSequence::save(std::span<const int> tokens) {
  PrefixStore& store = *cache_.store_;
  const auto first = [&](int n_pages) { return tokens.first(size_t(n_pages) * kPageTokens); };
  if (!n_saved_) n_saved_ = store.match(root_, first(n_shared_));
  for (; *n_saved_ < n_shared_; ++*n_saved_) {
    const int page = held_[size_t(*n_saved_)];
    const auto write = [&](void* keys, void* values) {
      cache_.ops_.copy_out(keys, cache_.pages_.keys(page));
      cache_.ops_.copy_out(values, cache_.pages_.values(page));
    };
    if (!store.save(root_, first(*n_saved_ + 1), write)) return;
  }
}

}  // namespace chatmem
