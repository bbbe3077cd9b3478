#!/usr/bin/env bash
# The command as a user runs it: `tests/cli.sh PATH/TO/lmz`. Real files, the embedded model.
set -euo pipefail
root="$(cd "$(dirname "$0")/.." && pwd)"
lmz="$(realpath "$1")"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"

fail() { echo "FAILED: $*" >&2; exit 1; }
passed=0
ok() { passed=$((passed + 1)); echo "ok: $*"; }

head -c 30000 "$root/corpora/alice29.txt" > text
"$lmz" text && [ -f text ] && [ -f text.lmz ] && mv text.lmz kept.lmz || fail "compress a file"
"$lmz" -dc kept.lmz | cmp - text || fail "restore a file"
ok "a file comes back"

"$lmz" < text > piped.lmz && cmp piped.lmz kept.lmz || fail "a pipe gives other bytes than a file"
for kernel in scalar avx2 avx512 amx; do
  if LMZ_KERNEL=$kernel "$lmz" models >/dev/null 2>&1; then
    LMZ_KERNEL=$kernel "$lmz" -T1 -c --no-verify text | cmp - kept.lmz || fail "$kernel gives other bytes"
  fi
done
ok "pipe, file, one thread and every kernel give the same bytes"

mkdir dir && cp "$root"/corpora/README.md text dir/
tar -I "$lmz" -cf dir.tar.lmz dir && mv dir dir.old && tar -I "$lmz" -xf dir.tar.lmz && diff -r dir dir.old || fail "tar -I"
ok "tar -I"

cat kept.lmz kept.lmz > twice.lmz && "$lmz" -dc twice.lmz | cmp - <(cat text text) || fail "concatenation"
"$lmz" -t kept.lmz twice.lmz || fail "-t"
"$lmz" -l --json kept.lmz | python3 -c '
import json, sys
[entry] = json.load(sys.stdin)
assert entry["raw_bytes"] == 30000 and entry["form"] == "small" and len(entry["model"]["id"]) == 16, entry
assert sum(s["raw_len"] for s in entry["segments"]) == 30000, entry' || fail "-l --json"
ok "concatenation, test, list"

cp text keep.txt && "$lmz" -q keep.txt
if "$lmz" -q keep.txt 2> message; then fail "overwrote an output"; fi
grep -q keep.txt.lmz message || fail "the message does not name the file"
head -c 2000 kept.lmz > cut.lmz
if "$lmz" -d cut.lmz 2> message; then fail "a truncated file was restored"; fi
[ ! -e cut ] || fail "a partial output under the final name"
if "$lmz" -d -m "$root/tests/models/stories260K.lmzm" kept.lmz -o other 2>/dev/null; then :; fi
ls -A | grep -q '\.tmp' && fail "a temporary file was left"
ok "no overwriting, no partial output"

set +e
"$lmz" --no-such-flag 2>/dev/null; [ $? = 2 ] || fail "usage errors exit with 2"
"$lmz" missing.txt 2>/dev/null; [ $? = 1 ] || fail "errors exit with 1"
set -e
ok "exit codes"
echo "$passed passed, 0 failed"
