// The first line says what the file is, then each line is one event:
//   {"format":"chatmem-journal","version":1}
//   {"event":"sent","key":K,"bound_usd":X}
//   {"event":"received","key":K,"status":200,"request_id":R,"cost_usd":X,"body":TEXT}
//   {"event":"cost_less","key":K,"usd":X}           an answer had been received at its bound
//   {"event":"failed","key":K,"cost_usd":X,"reason":TEXT}
//   {"event":"lost","requests":N,"bound_usd":X}     what was in flight before this line never ended
//   {"event":"batch_begins","created_at":TIME,"requests":[[K,BOUND_USD],...]}
//   {"event":"batch_created","id":ID}  {"event":"batch_not_created"}
//   {"event":"batch_ended","id":ID}
// A body that is no valid UTF-8 stands under "body_latin1" instead, a code point (0 to 255) a byte.
#include "llm/journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "base/hash.h"
#include "base/random.h"
#include "base/utf8.h"

namespace chatmem {
namespace {

constexpr std::string_view kFormat = "chatmem-journal";
constexpr int kJournalVersion = 1;
constexpr uint64_t kMaxLineBytes = uint64_t(1) << 30;
constexpr double kMaxUsd = 1e9;  // of one request; more is a broken line

std::string head_line() {
  return dump_json({{"format", kFormat}, {"version", kJournalVersion}}) + '\n';
}

// Reads exactly that many bytes.
void read_at(int fd, char* to, size_t count, uint64_t offset, const fs::path& path) {
  while (count > 0) {
    const ssize_t n = ::pread(fd, to, count, off_t(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0)
      throw Error(fmt::format("[journal] cannot read '{}' at byte {}: {}", path.string(), offset,
                              n == 0 ? "it ends before" : std::strerror(errno)));
    to += n;
    count -= size_t(n);
    offset += uint64_t(n);
  }
}

std::string to_latin1(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) append_utf8(text, uint8_t(c));
  return text;
}

std::string from_latin1(const std::string& text, std::string_view where) {
  std::string bytes;
  for (size_t i = 0; i < text.size(); i++) {
    const uint8_t c = uint8_t(text[i]);
    if (c > 0xC3) throw Error(fmt::format("[journal] {}: 'body_latin1' must hold bytes", where));
    // Two bytes, 110000xx 10xxxxxx, hold the code points 128 to 255; text is valid UTF-8.
    bytes += c < 0x80 ? char(c) : char(c << 6 | (uint8_t(text[++i]) & 0x3F));
  }
  return bytes;
}

double usd_of(const Json& value, std::string_view where) {
  const double usd = value.is_number() ? value.get<double>() : -1;
  if (!(usd >= 0 && usd <= kMaxUsd))
    throw Error(fmt::format("[journal] {}: dollars must be a number from 0 to {}", where, kMaxUsd));
  return usd;
}

double usd_of(const Json& event, const char* key, std::string_view where) {
  const auto it = event.find(key);
  return usd_of(it == event.end() ? Json() : *it, where);
}

std::string body_of(const Json& event, std::string_view where) {
  if (event.contains("body_latin1"))
    return from_latin1(json_string(event, "body_latin1", where), where);
  return json_string(event, "body", where);
}

constexpr std::string_view kBodyMark = ",\"body\":\"";

// Whether `rest` is the inside of a JSON string as dump_json writes it, then "\"}". It says no to
// some that are valid, so that it needs no more than one pass: most of a journal is bodies.
bool is_written_body(std::string_view rest) {
  for (size_t i = 0; i < rest.size(); i++) {
    if (uint8_t(rest[i]) < 0x20) return false;
    if (rest[i] == '"') return rest.substr(i) == "\"}" && find_invalid_utf8(rest) == rest.npos;
    if (rest[i] != '\\') continue;
    const char escape = ++i < rest.size() ? rest[i] : '\0';
    if (std::string_view("\"\\bfnrt").find(escape) != std::string_view::npos) continue;
    const std::string_view digits = rest.substr(i, 5);  // of a control character, "u001f"
    if (digits.size() < 5 || !digits.starts_with("u00") ||
        digits.substr(3).find_first_not_of("0123456789abcdef") != digits.npos)
      return false;
  }
  return false;
}

// The event of a line; an answer's body is left empty when it needs no parser to be checked.
Json parse_event(std::string_view line, const std::string& where) {
  // No string within the head can hold the mark: its quotes would be escaped.
  const size_t mark = line.find(kBodyMark);
  if (mark == line.npos || !is_written_body(line.substr(mark + kBodyMark.size())))
    return parse_json(line, where);
  return parse_json(std::string(line.substr(0, mark + kBodyMark.size())) + "\"}", where);
}

}  // namespace

Journal::Journal(const fs::path& path) : path_(path) {
  file_ = std::make_unique<AppendFile>(path);
  fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat info {};
  if (fd_ < 0 || ::fstat(fd_, &info) != 0) {
    const int reason = errno;
    if (fd_ >= 0) ::close(fd_);
    throw Error(
        fmt::format("[journal] cannot open '{}': {}", path.string(), std::strerror(reason)));
  }
  try {
    size_ = uint64_t(info.st_size);
    read();
    if (size_ == 0) create();
    int64_t requests = 0;
    for (const auto& [key, request] : in_flight_) requests += request.batch < 0;
    if (requests > 0) {
      const double before_usd = lost_usd_;
      apply_lost();
      newly_lost_requests_ = requests;
      newly_lost_usd_ = lost_usd_ - before_usd;
      append({{"event", "lost"}, {"requests", requests}, {"bound_usd", newly_lost_usd_}},
             Durability::batched);
    }
  } catch (const Error&) {
    ::close(fd_);
    throw;
  }
}

Journal::~Journal() { ::close(fd_); }

void Journal::create() {
  const std::string head = head_line();
  file_->append(head);
  size_ = head.size();
  sync_folder(path_.parent_path());
}

void Journal::cut_off(uint64_t size) {
  if (::truncate(path_.c_str(), off_t(size)) != 0)
    throw Error(fmt::format("[journal] cannot cut the torn end off '{}': {}", path_.string(),
                            std::strerror(errno)));
  size_ = size;
}

// In pieces, so that memory holds one line at a time.
void Journal::read() {
  std::string line, chunk;
  size_t number = 0;
  for (uint64_t at = 0, begin = 0; at < size_; at += chunk.size()) {
    chunk.resize(size_t(std::min<uint64_t>(size_ - at, uint64_t(1) << 20)));
    read_at(fd_, chunk.data(), chunk.size(), at, path_);
    std::string_view rest = chunk;
    for (size_t end; (end = rest.find('\n')) != rest.npos; rest.remove_prefix(end + 1)) {
      line.append(rest.substr(0, end));
      const std::string where = fmt::format("'{}', line {}", path_.string(), ++number);
      read_line(line, {begin, uint32_t(line.size())}, where);
      begin += line.size() + 1;
      line.clear();
    }
    line.append(rest);
    if (line.size() > kMaxLineBytes)
      throw Error(fmt::format("[journal] '{}', line {}: must not be longer than {} bytes",
                              path_.string(), number + 1, kMaxLineBytes));
  }
  if (line.empty()) return;
  // Without any whole line it is ours only when it is the beginning of a head.
  if (number == 0 && !head_line().starts_with(line))
    read_line(line, {}, fmt::format("'{}', line 1", path_.string()));
  cut_off(size_ - line.size());
}

void Journal::read_line(std::string_view line, Place place, const std::string& where) {
  const bool is_head = place.offset == 0;
  Json event;
  try {
    event = parse_event(line, where);
    if (!is_head) return replay(event, place, where);
    if (json_string(event, "format", where) != kFormat)
      throw Error(fmt::format("[journal] {}: another format", where));
  } catch (const Error& e) {
    if (is_head)
      throw Error(
          fmt::format("[journal] {}: must be the head of a journal of chatmem, is not", where),
          "choose another folder, or move this file away");
    throw Error(
        fmt::format("[journal] {}: broken: {}", where, e.what()),
        "restore the file, or remove that line: what it says to have been paid is forgotten then");
  }
  const long long version = json_int(event, "version", where);
  if (version != kJournalVersion)
    throw Error(
        fmt::format("[journal] {}: version must be {}, is {}", where, kJournalVersion, version),
        "continue with the version of chatmem that wrote it, or choose another folder");
}

void Journal::replay(const Json& event, Place place, const std::string& where) {
  const std::string& name = json_string(event, "event", where);
  const auto key = [&]() -> const std::string& { return json_string(event, "key", where); };
  if (name == "sent") return begin_request(key(), usd_of(event, "bound_usd", where), -1);
  if (name == "lost") return apply_lost();
  if (name == "received") {
    json_int(event, "status", where);
    json_string(event, "request_id", where);
    body_of(event, where);  // so that find() will have it
    return apply_received(key(), place, usd_of(event, "cost_usd", where));
  }
  if (name == "cost_less") {
    answers_usd_ = std::max(0.0, answers_usd_ - usd_of(event, "usd", where));
    return;
  }
  if (name == "failed") return apply_failed(key(), usd_of(event, "cost_usd", where));
  if (name == "batch_begins") return replay_batch_begins(event, where);
  const bool of_last = name == "batch_created" || name == "batch_not_created";
  if (of_last && !batch_is_unnamed())
    throw Error(fmt::format("[journal] {}: no batch is about to be created", where));
  if (name == "batch_created") {
    batches_.back().id = json_string(event, "id", where);
    if (batches_.back().id.empty()) throw Error(fmt::format("[journal] {}: empty id", where));
    return;
  }
  if (name == "batch_not_created") {
    apply_batch_over(batches_.size() - 1);
    return batches_.pop_back();
  }
  if (name == "batch_ended") {
    const size_t batch = open_batch(json_string(event, "id", where));
    if (batch == std::string::npos)
      throw Error(fmt::format("[journal] {}: no batch of that id is open", where));
    return apply_batch_over(batch);
  }
  throw Error(fmt::format("[journal] {}: unknown event '{}'", where, name));
}

void Journal::replay_batch_begins(const Json& event, const std::string& where) {
  if (batch_is_unnamed())
    throw Error(fmt::format("[journal] {}: the batch before was neither created nor not", where));
  JournalBatch batch{.created_at = json_string(event, "created_at", where)};
  for (const Json& request : json_array(event, "requests", where)) {
    if (!request.is_array() || request.size() != 2 || !request[0].is_string())
      throw Error(fmt::format("[journal] {}: requests must be pairs of key and dollars", where));
    batch.keys.push_back(request[0].get<std::string>());
    begin_request(batch.keys.back(), usd_of(request[1], where), int(batches_.size()));
  }
  batches_.push_back(std::move(batch));
}

Journal::Place Journal::append(const Json& event, Durability durability) {
  if (!writable_)
    throw Error(fmt::format("[journal] '{}' ends in a line that could not be written whole",
                            path_.string()),
                "free some disk space, then run the same command again");
  const std::string line = dump_json(event) + '\n';
  if (line.size() > kMaxLineBytes)
    throw Error(fmt::format("[journal] a line must not be longer than {} bytes", kMaxLineBytes));
  try {
    file_->append(line, durability);
  } catch (const Error&) {
    writable_ = ::truncate(path_.c_str(), off_t(size_)) == 0;
    throw;
  }
  const Place place{size_, uint32_t(line.size() - 1)};
  size_ += line.size();
  return place;
}

void Journal::begin_request(const std::string& key, double bound_usd, int batch) {
  const auto [it, fresh] = in_flight_.emplace(key, InFlight{bound_usd, batch});
  in_flight_usd_ += bound_usd;
  if (fresh) return;
  // It was in flight already, and how that ended nobody will know.
  lost_requests_++;
  lost_usd_ += it->second.bound_usd;
  in_flight_usd_ -= it->second.bound_usd;
  it->second = {bound_usd, batch};
}

void Journal::end_request(const std::string& key) {
  const auto it = in_flight_.find(key);
  if (it == in_flight_.end()) return;
  in_flight_usd_ -= it->second.bound_usd;
  in_flight_.erase(it);
  if (in_flight_.empty()) in_flight_usd_ = 0;  // and no rounding stays
}

void Journal::apply_received(const std::string& key, Place place, double cost_usd) {
  answers_[key] = place;
  answers_usd_ += cost_usd;
  end_request(key);
}

void Journal::apply_failed(const std::string& key, double cost_usd) {
  answers_.erase(key);
  failed_usd_ += cost_usd;
  end_request(key);
}

void Journal::apply_lost() {
  std::erase_if(in_flight_, [&](const auto& entry) {
    if (entry.second.batch >= 0) return false;
    lost_requests_++;
    lost_usd_ += entry.second.bound_usd;
    in_flight_usd_ -= entry.second.bound_usd;
    return true;
  });
  if (in_flight_.empty()) in_flight_usd_ = 0;
}

void Journal::apply_batch_over(size_t batch) {
  for (const std::string& key : batches_[batch].keys) {
    const auto it = in_flight_.find(key);
    if (it != in_flight_.end() && it->second.batch == int(batch)) end_request(key);
  }
  batches_[batch].ended = true;
  batches_[batch].keys = {};
}

size_t Journal::open_batch(std::string_view id) const {
  for (size_t i = batches_.size(); i-- > 0;)
    if (batches_[i].id == id && !batches_[i].ended) return i;
  return std::string::npos;
}

std::optional<JournalAnswer> Journal::find(const std::string& key) const {
  const auto it = answers_.find(key);
  if (it == answers_.end()) return std::nullopt;
  const Place place = it->second;
  std::string line(place.length, '\0');
  read_at(fd_, line.data(), line.size(), place.offset, path_);
  const std::string where = fmt::format("'{}', byte {}", path_.string(), place.offset);
  const Json event = parse_json(line, where);
  return JournalAnswer{.status = int(json_int(event, "status", where)),
                       .request_id = json_string(event, "request_id", where),
                       .body = body_of(event, where),
                       .cost_usd = usd_of(event, "cost_usd", where)};
}

bool Journal::contains(const std::string& key) const { return answers_.contains(key); }

void Journal::sent(const std::string& key, double bound_usd) {
  CHECK(bound_usd >= 0 && bound_usd <= kMaxUsd);
  append({{"event", "sent"}, {"key", key}, {"bound_usd", bound_usd}}, Durability::batched);
  begin_request(key, bound_usd, -1);
}

void Journal::received(const std::string& key, const JournalAnswer& answer, Durability durability) {
  CHECK(answer.cost_usd >= 0 && answer.cost_usd <= kMaxUsd);
  Json event = {{"event", "received"},
                {"key", key},
                {"status", answer.status},
                {"request_id", replace_invalid_utf8(answer.request_id)},
                {"cost_usd", answer.cost_usd}};
  if (find_invalid_utf8(answer.body) == std::string::npos)
    event["body"] = answer.body;
  else
    event["body_latin1"] = to_latin1(answer.body);
  apply_received(key, append(event, durability), answer.cost_usd);
}

void Journal::flush() { file_->flush(); }

void Journal::cost_less(const std::string& key, double usd) {
  CHECK(usd >= 0 && usd <= kMaxUsd);
  append({{"event", "cost_less"}, {"key", key}, {"usd", usd}}, Durability::batched);
  answers_usd_ = std::max(0.0, answers_usd_ - usd);
}

void Journal::failed(const std::string& key, double cost_usd, const std::string& reason) {
  CHECK(cost_usd >= 0 && cost_usd <= kMaxUsd);
  append({{"event", "failed"},
          {"key", key},
          {"cost_usd", cost_usd},
          {"reason", replace_invalid_utf8(reason)}},
         Durability::batched);
  apply_failed(key, cost_usd);
}

void Journal::batch_begins(const std::vector<JournalBatchRequest>& requests,
                           const std::string& created_at) {
  CHECK(!batch_is_unnamed());
  JournalBatch batch{.created_at = created_at};
  Json pairs = Json::array();
  for (const JournalBatchRequest& request : requests) {
    CHECK(request.bound_usd >= 0 && request.bound_usd <= kMaxUsd);
    pairs.push_back(Json::array({request.key, request.bound_usd}));
    batch.keys.push_back(request.key);
  }
  append({{"event", "batch_begins"}, {"created_at", created_at}, {"requests", std::move(pairs)}},
         Durability::flushed);
  for (const JournalBatchRequest& request : requests)
    begin_request(request.key, request.bound_usd, int(batches_.size()));
  batches_.push_back(std::move(batch));
}

void Journal::batch_created(const std::string& id) {
  CHECK(batch_is_unnamed() && !id.empty());
  append({{"event", "batch_created"}, {"id", id}}, Durability::flushed);
  batches_.back().id = id;
}

void Journal::batch_not_created() {
  CHECK(batch_is_unnamed());
  append(Json::object({{"event", "batch_not_created"}}), Durability::flushed);
  apply_batch_over(batches_.size() - 1);
  batches_.pop_back();
}

void Journal::batch_ended(const std::string& id) {
  const size_t batch = open_batch(id);
  CHECK(batch != std::string::npos);
  append({{"event", "batch_ended"}, {"id", id}}, Durability::flushed);
  apply_batch_over(batch);
}

bool Journal::in_batch(const std::string& key) const {
  const auto it = in_flight_.find(key);
  return it != in_flight_.end() && it->second.batch >= 0;
}

double Journal::in_flight_usd(const std::string& key) const {
  const auto it = in_flight_.find(key);
  return it == in_flight_.end() ? 0 : it->second.bound_usd;
}

double Journal::committed_usd() const { return spent_usd() + in_flight_usd_; }

// Two hashes of 64 bits that begin differently, the second one mixed with the length.
std::string journal_key(std::string_view content) {
  const uint64_t first = hash64(content);
  const uint64_t second = hash64(content, Random(content.size()).next());
  return fmt::format("{:016x}{:016x}", Random(first).next(), Random(second).next());
}

}  // namespace chatmem
