//! AMX: products of tiles, 16 rows of activations by 16 rows of weights, in units of their own beside the vector registers.
//!
//! Tiles multiply bytes. Weights are bytes already; activations of 15 bits and a sign are two: `x = 256 · high + low`, the high one
//! with a sign, the low one without. A tile's sums have 32 bits and are exact, so that the bits are those of every other kernel.

mod blocks;
mod rows;
mod tiles;
mod whole;

pub use blocks::block_linear_amx;
pub use rows::linear_amx;
pub use tiles::{COLUMNS, Planes};
pub use whole::whole_linear_amx;

/// Rows of activations from which on tiles are faster than AVX-512: what they cost does not depend on the rows, nearly.
pub const ROWS: usize = 5;
