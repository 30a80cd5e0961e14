#include "synth/result_folder.h"

#include <fmt/format.h>

#include <memory>

#include "base/error.h"
#include "base/hash.h"
#include "base/utf8.h"

namespace chatmem {
namespace {

constexpr std::string_view kManifest = "generate.json";
constexpr std::string_view kTrainingData = "training_data.jsonl";
constexpr std::string_view kOriginalProgress = "progress.json";  // of the original pipeline

// Results carry a time, and the same run must give the same bytes: noon of the row's today.
std::string timestamp_of(Date day) { return format_date(day) + "T12:00:00Z"; }

Json original_json(const SourceRow& row, const Transformed& transformed) {
  Json conversations = Json::array();
  for (const DatedChat& chat : transformed.conversations) {
    Json messages = Json::array();
    for (const Message& message : chat.messages)
      messages.push_back({{"timestamp", message.timestamp}, {"content", message.content}});
    conversations.push_back({{"date", format_date(chat.date)}, {"messages", std::move(messages)}});
  }
  return {{"original_id", row.id},
          {"topic", row.topic},
          {"original_summary", row.summary},
          {"transformed_conversations",
           {{"today_date", format_date(transformed.today)},
            {"personal_summary", transformed.personal_summary},
            {"conversations", std::move(conversations)}}},
          {"timestamp", timestamp_of(transformed.today)}};
}

}  // namespace

fs::path split_file(Side side) {
  return fs::path("splits") / fmt::format("{}.jsonl", side_name(side));
}

std::string encoded_id(std::string_view id) {
  std::string out;
  for (const char c : id) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == '-';
    if (plain)
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

ResultFolder::ResultFolder(fs::path path, const Json& settings, bool replace)
    : ResultFiles(std::move(path)) {
  lock_.emplace(path_, "generate");
  const fs::path manifest = path_ / kManifest;
  const bool known = fs::exists(manifest);
  const bool used = known || fs::exists(path_ / "success") || fs::exists(path_ / "errors") ||
                    fs::exists(path_ / kTrainingData);
  const bool continued =
      known ? read_json(manifest) == settings : fs::exists(path_ / kOriginalProgress);
  if (used && !continued) {
    if (!replace)
      throw Error(fmt::format("[generate] the output folder must be new or of the same input and "
                              "settings, '{}' holds another run",
                              path_.string()),
                  "choose another --output, or --force to replace what is there");
    remove_results();
  }
  write_file_atomic(manifest, dump_json(settings, 2) + "\n");
  for (const char* folder : {"", "success", "errors"}) {
    fs::create_directories(path_ / folder);
    remove_stale_temporaries(path_ / folder);
  }
}

fs::path ResultFiles::success_file(const std::string& id, std::string_view ending) const {
  return path_ / "success" / fmt::format("conversation_{}_{}", encoded_id(id), ending);
}

fs::path ResultFiles::error_file(const std::string& id) const {
  return path_ / "errors" / fmt::format("conversation_{}_original.json", encoded_id(id));
}

bool ResultFiles::has_success(const std::string& id) const {
  std::error_code absent;
  const auto size = fs::file_size(success_file(id, "original.json"), absent);
  return !absent && size > 0;  // a crash of the machine can leave an empty file
}

std::optional<StoredFailure> ResultFiles::failure(const std::string& id) const {
  const fs::path path = error_file(id);
  std::error_code absent;
  const auto size = fs::file_size(path, absent);
  if (absent || size == 0) return std::nullopt;
  Json error;
  try {
    error = read_json(path);
  } catch (const Error&) {
    return StoredFailure{0, "unreadable"};  // torn by a kill of the original pipeline
  }
  StoredFailure failure{0, error_reason(error, path.string())};
  if (error.contains("attempt")) failure.attempt = int(json_int(error, "attempt", path.string()));
  return failure;
}

void ResultFolder::write_success(const SourceRow& row, const Transformed& transformed) const {
  const Json original = original_json(row, transformed);
  const fs::path path = success_file(row.id, "original.json");
  write_file_atomic(success_file(row.id, "finetune.txt"),
                    format_finetune_text(parse_result(original, path.string()).conversation),
                    Durability::batched);
  // Last, because it is what counts as the success.
  write_file_atomic(path, dump_json(original, 2) + "\n", Durability::batched);
  std::error_code ignored;
  fs::remove(error_file(row.id), ignored);
}

void ResultFolder::write_failure(const SourceRow& row, const Expanded& expanded, int attempt,
                                 const std::string& timestamp) const {
  const Json error = {
      {"original_id", row.id},
      {"error", expanded.failure},
      {"timestamp", timestamp},
      {"original_data",
       {{"topic", row.topic}, {"summary", row.summary}, {"dialogue", row.dialogue}}},
      {"raw_response", expanded.raw.empty() ? Json() : Json(replace_invalid_utf8(expanded.raw))},
      {"request_id", expanded.request_id.empty() ? Json() : Json(expanded.request_id)},
      {"attempt", attempt}};
  write_file_atomic(error_file(row.id), dump_json(error, 2) + "\n", Durability::batched);
  std::error_code ignored;
  fs::remove(success_file(row.id, "original.json"), ignored);
  fs::remove(success_file(row.id, "finetune.txt"), ignored);
}

ResultFolder::Collected ResultFolder::collect(
    const std::vector<SourceRow>& rows, std::span<const size_t> chosen, std::span<const Side> sides,
    const std::function<void(const ResultRow&)>& taken) const {
  AtomicFile training(path_ / kTrainingData);
  AtomicFile all(path_ / "all_results.json");
  std::vector<std::unique_ptr<AtomicFile>> splits;
  if (!sides.empty())
    for (const Side side : {Side::train, Side::validation, Side::test})
      splits.push_back(std::make_unique<AtomicFile>(path_ / split_file(side)));
  Collected collected{0, hash64(""), {}};
  all.write("[");
  for (const size_t index : chosen) {
    const std::string& id = rows[index].id;
    if (!has_success(id)) continue;
    const fs::path path = success_file(id, "original.json");
    std::string text = read_file(path);
    const ResultRow row = parse_result(parse_json(text, path.string()), path.string());
    const Conversation& conversation = row.conversation;
    if (conversation.id != id)
      throw Error(fmt::format("[generate] '{}' must be the result of the row '{}', is of '{}'",
                              path.string(), id, conversation.id));
    taken(row);
    const std::string line = dump_json(conversation_to_json(conversation)) + "\n";
    training.write(line);
    if (!sides.empty()) {
      splits[size_t(sides[index])]->write(line);
      collected.by_side[size_t(sides[index])]++;
    }
    collected.fingerprint = hash64(line, collected.fingerprint);
    while (text.ends_with('\n')) text.pop_back();
    all.write(collected.conversations++ > 0 ? ",\n" : "\n");
    all.write(text);
  }
  all.write("\n]\n");
  training.commit();
  all.commit();
  for (const auto& split : splits) split->commit();
  link_training_data();
  sync_file_system(path_);
  return collected;
}

// Only files of the names that this verb writes.
void ResultFolder::remove_results() const {
  std::error_code ignored;
  for (const char* folder : {"success", "errors"}) {
    if (!fs::is_directory(path_ / folder)) continue;
    for (const auto& entry : fs::directory_iterator(path_ / folder)) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with("conversation_") || name == kTrainingData)
        fs::remove(entry.path(), ignored);
    }
  }
  for (const std::string_view name : {kTrainingData, std::string_view("all_results.json")})
    fs::remove(path_ / name, ignored);
}

// success/training_data.jsonl points to the file beside it, wherever the folder is moved. What the
// original pipeline had there is kept under another name: it may hold more rows than this run.
void ResultFolder::link_training_data() const {
  const fs::path link = path_ / "success" / kTrainingData;
  const fs::path target = fs::path("..") / kTrainingData;
  if (fs::is_symlink(link) && fs::read_symlink(link) == target) return;
  std::error_code error;
  if (fs::is_regular_file(fs::symlink_status(link)))
    fs::rename(link, path_ / "success" / "training_data_original.jsonl", error);
  else
    fs::remove(link, error);
  fs::create_symlink(target, link, error);
  if (error)
    throw Error(fmt::format("[generate] cannot link '{}': {}", link.string(), error.message()));
}

}  // namespace chatmem
