// libFuzzer: JSONL of training records of any kind. What is accepted has ids, turns that the
// template knows, and targets that lie within it.
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "test_folder.h"
#include "text/training_record.h"

namespace {

using namespace chatmem;

void check(const std::vector<Conversation>& records) {
  for (const Conversation& record : records) CHECK(!record.id.empty());
}
void check(const std::vector<ChatRecord>& records) {
  for (const ChatRecord& record : records) {
    CHECK(!record.id.empty() && record.learnt.size() == record.turns.size());
    for (size_t i = 0; i < record.turns.size(); i++)
      if (record.learnt[i]) CHECK(record.turns[i].role == "assistant");
  }
}
void check(const std::vector<CompletionRecord>& records) {
  for (const CompletionRecord& record : records) CHECK(!record.id.empty());
}
void check(const std::vector<TokenRecord>& records) {
  for (const TokenRecord& record : records)
    CHECK(!record.id.empty() && record.target.size() == record.tokens.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const TestFolder folder;
  const fs::path path = folder.path() / "records.jsonl";
  write_file_atomic(path, {reinterpret_cast<const char*>(data), size}, Durability::batched);
  try {
    std::visit([](const auto& records) { check(records); }, read_training_records(path));
  } catch (const Error&) {  // refusing is right; crashing is not
  }
  return 0;
}
