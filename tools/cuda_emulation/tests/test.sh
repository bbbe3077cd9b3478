#!/bin/sh
# Tests the emulation itself: tests/test.sh FOLDER, where build.sh has put the libraries.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$(cd "${1:?usage: test.sh FOLDER}" && pwd)
unset LMZ_EMULATION_LOST LMZ_EMULATION_FULL LMZ_EMULATION_MEMORY LMZ_EMULATION_ORDER
for test in mma faults; do
    ${LMZ_EMULATION_CXX:-g++} -std=c++17 -O1 -Wall -Wextra -o "$folder/test-$test" "$here/$test.cpp" \
        -L"$folder" -l:libcuda.so.1 -l:libnvrtc.so.12 -Wl,-rpath,"$folder"
done
"$folder/test-mma"
# Its kernels are wrong on purpose.
LMZ_NVRTC='' "$folder/test-faults"
