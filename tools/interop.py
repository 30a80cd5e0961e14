#!/usr/bin/env python3
"""Checks that models and adapters travel both ways between chatmem and the rest of the world.

    python3 tools/interop.py --peers "COMMAND ..."

Trains two small models and a few adapters by chatmem, hands them to transformers, tokenizers, gguf, llama-server and
llama-quantize, and what these write to chatmem. Prints a line a check, with its figure and what that must be; ends
with 1 when one failed. This file needs Python's standard library and the chatmem binary; COMMAND enters the place
where the others are installed, with the same working folder (nothing: they are installed here). One thread, about 10
minutes. What is written stays in --work; models that are trained there are used again.
"""

import argparse
import csv
import json
import math
import os
import shlex
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

COMMON = dict(model_type="llama", num_key_value_heads=2, head_dim=128, vocab_size=4096, max_position_embeddings=2048,
              rms_norm_eps=1e-5, rope_theta=500000.0, bos_token_id=3840, eos_token_id=[3841, 3848, 3849])
# Every row is a multiple of 256 long, as the k-quants want it.
SHAPES = {
    # heads of another size than dim / heads
    "head_dim": dict(hidden_size=256, intermediate_size=768, num_hidden_layers=3, num_attention_heads=4,
                     tie_word_embeddings=False,
                     rope_scaling=dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
                                       original_max_position_embeddings=256)),
    # three heads of queries for each of keys
    "tied": dict(hidden_size=768, intermediate_size=256, num_hidden_layers=2, num_attention_heads=6,
                 tie_word_embeddings=True),
}
TOKENIZER = "samples/tokenizer"
# A few chats by heart, so that logits are peaked and an answer depends on its prompt.
LEARNT_CHATS, STEPS, ADAPTER_STEPS = 4, 100, 3
SCORED_TOKENS, ANSWER_TOKENS = 64, 48
# Divergences of two programs are compared over more tokens, in blocks: neighbours are not independent.
KL_TOKENS, KL_BLOCK = 513, 16
GAP = 0.05  # nats between the two likeliest tokens; below, rounding may choose either
F32, BF16 = 1e-4, 0.05  # largest difference of log-probabilities in these types

MIXED_TEXT = """\
It's 7:05 — I'LL be there; they've 1234567 things… «naïve café», €12.50 (50%)!
\tif (x != 0) { return a[i++]->b; }   // trailing   \r\n\r\n   \n \n\n    four
Привет, мир! 你好,世界。 こんにちは。 مرحبا שלום नमस्ते 안녕하세요 ǅ ﬁ Å ½ ² ١٢٣٤
👩‍👩‍👧 🏳️‍🌈 e\u0301 \u200b\ufeff\u00a0\u3000 a\u0300\u0301 \x00\x7f <|begin_of_text|> [INST] ''s 'S 'Ll
https://example.org/a?b=c&d=%20#e user@example.org ----==== ____ ......... \\n \\u00e9
"""


class Report:
    def __init__(self):
        self.failed = 0

    def line(self, passed, what, figure, must):
        self.failed += not passed
        print(f"{'ok  ' if passed else 'FAIL'}  {what:<84} {figure:>9}  {must}", flush=True)

    def at_most(self, what, figure, limit):
        self.line(figure <= limit, what, f"{figure:.2e}", f"at most {limit:.2e}")

    def equal(self, what, found, expected):
        self.line(found == expected, what, str(found), f"must be {expected}")


