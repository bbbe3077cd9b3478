#!/bin/sh
# All checks that need the emulation, for CI: the emulation's own tests, lmz-gpu's tests with the threads
# of a block in two orders, devices that are lost or full on the way, a card that is too small. With
# LMZ_NVRTC and LMZ_CUDA_INCLUDE set, NVIDIA's own compiler must take every kernel too.
#
# It needs g++ and what cargo needs; some minutes on two cores.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."
folder=${CARGO_TARGET_DIR:-target}/cuda-emulation
# Other features save a build where they are built already.
test="cargo test -q -p lmz-gpu --features ${LMZ_FEATURES:-cuda}"

# Runs a command where CUDA is emulated. What it says is shown if it fails, or lacks one of the words.
expect() { # WORDS COMMAND...
    words=$1
    shift
    if ! "$here/run.sh" "$@" >"$folder/output" 2>&1; then
        cat "$folder/output" >&2
        echo "failed: $*" >&2
        exit 1
    fi
    if ! grep -q -- "$words" "$folder/output"; then
        cat "$folder/output" >&2
        echo "nothing said \"$words\": $*" >&2
        exit 1
    fi
}

step() {
    echo "== $*"
}

step "the emulation itself"
"$here/build.sh" "$folder"
"$here/tests/test.sh" "$folder"

step "kernels, whole models and files, threads forward"
$test --no-run
expect "test result: ok" env LMZ_EMULATION_ORDER=forward $test -- --nocapture
if grep -q "skipped on CUDA" "$folder/output"; then
    echo "the tests did not find the emulated device" >&2
    exit 1
fi

step "kernels and whole models, threads shuffled"
expect "test result: ok" env LMZ_EMULATION_ORDER=shuffled LMZ_EMULATION_SEED=7 $test --lib --test models

# In a process of its own each: what is lost stays lost. How many launches and allocations there are is
# counted first, with no fault, so that the faults come at the start, in the middle and at the very end.
faults="$test --test faults -- --nocapture --ignored --exact"
count() { # WHAT
    sed -n "s/^CUDA emulation: \([0-9]*\) $1\$/\1/p" "$folder/output" | tail -n 1
}
export LMZ_EMULATION_COUNT=1
for way in compressing restoring; do
    step "no fault, $way"
    expect "launches" env LMZ_EMULATION_LOST=0 $faults lost_while_$way
    launches=$(count launches)
    allocations=$(count allocations)
    for launch in 5 $((launches - 20)) $((launches - 1)):later; do
        step "lost at launch $launch of $launches, $way"
        expect "CUDA_ERROR_LAUNCH_FAILED" env LMZ_EMULATION_LOST=$launch $faults lost_while_$way
    done
    for allocation in 1 $((allocations / 2)) $((allocations - 5)) "$allocations"; do
        step "no memory from allocation $allocation of $allocations on, $way"
        expect "can't allocate" env LMZ_EMULATION_FULL=$allocation $faults full_while_$way
    done
done
unset LMZ_EMULATION_COUNT

step "a card that is too small"
expect "needs" env LMZ_EMULATION_MEMORY=1000000 $faults a_card_that_is_too_small
echo "all as it should be"
