// The keys that may use the server.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"

namespace chatmem {

class ApiKeys {
 public:
  // No keys: everybody may.
  ApiKeys() = default;
  // One key a line; empty lines and those that begin with "#" are skipped. Throws Error when others
  // than its owner may read the file, when it holds no key, or one with spaces.
  static ApiKeys load(const fs::path& path);
  // One more. Throws Error for one that is empty or has spaces; `where` names its source.
  void add(std::string_view key, std::string_view where);

  // The value of an Authorization header, "Bearer KEY". Takes the same time for every wrong key of
  // a length.
  bool allow(std::string_view authorization) const;
  bool empty() const { return keys_.empty(); }

 private:
  std::vector<std::string> keys_;
};

}  // namespace chatmem
