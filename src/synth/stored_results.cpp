#include "synth/stored_results.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/json.h"
#include "base/utf8.h"

namespace chatmem {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// "train_9" before "train_10".
bool by_number(const ResultRow& left, const ResultRow& right) {
  const std::string &a = left.conversation.id, &b = right.conversation.id;
  size_t i = 0;
  while (i < a.size() && i < b.size() && a[i] == b[i] && !is_digit(a[i])) i++;
  size_t end_a = i, end_b = i;
  while (end_a < a.size() && is_digit(a[end_a])) end_a++;
  while (end_b < b.size() && is_digit(b[end_b])) end_b++;
  if (end_a > i && end_b > i && end_a != end_b) return end_a < end_b;
  return a < b;
}

std::vector<fs::path> json_files(const fs::path& folder, std::string_view ending) {
  std::vector<fs::path> files;
  if (fs::is_directory(folder))
    for (const auto& entry : fs::directory_iterator(folder))
      if (entry.path().filename().string().ends_with(ending)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

ResultRow row_of(const Json& json, const std::string& where) {
  const Json& transformed = json_object(json, "transformed_conversations", where);
  ResultRow row;
  row.conversation.id = json_string(json, "original_id", where);
  row.topic = json_string_or(json, "topic", "", where);
  row.conversation.as_of = parse_date(json_string_or(transformed, "today_date", "", where));
  row.conversation.summary = json_string(transformed, "personal_summary", where);
  for (const Json& chat : json_array(transformed, "conversations", where)) {
    row.n_conversations++;
    for (const Json& message : json_array(chat, "messages", where))
      row.conversation.messages.push_back(
          {json_string(message, "timestamp", where), json_string(message, "content", where)});
  }
  return row;
}

// Reasons that differ only in numbers are one.
std::string reason_of(const Json& json, const std::string& where) {
  const std::string text = json_string_or(json, "error", "(no reason)", where);
  std::string reason;
  for (const char c : text.substr(0, 160))
    if (!is_digit(c))
      reason += uint8_t(c) < ' ' ? ' ' : c;
    else if (!reason.ends_with('N'))
      reason += 'N';
  return replace_invalid_utf8(reason);
}

// Calls read for each file; one that cannot be read is told, not fatal.
template <typename Read>
void for_each_file(const std::vector<fs::path>& files, StoredResults& result, const Read& read) {
  for (const fs::path& file : files) {
    try {
      read(read_json(file), file.filename().string());
    } catch (const Error& error) {
      result.unreadable.push_back(error.what());
    }
  }
}

}  // namespace

StoredResults read_stored_results(const fs::path& folder) {
  StoredResults result;
  result.name = fs::absolute(folder).lexically_normal().filename().string();
  const std::vector<fs::path> originals = json_files(folder / "success", "_original.json");
  const std::vector<fs::path> errors = json_files(folder / "errors", ".json");
  fs::path training = folder / "training_data.jsonl";
  if (!fs::exists(training)) training = folder / "success" / "training_data.jsonl";
  if (originals.empty() && errors.empty() && !fs::exists(training))
    throw Error(fmt::format("[generate] the folder must hold results (success/, errors/ or "
                            "training_data.jsonl), '{}' has none",
                            folder.string()),
                "name the --output folder of a run of generate");
  for_each_file(originals, result, [&](const Json& json, const std::string& where) {
    result.rows.push_back(row_of(json, where));
  });
  if (originals.empty() && fs::exists(training))
    for (Conversation& conversation : read_conversations(training)) {
      const int days = int(conversation.days().size());
      result.rows.push_back({std::move(conversation), "", days});
    }
  std::sort(result.rows.begin(), result.rows.end(), by_number);
  for_each_file(errors, result, [&](const Json& json, const std::string& where) {
    result.errors_by_reason[reason_of(json, where)]++;
    result.errors++;
  });
  return result;
}

}  // namespace chatmem
