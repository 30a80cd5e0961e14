// The offline provider: no key, no network. The row's dialogue is the first exchange, beats of a
// story of its field follow, the summary is composed of the row's human summary and theirs.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>

#include "base/error.h"
#include "base/hash.h"
#include "base/random.h"
#include "synth/casting.h"
#include "synth/deixis.h"
#include "synth/dialogue.h"
#include "synth/follow_up.h"
#include "synth/provider.h"
#include "synth/retell.h"
#include "synth/schedule.h"
#include "synth/sentences.h"
#include "text/names.h"
#include "text/time_words.h"
#include "text/words.h"

namespace chatmem {
namespace {

// The row's dialogue and who is who in it.
struct Exchange {
  const SourceRow* row = nullptr;
  Dialogue dialogue;
  int you = 1, other = 2;  // placeholder numbers
};

// The two persons of the whole conversation.
struct Persons {
  std::string you_name;  // empty: nobody calls the reader by name
  std::string other_name;
};

std::string name_in(const Dialogue& dialogue, int person) {
  const auto it = dialogue.names.find(person);
  return it == dialogue.names.end() ? "" : it->second;
}

Gender gender_in(const Dialogue& dialogue, int person) {
  const auto it = dialogue.genders.find(person);
  return it == dialogue.genders.end() ? Gender::kUnknown : it->second;
}

class OfflineProvider : public Provider {
 public:
  OfflineProvider(const std::vector<SourceRow>& rows, const OfflineOptions& options)
      : rows_(rows), options_(options) {}

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
    const Exchange first = first_exchange(row);
    const Persons persons = cast_persons(first, random);
    const LengthGuidance guidance = length_guidance(row.id, row.topic);
    const int n = random.between(guidance.min_conversations, guidance.max_conversations);
    const Calendar schedule = lay_days(guidance, n, options_.year, random);
    const std::vector<Line> lines = spoken_in(first, persons);
    const std::vector<Line> of_two = without_bystanders(lines, persons);
    std::vector<std::string> told = {told_of(first, persons, of_two)};
    Transformed result;
    result.today = schedule.today;
    result.conversations.push_back(
        {schedule.days[0], lay_messages(lines, schedule.days[0], random)});
    for (FollowUp& made :
         follow_ups(first_talk(first, persons, of_two, schedule.days[0]), size_t(n - 1), random)) {
      const Date day = schedule.days[result.conversations.size()];
      result.conversations.push_back({day, lay_messages(made.lines, day, random)});
      told.push_back(std::move(made.told));
    }
    result.personal_summary = compose(told, persons, schedule, random);
    check(result);
    return result;
  }

  static FirstTalk first_talk(const Exchange& first, const Persons& persons,
                              const std::vector<Line>& lines, Date day) {
    FirstTalk talk{.lines = lines,
                   .topic = first.row->topic,
                   .summary = first.row->summary,
                   .day = day,
                   .callers = {called(persons.you_name), called(persons.other_name),
                               persons.other_name, gender_of(persons.other_name)}};
    if (talk.callers.other_gender == Gender::kUnknown)
      talk.callers.other_gender = gender_in(first.dialogue, first.other);
    return talk;
  }

  Exchange first_exchange(const SourceRow& row) const {
    Exchange exchange{.row = &row, .dialogue = cast_dialogue(row.dialogue, row.summary)};
    const std::vector<int>& persons = exchange.dialogue.persons;
    if (persons.size() < 2) throw Error("a dialogue must have two speakers, it has one");
    exchange.you = persons[0];
    exchange.other = persons[1];
    return exchange;
  }

