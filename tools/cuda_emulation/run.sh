#!/bin/sh
# Runs COMMAND where CUDA is emulated on the CPU:
#     tools/cuda_emulation/run.sh cargo test -p lmz-gpu --features cuda
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=${CARGO_TARGET_DIR:-$here/../../target}/cuda-emulation
"$here/build.sh" "$folder"
folder=$(cd "$folder" && pwd)
LD_LIBRARY_PATH=$folder${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
# CubeCL looks for CUDA's headers here.
CUDA_PATH=$folder
export LD_LIBRARY_PATH CUDA_PATH
exec "$@"
