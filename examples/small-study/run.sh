#!/bin/sh
# The whole study with one command: fetches the published models, makes the checkpoints, scores everything, writes the report.
# Killed, the same command goes on.
#
#   examples/small-study/run.sh LMZ BENCHMARKS TEXT...
#
# LMZ is the program. BENCHMARKS is a directory with ARC-Easy, PIQA and LAMBADA as they are published (`lmz eval tasks` names
# the files and where they are). TEXT is what the checkpoints are trained on: see train.sh. Needs Python with pip for the published
# models (0.85 GB), 4 GB of memory, and about two hours of two cores.
set -eu
if [ $# -lt 3 ]; then
    sed -n '2,9s/^# \{0,1\}//p' "$0"
    exit 2
fi
lmz=$(realpath "$1")
data=$(realpath "$2")
shift 2
here=$(dirname "$(realpath "$0")")
mkdir -p "$here/models" "$here/benchmarks"

publish() { # the name that fetch.py has, and study.toml's
    path=$("$here/../../tools/models/fetch.py" "$1")
    ln -sf "$path" "$here/models/$2"
}
publish smollm2-135m smollm2-135m-instruct.gguf
publish gemma3-270m gemma-3-270m.gguf
publish qwen2.5-coder-0.5b qwen2.5-coder-0.5b-instruct.gguf

found=0
for name in ARC-Easy-Test arc_easy piqa_valid piqa lambada_test_en lambada_openai; do
    for file in "$data/$name".jsonl*; do
        if [ -e "$file" ]; then
            ln -sf "$file" "$here/benchmarks/"
            found=$((found + 1))
        fi
    done
done
if [ "$found" -lt 3 ]; then
    echo "$data: lacks a file of ARC-Easy, PIQA or LAMBADA; their names and sources:" >&2
    "$lmz" eval tasks --data "$here/benchmarks" | grep -E 'arc_easy|piqa|lambada' >&2
    exit 1
fi

"$here/train.sh" "$lmz" "$@"
exec "$lmz" study run "$here"
