#include "synth/stored_results.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/chars.h"
#include "base/error.h"
#include "base/utf8.h"

namespace chatmem {
namespace {

constexpr std::string_view kBegin = "conversation_", kEnd = "_original.json";
constexpr size_t kReportedErrors = 5;

// "train_9" before "train_10".
bool by_number(const std::string& a, const std::string& b) {
  size_t i = 0;
  while (i < a.size() && i < b.size() && a[i] == b[i] && !is_digit(a[i])) i++;
  size_t end_a = i, end_b = i;
  while (end_a < a.size() && is_digit(a[end_a])) end_a++;
  while (end_b < b.size() && is_digit(b[end_b])) end_b++;
  if (end_a > i && end_b > i && end_a != end_b) return end_a < end_b;
  return a < b;
}

// Names of files, in the order of the ids in them.
std::vector<std::string> json_files(const fs::path& folder, std::string_view ending) {
  std::vector<std::string> names;
  if (!fs::is_directory(folder)) return names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    std::string name = entry.path().filename().string();
    if (name.ends_with(ending)) names.push_back(std::move(name));
  }
  const auto id = [](const std::string& name) {
    const size_t begin = name.starts_with(kBegin) ? kBegin.size() : 0;
    const size_t end = name.size() - (name.ends_with(kEnd) ? kEnd.size() : 0);
    return name.substr(begin, end - std::min(begin, end));
  };
  std::sort(names.begin(), names.end(),
            [&](const std::string& a, const std::string& b) { return by_number(id(a), id(b)); });
  return names;
}

// Calls read for each file; one that cannot be read is told, not fatal.
template <typename Read>
void for_each_file(const fs::path& folder, const std::vector<std::string>& names,
                   StoredResults& result, const Read& read) {
  for (const std::string& name : names) {
    try {
      read(read_json(folder / name), name);
    } catch (const Error& error) {
      result.unreadable++;
      if (result.first_unreadable.size() < kReportedErrors)
        result.first_unreadable.push_back(error.what());
    }
  }
}

}  // namespace

ResultRow parse_result(const Json& json, const std::string& where) {
  const Json& transformed = json_object(json, "transformed_conversations", where);
  ResultRow row;
  Conversation& conversation = row.conversation;
  conversation.id = json_string(json, "original_id", where);
  row.topic = json_string_or(json, "topic", "", where);
  conversation.as_of = parse_date(json_string_or(transformed, "today_date", "", where));
  conversation.summary = json_string(transformed, "personal_summary", where);
  for (const Json& chat : json_array(transformed, "conversations", where)) {
    const std::string& date = json_string(chat, "date", where);
    if (row.n_conversations++ == 0) conversation.start_date = date;
    conversation.end_date = date;
    for (const Json& message : json_array(chat, "messages", where))
      conversation.messages.push_back(
          {json_string(message, "timestamp", where), json_string(message, "content", where)});
  }
  return row;
}

std::string error_reason(const Json& json, const std::string& where) {
  const std::string text = json_string_or(json, "error", "(no reason)", where);
  std::string reason;
  for (const char c : text.substr(0, 160))
    if (!is_digit(c))
      reason += uint8_t(c) < ' ' ? ' ' : c;
    else if (!reason.ends_with('N'))
      reason += 'N';
  return replace_invalid_utf8(reason);
}

StoredResults read_stored_results(const fs::path& folder,
                                  const std::function<void(const ResultRow&)>& row) {
  StoredResults result;
  result.name = fs::absolute(folder / "").lexically_normal().parent_path().filename().string();
  const std::vector<std::string> originals = json_files(folder / "success", kEnd);
  const std::vector<std::string> errors = json_files(folder / "errors", ".json");
  fs::path training = folder / "training_data.jsonl";
  if (!fs::exists(training)) training = folder / "success" / "training_data.jsonl";
  if (originals.empty() && errors.empty() && !fs::exists(training))
    throw Error(fmt::format("[generate] the folder must hold results (success/, errors/ or "
                            "training_data.jsonl), '{}' has none",
                            folder.string()),
                "name the --output folder of a run of generate");
  const auto take = [&](const ResultRow& one) {
    result.rows++;
    row(one);
  };
  for_each_file(
      folder / "success", originals, result,
      [&](const Json& json, const std::string& where) { take(parse_result(json, where)); });
  if (originals.empty() && fs::exists(training))
    for_each_json_line(training, [&](Json& json, size_t line) {
      Conversation conversation =
          conversation_from_json(json, fmt::format("'{}', line {}", training.string(), line));
      const int days = int(conversation.days().size());
      take({std::move(conversation), "", days});
    });
  for_each_file(folder / "errors", errors, result, [&](const Json& json, const std::string& where) {
    result.errors_by_reason[error_reason(json, where)]++;
    result.errors++;
  });
  return result;
}

}  // namespace chatmem
