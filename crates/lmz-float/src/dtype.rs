//! Number types.

use std::fmt;
use std::str::FromStr;

use burn::tensor::DType;

use crate::error::FloatError;

/// What matrices, keys, values and the residual stream are stored in. Norms, softmax and
/// surprisals are f32 whatever this is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Dtype {
    /// IEEE single precision.
    #[default]
    F32,
    /// The upper half of an f32.
    Bf16,
    /// IEEE half precision.
    F16,
}

impl Dtype {
    /// The name that the command and messages use: `f32`, `f16`, `bf16`.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
            Self::F16 => "f16",
        }
    }

    /// The size of one element, in bytes.
    pub fn bytes(self) -> u64 {
        match self {
            Self::F32 => 4,
            Self::Bf16 | Self::F16 => 2,
        }
    }

    pub(crate) fn burn(self) -> DType {
        match self {
            Self::F32 => DType::F32,
            Self::Bf16 => DType::BF16,
            Self::F16 => DType::F16,
        }
    }
}

impl FromStr for Dtype {
    type Err = FloatError;

    fn from_str(name: &str) -> Result<Self, FloatError> {
        [Self::F32, Self::Bf16, Self::F16]
            .into_iter()
            .find(|dtype| dtype.name() == name)
            .ok_or_else(|| FloatError::DtypeName(name.chars().take(64).collect()))
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
