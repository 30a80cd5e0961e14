#!/usr/bin/env bash
# What is too long for every day, called by ./dev soak: all tests under sanitizers, every fuzzer, load on a server, and
# kill loops: commands killed at random moments must end with the bytes of an undisturbed run. Under 20 minutes on two
# cores once everything is built. Steps can be chosen: ./dev soak asan tsan fuzz load kill paid.
# SOAK_SECONDS: of each fuzzer (60); SOAK_FUZZERS: which ("gguf_fuzz config_fuzz"; all); SOAK_CLIENTS, SOAK_LOAD_SECONDS:
# of the load (64, 60); SOAK_KILLS: of each command (10; of paid 20); SOAK_HEALTH_MS: slowest /health that passes, p99
# (50); SOAK_SEED: of the random moments.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fuzz_seconds=${SOAK_SECONDS:-60}
clients=${SOAK_CLIENTS:-64}
load_seconds=${SOAK_LOAD_SECONDS:-60}
kills=${SOAK_KILLS:-10}
health_ms=${SOAK_HEALTH_MS:-50}
RANDOM=${SOAK_SEED:-1}
jobs=$(nproc)
chatmem=build/chatmem
out=build/soak
passed=0
failed=()
server=0
trap '((server)) && kill -KILL "$server" 2>/dev/null; true' EXIT

say() { printf '%s\n' "$*"; }
seconds_now() { date +%s.%N; }
since() { awk -v a="$1" -v b="$(seconds_now)" 'BEGIN { printf "%.0f", b - a }'; }

