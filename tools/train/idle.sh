#!/bin/sh
# Trains the embedded model in the minutes in which the machine has nothing better to do. See README.md, "Every idle minute".
#
#   idle.sh prepare SHARDS HELD_OUT [HELD_OUT ...]   once a machine: Python packages, cleaned text, tokens
#   idle.sh start | stop | status                    goes on where it was stopped, at the lowest priority
#   idle.sh decay MTOKENS                            a copy, let down to zero over so many million tokens more: a Hugging Face directory
#
# Linux shares processors between sessions first, and priorities count inside of one: so the trainer has a session of its own, of the lowest priority.
# All that it writes lies in $LMZ_TRAIN_DIR (by default lmz-train in the user's cache directory). Without a state there, it goes on from the weights in
# models/lmz-5m with fresh optimisers. It stops by itself when less than $LMZ_TRAIN_FREE (4) GB of the disk are left.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
model=$here/../../models/lmz-5m
root=${LMZ_TRAIN_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/lmz-train}
free=${LMZ_TRAIN_FREE:-4}
# What mixing cannot do itself: prose and the web; code, TeX and logs less.
shares=${LMZ_TRAIN_SHARES:-books=.26,web=.27,docs=.13,python=.10,code=.10,math=.06,multi=.05,records=.03}
shape="--layers 5 --ffn 768 --ctx 1024 --muon-lr 0.015"
python=$root/venv/bin/python
mkdir -p "$root"

fail() { echo "idle.sh: $*" >&2; exit 1; }
lowest() { ionice -c3 nice -n 19 "$@"; }
# The trainer's process, if it lives.
running() { [ -s "$root/pid" ] && kill -0 "$(cat "$root/pid")" 2>/dev/null && cat "$root/pid"; }
room() { [ "$(df -Pk "$root" | awk 'NR == 2 { print int($4 / 1048576) }')" -ge "$free" ]; }
pretrain() {
  verb=$1; shift
  # In place of this shell, where one was made for it: a signal is to reach the trainer itself.
  ${become:-} env OMP_WAIT_POLICY=PASSIVE ionice -c3 nice -n 19 "$python" "$here/pretrain.py" "$verb" --data "$root/data" --tokenizer "$model/tokenizer.json" "$@"
}

case ${1:-} in
prepare)
  shift; [ $# -ge 2 ] || fail "prepare SHARDS HELD_OUT [HELD_OUT ...]"
  room || fail "less than $free GB are free in $root"
  shards=$1; shift
  for p in "$@"; do set -- "$@" --held-out "$p"; shift; done
  [ -x "$python" ] || python3 -m venv "$root/venv"
  lowest "$python" -m pip install -q torch numpy tokenizers zstandard safetensors
  mkdir -p "$root/shards"
  for f in "$shards"/*.jsonl*; do ln -sf "$(cd "$shards" && pwd)/$(basename "$f")" "$root/shards/"; done
  lowest "$python" "$here/records.py" --megabytes 20 > "$root/shards/records.jsonl"
  lowest "$python" "$here/overlap.py" --shards "$root/shards" "$@" --out "$root/clean" --report "$root/overlap.json"
  pretrain tokenize --shards "$root/clean" --out "$root/data" --domains "$(echo "$shares" | sed 's/=[^,]*//g')"
  echo "prepared: idle.sh start"
  ;;
start)
  ! running >/dev/null || { echo "is running already (process $(running))"; exit 0; }
  [ -d "$root/data" ] || fail "no tokens in $root/data: idle.sh prepare SHARDS HELD_OUT"
  room || fail "less than $free GB are free in $root"
  setsid sh -c '[ ! -w /proc/self/autogroup ] || echo 19 > /proc/self/autogroup; exec "$0" "$@"' "$here/idle.sh" watch < /dev/null > /dev/null 2>&1 &
  echo "started; its words are in $root/train.out"
  ;;
watch)  # what start leaves behind: the trainer, and an eye on the disk
    become=exec pretrain train $shape --out "$root/run" --init "$model" --constant --shares "$shares" --val-every 500 >> "$root/train.out" 2>&1 &
    echo $! > "$root/pid"
    # Stops before the disk is full.
    while kill -0 "$(cat "$root/pid")" 2>/dev/null; do
      room || { kill -TERM "$(cat "$root/pid")"; echo "stopped: less than $free GB are free" >> "$root/train.out"; break; }
      sleep 20
    done
  ;;
stop)
  pid=$(running) || { echo "is not running"; exit 0; }
  kill -TERM "$pid"
  n=0
  while kill -0 "$pid" 2>/dev/null; do
    n=$((n + 1)); [ $n -lt 300 ] || fail "process $pid does not end; its last state is not older than three minutes"
    sleep 1
  done
  rm -f "$root/pid"; echo "stopped, its state is saved"
  ;;
status)
  if running > /dev/null; then echo "running (process $(running))"; else echo "not running"; fi
  [ -f "$root/run/log.jsonl" ] || { echo "nothing was trained here yet"; exit 0; }
  grep '"loss"' "$root/run/log.jsonl" | tail -n 1
  grep '"validation"' "$root/run/log.jsonl" | tail -n 2
  df -Ph "$root" | awk 'NR == 2 { print $4 " free" }'
  ;;
decay)
  [ -n "${2:-}" ] || fail "decay MTOKENS"
  [ -f "$root/run/state.pt" ] || fail "nothing was trained in $root/run yet"
  # A decay that was cut short goes on; a finished one is made anew.
  [ ! -f "$root/decayed/model.safetensors" ] || rm -rf "$root/decay" "$root/decayed"
  mkdir -p "$root/decay"
  [ -f "$root/decay/from.pt" ] || cp "$root/run/state.pt" "$root/decay/from.pt"
  mkdir -p "$root/decay/source"; ln -f "$root/decay/from.pt" "$root/decay/source/state.pt"
  pretrain train $shape --out "$root/decay" --decay-from "$root/decay/source" --total-tokens "${2}e6" --shares "$shares" --val-every 1000000
  pretrain export --out "$root/decay" --hf "$root/decayed"
  echo "$root/decayed: lmz model prepare it, and compare"
  ;;
*) sed -n '2,10p' "$0" | sed 's/^# \{0,1\}//'; exit 2 ;;
esac
