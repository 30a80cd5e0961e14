#!/usr/bin/env python3
"""Runs chatmem and its peers in turn, A B A B, and prints medians and their ratio beside the bar that it must reach.

    bench/compare.py --tools FOLDER [--only ROW ...] [--pairs 5]

FOLDER has what enters the place of the peers (peers.sh run COMMAND), PyTorch's step (peer_lora.py) and the maker of
random GGUF files (make_random_gguf.py). Every row is a Llama 3.1 8B of four layers, two threads. --list names the rows.
Files are made once in --work, 40 GB; one pair takes from half a minute (decode) to three minutes (train). The table is
also written to table.md there.
"""

import argparse
import json
import math
import os
import random
import shlex
import signal
import socket
import statistics
import struct
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

GGUF = {"bf16": "BF16", "q8_0": "Q8_0", "q4_0": "Q4_0", "q4_k_m": "Q4_K_M"}
BIND_AVX2 = """cd /usr/lib/x86_64-linux-gnu/ggml/backends0 && for f in libggml-cpu-*; do
  case $f in *haswell*) ;; *) mount --bind /dev/null $f ;; esac; done; cd /mnt/here && exec "$@" """
# Bytes a second of bench_tokenizer's text by Hugging Face's library on one thread.
TOKENIZE = """import os, time
os.environ["TOKENIZERS_PARALLELISM"] = "false"
from tokenizers import Tokenizer
tokenizer = Tokenizer.from_file("tokenizer.json")
data = open("text.csv", "rb").read()[:4000000]
pieces = [data[i:i + 2000].decode(errors="replace") for i in range(0, len(data), 2000)]
begin = time.perf_counter()
for piece in pieces:
    tokenizer.encode(piece, add_special_tokens=False)
print(len(data) / (time.perf_counter() - begin))"""
TIMED = """import subprocess, sys, time
begin = time.perf_counter()
subprocess.run(sys.argv[1:], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(time.perf_counter() - begin)"""
CHAT = "2024-05-01 10:00 | Ann: Shall we meet at the station on Friday?\n2024-05-01 10:02 | You: Yes, at nine.\n"
TORCH_AVX2 = {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "OPENBLAS_CORETYPE": "Haswell"}


