// The offline provider: no key, no network. The row's dialogue is the first exchange, dialogues of
// other rows that belong to it follow, the summary is composed of the rows' human summaries.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <exception>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "base/error.h"
#include "base/hash.h"
#include "base/random.h"
#include "synth/casting.h"
#include "synth/deixis.h"
#include "synth/dialogue.h"
#include "synth/provider.h"
#include "synth/related.h"
#include "synth/retell.h"
#include "synth/roles.h"
#include "synth/schedule.h"
#include "synth/sentences.h"
#include "text/names.h"
#include "text/time_words.h"
#include "text/words.h"

namespace chatmem {
namespace {

constexpr int kCandidates = 60;          // related rows looked at for one row
constexpr float kNearDuplicate = 0.55f;  // cosine from which two dialogues tell the same

// One dialogue of the conversation to be: whose row, who is who in it.
struct Exchange {
  int row = 0;
  Dialogue dialogue;
  int you = 1, other = 2;  // placeholder numbers
};

// What is held against a follow-up, in units of the similarity that ranks them.
constexpr float kOtherRoles = 0.5f, kUnclearRoles = 0.15f, kNamesDate = 0.1f, kStrangers = 0.4f;
// A follow-up below the first is worse than none; below the second, where there are enough.
constexpr float kWorst = 0.0f, kDistant = 0.1f;

// The two persons of the whole conversation.
struct Persons {
  std::string you_name;  // empty: nobody calls the reader by name
  std::string other_name;
  Gender you_gender = Gender::kUnknown, other_gender = Gender::kUnknown;
};

std::string text_of(const Dialogue& dialogue, int person) {
  std::string text;
  for (const Utterance& turn : dialogue.turns)
    if (turn.person == person) text += turn.text + '\n';
  return text;
}

std::string name_in(const Dialogue& dialogue, int person) {
  const auto it = dialogue.names.find(person);
  return it == dialogue.names.end() ? "" : it->second;
}

Gender gender_in(const Dialogue& dialogue, int person) {
  const auto it = dialogue.genders.find(person);
  return it == dialogue.genders.end() ? Gender::kUnknown : it->second;
}

// Whether a summary has pronouns of the other gender than this, and nobody named to bear them.
bool speaks_of_the_other_gender(std::string_view summary, Gender gender) {
  static constexpr std::string_view kHe[] = {"he", "him", "his", "himself", "he's"};
  static constexpr std::string_view kShe[] = {"she", "her", "hers", "herself", "she's"};
  const std::span<const std::string_view> words =
      gender == Gender::kMale ? std::span(kShe) : std::span(kHe);
  bool spoken = false;
  for (const std::string& word : words_of(summary)) {
    spoken |= std::find(words.begin(), words.end(), word) != words.end();
    if (is_given_name(word) && word != "will") return false;
  }
  return spoken;
}

// Whether two forms may name one person: "Mr. Smith" and "Smith", "Judy" and "Judy Liao".
bool same_person(const std::string& a, const std::string& b) {
  return a == b || a.ends_with(" " + b) || b.ends_with(" " + a) || a.starts_with(b + " ") ||
         b.starts_with(a + " ");
}

class OfflineProvider : public Provider {
 public:
  OfflineProvider(const std::vector<SourceRow>& rows, const OfflineOptions& options)
      : rows_(rows), options_(options), index_(rows) {
    for (const SourceRow& row : rows) usable_.push_back(usable(row));
  }

  Json settings() const override {
    return {{"provider", "offline"}, {"seed", options_.seed}, {"year", options_.year}};
  }

  // By all threads; the first exception of one of them is thrown here.
  ExpandEnd expand(std::span<const RowTask> tasks, ExpandSink& sink) override {
    std::atomic<size_t> next{0};
    std::exception_ptr failure;
    std::mutex failure_mutex;
    const auto work = [&] {
      try {
        for (size_t i; (i = next++) < tasks.size();) sink.done(tasks[i], expanded(tasks[i].index));
      } catch (const std::exception&) {
        const std::lock_guard lock(failure_mutex);
        if (!failure) failure = std::current_exception();
        next = tasks.size();
      }
    };
    const size_t n_threads = options_.threads > 0
                                 ? size_t(options_.threads)
                                 : std::max<size_t>(1, std::thread::hardware_concurrency());
    std::vector<std::thread> workers;
    for (size_t i = 1; i < std::min(n_threads, tasks.size()); i++) workers.emplace_back(work);
    work();
    for (std::thread& worker : workers) worker.join();
    if (failure) std::rethrow_exception(failure);
    return {};
  }

