// The flags that encode and train share: which records are read, and how they are encoded.
#pragma once
#include <CLI/CLI.hpp>
#include <string>

#include "train/encode.h"

namespace chatmem {

struct DataFlags {
  std::string data, as_of, prompt_template = "temporal";
  int max_tokens = 4096;
  bool split_long = false;

  EncodeRules rules() const;
};

// Declares --data, --as-of, --template, --max-tokens and --split-long on a verb.
void add_data_flags(CLI::App& verb, DataFlags& flags, const std::string& data_help);

// Throws Error for a flag that must be given, on the command line or in --config, and was not.
void require_flag(const CLI::App& verb, const std::string& name);

}  // namespace chatmem
