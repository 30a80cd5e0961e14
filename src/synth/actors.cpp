// The names of those who act in a summary, by what stands around them.
#include <algorithm>
#include <cctype>
#include <unordered_set>

#include "synth/dialogue.h"
#include "synth/marked_text.h"
#include "synth/retell.h"
#include "synth/sentences.h"
#include "text/names.h"
#include "text/words.h"

namespace chatmem {
namespace {

using WordSet = std::unordered_set<std::string_view>;

// One sentence's names.
class ActorFinder {
 public:
  ActorFinder(const std::vector<Token>& tokens, std::string_view spoken)
      : tokens_(tokens), spoken_(spoken) {}

  std::vector<std::string> run() {
    std::vector<std::string> found;
    for (size_t i = 0; i < tokens_.size();) {
      if (!may_begin_name(i)) {
        i++;
        continue;
      }
      const size_t end = name_end(i);
      if (acts(i, end)) found.push_back(text(i, end));
      i = end;
    }
    return found;
  }

 private:
  bool may_begin_name(size_t i) const {
    const Token& token = tokens_[i];
    return is_capital(token) && token.text.size() > 1 && !is_stopword(token.lower) &&
           !is_gendered_pronoun(token.lower) && !is_adverb(token.lower) &&
           !(i > 0 && tokens_[i - 1].text == "#") && !token.lower.starts_with("person");
  }
  static bool is_genitive(const Token& token) { return token.lower.ends_with("'s"); }

  // After the last of its words: "Mrs. Doyle", "Judy Liao".
  size_t name_end(size_t i) const {
    size_t end = i + 1;
    for (int words = 1; words < 3 && !is_genitive(tokens_[end - 1]); words++) {
      size_t next = end;
      if (next < tokens_.size() && tokens_[next].text == "." && is_title(tokens_[end - 1].text))
        next++;
      if (next + 1 >= tokens_.size() || tokens_[next].text != " " || !is_capital(tokens_[next + 1]))
        break;
      end = next + 2;
    }
    return end;
  }
  std::string text(size_t begin, size_t end) const {
    std::string name;
    for (size_t i = begin; i < end; i++) name += tokens_[i].text;
    if (name.ends_with("'s")) name.resize(name.size() - 2);
    return name;
  }
  const Token* word_after(size_t end) const {
    size_t i = end;
    while (i < tokens_.size() && (tokens_[i].text == " " || is_adverb(tokens_[i].lower))) i++;
    return i < tokens_.size() && tokens_[i].word ? &tokens_[i] : nullptr;
  }
  bool is_first(size_t begin) const {
    return std::none_of(tokens_.begin(), tokens_.begin() + std::ptrdiff_t(begin),
                        [](const Token& token) { return token.word; });
  }

  bool acts(size_t begin, size_t end) const {
    const Token& first = tokens_[begin];
    const bool known = is_title(first.text) || is_given_name(text(begin, begin + 1));
    if (known) return true;
    const Token* after = word_after(end);
    if (is_first(begin)) {
      if (after && is_human_verb(after->lower)) return true;
      if (is_no_common_word(begin, end, after)) return true;
      return end < tokens_.size() && tokens_[end].text == " " && after && after->lower == "and" &&
             pair_follows(end);
    }
    const bool blank = begin >= 2 && tokens_[begin - 1].text == " " && tokens_[begin - 2].word;
    const Token* before = blank ? &tokens_[begin - 2] : nullptr;
    if (after && is_verb(*after) && !is_also_noun(after->lower) && !is_preposition(before))
      return true;
    return before &&
           (is_human_verb(before->lower) || (names_somebody(*before) && !is_capital(*before)));
  }
  // "Leila has found", "Frances's laptop", "Tamsin, a nurse": no word that the dialogue has too.
  bool is_no_common_word(size_t begin, size_t end, const Token* after) const {
    const std::string word = text(begin, begin + 1), name = to_lower_ascii(word);
    if (spoken_.empty() || name.size() < 3 || is_role_word(tokens_[begin]) ||
        !past_of_base(name).empty() || name.ends_with("ing") || name.ends_with("tion") ||
        spoken_.find(' ' + name) != std::string_view::npos || is_said_only_first(word))
      return false;
    const bool owner = is_genitive(tokens_[end - 1]);
    const bool comma = end + 2 < tokens_.size() && tokens_[end].text == "," &&
                       (tokens_[end + 2].lower == "who" || tokens_[end + 2].lower == "a" ||
                        tokens_[end + 2].lower == "an" || tokens_[end + 2].lower == "whose");
    return owner || comma ||
           (after && is_verb(*after) && !is_also_noun(after->lower) && !name.ends_with('s'));
  }
  // Whether the dialogue has the word, but never where only a name has a capital: after a comma or
  // another word.
  bool is_said_only_first(const std::string& word) const {
    bool said = false;
    for (size_t at = spoken_.find(' ' + word); at != spoken_.npos;
         at = spoken_.find(' ' + word, at + 1)) {
      const char before = at > 0 ? spoken_[at - 1] : '.';
      const size_t end = at + 1 + word.size();
      if (std::isalpha(static_cast<unsigned char>(before)) || before == ',' ||
          (end < spoken_.size() && spoken_[end] == ','))
        return false;
      said = true;
    }
    return said;
  }
  static bool is_role_word(const Token& token) {
    return names_somebody(token) && !is_given_name(token.text);
  }

  // "Pavel and Ilse revise"
  bool pair_follows(size_t end) const {
    const size_t second = end + 3;
    return second < tokens_.size() && is_capital(tokens_[second]) &&
           word_after(name_end(second)) != nullptr &&
           (!past_of_base(word_after(name_end(second))->lower).empty() ||
            is_auxiliary(word_after(name_end(second))->lower));
  }
  static bool is_preposition(const Token* token) {
    static const WordSet kPrepositions = {"in", "to", "from", "at", "of", "on", "for", "through"};
    return token && kPrepositions.contains(token->lower);
  }

  const std::vector<Token>& tokens_;
  std::string_view spoken_;
};

}  // namespace

std::vector<std::string> actors_of(std::string_view summary, std::string_view spoken) {
  const std::string dialogue = ' ' + std::string(spoken);
  std::vector<std::string> actors;
  for (const std::string& sentence : sentences_of(summary)) {
    const std::vector<Token> tokens = tokenize(sentence);
    for (std::string& name :
         ActorFinder(tokens, spoken.empty() ? std::string_view() : dialogue).run()) {
      const bool again = std::any_of(actors.begin(), actors.end(), [&](const std::string& other) {
        return has_name(other, name) || has_name(name, other);
      });
      if (!again) actors.push_back(std::move(name));
    }
  }
  return actors;
}

}  // namespace chatmem
