// The Porter stemmer as NLTK extends it (PorterStemmer, mode NLTK_EXTENSIONS): what rouge_score
// stems with. It differs from Martin Porter's own program in 443 of the 23,531 words of NLTK's test
// vocabulary.
#pragma once
#include <string>
#include <string_view>

namespace chatmem {

// Replaces a word of [a-z0-9] by its stem, which is never longer. Digits count as consonants.
void porter_stem_in_place(std::string& word);
std::string porter_stem(std::string_view word);

}  // namespace chatmem
