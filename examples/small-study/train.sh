#!/bin/sh
# Makes the checkpoints of this study: three sizes, two budgets, and what the runs were on the way. 10 models, 1.6M tokens.
#
#   examples/small-study/train.sh LMZ TEXT...
#
# LMZ is the program (with the cargo feature train), TEXT files or directories of English text, code and the like, some 30 MB
# or more: see `lmz help train`. Documents that share eight or more sequences of 13 words with the study's corpora and
# benchmarks are left out first. Takes 2 GB of memory and half an hour to an hour on two cores; a run that was killed goes on.
set -eu
if [ $# -lt 2 ]; then
    sed -n '2,9s/^# \{0,1\}//p' "$0"
    exit 2
fi
lmz=$(realpath "$1")
shift
here=$(dirname "$(realpath "$0")")
root=$here/../..
work=$here/models/work
mkdir -p "$work/text"

for text; do
    for file in $(find -L "$text" -type f); do
        clean=$work/text/$(basename "$file" .zst)
        if [ ! -e "$clean" ]; then
            "$lmz" corpus overlap "$file" "$root/corpora" "$here/benchmarks" --drop "$clean.part" > "$clean.overlap.txt"
            mv "$clean.part" "$clean"
        fi
    done
done
rm -f "$work"/text/*.overlap.txt

# NAME PRESET TOKENS KEPT: what is there already is left as it is.
run() {
    if [ -e "$here/models/$1/config.json" ]; then return; fi
    resume=
    if [ -e "$here/models/$1/run/settings.json" ]; then resume=--resume; fi
    "$lmz" train --corpus "$work/text" --tokenizer "$root/models/lmz-5m/tokenizer.json" --preset "$here/presets/$2.toml" \
        --tokens "$3" ${4:+--keep-at "$4"} --device cpu --out "$here/models/$1" $resume
}
run 0.5m 0.5m 500K 50K,150K
run 1.4m-short 1.4m 100K
run 1.4m 1.4m 500K 100K,250K
run 2.9m 2.9m 500K 100K,250K
