#!/usr/bin/env python3
"""Writes tests/golden/rouge_pairs.jsonl: 2,000 random pairs of texts and their ROUGE-1..9, L and Lsum.

    python3 tools/rouge_reference.py [--check]

A straight port of the algorithm of rouge_score (tokenizer, n-grams, LCS tables, union LCS) and of Porter's stemmer
with NLTK's extensions, in plain Python and slow on purpose; nothing is shared with src/metrics. A line of the file:

    {"p": prediction, "r": reference, "stem": 0 or 1, "n": [tokens of p, of r], "hits": [1, ..., 9, L, Lsum]}

Precision is hits over the n-grams of the prediction (tokens for L and Lsum), recall over those of the reference; Lsum's
tokens are those of the lines, which are the same. --check compares the stemmer with tests/golden/porter_stems.txt.
"""

import collections
import json
import random
import re
import sys
from pathlib import Path

GOLDEN = Path(__file__).resolve().parent.parent / "tests" / "golden"

# --- Porter's stemmer, Program 14(3), 1980; "NLTK" marks where NLTK departs from it ---

POOL = {"skies": "sky", "sky": "sky", "dying": "die", "lying": "lie", "tying": "tie", "news": "news",
        "innings": "inning", "inning": "inning", "outings": "outing", "outing": "outing", "cannings": "canning",
        "canning": "canning", "howe": "howe", "proceed": "proceed", "exceed": "exceed", "succeed": "succeed"}  # NLTK


def is_consonant(word, i):
    if word[i] in "aeiou":
        return False
    if word[i] == "y":
        return i == 0 or not is_consonant(word, i - 1)
    return True


def measure(stem):
    forms = "".join("c" if is_consonant(stem, i) else "v" for i in range(len(stem)))
    return forms.count("vc")


def has_vowel(stem):
    return any(not is_consonant(stem, i) for i in range(len(stem)))


def double_consonant(word):
    return len(word) >= 2 and word[-1] == word[-2] and is_consonant(word, len(word) - 1)


def ends_cvc(word):
    n = len(word)
    if n == 2:  # NLTK
        return not is_consonant(word, 0) and is_consonant(word, 1)
    return (n >= 3 and is_consonant(word, n - 3) and not is_consonant(word, n - 2) and is_consonant(word, n - 1)
            and word[-1] not in "wxy")


def first_rule(word, rules):
    """The first suffix that matches decides, whether or not its condition then holds."""
    for suffix, replacement, condition in rules:
        if word.endswith(suffix):
            stem = word[:len(word) - len(suffix)]
            return stem + replacement if condition(stem) else word
    return word


def step_1(word):
    if word.endswith("ies") and len(word) == 4:  # NLTK
        word = word[:-1]
    elif word.endswith("sses") or word.endswith("ies"):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith("ss"):
        word = word[:-1]
    if word.endswith("ied"):  # NLTK
        word = word[:-1] if len(word) == 4 else word[:-2]
    elif word.endswith("eed"):
        word = word[:-1] if measure(word[:-3]) > 0 else word
    else:
        for suffix in ("ed", "ing"):
            stem = word[:-len(suffix)]
            if word.endswith(suffix) and has_vowel(stem):
                if stem.endswith(("at", "bl", "iz")):
                    word = stem + "e"
                elif double_consonant(stem):
                    word = stem if stem[-1] in "lsz" else stem[:-1]
                elif measure(stem) == 1 and ends_cvc(stem):
                    word = stem + "e"
                else:
                    word = stem
                break
    if word.endswith("y") and len(word) > 2 and is_consonant(word, len(word) - 2):  # NLTK
        word = word[:-1] + "i"
    return word


def positive(stem):
    return measure(stem) > 0


def over_one(stem):
    return measure(stem) > 1


STEP_2 = [("ational", "ate"), ("tional", "tion"), ("enci", "ence"), ("anci", "ance"), ("izer", "ize"), ("bli", "ble"),
          ("alli", "al"), ("entli", "ent"), ("eli", "e"), ("ousli", "ous"), ("ization", "ize"), ("ation", "ate"),
          ("ator", "ate"), ("alism", "al"), ("iveness", "ive"), ("fulness", "ful"), ("ousness", "ous"), ("aliti", "al"),
          ("iviti", "ive"), ("biliti", "ble"), ("fulli", "ful")]  # fulli: NLTK
STEP_3 = [("icate", "ic"), ("ative", ""), ("alize", "al"), ("iciti", "ic"), ("ical", "ic"), ("ful", ""), ("ness", "")]
STEP_4 = ["al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "ou", "ism", "ate",
          "iti", "ous", "ive", "ize"]


def step_2(word):
    if word.endswith("alli") and positive(word[:-4]):  # NLTK: and the step begins again
        return step_2(word[:-2])
    rules = [(suffix, replacement, positive) for suffix, replacement in STEP_2]
    rules.append(("logi", "log", lambda stem: positive(word[:-3])))  # NLTK
    return first_rule(word, rules)


def step_4(word):
    def condition(suffix):
        return lambda stem: over_one(stem) and (suffix != "ion" or stem[-1:] in ("s", "t"))
    return first_rule(word, [(suffix, "", condition(suffix)) for suffix in STEP_4])