class Peer:
    """tools/interop_peer.py: its functions are called like methods."""

    def __init__(self, command):
        self.process = subprocess.Popen([*command, "python3", "tools/interop_peer.py"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def __getattr__(self, name):
        def call(**arguments):
            self.process.stdin.write(json.dumps({"call": name, "with": arguments}) + "\n")
            self.process.stdin.flush()
            answer = json.loads(self.process.stdout.readline())
            if "error" in answer:
                raise RuntimeError(answer["error"])
            return answer["result"]
        return call


class Server:
    """A process that serves HTTP on the loopback while the block runs."""

    def __init__(self, command, log):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.command, self.log = [*command, "--host", "127.0.0.1", "--port", str(self.port)], log

    def __enter__(self):
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, start_new_session=True)
        for _ in range(600):
            if self.process.poll() is not None:
                break
            try:
                self.ask("/health")
                return self
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        self.__exit__()
        raise RuntimeError(f"{shlex.join(self.command)} did not start, see {self.log}")

    def __exit__(self, *_):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)  # with what the peers' command started
        self.process.wait()

    def ask(self, path, body=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", None if body is None else
                                         json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.load(answer)


class World:
    """Both sides, and the folder between them."""

    def __init__(self, chatmem, peers, work, shapes):
        self.binary, self.peers, self.work, self.shapes, self.report = chatmem, peers, work, shapes, Report()
        self.peer = Peer(peers)
        self.distributions = {}  # of GGUF files by llama.cpp

    def path(self, name):
        return str(self.work / name)

    def fresh(self, name):
        """A path at which nothing is."""
        path = self.work / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        return str(path)

    def chatmem(self, *arguments, stdin=None, fails=False):
        """Standard output; with `fails` the message of a command that must fail."""
        done = subprocess.run([self.binary, *arguments], input=stdin, capture_output=True)
        if (done.returncode != 0) != fails:
            raise RuntimeError(f"chatmem {shlex.join(arguments)}: ended with {done.returncode}\n"
                               f"{done.stderr.decode(errors='replace')}")
        return (done.stderr if fails else done.stdout).decode()

    def train(self, output, *arguments):
        if not Path(output, "log.csv").exists():
            self.chatmem("train", "--data", self.path("chats.jsonl"), "--output", output, "--max-tokens", "1024",
                         "--threads", "1", *arguments)
        return output

    def export(self, model, name, *arguments):
        output = self.fresh(name)
        self.chatmem("export", "--model", model, "--output", output, "--threads", "1", *arguments)
        return output

    def quantize(self, path, name, kind):
        """By llama-quantize."""
        output = self.fresh(name)
        done = subprocess.run([*self.peers, "llama-quantize", path, output, kind, "1"], capture_output=True)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.decode(errors="replace"))
        return output

    def ids(self, model, text, *arguments):
        return json.loads(self.chatmem("tokenize", "--tokenizer", model, *arguments, stdin=text.encode()))

    def score(self, model, *arguments):
        """Log-probabilities of the scored tokens after the first."""
        return json.loads(self.chatmem("score", "--model", model, "--tokens", self.path("tokens.json"), "--json",
                                       "--threads", "1", *arguments))["logprobs"]

    def divergences(self, model, other, prefill_tokens):
        """KL divergence of a model from another form of it, token by token."""
        return json.loads(self.chatmem("score", "--model", model, "--tokens", self.path("kl_tokens.json"), "--json",
                                       "--threads", "1", "--against", other, "--prefill-tokens",
                                       str(prefill_tokens)))["against"]["kl"]

    def serve(self, model):
        return Server([self.binary, "serve", "--model", model, "--threads", "1"], self.path("serve.log"))

    def llama_server(self, model, *arguments):
        """Keys and values in f32, as otherwise it rounds them to f16."""
        return Server([*self.peers, "llama-server", "--model", model, "--ctx-size", "2048", "--parallel", "1",
                       "--threads", "1", "--flash-attn", "off", "--cache-type-k", "f32", "--cache-type-v", "f32",
                       "--no-warmup", *arguments], self.path("llama-server.log"))


def largest(a, b):
    assert len(a) == len(b)
    return max(abs(x - y) for x, y in zip(a, b))


def mean_difference(a, b):
    assert len(a) == len(b)
    return sum(abs(x - y) for x, y in zip(a, b)) / len(a)


def divergences(expected, found):
    """Of distributions given as log-probabilities, in nats."""
    return [sum(math.exp(x) * (x - y) for x, y in zip(p, q)) for p, q in zip(expected, found)]


def kl(expected, found):
    """Mean divergence of distributions given as log-probabilities, in nats."""
    return statistics.mean(divergences(expected, found))


def standard_error(differences):
    """Of the mean, by means of blocks."""
    blocks = [statistics.mean(differences[i:i + KL_BLOCK]) for i in range(0, len(differences), KL_BLOCK)]
    return statistics.stdev(blocks) / math.sqrt(len(blocks))


