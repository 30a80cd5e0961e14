// Files of environment variables (.env), read as python-dotenv reads them.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"

namespace chatmem {

struct DotenvVariable {
  std::string name;
  std::optional<std::string> value;  // none: a name without "="
};

// The value of a variable of the process, or null.
using EnvironmentLookup = std::function<const char*(const std::string& name)>;
const char* process_environment(const std::string& name);

// One entry a name, the last value in the place of the first. The syntax:
//   KEY=plain text # comment       export KEY='as it is, but \' and \\'       KEY
//   KEY="escapes \n \t \" \\, over several lines"      KEY=${OTHER} ${OTHER:-default}
// ${OTHER} is what `environment` says, else what an earlier line says, else the default, else
// nothing, within any quotes. Nothing is ever executed. Newlines may be "\r\n", a byte order mark
// is skipped. Throws Error with the line for what cannot be read (python-dotenv skips such lines),
// for invalid UTF-8, NUL, and values that expand to more than 4 MB together. No message holds a
// value.
std::vector<DotenvVariable> parse_dotenv(
    std::string_view text, std::string_view where,
    const EnvironmentLookup& environment = process_environment);

// Of a file of at most 1 MB.
std::vector<DotenvVariable> read_dotenv(const fs::path& path,
                                        const EnvironmentLookup& environment = process_environment);

// The file ".env" of this folder, else of the nearest of its parents that has one.
std::optional<fs::path> find_dotenv(const fs::path& folder);

}  // namespace chatmem