 private:
  // A row that cannot be used is a result too: it says why.
  Expanded expanded(size_t index) const {
    Expanded result;
    try {
      result.transformed = expand_row(index);
    } catch (const Error& error) {
      result.failure = error.what();
    }
    return result;
  }

  Transformed expand_row(size_t index) const {
    const SourceRow& row = rows_[index];
    Random random(hash64(row.id, hash64(fmt::format("{}", options_.seed))));
    Exchange first = first_exchange(int(index));
    Persons persons = cast_persons(first, random);
    const LengthGuidance guidance = length_guidance(row.id, row.topic);
    const int wanted = random.between(guidance.min_conversations, guidance.max_conversations);
    std::vector<Exchange> exchanges = {std::move(first)};
    add_follow_ups(exchanges, persons, guidance.min_conversations, wanted);
    const Calendar schedule = lay_days(guidance, int(exchanges.size()), options_.year, random);
    Transformed result;
    result.today = schedule.today;
    for (size_t i = 0; i < exchanges.size(); i++)
      result.conversations.push_back(
          {schedule.days[i], lay_messages(exchanges[i], persons, schedule.days[i], random)});
    result.personal_summary = compose(exchanges, persons, schedule, random);
    check(result);
    return result;
  }

  // What of a row is asked for again and again while others look for their follow-ups.
  struct Usable {
    Dialogue dialogue;
    TermVector words[2];  // of the two persons
    Roles roles;
    bool names_date = false;
    bool strangers = false;  // they meet for the first time
    bool another = false;    // somebody is addressed who is neither
  };

  // Empty when the row cannot follow another: not two speakers, or it goes to errors/ itself.
  std::optional<Usable> usable(const SourceRow& row) const {
    Usable usable;
    try {
      usable.dialogue = cast_dialogue(row.dialogue, row.summary);
    } catch (const Error&) {
      return std::nullopt;
    }
    if (usable.dialogue.persons.size() != 2) return std::nullopt;
    for (size_t i = 0; i < 2; i++)
      usable.words[i] = index_.vector_of(text_of(usable.dialogue, usable.dialogue.persons[i]));
    usable.roles = roles_of(usable.dialogue);
    usable.names_date =
        std::any_of(usable.dialogue.turns.begin(), usable.dialogue.turns.end(),
                    [](const Utterance& turn) { return names_calendar_date(turn.text); });
    usable.strangers =
        std::any_of(usable.dialogue.turns.begin(), usable.dialogue.turns.end(),
                    [](const Utterance& turn) { return greets_stranger(turn.text); });
    usable.another = addresses_another(usable.dialogue);
    return usable;
  }

  Exchange first_exchange(int row) const {
    Exchange exchange;
    exchange.row = row;
    const SourceRow& source = rows_[size_t(row)];
    const std::optional<Usable>& known = usable_[size_t(row)];
    exchange.dialogue = known ? known->dialogue : cast_dialogue(source.dialogue, source.summary);
    const std::vector<int>& persons = exchange.dialogue.persons;
    if (persons.size() < 2) throw Error("a dialogue must have two speakers, it has one");
    exchange.you = persons[0];
    exchange.other = persons[1];
    return exchange;
  }

