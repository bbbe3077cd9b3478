//! The kernels, each written once for all targets.

// A constant would be one of the kernel's compilation, not a value of the kernel.
#![allow(clippy::legacy_numeric_constants)]

pub mod add;
pub mod attention;
pub mod ends;
pub mod fixed;
pub mod gate;
pub mod linear;
pub mod matrix;
pub mod mma;
pub mod norm;
pub mod reduce;
#[cfg(test)]
mod tests;
