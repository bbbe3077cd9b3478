//! Rows with a second plane (docs/numerics.md, 3.17).

use safetensors::Dtype;

use super::model::{Prepared, WIDE_NUMERICS, is_low};
use crate::error::Result;

/// The fine rows of a matrix: a weight is `256 · w + low` of its row's scale, divided by 256.
#[derive(Clone, Debug, Default)]
pub struct FineRows {
    /// Which rows they are, in increasing order.
    pub rows: Vec<u32>,
    /// Their low planes, row after row: each weight -127 to 127.
    pub w: Vec<i8>,
}

impl FineRows {
    /// The low plane of a row of `columns` weights; `None` if the row is not fine.
    pub fn of(&self, row: usize, columns: usize) -> Option<&[i8]> {
        let row = u32::try_from(row).ok()?;
        let at = self.rows.binary_search(&row).ok()?;
        Some(&self.w[at * columns..][..columns])
    }
}

impl Prepared {
    /// The fine rows of the matrix `name`; none where the file has none, and in models of version 1 of the numerics.
    pub(crate) fn fine_rows(&self, name: &str, shape: [usize; 2]) -> Result<FineRows> {
        let (rows, low) = (format!("{name}.fine"), format!("{name}.low"));
        let there = self.has(&rows) || self.has(&low);
        if self.numerics < WIDE_NUMERICS || !there {
            return Ok(FineRows::default());
        }
        let count = self.bytes(&rows, Dtype::U32, None)?.len() / 4;
        let rows_of = self.u32s(&rows, count)?;
        let increasing = rows_of.windows(2).all(|pair| pair[0] < pair[1]);
        let last = rows_of.last().copied();
        if !increasing || last.is_none_or(|last| last as usize >= shape[0]) {
            return Err(self.damaged(&rows, "does not name rows in increasing order"));
        }
        Ok(FineRows {
            rows: rows_of,
            w: self.weights_i8(&low, [count, shape[1]])?,
        })
    }

    /// How many weights have 16 bits.
    pub fn fine_weights(&self) -> u64 {
        let low = self.tensors.iter().filter(|(name, _)| is_low(name));
        low.map(|(_, tensor)| tensor.range.len() as u64).sum()
    }
}
