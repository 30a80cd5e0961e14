// Which dialogues belong to a dialogue: the same topic, or close wording (tf-idf cosine).
#pragma once
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "synth/provider.h"

namespace chatmem {

// A text as weights of terms, sorted by term, of length 1.
struct TermVector {
  std::vector<std::pair<int, float>> weights;
};
float cosine(const TermVector& a, const TermVector& b);

class RelatedIndex {
 public:
  explicit RelatedIndex(const std::vector<SourceRow>& rows);

  struct Match {
    int row;
    float similarity;
    bool same_topic;
  };
  // Best first: rows of the same topic and rows of close wording; never the row itself or an exact
  // duplicate of it, no two exact duplicates.
  std::vector<Match> related(int row, int limit) const;

  float similarity(int a, int b) const { return cosine(vectors_[size_t(a)], vectors_[size_t(b)]); }
  // The vector of any text over the terms of the rows.
  TermVector vector_of(const std::string& text) const;
  // Rows with the same dialogue after normalisation have the same number.
  int duplicate_class(int row) const { return class_[size_t(row)]; }

 private:
  std::unordered_map<std::string, int> terms_;
  std::vector<float> idf_;
  std::vector<TermVector> vectors_;
  std::vector<std::vector<std::pair<int, float>>> postings_;  // by term: row and weight
  std::unordered_map<std::string, std::vector<int>> topics_;
  std::vector<std::string> topic_of_;
  std::vector<int> class_;
};

}  // namespace chatmem
