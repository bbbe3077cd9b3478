//! From exact sums to the mantissas of a layer's output.

use super::super::panel::PANEL;
use crate::fixed::rshift;

/// Steps 2 and 3 of docs/numerics.md, 3.1, for one panel.
#[inline(always)]
pub fn scale_sums(sums: &[i64; PANEL], scales: &[i32; PANEL], g: i32, y: &mut [i32]) {
    for r in 0..PANEL {
        y[r] = rshift(rshift(sums[r], g) * i64::from(scales[r]), 32) as i32;
    }
}
