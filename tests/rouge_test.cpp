// The stemmer, ROUGE against its slow twin, statistics, and the files of the rouge verb.
#include "metrics/rouge.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <sstream>

#include "base/error.h"
#include "base/random.h"
#include "error_of.h"
#include "eval/rouge_report.h"
#include "metrics/porter.h"
#include "metrics/statistics.h"
#include "test_folder.h"

namespace chatmem {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Tokens = std::vector<std::string>;

const RougeSet kAll = RougeSet().set();
const RougeSet kLsum = RougeSet().set(kRougeLsum);

TEST(Porter, StemsTheWordsOfEveryRule) {
  int n = 0;
  for_each_line(fs::path(CHATMEM_SOURCE_DIR) / "tests/golden/porter_stems.txt",
                [&](std::string_view line, size_t) {
                  const size_t space = line.find(' ');
                  EXPECT_EQ(porter_stem(line.substr(0, space)), line.substr(space + 1)) << line;
                  n++;
                });
  EXPECT_GE(n, 300);
}

TEST(Porter, AgreesWithNltkOnItsVocabulary) {
  const fs::path path = shared_data() / "rouge/porter_vocab.txt";
  if (!fs::exists(path)) GTEST_SKIP() << "shared/data is absent";
  int n = 0;
  for_each_line(path, [&](std::string_view line, size_t) {
    std::istringstream fields{std::string(line)};
    std::string word, stem;
    fields >> word >> stem;
    EXPECT_EQ(porter_stem(word), stem) << word;
    n++;
  });
  EXPECT_EQ(n, 23531);
}

TEST(Porter, LongRunsOfYTakeNoStack) {
  const std::string ys(1'000'001, 'y');
  EXPECT_EQ(porter_stem(ys + "ing").size(), ys.size() - 1);  // yy is a double consonant: one goes
}

TEST(Rouge, TokensAreWhatRougeScoreSplits) {
  EXPECT_THAT(rouge_tokens("Don't run-ning, 3.5 TIMES\n", Stemming::off),
              ElementsAre("don", "t", "run", "ning", "3", "5", "times"));
  EXPECT_THAT(rouge_tokens("was the meetings, news", Stemming::on),
              ElementsAre("was", "the", "meet", "news"));
  EXPECT_THAT(rouge_tokens("na\xC3\xAFve caf\xC3\xA9", Stemming::off),
              ElementsAre("na", "ve", "caf"));
  // U+212A KELVIN SIGN and U+0130 are the two that lower() brings into ASCII.
  EXPECT_THAT(rouge_tokens("20\xE2\x84\xAA \xE2\x84\xAB"
                           "x \xC4\xB0stanbul D\xC4\xB0Z \xC4\xB1",
                           Stemming::off),
              ElementsAre("20k", "x", "i", "stanbul", "di", "z"));
  EXPECT_THAT(rouge_tokens("\xE2\x84", Stemming::off), ElementsAre());
  EXPECT_THAT(rouge_tokens("", Stemming::on), ElementsAre());
}

// The slow twin: rouge_score's algorithm as it reads.
RougeScore slow_score(int overlap, int n_prediction, int n_reference) {
  const double precision = double(overlap) / std::max(n_prediction, 1);
  const double recall = double(overlap) / std::max(n_reference, 1);
  const bool any = precision + recall > 0;
  return {precision, recall, any ? 2 * precision * recall / (precision + recall) : 0.0};
}

std::map<Tokens, int> slow_ngrams(const Tokens& tokens, int n) {
  std::map<Tokens, int> counts;
  for (size_t i = 0; i + size_t(n) <= tokens.size(); i++)
    counts[Tokens(tokens.begin() + long(i), tokens.begin() + long(i) + n)]++;
  return counts;
}

RougeScore slow_rouge_n(const Tokens& prediction, const Tokens& reference, int n) {
  const auto ours = slow_ngrams(prediction, n), theirs = slow_ngrams(reference, n);
  int overlap = 0, n_ours = 0, n_theirs = 0;
  for (const auto& [gram, count] : ours) n_ours += count;
  for (const auto& [gram, count] : theirs) {
    n_theirs += count;
    if (const auto it = ours.find(gram); it != ours.end()) overlap += std::min(count, it->second);
  }
  return slow_score(overlap, n_ours, n_theirs);
}

RougeScore slow_rouge_l(const Tokens& prediction, const Tokens& reference) {
  std::vector<std::vector<int>> table(prediction.size() + 1,
                                      std::vector<int>(reference.size() + 1, 0));
  for (size_t i = 1; i <= prediction.size(); i++)
    for (size_t j = 1; j <= reference.size(); j++)
      table[i][j] = prediction[i - 1] == reference[j - 1]
                        ? table[i - 1][j - 1] + 1
                        : std::max(table[i - 1][j], table[i][j - 1]);
  return slow_score(table.back().back(), int(prediction.size()), int(reference.size()));
}

void expect_same(const RougeScore& a, const RougeScore& b, const std::string& what) {
  EXPECT_EQ(a.precision, b.precision) << what;
  EXPECT_EQ(a.recall, b.recall) << what;
  EXPECT_EQ(a.f1, b.f1) << what;
}

// Words of a small vocabulary, inflected, so that overlaps and equal stems are frequent.
std::string random_text(Random& random, int max_words) {
  static const char* kStems[] = {"walk",   "plan",  "visit", "talk",  "move", "cook", "paint",
                                 "remind", "train", "book",  "order", "a",    "you",  "the"};
  static const char* kEndings[] = {"", "s", "ed", "ing", "er", "'s", ", ", "\n", "\xC3\xA9"};
  std::string text;
  const int n = random.between(0, max_words), vocabulary = random.between(1, 14);
  for (int i = 0; i < n; i++) {
    text += kStems[random.below(uint64_t(vocabulary))];
    text += kEndings[random.below(9)];
    text += ' ';
  }
  return text;
}

TEST(Rouge, EqualsItsSlowTwinOnRandomPairs) {
  Random random(11);
  RougeScorer stemmed({.stemming = Stemming::on}), plain({.stemming = Stemming::off});
  for (int i = 0; i < 2000; i++) {
    // 64 and 128 tokens are the edges of the bit-parallel blocks.
    const int max_words = i % 4 == 0 ? 300 : i % 4 == 1 ? 66 : 12;
    const std::string prediction = random_text(random, max_words);
    const std::string reference = random_text(random, i % 3 == 0 ? 130 : max_words);
    for (const Stemming stemming : {Stemming::on, Stemming::off}) {
      const Tokens ours = rouge_tokens(prediction, stemming);
      const Tokens theirs = rouge_tokens(reference, stemming);
      const RougeScores fast =
          (stemming == Stemming::on ? stemmed : plain).score(prediction, reference);
      const std::string what = prediction + "|" + reference;
      expect_same(fast.rouge1, slow_rouge_n(ours, theirs, 1), what);
      expect_same(fast.rouge2, slow_rouge_n(ours, theirs, 2), what);
      expect_same(fast.rougeL, slow_rouge_l(ours, theirs), what);
      if (i % 20 != 0) continue;
      expect_same(rouge_l(ours, theirs), slow_rouge_l(ours, theirs), what);
      for (const int n : {1, 3, 9})
        expect_same(rouge_n(ours, theirs, n), slow_rouge_n(ours, theirs, n), what);
    }
  }
}

// rouge_score's summary level: a table for each pair of lines, and the places found going back.
std::vector<bool> slow_places(const Tokens& reference, const Tokens& prediction) {
  std::vector<std::vector<int>> table(reference.size() + 1,
                                      std::vector<int>(prediction.size() + 1, 0));
  for (size_t i = 1; i <= reference.size(); i++)
    for (size_t j = 1; j <= prediction.size(); j++)
      table[i][j] = reference[i - 1] == prediction[j - 1]
                        ? table[i - 1][j - 1] + 1
                        : std::max(table[i - 1][j], table[i][j - 1]);
  std::vector<bool> places(reference.size());
  for (size_t i = reference.size(), j = prediction.size(); i > 0 && j > 0;) {
    if (reference[i - 1] == prediction[j - 1])
      places[--i] = true, j--;
    else if (table[i][j - 1] > table[i - 1][j])
      j--;
    else
      i--;
  }
  return places;
}

TEST(Rouge, LsumOfLongLinesEqualsItsSlowTwin) {
  Random random(12);
  RougeScorer scorer({.metrics = kLsum});
  // One line each, so that the union is one list of places; 1024 words are a chunk.
  for (const int n : {1, 63, 64, 65, 500, 1023, 1024, 1025, 2500})
    for (int round = 0; round < 3; round++) {
      const auto line = [&](int n_words) {
        std::string text;
        for (int i = 0; i < n_words; i++) text += fmt::format("w{} ", random.below(9));
        return text;
      };
      const std::string prediction = line(n), reference = line(round == 0 ? n : 200);
      const Tokens ours = rouge_tokens(prediction, Stemming::on);
      const Tokens theirs = rouge_tokens(reference, Stemming::on);
      const std::vector<bool> places = slow_places(theirs, ours);
      const int hits = int(std::count(places.begin(), places.end(), true));
      expect_same(scorer.score(prediction, reference).rougeLsum,
                  slow_score(hits, int(ours.size()), int(theirs.size())), reference);
    }
}

// Every metric of 2,000 random pairs, as tools/rouge_reference.py computes them.
TEST(Rouge, EqualsTheIndependentPort) {
  RougeScorer stemmed({.stemming = Stemming::on, .metrics = kAll});
  RougeScorer plain({.stemming = Stemming::off, .metrics = kAll});
  int n_pairs = 0;
  for_each_json_line(fs::path(CHATMEM_SOURCE_DIR) / "tests/golden/rouge_pairs.jsonl",
                     [&](Json& pair, size_t line) {
                       n_pairs++;
                       const std::string prediction = pair["p"], reference = pair["r"];
                       const RougeScores scores =
                           (pair["stem"] == 1 ? stemmed : plain).score(prediction, reference);
                       const int n_ours = pair["n"][0], n_theirs = pair["n"][1];
                       for (size_t i = 0; i < kRougeMetrics.size(); i++) {
                         const int shorter =
                             i < 9 ? int(i) : 0;  // n-grams are n - 1 fewer than words
                         expect_same(scores.*kRougeMetrics[i].score,
                                     slow_score(pair["hits"][i], std::max(n_ours - shorter, 0),
                                                std::max(n_theirs - shorter, 0)),
                                     fmt::format("line {}, {}", line, kRougeMetrics[i].key));
                       }
                     });
  EXPECT_EQ(n_pairs, 2000);
}

TEST(Rouge, WordsOfUnicode) {
  const auto words = [](std::string_view text) {
    return rouge_tokens(text, Stemming::on, WordRule::unicode);
  };
  EXPECT_THAT(words("Caf\u00e9s are OPENED"), ElementsAre("caf\u00e9s", "are", "open"));
  EXPECT_THAT(words("\u041F\u0440\u0438\u0432\u0435\u0442, \u041C\u0418\u0420!"),
              ElementsAre("\u043F\u0440\u0438\u0432\u0435\u0442", "\u043C\u0438\u0440"));
  EXPECT_THAT(words("\u4ECA\u5929 3\u6708"), ElementsAre("\u4ECA", "\u5929", "3", "\u6708"));
  EXPECT_THAT(words("\u0928\u092E\u0938\u094D\u0924\u0947"),
              ElementsAre("\u0928\u092E\u0938\u094D\u0924\u0947"));
  EXPECT_THAT(words("a\xFF\x62"), ElementsAre("a", "b"));
  EXPECT_EQ(
      rouge("\u043C\u0438\u0440", "\u041C\u0438\u0440", {.words = WordRule::unicode}).rouge1.f1, 1);
  EXPECT_EQ(rouge("\u043C\u0438\u0440", "\u041C\u0438\u0440").rouge1.f1, 0);
}

TEST(Rouge, MetricsByName) {
  EXPECT_EQ(parse_rouge_metric("rouge1"), 0u);
  EXPECT_EQ(parse_rouge_metric("9"), 8u);
  EXPECT_EQ(parse_rouge_metric("L"), kRougeL);
  EXPECT_EQ(parse_rouge_metric("rougeLsum"), kRougeLsum);
  for (const char* none : {"", "0", "10", "l", "rouge", "rouge0", "ROUGE-1"})
    EXPECT_EQ(parse_rouge_metric(none), std::nullopt) << none;
  EXPECT_EQ(rouge("a b", "a b").rouge3.f1, 0);  // not asked for
}

TEST(Rouge, EdgeCases) {
  EXPECT_EQ(rouge("", "").rouge1.f1, 0);
  EXPECT_EQ(rouge("one", "").rougeL.recall, 0);
  EXPECT_EQ(rouge("word", "word").rouge2.f1, 0);  // one token has no bigram
  EXPECT_EQ(rouge("word", "word").rougeL.f1, 1);
  EXPECT_NEAR(rouge("the cat sat", "the cats ran away").rouge1.f1, 4.0 / 7, 1e-15);
  EXPECT_EQ(rouge("cat", "cats", {.stemming = Stemming::off}).rouge1.f1, 0);
}

TEST(Rouge, AVocabularyWithoutEndIsForgotten) {
  RougeScorer scorer;
  std::string wide;
  for (int i = 0; i < 600'000; i++) wide += std::to_string(i) + "q ";
  EXPECT_EQ(scorer.score(wide, "5q 7q").rouge1.recall, 1);
  std::string other;
  for (int i = 0; i < 600'000; i++) other += std::to_string(i) + "z ";
  EXPECT_EQ(scorer.score(other, "5z 7q").rouge1.recall, 0.5);
  EXPECT_EQ(scorer.score("5z 7q", "7q 5z").rouge1.recall, 1);  // here it has begun again
  EXPECT_EQ(scorer.score("5z 7q", "7q 5z").rougeL.recall, 0.5);
}

// Values of ROUGE-1.5.5 for google's pairs multi.0, lines 1 and 2, as research quotes them.
TEST(Rouge, GooglesPairs) {
  const fs::path folder = shared_data() / "rouge";
  if (!fs::exists(folder)) GTEST_SKIP() << "shared/data is absent";
  const auto line = [&](const char* file, size_t wanted) {
    std::string found;
    for_each_line(folder / file, [&](std::string_view text, size_t number) {
      if (number == wanted) found = text;
    });
    return found;
  };
  std::vector<RougeScores> scores;
  for (const size_t number : {1, 2})
    scores.push_back(rouge(line("google_prediction_multi.0.txt", number),
                           line("google_target_multi.0.txt", number)));
  EXPECT_NEAR(scores[0].rouge1.precision, .68750, 5e-6);
  EXPECT_NEAR(scores[0].rouge1.recall, .40741, 5e-6);
  EXPECT_NEAR(scores[0].rouge2.f1, .39024, 5e-6);
  EXPECT_NEAR(scores[0].rougeL.f1, .51163, 5e-6);
  EXPECT_NEAR(scores[1].rouge1.f1, .52941, 5e-6);
  EXPECT_NEAR(scores[1].rouge2.precision, .48, 5e-6);
  const RougeScore lsum = rouge(read_file(folder / "google_prediction_multi.0.txt"),
                                read_file(folder / "google_target_multi.0.txt"), {.metrics = kLsum})
                              .rougeLsum;
  EXPECT_NEAR(lsum.precision, .66667, 5e-6);
  EXPECT_NEAR(lsum.recall, .36538, 5e-6);
  EXPECT_NEAR(lsum.f1, .47205, 5e-6);
}

TEST(Statistics, OfASample) {
  const std::vector<double> values = {4, 1, 3, 2};
  const Statistics s = statistics_of(values);
  EXPECT_EQ(s.mean, 2.5);
  EXPECT_EQ(s.median, 2.5);
  EXPECT_NEAR(s.std, 1.2909944487358056, 1e-15);
  EXPECT_EQ(s.min, 1);
  EXPECT_EQ(s.max, 4);
  EXPECT_TRUE(std::isnan(statistics_of(std::vector<double>{7}).std));
  EXPECT_TRUE(std::isnan(statistics_of({}).mean));
  EXPECT_NEAR(quantile(std::vector<double>{0, 10, 20}, 0.9), 18, 1e-12);
}

TEST(Statistics, TheBootstrapIntervalCoversAndRepeats) {
  Random random(3);
  std::vector<double> values(200);
  for (double& x : values) x = 5 + random.normal();
  const Interval interval = bootstrap_mean(values);
  const double mean = statistics_of(values).mean;
  // A mean of 200 values has a standard error of 1 / sqrt(200) = 0.07; the interval is +- 1.96 of.
  EXPECT_NEAR(interval.low, mean - 0.139, 0.03);
  EXPECT_NEAR(interval.high, mean + 0.139, 0.03);
  EXPECT_EQ(bootstrap_mean(values).low, interval.low);
  EXPECT_NE(bootstrap_mean(values, {.seed = 2}).low, interval.low);
}

TEST(Statistics, PairedDifferences) {
  // Of ten equal differences only the two assignments of one sign are as far: p is about 2 / 1024.
  const std::vector<double> low(10, 0.25), high(10, 0.5);
  const PairedDifference clear = paired_difference(high, low);
  EXPECT_EQ(clear.mean, 0.25);
  EXPECT_NEAR(clear.p_value, 2.0 / 1024, 0.0015);
  EXPECT_EQ(clear.interval.low, 0.25);
  EXPECT_EQ(paired_difference(low, high).mean, -0.25);
  EXPECT_EQ(paired_difference(low, low).p_value, 1);
  // {3, 1}: of the four signings two are as far as 2 (sums 4 and -4): p is about a half.
  EXPECT_NEAR(paired_difference(std::vector<double>{3, 1}, std::vector<double>{0, 0}).p_value, 0.5,
              0.02);
  // Without a difference p is uniform: below a tenth in about a tenth of the cases.
  Random random(4);
  int below = 0;
  for (int round = 0; round < 300; round++) {
    std::vector<double> a(30), b(30);
    for (double& x : a) x = random.normal();
    for (double& x : b) x = random.normal();
    below += paired_difference(a, b, {.resamples = 10, .seed = uint64_t(round)}, 400).p_value < 0.1;
  }
  EXPECT_NEAR(below, 30, 15);
  EXPECT_TRUE(std::isnan(paired_difference({}, {}).p_value));
}

TEST(Scores, NumbersAsPythonWritesThem) {
  EXPECT_EQ(python_repr(1), "1.0");
  EXPECT_EQ(python_repr(0), "0.0");
  EXPECT_EQ(python_repr(2.0 / 3), "0.6666666666666666");
  EXPECT_EQ(python_repr(0.0001), "0.0001");
  EXPECT_EQ(python_repr(0.00001), "1e-05");
  EXPECT_EQ(python_repr(1.5e-7), "1.5e-07");
  EXPECT_EQ(python_repr(1e15), "1000000000000000.0");
  EXPECT_EQ(python_repr(1e16), "1e+16");
  EXPECT_EQ(python_repr(0.1 + 0.2), "0.30000000000000004");
}

class RougeFiles : public ::testing::Test {
 protected:
  std::string error(std::string_view predictions, std::string_view references) const {
    const TextSource a{folder_.write("a.jsonl", predictions), "p"};
    const TextSource b{folder_.write("b.jsonl", references), "r"};
    return error_of([&] { pair_texts(a, {{b}}); });
  }
  TestFolder folder_;
};

TEST_F(RougeFiles, PairsByIdOrByOrder) {
  const TextSource a{folder_.write("a.jsonl", "{\"id\":\"x\",\"p\":\"1\"}\n{\"id\":2,\"p\":\"2\"}"),
                     "p"};
  const TextSource b{folder_.write("b.jsonl", "{\"id\":2,\"r\":\"3\"}\n{\"id\":\"x\",\"r\":\"4\"}"),
                     "r"};
  const TextSource plain{folder_.write("c.jsonl", "{\"r\":\"5\"}\n{\"r\":\"6\"}\n"), "r"};
  const std::vector<TextPair> by_id = pair_texts(a, {{b}});
  ASSERT_EQ(by_id.size(), 2u);
  EXPECT_EQ(by_id[0].id, "2");
  EXPECT_EQ(by_id[0].prediction, "2");
  EXPECT_THAT(by_id[1].references, ElementsAre("4"));
  const std::vector<TextPair> by_order = pair_texts(plain, {{plain}});
  EXPECT_EQ(by_order[1].id, "2");
  EXPECT_EQ(pair_texts(a, {{plain}})[0].id, "x");
}

TEST_F(RougeFiles, RefusesWhatDoesNotMatch) {
  const char* x = "{\"id\":\"x\",\"p\":\"a\",\"r\":\"a\"}\n";
  const char* y = "{\"id\":\"y\",\"p\":\"a\",\"r\":\"a\"}\n";
  const char* none = "{\"p\":\"a\",\"r\":\"a\"}\n";
  EXPECT_THAT(error(x, y), HasSubstr("a.jsonl' lacks 1: y"));
  EXPECT_THAT(error(std::string(x) + y, y), HasSubstr("b.jsonl' lacks 1: x"));
  EXPECT_THAT(error(std::string(x) + x, x), HasSubstr("line 2"));
  EXPECT_THAT(error(std::string(none) + none, none), HasSubstr("has 2"));
  EXPECT_THAT(error(std::string(x) + none, x), HasSubstr("line 2 has none"));
  EXPECT_THAT(error("{\"id\":\"x\"}", x), HasSubstr("'p' is missing"));
  EXPECT_THAT(error("{\"p\":3}", x), HasSubstr("must be a string"));
  EXPECT_THAT(error("{\"id\":[],\"p\":\"\"}", x), HasSubstr("a string or an integer"));
  EXPECT_THAT(error("", x), HasSubstr("must have rows"));
  EXPECT_THAT(error_of([] { parse_text_source("file.jsonl"); }), HasSubstr("FILE.jsonl:key"));
  EXPECT_EQ(parse_text_source("a:b/c.jsonl:key").path, "a:b/c.jsonl");
}

TEST_F(RougeFiles, WritesTheCsvAndTheStatistics) {
  const fs::path path = folder_.write("a.jsonl",
                                      "{\"id\":\"1,2\",\"p\":\"a b c d\",\"r\":\"a b c e\"}\n"
                                      "{\"id\":\"two\",\"p\":\"same text\",\"r\":\"same text\"}\n");
  const std::vector<ItemScores> items = rouge_files({.predictions = {path, "p"},
                                                     .references = {{path, "r"}},
                                                     .csv = folder_.path() / "s.csv"})
                                            .items;
  EXPECT_EQ(read_file(folder_.path() / "s.csv"),
            "rouge1_precision,rouge1_recall,rouge1_fmeasure,rouge2_precision,rouge2_recall,"
            "rouge2_fmeasure,rougeL_precision,rougeL_recall,rougeL_fmeasure,id\n"
            "0.75,0.75,0.75,0.6666666666666666,0.6666666666666666,0.6666666666666666,"
            "0.75,0.75,0.75,\"1,2\"\n"
            "1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0,two\n");
  const Json json = scores_json(items);
  EXPECT_EQ(json["n"], 2);
  EXPECT_EQ(json["rouge1"]["f1"]["mean"], 0.875);
  EXPECT_NEAR(json["rougeL"]["recall"]["std"].get<double>(), 0.1767766952966369, 1e-15);
  EXPECT_EQ(json["rouge2"]["precision"]["max"], 1.0);
  EXPECT_THAT(scores_table(items), HasSubstr("ROUGE-1 F1           0.8750   0.8750   0.1768"));
}

TEST_F(RougeFiles, ReadsLinesAndColumns) {
  const TextSource lines = parse_text_source(folder_.write("a.txt", "one\n\nthree\n").string());
  const fs::path csv = folder_.write("b.csv", "x,text,id\n1,\"two, \nlines\",p\n2,b,q\n");
  const TextSource column = parse_text_source(csv.string() + ":text");
  EXPECT_EQ(read_text_rows(lines).at(1).text, "");
  EXPECT_EQ(read_text_rows(lines).size(), 3u);
  EXPECT_EQ(read_text_rows(column).at(0).text, "two, \nlines");
  EXPECT_EQ(read_text_rows(column).at(1).id, "q");
  EXPECT_EQ(read_text_rows({csv, "x"}).at(1).text, "2");
  EXPECT_THAT(error_of([&] { read_text_rows({csv, "y"}); }), HasSubstr("a column 'y'"));
  EXPECT_THAT(error_of([] { parse_text_source("a.csv"); }), HasSubstr("FILE.csv:column"));
  EXPECT_EQ(parse_text_source("a:b/c.txt").key, "");
}

class SeveralReferences : public RougeFiles {
 protected:
  std::vector<ItemScores> scored(ReferenceRule rule, size_t best_by = 0) {
    const TextSource p{folder_.write("p.jsonl", "{\"id\":1,\"p\":\"a b c d\"}\n"), "p"};
    const std::vector<TextSource> references = {
        {folder_.write("r.jsonl", "{\"id\":1,\"r\":\"b a d c\"}\n"), "r"},   // all words, no bigram
        {folder_.write("s.jsonl", "{\"id\":1,\"r\":\"a b x y\"}\n"), "r"}};  // a bigram
    return score_pairs(pair_texts(p, references), {.rule = rule, .best_by = best_by});
  }
};

TEST_F(SeveralReferences, AreCombinedByTheRuleThatIsNamed) {
  const RougeScores mean = scored(ReferenceRule::mean)[0].rouge;
  EXPECT_EQ(mean.rouge1.f1, 0.75);
  EXPECT_NEAR(mean.rouge2.f1, 1.0 / 6, 1e-15);
  const RougeScores best = scored(ReferenceRule::best)[0].rouge;
  EXPECT_EQ(best.rouge1.f1, 1);
  EXPECT_NEAR(best.rouge2.f1, 1.0 / 3, 1e-15);
  const RougeScores by_first = scored(ReferenceRule::best_by_one, 0)[0].rouge;
  EXPECT_EQ(by_first.rouge1.f1, 1);
  EXPECT_EQ(by_first.rouge2.f1, 0);
  const RougeScores by_second = scored(ReferenceRule::best_by_one, 1)[0].rouge;
  EXPECT_EQ(by_second.rouge1.f1, 0.5);
}

TEST_F(RougeFiles, ThreadsDoNotChangeTheScores) {
  Random random(8);
  std::vector<TextPair> pairs;
  for (int i = 0; i < 101; i++)
    pairs.push_back({std::to_string(i), random_text(random, 40), {random_text(random, 40)}});
  const ScoreOptions one{.rouge = {.metrics = kAll}};
  ScoreOptions three = one;
  three.n_threads = 3;
  EXPECT_EQ(scores_csv(score_pairs(pairs, one), kAll), scores_csv(score_pairs(pairs, three), kAll));
  EXPECT_EQ(score_pairs(std::span(pairs).first(2), three).size(), 2u);
}

TEST_F(RougeFiles, ComparesTwoSystems) {
  const fs::path path = folder_.write("a.jsonl",
                                      "{\"p\":\"a b\",\"q\":\"x\",\"r\":\"a b\"}\n"
                                      "{\"p\":\"c d\",\"q\":\"c\",\"r\":\"c d\"}\n");
  RougeFilesOptions options{
      .predictions = {path, "p"}, .references = {{path, "r"}}, .against = TextSource{path, "q"}};
  const RougeReport report = rouge_files(options);
  const Json json = rouge_json(report);
  EXPECT_EQ(json["rouge1"]["f1"]["mean"], 1);
  EXPECT_NEAR(json["difference"]["rouge1"]["mean"].get<double>(), 2.0 / 3, 1e-12);
  EXPECT_EQ(json["difference"]["test"], "paired permutation, two-sided");
  EXPECT_EQ(json["f1_intervals"]["rouge1"]["low"], 1);
  EXPECT_EQ(json["reference_rule"], nullptr);
  EXPECT_THAT(rouge_table(report), HasSubstr("paired permutation test, two-sided, 10000"));
}

TEST_F(RougeFiles, ReproducesTheSeedsCsvsToTheLastDigit) {
  const fs::path seed = shared_data() / "seed";
  if (!fs::exists(seed)) GTEST_SKIP() << "shared/data is absent";
  const fs::path csv = folder_.path() / "s.csv";
  const std::vector<ItemScores> items =
      rouge_files({.predictions = {seed / "test_truth.jsonl", "summary"},
                   .references = {{seed / "test_truth.jsonl", "truth_summary"}},
                   .csv = csv})
          .items;
  EXPECT_EQ(read_file(csv), read_file(seed / "rouge_scores_analysis2.csv"));
  const Json json = scores_json(items);
  EXPECT_NEAR(json["rouge1"]["f1"]["mean"].get<double>(), 0.4818, 5e-5);
  EXPECT_NEAR(json["rouge2"]["f1"]["mean"].get<double>(), 0.1191, 5e-5);
  EXPECT_NEAR(json["rougeL"]["f1"]["mean"].get<double>(), 0.2407, 5e-5);
  rouge_files({.predictions = {seed / "all_results.jsonl", "generated_summary"},
               .references = {{seed / "all_results.jsonl", "original_summary"}},
               .csv = csv});
  EXPECT_EQ(read_file(csv), read_file(seed / "rouge_scores_analysis.csv"));
}

}  // namespace
}  // namespace chatmem
