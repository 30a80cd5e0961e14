// The one test of an engine built alone (-DCHATMEM_APPS=OFF), which needs no test library: the
// golden models' logits are those of transformers, with and without their adapters.
#include <cstdio>
#include <cstring>

#include "golden_model.h"

namespace {

using namespace chatmem;

bool near(const char* model, const char* what, const std::vector<float>& got,
          const std::vector<float>& want) {
  constexpr double kTolerance = 2e-4;
  const double difference = max_difference(got, want);
  std::printf("%-8s %-12s largest difference %.1e\n", model, what, difference);
  return difference < kTolerance;
}

bool check(const char* name) {
  GoldenModel g(name);
  const std::vector<int> tokens = g.ints("tokens");
  const bool base = near(name, "logits", all_logits(g, tokens), g.floats("logits"));
  const bool adapted =
      near(name, "lora.logits", all_logits(g, tokens, {.adapted = true}), g.floats("lora.logits"));
  return base && adapted;
}

}  // namespace

int main() {
  bool good = true;
  try {
    for (const char* name : chatmem::kGoldenModels) good = check(name) && good;
  } catch (const chatmem::Error& e) {
    std::fprintf(stderr, "error: %s\n", e.what());
    return 1;
  }
  return good ? 0 : 1;
}