  // The other's name as found, else one that fits how the other is addressed and spoken of and that
  // nobody in the dialogue has.
  Persons cast_persons(const Exchange& exchange, Random& random) const {
    Persons persons{name_in(exchange.dialogue, exchange.you),
                    name_in(exchange.dialogue, exchange.other)};
    if (!persons.other_name.empty()) return persons;
    Gender gender = gender_in(exchange.dialogue, exchange.other);
    if (gender == Gender::kUnknown) gender = random.below(2) ? Gender::kFemale : Gender::kMale;
    const auto stock = gender == Gender::kFemale ? female_names() : male_names();
    const SourceRow& row = *exchange.row;
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

  // The names of everybody who has a placeholder, as others say them.
  std::map<int, std::string> spoken_names(const Exchange& exchange, const Persons& persons) const {
    std::map<int, std::string> names;
    const std::string& dialogue = exchange.row->dialogue;
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

  std::vector<Line> spoken_in(const Exchange& exchange, const Persons& persons) const {
    const std::map<int, std::string> names = spoken_names(exchange, persons);
    std::vector<Line> lines;
    for (const Utterance& turn : exchange.dialogue.turns)
      lines.push_back({turn.person == exchange.you ? kReader : names.at(turn.person),
                       without_placeholders(turn.text, names)});
    return lines;
  }

  static std::vector<Line> without_bystanders(std::vector<Line> lines, const Persons& persons) {
    std::erase_if(lines, [&](const Line& line) {
      return line.speaker != kReader && line.speaker != persons.other_name;
    });
    return lines;
  }

  // "Susan" of "Susan Price", but "Mr. Price".
  static std::string called(const std::string& name) {
    const std::string first = name.substr(0, name.find(' '));
    return is_given_name(first) && !is_title(first) ? first : name;
  }

  static std::vector<Message> lay_messages(const std::vector<Line>& lines, Date day,
                                           Random& random) {
    std::vector<size_t> lengths;
    for (const Line& line : lines) lengths.push_back(line.text.size());
    const std::vector<Minute> minutes = lay_minutes(day, lengths, random);
    std::vector<Message> messages;
    for (size_t i = 0; i < lines.size(); i++)
      messages.push_back({format_minute(minutes[i]), lines[i].speaker + ": " + lines[i].text});
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

  // What the summary says of the first dialogue: retold, else quoted, else its topic alone.
  std::string told_of(const Exchange& exchange, const Persons& persons,
                      const std::vector<Line>& lines) const {
    if (const std::string text = retold(exchange, persons); !text.empty()) return text;
    const std::string& topic = exchange.row->topic;
    const std::string text = quoted(lines, topic + ' ' + exchange.row->summary);
    if (!text.empty()) return text;
    if (!reads_as_noun(topic) || has_placeholder(topic) || names_calendar_date(topic) ||
        has_time_word_of_now(topic))
      return fmt::format("You and {} had a conversation.", persons.other_name);
    return fmt::format("You and {} talked about {}.", persons.other_name, topic);
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

  // "in early May", "in mid-May", "in late May".
  static std::string part_of_month(Date day) {
    const std::string date = format_long_date(day);
    const unsigned of_month = unsigned(std::chrono::year_month_day(day).day());
    return fmt::format("in {}{}",
                       of_month <= 10   ? "early "
                       : of_month <= 20 ? "mid-"
                                        : "late ",
                       date.substr(0, date.find(' ')));
  }

  // How a summary tells the days: all exactly, every second one, or none.
  enum class Days : uint8_t { exact, mixed, parts };

  // The words before what is told of the i-th exchange; their forms follow each other from where
  // the row's chance begins, so that rows differ and no form comes twice running.
  static std::string lead(size_t i, size_t n, const Calendar& schedule, size_t turn, Days days) {
    const bool exact = days == Days::exact || (days == Days::mixed && i % 2 == 0);
    const std::string on =
        exact ? "on " + format_long_date(schedule.days[i]) : part_of_month(schedule.days[i]);
    const std::string ago = relative_time(schedule.days[i], schedule.today);
    static constexpr std::string_view kFirst[] = {
        "It all started back {}, {}, when ", "It began {}, {}, when ", "Back {}, {}, ",
        "To begin with, {}, {}, ", "The first of these was {}, {}, when "};
    static constexpr std::string_view kLast[] = {
        "Most recently, {}, {}, ", "Your latest exchange was {}, {}, when ",
        "Last of all, {}, {}, ", "The last time, {}, {}, ", "Finally, {}, {}, "};
    static constexpr std::string_view kMiddle[] = {
        "{2}, {0}, ", "Then, {0}, {1}, ", "{1}, {0}, ", "{0}, {1}, ", "After that, {0}, {1}, ",
        "{2}, {0}, ", "Next, {0}, {1}, ", "{1}, {0}, ", "{0}, {1}, "};
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

  std::string compose(const std::vector<std::string>& told, const Persons& persons,
                      const Calendar& schedule, Random& random) const {
    const int days = int((schedule.today - schedule.days[0]).count());
    const std::string span = days <= 14   ? "the past two weeks"
                             : days <= 45 ? "the past few weeks"
                             : days <= 75 ? "the past two months"
                                          : "the past few months";
    static constexpr std::string_view kIntroductions[] = {
        "Here's a summary of your interactions with {}", "Here is what passed between you and {}",
        "These were your conversations with {}",
        "In short, this is what happened between you and {}",
        "Here is what you and {} had to say to each other"};
    const size_t turn = random.below(60);
    const auto told_days = Days(random.below(3));
    std::string text = fmt::format("Today is {}. ", format_long_date(schedule.today, true));
    text += fmt::format(fmt::runtime(kIntroductions[turn % std::size(kIntroductions)]),
                        persons.other_name);
    text += fmt::format(" over {}, in order.", span);
    for (size_t i = 0; i < told.size(); i++)
      text += ' ' + lead(i, told.size(), schedule, turn, told_days) +
              with_small_start(told[i], persons.other_name);
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
};

}  // namespace

std::unique_ptr<Provider> make_offline_provider(const std::vector<SourceRow>& rows,
                                                const OfflineOptions& options) {
  return std::make_unique<OfflineProvider>(rows, options);
}

}  // namespace chatmem
