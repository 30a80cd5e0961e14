#include "extractive/topics.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "base/chars.h"
#include "extractive/sentences.h"
#include "extractive/word_lists.h"
#include "text/words.h"

namespace chatmem {
namespace {

struct TopicCount {
  int messages = 0, determined = 0, capital = 0, vocative = 0;
  int first_message = -1, last_message = -1;
  std::map<std::string, int> surfaces;
  std::map<std::string, int> after;  // the word that follows, by its base, and how often
};
using Topics = std::unordered_map<std::string, TopicCount>;

bool is_capital(const std::string& word) {
  return std::isupper(static_cast<unsigned char>(word[0])) != 0;
}

bool is_determiner(const std::string& word) {
  static const PhraseSet kWords = phrase_set("the|a|an|my|your|our|his|her|their|this");
  return kWords.contains(word);
}

struct WrittenWord {
  std::string text, lower;
  char before = ' ', after = ' ';  // the punctuation around it, or a space
};

// Letters and inner hyphens; "Mum's" gives "Mum", "don't" is left out.
std::vector<WrittenWord> written_words(std::string_view sentence) {
  std::vector<WrittenWord> words;
  char before = ' ';
  for (size_t i = 0; i < sentence.size();) {
    if (!is_alphabetic(sentence[i])) {
      if (sentence[i] != ' ') before = sentence[i];
      i++;
      continue;
    }
    size_t end = i;
    while (end < sentence.size() && (is_alphabetic(sentence[end]) || sentence[end] == '-')) end++;
    WrittenWord word{std::string(sentence.substr(i, end - i)), {}, before, ' '};
    word.lower = to_lower_ascii(word.text);
    before = ' ';
    i = end;
    if (end < sentence.size() && sentence[end] == '\'') {
      while (i < sentence.size() && sentence[i] != ' ') i++;
      if (sentence.substr(end, 2) != "'s") continue;
    }
    if (i < sentence.size()) word.after = sentence[i];
    words.push_back(std::move(word));
  }
  return words;
}

// A name called out: "Denise, the offer came", "See you, Denise!"
bool is_vocative(const std::vector<WrittenWord>& words, size_t i) {
  const bool stop_after = words[i].after == ',' || words[i].after == '.' || words[i].after == '!' ||
                          words[i].after == '?';
  const bool after_greeting = i > 0 && i < 3 && is_stopword(words[i - 1].lower);
  return stop_after && (i == 0 || words[i].before == ',' || after_greeting);
}

void count_topics(std::string_view sentence, int message, Topics& topics) {
  const std::vector<WrittenWord> words = written_words(sentence);
  for (size_t i = 0; i < words.size(); i++) {
    const WrittenWord& word = words[i];
    if (word.lower.size() < 3 || is_stopword(word.lower)) continue;
    TopicCount& topic = topics[base_form(word.lower)];
    if (topic.first_message < 0) topic.first_message = message;
    if (topic.last_message != message) topic.messages++;
    topic.last_message = message;
    const bool joined = i + 1 < words.size() && word.after == ' ' &&
                        !is_stopword(words[i + 1].lower);  // with the next word, by its look
    topic.determined += i > 0 && !joined && word.before == ' ' && is_determiner(words[i - 1].lower);
    // A capital at the start of a sentence proves nothing, and "Beach" of "Lanikai Beach" little.
    const bool capital = i > 0 && is_capital(word.text);
    topic.capital += capital && !joined && !(word.before == ' ' && is_capital(words[i - 1].text));
    topic.vocative += is_capital(word.text) && is_vocative(words, i);
    if (i > 0) topic.surfaces[capital ? word.text : word.lower]++;
    if (joined) topic.after[base_form(words[i + 1].lower)]++;
  }
}

// The day of the week, a title, or a word that is rarely what a chat is about.
bool is_no_subject(const std::string& lower) {
  static const PhraseSet kWords = phrase_set(
      "monday|tuesday|wednesday|thursday|friday|saturday|sunday|january|february|march|april|june|"
      "july|august|september|october|november|december|mr|mrs|ms|dr|hour|minute|couple|person|"
      "chance|lol|advice|step|way|hand|rest|part|fact|reason|side|case|future|favor|pleasure|"
      "congratulation|detail|option|list|number|name|call|break|world|deal|ton|dollar|pound|god|"
      "guidance|support|update|past|luck");
  return kWords.contains(lower);
}

std::string surface_of(const TopicCount& topic) {
  return std::max_element(topic.surfaces.begin(), topic.surfaces.end(),
                          [](const auto& a, const auto& b) { return a.second < b.second; })
      ->first;
}

// The base that mostly follows `base`, so that both are one subject ("space agency"); or empty.
std::string companion(const Topics& topics, const std::string& base) {
  const TopicCount& topic = topics.at(base);
  for (const auto& [next, count] : topic.after) {
    const auto it = topics.find(next);
    if (it == topics.end() || next == base || count < 2) continue;
    if (topic.surfaces.empty() || it->second.surfaces.empty()) continue;
    if (2 * count >= std::min(topic.messages, it->second.messages) &&
        is_capital(surface_of(topic)) == is_capital(surface_of(it->second)))
      return next;
  }
  return "";
}

}  // namespace

std::vector<Topic> find_topics(const Conversation& conversation,
                               const std::vector<std::string>& names, int n) {
  Topics topics;
  for (int i = 0; i < int(conversation.messages.size()); i++)
    for (const auto sentence : split_sentences(conversation.messages[size_t(i)].text()))
      count_topics(sentence, i, topics);
  std::unordered_set<std::string> used;
  for (const std::string& name : names)
    for (const std::string& word : words_of(name)) used.insert(base_form(word));
  const auto weight = [](const TopicCount& t) {
    return t.messages + 0.5 * std::min(t.determined + t.capital, 6);
  };
  std::vector<std::pair<double, std::string>> ranked;
  for (const auto& [base, topic] : topics)
    if (topic.messages >= 2 && topic.determined + topic.capital > 0 &&
        4 * topic.vocative < topic.messages && !is_no_subject(base))
      ranked.emplace_back(-weight(topic), base);
  std::sort(ranked.begin(), ranked.end());
  std::map<std::string, std::string> leader;  // the word that a base mostly follows
  for (const auto& [_, base] : ranked)
    if (const std::string next = companion(topics, base); !next.empty()) leader.emplace(next, base);
  std::vector<Topic> found;
  for (const auto& [_, ranked_base] : ranked) {
    if (int(found.size()) == n) break;
    std::string base = ranked_base;
    if (const auto it = leader.find(base); it != leader.end() && !used.contains(it->second))
      base = it->second;
    if (!used.insert(base).second) continue;
    const TopicCount& topic = topics.at(base);
    std::string text = surface_of(topic);
    std::vector<int> messages = {topic.first_message};
    if (const std::string next = companion(topics, base); !next.empty()) {
      if (!used.insert(next).second) continue;
      if (!is_capital(text)) text = base;  // "the studio system", not "the studios system"
      text += ' ' + surface_of(topics.at(next));
      messages.push_back(topics.at(next).first_message);
    }
    found.push_back({is_capital(text) ? text : "the " + text, std::move(messages)});
  }
  return found;
}

}  // namespace chatmem
