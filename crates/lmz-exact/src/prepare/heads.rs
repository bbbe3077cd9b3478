//! Which rows of an attention half meet.

use lmz_model::Blueprint;

/// How rows of queries and of the output projection's columns share keys and values.
pub struct Heads {
    size: usize,
    /// Query heads of one key-value head.
    group: usize,
    /// Elements of a head that rotate; 0 where positions are learned.
    rotated: usize,
}

impl Heads {
    /// Those of a model.
    pub fn new(b: &Blueprint) -> Self {
        let rotated = match b.position {
            lmz_model::Position::Learned => 0,
            _ => b.attention.rotary_dim.unwrap_or(b.head_dim),
        };
        Self {
            size: b.head_dim,
            group: b.heads / b.kv_heads,
            rotated,
        }
    }

    /// The row of keys or values that a row of queries meets.
    pub fn shared(&self, row: usize) -> usize {
        row / self.size / self.group * self.size + row % self.size
    }

    /// The first row of a rotary pair: both must have one level, or rotating would mix scales.
    pub fn pair(&self, row: usize) -> usize {
        let within = row % self.size;
        if within < self.rotated {
            row - within + within % (self.rotated / 2)
        } else {
            row
        }
    }
}