class Bench:
    def __init__(self, options):
        self.binary = str(Path(options.chatmem).resolve())
        self.tools, self.work = Path(options.tools).resolve(), Path(options.work)
        self.work.mkdir(parents=True, exist_ok=True)

    def last_line(self, command, env=None):
        done = subprocess.run(command, capture_output=True, cwd=self.work, env={**os.environ, **(env or {})})
        if done.returncode != 0:
            raise RuntimeError(f"{shlex.join(command)}: ended with {done.returncode}\n{done.stderr.decode()[-2000:]}")
        return json.loads(done.stdout.decode().strip().splitlines()[-1])

    def peer(self, *command):
        return [str(self.tools / "peers.sh"), "run", *command]

    def chatmem(self, verb, *arguments, isa=None):
        return self.last_line([self.binary, "bench", verb, "--layers", "4", "--threads", "2", "--json", *arguments],
                              {"CHATMEM_ISA": isa} if isa else None)

    def gguf(self, dtype):
        """A file of random weights for llama.cpp."""
        name = GGUF[dtype] + ".gguf"
        if not (self.work / name).exists():
            print(f"making {self.work / name}", file=sys.stderr)
            if dtype == "q4_k_m":
                command = self.peer("llama-quantize", self.gguf("bf16"), "part.gguf", "Q4_K_M", "2")
            else:
                command = self.peer("python3", "/mnt/tools/make_random_gguf.py", "part.gguf", "4", GGUF[dtype])
            subprocess.run(command, cwd=self.work, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            (self.work / "part.gguf").rename(self.work / name)
        return name

    def llama(self, dtype, n_prompt, n_made, avx2=False):
        command = ["llama-bench", "-m", self.gguf(dtype), "-t", "2", "-p", str(n_prompt), "-n", str(n_made), "-r", "1",
                   "-o", "jsonl"]
        if avx2:
            command = ["unshare", "-m", "--propagation", "unchanged", "bash", "-c", BIND_AVX2, "llama", *command]
        return self.last_line(self.peer(*command))["avg_ts"]

    def together(self, command, port, path, body, answered, requests=8, n=64):
        """Tokens a second of requests that a server answers at the same time."""
        server = subprocess.Popen(command, cwd=self.work, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                  start_new_session=True)

        def ask(path, body=None):
            request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body and json.dumps(body).encode(),
                                             {"Content-Type": "application/json"})
            with urllib.request.urlopen(request, timeout=300) as answer:
                return json.load(answer)

        def ready():
            try:
                return bool(ask("/health"))
            except (urllib.error.URLError, OSError):
                return False

        try:
            while not ready():
                if server.poll() is not None:
                    raise RuntimeError(f"{shlex.join(command)} ended")
                time.sleep(0.2)
            bodies = [{**body, "prompt": [1000 + 17 * i + j for j in range(4)]} for i in range(requests)]
            with ThreadPoolExecutor(requests) as pool:
                for _ in range(2):  # the first time warms it up
                    begin = time.perf_counter()
                    made = sum(answered(answer) for answer in pool.map(lambda one: ask(path, one), bodies))
                    seconds = time.perf_counter() - begin
            if made != requests * n:
                raise RuntimeError(f"{made} tokens were made, not {requests * n}")
            return made / seconds
        finally:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()

    def serve_together(self, dtype):
        port = free_port()
        return self.together([self.binary, "serve", "--model", self.with_vocabulary(dtype), "--port", str(port),
                              "--threads", "2", "--speculate", "off"], port, "/v1/completions",
                             {"model": "x", "max_tokens": 64, "temperature": 0},
                             lambda answer: answer["usage"]["completion_tokens"])

    def llama_together(self, dtype):
        port = free_port()
        return self.together(self.peer("llama-server", "-m", self.with_vocabulary(dtype), "--port", str(port), "-t",
                                       "2", "-np", "8", "-c", "4096", "--no-warmup"), port, "/completion",
                             {"n_predict": 64, "temperature": 0, "ignore_eos": True, "cache_prompt": False},
                             lambda answer: answer["tokens_predicted"])

    def with_vocabulary(self, dtype, layers=4):
        """A GGUF file with Llama 3's tokens, from the Hugging Face folder of such a model in --work."""
        name, folder = f"vocabulary-{dtype}-{layers}.gguf", f"folder-{layers}"
        if not (self.work / name).exists():
            if not (self.work / folder / "config.json").exists():
                self.write_folder(self.work / folder, layers)
            subprocess.run([self.binary, "export", "--model", folder, "--to", "gguf", "--dtype", dtype, "--output",
                            name], cwd=self.work, check=True)
        return name

    def start(self):
        """Seconds from the start of the program to its end after one token, a model of 32 layers."""
        (self.work / "chat.txt").write_text(CHAT)
        command = [self.binary, "summarize", "chat.txt", "--model", self.with_vocabulary("q4_k_m", 32), "--max-tokens",
                   "1", "--threads", "2"]
        begin = time.perf_counter()
        subprocess.run(command, cwd=self.work, check=True, capture_output=True)
        return time.perf_counter() - begin

    def llama_start(self):
        """The same: the prompt has not more tokens than ours, which also says what to do."""
        (self.work / "prompt.txt").write_text(4 * CHAT)
        return self.last_line(self.peer("python3", "-c", TIMED, "llama-cli", "-m", self.with_vocabulary("q4_k_m", 32),
                                        "-f", "prompt.txt", "-n", "1", "-st", "--no-warmup", "-t", "2"))

    def write_folder(self, folder, layers):
        """Random weights, Llama 3's tokenizer beside the peers' tools."""
        dim, hidden, kv, vocab = 4096, 14336, 1024, 128256
        shapes = {"model.embed_tokens": (vocab, dim), "model.norm": (dim,), "lm_head": (vocab, dim)}
        for i in range(layers):
            shapes |= {f"model.layers.{i}.{name}": shape for name, shape in {
                "input_layernorm": (dim,), "post_attention_layernorm": (dim,), "self_attn.q_proj": (dim, dim),
                "self_attn.k_proj": (kv, dim), "self_attn.v_proj": (kv, dim), "self_attn.o_proj": (dim, dim),
                "mlp.gate_proj": (hidden, dim), "mlp.up_proj": (hidden, dim), "mlp.down_proj": (dim, hidden)}.items()}
        head, at = {}, 0
        for name, shape in shapes.items():
            size = 2 * math.prod(shape)
            head[name + ".weight"] = {"dtype": "BF16", "shape": list(shape), "data_offsets": [at, at + size]}
            at += size
        text = json.dumps(head).encode()
        folder.mkdir(exist_ok=True)
        (folder / "tokenizer.json").write_bytes((self.tools / "../data/llama3/tokenizer.json").read_bytes())
        # Normal numbers of deviation 0.02 in bf16, the upper halves of their f32, a million again and again.
        chance = random.Random(1)
        pool = b"".join(struct.pack("<f", chance.gauss(0, 0.02))[2:] for _ in range(1 << 20))
        with open(folder / "model.safetensors", "wb") as file:
            file.write(struct.pack("<Q", len(text)) + text)
            for shape in shapes.values():
                size = 2 * math.prod(shape)
                if len(shape) == 1:
                    file.write(b"\x80\x3f" * shape[0])  # 1
                for begin in range(0, size if len(shape) > 1 else 0, len(pool)):
                    file.write(pool[:size - begin])
        config = {"model_type": "llama", "hidden_size": dim, "intermediate_size": hidden, "num_hidden_layers": layers,
                  "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128, "vocab_size": vocab,
                  "max_position_embeddings": 8192, "rms_norm_eps": 1e-5, "rope_theta": 500000.0,
                  "tie_word_embeddings": False, "torch_dtype": "bfloat16", "bos_token_id": 128000,
                  "eos_token_id": [128001, 128008, 128009]}
        (folder / "config.json").write_text(json.dumps(config))

    def lookup(self):
        """Tokens a second with and without guesses from the prompt."""
        return self.last_line([str(Path(self.binary).parent / "bench/bench_lookup"), "q4_k_m",
                               str(self.tools / "../data/dialogsum/dev.csv"),
                               str(self.tools / "../data/llama3/tokenizer.json")])

    def tokenizer(self):
        command = [str(Path(self.binary).parent / "bench/bench_tokenizer"), "--benchmark_format=json"]
        done = subprocess.run(command, capture_output=True, check=True)
        return json.loads(done.stdout)["benchmarks"][0]["bytes_per_second"]

    def their_tokenizer(self):
        for name, source in [("tokenizer.json", "llama3/tokenizer.json"), ("text.csv", "dialogsum/train.csv")]:
            (self.work / name).write_bytes((self.tools / "../data" / source).read_bytes())
        return self.last_line(self.peer("python3", "-c", TOKENIZE))

    def torch(self, dtype, avx2=False):
        env = [f"{key}={value}" for key, value in TORCH_AVX2.items()] if avx2 else []
        return self.last_line(self.peer("env", *env, "python3", "/mnt/tools/peer_lora.py", "--dtype", dtype,
                                        "--steps", "2"))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Group:
    """Runs in turn, and what is read from them: name, a run and a field over a run and a field, bar, goal."""

    def __init__(self, runs, *measures):
        self.runs, self.measures = runs, measures


