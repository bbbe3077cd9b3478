#!/usr/bin/env bash
# Runs fuzz targets, each for some seconds (60), and prints executions, coverage and findings.
#
#     tools/fuzz.sh [SECONDS [TARGET...]]
#
# Needs cargo-fuzz (`cargo install cargo-fuzz --locked`) and a nightly compiler. What a run finds out is kept in
# FUZZ_CORPUS (target/fuzz-corpus), so that the next one goes on from there; findings are in FUZZ_CORPUS/findings.
# FUZZ_JOBS (1) is the number of processes for each target. Exits with 1 where something was found.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds="${1:-60}"
shift || true
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(container decoder engine kernels lmzm round_trip tokenizer)
target="$(realpath -m "${CARGO_TARGET_DIR:-target}")"
corpus="$(realpath -m "${FUZZ_CORPUS:-$target/fuzz-corpus}")"
findings="$corpus/findings"

# No longer than what each target looks at; the slowest are given less.
declare -A longest=([container]=4096 [decoder]=2048 [engine]=512 [kernels]=512 [lmzm]=20000 [round_trip]=200 [tokenizer]=1024)

# zstd has tables in static variables of inlined functions; GCC's address sanitizer takes them for out of scope.
export CFLAGS="${CFLAGS:+$CFLAGS }-fno-sanitize-address-use-after-scope"
cargo +nightly fuzz build --fuzz-dir tests/fuzz --target-dir "$target/fuzz"
binaries="$target/fuzz/x86_64-unknown-linux-gnu/release"
status=0
for name in "${targets[@]}"; do
  mkdir -p "$corpus/$name" "$findings/$name"
  log="$corpus/$name.log"
  # A thread that is about to end counts as a leak where the machine is busy.
  options=(-detect_leaks=0 -max_total_time="$seconds" -max_len="${longest[$name]}" -rss_limit_mb=3000 -timeout=20
    -artifact_prefix="$findings/$name/" -print_final_stats=1 -reload=1)
  [ -f "tests/fuzz/dictionaries/$name" ] && options+=(-dict="tests/fuzz/dictionaries/$name")
  [ "${FUZZ_JOBS:-1}" -gt 1 ] && options+=(-fork="$FUZZ_JOBS")
  folders=("$corpus/$name" "tests/fuzz/seeds/$name")
  [ -d "tests/fuzz/regressions/$name" ] && folders+=("tests/fuzz/regressions/$name")
  found=ok
  "$binaries/$name" "${options[@]}" "${folders[@]}" >"$log" 2>&1 || { found=FOUND && status=1; }
  executions="$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
  [ -n "$executions" ] || executions="$(sed -n 's/^#\([0-9]*\).*/\1/p' "$log" | tail -n 1)"
  coverage="$(sed -n 's/.* cov: \([0-9]*\) ft: \([0-9]*\).*/\1 edges, \2 features/p' "$log" | tail -n 1)"
  printf '%-11s %-6s %12s executions in %s s   %s   %s inputs\n' "$name" "$found" "${executions:-0}" "$seconds" \
    "${coverage:-no coverage}" "$(find "$corpus/$name" -type f | wc -l)"
  if [ "$found" = FOUND ]; then
    grep -a -m 3 -A 1 -E '^(thread .* panicked|==[0-9]+== ?ERROR|SUMMARY)' "$log" || tail -n 5 "$log"
    ls "$findings/$name"
  fi
done
exit $status
