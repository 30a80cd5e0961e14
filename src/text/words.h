// Words of English text: what the summarizer and the search for related dialogues count.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace chatmem {

// Lower-cased runs of letters, digits, inner apostrophes and non-ASCII bytes. "Don't go!" gives
// "don't", "go".
std::vector<std::string> words_of(std::string_view text);

// Words that say nothing about a subject: articles, pronouns, auxiliaries, greetings, fillers.
bool is_stopword(std::string_view lower_case_word);

// A word without plural and possessive endings: "projects" and "project's" give "project".
std::string base_form(std::string_view lower_case_word);

// The number of words separated by spaces.
int count_words(std::string_view text);

std::string to_lower_ascii(std::string_view text);

}  // namespace chatmem
