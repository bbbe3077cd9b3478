#!/bin/sh
# Builds the emulation into FOLDER: libcuda.so.1, libnvrtc.so.12 and, for CubeCL, the folder `include`.
# What is newer than its sources stays.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=${1:?usage: build.sh FOLDER}
mkdir -p "$folder"
compiler=${LMZ_EMULATION_CXX:-g++}
flags="-std=c++17 -O2 -Wall -Wextra -fPIC -shared -fvisibility=hidden -I$here/include"

library() { # NAME SOURCE...
    name=$1
    shift
    if [ -e "$folder/$name" ] && [ -z "$(find "$here/src" "$here/include" "$here/build.sh" -newer "$folder/$name")" ]; then
        return
    fi
    sources=
    for source in "$@"; do
        sources="$sources $here/src/$source.cpp"
    done
    # Under its name only when it is complete: another process may load it.
    # shellcheck disable=SC2086
    $compiler $flags -o "$folder/$name.$$" $sources -ldl -lpthread
    mv "$folder/$name.$$" "$folder/$name"
}

library libcuda.so.1 report fiber block grid memory driver launch
library libnvrtc.so.12 report build rewrite real_nvrtc nvrtc
ln -sf libcuda.so.1 "$folder/libcuda.so"
ln -sf libnvrtc.so.12 "$folder/libnvrtc.so"
ln -sfn "$here/include" "$folder/include"
