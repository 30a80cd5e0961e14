#include "train/run_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <set>

#include "base/error.h"
#include "base/json.h"

namespace chatmem {
namespace {

constexpr std::string_view kCheckpointFormat = "chatmem checkpoint 1";
// TensorBoard looks for "tfevents" in a name, its faster reader for ".tfevents.".
constexpr const char* kEventFile = "events.out.tfevents.chatmem";
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
std::string best_name(int step) { return fmt::format("best-{:06}.safetensors", step); }

double wall_time() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// The best of state.json; checkpoints of runs without evaluation have none.
void read_best(const Json& json, const std::string& where, TrainState& state) {
  const long long step = json_int(json, "best_step", where),
                  since = json_int(json, "evals_since_best", where);
  const auto loss = json.find("best_val_loss");
  const bool has_loss = loss != json.end() && loss->is_number();
  if (step < 0 || step > state.step || since < 0 || since > state.step || has_loss != (step > 0))
    throw Error(
        fmt::format("[resume] {}: best_step, best_val_loss and evals_since_best must fit "
                    "together",
                    where));
  state.best_step = int(step), state.evals_since_best = int(since);
  if (has_loss) state.best_val_loss = loss->get<double>();
}

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

fs::path RunFolder::best(int step) const { return folder_ / "checkpoints" / best_name(step); }

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
  if (json_string(json, "format", where) != kCheckpointFormat ||
      json_int(json, "step", where) != steps.back())
    throw Error(fmt::format("[resume] {} must be of format '{}' and of step {}", where,
                            kCheckpointFormat, steps.back()));
  if (json_string(json, "fingerprint", where) != fingerprint)
    throw Error(fmt::format("[resume] {} was written with other data or options", where),
                "resume with the data and options that the training was begun with");
  optimizer.load(folder / "optimizer.safetensors");
  TrainState state{.step = steps.back(), .fingerprint = fingerprint};
  const auto first = json.find("first_val_loss");  // null: not measured
  if (first != json.end() && first->is_number()) state.first_val_loss = first->get<double>();
  read_best(json, where, state);
  if (state.best_step > 0 && !fs::exists(best(state.best_step)))
    throw Error(fmt::format("[resume] {} needs the best values in '{}', which is missing", where,
                            best(state.best_step).string()));
  return state;
}

void RunFolder::save(const TrainState& state, const Optimizer& optimizer) const {
  const fs::path folder = checkpoint(state.step);
  if (fs::exists(folder / "state.json")) return;
  remove_stale_temporaries(folder);
  optimizer.save(folder / "optimizer.safetensors");
  const Json json = {{"format", kCheckpointFormat},
                     {"step", state.step},
                     {"fingerprint", state.fingerprint},
                     {"first_val_loss", state.first_val_loss},
                     {"best_step", state.best_step},
                     {"best_val_loss", state.best_val_loss},
                     {"evals_since_best", state.evals_since_best}};
  write_file_atomic(folder / "state.json", dump_json(json, 1) + "\n");
  remove_old();
  remove_old_best(state.best_step);
}

void RunFolder::save_best(int step, const Optimizer& optimizer) const {
  remove_stale_temporaries(folder_ / "checkpoints");
  optimizer.save_values(best(step));
}

void RunFolder::load_best(int step, Optimizer& optimizer) const {
  optimizer.load_values(best(step));
}

// Also what a death has left of an older one. A checkpoint that cannot be removed costs room, no
// more: the training goes on.
void RunFolder::remove_old() const {
  const std::vector<int> steps = checkpoint_steps();
  const size_t n_kept = std::min(steps.size(), size_t(keep_checkpoints_));
  if (n_kept == 0) return;
  const int oldest = steps[steps.size() - n_kept];
  std::vector<fs::path> old;
  for (const auto& entry : fs::directory_iterator(folder_ / "checkpoints")) {
    const std::string name = entry.path().filename().string();
    const int step = number_after(name, "step-", "");
    if (step >= 0 && step < oldest && name == checkpoint_name(step)) old.push_back(entry.path());
  }
  for (const fs::path& folder : old) {
    std::error_code ignored;
    fs::remove(folder / "state.json", ignored);  // first: what is half removed is not whole
    fs::remove_all(folder, ignored);
  }
}

// Keeps the best of this state and those of the checkpoints that are left.
void RunFolder::remove_old_best(int best_step) const {
  std::set<std::string> kept = {best_name(best_step)};
  for (const int step : checkpoint_steps()) {
    const fs::path path = checkpoint(step) / "state.json";
    kept.insert(best_name(int(json_int(read_json(path), "best_step", path.string()))));
  }
  std::vector<fs::path> old;
  for (const auto& entry : fs::directory_iterator(folder_ / "checkpoints")) {
    const std::string name = entry.path().filename().string();
    const int step = number_after(name, "best-", ".safetensors");
    if (step >= 0 && name == best_name(step) && !kept.contains(name)) old.push_back(entry.path());
  }
  for (const fs::path& path : old) {
    std::error_code ignored;
    fs::remove(path, ignored);
  }
}

void RunFolder::open_logs(int step) {
  const fs::path csv = folder_ / "log.csv", jsonl = folder_ / "log.jsonl";
  write_file_atomic(csv, fmt::format("{}\n{}", kCsvHeader, kept_lines(csv, "", step)));
  write_file_atomic(jsonl, kept_lines(jsonl, "{\"step\":", step));
  remove_stale_temporaries(folder_);
  csv_ = std::make_unique<AppendFile>(csv);
  jsonl_ = std::make_unique<AppendFile>(jsonl);
  events_ = std::make_unique<EventFile>(folder_ / kEventFile, step == 0 ? -1 : step);
}

void RunFolder::log(const StepLog& r) {
  Json row = {{"step", r.step}, {"loss", r.loss},     {"grad_norm", r.grad_norm},
              {"lr", r.lr},     {"tokens", r.tokens}, {"target_tokens", r.targets}};
  if (r.val_loss) row["val_loss"] = *r.val_loss;
  jsonl_->append(dump_json(row) + "\n");
  csv_->append(fmt::format("{},{},{},{},{},{},{}\n", r.step, r.loss, r.grad_norm, r.lr, r.tokens,
                           r.targets, r.val_loss ? fmt::format("{}", *r.val_loss) : ""));
  std::vector<Scalar> scalars = {{"train/loss", r.loss},
                                 {"train/grad_norm", r.grad_norm},
                                 {"train/lr", r.lr},
                                 {"train/tokens_per_second", r.tokens_per_second}};
  if (r.val_loss) scalars.push_back({"validation/loss", *r.val_loss});
  events_->add(r.step, wall_time(), scalars);
}

void RunFolder::log_first(double val_loss) {
  const Scalar scalar{"validation/loss", val_loss};
  events_->add(0, wall_time(), {&scalar, 1});
}

}  // namespace chatmem
