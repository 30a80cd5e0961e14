#include "cli/memory_table.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/progress.h"

namespace chatmem {
namespace {

// What the plan must fit: a size, and its name.
struct MemoryLimit {
  size_t bytes = 0;  // 0: none
  const char* name = "";
};

MemoryLimit limit_of(const MemoryFlags& flags, size_t machine_bytes) {
  if (flags.memory_gb > 0) return {size_t(flags.memory_gb * 1e9), "of --memory"};
  return {machine_bytes, "of this device"};
}

bool is_automatic(const MemoryFlags& flags) { return flags.recompute == "auto"; }

}  // namespace

void add_memory_flags(CLI::App& verb, MemoryFlags& flags, const std::string& group) {
  verb.add_option("--memory", flags.memory_gb, "GB that a training process must fit")
      ->check(CLI::PositiveNumber)
      ->group(group);
  verb.add_option("--recompute", flags.recompute,
                  "what backward computes again to save memory: nothing, cheap (norms and SwiGLU), "
                  "blocks (all but their inputs); auto: the fastest that fits --memory, without it "
                  "cheap")
      ->check(CLI::IsMember({"auto", "nothing", "cheap", "blocks"}))
      ->capture_default_str()
      ->group(group);
}

MemoryPlan settle_memory(const MemoryFlags& flags, const Llama& shape, MemoryPlanOptions& options,
                         size_t machine_bytes) {
  const MemoryLimit limit = limit_of(flags, machine_bytes);
  if (!is_automatic(flags)) {
    options.recompute = *parse_recompute(flags.recompute);
  } else {
    options.recompute = flags.memory_gb > 0 ? Recompute::nothing : Recompute::cheap;
    if (limit.bytes > 0)
      options.recompute = choose_recompute(shape, options, limit.bytes).value_or(Recompute::blocks);
  }
  return plan_memory(shape, options);
}

std::string check_memory(const MemoryFlags& flags, const MemoryPlan& plan, Recompute recompute,
                         size_t machine_bytes) {
  const MemoryLimit limit = limit_of(flags, machine_bytes);
  const bool fits = limit.bytes == 0 || plan.total_bytes() <= limit.bytes;
  const std::string_view rung = recompute_name(recompute);
  if (!fits && (flags.memory_gb > 0 || is_automatic(flags)))
    throw Error(fmt::format("[plan] training must fit the {} {}, takes {} bytes recomputing {}",
                            format_bytes(double(limit.bytes)), limit.name,
                            format_count(int64_t(plan.total_bytes())), rung),
                recompute == Recompute::blocks
                    ? "lower --max-tokens or --micro-batch, or quantize the base: --quantize nf4"
                    : "--recompute auto, lower --max-tokens or --micro-batch, or --quantize nf4");
  std::string why = "as --recompute says";
  if (is_automatic(flags))
    why = flags.memory_gb > 0             ? "the fastest that fits"
          : recompute == Recompute::cheap ? "the default"
                                          : "cheap would not fit";
  return fmt::format("memory: {}{}, recomputing {}: {}", format_bytes(double(plan.total_bytes())),
                     limit.bytes == 0
                         ? ""
                         : fmt::format(" of the {} {}{}", format_bytes(double(limit.bytes)),
                                       limit.name, fits ? "" : ", more than it has"),
                     rung, why);
}

void print_memory(const MemoryPlan& plan) {
  const auto print = [](const std::string& what, size_t bytes) {
    fmt::print("  {:<44} {:>18} bytes  {:>9}\n", what, format_count(int64_t(bytes)),
               format_bytes(double(bytes)));
  };
  for (const MemoryPlan::Row& row : plan.rows) print(row.what, row.bytes);
  print("in all", plan.total_bytes());
}

}  // namespace chatmem