  // The other's name as found, else one that fits how the other is addressed and spoken of and that
  // nobody in the dialogue has.
  Persons cast_persons(const Exchange& exchange, Random& random) const {
    Persons persons{
        name_in(exchange.dialogue, exchange.you), name_in(exchange.dialogue, exchange.other),
        gender_in(exchange.dialogue, exchange.you), gender_in(exchange.dialogue, exchange.other)};
    if (!persons.other_name.empty()) return persons;
    Gender gender = persons.other_gender;
    if (gender == Gender::kUnknown) gender = random.below(2) ? Gender::kFemale : Gender::kMale;
    persons.other_gender = gender;
    const auto stock = gender == Gender::kFemale ? female_names() : male_names();
    const SourceRow& row = rows_[size_t(exchange.row)];
    const std::string_view start = stock[random.below(stock.size())];
    const size_t at = size_t(std::find(stock.begin(), stock.end(), start) - stock.begin());
    for (size_t i = 0; i < stock.size(); i++) {
      persons.other_name = stock[(at + i) % stock.size()];
      if (row.dialogue.find(persons.other_name) == row.dialogue.npos &&
          row.summary.find(persons.other_name) == row.summary.npos)
        break;
    }
    return persons;
  }

  // Turns the roles of a follow-up so that each person speaks like before.
  void orient(Exchange& exchange, const TermVector& you, const TermVector& other) const {
    const int a = exchange.dialogue.persons[0], b = exchange.dialogue.persons[1];
    const TermVector& words_a = usable_[size_t(exchange.row)]->words[0];
    const TermVector& words_b = usable_[size_t(exchange.row)]->words[1];
    const float straight = cosine(you, words_a) + cosine(other, words_b);
    const float turned = cosine(you, words_b) + cosine(other, words_a);
    exchange.you = turned > straight * 1.2f ? b : a;
    exchange.other = exchange.you == a ? b : a;
  }

  // Whether the follow-up can be told of these persons. A name it gives to the nameless reader
  // becomes the reader's.
  bool fits(const Exchange& exchange, Persons& persons) const {
    const Dialogue& dialogue = exchange.dialogue;
    const std::string you = name_in(dialogue, exchange.you);
    const std::string other = name_in(dialogue, exchange.other);
    const auto clashes = [](Gender known, Gender found) {
      return known != Gender::kUnknown && found != Gender::kUnknown && known != found;
    };
    const Gender you_gender = gender_in(dialogue, exchange.you);
    const Gender other_gender = gender_in(dialogue, exchange.other);
    if (clashes(persons.you_gender, you_gender) || clashes(persons.other_gender, other_gender))
      return false;
    // "#Person2# has to buy a gift for her mother" is not told of a man.
    if (other_gender == Gender::kUnknown && persons.other_gender != Gender::kUnknown &&
        speaks_of_the_other_gender(dialogue.summary, persons.other_gender))
      return false;
    // Somebody else in it who bears one of the two names.
    const SourceRow& row = rows_[size_t(exchange.row)];
    for (const std::string& name : {persons.other_name, persons.you_name})
      if (!name.empty() && !same_person(name, you) && !same_person(name, other) &&
          row.dialogue.find(name) != row.dialogue.npos)
        return false;
    if (!persons.other_name.empty() && same_person(persons.other_name, you)) return false;
    if (!persons.you_name.empty() && same_person(persons.you_name, other)) return false;
    if (persons.you_name.empty() && !you.empty()) {
      if (same_person(persons.other_name, you)) return false;
      persons.you_name = you;
    }
    if (persons.you_gender == Gender::kUnknown) persons.you_gender = you_gender;
    if (persons.other_gender == Gender::kUnknown) persons.other_gender = other_gender;
    return true;
  }

  // How well the roles of a follow-up go with those of the first exchange; who serves there serves
  // here too, whatever the wording says.
  float role_blemish(Exchange& exchange, const Exchange& first, const Roles& before) const {
    const Roles& now = usable_[size_t(exchange.row)]->roles;
    if (before.serving && now.serving && before.relation == now.relation &&
        (before.serving == first.you) != (now.serving == exchange.you))
      std::swap(exchange.you, exchange.other);
    if (before.relation == now.relation) return 0;
    const bool known = before.relation != Relation::kUnknown && now.relation != Relation::kUnknown;
    return known ? kOtherRoles : kUnclearRoles;
  }

  struct Candidate {
    Exchange exchange;
    float score = 0;
  };

