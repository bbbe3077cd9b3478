#!/bin/sh
# The host's time for the launches of a step of decoding, on a device that does nothing.
#     tools/cuda_emulation/launches.sh [MODEL]
# MODEL is a prepared model or a Hugging Face directory; the default is the embedded one's file.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."
model=${1:-models/lmz-5m/lmz-5m.lmzm}
run() { # STEPS
    "$here/run.sh" cargo run -q --release -p lmz-gpu --features "${LMZ_FEATURES:-cuda}" --example launches -- "$model" "$1"
}
# How many launches open the model, and how many make a step: those compute.
count() { # STEPS
    LMZ_EMULATION_COUNT=1 LMZ_EMULATION_SANITIZE=0 run "$1" 2>&1 | sed -n 's/^CUDA emulation: \([0-9]*\) launches$/\1/p'
}
opening=$(count 0)
step=$(($(count 1) - opening))
echo "$step launches a step"
LMZ_EMULATION_IDLE=$((opening + 1)) LMZ_EMULATION_SANITIZE=0 run 300
