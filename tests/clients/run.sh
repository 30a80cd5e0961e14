#!/bin/sh
# Runs an official client's calls against chatmem's test double of its API.
# Usage: run.sh anthropic DOUBLE_PROGRAM WORK_FOLDER
# Exit code 77, with the reason, where it cannot be tried: no node >= 20, no npm, no registry.
set -u
skip() { echo "skipped: $1"; exit 77; }
fail() { echo "error: $1" >&2; exit 1; }

[ $# -eq 3 ] || fail "usage: run.sh anthropic DOUBLE_PROGRAM WORK_FOLDER"
client=$1 double=$(realpath "$2") work=$3
here=$(cd "$(dirname "$0")" && pwd)
[ -d "$here/$client" ] || fail "there is no client '$client'"
[ -x "$double" ] || fail "$double must be built first"
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

rm -f port
"$double" --port 0 --port-file port --ledger ledger.jsonl >double.log 2>&1 &
pid=$!
trap 'kill "$pid" 2>/dev/null; wait "$pid" 2>/dev/null' EXIT
tries=0
while [ ! -s port ]; do
  kill -0 "$pid" 2>/dev/null || { cat double.log >&2; fail "the double ended"; }
  tries=$((tries + 1))
  [ "$tries" -lt 100 ] || fail "the double did not begin to serve"
  sleep 0.1
done
ANTHROPIC_BASE_URL="http://127.0.0.1:$(cat port)" NO_PROXY=127.0.0.1 npm test --silent
