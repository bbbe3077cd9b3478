//! The unit for tiles: whether it may be used, and how large a tile is.

use std::arch::asm;
use std::arch::x86_64::__cpuid_count;
use std::sync::OnceLock;

/// Rows of a tile of the left factor, columns of one of the right.
pub(super) const EDGE: usize = 16;
/// Terms of a sum in one tile.
pub(super) const DEPTH: usize = 32;
/// 32-bit words of a tile: each a pair of terms.
pub(super) const WORDS: usize = EDGE * DEPTH / 2;

/// Whether this processor has it, and the operating system lets us use it.
pub(in crate::cpu) fn available() -> bool {
    static AVAILABLE: OnceLock<bool> = OnceLock::new();
    *AVAILABLE.get_or_init(|| {
        let leaf = __cpuid_count(7, 0);
        let (bf16, tiles) = (leaf.edx >> 22 & 1, leaf.edx >> 24 & 1);
        let vectors = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512bf16");
        bf16 == 1 && tiles == 1 && vectors && permitted()
    })
}

/// Asks Linux for the tiles' state, which is too large to be saved for every process.
#[cfg(target_os = "linux")]
fn permitted() -> bool {
    const ARCH_PRCTL: u64 = 158;
    const ARCH_REQ_XCOMP_PERM: u64 = 0x1023;
    const XFEATURE_XTILEDATA: u64 = 18;
    let mut result = ARCH_PRCTL;
    // SAFETY: the system call of this number takes two integers and touches no memory of ours.
    unsafe {
        asm!(
            "syscall",
            inout("rax") result,
            in("rdi") ARCH_REQ_XCOMP_PERM,
            in("rsi") XFEATURE_XTILEDATA,
            out("rcx") _,
            out("r11") _,
        );
    }
    result == 0
}

#[cfg(not(target_os = "linux"))]
fn permitted() -> bool {
    false
}
