// Past forms of the verbs that summaries of dialogues use.
#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "synth/retell.h"

namespace chatmem {
namespace {

// Regular verbs by their base, as one text so that the list stays readable.
constexpr std::string_view kRegular =
    " associate badger bill cause clash close commence commute confuse consist control date "
    " decrease delay depict deposit design desire destroy discourage disturb exploit function "
    " grant guarantee impound issue land last lift log motivate note originate process "
    " rearrange relate ruin satisfy sew shave smell snow sound sponsor suit swallow test text "
    " value vary worsen yield affect arouse benefit hum nail object occur reflect remain "
    " result seal sigh update witness giggle hop acquiesce disclaim transact compile attach "
    " assemble stare chase drain crash crack cry die drag exist escape expire hunt jump kick "
    " knit label load lock match melt mend mess multiply nod obey pause peel perish pose "
    " possess rank reassure refresh rehearse relax relieve remedy retain reverse reward rip "
    " roar rob roll rotate rub scream seat sense separate ski slip soak splash stain storm "
    " strengthen stretch stroll stumble subtract suck sue surrender sweat switch tackle tidy "
    " tie trace trade trick trim twist unite unlock unpack upgrade vacuum vanish violate warm "
    " water weaken weed whisper widen wipe wire wreck accommodate accomplish adapt adjust "
    " adopt afford aim alter amuse appoint arm ascribe assess astonish aspire attack attempt "
    " await back bake ban base blend block boast boil bore brew cater certify chair challenge "
    " characterize clear click climb coach collapse commit complement concern conduct connect "
    " conquer construct consume convert convey cooperate correspond crowd damage debate "
    " declare dedicate defeat defer delight depart derive detail devise differ dine disappear "
    " disappoint dispute dissuade distribute divide divorce donate double drift drill ease "
    " elaborate elect eliminate emerge endure engage enrol enlighten enlist entertain equal "
    " evaluate exaggerate exhibit expand expose facilitate fascinate feature file fire flood "
    " flow form found frame gain gather glance govern grin guard harm head highlight identify "
    " ignore illustrate impress initiate injure inherit inject install instal intensify "
    " interpret isolate justify judge launch "
    " confess devote listen arrive decline emphasize cough focus skip stall brake carry audition "
    " empty cross contest scold confront distract specialize assume concoct force appeal qualify "
    " waive host overload hasten behave interrupt brush develop postpone ensure impose acknowledge "
    " deduce misremember prevent flatter accompany overreact complete tempt investigate despair "
    " refund kiss blush subscribe diagnose succeed refute overcharge breathe detect defend annoy "
    " participate confide depend reconfirm assign rain combine resent attract produce snore retire "
    " summarize neglect handle own tend dictate distrust straighten dread rinse betray apologise "
    " realise recognise criticise organise summarise emphasise sympathise overlook "
    " swap spot contribute contain mix conclude doze "
    " appear extend reduce sneer groan schedule attribute estimate award organize stress curse "
    "exchange tip figure regard respect "
    " contradict pretend yell tolerate mock scare retrieve rescue revise lean "
    " practise reveal serve board practice photograph criticize solve provide mail proceed "
    "reschedule tease enter "
    " deliver pretend predict prove compete protest remark compose hire imply hand remove explore "
    " accept accuse act add admire admit advise agree allow analyze announce answer apologize "
    " apply appreciate argue arrange arrest ask assist assure attend bargain believe blame book "
    " borrow brief call cancel care change charge chat check cheer claim clarify collect comfort "
    " compare compensate complain compliment concede confirm confiscate congratulate consider "
    " consult contact continue convince cook cope correct cure dance decide delete demand deny "
    " describe deserve direct disagree discover discuss dislike doubt dream dress drop email "
    " encourage enjoy enquire envy examine expect experience explain express fail fear fill finish "
    " fix focus follow forward gossip graduate greet guess guide happen hate help hesitate hope "
    " hurry imagine improve inform inquire insist instruct interview introduce invite invest "
    " join joke laugh lack learn like list live look love lower major manage mention mind miss "
    "move "
    " need negotiate notice offer open order owe pack pass perform persuade phone plan play plead "
    " point pour praise prefer prepare prescribe present promise promote propose pull purchase "
    " question reach react realize recall receive recognize recommend refuse register regret "
    "reject "
    " remember remind renew rent repair repeat replace reply report request require reserve resist "
    " return sympathize save search seem share shop show sign smoke sort spill start state stay "
    " step stop study suffer suggest supply support suppose surprise suspect talk taste thank "
    "celebrate adore approve avoid measure resolve represent release record raise quarrel lodge "
    " knock haggle fetch enroll employ educate determine demonstrate define console compromise "
    " caution calculate browse analyze analyse advertise indicate exercise apologise realise "
    " recover satirize revoke interrogate increase import end fool include clean cover earn "
    " inspire intend interest involve invent marry observe park paint please protect push rate "
    " rely repay settle shout smile solicit struggle submit surf survive threaten touch train "
    " type vote waste weigh wrap book bother calm beg grab hug hug admit permit refer brag "
    " translate transfer travel treat trust try turn urge use view visit volunteer wait wake walk "
    " want warn wash watch welcome wish wonder work worry worship yell ";

// clang-format off: one line each would be two screens
const std::unordered_map<std::string_view, std::string_view> kIrregular = {
    {"be", "was"},
    {"bet", "bet"},
    {"bite", "bit"},
    {"blow", "blew"},
    {"creep", "crept"},
    {"dig", "dug"},
    {"feed", "fed"},
    {"hang", "hung"},
    {"hide", "hid"},
    {"lay", "laid"},
    {"light", "lit"},
    {"rise", "rose"},
    {"seek", "sought"},
    {"shake", "shook"},
    {"shoot", "shot"},
    {"strike", "struck"},
    {"become", "became"},
    {"begin", "began"},
    {"break", "broke"},
    {"bring", "brought"},
    {"build", "built"},
    {"buy", "bought"},
    {"catch", "caught"},
    {"choose", "chose"},
    {"come", "came"},
    {"cost", "cost"},
    {"cut", "cut"},
    {"deal", "dealt"},
    {"do", "did"},
    {"draw", "drew"},
    {"drink", "drank"},
    {"drive", "drove"},
    {"eat", "ate"},
    {"fall", "fell"},
    {"feel", "felt"},
    {"fight", "fought"},
    {"find", "found"},
    {"fly", "flew"},
    {"forget", "forgot"},
    {"forgive", "forgave"},
    {"get", "got"},
    {"give", "gave"},
    {"go", "went"},
    {"grow", "grew"},
    {"have", "had"},
    {"hear", "heard"},
    {"hit", "hit"},
    {"hold", "held"},
    {"hurt", "hurt"},
    {"keep", "kept"},
    {"know", "knew"},
    {"lead", "led"},
    {"leave", "left"},
    {"lend", "lent"},
    {"let", "let"},
    {"lie", "lied"},
    {"lose", "lost"},
    {"make", "made"},
    {"mean", "meant"},
    {"meet", "met"},
    {"mistake", "mistook"},
    {"panic", "panicked"},
    {"pay", "paid"},
    {"pick", "picked"},
    {"put", "put"},
    {"quit", "quit"},
    {"read", "read"},
    {"ride", "rode"},
    {"ring", "rang"},
    {"run", "ran"},
    {"say", "said"},
    {"see", "saw"},
    {"sell", "sold"},
    {"send", "sent"},
    {"set", "set"},
    {"shut", "shut"},
    {"sing", "sang"},
    {"sit", "sat"},
    {"sleep", "slept"},
    {"speak", "spoke"},
    {"spend", "spent"},
    {"stand", "stood"},
    {"steal", "stole"},
    {"stick", "stuck"},
    {"swim", "swam"},
    {"take", "took"},
    {"teach", "taught"},
    {"tell", "told"},
    {"think", "thought"},
    {"throw", "threw"},
    {"understand", "understood"},
    {"wear", "wore"},
    {"win", "won"},
    {"write", "wrote"},
    {"overhear", "overheard"},
    {"weep", "wept"},
    {"babysit", "babysat"},
    {"oversleep", "overslept"},
    {"misread", "misread"},
    {"proofread", "proofread"},
    {"forbid", "forbade"},
    {"withdraw", "withdrew"},
    {"swear", "swore"},
    {"bite", "bit"},
    {"hide", "hid"},
    {"shake", "shook"},
    {"dig", "dug"},
    {"freeze", "froze"},
    {"blow", "blew"},
    {"lay", "laid"},
    {"misunderstand", "misunderstood"},
    {"wake", "woke"},
    {"quiz", "quizzed"},
    {"bid", "bid"},
    {"grind", "ground"},
    {"slide", "slid"},
    {"stink", "stank"},
    {"arise", "arose"},
    {"sink", "sank"},
    {"upset", "upset"},
    {"withhold", "withheld"},
    {"beat", "beat"},
    {"cast", "cast"},
    {"forecast", "forecast"},
    {"redo", "redid"},
    {"overtake", "overtook"},
    {"undergo", "underwent"},
    {"awake", "awoke"},
    {"bend", "bent"},
    {"bind", "bound"},
    {"burst", "burst"},
    {"drown", "drowned"},
    {"sweep", "swept"},
    {"swing", "swung"},
    {"tear", "tore"},
    {"undo", "undid"},
    {"spread", "spread"},
    {"split", "split"},
    {"spin", "spun"},
    {"shrink", "shrank"},
    {"outgrow", "outgrew"},
    {"mislead", "misled"},
    {"rebuild", "rebuilt"},
    {"retell", "retold"},
    {"rewrite", "rewrote"},
    {"fit", "fitted"},
    {"quizz", "quizzed"},  // of "quizzes"
};
// clang-format on

// The words of kRegular.
const std::unordered_set<std::string_view>& regular_verbs() {
  static const std::unordered_set<std::string_view> kVerbs = [] {
    std::unordered_set<std::string_view> verbs;
    for (size_t begin = 0; begin < kRegular.size();) {
      const size_t end = std::min(kRegular.find(' ', begin), kRegular.size());
      if (end > begin) verbs.insert(kRegular.substr(begin, end - begin));
      begin = end + 1;
    }
    return verbs;
  }();
  return kVerbs;
}

bool doubles_last_letter(std::string_view base) {
  static const std::unordered_set<std::string_view> kDoubling = {
      "stop",     "plan", "chat",  "shop",  "drop",  "admit",  "prefer", "regret", "step",
      "transfer", "beg",  "slip",  "grab",  "hug",   "nod",    "permit", "refer",  "occur",
      "trip",     "skip", "brag",  "rub",   "wrap",  "submit", "swap",   "spot",   "tip",
      "ban",      "hum",  "rip",   "rob",   "trim",  "nod",    "knit",   "commit", "log",
      "control",  "hop",  "defer", "rebel", "compel"};
  return kDoubling.contains(base);
}

std::string regular_past(std::string_view base) {
  std::string past(base);
  if (past.ends_with('e')) return past + "d";
  if (past.ends_with('y') && past.size() > 2 &&
      std::string_view("aeiou").find(past[past.size() - 2]) == std::string_view::npos) {
    past.pop_back();
    return past + "ied";
  }
  if (doubles_last_letter(base)) past += past.back();
  return past + "ed";
}

// "tells" to "tell", "tries" to "try", "watches" to "watch", "goes" to "go".
std::string base_of_third_person(std::string_view verb) {
  std::string base(verb);
  if (base == "has") return "have";
  if (base.size() < 3 || !base.ends_with('s') || base.ends_with("ss")) return "";
  if (base.ends_with("ies") && base.size() > 4) return base.substr(0, base.size() - 3) + "y";
  for (const std::string_view ending : {"sses", "shes", "ches", "xes", "zzes", "oes"})
    if (base.ends_with(ending)) return base.substr(0, base.size() - 2);
  base.pop_back();
  return base;
}

}  // namespace

std::string past_of_base(std::string_view verb) {
  if (const auto it = kIrregular.find(verb); it != kIrregular.end()) return std::string(it->second);
  return regular_verbs().contains(verb) ? regular_past(verb) : "";
}

std::string past_of_third_person(std::string_view verb) {
  const std::string base = base_of_third_person(verb);
  return base.empty() ? "" : past_of_base(base);
}

bool is_past_form(std::string_view word) {
  static const std::unordered_set<std::string_view> kForms = [] {
    std::unordered_set<std::string_view> forms = {
        "was",      "were",      "had",    "would",   "could",  "should",
        "might",    "must",      "wasn't", "weren't", "hadn't", "wouldn't",
        "couldn't", "shouldn't", "didn't", "went",    "lay"};
    for (const auto& [base, past] : kIrregular) forms.insert(past);
    return forms;
  }();
  return kForms.contains(word) || (word.size() > 3 && word.ends_with("ed"));
}

}  // namespace chatmem
