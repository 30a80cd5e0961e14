#include "serve/api_keys.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/error.h"
#include "net/http.h"

namespace chatmem {
namespace {

// Looks at every byte of `given` wherever the first difference is.
bool equal_in_constant_time(std::string_view given, std::string_view key) {
  size_t difference = given.size() ^ key.size();
  for (size_t i = 0; i < given.size(); i++)
    difference |= size_t(uint8_t(given[i]) ^ uint8_t(key[i % key.size()]));
  return difference == 0;
}

}  // namespace

ApiKeys ApiKeys::load(const fs::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0 && (info.st_mode & 077) != 0)
    throw Error(fmt::format("[serve] '{}' must be readable by its owner only, its mode is {:o}",
                            path.string(), info.st_mode & 0777),
                fmt::format("chmod 600 '{}'", path.string()));
  ApiKeys keys;
  for_each_line(path, [&](std::string_view line, size_t number) {
    if (line.empty() || line.starts_with('#')) return;
    keys.add(line, fmt::format("'{}', line {}", path.string(), number));
  });
  if (keys.empty())
    throw Error(fmt::format("[serve] '{}' must hold a key, it holds none", path.string()));
  return keys;
}

void ApiKeys::add(std::string_view key, std::string_view where) {
  if (key.empty() ||
      !std::all_of(key.begin(), key.end(), [](char c) { return c > 0x20 && c < 0x7F; }))
    throw Error(
        fmt::format("[serve] {}: a key must be of printable characters without spaces", where));
  keys_.emplace_back(key);
}

bool ApiKeys::allow(std::string_view authorization) const {
  if (keys_.empty()) return true;
  constexpr std::string_view kScheme = "Bearer ";
  if (!equal_ignoring_case(authorization.substr(0, kScheme.size()), kScheme)) return false;
  authorization.remove_prefix(kScheme.size());
  bool found = false;
  for (const std::string& key : keys_) found |= equal_in_constant_time(authorization, key);
  return found;
}

}  // namespace chatmem
