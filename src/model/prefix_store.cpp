// A file "ID.kv", ID being 16 hexadecimal digits drawn at random: a Header, then the keys and the
// values of one page as they lie in the pool. All numbers are little-endian. Files name the file of
// the page before theirs, so that a folder holds a tree; what does not hang on it is removed.
// Files are written whole and renamed, but not flushed: what a crash of the machine leaves is found
// by the checksums.
#include "model/prefix_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <fstream>
#include <map>
#include <random>

#include "base/checksum.h"

namespace chatmem {
namespace {

constexpr size_t kMaxQueuedBytes = size_t(64) << 20;
constexpr std::string_view kMagic = "CMKVPAGE";
// To be raised whenever the same model computes other keys and values, or they lie otherwise.
constexpr uint32_t kVersion = 1;

struct Header {
  char magic[8];
  uint32_t version, page_tokens;
  uint64_t fingerprint;
  uint64_t id, parent;  // parent 0: the first page
  int32_t tokens[kPageTokens];
  uint64_t page_bytes;        // of the keys, and of the values
  uint64_t payload_checksum;  // of both
  uint64_t checksum;          // of all before
};
static_assert(sizeof(Header) == 64 + 4 * kPageTokens && std::endian::native == std::endian::little);

uint64_t checksum_of(const Header& header) {
  return checksum64({reinterpret_cast<const char*>(&header), offsetof(Header, checksum)});
}

// The id that a file of the store is named by.
std::optional<uint64_t> id_of(const fs::path& path) {
  const std::string stem = path.stem().string();
  if (path.extension() != ".kv" || stem.size() != 16) return std::nullopt;
  uint64_t id = 0;
  for (const char c : stem) {
    const size_t digit = std::string_view("0123456789abcdef").find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    id = id << 4 | digit;
  }
  return id;
}

uint64_t random_id() {
  std::random_device device;
  uint64_t id = 0;
  while (id == 0) id = uint64_t(device()) << 32 | device();
  return id;
}

}  // namespace

// What a good header says, and when its page was last used.
struct PrefixStore::Found {
  uint64_t id, parent;
  int root;
  PageTree::PageTokens tokens;
  fs::file_time_type used;
};

PrefixStore::PrefixStore(PrefixStoreOptions options, std::vector<uint64_t> fingerprints,
                         size_t page_bytes)
    : options_(std::move(options)),
      fingerprints_(std::move(fingerprints)),
      page_bytes_(page_bytes),
      file_bytes_(sizeof(Header) + 2 * page_bytes),
      lock_(options_.folder, "kv"),
      tree_(int(fingerprints_.size())) {
  open_folder();
  writer_ = std::thread([this] { run(); });
}

PrefixStore::~PrefixStore() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  writer_.join();
}

fs::path PrefixStore::path_of(uint64_t id) const {
  return options_.folder / fmt::format("{:016x}.kv", id);
}

// Absent where the file is damaged or not of this store.
std::optional<PrefixStore::Found> PrefixStore::read_header(const fs::path& path) const {
  std::error_code error;
  Header h;
  std::ifstream file(path, std::ios::binary);
  if (!file.read(reinterpret_cast<char*>(&h), sizeof h)) return std::nullopt;
  const auto root = std::ranges::find(fingerprints_, h.fingerprint);
  const bool good = std::string_view(h.magic, sizeof h.magic) == kMagic && h.version == kVersion &&
                    h.page_tokens == kPageTokens && h.page_bytes == page_bytes_ &&
                    h.checksum == checksum_of(h) && h.id == id_of(path) &&
                    root != fingerprints_.end() && fs::file_size(path, error) == file_bytes_;
  if (!good) return std::nullopt;
  Found found{h.id, h.parent, int(root - fingerprints_.begin()), {}, {}};
  std::ranges::copy(h.tokens, found.tokens.begin());
  found.used = fs::last_write_time(path, error);
  return found;
}