def normalized(row):
    total = math.log(sum(map(math.exp, row)))
    return [x - total for x in row]


def distributions(server, tokens):
    """Log-probabilities of the whole vocabulary after each prefix of the tokens."""
    rows = []
    for n in range(1, len(tokens)):
        answer = server.ask("/completion", {"prompt": tokens[:n], "n_predict": 1, "temperature": 0,
                                            "n_probs": COMMON["vocab_size"]})
        row = {entry["id"]: entry["logprob"] for entry in answer["completion_probabilities"][0]["top_logprobs"]}
        rows.append(normalized([row[i] for i in range(COMMON["vocab_size"])]))
    return rows


def of_tokens(rows, tokens):
    return [row[token] for row, token in zip(rows, tokens[1:])]


def sure_tokens(answer):
    """The bytes of the tokens of a completion, up to where two were nearly as likely."""
    pieces = []
    for step in answer["completion_probabilities"]:
        first, second = (entry["logprob"] for entry in step["top_logprobs"])
        if first - second < GAP:
            break
        pieces.append(bytes(step["bytes"]))
    return pieces


def compare_greedy(world, what, model, llama):
    """The answers of `chatmem serve` against llama-server's, as far as that one was sure of every token."""
    sure, same, lengths, texts = 0, 0, [], set()
    with world.serve(model) as ours:
        for dialogue in world.dialogues:
            messages = [{"role": "user", "content": dialogue}]
            prompt = llama.ask("/apply-template", {"messages": messages})["prompt"]
            tokens = llama.ask("/tokenize", {"content": prompt, "add_special": True, "parse_special": True})["tokens"]
            pieces = sure_tokens(llama.ask("/completion", {"prompt": tokens, "n_predict": ANSWER_TOKENS,
                                                           "temperature": 0, "n_probs": 2}))
            reply = ours.ask("/v1/chat/completions", {"messages": messages, "temperature": 0,
                                                      "max_tokens": ANSWER_TOKENS})
            lengths.append(reply["usage"]["prompt_tokens"] - len(tokens))
            text = reply["choices"][0]["message"]["content"].encode()
            texts.add(text)
            sure += len(pieces)
            same += sum(text.startswith(b"".join(pieces[: n + 1])) for n in range(len(pieces)))
    world.report.equal(f"{what}: rendered prompts of other lengths", sum(map(bool, lengths)), 0)
    world.report.equal(f"{what}: {len(texts)} different answers, same tokens while sure", same, sure)