  // The dialogues that may follow, the nearest and least blemished first.
  std::vector<Candidate> candidates(const Exchange& first) const {
    const TermVector you = index_.vector_of(text_of(first.dialogue, first.you));
    const TermVector other = index_.vector_of(text_of(first.dialogue, first.other));
    const Roles roles = roles_of(first.dialogue);
    std::vector<Candidate> found;
    for (const RelatedIndex::Match& match : index_.related(first.row, kCandidates)) {
      const std::optional<Usable>& usable = usable_[size_t(match.row)];
      if (!usable || usable->another) continue;
      Candidate candidate;
      candidate.exchange.row = match.row;
      candidate.exchange.dialogue.persons = usable->dialogue.persons;
      orient(candidate.exchange, you, other);
      candidate.score = match.similarity - role_blemish(candidate.exchange, first, roles);
      // A day of the calendar that is spoken of contradicts the new dates.
      if (usable->names_date) candidate.score -= kNamesDate;
      if (usable->strangers) candidate.score -= kStrangers;
      found.push_back(std::move(candidate));
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const Candidate& a, const Candidate& b) { return a.score > b.score; });
    return found;
  }

  bool repeats(const std::vector<Exchange>& exchanges, int row) const {
    return std::any_of(exchanges.begin(), exchanges.end(), [&](const Exchange& taken) {
      return index_.duplicate_class(taken.row) == index_.duplicate_class(row) ||
             index_.similarity(taken.row, row) > kNearDuplicate;
    });
  }

  void add_follow_ups(std::vector<Exchange>& exchanges, Persons& persons, int enough,
                      int wanted) const {
    for (Candidate& candidate : candidates(exchanges[0])) {
      if (int(exchanges.size()) >= wanted) return;
      const float worst = int(exchanges.size()) < enough ? kWorst : kDistant;
      if (exchanges.size() > 1 && candidate.score < worst) return;
      Exchange& exchange = candidate.exchange;
      if (repeats(exchanges, exchange.row)) continue;
      exchange.dialogue = usable_[size_t(exchange.row)]->dialogue;
      Persons with_names = persons;
      // Only what the summary can tell of, too.
      if (!fits(exchange, with_names) || retold(exchange, with_names).empty()) continue;
      persons = with_names;
      exchanges.push_back(std::move(exchange));
    }
  }

  // The names of everybody who has a placeholder, as others say them.
  std::map<int, std::string> spoken_names(const Exchange& exchange, const Persons& persons) const {
    std::map<int, std::string> names;
    const std::string& dialogue = rows_[size_t(exchange.row)].dialogue;
    const auto stock = male_names();
    size_t next = hash64(dialogue) % stock.size();
    for (const int person : exchange.dialogue.persons) {
      while (stock[next] == persons.other_name || stock[next] == persons.you_name ||
             dialogue.find(stock[next]) != dialogue.npos)
        next = (next + 1) % stock.size();
      names[person] = stock[next];
      next = (next + 1) % stock.size();
    }
    if (!persons.you_name.empty()) names[exchange.you] = persons.you_name;
    names[exchange.other] = persons.other_name;
    return names;
  }

  std::string renamed(std::string_view text, const Exchange& exchange,
                      const Persons& persons) const {
    std::string out(text);
    const std::string other = name_in(exchange.dialogue, exchange.other);
    const std::string you = name_in(exchange.dialogue, exchange.you);
    // By way of bytes that no input holds, so that exchanged names do not meet.
    if (other != persons.other_name) out = replace_name(out, other, "\x02");
    if (you != persons.you_name) out = replace_name(out, you, "\x01");
    std::string result;
    for (const char c : out) {
      if (c == '\x02')
        result += persons.other_name;
      else if (c == '\x01')
        result += persons.you_name;
      else
        result += c;
    }
    return result;
  }

