//! How wide the processor's registers are: the same numbers, sooner.

/// The widest registers that code may use.
#[derive(Clone, Copy, Debug)]
pub enum Wide {
    /// Those that every processor of its kind has.
    Any,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Wide {
    /// What this processor has.
    pub fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::is_x86_feature_detected as has;
            if has!("avx512f") && has!("avx512bw") && has!("avx512vl") && has!("avx512dq") {
                // Each processor with AVX-512 has these, too; nothing here relies on that.
                if has!("avx2") && has!("bmi1") && has!("bmi2") && has!("lzcnt") && has!("popcnt") {
                    return Self::Avx512;
                }
            }
            if has!("avx2") && has!("bmi1") && has!("bmi2") && has!("lzcnt") && has!("popcnt") {
                return Self::Avx2;
            }
        }
        Self::Any
    }

    /// Calls `f`, whose `#[inline(always)]` functions are compiled for these registers.
    // `FnMut`, since a call by value would go through a function that is not inlined.
    #[inline(always)]
    pub fn run<R>(self, mut f: impl FnMut() -> R) -> R {
        #[cfg(target_arch = "x86_64")]
        #[allow(unsafe_code)]
        match self {
            Self::Any => f(),
            // SAFETY: the processor has it ([`Wide::detect`]).
            Self::Avx2 => unsafe { avx2(f) },
            // SAFETY: the processor has it.
            Self::Avx512 => unsafe { avx512(f) },
        }
        #[cfg(not(target_arch = "x86_64"))]
        f()
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn avx2<R>(mut f: impl FnMut() -> R) -> R {
    f()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt,avx512f,avx512bw,avx512vl,avx512dq")]
fn avx512<R>(mut f: impl FnMut() -> R) -> R {
    f()
}
