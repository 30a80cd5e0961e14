#include "base/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>

namespace chatmem {

Progress::Progress(std::string label, int64_t total, int64_t first)
    : label_(std::move(label)),
      total_(total),
      first_(first),
      terminal_(::isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() { finish(); }

void Progress::update(int64_t done, std::string_view detail) {
  done_ = done;
  const auto now = Clock::now();
  const auto wait = terminal_ ? std::chrono::milliseconds(100) : std::chrono::milliseconds(10'000);
  const auto since = now - (shown_ == Clock::time_point{} && !terminal_ ? start_ : shown_);
  if (since < wait && !(terminal_ && done == total_)) return;
  shown_ = now;
  show(detail);
}

void Progress::show(std::string_view detail) {
  const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  const double rate = seconds > 0 ? double(done_ - first_) / seconds : 0;
  std::string line = fmt::format("{} {}", label_, format_count(done_));
  if (total_ > 0) line += fmt::format("/{} ({}%)", format_count(total_), done_ * 100 / total_);
  line += rate >= 100 ? fmt::format(" {:.0f}/s", rate) : fmt::format(" {:.2g}/s", rate);
  if (total_ > done_ && rate > 0)
    line += fmt::format(", {} left", format_duration(double(total_ - done_) / rate));
  if (!detail.empty()) line += fmt::format("  {}", detail);
  if (terminal_)
    std::fprintf(stderr, "\r\033[K%s", line.c_str());
  else
    std::fprintf(stderr, "%s\n", line.c_str());
  std::fflush(stderr);
  line_open_ = terminal_;
}

void Progress::message(std::string_view line) {
  if (line_open_) std::fprintf(stderr, "\r\033[K");
  std::fprintf(stderr, "%.*s\n", int(line.size()), line.data());
  line_open_ = false;
}

void Progress::finish() {
  if (line_open_) std::fprintf(stderr, "\n");
  line_open_ = false;
}

std::string format_duration(double seconds) {
  const auto s = int64_t(std::llround(seconds));
  if (s < 60) return fmt::format("{} s", s);
  if (s < 3600) return fmt::format("{} min {:02} s", s / 60, s % 60);
  return fmt::format("{} h {:02} min", s / 3600, s % 3600 / 60);
}

std::string format_bytes(double bytes) {
  static constexpr const char* kUnits[] = {"B", "kB", "MB", "GB", "TB"};
  int unit = 0;
  while (bytes >= 999.5 && unit < 4) bytes /= 1000, unit++;
  return unit == 0 ? fmt::format("{:.0f} B", bytes)
                   : fmt::format("{:.{}f} {}", bytes, bytes < 10 ? 1 : 0, kUnits[unit]);
}

std::string format_count(int64_t n) {
  std::string text = std::to_string(n);
  for (auto at = int64_t(text.size()) - 3; at > (n < 0 ? 1 : 0); at -= 3)
    text.insert(size_t(at), ",");
  return text;
}

}  // namespace chatmem