void PrefixStore::open_folder() {
  remove_stale_temporaries(options_.folder);
  std::vector<Found> found;
  size_t n_files = 0;
  for (const auto& entry : fs::directory_iterator(options_.folder)) {
    if (!id_of(entry.path())) continue;  // not ours to judge
    n_files++;
    std::error_code ignored;
    if (auto good = read_header(entry.path()))
      found.push_back(*good);
    else
      fs::remove(entry.path(), ignored);
  }
  plant(found);
  if (const size_t n_removed = n_files - size_t(n_pages()); n_removed > 0 && options_.warn)
    options_.warn(fmt::format(
        "[kv] {} of {} files in '{}' are damaged, or of another model, adapter or type: removed",
        n_removed, n_files, options_.folder.string()));
  while (size_bytes() > options_.max_bytes) {
    std::error_code ignored;
    fs::remove(path_of(uint64_t(tree_.oldest()->value)), ignored);
    tree_.erase(tree_.oldest());
  }
}

// Makes the tree, parents first, and its order of use. Removes the files that do not belong to it.
void PrefixStore::plant(std::vector<Found>& found) {
  std::ranges::sort(found, {}, &Found::used);
  std::multimap<uint64_t, const Found*> by_parent;
  for (const Found& f : found) by_parent.emplace(f.parent, &f);
  std::map<const Found*, PageTree::Node*> nodes;
  std::vector<const Found*> grown = {nullptr};  // whose children are to come; nullptr: the roots
  while (!grown.empty()) {
    const Found* parent = grown.back();
    grown.pop_back();
    const auto [begin, end] = by_parent.equal_range(parent ? parent->id : 0);
    for (auto it = begin; it != end; ++it) {
      const Found& f = *it->second;
      PageTree::Node* on = parent ? nodes.at(parent) : tree_.root(f.root);
      if ((parent && parent->root != f.root) || PageTree::find(on, f.tokens)) continue;
      nodes[&f] = tree_.insert(on, f.tokens, int64_t(f.id));
      grown.push_back(&f);
    }
  }
  for (const Found& f : found) {
    const auto it = nodes.find(&f);
    if (it == nodes.end()) {
      std::error_code ignored;
      fs::remove(path_of(f.id), ignored);
      continue;
    }
    for (PageTree::Node* node = it->second; node->parent; node = node->parent) tree_.use(node);
    tree_.release(it->second);
  }
}

// The node of the last page, or nullptr; with `use`, it and its ancestors are in use then.
PageTree::Node* PrefixStore::walk(int root, std::span<const int> tokens, bool use) {
  PageTree::Node *node = tree_.root(root), *next = node;
  for (; !tokens.empty(); tokens = tokens.subspan(kPageTokens)) {
    next = PageTree::find(node, tokens.first(kPageTokens));
    if (!next) break;
    if (use) tree_.use(next);
    node = next;
  }
  if (!next && use) tree_.release(node);
  return next;
}

int PrefixStore::match(int root, std::span<const int> tokens) {
  PageTree::Node* node = tree_.root(root);
  Job touch{Job::Kind::touch, {}, {}};
  for (; tokens.size() >= kPageTokens; tokens = tokens.subspan(kPageTokens)) {
    PageTree::Node* next = PageTree::find(node, tokens.first(kPageTokens));
    if (!next) break;
    touch.ids.push_back(uint64_t(next->value));
    tree_.use(node = next);
  }
  tree_.release(node);
  const int n = int(touch.ids.size());
  if (n > 0) push(std::move(touch));
  return n;
}

bool PrefixStore::load(int root, std::span<const int> tokens, const Read& read) {
  PageTree::Node* node = walk(root, tokens, false);
  if (!node) return false;
  const uint64_t id = uint64_t(node->value);
  {
    std::unique_lock lock(mutex_);  // it may be waiting to be written
    changed_.wait(lock, [&] {
      return std::ranges::none_of(
          queue_, [&](const Job& job) { return job.kind == Job::Kind::write && job.ids[0] == id; });
    });
  }
  std::string what = "its checksum is wrong";
  try {
    const MappedFile file(path_of(id));
    Header h;
    if (file.bytes().size() == file_bytes_) {
      std::memcpy(&h, file.bytes().data(), sizeof h);
      const auto* payload = reinterpret_cast<const char*>(file.bytes().data()) + sizeof h;
      if (h.checksum == checksum_of(h) && h.id == id &&
          std::ranges::equal(h.tokens, node->tokens) &&
          h.payload_checksum == checksum64({payload, 2 * page_bytes_})) {
        read(payload, payload + page_bytes_);
        return true;
      }
    }
  } catch (const Error& e) {
    what = e.what();
  }
  if (options_.warn)
    options_.warn(fmt::format("[kv] '{}' is removed: {}", path_of(id).string(), what));
  drop(node);
  return false;
}

