// The finder of time expressions against the labels of golden/time_expressions.tsv, and its rules
// one by one.
#include "text/time_expressions.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"

namespace chatmem {
namespace {

using std::chrono::days;

struct Label {
  std::string span;
  size_t begin = 0;
  std::optional<DateRange> when;
};

struct LabelledText {
  Date as_of{};
  std::string text;
  std::vector<Label> labels;
};

std::vector<std::string> columns_of(std::string_view line, std::string_view separator) {
  std::vector<std::string> columns;
  for (size_t begin = 0; begin <= line.size();) {
    const size_t end = std::min(line.find(separator, begin), line.size());
    columns.emplace_back(line.substr(begin, end - begin));
    begin = end + separator.size();
  }
  return columns;
}

std::vector<LabelledText> labelled_texts() {
  std::vector<LabelledText> texts;
  const fs::path path = fs::path(CHATMEM_SOURCE_DIR) / "tests/golden/time_expressions.tsv";
  for_each_line(path, [&](std::string_view line, size_t number) {
    if (line.starts_with('#')) return;
    const std::vector<std::string> columns = columns_of(line, "\t");
    LabelledText& text = texts.emplace_back();
    text.as_of = parse_date(columns.at(0)).value();
    text.text = columns.at(1);
    size_t from = 0;
    for (size_t i = 2; i < columns.size(); i++) {
      const size_t equals = columns[i].rfind('=');
      Label label{columns[i].substr(0, equals)};
      label.begin = text.text.find(label.span, from);
      if (label.begin == std::string::npos)
        throw Error(fmt::format("line {}: no '{}'", number, label.span));
      from = label.begin + label.span.size();
      const std::string when = columns[i].substr(equals + 1);
      if (when != "?") {
        const auto ends = columns_of(when, "..");
        label.when = DateRange{parse_date(ends.front()).value(), parse_date(ends.back()).value()};
      }
      text.labels.push_back(std::move(label));
    }
  });
  return texts;
}

// How many days more than the label a range may have at either end: the tolerance of its words.
int slack_of(TimeUnit granularity) {
  switch (granularity) {
    case TimeUnit::day:
      return 2;
    case TimeUnit::week:
      return 4;
    case TimeUnit::month:
      return 16;
    case TimeUnit::season:
      return 61;
    case TimeUnit::year:
      return 183;
  }
  return 0;
}

bool agrees(const TimeExpression& found, const Label& label) {
  if (!label.when || !found.when) return !label.when && !found.when;
  const int slack = slack_of(found.granularity);
  const auto holds = [&](const DateRange& range) {
    return range.contains(*label.when) && label.when->earliest - range.earliest <= days(slack) &&
           range.latest - label.when->latest <= days(slack);
  };
  return holds(*found.when) || (found.or_else && holds(*found.or_else));
}

std::string shown(const std::optional<DateRange>& range) {
  return range ? format_date(range->earliest) + ".." + format_date(range->latest) : "?";
}

struct Agreement {
  int n_labels = 0, n_found = 0, n_same_span = 0, n_resolved = 0;
  double span_f1() const { return n_same_span == 0 ? 0 : 2.0 * n_same_span / (n_labels + n_found); }
};

void compare(const LabelledText& text, Agreement& agreement) {
  const auto found = time_expressions(text.text, {.as_of = text.as_of});
  agreement.n_labels += int(text.labels.size());
  agreement.n_found += int(found.size());
  for (const Label& label : text.labels) {
    const auto same = std::find_if(found.begin(), found.end(), [&](const TimeExpression& e) {
      return e.begin == label.begin && e.end == label.begin + label.span.size();
    });
    if (same == found.end()) {
      fmt::print("not found: '{}' in: {}\n", label.span, text.text);
      continue;
    }
    agreement.n_same_span++;
    const bool agreed = agrees(*same, label);
    agreement.n_resolved += agreed;
    if (!agreed)
      fmt::print("'{}' is {}, labelled {}: {}\n", label.span, shown(same->when), shown(label.when),
                 text.text);
  }
}

TEST(TimeExpressions, AgreeWithTheLabels) {
  Agreement all;
  const std::vector<LabelledText> texts = labelled_texts();
  for (const LabelledText& text : texts) compare(text, all);
  fmt::print("{} texts, {} labels, {} found: span F1 {:.4f}, resolved {} of {}\n", texts.size(),
             all.n_labels, all.n_found, all.span_f1(), all.n_resolved, all.n_same_span);
  EXPECT_GE(texts.size(), 180u);
  EXPECT_GE(all.n_labels, 150);
  EXPECT_GE(all.span_f1(), 0.98);
  EXPECT_GE(all.n_resolved, all.n_same_span * 98 / 100);
}

// "span=earliest..latest|other reading;" of a text told on Thursday, August 15th, 2024.
std::string found_in(std::string_view text, std::optional<Date> since = std::nullopt) {
  std::string all;
  for (const TimeExpression& e :
       time_expressions(text, {.as_of = parse_date("2024-08-15").value(), .since = since})) {
    all += fmt::format("{}={}", text.substr(e.begin, e.end - e.begin), shown(e.when));
    if (e.or_else) all += "|" + shown(e.or_else);
    all += ';';
  }
  return all;
}

TEST(TimeExpressions, TwoReadings) {
  EXPECT_EQ(found_in("on 5/6/2024"), "5/6/2024=2024-05-06..2024-05-06|2024-06-05..2024-06-05;");
  EXPECT_EQ(found_in("on 5/5/2024"), "5/5/2024=2024-05-05..2024-05-05;");
  EXPECT_EQ(found_in("last Tuesday"),
            "last Tuesday=2024-08-13..2024-08-13|2024-08-06..2024-08-06;");
  EXPECT_EQ(found_in("last Friday"), "last Friday=2024-08-09..2024-08-09;");
}

TEST(TimeExpressions, TheYearThatIsNotWritten) {
  EXPECT_EQ(found_in("on October 3rd"), "October 3rd=2024-10-03..2024-10-03;");
  EXPECT_EQ(found_in("on December 3rd"), "December 3rd=2023-12-03..2023-12-03;");
  // A chat that began in September 2023 means the October it knows.
  EXPECT_EQ(found_in("on October 3rd", parse_date("2023-09-01")),
            "October 3rd=2023-10-03..2023-10-03;");
  EXPECT_EQ(found_in("on October 3rd", parse_date("2024-01-01")),
            "October 3rd=2024-10-03..2024-10-03;");
  EXPECT_EQ(found_in("in October", parse_date("2023-10-05")), "October=2023-10-01..2023-10-31;");
  EXPECT_EQ(found_in("May 24-26, 2023"),
            "May 24=2023-05-24..2023-05-24;26, 2023=2023-05-26..2023-05-26;");
  EXPECT_EQ(found_in("May 3rd, 2023 to 7th"),
            "May 3rd, 2023=2023-05-03..2023-05-03;7th=2023-05-07..2023-05-07;");
  EXPECT_EQ(found_in("February 29th, 2023 and June 31"), "February 29th, 2023=?;June 31=?;");
}

TEST(TimeExpressions, TolerancesAreThoseOfTheDocument) {
  EXPECT_EQ(found_in("two weeks ago"), "two weeks ago=2024-07-29..2024-08-04;");
  EXPECT_EQ(found_in("over two months ago"), "over two months ago=2024-05-15..2024-06-15;");
  EXPECT_EQ(found_in("early May"), "early May=2024-05-01..2024-05-12;");
  EXPECT_EQ(found_in("mid-May"), "mid-May=2024-05-09..2024-05-22;");
  EXPECT_EQ(found_in("late May"), "late May=2024-05-19..2024-05-31;");
  EXPECT_EQ(found_in("about three days ago"), "about three days ago=2024-08-10..2024-08-14;");
  EXPECT_EQ(found_in("early to mid-June"), "early to mid-June=2024-06-01..2024-06-22;");
}

TEST(TimeExpressions, AnchorsFollowTheText) {
  EXPECT_EQ(found_in("As of today a week later"), "today=2024-08-15..2024-08-15;a week later=?;");
  EXPECT_EQ(found_in("On June 3rd. Over the past week. A day later"),
            "June 3rd=2024-06-03..2024-06-03;past week=2024-08-08..2024-08-15;"
            "A day later=2024-06-04..2024-06-04;");
}

TEST(TimeExpressions, ADayToldTwiceIsOne) {
  EXPECT_EQ(found_in("On June 9th you met. On June 13th, four days later, he wrote; two days later "
                     "you signed."),
            "June 9th=2024-06-09..2024-06-09;June 13th=2024-06-13..2024-06-13;"
            "four days later=2024-06-13..2024-06-13;two days later=2024-06-15..2024-06-15;");
  EXPECT_EQ(found_in("On June 9th. On June 10th, the next day, then the next day"),
            "June 9th=2024-06-09..2024-06-09;June 10th=2024-06-10..2024-06-10;"
            "next day=2024-06-10..2024-06-10;next day=2024-06-11..2024-06-11;");
  // Told from now, it is no better anchor than the day itself.
  EXPECT_EQ(found_in("On June 9th, two months ago, he wrote. Four days later"),
            "June 9th=2024-06-09..2024-06-09;two months ago=2024-05-31..2024-06-30;"
            "Four days later=2024-06-13..2024-06-13;");
}

TEST(TimeExpressions, QuotationsAreToldFromAnotherDay) {
  const std::string text =
      "On June 9th he wrote: \"See you tomorrow, or on June 20th.\" A week later \u201Cnext month, "
      "on the 3rd\u201D, and yesterday";
  EXPECT_EQ(found_in(text),
            "June 9th=2024-06-09..2024-06-09;tomorrow=?;June 20th=2024-06-20..2024-06-20;"
            "A week later=2024-06-24..2024-06-30;next month=?;3rd=?;"
            "yesterday=2024-08-14..2024-08-14;");
  const auto found = time_expressions(text, {.as_of = parse_date("2024-08-15").value()});
  EXPECT_FALSE(found.front().quoted);
  EXPECT_TRUE(found[2].quoted);
  // A mark alone quotes nothing, nor does an apostrophe.
  EXPECT_EQ(found_in("a 5\" nail yesterday"), "yesterday=2024-08-14..2024-08-14;");
  EXPECT_EQ(found_in("a 5\" nail\n\nyesterday\""), "yesterday=2024-08-14..2024-08-14;");
  EXPECT_EQ(found_in("'yesterday'"), "yesterday=2024-08-14..2024-08-14;");
}

TEST(TimeExpressions, LineEndsJoinAndParagraphsPart) {
  EXPECT_EQ(found_in("three\nweeks ago"), "three\nweeks ago=2024-07-22..2024-07-28;");
  EXPECT_EQ(found_in("three\n\nweeks"), "");
}

// A square of the length would take minutes.
TEST(TimeExpressions, LongTextsTakeLinearTime) {
  std::string text;
  for (int i = 0; i < 20'000; i++)
    text += "on May 3rd and the following Monday, a few days later; ";
  const auto found = time_expressions(text, {.as_of = parse_date("2024-08-15").value()});
  EXPECT_EQ(found.size(), 60'000u);
}

}  // namespace
}  // namespace chatmem