  std::vector<Message> lay_messages(const Exchange& exchange, const Persons& persons, Date day,
                                    Random& random) const {
    const std::map<int, std::string> names = spoken_names(exchange, persons);
    std::vector<size_t> lengths;
    for (const Utterance& turn : exchange.dialogue.turns) lengths.push_back(turn.text.size());
    const std::vector<Minute> minutes = lay_minutes(day, lengths, random);
    std::vector<Message> messages;
    for (size_t i = 0; i < minutes.size(); i++) {
      const Utterance& turn = exchange.dialogue.turns[i];
      const std::string speaker = turn.person == exchange.you ? "You" : names.at(turn.person);
      const std::string text = renamed(without_placeholders(turn.text, names), exchange, persons);
      messages.push_back({format_minute(minutes[i]), speaker + ": " + text});
    }
    return messages;
  }

  // The row's human summary told to the reader; empty when that is not safe.
  std::string retold(const Exchange& exchange, const Persons& persons) const {
    Cast cast;
    cast.you = exchange.you;
    cast.other = exchange.other;
    cast.you_name = name_in(exchange.dialogue, exchange.you);
    cast.other_source_name = name_in(exchange.dialogue, exchange.other);
    cast.other_name = persons.other_name;
    cast.actors = exchange.dialogue.actors;
    cast.you_gender = gender_in(exchange.dialogue, exchange.you);
    cast.other_gender = gender_in(exchange.dialogue, exchange.other);
    for (const auto& [person, name] : spoken_names(exchange, persons))
      if (person != exchange.you && person != exchange.other) cast.bystanders[person] = name;
    std::string text;
    for (const std::string& sentence : retell(exchange.dialogue.summary, cast))
      text += (text.empty() ? "" : " ") + sentence;
    // "You answered." says nothing.
    if (std::count(text.begin(), text.end(), ' ') < 2) return "";
    // Laws, not hopes; retell leaves such sentences out.
    if (names_calendar_date(text) || has_time_word_of_now(text)) return "";
    return concerns(text, persons) ? text : "";
  }

  std::string told(const Exchange& exchange, const Persons& persons) const {
    const std::string text = retold(exchange, persons);
    if (!text.empty()) return text;
    const SourceRow& row = rows_[size_t(exchange.row)];
    if (row.topic.empty() || names_calendar_date(row.topic) || has_time_word_of_now(row.topic))
      return fmt::format("You and {} had a conversation.", persons.other_name);
    const std::string topic = without_placeholders(row.topic, spoken_names(exchange, persons));
    if (topic == row.topic && reads_as_noun(topic))
      return fmt::format("You and {} talked about {}.", persons.other_name, topic);
    return fmt::format("You and {} had a conversation (\"{}\").", persons.other_name, topic);
  }

  // A summary that speaks of neither person has names that were not recognised.
  static bool concerns(const std::string& text, const Persons& persons) {
    if (text.find(persons.other_name) != text.npos) return true;
    const std::vector<std::string> words = words_of(text);
    return std::any_of(words.begin(), words.end(), [](const std::string& word) {
      return word == "you" || word == "your" || word == "yours";
    });
  }

  static std::string later(Date before, Date day) {
    const int days = int((day - before).count());
    if (days == 1) return "The next day";
    if (days < 7) return fmt::format("{} days later", number_word(days));
    if (days < 11) return days == 7 ? "A week later" : "About a week later";
    if (days < 25) return fmt::format("About {} weeks later", number_word((days + 3) / 7));
    if (days < 46) return "About a month later";
    return fmt::format("About {} months later", number_word((days + 15) / 30));
  }

