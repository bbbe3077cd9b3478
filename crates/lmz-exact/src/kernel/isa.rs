//! Which instruction set the kernels run with.

/// Rows of activations that share one pass over a panel.
pub const TILE: usize = 6;

/// An instruction set that the engine has kernels for. All give the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Isa {
    /// Portable Rust, for any processor.
    Scalar,
    /// x86-64 with AVX2.
    Avx2,
    /// x86-64 with AVX-512 F, BW, VL and VNNI.
    Avx512,
    /// x86-64 with AVX-512 and AMX for bytes, on Linux.
    Amx,
    /// aarch64 with NEON.
    Neon,
}

impl Isa {
    /// Those that this machine can run, the slowest first.
    pub fn available() -> Vec<Self> {
        #[cfg_attr(
            not(any(target_arch = "x86_64", target_arch = "aarch64")),
            allow(unused_mut)
        )]
        let mut all = vec![Self::Scalar];
        #[cfg(target_arch = "x86_64")]
        {
            if std::arch::is_x86_feature_detected!("avx2") {
                all.push(Self::Avx2);
                if std::arch::is_x86_feature_detected!("avx512f")
                    && std::arch::is_x86_feature_detected!("avx512bw")
                    && std::arch::is_x86_feature_detected!("avx512vl")
                    && std::arch::is_x86_feature_detected!("avx512dq")
                    && std::arch::is_x86_feature_detected!("avx512cd")
                    && std::arch::is_x86_feature_detected!("avx512vnni")
                {
                    all.push(Self::Avx512);
                    if lmz_tiles::multiply_bytes() {
                        all.push(Self::Amx);
                    }
                }
            }
        }
        #[cfg(target_arch = "aarch64")]
        if std::arch::is_aarch64_feature_detected!("neon") {
            all.push(Self::Neon);
        }
        all
    }

    /// The fastest that this machine can run.
    pub fn detect() -> Self {
        Self::available().pop().unwrap_or(Self::Scalar)
    }

    /// By its name: `scalar`, `avx2`, `avx512`, `amx`, `neon`.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "scalar" => Self::Scalar,
            "avx2" => Self::Avx2,
            "avx512" => Self::Avx512,
            "amx" => Self::Amx,
            "neon" => Self::Neon,
            _ => return None,
        })
    }

    /// The name that [`Isa::from_name`] reads.
    pub fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
            Self::Amx => "amx",
            Self::Neon => "neon",
        }
    }
}

/// A proof that an [`Isa`] can run here. Only [`Kernel::new`] makes one, after asking the processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kernel(pub(super) Isa);

impl Kernel {
    /// `None` if this machine cannot run `isa`.
    pub fn new(isa: Isa) -> Option<Self> {
        Isa::available().contains(&isa).then_some(Self(isa))
    }

    /// The fastest kernels of this machine.
    pub fn detect() -> Self {
        Self(Isa::detect())
    }

    /// Which instruction set it is.
    pub fn isa(self) -> Isa {
        self.0
    }

    /// Whether it makes something of weights in blocks before it multiplies them by many rows.
    pub(crate) fn makes_weights_whole(self) -> bool {
        self.0 == Isa::Amx
    }
}
