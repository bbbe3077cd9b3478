//! The kernels, each written once for all targets.

pub mod add;
pub mod attention;
pub mod ends;
pub mod fixed;
pub mod gate;
pub mod linear;
pub mod norm;
pub mod reduce;
#[cfg(test)]
mod tests;