  // The words before what is told of the i-th exchange; their forms follow each other from where
  // the row's chance begins, so that rows differ and no form comes twice running.
  static std::string lead(size_t i, size_t n, const Calendar& schedule, size_t turn) {
    const std::string on = format_long_date(schedule.days[i]);
    const std::string ago = relative_time(schedule.days[i], schedule.today);
    static constexpr std::string_view kFirst[] = {
        "It all started back on {}, {}, when ", "It began on {}, {}, when ", "Back on {}, {}, ",
        "To begin with, on {}, {}, ", "The first of these was on {}, {}, when "};
    static constexpr std::string_view kLast[] = {
        "Most recently, on {}, {}, ", "Your latest exchange was on {}, {}, when ",
        "Last of all, on {}, {}, ", "The last time, on {}, {}, ", "Finally, on {}, {}, "};
    static constexpr std::string_view kMiddle[] = {"{2}, on {0}, ",
                                                   "Then, on {0}, {1}, ",
                                                   "{1}, on {0}, ",
                                                   "On {0}, {1}, ",
                                                   "After that, on {0}, {1}, ",
                                                   "{2}, on {0}, ",
                                                   "Next, on {0}, {1}, ",
                                                   "{1}, on {0}, ",
                                                   "On {0}, {1}, "};
    if (i == 0 && n == 1) return fmt::format("On {}, {}, ", on, ago);
    std::string text;
    if (i == 0)
      text = fmt::format(fmt::runtime(kFirst[turn % std::size(kFirst)]), on, ago);
    else if (i + 1 == n)
      text = fmt::format(fmt::runtime(kLast[turn % std::size(kLast)]), on, ago);
    else
      text = fmt::format(fmt::runtime(kMiddle[(i + turn) % std::size(kMiddle)]), on, ago,
                         later(schedule.days[i - 1], schedule.days[i]));
    text[0] = char(std::toupper(static_cast<unsigned char>(text[0])));
    return text;
  }

  std::string compose(const std::vector<Exchange>& exchanges, const Persons& persons,
                      const Calendar& schedule, Random& random) const {
    const int days = int((schedule.today - schedule.days[0]).count());
    const std::string span = exchanges.size() == 1 ? ""
                             : days <= 14          ? " over the past two weeks"
                             : days <= 45          ? " over the past few weeks"
                             : days <= 75          ? " over the past two months"
                                                   : " over the past few months";
    static constexpr std::string_view kIntroductions[] = {
        "Here's a summary of your interactions with {}{}{}.",
        "Here is what passed between you and {}{}{}.", "These were your conversations with {}{}{}.",
        "In short, this is what happened between you and {}{}{}.",
        "Here is what you and {} had to say to each other{}{}."};
    const size_t turn = random.below(60);
    std::string text = fmt::format("Today is {}. ", format_long_date(schedule.today, true));
    text += fmt::format(fmt::runtime(kIntroductions[turn % std::size(kIntroductions)]),
                        persons.other_name, span, exchanges.size() == 1 ? "" : ", in order");
    for (size_t i = 0; i < exchanges.size(); i++)
      text += ' ' + lead(i, exchanges.size(), schedule, turn) +
              with_small_start(told(exchanges[i], persons), persons.other_name);
    return text;
  }

  // Every day that the summary names is a message's, or today.
  static void check_dates(const Transformed& result) {
    std::string rest = result.personal_summary;
    const auto erase = [&](const std::string& date) {
      for (size_t at = 0; (at = rest.find(date, at)) != rest.npos;) rest.erase(at, date.size());
    };
    erase(format_long_date(result.today, true));
    for (const DatedChat& chat : result.conversations) erase(format_long_date(chat.date));
    if (names_calendar_date(rest))
      throw Error("every date of the summary must be a message's, another is in: " +
                  result.personal_summary);
  }

  // What every result must be, whatever the row: laws, not hopes.
  static void check(const Transformed& result) {
    bool you = false, other = false;
    for (const DatedChat& chat : result.conversations)
      for (const Message& message : chat.messages) {
        if (has_placeholder(message.content))
          throw Error("no placeholder may be left, found one in: " + message.content);
        (message.content.starts_with("You: ") ? you : other) = true;
      }
    if (has_placeholder(result.personal_summary))
      throw Error("no placeholder may be left, found one in: " + result.personal_summary);
    check_dates(result);
    if (!you || !other) throw Error("both persons must speak, only one does");
  }

  const std::vector<SourceRow>& rows_;
  OfflineOptions options_;
  RelatedIndex index_;
  std::vector<std::optional<Usable>> usable_;  // by row
};

}  // namespace

std::unique_ptr<Provider> make_offline_provider(const std::vector<SourceRow>& rows,
                                                const OfflineOptions& options) {
  return std::make_unique<OfflineProvider>(rows, options);
}

}  // namespace chatmem
