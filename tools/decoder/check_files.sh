#!/usr/bin/env bash
# Files of the Rust program, restored by the decoder in plain Python: `tools/decoder/check_files.sh PATH/TO/lmz`.
set -euo pipefail
root="$(cd "$(dirname "$0")/../.." && pwd)"
lmz="$(realpath "$1")"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
decode() { python3 "$root/tools/decoder/lmz_decode.py" "$1" "$2"; }

nano="$root/tests/models/stories260K.lmzm"
# Several segments and blocks, bytes that the vocabulary cannot spell as text, and a stored segment.
head -c 1500 "$root/corpora/alice29.txt" > "$work/a"
{ printf 'caf\xc3\xa9 \xff\xfe \xe4\xb8\xad\xe6\x96\x87 <s> \x00\r\n'; head -c 400 "$root/docs/format.md"; head -c 600 /dev/urandom; } > "$work/b"
"$lmz" -q -m "$nano" --segment 700 --context 48 --overlap 11 "$work/a" "$work/b"
for name in a b; do
  decode "$nano" "$work/$name.lmz" | cmp - "$work/$name"
done
head -c 120 "$root/corpora/alice29.txt" > "$work/c"
"$lmz" -q "$work/c"
decode "$root/models/lmz-5m/lmz-5m.lmzm" "$work/c.lmz" | cmp - "$work/c"
# Small members, alone and primed, among others; and a prime before each of several segments.
head -c 60 "$root/docs/format.md" > "$work/prime"
printf 'One day Tom went to the park.' > "$work/d"
"$lmz" -q -m "$nano" "$work/d"
decode "$nano" "$work/d.lmz" | cmp - "$work/d"
: > "$work/e"
head -c 300 "$root/docs/format.md" > "$work/f"
"$lmz" -q -m "$nano" --prime "$work/prime" --segment 150 --context 64 --overlap 20 "$work/f"
"$lmz" -q -m "$nano" --prime "$work/prime" "$work/e" -o "$work/e.lmz"
"$lmz" -cq -m "$nano" --prime "$work/prime" "$work/d" > "$work/g.lmz"
cat "$work/d.lmz" "$work/f.lmz" "$work/e.lmz" "$work/g.lmz" > "$work/all.lmz"
python3 "$root/tools/decoder/lmz_decode.py" --prime "$work/prime" "$nano" "$work/all.lmz" | cmp - <(cat "$work/d" "$work/f" "$work/d")
if decode "$nano" "$work/g.lmz" 2>/dev/null >&2; then echo "a prime was not needed"; exit 1; fi
# Mixed: text in rounds of several lanes, a table, noise and a long repeat in one group.
{ head -c 700 "$root/corpora/alice29.txt"; for i in $(seq 60); do echo "$i,$((i * 7 % 13)),0"; done
  head -c 600 /dev/urandom; head -c 700 "$root/corpora/alice29.txt"; } > "$work/h"
"$lmz" -q -m "$nano" --mix auto --lanes 3 --context 48 --overlap 11 "$work/h"
decode "$nano" "$work/h.lmz" | cmp - "$work/h"
"$lmz" -cq -m "$nano" --mix auto --lanes 1 --context 48 --overlap 11 --prime "$work/prime" "$work/a" > "$work/i.lmz"
python3 "$root/tools/decoder/lmz_decode.py" --prime "$work/prime" "$nano" "$work/i.lmz" | cmp - "$work/a"
for golden in "$root"/tests/golden/*-nano.lmz "$root"/tests/golden/*-nano-small.lmz; do
  decode "$nano" "$golden" | cmp - "${golden%.lmz}"
done
for golden in "$root"/tests/golden/*-nano-primed.lmz; do
  python3 "$root/tools/decoder/lmz_decode.py" --prime "${golden%.lmz}.prime" "$nano" "$golden" | cmp - "${golden%.lmz}"
done
for golden in "$root"/tests/golden/*-bootstrap.lmz; do
  decode "$root/models/archive/bootstrap/bootstrap.lmzm" "$golden" | cmp - "${golden%.lmz}"
done
for golden in "$root"/tests/golden/numerics2-large*.lmz; do
  decode "$root/tests/vectors/large.lmzm" "$golden" | cmp - "${golden%.lmz}"
done
for golden in "$root"/tests/golden/numerics2-blocks*.lmz; do
  decode "$root/tests/vectors/blocks.lmzm" "$golden" | cmp - "${golden%.lmz}"
done
echo "the independent decoder restores them all"
