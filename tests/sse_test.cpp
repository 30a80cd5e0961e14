#include "net/sse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace chatmem {
namespace {

using ::testing::ElementsAre;

// The data of the events of a stream fed in two pieces, cut at `cut`.
std::vector<std::string> events(std::string_view stream, size_t cut) {
  std::vector<std::string> found;
  SseDecoder decoder([&](const SseEvent& event) {
    found.push_back(event.event.empty() ? event.data : event.event + "=" + event.data);
  });
  decoder.feed(stream.substr(0, cut));
  decoder.feed(stream.substr(cut));
  return found;
}

TEST(Sse, EveryLineEndingCutAtEveryByte) {
  for (const std::string end : {"\n", "\r", "\r\n"}) {
    std::string stream =
        "\xEF\xBB\xBF"
        ": hello" +
        end + "data: one" + end + end;
    stream += "event: note" + end + "data:two" + end + "data:  three" + end + "id: 7" + end + end;
    stream +=
        "event: empty" + end + end + "data" + end + end + "data: \xF0\x9F\x98\x80\xE2\x80\xA8";
    stream += end + end + "data: cut off" + end;
    for (size_t cut = 0; cut <= stream.size(); cut++)
      EXPECT_THAT(events(stream, cut),
                  ElementsAre("one", "note=two\n three", "", "\xF0\x9F\x98\x80\xE2\x80\xA8"))
          << "cut at " << cut << ", ending " << end.size();
  }
}

TEST(Sse, OneByteAtATime) {
  std::vector<std::string> found;
  SseDecoder decoder([&](const SseEvent& event) { found.push_back(event.data); });
  for (const char c : std::string("data: a\r\n\r\n: ping\n\ndata: b\ndata\n\n"))
    decoder.feed({&c, 1});
  EXPECT_THAT(found, ElementsAre("a", "b\n"));
}

TEST(Sse, LinesAndEventsAreLimited) {
  const auto feed = [](std::string_view bytes) {
    SseDecoder decoder([](const SseEvent&) {}, 20);
    for (const char c : bytes) decoder.feed({&c, 1});
  };
  EXPECT_NO_THROW(feed("data: 0123456789\n\ndata: 0123456789\n\n"));
  EXPECT_THROW(feed("data: 0123456789012345\n"), Error);
  EXPECT_THROW(feed("data: 0123456789\ndata: 0123456789\n"), Error);
}

TEST(Sse, WhatIsWrittenIsReadBack) {
  for (const std::string data : {"", "one", "two\nlines", "a\r\nb", "tail\n"}) {
    std::string expected = data;
    if (const size_t at = expected.find('\r'); at != expected.npos) expected.erase(at, 1);
    EXPECT_THAT(events(sse_event(data) + std::string(kSsePing), 3), ElementsAre(expected));
  }
  EXPECT_EQ(sse_event("x"), "data: x\n\n");
}

}  // namespace
}  // namespace chatmem