def prepare(world):
    """Data and models of both shapes."""
    with open("samples/dialogues.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))[:10 * LEARNT_CHATS]
    world.dialogues = [row["dialogue"] for row in rows[:LEARNT_CHATS]]
    with open(world.path("chats.jsonl"), "w", encoding="utf-8") as file:
        for row in rows[:LEARNT_CHATS]:
            turns = [("user", row["dialogue"]), ("assistant", row["summary"])]
            file.write(json.dumps({"messages": [{"role": r, "content": text} for r, text in turns]}) + "\n")
    world.page = Path("samples/chat.txt").read_text(encoding="utf-8") + MIXED_TEXT
    world.tokens = [COMMON["bos_token_id"], *world.ids(TOKENIZER, world.dialogues[0])][:SCORED_TOKENS]
    Path(world.path("tokens.json")).write_text(json.dumps(world.tokens))
    unseen = "\n\n".join(row["dialogue"] for row in rows[LEARNT_CHATS:])
    world.kl_tokens = [COMMON["bos_token_id"], *world.ids(TOKENIZER, unseen)][:KL_TOKENS]
    Path(world.path("kl_tokens.json")).write_text(json.dumps(world.kl_tokens))
    for name in world.shapes:
        config = world.path(f"{name}.json")
        Path(config).write_text(json.dumps(COMMON | SHAPES[name]))
        world.train(world.path(name), "--init", config, "--tokenizer", TOKENIZER, "--steps", str(STEPS),
                    "--lr", "3e-3", "--seed", "1")


def check_folders_out(world):
    for name in world.shapes:
        folder = world.path(name)
        expected = world.score(folder)
        world.report.at_most(f"{name} f32 folder in transformers: log-probabilities",
                             largest(world.peer.logprobs(folder=folder, tokens=world.tokens), expected), F32)
        for dtype in ["f16", "bf16"]:
            half = world.export(folder, f"{name}-{dtype}", "--dtype", dtype)
            # its weights are exact in f32
            world.report.at_most(f"{name} {dtype} folder in transformers, computed in f32",
                                 largest(world.peer.logprobs(folder=half, tokens=world.tokens),
                                         world.score(half, "--dtype", "f32")), F32)
        exact, theirs = (world.peer.logprobs(folder=half, tokens=world.tokens, dtype=dtype)
                         for dtype in ["float32", "bfloat16"])
        off = largest(theirs, exact)  # transformers rounds logits, too
        world.report.at_most(f"{name} bf16 folder computed in bf16: distance from f32 (transformers' {off:.3f})",
                             largest(world.score(half), exact), max(off, BF16))
        ours = world.ids(folder, world.page, "--special")
        for kind, theirs in zip(["tokenizers", "AutoTokenizer"], world.peer.ids(folder=folder, text=world.page)):
            world.report.equal(f"{name} {kind}: ids that differ, of {len(ours)}", differing(ours, theirs), 0)


def differing(a, b):
    return sum(x != y for x, y in zip(a, b)) + abs(len(a) - len(b))


def check_folders_in(world):
    for name in world.shapes:
        folder, text = world.path(name), world.path("dialogue.txt")
        Path(text).write_text(world.dialogues[0], encoding="utf-8")
        for dtype, torch_name in [("f32", "float32"), ("bf16", "bfloat16")]:
            source = folder if dtype == "f32" else world.path(f"{name}-bf16")
            saved = world.fresh(f"{name}-{dtype}-saved")
            n = world.peer.save_again(folder=source, output=saved, dtype=torch_name, max_shard_size="3MB")
            scores = [json.loads(world.chatmem("score", "--model", model, "--text", text, "--json"))["logprobs"]
                      for model in (source, saved)]
            world.report.at_most(f"{name} {dtype} saved by transformers in {n} shards: log-probabilities of a text",
                                 largest(*scores), 0)
    random = world.fresh("random")
    world.peer.save_random(output=random, vocab_size=COMMON["vocab_size"])
    world.report.at_most("random model of transformers: log-probabilities",
                         largest(world.peer.logprobs(folder=random, tokens=world.tokens), world.score(random)), F32)


def check_gguf_out(world):
    for name in world.shapes:
        folder = world.path(name)
        files = {kind: world.export(folder, f"{name}-{kind}.gguf", "--to", "gguf", "--dtype", kind)
                 for kind in ["f32", "f16", "bf16", "q8_0", "q4_0", "q4_k_m"]}
        with world.llama_server(files["f32"]) as llama:
            for special in [False, True]:
                theirs = llama.ask("/tokenize", {"content": world.page, "add_special": False,
                                                 "parse_special": special})["tokens"]
                ours = world.ids(folder, world.page, *["--special"] * special)
                world.report.equal(f"{name} llama.cpp{', special tokens parsed' * special}: ids that differ, of "
                                   f"{len(ours)}", differing(ours, theirs), 0)
            exact = distributions(llama, world.tokens)
        world.report.at_most(f"{name} f32 GGUF in llama.cpp: log-probabilities",
                             largest(of_tokens(exact, world.tokens), world.score(folder)), F32)
        for kind, path in files.items():
            if kind == "f32":
                with world.llama_server(path) as llama:
                    compare_greedy(world, f"{name} f32 GGUF", path, llama)
                continue
            other = world.quantize(files["f32"], f"{name}-{kind}-theirs.gguf", kind.upper())
            found = world.peer.differing_tensors(path=path, other=other)
            world.report.equal(f"{name} {kind} GGUF against llama-quantize: tensors that differ, of "
                               f"{found['tensors']}", len(found["differing"]), 0)
            with world.llama_server(path) as llama:
                ours = kl(exact, distributions(llama, world.tokens))
                if not kind.startswith("q"):
                    compare_greedy(world, f"{name} {kind} GGUF", path, llama)
            with world.llama_server(other) as llama:
                theirs = kl(exact, distributions(llama, world.tokens))
            world.report.at_most(f"{name} {kind} GGUF in llama.cpp: KL from f32 (llama-quantize's {theirs:.2e})",
                                 ours, 1.01 * theirs + 1e-6)


def check_divergence(world, what, path, source, ratios):
    """That chatmem's arithmetic on the weights of a file loses no more than llama.cpp's: from the same weights in f32,
    and from the model that was quantized, where the format's own loss is 10 to 1,000 times as large and its sum with
    either program's may turn out smaller: not larger than by chance there (two standard errors). `ratios` of the latter
    are added to the list."""
    def rows(model):
        with world.llama_server(model) as llama:
            return distributions(llama, world.kl_tokens)

    if source not in world.distributions:
        world.distributions[source] = rows(source)
    decoded = world.export(path, "decoded.gguf", "--to", "gguf", "--dtype", "f32")
    found, exact = rows(path), rows(decoded)
    lost, whole = divergences(exact, found), divergences(world.distributions[source], found)
    for how, n in [("read at once", 512), ("token by token", 1)]:
        limit = statistics.mean(lost)
        world.report.at_most(f"{what}, {how}: KL from the same weights in f32 (llama.cpp's {limit:.2e})",
                             statistics.mean(world.divergences(path, decoded, n)), limit)
        ours, limit = world.divergences(path, source, n), statistics.mean(whole)
        chance = 2 * standard_error([x - y for x, y in zip(ours, whole)])
        world.report.at_most(f"{what}, {how}: KL from the model (llama.cpp's {limit:.3e})", statistics.mean(ours),
                             limit + chance)
        ratios.append(statistics.mean(ours) / limit)


def check_gguf_in(world):
    ratios = []
    for name in world.shapes:
        folder = world.path(name)
        for source, kind in [("f32", "q8_0"), ("f32", "q4_0"), ("f32", "q4_k_m"), ("f32", "q6_k"), ("bf16", "q4_k_m")]:
            path = world.quantize(world.path(f"{name}-{source}.gguf"), f"{name}-{source}-{kind}.gguf", kind.upper())
            what = f"{name} {kind} GGUF by llama-quantize of {source}"
            ours = world.score(path, "--dtype", "f32")
            decoded = world.peer.gguf_logprobs(path=path, folder=folder, tokens=world.tokens)
            world.report.at_most(f"{what}, decoded by gguf in PyTorch", largest(ours, decoded), F32)
            with world.llama_server(path) as llama:
                # llama.cpp rounds activations to 8 bits before it multiplies by a quantized weight
                theirs = of_tokens(distributions(llama, world.tokens), world.tokens)
                world.report.at_most(f"{what} against llama.cpp: mean difference", mean_difference(ours, theirs), BF16)
                compare_greedy(world, what, path, llama)
            check_divergence(world, what, path, world.path(f"{name}-{source}.gguf"), ratios)
        path = world.fresh(f"{name}-written.gguf")
        world.peer.write_gguf(folder=folder, output=path, like=world.path(f"{name}-f32.gguf"))
        world.report.at_most(f"{name} f16 GGUF written by gguf: log-probabilities against PyTorch",
                             largest(world.score(path),
                                     world.peer.gguf_logprobs(path=path, folder=folder, tokens=world.tokens)), F32)
        with world.llama_server(path) as llama:
            compare_greedy(world, f"{name} f16 GGUF written by gguf", path, llama)
    world.report.at_most(f"all {len(ratios)} KL from the model over llama.cpp's, geometric mean",
                         statistics.geometric_mean(ratios), 1)
    path = world.quantize(world.path(f"{world.shapes[0]}-f32.gguf"), "q5_0.gguf", "Q5_0")
    message = world.chatmem("score", "--model", path, "--tokens", world.path("tokens.json"), fails=True)
    world.report.equal("a q5_0 GGUF is refused: says tensor, type and what to do",
                       all(word in message for word in ["blk.0.", "Q5_0", "hint:", "Q8_0"]), True)


ADAPTERS = {"lora": [], "rslora": ["--rslora"], "dora": ["--dora"], "dropout": ["--lora-dropout", "0.1"]}


def check_adapters(world):
    for name in world.shapes:
        folder, base = world.path(name), world.path(f"{name}-f32.gguf")
        adapters = {kind: world.train(world.path(f"{name}-{kind}"), "--model", folder, "--steps", str(ADAPTER_STEPS),
                                      "--lr", "1e-2", "--lora-rank", "8", "--lora-alpha", "12", *flags)
                    for kind, flags in ADAPTERS.items()}
        for kind, dora, dtype in [("patterns", False, "float32"), ("patterns-dora", True, "bfloat16")]:
            adapters[kind] = world.fresh(f"{name}-{kind}")
            world.peer.write_adapter(folder=folder, output=adapters[kind], dora=dora, dtype=dtype)
        unadapted = world.score(folder)
        for kind, adapter in adapters.items():
            ours = world.score(folder, "--adapter", adapter)
            theirs = world.peer.adapted_logprobs(folder=folder, adapter=adapter, tokens=world.tokens)["logprobs"]
            world.report.at_most(f"{name} adapter {kind} by PEFT's formulas (it changes "
                                 f"{largest(ours, unadapted):.2f})", largest(ours, theirs), F32)
            merged = world.export(folder, f"{name}-{kind}-merged", "--adapter", adapter)
            world.report.at_most(f"{name} adapter {kind} merged, in transformers",
                                 largest(theirs, world.peer.logprobs(folder=merged, tokens=world.tokens)), F32)
            if "dora" in kind:  # which llama.cpp does not apply
                continue
            lora = world.export(folder, f"{name}-{kind}-adapter.gguf", "--adapter", adapter, "--to", "gguf",
                                "--adapter-only")
            with world.llama_server(base, "--lora", lora) as llama:
                applied = of_tokens(distributions(llama, world.tokens), world.tokens)
            world.report.at_most(f"{name} adapter {kind} as GGUF, by --lora in llama.cpp", largest(ours, applied), F32)
            world.report.at_most(f"{name} adapter {kind} as GGUF, in chatmem",
                                 largest(ours, world.score(base, "--adapter", lora)), F32)


def check_nf4(world):
    """The loss of the first step of QLoRA, which is from before the first update."""
    data, tokens = world.path("one.jsonl"), [*world.tokens, COMMON["eos_token_id"][-1]]
    Path(data).write_text(json.dumps({"input_ids": tokens, "labels": tokens}) + "\n")
    for name in world.shapes:
        folder, losses = world.path(name), {}
        for quantize in ["nf4", "off"]:
            output = world.fresh(f"{name}-qlora-{quantize}")
            world.chatmem("train", "--model", folder, "--data", data, "--output", output, "--quantize", quantize,
                          "--steps", "1", "--val-share", "0", "--threads", "1")
            with open(f"{output}/log.csv", newline="") as file:
                losses[quantize] = float(next(csv.DictReader(file))["loss"])
        logprobs = world.peer.nf4_logprobs(folder=folder, tokens=tokens)
        world.report.at_most(f"{name} loss with NF4 weights by the formula (NF4 changes it by "
                             f"{abs(losses['nf4'] - losses['off']):.1e})",
                             abs(losses["nf4"] + sum(logprobs) / len(logprobs)), 1e-5)


CHECKS = {"folders-out": check_folders_out, "folders-in": check_folders_in, "nf4": check_nf4,
          "gguf-out": check_gguf_out, "gguf-in": check_gguf_in, "adapters": check_adapters}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--chatmem", default="build/chatmem", help="binary (%(default)s)")
    parser.add_argument("--peers", default="", help="command that enters the place of the others")
    parser.add_argument("--work", default="build/interop", help="folder below this one (%(default)s)")
    parser.add_argument("--only", choices=CHECKS, nargs="+", default=list(CHECKS),
                        help="some of the checks; each needs the files of those before it")
    parser.add_argument("--shapes", choices=SHAPES, nargs="+", default=list(SHAPES), help="some of the models")
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    Path(options.work).mkdir(parents=True, exist_ok=True)
    world = World(options.chatmem, shlex.split(options.peers), Path(options.work), options.shapes)
    prepare(world)
    print(json.dumps(world.peer.versions()))
    for name in options.only:
        CHECKS[name](world)
    print(f"{world.report.failed} failed")
    return world.report.failed > 0


if __name__ == "__main__":
    sys.exit(main())
