#include "text/names.h"

#include <algorithm>
#include <array>
#include <string>
#include <unordered_set>

#include "text/words.h"

namespace chatmem {
namespace {

// The first 40 of each list are also the stock that names are chosen from.
constexpr std::string_view kFemale[] = {
    "Anna",      "Emma",      "Laura",    "Sarah",     "Julia",      "Rachel",   "Nina",
    "Clara",     "Helen",     "Maria",    "Alice",     "Sophie",     "Hannah",   "Grace",
    "Lucy",      "Megan",     "Claire",   "Diana",     "Elena",      "Fiona",    "Irene",
    "Janet",     "Karen",     "Linda",    "Martha",    "Nora",       "Olivia",   "Paula",
    "Ruth",      "Sandra",    "Teresa",   "Vera",      "Amy",        "Beth",     "Carol",
    "Donna",     "Eva",       "Gina",     "Holly",     "Isabel",     "Abby",     "Amanda",
    "Andrea",    "Angela",    "Ann",      "Anne",      "Annie",      "Barbara",  "Becky",
    "Betty",     "Brenda",    "Caroline", "Catherine", "Cathy",      "Cindy",    "Cynthia",
    "Daisy",     "Deborah",   "Debbie",   "Denise",    "Doris",      "Dorothy",  "Elizabeth",
    "Ellen",     "Emily",     "Erica",    "Esther",    "Gloria",     "Hanna",    "Heather",
    "Jane",      "Jennifer",  "Jenny",    "Jessica",   "Jill",       "Joan",     "Joanna",
    "Judy",      "Julie",     "Kate",     "Katie",     "Kathy",      "Kelly",    "Laurie",
    "Lily",      "Lisa",      "Lucia",    "Lydia",     "Maggie",     "Margaret", "Marilyn",
    "Mary",      "Melissa",   "Michelle", "Mia",       "Molly",      "Monica",   "Nancy",
    "Natalie",   "Nicole",    "Nicola",   "Pamela",    "Patricia",   "Pauline",  "Peggy",
    "Rebecca",   "Rita",      "Rosa",     "Rose",      "Sally",      "Samantha", "Sharon",
    "Sheila",    "Shirley",   "Sophia",   "Stephanie", "Sue",        "Susan",    "Susie",
    "Sylvia",    "Tina",      "Tracy",    "Vanessa",   "Veronica",   "Victoria", "Vivian",
    "Wendy",     "Yvonne",    "Zoe",      "Ava",       "Chloe",      "Ella",     "Priya",
    "Fatima",    "Charlotte", "Joanne",   "Janice",    "Amelia",     "Jeanine",  "Claudia",
    "Tanya",     "Abigail",   "Iris",     "Sara",      "Carmen",     "Melanie",  "Kristy",
    "Christine", "Vicky",     "Vicki",    "Tiffany",   "Millie",     "Valerie",  "Darlene",
    "Kathleen",  "Brooke",    "Diane",    "Katherine", "Isabelle",   "Isabella", "Nadia",
    "Bea",       "Ingrid",    "Leila",    "Carla",     "Carrie",     "Celia",    "Juliet",
    "Marian",    "Evelyn",    "Sheryl",   "Stella",    "Sabrina",    "Carolyn",  "Josephine",
    "Harriet",   "Angie",     "Loretta",  "Anita",     "Flora",      "Belinda",  "Chelsea",
    "Kaitlyn",   "Kirsty",    "Mei",      "Solveig",   "Beatriz",    "Naomi",    "Agnes",
    "Anneke",    "Tilly",     "Isla",     "Poppy",     "Lorraine",   "Greta",    "Celeste",
    "Pilar",     "Winnie",    "Delphine", "Kara",      "Pam",        "Meg",      "Liz",
    "Stacy",     "Janey",     "Jen",      "Marta",     "Lena",       "Renee",    "Lorna",
    "Roya",      "Aoife",     "Thandi",   "Amina",     "Amara",      "Aisha",    "Halima",
    "Nobuko",    "Jade",      "Elin",     "Mina",      "Yasmin",     "Ines",     "Astrid",
    "Gemma",     "Paige",     "Hazel",    "Ivy",       "Ruby",       "Elsie",    "Edith",
    "Nell",      "Veronique", "Justine",  "Shelly",    "Marguerite", "Frances",  "Tamsin",
    "Freya",     "Hester",    "Leonie",   "Ilse",      "Lupita",     "Maya"};
constexpr std::string_view kMale[] = {
    "Daniel",      "Peter",   "Thomas",  "David",     "Michael",  "Andrew",  "Mark",    "Paul",
    "Simon",       "Martin",  "James",   "Robert",    "Richard",  "Stephen", "Philip",  "George",
    "Henry",       "Jack",    "Kevin",   "Leo",       "Matthew",  "Nathan",  "Oliver",  "Patrick",
    "Ralph",       "Samuel",  "Tony",    "Victor",    "Walter",   "Adam",    "Brian",   "Charles",
    "Derek",       "Eric",    "Frank",   "Graham",    "Hugh",     "Ian",     "Joel",    "Keith",
    "Aaron",       "Alan",    "Albert",  "Alexander", "Alfred",   "Andy",    "Arthur",  "Ben",
    "Benjamin",    "Bill",    "Billy",   "Bob",       "Brad",     "Bruce",   "Carl",    "Carlos",
    "Christopher", "Colin",   "Craig",   "Dan",       "Dave",     "Dennis",  "Donald",  "Doug",
    "Edward",      "Fred",    "Gary",    "Geoff",     "Gordon",   "Greg",    "Harold",  "Harry",
    "Howard",      "Jacob",   "Jake",    "Jason",     "Jeff",     "Jeremy",  "Jerry",   "Jim",
    "Jimmy",       "Joe",     "John",    "Johnny",    "Jonathan", "Joseph",  "Josh",    "Juan",
    "Justin",      "Ken",     "Kenneth", "Larry",     "Lawrence", "Luke",    "Malik",   "Marcus",
    "Mike",        "Neil",    "Nick",    "Norman",    "Oscar",    "Pedro",   "Pete",    "Phil",
    "Raj",         "Raymond", "Rick",    "Rob",       "Roger",    "Ron",     "Ronald",  "Ross",
    "Roy",         "Russell", "Ryan",    "Scott",     "Sean",     "Stan",    "Stanley", "Steve",
    "Steven",      "Stuart",  "Ted",     "Tim",       "Timothy",  "Todd",    "Tom",     "Tommy",
    "Vincent",     "William", "Will",    "Liam",      "Noah",     "Ethan",   "Lucas",   "Mario",
    "Miguel",      "Omar",    "Ahmed",   "Francis",   "Charlie",  "Vince",   "Allen",   "Danny",
    "Matt",        "Chuck",   "Logan",   "Zach",      "Brandon",  "Hans",    "Joshua",  "Owen",
    "Arnold",      "Kofi",    "Oskar",   "Piotr",     "Lenny",    "Armand",  "Joey",    "Dirk",
    "Herman",      "Bobby",   "Boris",   "Nathaniel", "Randy",    "Ricky",   "Anthony", "Erik",
    "Nigel",       "Jonas",   "Archie",  "Cody",      "Tyler",    "Troy",    "Micky",   "Mick",
    "Anders",      "Tomasz",  "Hassan",  "Vikram",    "Yusuf",    "Ravi",    "Theo",    "Kenji",
    "Lewis",       "Hamid",   "Bruno",   "Leon",      "Gideon",   "Ed",      "Stu",     "Lester",
    "Robbie",      "Mikel",   "Karim",   "Farouk",    "Farid",    "Clive",   "Gareth",  "Diego",
    "Ruben",       "Paolo",   "Femi",    "Marek",     "Chidi",    "Lachlan", "Bogdan",  "Tiago",
    "Rafael",      "Nikolai", "Dmitri",  "Hugo",      "Pavel",    "Tristan", "Gino",    "Horst",
    "Marco",       "Luca",    "Felix",   "Emil",      "Gus",      "Ernest",  "Reg",     "Dilan",
    "Kwame",       "Tunde",   "Ibrahim"};
// Of women and of men.
constexpr std::string_view kEither[] = {"Alex",  "Ashley", "Casey",  "Chris", "Dana",   "Jackie",
                                        "Jamie", "Jessie", "Jordan", "Kim",   "Leslie", "Morgan",
                                        "Pat",   "Quinn",  "Robin",  "Sam",   "Taylor", "Terry"};
constexpr size_t kStock = 40;
static_assert(std::size(kFemale) >= kStock && std::size(kMale) >= kStock);

std::string first_word(std::string_view name) {
  std::string word = to_lower_ascii(name.substr(0, name.find(' ')));
  while (!word.empty() && (word.back() == '.' || word.back() == ',')) word.pop_back();
  return word;
}

std::unordered_set<std::string> lower_set(std::span<const std::string_view> names,
                                          std::initializer_list<const char*> more) {
  std::unordered_set<std::string> set(more.begin(), more.end());
  for (const std::string_view name : names) set.insert(to_lower_ascii(name));
  return set;
}

}  // namespace

Gender gender_of(std::string_view name) {
  static const auto kFemaleWords = lower_set(
      kFemale, {"mrs", "ms", "miss", "madam", "mum", "mom", "mommy", "mummy", "mother", "grandma",
                "granny", "aunt", "auntie", "sister", "daughter", "wife", "lady"});
  static const auto kMaleWords =
      lower_set(kMale, {"mr", "mister", "sir", "dad", "daddy", "father", "grandpa", "granddad",
                        "uncle", "brother", "son", "husband"});
  const std::string word = first_word(name);
  if (kFemaleWords.contains(word)) return Gender::kFemale;
  if (kMaleWords.contains(word)) return Gender::kMale;
  return Gender::kUnknown;
}

std::span<const std::string_view> female_names() { return std::span(kFemale).first(kStock); }
std::span<const std::string_view> male_names() { return std::span(kMale).first(kStock); }

const Pronouns& pronouns_of(Gender gender) {
  static constexpr Pronouns kThey{"they", "them", "their", "theirs", "themselves", true};
  static constexpr Pronouns kShe{"she", "her", "her", "hers", "herself", false};
  static constexpr Pronouns kHe{"he", "him", "his", "his", "himself", false};
  return gender == Gender::kFemale ? kShe : gender == Gender::kMale ? kHe : kThey;
}

bool is_given_name(std::string_view word) {
  static const auto kAll = [] {
    auto set =
        lower_set(kFemale, {"mum", "mom", "mommy", "mummy", "grandma", "dad", "daddy", "grandpa"});
    for (const std::string_view name : kMale) set.insert(to_lower_ascii(name));
    for (const std::string_view name : kEither) set.insert(to_lower_ascii(name));
    return set;
  }();
  return kAll.contains(first_word(word));
}

bool is_title(std::string_view word) {
  static const std::unordered_set<std::string> kTitles = {
      "mr", "mrs", "ms", "miss", "dr", "doctor", "prof", "professor", "sir", "madam"};
  return kTitles.contains(first_word(word));
}

}  // namespace chatmem
