#!/usr/bin/env python3
"""Trains the sample tokenizer, samples/tokenizer/tokenizer.json, on the project's own samples.

A byte-level BPE of 4,096 tokens in Llama 3's form: its split expression, whole pieces first
(ignore_merges), 3,840 ordinary tokens and Llama 3.1's 256 special ones as ids 3840 to 4095.
Needs Python's `tokenizers`. The same samples give the same file.

example: python3 tools/train_tokenizer.py samples/dialogues.csv samples/chat.txt \\
             --output samples/tokenizer/tokenizer.json
"""
import argparse
import csv
import json
import os
import sys

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

ORDINARY, SPECIAL = 3840, 256
SPLIT = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|"
         r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")


def special_tokens():
    """Llama 3.1's names, in the order of their ids."""
    reserved = "<|reserved_special_token_{}|>".format
    names = ["<|begin_of_text|>", "<|end_of_text|>", reserved(0), reserved(1),
             "<|finetune_right_pad_id|>", reserved(2), "<|start_header_id|>", "<|end_header_id|>",
             "<|eom_id|>", "<|eot_id|>", "<|python_tag|>"]
    return names + [reserved(i) for i in range(3, 3 + SPECIAL - len(names))]


def texts(path):
    """The fields of a CSV (id, dialogue, summary, topic), or the lines of a text."""
    with open(path, encoding="utf-8", newline="") as file:
        if path.endswith(".csv"):
            for row in csv.DictReader(file):
                dialogue = row["dialogue"]
                # What is generated from a dialogue has names in place of its speakers' marks.
                yield dialogue.replace("#Person1#", "You").replace("#Person2#", "Sam")
                yield dialogue
                yield row["summary"]
                yield row["topic"]
        else:
            yield from file


def dates():
    """Timestamps and section marks, which every prompt is full of."""
    for i in range(366):
        yield f"2024-{i % 12 + 1:02}-{i % 28 + 1:02} {i % 24:02}:{i * 7 % 60:02} | You: "
    for mark in ("START DATE", "END DATE", "CHAT MESSAGES", "AS OF", "SUMMARY"):
        yield f"[{mark}]\n" * 40


def train(paths):
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(SPLIT), behavior="isolated", invert=False),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=ORDINARY, show_progress=False, special_tokens=[],
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    corpus = [text for path in paths for text in texts(path)] + list(dates())
    tokenizer.train_from_iterator(corpus, trainer)
    if tokenizer.get_vocab_size() != ORDINARY:
        sys.exit(f"the samples must give {ORDINARY} tokens, gave {tokenizer.get_vocab_size()}")
    return json.loads(tokenizer.to_str()), sum(len(text.encode()) for text in corpus)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("samples", nargs="+", help="CSV files of dialogues, or texts")
    parser.add_argument("--output", default="samples/tokenizer/tokenizer.json")
    args = parser.parse_args()
    tree, corpus_bytes = train(args.samples)
    tree["added_tokens"] = [
        {"id": ORDINARY + i, "content": name, "single_word": False, "lstrip": False,
         "rstrip": False, "normalized": False, "special": True}
        for i, name in enumerate(special_tokens())]
    os.makedirs(os.path.dirname(args.output) or ".", exist_ok=True)
    text = json.dumps(tree, ensure_ascii=False, indent=1) + "\n"
    Tokenizer.from_str(text)  # it must load where it comes from
    with open(args.output, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
    print(f"{args.output}: {ORDINARY + SPECIAL} tokens from {corpus_bytes} bytes of samples")


if __name__ == "__main__":
    main()
