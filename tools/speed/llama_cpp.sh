#!/usr/bin/env bash
# Tokens per second of llama.cpp and of the exact engine, on the same model and the same threads, in one run.
#
#   tools/speed/llama_cpp.sh LLAMA_BIN MODEL.gguf MODEL.lmzm [THREADS [KERNELS]]
#
# LLAMA_BIN holds llama-bench and llama-batched-bench; MODEL.gguf is the checkpoint as Q8_0 (tools/speed/to_gguf.py ...
# --outtype q8_0), MODEL.lmzm the same one prepared (`lmz model prepare`). llama.cpp is timed before and after, so
# that a change of the machine's speed shows. Its prompt processing computes the logits of the last token only; ours
# the whole distribution of every token, as compression needs it. KERNELS, such as avx2, names the only ones to time.
set -euo pipefail
bin=$1 gguf=$(realpath "$2") lmzm=$(realpath "$3") threads=${4:-$(nproc)}
cd "$(dirname "$0")/../.."

theirs() {
  "$bin/llama-bench" -m "$gguf" -t "$threads" -p 512 -n 0 -r 3 2>/dev/null | grep pp512
  "$bin/llama-batched-bench" -m "$gguf" -t "$threads" -tb "$threads" -c $((32 * 576)) -b 2048 -ub 512 \
    -npp 512 -ntg 64 -npl 1,4,16,32 2>/dev/null | grep -E '^\|' | tail -n +1
}

theirs
LMZ_BENCH_MODEL=$lmzm cargo bench -q -p lmz --no-default-features --bench engine -- --noplot "${5:-}" 2>/dev/null |
  grep -E 'tokens|lanes|time:|thrpt:'
theirs
