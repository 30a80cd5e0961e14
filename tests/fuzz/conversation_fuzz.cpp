// libFuzzer: conversations in their three forms are read or refused with Error; what is read is
// written and read back as the same conversation. The first byte chooses the form.
#include <algorithm>
#include <cstdint>

#include "base/error.h"
#include "text/conversation.h"

namespace {

using namespace chatmem;

bool same_messages(const Conversation& a, const Conversation& b) {
  return a.messages.size() == b.messages.size() &&
         std::equal(a.messages.begin(), a.messages.end(), b.messages.begin(),
                    [](const Message& x, const Message& y) {
                      return x.timestamp == y.timestamp && x.content == y.content;
                    });
}

// What every reader of a conversation asks of it.
void ask(const Conversation& conversation) {
  for (const Message& message : conversation.messages)
    CHECK(message.speaker().size() + message.text().size() <= message.content.size());
  CHECK(conversation.unreadable_times().size() <= conversation.messages.size());
  CHECK(conversation.days().size() <= conversation.messages.size());
  conversation.other_speaker();
}

void check_json(std::string_view bytes) {
  const Conversation read = conversation_from_json(parse_json(bytes, "fuzz"), "fuzz");
  ask(read);
  const Json written = conversation_to_json(read);
  const Conversation again = conversation_from_json(written, "written");
  CHECK(again.id == read.id && again.summary == read.summary && again.as_of == read.as_of);
  CHECK(again.start_date == read.start_date && again.end_date == read.end_date);
  CHECK(same_messages(again, read));
  CHECK(dump_json(conversation_to_json(again)) == dump_json(written));
}

// A line that would read as something else is indented on writing, so the second text is the fixed
// point, not the first.
void check_finetune(const Conversation& read) {
  ask(read);
  const std::string once = format_finetune_text(read);
  const Conversation again = parse_finetune_text(once, "written");
  CHECK(again.messages.size() == read.messages.size());
  CHECK(again.summary == read.summary);
  for (size_t i = 0; i < read.messages.size(); i++)
    CHECK(again.messages[i].timestamp == read.messages[i].timestamp);
  const std::string twice = format_finetune_text(again);
  CHECK(format_finetune_text(parse_finetune_text(twice, "written twice")) == twice);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  Conversation read;
  try {
    switch (data[0] % 3) {
      case 0:
        check_json(input);
        return 0;
      case 1:
        read = parse_finetune_text(input, "fuzz");
        break;
      case 2:
        read = parse_plain_chat(input, "fuzz");
        break;
    }
  } catch (const Error&) {
    return 0;
  }
  check_finetune(read);
  return 0;
}
