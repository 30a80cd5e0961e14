// A test double of the Anthropic API as a real server: messages (whole and streamed), count_tokens,
// models, message batches. It refuses what the API refuses, has its rate limits and its errors,
// suffers faults on a script (anthropic_script.h), and keeps a ledger of what it sold
// (anthropic_ledger.h). The official npm client passes its own calls against it (tests/clients).
//
// Beside the API, for tests in other processes: PUT /double/script takes another script, GET
// /double/summary and GET /double/ledger say what has come. None of these is in the ledger.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "anthropic_ledger.h"
#include "base/json.h"

namespace chatmem {

struct AnthropicDoubleOptions {
  int port = 0;  // 0: any free one
  Json script = Json::object();
  std::vector<std::string> keys;  // accepted API keys; empty: any
  fs::path ledger;                // a file to append to; empty: in memory only
  // The text of an answer; called from several threads. Empty: default_anthropic_answer.
  std::function<std::string(const Json& request)> answer;
};

class AnthropicDouble {
 public:
  // Serves when it returns. Throws Error for a port in use or a wrong script.
  explicit AnthropicDouble(AnthropicDoubleOptions options = {});
  // Resets what is unanswered.
  ~AnthropicDouble();
  AnthropicDouble(const AnthropicDouble&) = delete;
  AnthropicDouble& operator=(const AnthropicDouble&) = delete;

  int port() const;
  std::string base_url() const;  // "http://127.0.0.1:PORT"
  // From now on; the ledger, the prompt cache and the batches stay, the rate limits begin full.
  void set_script(const Json& script);
  LedgerSummary summary() const;
  std::vector<LedgerEntry> ledger() const;

 private:
  struct Core;
  std::unique_ptr<Core> core_;
};

}  // namespace chatmem