def step_5(word):
    if word.endswith("e"):
        stem = word[:-1]
        if measure(stem) > 1 or (measure(stem) == 1 and not ends_cvc(stem)):
            word = stem
    if word.endswith("ll") and measure(word[:-1]) > 1:
        word = word[:-1]
    return word


def stem_of(word):
    if word in POOL:
        return POOL[word]
    if len(word) <= 2:
        return word
    word = step_2(step_1(word))
    word = first_rule(word, [(suffix, replacement, positive) for suffix, replacement in STEP_3])
    return step_5(step_4(word))


# --- rouge_score ---


def tokens_of(text, stem):
    words = re.sub(r"[^a-z0-9]+", " ", text.lower()).split()
    return [stem_of(word) if stem and len(word) > 3 else word for word in words]


def ngram_hits(prediction, reference, n):
    def counts(tokens):
        return collections.Counter(tuple(tokens[i:i + n]) for i in range(len(tokens) - n + 1))
    return sum((counts(prediction) & counts(reference)).values())


def lcs_table(reference, candidate):
    table = [[0] * (len(candidate) + 1) for _ in range(len(reference) + 1)]
    for i, ours in enumerate(reference, 1):
        for j, theirs in enumerate(candidate, 1):
            table[i][j] = table[i - 1][j - 1] + 1 if ours == theirs else max(table[i - 1][j], table[i][j - 1])
    return table


def lcs_places(reference, candidate):
    """The places in the reference of one longest common subsequence; ties go up."""
    table, i, j, places = lcs_table(reference, candidate), len(reference), len(candidate), set()
    while i and j:
        if reference[i - 1] == candidate[j - 1]:
            i, j = i - 1, j - 1
            places.add(i)
        elif table[i][j - 1] > table[i - 1][j]:
            j -= 1
        else:
            i -= 1
    return places


def lsum_hits(prediction, reference, stem):
    candidates = [tokens_of(line, stem) for line in prediction.split("\n") if line]
    references = [tokens_of(line, stem) for line in reference.split("\n") if line]
    left = collections.Counter(token for line in references for token in line)
    left_of_candidates = collections.Counter(token for line in candidates for token in line)
    hits = 0
    for line in references:
        union = set().union(*(lcs_places(line, candidate) for candidate in candidates))
        for token in (line[place] for place in sorted(union)):
            if left[token] > 0 and left_of_candidates[token] > 0:
                left[token] -= 1
                left_of_candidates[token] -= 1
                hits += 1
    return hits


def score(prediction, reference, stem):
    ours, theirs = tokens_of(prediction, stem), tokens_of(reference, stem)
    hits = [ngram_hits(ours, theirs, n) for n in range(1, 10)]
    hits.append(lcs_table(theirs, ours)[-1][-1])
    hits.append(lsum_hits(prediction, reference, stem))
    return {"p": prediction, "r": reference, "stem": int(stem), "n": [len(ours), len(theirs)], "hits": hits}


# --- random pairs ---

STEMS = ["walk", "plan", "rel", "condition", "happ", "tri", "agre", "run", "dy", "organ", "3", "2024", "the", "a",
         "Zoë", "é", "\u212a", "\u0130", "naïve", "don't", "信", "\u00df"]
ENDINGS = ["", "", "s", "ed", "ing", "ational", "ally", "iness", "y", "ies", "izer", "e", "'s"]
GAPS = [" ", " ", " ", " ", ", ", ". ", "\n", "\n\n", "-", " — ", "  "]


def random_text(rng, n_words, n_stems):
    text = ""
    for _ in range(n_words):
        text += rng.choice(STEMS[:n_stems] if rng.random() < 0.9 else STEMS) + rng.choice(ENDINGS) + rng.choice(GAPS)
    return text


def edited(rng, text):
    """The same with words left out, doubled and exchanged: long common runs."""
    words = text.split(" ")
    for _ in range(rng.randrange(6)):
        at = rng.randrange(len(words))
        if rng.random() < 0.5:
            words.insert(at, rng.choice(words))
        elif len(words) > 1:
            words.pop(at)
    return " ".join(words)


def random_pairs(n):
    rng = random.Random(20)
    for i in range(n):
        longest = 150 if i % 100 == 0 else 24 if i % 4 == 0 else 9
        n_stems = rng.randrange(1, len(STEMS))
        reference = random_text(rng, rng.randrange(longest + 1), n_stems)
        prediction = edited(rng, reference) if i % 3 == 0 else random_text(rng, rng.randrange(longest + 1), n_stems)
        yield prediction, reference, i % 5 != 0


def check_stems():
    pairs = [line.split() for line in (GOLDEN / "porter_stems.txt").read_text().splitlines()]
    wrong = [pair for pair in pairs if stem_of(pair[0]) != pair[1]]
    print(f"{len(pairs)} stems, {len(wrong)} differ", *wrong)
    return not wrong


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(not check_stems())
    with open(GOLDEN / "rouge_pairs.jsonl", "w", encoding="utf-8") as out:
        for prediction, reference, stem in random_pairs(2000):
            line = json.dumps(score(prediction, reference, stem), ensure_ascii=False, separators=(",", ":"))
            out.write(line + "\n")
