#include "model/page_tree.h"

#include <algorithm>

namespace chatmem {
namespace {

PageTree::PageTokens to_page(std::span<const int> tokens) {
  CHECK(tokens.size() == kPageTokens);
  PageTree::PageTokens page;
  std::ranges::copy(tokens, page.begin());
  return page;
}

}  // namespace

PageTree::Node* PageTree::find(const Node* parent, std::span<const int> tokens) {
  const auto it = parent->children.find(to_page(tokens));
  return it == parent->children.end() ? nullptr : it->second;
}

PageTree::Node* PageTree::insert(Node* parent, std::span<const int> tokens, int64_t value) {
  const PageTokens page = to_page(tokens);
  std::list<Node> one;
  one.push_back({.parent = parent, .tokens = page, .value = value});
  Node* node = &one.front();
  node->self = one.begin();
  CHECK(parent->children.emplace(page, node).second);
  const bool parent_unused = parent->parent && parent->users == 0;
  unused_.splice(parent_unused ? parent->self : unused_.end(), one);
  return node;
}

void PageTree::use(Node* node) noexcept {
  if (node->users++ == 0) used_.splice(used_.end(), unused_, node->self);
}

void PageTree::release(Node* node) noexcept {
  for (; node->parent; node = node->parent) {
    CHECK(node->users > 0);
    if (--node->users == 0) unused_.splice(unused_.end(), used_, node->self);
  }
}

void PageTree::erase(Node* leaf) noexcept {
  CHECK(leaf->parent && leaf->users == 0 && leaf->children.empty());
  leaf->parent->children.erase(leaf->tokens);
  unused_.erase(leaf->self);
}

}  // namespace chatmem
