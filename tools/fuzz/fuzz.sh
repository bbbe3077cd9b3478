#!/usr/bin/env bash
# Runs fuzz targets, each until it has had some seconds (60) of the processor, and prints executions, coverage and
# findings. By processor time, so that a busy machine does not shorten a run.
#
#     tools/fuzz/fuzz.sh [SECONDS [TARGET...]]
#
# Needs Linux, cargo-fuzz (`cargo install cargo-fuzz --locked`) and a nightly compiler (FUZZ_CARGO: "cargo +nightly").
# What a run finds out is kept in FUZZ_CORPUS (target/fuzz-corpus), so that the next one goes on from there; findings
# are in FUZZ_CORPUS/findings. FUZZ_JOBS (1) targets run side by side. FUZZ_TIMEOUT (20) is the most seconds that one
# input may take by the clock: more on a busy machine. Exits with 1 where something was found.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds="${1:-60}"
shift || true
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(container decoder engine gguf kernels lmzm round_trip tokenizer)
target="$(realpath -m "${CARGO_TARGET_DIR:-target}")"
corpus="$(realpath -m "${FUZZ_CORPUS:-$target/fuzz-corpus}")"
findings="$corpus/findings"
ticks="$(getconf CLK_TCK)"

# No longer than what each target looks at; the slowest are given less.
declare -A longest=([container]=4096 [decoder]=2048 [engine]=512 [gguf]=26000 [kernels]=512 [lmzm]=20000 [round_trip]=200 [tokenizer]=1024)

# zstd has tables in static variables of inlined functions; GCC's address sanitizer takes them for out of scope.
export CFLAGS="${CFLAGS:+$CFLAGS }-fno-sanitize-address-use-after-scope"
${FUZZ_CARGO:-cargo +nightly} fuzz build --fuzz-dir tests/fuzz --target-dir "$target/fuzz"
binaries="$target/fuzz/x86_64-unknown-linux-gnu/release"

# Seconds of the processor that a process has had; fails where it has ended.
processor() {
  local fields
  read -ra fields 2>/dev/null <"/proc/$1/stat" || return 1
  [ "${fields[2]}" != Z ] || return 1
  echo $(((fields[13] + fields[14]) / ticks))
}

fuzz() {
  local name="$1" log="$corpus/$1.log" pid found=ok status=0 had=0 now executions coverage
  mkdir -p "$corpus/$name" "$findings/$name"
  # A thread that is about to end counts as a leak where the machine is busy.
  local options=(-detect_leaks=0 -max_len="${longest[$name]}" -rss_limit_mb=3000 -timeout="${FUZZ_TIMEOUT:-20}"
    -artifact_prefix="$findings/$name/" -print_final_stats=1 -reload=1)
  [ -f "tests/fuzz/dictionaries/$name" ] && options+=(-dict="tests/fuzz/dictionaries/$name")
  local folders=("$corpus/$name" "tests/fuzz/seeds/$name")
  [ -d "tests/fuzz/regressions/$name" ] && folders+=("tests/fuzz/regressions/$name")

  "$binaries/$name" "${options[@]}" "${folders[@]}" >"$log" 2>&1 &
  pid=$!
  while now="$(processor $pid)"; do
    had="$now"
    if [ "$had" -ge "$seconds" ]; then
      kill -INT $pid 2>/dev/null || true
      break
    fi
    sleep 1
  done
  wait $pid || status=$?
  # It was interrupted, which it reports as 72; whatever else ended it was a finding.
  [ "$status" -eq 72 ] || found=FOUND

  executions="$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
  [ -n "$executions" ] || executions="$(sed -n 's/^#\([0-9]*\).*/\1/p' "$log" | tail -n 1)"
  coverage="$(sed -n 's/.* cov: \([0-9]*\) ft: \([0-9]*\).*/\1 edges, \2 features/p' "$log" | tail -n 1)"
  printf '%-11s %-6s %12s executions in %s s   %s   %s inputs\n' "$name" "$found" "${executions:-0}" "$had" \
    "${coverage:-no coverage}" "$(find "$corpus/$name" -type f | wc -l)"
  [ "$found" = FOUND ] || return 0
  grep -a -m 3 -A 1 -E '^(thread .* panicked|==[0-9]+== ?ERROR|SUMMARY)' "$log" || tail -n 5 "$log"
  ls "$findings/$name"
  return 1
}

status=0 running=0
for name in "${targets[@]}"; do
  if [ "$running" -ge "${FUZZ_JOBS:-1}" ]; then
    wait -n || status=1
    running=$((running - 1))
  fi
  fuzz "$name" &
  running=$((running + 1))
done
while [ "$running" -gt 0 ]; do
  wait -n || status=1
  running=$((running - 1))
done
exit $status
