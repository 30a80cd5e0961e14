#!/usr/bin/env bash
# The whole road on the samples: a recap at once, then dialogues -> conversations -> shards -> a small base tuned by LoRA
# -> served -> scored over HTTP. Called by ./dev demo.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
chatmem=build/chatmem
out=demo
server=0
trap '((server)) && kill "$server" 2>/dev/null; true' EXIT

title() { printf '\n== %s\n' "$*"; }
run() { # prints the command, then runs it
  printf '$ %s\n' "$*"
  "$@"
}

title "1. What is useful at once: a recap of three months of chat, no model needed"
run $chatmem summarize samples/chat.txt --as-of 2024-06-05

rm -rf $out && mkdir $out
title "2. Training data: 440 dialogues become dated conversations with personal summaries"
run $chatmem generate --provider offline --input samples/dialogues.csv --rows all --seed 1 --output $out/generated
# The last two topics are held out: no dialogue of theirs is in the training data.
head -n 420 $out/generated/training_data.jsonl >$out/train.jsonl
tail -n 20 $out/generated/training_data.jsonl >$out/test.jsonl

title "3. Token shards with a loss mask"
run $chatmem encode --data $out/train.jsonl --tokenizer samples/tokenizer --output $out/shards

title "4. LoRA on a small base that comes with the samples, for about a minute"
run $chatmem train --model samples/base/base.gguf --data $out/shards --output $out/adapter --steps 60 --lr 1e-3 \
  --lora-rank 16 --max-tokens 4096 --seed 1

title "5. Served, and evaluated over HTTP on chats it has never seen"
printf '$ %s\n' "$chatmem serve --model samples/base/base.gguf --adapter $out/adapter --port 0 &"
$chatmem serve --model samples/base/base.gguf --adapter $out/adapter --port 0 >$out/serve.out 2>$out/serve.log &
server=$!
for ((i = 0; i < 300; i++)); do
  url=$(sed -n 's/^listening on //p' $out/serve.out)
  [[ -n $url ]] && break
  kill -0 "$server" 2>/dev/null || { cat $out/serve.log; exit 1; }
  sleep 0.1
done
run $chatmem evaluate --data $out/test.jsonl --endpoint "$url/v1" --concurrency 4 --output $out/evaluation --show 1
kill -TERM "$server" && wait "$server" || true
server=0

title "What this was"
cat <<END
A base of 7 million parameters, tuned for a minute on 420 chats, is there to prove the road: its sentences read well and
are mostly wrong. The extractive engine above is what to use without a model; a fine-tuned Llama 3.1 8B is what the road
is for.

Left in $out/: generated/ (the data), shards/, adapter/ (PEFT's layout; log.csv is the loss), evaluation/ (report.html).

The same road with a real Llama 3.1 8B (download config.json, generation_config.json, tokenizer.json and the four
model-0000N-of-00004.safetensors with model.safetensors.index.json from its repository into one folder):
  $chatmem train    --model Llama-3.1-8B-Instruct --data $out/train.jsonl --output adapter
  $chatmem export   --model Llama-3.1-8B-Instruct --adapter adapter --output merged
  $chatmem serve    --model merged
  $chatmem evaluate --data $out/test.jsonl --endpoint http://127.0.0.1:8080/v1
END