def pair(name, ours, theirs, bar, goal=None, field=None):
    return Group({"ours": ours, "theirs": theirs}, (name, ("ours", field), ("theirs", field), bar, goal))


def train_groups():
    def ours(dtype, isa=None):
        return lambda b: b.chatmem("train", "--dtype", dtype, "--steps", "3", isa=isa)

    speed, memory = "tokens_per_second", "peak_rss_bytes"
    return [
        Group({"bf16": ours("bf16"), "torch": lambda b: b.torch("bfloat16"), "q4_k": ours("q4_k")},
              ("train bf16", ("bf16", speed), ("torch", speed), 3, 5),
              ("train bf16, memory", ("bf16", memory), ("torch", memory), "at most 0.8", None),
              ("train q4_k beside bf16", ("q4_k", speed), ("bf16", speed), 0.85, 0.95),
              ("train q4_k, memory", ("q4_k", memory), ("torch", memory), "at most 0.33", None)),
        pair("train f32 avx2", ours("f32", "avx2"), lambda b: b.torch("float32", avx2=True), 1, field=speed),
    ]


def serve_groups():
    groups, speed = [], "median_tokens_per_second"

    def row(verb, dtype, n, bar, goal, isa=None):
        ours = lambda b: b.chatmem(verb, "--tokens", str(n), "--dtype", dtype, "--rounds", "1", isa=isa)[speed]
        sizes = (n, 0) if verb == "prefill" else (0, n)
        name = f"{verb} {n} {dtype}" + (f" {isa}" if isa else "")
        groups.append(pair(name, ours, lambda b: b.llama(dtype, *sizes, avx2=bool(isa)), bar, goal))

    bars = {("prefill", 512): {"bf16": (3, None), "q8_0": (4, 8), "q4_0": (1.2, 2.5), "q4_k_m": (1.4, 2.5)},
            ("decode", 32): {"bf16": (0.95, None), "q8_0": (1.2, None), "q4_0": (1.1, None), "q4_k_m": (1.2, None)}}
    for (verb, n), formats in bars.items():
        for dtype, (bar, goal) in formats.items():
            row(verb, dtype, n, bar, goal)
            row(verb, dtype, n, 1, None, "avx2")
    row("prefill", "q4_k_m", 4096, 1.4, 2.5)
    for dtype in ["q4_k_m", "q8_0"]:
        groups.append(pair(f"8 requests together {dtype}", lambda b, d=dtype: b.serve_together(d),
                           lambda b, d=dtype: b.llama_together(d), 1.5, 3))
    groups.append(pair("start to the first token, seconds", Bench.start, Bench.llama_start, "at most 1.0", 0.5))
    guesses = [(f"prompt lookup, {what}, on beside off", ("lookup", f"{name}_on"), ("lookup", f"{name}_off"), bar, goal)
               for what, name, bar, goal in [("a summary that quotes", "quotes", 1.3, 2),
                                             ("a summary in own words", "own_words", 0.97, None)]]
    groups.append(Group({"lookup": Bench.lookup}, *guesses))
    return groups


