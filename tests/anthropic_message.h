// The answers of the test double as the Anthropic API writes them: messages whole and as events,
// errors, models.
#pragma once
#include <string>
#include <string_view>

#include "anthropic_script.h"
#include "anthropic_usage.h"
#include "base/json.h"

namespace chatmem {

struct MessageParts {
  std::string id, service_tier = "standard";
  std::string text;  // what the model says, before the fault has its way with it
  bool thinking = false;
  FakeUsage usage;  // of the input; that of the output is counted here
};
// The `message` object. Cuts the text at max_tokens and stop_sequences as asked, and by the fault.
Json make_message(const Json& params, MessageParts parts, const Fault& fault);
// The same as server-sent events. fail_half_way: the second half is an error event.
std::string message_events(const Json& message, bool fail_half_way);

// {"type":"error", ...}; error_code goes to details, when not empty.
std::string error_body(std::string_view type, std::string_view message, std::string_view request_id,
                       std::string_view error_code = {});
// The type that goes with a status when nothing says another.
std::string_view error_type_of(int status);

Json model_object(const std::string& id);

}  // namespace chatmem
