#include "train/run_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "base/json.h"

namespace chatmem {
namespace {

constexpr std::string_view kFormat = "chatmem checkpoint 1";
constexpr std::string_view kCsvHeader = "step,loss,grad_norm,lr,tokens,target_tokens,val_loss";

// The number that `text` begins with after `prefix`, up to `end`; -1 when it does not.
int number_after(std::string_view text, std::string_view prefix, std::string_view end) {
  if (!text.starts_with(prefix)) return -1;
  text.remove_prefix(prefix.size());
  int number = -1;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return -1;
  return text.substr(size_t(rest - text.data())).starts_with(end) ? number : -1;
}

std::string checkpoint_name(int step) { return fmt::format("step-{:06}", step); }

// The lines whose number of a step (after `prefix`) is at most `step`.
std::string kept_lines(const fs::path& path, std::string_view prefix, int step) {
  std::string kept;
  if (step == 0 || !fs::exists(path)) return kept;
  for_each_line(path, [&](std::string_view line, size_t) {
    const int number = number_after(line, prefix, ",");
    if (number >= 1 && number <= step) kept += fmt::format("{}\n", line);
  });
  return kept;
}

}  // namespace

RunFolder::RunFolder(fs::path folder, int keep_checkpoints)
    : folder_(std::move(folder)), keep_checkpoints_(keep_checkpoints) {
  CHECK(keep_checkpoints_ >= 1);
}

fs::path RunFolder::checkpoint(int step) const {
  return folder_ / "checkpoints" / checkpoint_name(step);
}

std::vector<int> RunFolder::checkpoint_steps() const {
  std::vector<int> steps;
  std::error_code missing;
  for (const auto& entry : fs::directory_iterator(folder_ / "checkpoints", missing)) {
    const std::string name = entry.path().filename().string();
    const int step = number_after(name, "step-", "");
    if (step >= 0 && name == checkpoint_name(step) && fs::exists(entry.path() / "state.json"))
      steps.push_back(step);
  }
  std::sort(steps.begin(), steps.end());
  return steps;
}

void RunFolder::refuse_earlier_run() const {
  const std::vector<int> steps = checkpoint_steps();
  if (!steps.empty())
    throw Error(fmt::format("[train] '{}' must hold no earlier run, it holds one of {} steps",
                            folder_.string(), steps.back()),
                "--resume continues it; else give another --output, or remove its checkpoints");
}

TrainState RunFolder::resume(Optimizer& optimizer, const std::string& fingerprint) const {
  const std::vector<int> steps = checkpoint_steps();
  if (steps.empty())
    throw Error(fmt::format("[resume] '{}' must hold a checkpoint, holds none", folder_.string()),
                "run without --resume");
  const fs::path folder = checkpoint(steps.back());
  const std::string where = fmt::format("'{}'", (folder / "state.json").string());
  const Json json = read_json(folder / "state.json");
  if (json_string(json, "format", where) != kFormat ||
      json_int(json, "step", where) != steps.back())
    throw Error(fmt::format("[resume] {} must be of format '{}' and of step {}", where, kFormat,
                            steps.back()));
  if (json_string(json, "fingerprint", where) != fingerprint)
    throw Error(fmt::format("[resume] {} was written with other data or options", where),
                "resume with the data and options that the training was begun with");
  optimizer.load(folder / "optimizer.safetensors");
  TrainState state{.step = steps.back(), .fingerprint = fingerprint};
  const auto first = json.find("first_val_loss");  // null: not measured
  if (first != json.end() && first->is_number()) state.first_val_loss = first->get<double>();
  return state;
}

void RunFolder::save(const TrainState& state, const Optimizer& optimizer) const {
  const fs::path folder = checkpoint(state.step);
  if (fs::exists(folder / "state.json")) return;
  remove_stale_temporaries(folder);
  optimizer.save(folder / "optimizer.safetensors");
  const Json json = {{"format", kFormat},
                     {"step", state.step},
                     {"fingerprint", state.fingerprint},
                     {"first_val_loss", state.first_val_loss}};
  write_file_atomic(folder / "state.json", dump_json(json, 1) + "\n");
  remove_old();
}

// A checkpoint that cannot be removed costs room, no more: the training goes on.
void RunFolder::remove_old() const {
  const std::vector<int> steps = checkpoint_steps();
  for (size_t i = 0; i + size_t(keep_checkpoints_) < steps.size(); i++) {
    const fs::path folder = checkpoint(steps[i]);
    std::error_code ignored;
    fs::remove(folder / "state.json", ignored);  // first: what is half removed is not whole
    fs::remove_all(folder, ignored);
  }
}

void RunFolder::open_logs(int step) {
  const fs::path csv = folder_ / "log.csv", jsonl = folder_ / "log.jsonl";
  write_file_atomic(csv, fmt::format("{}\n{}", kCsvHeader, kept_lines(csv, "", step)));
  write_file_atomic(jsonl, kept_lines(jsonl, "{\"step\":", step));
  remove_stale_temporaries(folder_);
  csv_ = std::make_unique<AppendFile>(csv);
  jsonl_ = std::make_unique<AppendFile>(jsonl);
}

void RunFolder::log(const StepLog& r) {
  Json row = {{"step", r.step}, {"loss", r.loss},     {"grad_norm", r.grad_norm},
              {"lr", r.lr},     {"tokens", r.tokens}, {"target_tokens", r.targets}};
  if (r.val_loss) row["val_loss"] = *r.val_loss;
  jsonl_->append(dump_json(row) + "\n");
  csv_->append(fmt::format("{},{},{},{},{},{},{}\n", r.step, r.loss, r.grad_norm, r.lr, r.tokens,
                           r.targets, r.val_loss ? fmt::format("{}", *r.val_loss) : ""));
}

}  // namespace chatmem
