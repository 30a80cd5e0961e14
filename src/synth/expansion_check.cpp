// What is wrong with an answer, told so that a model can put it right.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <span>
#include <unordered_map>

#include "base/error.h"
#include "synth/date_mentions.h"
#include "synth/dialogue.h"
#include "synth/expansion.h"
#include "text/words.h"

namespace chatmem {
namespace {

constexpr size_t kMaxFindings = 10;
// Of the dialogue's words, how many must be in the first conversation at all, and how many in their
// order. Of 183 answers of the original pipeline, those that kept the dialogue lie above, and those
// that retold it in a few messages have 10% to 44%.
constexpr double kMinKept = 0.5, kMinInOrder = 0.4;
// Months have 28 to 31 days, so a span may miss the days asked for by a tenth.
constexpr double kSpanSlack = 0.1;
constexpr int kMinSummaryWords = 40, kMaxSummaryWords = 600;
// Words compared of the dialogue and of the first conversation: the table has their product.
constexpr size_t kMaxSourceWords = 1500, kMaxChatWords = 3000;

// A word of the dialogue or of the first conversation, and who says it.
struct SpokenWord {
  std::string word;
  int who = 0;  // a placeholder's number, or an index of speakers
};

struct Alignment {
  double kept = 0, in_order = 0;           // shares of the dialogue's words
  std::map<int, std::map<int, int>> said;  // by person, then speaker: words in common, in order
};

// The longest common subsequence, walked back for who says its words.
Alignment align(const std::vector<SpokenWord>& source, const std::vector<SpokenWord>& chat) {
  Alignment result;
  std::unordered_map<std::string, int> counts;
  for (const SpokenWord& word : chat) counts[word.word]++;
  size_t kept = 0;
  for (const SpokenWord& word : source) {
    const auto found = counts.find(word.word);
    if (found != counts.end() && found->second-- > 0) kept++;
  }
  const size_t n = source.size(), m = chat.size();
  std::vector<uint16_t> table((n + 1) * (m + 1), 0);  // lengths of the rests
  const auto at = [&](size_t i, size_t j) -> uint16_t& { return table[i * (m + 1) + j]; };
  for (size_t i = n; i-- > 0;)
    for (size_t j = m; j-- > 0;)
      at(i, j) = source[i].word == chat[j].word ? uint16_t(at(i + 1, j + 1) + 1)
                                                : std::max(at(i + 1, j), at(i, j + 1));
  for (size_t i = 0, j = 0; i < n && j < m;) {
    if (source[i].word == chat[j].word) {
      result.said[source[i].who][chat[j].who]++;
      i++, j++;
    } else if (at(i + 1, j) >= at(i, j + 1)) {
      i++;
    } else {
      j++;
    }
  }
  result.kept = n ? double(kept) / double(n) : 1;
  result.in_order = n ? double(at(0, 0)) / double(n) : 1;
  return result;
}

bool share_word(std::string_view a, std::string_view b) {
  for (const std::string& word : words_of(a))
    for (const std::string& other : words_of(b))
      if (word == other) return true;
  return false;
}

class Checker {
 public:
  Checker(const SourceRow& row, const ExpansionTask& task, const Transformed& transformed)
      : task_(task), transformed_(transformed), dialogue_(parse_dialogue(row.dialogue)) {}

  std::vector<std::string> run() {
    check_today();
    check_length();
    for (size_t i = 0; i < transformed_.conversations.size(); i++) check_conversation(i);
    check_speakers();
    if (!transformed_.conversations.empty()) check_first_exchange();
    check_summary();
    if (findings_.size() > kMaxFindings) findings_.resize(kMaxFindings);
    return std::move(findings_);
  }

 private:
  template <typename... Args>
  void found(fmt::format_string<Args...> text, Args&&... args) {
    // One more than is told would do; a broken answer can have thousands.
    if (findings_.size() <= kMaxFindings)
      findings_.push_back(fmt::format(text, std::forward<Args>(args)...));
  }
  static std::string quoted(std::string_view text) {
    size_t end = std::min<size_t>(text.size(), 60);
    while (end > 0 && end < text.size() && (uint8_t(text[end]) & 0xC0) == 0x80) end--;
    return fmt::format("'{}'", text.substr(0, end));
  }

  void check_today() {
    if (transformed_.today != task_.today)
      found("today_date must be {}, is {}.", format_date(task_.today),
            format_date(transformed_.today));
  }

