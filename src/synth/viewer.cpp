#include "synth/viewer.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/json.h"
#include "base/utf8.h"
#include "synth/date_mentions.h"
#include "synth/viewer_html.h"

namespace chatmem {
namespace {

constexpr std::string_view kPlace = "__CHATMEM_DATA__";

// The summary in pieces: text, or a day it names as [text, day or ""], "" when no message is of it.
Json summary_pieces(const Conversation& conversation) {
  const std::vector<Date> days = conversation.days();
  const std::string& summary = conversation.summary;
  Json pieces = Json::array();
  size_t begin = 0;
  for (const DateMention& mention : date_mentions(summary)) {
    if (mention.begin > begin) pieces.push_back(summary.substr(begin, mention.begin - begin));
    const std::string text = summary.substr(mention.begin, mention.end - mention.begin);
    const auto day =
        std::find_if(days.begin(), days.end(), [&](Date date) { return mention.may_be(date); });
    if (day != days.end())
      pieces.push_back({text, format_date(*day)});
    else if (conversation.as_of && mention.may_be(*conversation.as_of))
      pieces.push_back({text, "today"});
    else
      pieces.push_back({text, ""});
    begin = mention.end;
  }
  if (begin < summary.size()) pieces.push_back(summary.substr(begin));
  return pieces;
}

Json row_json(const ResultRow& row) {
  Json messages = Json::array();
  for (const Message& message : row.conversation.messages) {
    const auto day = message.date();
    messages.push_back({day ? format_date(*day) : "", message.timestamp,
                        std::string(message.speaker()), std::string(message.text())});
  }
  return {{"id", row.conversation.id},
          {"topic", row.topic},
          {"today", row.conversation.as_of ? format_date(*row.conversation.as_of) : ""},
          {"messages", std::move(messages)},
          {"summary", summary_pieces(row.conversation)}};
}

// Within a script element only "<" can end it or begin a comment; in JSON it stands in strings
// alone.
std::string in_script(const std::string& json) {
  std::string out;
  for (const char c : json)
    if (c == '<')
      out += "\\u003c";
    else
      out += c;
  return out;
}

}  // namespace

void ViewerPage::add(const ResultRow& row) {
  if (total_++ >= kMaxViewerRows) return;
  if (!rows_.empty()) rows_ += ',';
  rows_ += in_script(dump_json(row_json(row)));
}

std::string ViewerPage::html(const std::string& name) const {
  const std::string_view page = kViewerHtml;
  const size_t at = page.find(kPlace);
  CHECK(at != page.npos);
  return fmt::format(R"({}{{"name":{},"total":{},"rows":[{}]}}{})", page.substr(0, at),
                     in_script(dump_json(replace_invalid_utf8(name))), total_, rows_,
                     page.substr(at + kPlace.size()));
}

}  // namespace chatmem