GROUPS = [*train_groups(), *serve_groups(),
          pair("tokenizer, bytes a second", Bench.tokenizer, Bench.their_tokenizer, 5, 15)]
NAMES = [measure[0] for group in GROUPS for measure in group.measures]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--chatmem", default="build/chatmem", help="binary (%(default)s)")
    parser.add_argument("--tools", help="folder of the peers' tools")
    parser.add_argument("--work", default="build/compare", help="folder of the files (%(default)s)")
    parser.add_argument("--pairs", type=int, default=5, help="runs of each (%(default)s)")
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES, metavar="ROW", help="some of the rows")
    parser.add_argument("--list", action="store_true", help="name the rows and end")
    options = parser.parse_args()
    if options.list:
        print("\n".join(NAMES))
        return 0
    if not options.tools:
        parser.error("--tools must name the folder of the peers' tools")
    bench, missed = Bench(options), 0
    table = open(bench.work / "table.md", "w", encoding="utf-8")

    def line(text):
        print(text, flush=True)
        print(text, file=table, flush=True)

    line("| what | chatmem | peer | ratio | pair by pair | bar | goal |\n|---|---|---|---|---|---|---|")
    for group in GROUPS:
        measures = [measure for measure in group.measures if measure[0] in options.only]
        used = {run for _, (a, _), (b, _), *_ in measures for run in (a, b)}
        rounds = [{name: run(bench) for name, run in group.runs.items() if name in used}
                  for _ in range(options.pairs if measures else 0)]
        for name, *sides, bar, goal in measures:
            ours, theirs = ([found[run] if field is None else found[run][field] for found in rounds]
                            for run, field in sides)
            ratios = [x / y for x, y in zip(ours, theirs)]
            ratio = statistics.median(ratios)
            holds = ratio <= float(bar.split()[-1]) if isinstance(bar, str) else ratio >= bar
            missed += not holds
            line(f"| {name} | {statistics.median(ours):.4g} | {statistics.median(theirs):.4g} | {ratio:.2f} | "
                 f"{', '.join(f'{x:.2f}' for x in ratios)} | {bar}{'' if holds else ', missed'} | {goal or ''} |")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