  void check_length() {
    const LengthGuidance& g = task_.guidance;
    const int n = int(transformed_.conversations.size());
    if (n < g.min_conversations || n > g.max_conversations)
      found("There must be {} to {} conversations, there are {}.", g.min_conversations,
            g.max_conversations, n);
    if (n < 2) return;
    const int span = int(
        (transformed_.conversations.back().date - transformed_.conversations.front().date).count());
    if (span < int(g.min_days * (1 - kSpanSlack)) || span > int(g.max_days * (1 + kSpanSlack)))
      found(
          "From the first conversation ({}) to the last ({}) there must be {} to {} days, "
          "there are {}.",
          format_date(transformed_.conversations.front().date),
          format_date(transformed_.conversations.back().date), g.min_days, g.max_days, span);
  }

  void check_conversation(size_t index) {
    const DatedChat& chat = transformed_.conversations[index];
    const std::string where = fmt::format("Conversation {}", index + 1);
    if (index > 0 && chat.date < transformed_.conversations[index - 1].date)
      found("{}: its date {} is before that of the conversation before it, {}.", where,
            format_date(chat.date), format_date(transformed_.conversations[index - 1].date));
    if (chat.messages.empty()) found("{}: it must have messages, it has none.", where);
    for (size_t i = 0; i < chat.messages.size(); i++)
      check_message(chat, i, fmt::format("{}, message {}", where, i + 1));
  }

  void check_message(const DatedChat& chat, size_t index, const std::string& where) {
    const Message& message = chat.messages[index];
    if (message.speaker().empty() || words_of(message.text()).empty())
      found("{}: it must read 'Speaker: text', it reads {}.", where, quoted(message.content));
    if (has_placeholder(message.content))
      found("{}: a placeholder such as #Person1# is left, in {}.", where, quoted(message.content));
    const auto time = message.time();
    if (!time) {
      found("{}: its timestamp must be a real day and time 'YYYY-MM-DD HH:MM', it is {}.", where,
            quoted(message.timestamp));
      return;
    }
    if (index == 0 && date_of(*time) != chat.date)
      found("{}: it is on {}, but its conversation is dated {}.", where,
            format_date(date_of(*time)), format_date(chat.date));
    if (latest_ && *time < *latest_)
      found("{}: its time {} is before that of the message before it, {}.", where,
            message.timestamp, format_minute(*latest_));
    if (date_of(*time) > task_.today)
      found("{}: its time {} is after today, {}.", where, message.timestamp,
            format_date(task_.today));
    latest_ = *time;
  }

  void check_speakers() {
    std::map<std::string, std::string> first_seen;  // speaker, place
    for (size_t c = 0; c < transformed_.conversations.size(); c++) {
      const std::vector<Message>& messages = transformed_.conversations[c].messages;
      for (size_t i = 0; i < messages.size(); i++)
        first_seen.try_emplace(std::string(messages[i].speaker()),
                               fmt::format("Conversation {}, message {}", c + 1, i + 1));
    }
    first_seen.erase("");  // told already
    if (!first_seen.contains("You")) found("The speaker 'You' must write messages, has none.");
    const size_t others = first_seen.size() - first_seen.count("You");
    if (others == 0) {
      found("Both speakers must write messages, only 'You' does.");
      return;
    }
    const bool named = std::any_of(first_seen.begin(), first_seen.end(), [&](const auto& speaker) {
      return speaker.first != "You" && share_word(speaker.first, task_.other_name);
    });
    if (!task_.other_name.empty() && !named)
      found("The other speaker must be called {}, no message is of that name.", task_.other_name);
    if (dialogue_.persons.size() != 2 || others == 1) return;
    std::string names;
    for (const auto& [speaker, place] : first_seen)
      if (speaker != "You")
        names += fmt::format("{}{} ({})", names.empty() ? "" : ", ", quoted(speaker), place);
    found(
        "There must be two speakers, 'You' and one other of always the same name; the others "
        "are {}.",
        names);
  }

