// What was asked and what was answered, on disk before anything is made of it: a JSON Lines file
// that only grows. An answer is found again by the content of its request, so the same run, started
// again after a kill, buys nothing twice. Its lines are described in docs/formats.md.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/file.h"
#include "base/json.h"

namespace chatmem {

// One answer as it was received, of any status.
struct JournalAnswer {
  int status = 0;
  std::string request_id;
  std::string body;  // any bytes, as they came
  double cost_usd = 0;
};

struct JournalBatchRequest {
  std::string key;  // also its custom_id
  double bound_usd = 0;
};

struct JournalBatch {
  std::string id;                 // empty: it was about to be created when the program was killed
  std::vector<std::string> keys;  // of its requests; none are kept once it has ended
  std::string created_at;         // RFC 3339, by this machine's clock, before it was created
  bool ended = false;             // all its results are in the journal
};

// Not safe for several threads, nor for several processes: hold a FileLock on the folder.
class Journal {
 public:
  // Creates it, or reads it: the index is in memory, the bodies stay on disk. A last line that a
  // kill has torn is cut off. Throws Error for a broken line within, for a file that is no journal
  // and for one of a newer version; such a file is left as it is.
  explicit Journal(const fs::path& path);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // The last answer under that key, read from disk.
  std::optional<JournalAnswer> find(const std::string& key) const;
  bool contains(const std::string& key) const;
  size_t size() const { return answers_.size(); }

  // Each of these throws Error when the line cannot be written; the file is then as before.

  // A request goes out; bound_usd is what it can cost at most. Written at once, not flushed.
  void sent(const std::string& key, double bound_usd);
  // Flushed to disk before it returns, unless the caller flushes several at once or the answer can
  // be had again for nothing, as a batch's.
  void received(const std::string& key, const JournalAnswer& answer,
                Durability durability = Durability::flushed);
  void flush();  // all lines so far are on disk when it returns
  // An answer was received at its bound, because what it costs is known only when it has been read:
  // it cost so much less. Not flushed: without this the bound counts.
  void cost_less(const std::string& key, double usd);
  // An attempt ended without an answer that counts: one that was received under the key is no
  // longer found. cost_usd: what it may have cost.
  void failed(const std::string& key, double cost_usd, const std::string& reason);

  // Requests of a batch are in flight from here until each is received or failed, or the batch has
  // ended or was not created; also beyond the end of the process. Flushed, as the others are.
  // The one begun before must have been created, or not.
  void batch_begins(const std::vector<JournalBatchRequest>& requests,
                    const std::string& created_at);
  void batch_created(const std::string& id);  // of the last one begun
  void batch_not_created();                   // the last one begun is forgotten
  void batch_ended(const std::string& id);
  const std::vector<JournalBatch>& batches() const { return batches_; }
  // In a batch, and neither received nor failed.
  bool in_batch(const std::string& key) const;
  // What the request may cost that is in flight under this key; 0 when none is.
  double in_flight_usd(const std::string& key) const;

  // Answers paid, what attempts without answer may have cost, and what was lost.
  double spent_usd() const { return answers_usd_ + failed_usd_ + lost_usd_; }
  double committed_usd() const;  // spent, and the bounds of what is in flight
  // What was in flight, outside batches, when a process ended without leave: it may be bought
  // again. Its bounds count as spent. Over the whole life of the file, and by the last process.
  int64_t lost_requests() const { return lost_requests_; }
  double lost_usd() const { return lost_usd_; }
  int64_t newly_lost_requests() const { return newly_lost_requests_; }
  double newly_lost_usd() const { return newly_lost_usd_; }

 private:
  struct Place {  // of a line
    uint64_t offset = 0;
    uint32_t length = 0;
  };
  struct InFlight {
    double bound_usd = 0;
    int batch = -1;  // index in batches_
  };
  void create();
  void read();
  // `where` names the line in errors.
  void read_line(std::string_view line, Place place, const std::string& where);
  void replay(const Json& event, Place place, const std::string& where);
  void replay_batch_begins(const Json& event, const std::string& where);
  void cut_off(uint64_t size);
  Place append(const Json& event, Durability durability);

  // What an event means, when it happens and when it is read.
  void begin_request(const std::string& key, double bound_usd, int batch);
  void end_request(const std::string& key);
  void apply_received(const std::string& key, Place place, double cost_usd);
  void apply_failed(const std::string& key, double cost_usd);
  void apply_lost();
  void apply_batch_over(size_t batch);
  size_t open_batch(std::string_view id) const;  // npos: none has that id
  bool batch_is_unnamed() const { return !batches_.empty() && batches_.back().id.empty(); }

  fs::path path_;
  int fd_ = -1;  // for reading
  std::unique_ptr<AppendFile> file_;
  uint64_t size_ = 0;
  bool writable_ = true;
  std::unordered_map<std::string, Place> answers_;
  std::unordered_map<std::string, InFlight> in_flight_;
  std::vector<JournalBatch> batches_;
  double in_flight_usd_ = 0;  // the sum of their bounds
  double answers_usd_ = 0, failed_usd_ = 0, lost_usd_ = 0, newly_lost_usd_ = 0;
  int64_t lost_requests_ = 0, newly_lost_requests_ = 0;
};

// Of a request's content: 32 hexadecimal digits, good as a custom_id.
std::string journal_key(std::string_view content);

}  // namespace chatmem