bool PrefixStore::save(int root, std::span<const int> tokens, const Write& write) {
  if (failed_ || file_bytes_ > options_.max_bytes) return false;
  {
    const std::lock_guard lock(mutex_);
    if (queued_bytes_ > 0 && queued_bytes_ + file_bytes_ > kMaxQueuedBytes) return false;
  }
  PageTree::Node* parent = walk(root, tokens.first(tokens.size() - kPageTokens), true);
  if (!parent) return false;
  struct InUse {  // so that making room spares them
    PageTree& tree;
    PageTree::Node* node;
    ~InUse() { tree.release(node); }
  } in_use{tree_, parent};
  const std::span<const int> page = tokens.last(kPageTokens);
  PageTree::Node* node = PageTree::find(parent, page);
  while (!node && size_bytes() + file_bytes_ > options_.max_bytes && tree_.oldest())
    evict(tree_.oldest());
  if (!node && size_bytes() + file_bytes_ <= options_.max_bytes) {
    Header h = {{},          kVersion,
                kPageTokens, fingerprints_[size_t(root)],
                random_id(), uint64_t(parent->value),
                {},          page_bytes_,
                0,           0};
    std::ranges::copy(kMagic, h.magic);
    std::ranges::copy(page, h.tokens);
    Job job{Job::Kind::write, {h.id}, std::string(file_bytes_, '\0')};
    std::memcpy(job.bytes.data(), &h, sizeof h);
    char* payload = job.bytes.data() + sizeof h;
    write(payload, payload + page_bytes_);
    node = tree_.insert(parent, page, int64_t(h.id));
    push(std::move(job));
  }
  return node != nullptr;
}

void PrefixStore::evict(PageTree::Node* leaf) {
  push({Job::Kind::remove, {uint64_t(leaf->value)}, {}});
  tree_.erase(leaf);
}

void PrefixStore::drop(PageTree::Node* node) {
  while (!node->children.empty()) drop(node->children.begin()->second);
  evict(node);
}

// -- the thread that writes

void PrefixStore::push(Job job) {
  {
    const std::lock_guard lock(mutex_);
    queued_bytes_ += job.bytes.size();
    queue_.push_back(std::move(job));
  }
  changed_.notify_all();
}

void PrefixStore::flush() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return queue_.empty(); });
}

void PrefixStore::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return stop_ || !queue_.empty(); });
    if (queue_.empty()) return;
    Job& job = queue_.front();  // stays where it is while others are added
    lock.unlock();
    perform(job);
    lock.lock();
    queued_bytes_ -= job.bytes.size();
    queue_.pop_front();
    changed_.notify_all();
  }
}

void PrefixStore::perform(Job& job) {
  std::error_code ignored;
  if (job.kind != Job::Kind::write) {
    for (const uint64_t id : job.ids)
      if (job.kind == Job::Kind::remove)
        fs::remove(path_of(id), ignored);
      else
        fs::last_write_time(path_of(id), fs::file_time_type::clock::now(), ignored);
    return;
  }
  if (failed_) return;
  try {
    Header h;
    std::memcpy(&h, job.bytes.data(), sizeof h);
    h.payload_checksum = checksum64(std::string_view(job.bytes).substr(sizeof h));
    h.checksum = checksum_of(h);
    std::memcpy(job.bytes.data(), &h, sizeof h);
    write_file_atomic(path_of(job.ids[0]), job.bytes, Durability::batched);
  } catch (const Error& e) {
    failed_ = true;
    if (options_.warn)
      options_.warn(fmt::format("{}: no more keys and values are kept on disk", e.what()));
  }
}

}  // namespace chatmem