  void check_first_exchange() {
    std::vector<SpokenWord> source, chat;
    for (const Utterance& turn : dialogue_.turns)
      for (std::string& word : words_of(without_placeholders(turn.text, {})))
        if (word != "someone" && source.size() < kMaxSourceWords)
          source.push_back({std::move(word), turn.person});
    std::vector<std::string> speakers;
    for (const Message& message : transformed_.conversations[0].messages) {
      const std::string speaker(message.speaker());
      const auto at = std::find(speakers.begin(), speakers.end(), speaker);
      const int who = int(at - speakers.begin());
      if (at == speakers.end()) speakers.push_back(speaker);
      for (std::string& word : words_of(message.text()))
        if (chat.size() < kMaxChatWords) chat.push_back({std::move(word), who});
    }
    const Alignment alignment = align(source, chat);
    if (alignment.kept < kMinKept)
      found(
          "Conversation 1 must be the given dialogue with its wording; only {:.0f}% of its words "
          "are there.",
          alignment.kept * 100);
    else if (alignment.in_order < kMinInOrder)
      found(
          "Conversation 1 must keep the order of the given dialogue; only {:.0f}% of its words "
          "come in order.",
          alignment.in_order * 100);
    else
      check_roles(alignment, speakers);
  }

  // Whose words are whose: #Person1# is You, and the second is somebody else.
  void check_roles(const Alignment& alignment, const std::vector<std::string>& speakers) {
    const auto speaker_of = [&](int person) -> std::string {
      const auto said = alignment.said.find(person);
      if (said == alignment.said.end()) return "";
      const auto most =
          std::max_element(said->second.begin(), said->second.end(),
                           [](const auto& a, const auto& b) { return a.second < b.second; });
      return speakers[size_t(most->first)];
    };
    const int reader = dialogue_.persons[0];
    const std::string first = speaker_of(reader);
    if (!first.empty() && first != "You")
      found(
          "Conversation 1: what #Person{}# says in the dialogue must be said by 'You', it is "
          "said by {}.",
          reader, quoted(first));
    if (dialogue_.persons.size() > 1 && speaker_of(dialogue_.persons[1]) == "You")
      found(
          "Conversation 1: what #Person{}# says in the dialogue must be said by the other "
          "speaker, it is said by 'You'.",
          dialogue_.persons[1]);
  }

  void check_summary() {
    const std::string& summary = transformed_.personal_summary;
    const int words = count_words(summary);
    if (words < kMinSummaryWords || words > kMaxSummaryWords)
      found("The summary must have 120 to 280 words, it has {}.", words);
    if (has_placeholder(summary)) found("The summary still has a placeholder such as #Person1#.");
    const std::vector<std::string> all = words_of(summary);
    if (std::none_of(all.begin(), all.end(), [](const std::string& word) {
          return word == "you" || word == "your" || word.starts_with("you'");
        }))
      found("The summary must address the reader as 'you', it never does.");
    const std::vector<DateMention> mentions = date_mentions(summary);
    if (std::none_of(mentions.begin(), mentions.end(), [&](const DateMention& mention) {
          return mention.month != 0 && mention.may_be(task_.today);
        }))
      found("The summary must name today's date, {}.", format_long_date(task_.today));
    const std::vector<DateMention> said = days_spoken_of();
    for (const DateMention& mention : mentions)
      if (!is_known(mention, said))
        found(
            "The summary names {}, which is neither the day of a message, nor a day that a "
            "message names, nor today ({}).",
            quoted(std::string_view(summary).substr(mention.begin, mention.end - mention.begin)),
            format_date(task_.today));
  }

  // Days that messages name. "on the 23rd" means one of the month it is said in or of the next.
  std::vector<DateMention> days_spoken_of() {
    std::vector<DateMention> all;
    for (const DatedChat& chat : transformed_.conversations)
      for (const Message& message : chat.messages) {
        const auto time = message.time();
        if (time) days_.insert(date_of(*time));
        for (DateMention& mention : date_mentions(message.text())) {
          if (mention.month == 0) {
            mention.month = month_of(chat.date);
            all.push_back(mention);
            mention.month = mention.month % 12 + 1;
          }
          all.push_back(mention);
        }
      }
    return all;
  }
  bool is_known(const DateMention& mention, std::span<const DateMention> said) const {
    if (mention.may_be(task_.today)) return true;
    if (std::any_of(days_.begin(), days_.end(), [&](Date day) { return mention.may_be(day); }))
      return true;
    return std::any_of(said.begin(), said.end(), [&](const DateMention& other) {
      return other.day == mention.day && (mention.month == 0 || other.month == mention.month) &&
             (!other.year || !mention.year || *other.year == *mention.year);
    });
  }

  const ExpansionTask& task_;
  const Transformed& transformed_;
  Dialogue dialogue_;
  std::vector<std::string> findings_;
  std::optional<Minute> latest_;
  std::set<Date> days_;
};

}  // namespace

std::vector<std::string> check_expansion(const SourceRow& row, const ExpansionTask& task,
                                         const Transformed& transformed) {
  return Checker(row, task, transformed).run();
}

}  // namespace chatmem
