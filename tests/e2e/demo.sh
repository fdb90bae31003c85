#!/bin/sh
# Shows what Tapedeck does: a client is recorded against a stand-in of roaring.io, the stand-in is stopped, and the
# same client is replayed with other keys. Nothing leaves this machine. TAPEDECK_BINARY names the program.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
tapedeck=${TAPEDECK_BINARY:-$here/../../build/release/tapedeck}
[ -x "$tapedeck" ] || { echo "demo: $tapedeck is not there; build it with ./dev build" >&2; exit 1; }

folder=$(mktemp -d "${TMPDIR:-/tmp}/tapedeck-demo.XXXXXX")
stand_in=
finish() {
  [ -z "$stand_in" ] || kill "$stand_in" 2>/dev/null || true
  rm -rf "$folder"
}
trap finish EXIT
trap 'exit 130' INT TERM

# Settings of the caller's must not change what is shown.
unset http_proxy https_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY ROARING_API_ROOT CI
unset $(env | sed -n 's/^\(TAPEDECK_[A-Z_]*\)=.*/\1/p')
export XDG_DATA_HOME="$folder/data" XDG_CACHE_HOME="$folder/cache" PYTHONDONTWRITEBYTECODE=1
cd "$folder"

bold= dim= green= red= off=
if [ -t 1 ]; then
  bold=$(printf '\033[1m') dim=$(printf '\033[2m') off=$(printf '\033[0m')
  green=$(printf '\033[32m') red=$(printf '\033[31m')
fi

step() { printf '\n%s%s%s\n' "$bold" "$1" "$off"; }
tell() { printf '%s\n' "$1"; }
run() { printf '%s  $ %s%s\n' "$dim" "$1" "$off"; }
indented() { sed "s/^/    /" "$1"; }
now_ms() { python3 -c 'import time; print(time.monotonic_ns() // 1000000)'; }
fail() { printf '%s%s%s\n' "$red" "$1" "$off"; exit 1; }

step "1. An API to talk to"
/usr/bin/python3 "$here/../origin/roaring_stand_in.py" --ready-file "$folder/stand_in.json" \
  --credentials "alice-key-71f0c2:alice-secret-9b1d44e0" --latency-ms 200 --log-dir "$folder/upstream" &
stand_in=$!
waited=0
until [ -f "$folder/stand_in.json" ]; do
  waited=$((waited + 1))
  [ "$waited" -lt 200 ] && kill -0 "$stand_in" 2>/dev/null || fail "the stand-in did not start"
  sleep 0.05
done
ready() { sed -n "s/.*\"$1\": \"\{0,1\}\([^\",}]*\).*/\1/p" "$folder/stand_in.json"; }
port=$(ready https_port)
cp "$(ready ca_file)" "$folder/stand_in_ca.pem"
tell "A stand-in plays https://api.roaring.io on this machine (port $port, TLS, 200 ms an answer). It knows Alice's keys"
tell "and no others."
tell "The client is a shell script with curl in it. It asks for a token, one company, a search in pages, a batch and a"
tell "company that does not exist. It knows nothing of Tapedeck."

step "2. Record it"
run "tapedeck record -c demo.cassette -- ./demo_client.sh      (keys: Alice's)"
begin=$(now_ms)
ROARING_CLIENT_ID=alice-key-71f0c2 ROARING_CLIENT_SECRET=alice-secret-9b1d44e0 \
  "$tapedeck" record --cassette demo.cassette --connect-to "api.roaring.io:443:127.0.0.1:$port" \
  --upstream-ca "$folder/stand_in_ca.pem" -- "$here/demo_client.sh" >recorded.txt 2>record.log || {
  cat recorded.txt record.log
  fail "recording failed"
}
recorded_ms=$(($(now_ms) - begin))
indented recorded.txt
tell "and Tapedeck says at the end:"
indented record.log

step "3. Take the API away"
kill "$stand_in"
wait "$stand_in" 2>/dev/null || true
stand_in=
if curl --silent --insecure --max-time 2 "https://127.0.0.1:$port/" >/dev/null; then fail "something still answers"; fi
tell "The stand-in is stopped. Nothing listens on port $port any more."

step "4. Replay the same script, as somebody else"
run "tapedeck replay -c demo.cassette -- ./demo_client.sh      (keys: Bob's, which the API never knew)"
begin=$(now_ms)
ROARING_CLIENT_ID=bob-key-03be5a ROARING_CLIENT_SECRET=bob-secret-77a0c31f \
  "$tapedeck" replay --cassette demo.cassette -- "$here/demo_client.sh" >replayed.txt 2>replay.log || {
  cat replayed.txt replay.log
  fail "replaying failed"
}
replayed_ms=$(($(now_ms) - begin))
indented replayed.txt
tell "and Tapedeck says at the end:"
indented replay.log

step "5. Compare"
if cmp -s recorded.txt replayed.txt; then
  tell "${green}Both outputs are equal, byte for byte.${off} Recorded in $recorded_ms ms, replayed in $replayed_ms ms."
else
  diff -u recorded.txt replayed.txt || true
  fail "the two outputs differ"
fi
printf '%s\n' alice-key-71f0c2 alice-secret-9b1d44e0 "$(printf alice-key-71f0c2:alice-secret-9b1d44e0 | base64)" \
  >secrets.txt
cat "$folder/upstream/issued_secrets.txt" >>secrets.txt
if grep -q -a -F -f secrets.txt demo.cassette; then fail "Alice's secrets are in the cassette"; fi
tell "The cassette is one file of $(wc -c <demo.cassette) bytes; neither Alice's keys nor her token are in it."

step "6. Ask for something that was never recorded"
run "tapedeck replay -c demo.cassette -- curl https://api.roaring.io/se/company/overview/2.0/5500000038"
code=0
"$tapedeck" replay --cassette demo.cassette -- curl --silent --max-time 20 --include \
  https://api.roaring.io/se/company/overview/2.0/5500000038 >miss.txt 2>miss.log || code=$?
python3 - miss.txt <<'PYTHON'
import json, sys

heads, _, body = open(sys.argv[1], encoding="utf-8", newline="").read().rpartition("\r\n\r\n")
print("\n".join("    " + line for line in heads.split("\r\n\r\n")[-1].split("\r\n")))
print()
report = json.loads(body)
others = len(report["nearest"]) - 1
report["nearest"] = report["nearest"][:1]
lines = json.dumps(report, indent=2, ensure_ascii=False).splitlines()
if others > 0:
    lines.insert(lines.index("  ],"), f"    ... and {others} more")
print("\n".join("    " + line for line in lines))
PYTHON
tell "and Tapedeck says at the end:"
indented miss.log
[ "$code" = 123 ] || fail "a miss should have made the exit code 123, but it is $code"
tell ""
tell "No request left this machine, the report names the nearest recording, and the exit code ($code) fails a CI run."
