#!/usr/bin/env bash
# Trains the small base of samples/base: conversations that `generate` makes of the first 420 sample dialogues, under
# twelve seeds; every token is learnt, then summaries alone. Needs build/chatmem, writes the folder OUTPUT: base.gguf
# (q8_0) and the two logs. About 40 minutes on one core.
# usage: tools/train_base.sh OUTPUT
set -euo pipefail
[[ $# == 1 ]] || { sed -n '2,5s/^# //p' "$0" >&2; exit 2; }
output=$(realpath -m "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
chatmem=build/chatmem
mkdir -p "$output"
: >"$output/train.jsonl"
for seed in {1..12}; do
  $chatmem generate --provider offline --input samples/dialogues.csv --rows 420 --seed "$seed" --output "$output/generated_$seed"
  sed "s/^{\"id\":\"/&seed${seed}_/" "$output/generated_$seed/training_data.jsonl" >>"$output/train.jsonl"
done
train=($chatmem train --data "$output/train.jsonl" --max-tokens 4096 --dtype bf16 --seed 1 --weight-decay 0.1)
"${train[@]}" --init samples/base/config.json --tokenizer samples/tokenizer --completion-only-loss off --val-share 0.01 \
  --steps 1200 --lr 1.5e-3 --output "$output/reader"
"${train[@]}" --model "$output/reader" --method full --val-share 0.01 --steps 150 --lr 3e-4 --output "$output/base"
$chatmem export --model "$output/base" --to gguf --dtype q8_0 --output "$output/base.gguf"
cp "$output/reader/log.csv" "$output/reader_log.csv"
cp "$output/base/log.csv" "$output/base_log.csv"
