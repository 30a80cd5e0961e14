// A tree of pages by the tokens in them, for what sequences share: a node stands for kPageTokens
// tokens after those of its ancestors. It knows which nodes are in use and in what order the others
// were left; what a page is, is the caller's.
#pragma once
#include <array>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <span>

#include "compute/tensor.h"

namespace chatmem {

class PageTree {
 public:
  using PageTokens = std::array<int, kPageTokens>;
  struct Node {
    Node* parent = nullptr;  // nullptr: a root, which has no tokens and no page
    PageTokens tokens = {};
    int64_t value = 0;  // the caller's: the page, the file
    int users = 0;
    std::map<PageTokens, Node*> children = {};
    std::list<Node>::iterator self = {};
  };

  explicit PageTree(int n_roots) : roots_(size_t(n_roots)) {}
  PageTree(const PageTree&) = delete;
  PageTree& operator=(const PageTree&) = delete;

  Node* root(int i) { return &roots_.at(size_t(i)); }
  // The child with these kPageTokens tokens, or nullptr.
  static Node* find(const Node* parent, std::span<const int> tokens);
  // A child that is not there yet: in use by nobody, and left before its parent. Changes nothing
  // when memory runs out.
  Node* insert(Node* parent, std::span<const int> tokens, int64_t value);
  // One more user of a node; who uses a node uses its ancestors too.
  void use(Node* node) noexcept;
  // One user less of the node and its ancestors. Those that nobody uses now were left last.
  void release(Node* node) noexcept;
  // Of the nodes without users the one that was left first, always a leaf; nullptr without any.
  Node* oldest() { return unused_.empty() ? nullptr : &unused_.front(); }
  void erase(Node* leaf) noexcept;  // without users

  int n_nodes() const { return int(used_.size() + unused_.size()); }
  int n_unused() const { return int(unused_.size()); }

 private:
  std::deque<Node> roots_;
  // A node is left no later than its parent, since who leaves a node leaves its ancestors, and then
  // they come after it. So the first of unused_ has no children.
  std::list<Node> used_, unused_;
};

}  // namespace chatmem
