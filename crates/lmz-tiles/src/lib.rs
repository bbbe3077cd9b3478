//! The tiles of AMX (Intel SDM, volume 1, chapter 18): eight registers of up to 16 rows of 64 bytes, in a unit of their own.
//!
//! What multiplies them is the caller's; the compiler never uses these registers. On other machines there is nothing here but the
//! answer that there are no tiles.
#![allow(unsafe_code)]

/// Whether the processor has tiles of bytes and the system lets this process use them, which it is asked for once.
pub fn multiply_bytes() -> bool {
    has(24) && has(25) && permitted()
}

/// The same of bf16.
pub fn multiply_bf16() -> bool {
    has(24) && has(22) && permitted()
}

/// A bit of the processor's own word (leaf 7, EDX): 22 AMX-BF16, 24 AMX-TILE, 25 AMX-INT8.
#[cfg(target_arch = "x86_64")]
fn has(bit: u32) -> bool {
    let most = std::arch::x86_64::__cpuid(0).eax;
    most >= 7 && std::arch::x86_64::__cpuid_count(7, 0).edx >> bit & 1 == 1
}

#[cfg(not(target_arch = "x86_64"))]
fn has(_: u32) -> bool {
    false
}

/// Linux gives room for the registers only to processes that ask for it (Documentation/arch/x86/xstate.rst): not before 5.16, and
/// not where a thread's stack for signals is too small for them.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
fn permitted() -> bool {
    static PERMITTED: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    *PERMITTED.get_or_init(|| {
        const ARCH_PRCTL: u64 = 158;
        const ARCH_REQ_XCOMP_PERM: u64 = 0x1023;
        const XFEATURE_XTILEDATA: u64 = 18;
        let mut result = ARCH_PRCTL;
        // SAFETY: the system call of this number takes two integers and touches no memory of ours.
        unsafe {
            std::arch::asm!("syscall", inout("rax") result, in("rdi") ARCH_REQ_XCOMP_PERM, in("rsi") XFEATURE_XTILEDATA,
                out("rcx") _, out("r11") _, options(nostack));
        }
        result == 0
    })
}

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
fn permitted() -> bool {
    false
}

#[cfg(target_arch = "x86_64")]
mod registers;
#[cfg(target_arch = "x86_64")]
pub use registers::{Line, Tiles, load, store, zero};
