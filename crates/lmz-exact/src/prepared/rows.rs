//! The rows of a matrix, in any of the forms that a file may have them.

use std::ops::Range;

use safetensors::Dtype;

use super::fine::FineRows;
use super::model::{Prepared, WIDE_NUMERICS};
use crate::error::Result;
use crate::kernel::{FINE_BITS, OFFSET_BITS};

/// Largest magnitude of a block's factor.
pub const MAX_FACTOR: i16 = 8191;
/// Largest magnitude of a block's offset.
pub const MAX_OFFSET: i16 = 8191;

/// A matrix of integers, each row of which has a scale of its own.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    /// `[rows][columns]`: the weights, or the high planes of fine ones, or the integers of blocks.
    pub w: Vec<i8>,
    /// Low planes of its fine rows.
    pub fine: FineRows,
    /// Factors and offsets, if its weights stand in blocks.
    pub blocks: Option<Blocks>,
}

/// What stands beside the integers of block weights (docs/numerics.md, 3.18): a weight is
/// `factor · q + 8 · offset`.
#[derive(Clone, Debug)]
pub struct Blocks {
    /// Columns of a block: 16 or 32.
    pub size: usize,
    /// Whether the integers have 4 bits, -8 to 7.
    pub half_bytes: bool,
    /// `[rows][columns / size]`.
    pub factors: Vec<i16>,
    /// Likewise; empty where all are 0.
    pub offsets: Vec<i16>,
}

impl Rows {
    /// The integers of row number `row` of a matrix of `columns` columns, and the exponent by which they exceed the row's
    /// scale.
    pub fn row(&self, row: usize, columns: usize) -> (Vec<i32>, i32) {
        let w = &self.w[row * columns..][..columns];
        if let Some(blocks) = &self.blocks {
            return (blocks.weights(row, w), 0);
        }
        let wide = w.iter().map(|&w| i32::from(w));
        match self.fine.of(row, columns) {
            None => (wide.collect(), 0),
            Some(low) => {
                let both = wide.zip(low);
                let both = both.map(|(w, &low)| (w << FINE_BITS) + i32::from(low));
                (both.collect(), -FINE_BITS)
            }
        }
    }

    /// Some of these rows, in this order, of a matrix of `columns` columns.
    pub fn chosen(&self, rows: &[u32], columns: usize) -> Self {
        let mut chosen = Self {
            blocks: self.blocks.as_ref().map(|blocks| Blocks {
                factors: blocks.chosen(&blocks.factors, rows, columns),
                offsets: blocks.chosen(&blocks.offsets, rows, columns),
                ..*blocks
            }),
            ..Self::default()
        };
        chosen.w.reserve_exact(rows.len() * columns);
        for (to, &row) in rows.iter().enumerate() {
            chosen
                .w
                .extend_from_slice(&self.w[row as usize * columns..][..columns]);
            if let Some(low) = self.fine.of(row as usize, columns) {
                chosen.fine.rows.push(to as u32);
                chosen.fine.w.extend_from_slice(low);
            }
        }
        chosen
    }
}

impl Blocks {
    /// The blocks of a row in a vector of all rows' blocks.
    fn of(&self, row: usize, columns: usize) -> Range<usize> {
        let blocks = columns / self.size;
        row * blocks..(row + 1) * blocks
    }

    fn weights(&self, row: usize, q: &[i8]) -> Vec<i32> {
        let of = self.of(row, q.len());
        let offsets = self.offsets.get(of.clone()).unwrap_or_default();
        let blocks = q.chunks_exact(self.size).zip(&self.factors[of]);
        let weights = blocks.enumerate().flat_map(|(b, (q, &factor))| {
            let offset = offsets
                .get(b)
                .map_or(0, |&offset| i32::from(offset) << OFFSET_BITS);
            q.iter()
                .map(move |&q| i32::from(factor) * i32::from(q) + offset)
        });
        weights.collect()
    }

    fn chosen(&self, from: &[i16], rows: &[u32], columns: usize) -> Vec<i16> {
        let of = |&row: &u32| from.get(self.of(row as usize, columns)).unwrap_or_default();
        rows.iter().flat_map(of).copied().collect()
    }
}

impl Prepared {
    /// The rows of the matrix `name`.
    pub(crate) fn rows(&self, name: &str, shape: [usize; 2]) -> Result<Rows> {
        let factors = format!("{name}.factors");
        if self.numerics < WIDE_NUMERICS || !self.has(&factors) {
            return Ok(Rows {
                w: self.weights_i8(&format!("{name}.w"), shape)?,
                fine: self.fine_rows(name, shape)?,
                blocks: None,
            });
        }
        let [rows, columns] = shape;
        let blocks = self.bytes(&factors, Dtype::I16, None)?.len() / 2;
        let size = [16, 32]
            .into_iter()
            .find(|&size| columns.is_multiple_of(size) && blocks == rows * (columns / size));
        let Some(size) = size else {
            return Err(self.damaged(&factors, "has no factor for each 16 or 32 columns of a row"));
        };
        let shape_of = [rows, columns / size];
        let offsets = format!("{name}.offsets");
        let integers = format!("{name}.q");
        let half_bytes = self
            .tensors
            .get(&integers)
            .is_some_and(|tensor| tensor.dtype == Dtype::U8);
        Ok(Rows {
            w: match half_bytes {
                true => self.half_bytes(&integers, shape)?,
                false => self.weights_i8(&integers, shape)?,
            },
            fine: FineRows::default(),
            blocks: Some(Blocks {
                size,
                half_bytes,
                factors: self.i16s(&factors, shape_of, MAX_FACTOR)?,
                offsets: match self.has(&offsets) {
                    true => self.i16s(&offsets, shape_of, MAX_OFFSET)?,
                    false => Vec::new(),
                },
            }),
        })
    }

    /// Integers of 4 bits, the even columns in the low halves of bytes.
    fn half_bytes(&self, name: &str, [rows, columns]: [usize; 2]) -> Result<Vec<i8>> {
        let bytes = self.bytes(name, Dtype::U8, Some(&[rows, columns / 2]))?;
        let halves = bytes.iter().map(|&byte| byte.cast_signed());
        Ok(halves
            .flat_map(|byte| [byte << 4 >> 4, byte >> 4])
            .collect())
    }

    /// Numbers of 16 bits, each with a magnitude of at most `limit`.
    fn i16s(&self, name: &str, shape: [usize; 2], limit: i16) -> Result<Vec<i16>> {
        let bytes = self.bytes(name, Dtype::I16, Some(&shape))?;
        let values = bytes.as_chunks::<2>().0.iter();
        let values: Vec<i16> = values.map(|b| i16::from_le_bytes(*b)).collect();
        match values
            .iter()
            .all(|v| v.unsigned_abs() <= limit.unsigned_abs())
        {
            true => Ok(values),
            false => Err(self.damaged(name, "holds a value out of range")),
        }
    }

    /// How many weights stand in blocks, with integers of 4 and of 8 bits.
    pub fn block_weights(&self) -> [u64; 2] {
        let integers = self.tensors.iter().filter(|(name, _)| name.ends_with(".q"));
        integers.fold([0; 2], |[half_bytes, bytes], (_, tensor)| {
            let count = tensor.range.len() as u64;
            match tensor.dtype {
                Dtype::U8 => [half_bytes + 2 * count, bytes],
                _ => [half_bytes, bytes + count],
            }
        })
    }
}
