#!/usr/bin/env bash
# The same bits on another architecture: builds the command for aarch64, runs its kernels' tests and its model under
# qemu, and compares files with those of this machine's command.
#
#     tools/parity/aarch64.sh target/release/lmz
#
# Needs Debian's packages (apt) and takes what it lacks from there: qemu-user-static, gcc-aarch64-linux-gnu, and
# a Rust compiler with a standard library for arm64, unpacked beside the target directory. Where the toolchain has
# the target installed by rustup, that one is used. Says so and passes where none of this can be had.
set -euo pipefail
here="$(cd "$(dirname "$0")/../.." && pwd)"
lmz="$(realpath "$1")"
triple=aarch64-unknown-linux-gnu
target="$(realpath -m "${CARGO_TARGET_DIR:-$here/target}")"
tools="$target/aarch64-tools"

skip() {
  echo "aarch64 is not checked: $*"
  exit 0
}

export DEBIAN_FRONTEND=noninteractive
if ! command -v qemu-aarch64-static >/dev/null || ! command -v aarch64-linux-gnu-gcc >/dev/null; then
  command -v apt-get >/dev/null || skip "there is no qemu-aarch64-static or aarch64-linux-gnu-gcc, and no apt"
  { apt-get update -q && apt-get install -y -q --no-install-recommends \
    qemu-user-static gcc-aarch64-linux-gnu libc6-dev-arm64-cross; } >/dev/null 2>&1 ||
    skip "qemu and the cross compiler cannot be installed"
fi

if [ ! -d "$(rustc --print sysroot)/lib/rustlib/$triple" ]; then
  rustc="$tools/rustc"
  if [ ! -x "$rustc" ]; then
    command -v apt-get >/dev/null || skip "no standard library for $triple"
    rm -rf "$tools" && mkdir -p "$tools/packages" "$tools/host" "$tools/arm"
    (
      cd "$tools/packages"
      dpkg --add-architecture arm64 && apt-get update -q
      # The one version that all of them have.
      version="$(apt-cache policy rustc-web | sed -n 's/^  Candidate: //p')"
      std="libstd-rust-web-$(echo "$version" | cut -d. -f1,2)"
      apt-get download "rustc-web=$version" {"$std","libstd-rust-web-dev"}:{amd64,arm64}"=$version"
      for package in *_arm64.deb; do dpkg-deb -x "$package" "$tools/arm"; done
      for package in *_amd64.deb; do dpkg-deb -x "$package" "$tools/host"; done
      driver="$(echo "$tools"/host/usr/lib/x86_64-linux-gnu/librustc_driver-*.so)"
      llvm="$(objdump -p "$driver" | sed -n 's/.*NEEDED *libLLVM\.so\.\([0-9]*\).*/libllvm\1/p')"
      apt-get download "$llvm"
      dpkg-deb -x "$llvm"_*.deb "$tools/host"
      mv "$tools/arm/usr/lib/rustlib/$triple" "$tools/host/usr/lib/rustlib/"
    ) >"$tools/log" 2>&1 || skip "no Rust compiler for it: $(tail -n 1 "$tools/log")"
    rm -rf "$tools/packages" "$tools/arm"
    printf '#!/bin/sh\nLD_LIBRARY_PATH="%s" exec "%s" "$@"\n' \
      "$tools/host/usr/lib/x86_64-linux-gnu" "$tools/host/usr/bin/rustc" >"$rustc"
    chmod +x "$rustc"
  fi
  export RUSTC="$rustc"
fi
"${RUSTC:-rustc}" --version

export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="qemu-aarch64-static -L /usr/aarch64-linux-gnu"
export CARGO_TARGET_DIR="$target"
cd "$here"
# One profile for both: what the tests run is what the command is made of.
build=(--locked --release --target "$triple" --config 'profile.release.lto="off"')
cargo test "${build[@]}" -p lmz-exact --lib kernel
cargo build "${build[@]}" -p lmz-cli --no-default-features --bin lmz
there=(qemu-aarch64-static -L /usr/aarch64-linux-gnu "$target/$triple/release/lmz")

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
# Emulation is slow: much text for a small model, little for the embedded one.
head -c 20000 corpora/alice29.txt >"$work/long"
head -c 1500 corpora/alice29.txt >"$work/short"
compare() {
  local kernel="$1" text="$work/$2"
  shift 2
  "$lmz" -qc "$@" "$text" >"$work/here.lmz"
  LMZ_KERNEL=$kernel "${there[@]}" -qc --no-verify "$@" "$text" >"$work/there.lmz"
  cmp "$work/here.lmz" "$work/there.lmz"
  LMZ_KERNEL=$kernel "${there[@]}" -dqc "$@" "$work/here.lmz" | cmp - "$text"
  echo "aarch64, $kernel, $(stat -c %s "$text") bytes: the same file, and the same text out of it"
}
for kernel in neon scalar; do
  compare $kernel long -m tests/models/stories260K.lmzm
  compare $kernel short
done
