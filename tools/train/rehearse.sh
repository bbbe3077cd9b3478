#!/bin/sh
# A minute's rehearsal of the whole path with a tiny model: data -> train -> stop -> resume -> export -> evaluate.
# usage: rehearse.sh SHARDS TEST WORK      (PYTHON=python3 by default)
set -eu
here=$(dirname "$0"); py=${PYTHON:-python3}; shards=$1; test=$2; work=$3
mkdir -p "$work/shards"
for d in math python; do [ -s "$work/shards/$d.jsonl" ] || head -n 12 "$shards/$d.jsonl" | cut -c1-200000 | grep '}$' > "$work/shards/$d.jsonl"; done
"$py" "$here/test_overlap.py"
"$py" "$here/overlap.py" --shards "$work/shards" --held-out "$test" --out "$work/clean" --report "$work/overlap.json"
"$py" "$here/pretrain.py" tokenizer --shards "$work/clean" --tokenizer "$work/bpe.json" --vocab-size 512 --sample-mb 2
"$py" "$here/pretrain.py" tokenize --shards "$work/clean" --tokenizer "$work/bpe.json" --out "$work/data" --domains math,python
tiny="--data $work/data --tokenizer $work/bpe.json --dim 32 --layers 2 --heads 2 --kv-heads 1 --ffn 64 --ctx 128 --ctx-at 0,.5
      --batch 512 --total-tokens 20480 --val-every 20 --no-compile --seed 3"
rm -rf "$work/whole" "$work/halves"
"$py" "$here/pretrain.py" train $tiny --out "$work/whole"
"$py" "$here/pretrain.py" train $tiny --out "$work/halves" --stop-step 17   # cut short ...
"$py" "$here/pretrain.py" train $tiny --out "$work/halves"                  # ... and resumed: the same batches, the same schedule
for r in whole halves; do "$py" "$here/pretrain.py" export --out "$work/$r" --tokenizer "$work/bpe.json" --hf "$work/hf-$r"; done
cmp "$work/hf-whole/model.safetensors" "$work/hf-halves/model.safetensors" && echo "resumed run = unbroken run, byte for byte"
"$py" "$here/evaluate.py" --hf "$work/hf-halves" --test "$test" --out "$work/figures.json" --files alice29.txt --limit 20000 --blocks 128:64