check() { # NAME COMMAND ...: runs it with its output in a log, and counts
  local name=$1 begin log
  shift
  log=$out/${name//[^A-Za-z0-9_]/_}.log
  begin=$(seconds_now)
  if "$@" >"$log" 2>&1; then
    passed=$((passed + 1))
    say "passed  $name ($(since "$begin") s)"
  else
    failed+=("$name")
    say "FAILED  $name ($(since "$begin") s), the end of $log:"
    tail -n 25 "$log" | sed 's/^/    /'
  fi
}

build() { # PRESET FOLDER TARGET ...
  local preset=$1 folder=$2
  shift 2
  say "building $folder"
  { [[ -e $folder/build.ninja ]] || cmake --preset "$preset"; } >"$out/build_$preset.log" 2>&1 &&
    ninja -C "$folder" "$@" >>"$out/build_$preset.log" 2>&1 && return
  say "error: $folder cannot be built, the end of $out/build_$preset.log:"
  tail -n 25 "$out/build_$preset.log"
  exit 1
}

asan() {
  build debug build-debug
  check "tests under asan and ubsan" ctest --test-dir build-debug --output-on-failure -j "$jobs"
}

# Those with threads of ours. OpenMP's runtime is not instrumented, so it gets one thread.
tsan() {
  local tests=(sse_test http_test http_multi_test chat_client_test server_test server_routes_test server_refusal_test
    batch_engine_test evaluate_test) built=() test
  for test in "${tests[@]}"; do [[ -e tests/$test.cpp ]] && built+=("$test"); done
  build tsan build-tsan "${built[@]}"
  for test in "${built[@]}"; do
    check "$test under tsan" env OMP_NUM_THREADS=1 TSAN_OPTIONS=halt_on_error=1 "build-tsan/tests/$test"
  done
}

all_fuzzers() { local source; for source in tests/fuzz/*_fuzz.cpp; do basename "$source" .cpp; done; }

# Where each fuzzer begins: pieces of the samples. A target that chooses by its first byte gets it before the text.
seed_corpora() { # FOLDER
  local corpus=$1 target byte data=$out/seeds
  for target in $(all_fuzzers); do mkdir -p "$corpus/$target"; done
  [[ -e $data/training_data.jsonl ]] ||
    $chatmem generate --provider offline --input samples/dialogues.csv --rows 3 --output $data >/dev/null 2>&1 || return 1
  head -n 1 $data/training_data.jsonl >"$corpus/json_fuzz/conversation"
  printf '{"a":[1,-2.5e3,true,null,"\\u00e9\\n"],"b":{"c":{}}}' >"$corpus/json_fuzz/small"
  head -n 30 samples/dialogues.csv >"$corpus/csv_fuzz/dialogues"
  printf 'topic,id,dialogue\r\n"a ""b""",1,"x\ny"\r\n' >"$corpus/csv_fuzz/quotes"
  cp tests/golden/*.safetensors "$corpus/safetensors_fuzz/"
  cp tests/golden/*.gguf "$corpus/gguf_fuzz/"
  cp tests/golden/*.gguf "$corpus/gguf_model_fuzz/"
  for byte in 0 1 2 3 4; do
    { printf "\\x0$byte"; head -c 2000 samples/chat.txt; } >"$corpus/tokenizer_fuzz/chat$byte"
  done
  { printf '\x00'; cat samples/tokenizer/tokenizer.json; } >"$corpus/tokenizer_fuzz/json"
  { printf '\x00'; head -n 1 $data/training_data.jsonl; } >"$corpus/conversation_fuzz/json"
  { printf '\x01'; cat $data/success/*_finetune.txt | head -c 4000; } >"$corpus/conversation_fuzz/finetune"
  { printf '\x02'; head -n 20 samples/chat.txt; } >"$corpus/conversation_fuzz/plain"
  cp tests/golden/grouped/config.json "$corpus/config_fuzz/"
  cp tests/golden/grouped/adapter/adapter_config.json "$corpus/adapter_config_fuzz/lora"
  cp tests/golden/grouped/dora/adapter_config.json "$corpus/adapter_config_fuzz/dora"
  printf '{"quant_type":"nf4","blocksize":64,"dtype":"bfloat16","shape":[9,128],"nested_blocksize":256,%s}' \
    '"nested_dtype":"float32","nested_offset":0.02' >"$corpus/nf4_fuzz/nested"
  printf '{"quant_type":"nf4","blocksize":64,"dtype":"bfloat16","shape":[1,64]}' >"$corpus/nf4_fuzz/plain"
  printf '{"id":"a","messages":[{"role":"system","content":"s"},{"role":"assistant","content":"b","weight":0}]}\n' \
    >"$corpus/training_record_fuzz/messages"
  printf '{"conversations":[{"from":"human","value":"a"},{"from":"gpt","value":"b"}]}\n' >"$corpus/training_record_fuzz/sharegpt"
  printf '{"prompt":"a","completion":"b"}\n{"prompt":"c","completion":"d"}\n' >"$corpus/training_record_fuzz/completion"
  printf '{"id":7,"input_ids":[1,2],"labels":[-100,2]}\n' >"$corpus/training_record_fuzz/tokens"
  head -n 1 $data/training_data.jsonl >"$corpus/training_record_fuzz/conversation"
  printf '{"format":"chatmem training 1","version":"1","base":"b","family":"Llama 3.1","method":"m","quantize":"off",%s%s%s}' \
    '"data":{"file":"f","fingerprint":"0","template":"t","examples":1,"tokens":2,"target_tokens":1,"validation_examples":0},' \
    '"steps":1,"best_step":1,"loss":{"train":1,"first_validation":null,"last_validation":2,"best_validation":2},' \
    '"settings":{"seed":"1"}' >"$corpus/model_card_fuzz/training"
  printf '{"systems":[{"system":"s","n":1,"rouge1":%s,"rouge2":%s,"rougeL":%s}]}' '{"mean":0.5,"low":0,"high":1}' \
    '{"mean":0.5,"low":0,"high":1}' '{"mean":0.5,"low":0,"high":1}' >"$corpus/model_card_fuzz/scores"
  printf '\x03event: a\ndata: {"x":1}\n\n: ping\r\n\r\ndata: 1\rdata:2\r\r' >"$corpus/sse_fuzz/events"
  printf 'The cat sat on the mats.\nA cat is sitting on a mat.' >"$corpus/rouge_fuzz/cats"
  printf '\x01{"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"hi"}]}],%s}' \
    '"max_tokens":5,"temperature":0.5,"top_p":0.9,"seed":-1,"stop":["a","b"],"stream":true,"stream_options":{"include_usage":true}' \
    >"$corpus/openai_api_fuzz/request"
  printf '\x00\x31Sun, 22 Nov 2026 18:35:00 GMT\n{"type":"message","model":"m","content":[{"type":"text","text":"hi"}],%s}' \
    '"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":2,"cache_read_input_tokens":3}' \
    >"$corpus/llm_api_fuzz/anthropic"
  printf '\x01\x311m2.5s\n{"model":"m","choices":[{"message":{"content":"hi","refusal":null},"finish_reason":"stop"}],%s}' \
    '"usage":{"prompt_tokens":3,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":1}}' \
    >"$corpus/llm_api_fuzz/openai"
  printf '\x00\x352026-11-22T18:35:00Z\n{"type":"error","error":{"type":"rate_limit_error","message":"no","details":%s}}' \
    '{"error_code":"enforced_spend_limit_reached"}' >"$corpus/llm_api_fuzz/error"
  printf '\x00```json\n{"today_date":"2024-08-20","conversations":[{"date":"2024-06-03","messages":[%s]}],%s}\n```' \
    '{"timestamp":"2024-06-03 9:05 PM","content":"You: Hi, Sarah. Is the gate mended?"}' \
    '"personal_summary":"As of August 20th, you asked Sarah on the 3rd of June, 2024."' >"$corpus/expansion_fuzz/json"
  printf '\x01[TODAY] 2024-08-20\n**[Conversation 1]** 2024-06-03\n09:05 | **You:** Hi\n2024-06-03 9:06 AM | Sarah: Yes\n[SUMMARY] You asked.' \
    >"$corpus/expansion_fuzz/brackets"
  cut -f 2 tests/golden/time_expressions.tsv >"$corpus/time_expressions_fuzz/sentences"
  printf '\x04An answer with \xc3\xa9\nand an EN! or END in it' >"$corpus/openai_api_fuzz/answer"
  printf '{"type":"object","properties":{"a":{"type":"integer","minimum":3},"b":{"enum":["x",1]}},"required":["a"]}' \
    >"$corpus/json_schema_fuzz/object"
  printf '{"anyOf":[{"type":"array","items":{"$ref":"#"}},{"type":"string","pattern":"^[a-c]{2}(x|y)*$"}]}' \
    >"$corpus/json_schema_fuzz/recursive"
  printf '%s\n' '{"format":"chatmem-journal","version":1}' '{"event":"sent","key":"a","bound_usd":1}' \
    '{"event":"received","key":"a","status":200,"request_id":"r","cost_usd":0.5,"body":"{\"x\":1}\u0001\n"}' \
    '{"event":"received","key":"b","status":200,"request_id":"","cost_usd":0,"body_latin1":"\u00ff"}' \
    '{"event":"failed","key":"c","cost_usd":0,"reason":"x"}' '{"event":"lost","requests":1,"bound_usd":1}' \
    '{"event":"batch_begins","created_at":"2026-11-22T10:00:00Z","requests":[["a",1],["b",2]]}' \
    '{"event":"batch_created","id":"m"}' '{"event":"batch_ended","id":"m"}' >"$corpus/journal_fuzz/events"
}

fuzz_one() { # TARGET SECONDS: a finding is left in build/soak
  "build-fuzz/tests/$1" -max_total_time="$2" -timeout=20 -rss_limit_mb=2048 -max_len=65536 -print_final_stats=1 \
    -artifact_prefix="$out/$1-" "build-fuzz/corpus/$1"
}

# As many at once as there are cores; the corpora stay in build-fuzz/corpus and grow from soak to soak.
fuzz() {
  build release build chatmem
  local targets=(${SOAK_FUZZERS:-$(all_fuzzers)})
  build fuzz build-fuzz "${targets[@]}"
  seed_corpora build-fuzz/corpus || { failed+=("seeds of the fuzzers"); return; }
  local target running=() pid
  for target in "${targets[@]}"; do
    say "fuzzing $target for $fuzz_seconds s"
    fuzz_one "$target" "$fuzz_seconds" >"$out/$target.log" 2>&1 &
    running+=("$!:$target")
    ((${#running[@]} < jobs)) || { await_fuzzer "${running[0]}"; running=("${running[@]:1}"); }
  done
  for pid in "${running[@]}"; do await_fuzzer "$pid"; done
}
await_fuzzer() { # PID:TARGET
  local target=${1#*:}
  if wait "${1%%:*}"; then
    passed=$((passed + 1))
    say "passed  $target, $(sed -n 's/^stat::number_of_executed_units: *//p' "$out/$target.log") inputs"
  else
    failed+=("$target")
    say "FAILED  $target, the end of $out/$target.log:"
    tail -n 25 "$out/$target.log" | sed 's/^/    /'
  fi
}

# A model of a few thousand parameters: what is tested is the road, not the answers.
write_tiny_config() { # FILE
  cat >"$1" <<'END'
{"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "hidden_size": 32,
 "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 16,
 "vocab_size": 4096, "max_position_embeddings": 4096, "rms_norm_eps": 1e-05, "rope_theta": 10000.0,
 "tie_word_embeddings": true, "bos_token_id": 3840, "eos_token_id": [3841, 3848, 3849], "torch_dtype": "float32"}
END
}

make_generated() { # OUTPUT
  $chatmem generate --provider offline --input samples/dialogues.csv --rows all --seed 1 --output "$1"
}
# --resume is refused without a checkpoint: then the kill came before the first one.
train_tiny() { # OUTPUT [STEPS]
  local output=$1 resume=()
  compgen -G "$output/checkpoints/step-*/state.json" >/dev/null && resume=(--resume)
  $chatmem train --init $out/tiny.json --tokenizer samples/tokenizer --data $out/train.jsonl --output "$output" \
    --steps 20 --save-every 3 --max-tokens 4096 --val-share 0.1 --seed 1 "${resume[@]}"
}
# With what evaluation adds to the state: the best of the run, patience, an end before the last step.
train_watched() { # OUTPUT
  local output=$1 resume=()
  compgen -G "$output/checkpoints/step-*/state.json" >/dev/null && resume=(--resume)
  $chatmem train --model $out/model --data $out/train.jsonl --output "$output" --lora-rank 4 --lr 2e-2 --packing off \
    --steps 40 --save-every 3 --eval-every 2 --patience 4 --max-tokens 4096 --val-share 0.2 --seed 1 "${resume[@]}"
}
evaluate_tiny() { # OUTPUT: answers.jsonl are the predictions without the times they took
  $chatmem evaluate --data $out/test.jsonl --endpoint "$url/v1" --concurrency 1 --max-tokens 40 --template seed --output "$1" &&
    sed 's/"ttft_ms":[^,]*,"total_ms":[^,]*,//' "$1/predictions.jsonl" >"$1/answers.jsonl"
}

start_server() { # [FLAG ...]: sets server and url
  local i
  $chatmem serve --model $out/model --port 0 --max-requests 16 "$@" >$out/serve.out 2>$out/serve.log &
  server=$!
  for ((i = 0; i < 600; i++)); do
    url=$(sed -n 's/^listening on //p' $out/serve.out)
    [[ -n $url ]] && return 0
    kill -0 "$server" 2>/dev/null || break
    sleep 0.1
  done
  cat $out/serve.log
  return 1
}
stop_server() { # it must end by itself
  kill -TERM "$server" && wait "$server"
  local status=$?
  server=0
  return $status
}

prepare() { # the data and the model of the load and the kill loops, once
  [[ -e $out/model/model.safetensors ]] && return 0
  write_tiny_config $out/tiny.json
  rm -rf $out/generated $out/model
  make_generated $out/generated >$out/prepare.log 2>&1 &&
    head -n 20 $out/generated/training_data.jsonl >$out/train.jsonl &&
    tail -n 12 $out/generated/training_data.jsonl >$out/test.jsonl &&
    train_tiny $out/model >>$out/prepare.log 2>&1 && return 0
  tail $out/prepare.log
  return 1
}

load() {
  build release build chatmem serve_load
  check "load of $clients clients for $load_seconds s" build/tests/serve_load --model samples/base/base.gguf \
    --clients "$clients" --seconds "$load_seconds" --health-ms-p99 "$health_ms"
  sed -n '/clients\|health\|memory/p' $out/load_of_*.log | sed 's/^/        /'
}

# Runs COMMAND OUTPUT and kills it after a random share of the time that an undisturbed run took, $kills times over, then
# lets it end. Only then are the files compared.
kill_loop() { # COMMAND REFERENCE FILE ...
  local command=$1 reference=$2 again=$out/killed_$1 begin taken share i pid status hit=0 file
  shift 2
  rm -rf "$again" "$reference"
  begin=$(seconds_now)
  "$command" "$reference" || return 1
  taken=$(awk -v a="$begin" -v b="$(seconds_now)" 'BEGIN { print b - a }')
  for ((i = 0; i < kills; i++)); do
    # In a process group of its own, so that the program dies and not the shell around it alone.
    set -m
    "$command" "$again" &
    pid=$!
    set +m
    share=$(awk -v t="$taken" -v r="$RANDOM" 'BEGIN { print t * r / 32768 }')
    sleep "$share"
    kill -KILL -- "-$pid" 2>/dev/null
    wait "$pid"
    status=$?
    # Done before the kill: the next one begins anew, so that every kill can hit work.
    if ((status == 137)); then hit=$((hit + 1)); elif ((status == 0)); then rm -rf "$again"; else return 1; fi
  done
  say "killed $hit times"
  ((hit > 0)) && "$command" "$again" || return 1
  for file in "$@"; do
    [[ -e $reference/$file ]] || { say "$reference/$file is missing"; return 1; }
    diff -rq -x README.md -x .lock "$reference/$file" "$again/$file" || return 1
  done
}

# A server that keeps keys and values, killed at random moments while it answers: the next one serves, and says the same.
serve_killed() {
  local folder=$out/killed_kv i pid begin taken share
  rm -rf "$folder" $out/kv_reference $out/kv_again
  start_server && begin=$(seconds_now) && evaluate_tiny $out/kv_reference || return 1
  taken=$(awk -v a="$begin" -v b="$(seconds_now)" 'BEGIN { print b - a }')
  stop_server || return 1
  for ((i = 0; i < kills; i++)); do
    start_server --kv-cache-dir "$folder" || return 1
    rm -rf $out/kv_again
    set -m
    evaluate_tiny $out/kv_again &
    pid=$!
    set +m
    share=$(awk -v t="$taken" -v r="$RANDOM" 'BEGIN { print t * r / 32768 }')
    sleep "$share"
    kill -KILL "$server" && kill -KILL -- "-$pid"  # it would wait for another server
    wait "$server" "$pid"
    server=0
  done
  say "$(find "$folder" -type f | wc -l) files, $(du -sh "$folder" | cut -f 1)"
  rm -rf $out/kv_again
  start_server --kv-cache-dir "$folder" && evaluate_tiny $out/kv_again && stop_server || return 1
  diff $out/kv_reference/answers.jsonl $out/kv_again/answers.jsonl
}

kill_twice_as_often() {
  local kills=$((2 * kills))
  kill_loop "$@"
}

killing() {
  build release build chatmem
  prepare || { failed+=("preparing the kill loops"); return; }
  check "generate, killed $kills times" kill_loop make_generated $out/reference_generated .
  check "train, killed $kills times" kill_loop train_tiny $out/reference_model model.safetensors config.json log.csv \
    checkpoints/step-000020
  check "train with evaluations, killed $((2 * kills)) times" kill_twice_as_often train_watched $out/reference_adapter \
    adapter_model.safetensors adapter_config.json log.csv log.jsonl checkpoints
  check "serve with kept keys and values, killed $kills times" serve_killed
  start_server || { failed+=("starting a server"); return; }
  check "evaluate, killed $kills times" kill_loop evaluate_tiny $out/reference_evaluation scores.csv answers.jsonl
  check "the server ends" stop_server
}

# generate by a language model, against the test double of the Anthropic API: nothing is bought twice, and what it costs
# itself. 100 kills and --rows 12460 are for the log.
paid() {
  build release build chatmem generate_kills generate_load
  local n=${SOAK_KILLS:-20} seed=${SOAK_SEED:-1}
  check "paid answers, killed $n times" build/tests/generate_kills --kills "$n" --seed "$seed"
  check "paid batches, killed $n times" build/tests/generate_kills --kills "$n" --seed "$seed" --batch
  check "generate asks 1000 times a minute" build/tests/generate_load
  sed 's/^/        /' $out/paid_*.log $out/generate_asks*.log
}

mkdir -p $out
steps=("$@")
((${#steps[@]})) || steps=(asan tsan fuzz load kill paid)
begin=$(seconds_now)
for step in "${steps[@]}"; do
  case $step in
    asan | tsan | fuzz | load | paid) "$step" ;;
    kill) killing ;;
    *)
      say "error: '$step' is no step of soak; steps: asan tsan fuzz load kill paid"
      exit 2
      ;;
  esac
done
say "$passed passed, ${#failed[@]} failed in $(since "$begin") s"
for name in "${failed[@]}"; do say "failed: $name"; done
((${#failed[@]} == 0))
