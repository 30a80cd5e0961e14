#!/bin/sh
# Runs an official client's calls: Anthropic's against chatmem's test double of its API, OpenAI's
# against chatmem serve.
# Usage: run.sh anthropic DOUBLE_PROGRAM WORK_FOLDER
#        run.sh openai CHATMEM_PROGRAM WORK_FOLDER
# Exit code 77, with the reason, where it cannot be tried: no node >= 20, no npm, no registry.
set -u
skip() { echo "skipped: $1"; exit 77; }
fail() { echo "error: $1" >&2; exit 1; }

[ $# -eq 3 ] || fail "usage: run.sh anthropic|openai PROGRAM WORK_FOLDER"
client=$1 program=$(realpath "$2") work=$3
here=$(cd "$(dirname "$0")" && pwd)
tokenizer=$here/../../samples/tokenizer
[ -d "$here/$client" ] || fail "there is no client '$client'"
[ -x "$program" ] || fail "$program must be built first"
command -v node >/dev/null 2>&1 || skip "node is not installed (20 or later is needed)"
command -v npm >/dev/null 2>&1 || skip "npm is not installed"
major=$(node -p 'process.versions.node.split(".")[0]')
[ "$major" -ge 20 ] || skip "node is $major, 20 or later is needed"

mkdir -p "$work" || exit 1
cp "$here/$client"/package.json "$here/$client"/package-lock.json "$here/$client"/*.mjs "$work" ||
  exit 1
cd "$work" || exit 1
if ! cmp -s package-lock.json installed-lock.json || [ ! -d node_modules ]; then
  if ! npm ci --ignore-scripts --no-audit --no-fund >npm.log 2>&1; then
    # Only a registry that cannot be reached is no failure.
    if grep -Eq 'ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EIDLETIMEOUT' npm.log
    then
      skip "the npm registry cannot be reached"
    fi
    cat npm.log >&2
    fail "npm ci failed"
  fi
  cp package-lock.json installed-lock.json
fi

# A model of a few training steps and an adapter of it: they say nothing, in the right forms.
make_model() {
  cat >config.json <<'JSON'
{"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "hidden_size": 32,
 "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8,
 "vocab_size": 4096, "max_position_embeddings": 4096, "rms_norm_eps": 1e-05, "rope_theta": 500000.0,
 "tie_word_embeddings": true, "bos_token_id": 3840, "eos_token_id": [3841, 3848, 3849], "torch_dtype": "float32"}
JSON
  cat >chat.jsonl <<'JSON'
{"id": "a", "messages": [{"timestamp": "2024-03-04 18:42", "content": "Hanna: The hip is on the 26th."}], "summary": "On March 4th Hanna wrote that the hip is on the 26th."}
JSON
  "$program" train --init config.json --tokenizer "$tokenizer" --data chat.jsonl --output tiny --steps 2 --val-share 0 &&
    "$program" train --model tiny --data chat.jsonl --output recaps --steps 2 --lora-rank 2 --val-share 0
}

case $client in
anthropic)
  rm -f port
  "$program" --port 0 --port-file port --ledger ledger.jsonl >server.log 2>&1 &
  found() { [ -s port ] && url="http://127.0.0.1:$(cat port)"; }
  ;;
openai)
  rm -rf tiny recaps
  make_model >model.log 2>&1 || { cat model.log >&2; fail "no model could be made"; }
  (umask 077 && echo sk-test >keys)
  "$program" serve --model tiny --adapter recaps=recaps --keys-file keys --threads 1 --port 0 >server.out 2>server.log &
  found() { url=$(sed -n 's/^listening on //p' server.out) && [ -n "$url" ]; }
  ;;
esac
pid=$!
trap 'kill "$pid" 2>/dev/null; wait "$pid" 2>/dev/null' EXIT
tries=0
until found; do
  kill -0 "$pid" 2>/dev/null || { cat server.log >&2; fail "the server ended"; }
  tries=$((tries + 1))
  [ "$tries" -lt 300 ] || fail "the server did not begin to serve"
  sleep 0.1
done
ANTHROPIC_BASE_URL=$url CHATMEM_URL=$url NO_PROXY=127.0.0.1 npm test --silent
