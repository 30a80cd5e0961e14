#include "anthropic_batches.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "anthropic_ledger.h"
#include "anthropic_usage.h"

namespace chatmem {
namespace {

constexpr double kDay = 24 * 3600;

ApiError no_batch(const std::string& id) {
  return {404, "not_found_error", fmt::format("Message Batch with ID '{}' not found", id)};
}

// The value of a key of the query, percent-decoded; empty when it is not there.
std::string query_value(std::string_view query, std::string_view key) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    const size_t equals = pair.find('=');
    if (equals != pair.npos && pair.substr(0, equals) == key)
      return percent_decode(pair.substr(equals + 1));
  }
  return {};
}

}  // namespace

Json AnthropicBatches::describe(const Batch& batch, const std::string& results_base) {
  int counts[4] = {};
  if (batch.ended())
    for (const FakeBatchItem& item : batch.items) counts[int(item.outcome)]++;
  const auto text_or_null = [](const std::string& text) {
    return text.empty() ? Json() : Json(text);
  };
  Json url;
  if (batch.ended()) url = fmt::format("{}/v1/messages/batches/{}/results", results_base, batch.id);
  const char* status = batch.ended()             ? "ended"
                       : batch.cancel_at.empty() ? "in_progress"
                                                 : "canceling";
  return {{"id", batch.id},
          {"type", "message_batch"},
          {"processing_status", status},
          {"request_counts",
           {{"processing", batch.ended() ? 0 : int(batch.items.size())},
            {"succeeded", counts[int(FakeBatchOutcome::succeeded)]},
            {"errored", counts[int(FakeBatchOutcome::errored)]},
            {"canceled", counts[int(FakeBatchOutcome::canceled)]},
            {"expired", counts[int(FakeBatchOutcome::expired)]}}},
          {"ended_at", text_or_null(batch.ended_at)},
          {"created_at", batch.created_at},
          {"expires_at", batch.expires_at},
          {"archived_at", nullptr},
          {"cancel_initiated_at", text_or_null(batch.cancel_at)},
          {"results_url", url}};
}

std::vector<AnthropicBatches::Batch>::iterator AnthropicBatches::find(const std::string& id) {
  return std::find_if(batches_.begin(), batches_.end(),
                      [&](const Batch& batch) { return batch.id == id; });
}

Json AnthropicBatches::create(std::string id, std::vector<FakeBatchItem> items,
                              const std::string& results_base) {
  Batch batch;
  batch.id = std::move(id);
  batch.items = std::move(items);
  batch.created_at = rfc3339_in(0);
  batch.expires_at = rfc3339_in(kDay);
  batch.created_ms = epoch_ms();
  batches_.push_back(std::move(batch));
  return describe(batches_.back(), results_base);
}

AnthropicBatches::Result<Json> AnthropicBatches::poll(const std::string& id,
                                                      const AnthropicScript& script,
                                                      const std::string& results_base) {
  const auto batch = find(id);
  if (batch == batches_.end()) return no_batch(id);
  batch->polls++;
  const bool due =
      batch->polls >= script.batch_polls && epoch_ms() >= batch->created_ms + script.batch_delay_ms;
  if (!batch->ended() && (due || !batch->cancel_at.empty())) batch->ended_at = rfc3339_in(0);
  return describe(*batch, results_base);
}

AnthropicBatches::Result<Json> AnthropicBatches::cancel(
    const std::string& id, const AnthropicScript& script, const std::string& results_base,
    const std::function<void(const FakeBatchItem&)>& undone) {
  const auto batch = find(id);
  if (batch == batches_.end()) return no_batch(id);
  if (batch->ended())
    return ApiError{400, "invalid_request_error",
                    fmt::format("Batch {} cannot be canceled: it has ended", id)};
  if (batch->cancel_at.empty()) {
    batch->cancel_at = rfc3339_in(0);
    for (size_t i = size_t(script.done_before_cancel); i < batch->items.size(); i++) {
      undone(batch->items[i]);
      batch->items[i].outcome = FakeBatchOutcome::canceled;
    }
  }
  return describe(*batch, results_base);
}

AnthropicBatches::Result<Json> AnthropicBatches::erase(const std::string& id) {
  const auto batch = find(id);
  if (batch == batches_.end()) return no_batch(id);
  if (!batch->ended())
    return ApiError{400, "invalid_request_error",
                    fmt::format("Batch {} cannot be deleted while it is in progress", id)};
  batches_.erase(batch);
  return Json{{"id", id}, {"type", "message_batch_deleted"}};
}

AnthropicBatches::Result<std::vector<FakeBatchItem>> AnthropicBatches::results(
    const std::string& id) const {
  for (const Batch& batch : batches_) {
    if (batch.id != id) continue;
    if (!batch.ended())
      return ApiError{404, "not_found_error",
                      fmt::format("Batch {} has no results before it has ended", id)};
    return batch.items;
  }
  return no_batch(id);
}

Json AnthropicBatches::list(const std::string& results_base) const {
  Json all = Json::array();
  for (auto batch = batches_.rbegin(); batch != batches_.rend(); ++batch)
    all.push_back(describe(*batch, results_base));
  return all;
}

AnthropicBatches::Result<Json> page_of(const Json& items, std::string_view query) {
  size_t limit = 20;
  if (const std::string text = query_value(query, "limit"); !text.empty()) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
    if (error != std::errc() || end != text.data() + text.size() || limit < 1 || limit > 1000)
      return ApiError{400, "invalid_request_error", "limit: must be between 1 and 1000"};
  }
  const auto place_of = [&](const std::string& id) {
    size_t i = 0;
    while (i < items.size() && items[i]["id"] != id) i++;
    return i;
  };
  const std::string after = query_value(query, "after_id"),
                    before = query_value(query, "before_id");
  size_t begin = 0, end = items.size();
  if (!after.empty()) begin = std::min(place_of(after) + 1, items.size());
  bool more;
  if (!before.empty()) {
    end = place_of(before);
    begin = end > limit ? end - limit : 0;
    more = begin > 0;
  } else {
    more = end - begin > limit;
    end = std::min(end, begin + limit);
  }
  Json data = Json::array();
  for (size_t i = begin; i < end; i++) data.push_back(items[i]);
  const Json first = data.empty() ? Json() : data.front()["id"];
  const Json last = data.empty() ? Json() : data.back()["id"];
  return Json{
      {"data", std::move(data)}, {"has_more", more}, {"first_id", first}, {"last_id", last}};
}

}  // namespace chatmem
