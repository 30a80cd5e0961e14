// Progress on standard error: one line that is rewritten on a terminal, plain lines now and then
// otherwise.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace chatmem {

class Progress {
 public:
  // total 0: unknown. first: what was done before, which tells nothing of the rate.
  Progress(std::string label, int64_t total, int64_t first = 0);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Shown as "label 120/400 (30%) 52.1/s, 5 s left  detail"; at most ten times a second on a
  // terminal, every ten seconds otherwise.
  void update(int64_t done, std::string_view detail = {});
  // A line of its own that does not disturb the progress line.
  void message(std::string_view line);
  // Ends the line; called by the destructor too.
  void finish();

 private:
  using Clock = std::chrono::steady_clock;
  void show(std::string_view detail);
  std::string label_;
  int64_t total_, first_, done_ = 0;
  Clock::time_point start_ = Clock::now(), shown_{};
  bool terminal_, line_open_ = false;
};

// "3 s", "4 min 10 s", "2 h 05 min".
std::string format_duration(double seconds);
// "512 B", "3.4 MB", "16.1 GB" (powers of 1,000).
std::string format_bytes(double bytes);
// 12460 as "12,460".
std::string format_count(int64_t n);

}  // namespace chatmem
