#!/bin/sh
# Tests the emulation itself: tests/test.sh FOLDER, where build.sh has put the libraries.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$(cd "${1:?usage: test.sh FOLDER}" && pwd)
for test in mma faults; do
    ${LMZ_EMULATION_CXX:-g++} -std=c++17 -O1 -Wall -Wextra -o "$folder/test-$test" "$here/$test.cpp" \
        -L"$folder" -l:libcuda.so.1 -l:libnvrtc.so.12 -Wl,-rpath,"$folder"
    LMZ_NVRTC= LMZ_EMULATION_LOST= "$folder/test-$test"
done
