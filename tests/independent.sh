#!/usr/bin/env bash
# Files of the Rust program, restored by the decoder in plain Python: `tests/independent.sh PATH/TO/lmz`.
set -euo pipefail
root="$(cd "$(dirname "$0")/.." && pwd)"
lmz="$(realpath "$1")"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
decode() { python3 "$root/tools/lmz_decode.py" "$1" "$2"; }

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
for golden in "$root"/tests/golden/*-nano.lmz; do
  decode "$nano" "$golden" | cmp - "${golden%.lmz}"
done
for golden in "$root"/tests/golden/*-bootstrap.lmz; do
  decode "$root/models/archive/bootstrap/bootstrap.lmzm" "$golden" | cmp - "${golden%.lmz}"
done
echo "the independent decoder restores them all"
