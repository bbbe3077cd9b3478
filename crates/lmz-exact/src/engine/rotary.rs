//! Rotary positions (docs/numerics.md, 3.6).

use crate::fixed::rshift;
use crate::tables::cos_sin;

/// The rotations of some layers: frequencies, and (cos, sin) of the positions that come first.
#[derive(Debug)]
pub struct Rotary {
    frequencies: Vec<u32>,
    table: Vec<(i32, i32)>,
}

/// Positions whose sines are kept: most contexts; later ones are computed each time.
const TABLE_POSITIONS: usize = 2048;

impl Rotary {
    pub(super) fn new(frequencies: Vec<u32>) -> Self {
        let positions = 0..TABLE_POSITIONS as u32;
        let table = positions
            .flat_map(|position| {
                frequencies
                    .iter()
                    .map(move |f| cos_sin(position.wrapping_mul(*f)))
            })
            .collect();
        Self { frequencies, table }
    }

    /// Turns per position, in units of 2^-32.
    pub fn frequencies(&self) -> &[u32] {
        &self.frequencies
    }

    /// Rotates the first elements of one head's vector; |x| < 2^30 before, < 2^31 after.
    pub(super) fn rotate(&self, position: usize, x: &mut [i32]) {
        let half = self.frequencies.len();
        let (low, high) = x[..2 * half].split_at_mut(half);
        if let Some(row) = self.table.get(position * half..(position + 1) * half) {
            for ((a, b), &(cos, sin)) in low.iter_mut().zip(high).zip(row) {
                (*a, *b) = turn(*a, *b, cos, sin);
            }
        } else {
            for ((a, b), f) in low.iter_mut().zip(high).zip(&self.frequencies) {
                let (cos, sin) = cos_sin((position as u32).wrapping_mul(*f));
                (*a, *b) = turn(*a, *b, cos, sin);
            }
        }
    }
}

#[inline(always)]
fn turn(a: i32, b: i32, cos: i32, sin: i32) -> (i32, i32) {
    let (a, b, cos, sin) = (i64::from(a), i64::from(b), i64::from(cos), i64::from(sin));
    (
        rshift(a * cos - b * sin, 30) as i32,
        rshift(b * cos + a * sin, 30) as i32,
    )
}
