//! Reductions over a cube. All units take part, and all get the result.
//!
//! Maxima, OR and sums modulo 2^64 are exact in any order.

use cubecl::prelude::*;

/// Units of the cubes that work on a row. A power of two.
pub const UNITS: u32 = 128;

/// Halvings of a cube.
const LEVELS: usize = UNITS.trailing_zeros() as usize;

/// Words of the shared memory that reductions use.
pub const ROOM: usize = UNITS as usize;

/// What two values become.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Reduction {
    /// Their OR.
    Or,
    /// Their sum modulo 2^64.
    Sum,
    /// The larger one.
    Max,
}

#[cube]
fn reduce(room: &mut SharedMemory<u64>, value: u64, #[comptime] how: Reduction) -> u64 {
    let unit = UNIT_POS as usize;
    room[unit] = value;
    sync_cube();
    #[unroll]
    for level in 0..LEVELS {
        let step = comptime!(ROOM >> (level + 1));
        if unit < step {
            let own = room[unit];
            let other = room[unit + step];
            if comptime!(how == Reduction::Or) {
                room[unit] = own | other;
            } else if comptime!(how == Reduction::Sum) {
                room[unit] = own + other;
            } else {
                room[unit] = select(other > own, other, own);
            }
        }
        sync_cube();
    }
    let result = room[0];
    sync_cube();
    result
}

/// OR of all units' values.
#[cube]
pub fn reduce_or(room: &mut SharedMemory<u64>, value: u64) -> u64 {
    reduce(room, value, Reduction::Or)
}

/// Sum of all units' values modulo 2^64.
#[cube]
pub fn reduce_sum(room: &mut SharedMemory<u64>, value: u64) -> u64 {
    reduce(room, value, Reduction::Sum)
}

/// Largest of all units' values, signed 32-bit numbers.
#[cube]
pub fn reduce_max(room: &mut SharedMemory<u64>, value: i32) -> i32 {
    // In the order of unsigned numbers.
    let shifted = u64::cast_from(i64::cast_from(value) + 2147483648i64);
    let largest = reduce(room, shifted, Reduction::Max);
    i32::cast_from(i64::cast_from(largest) - 2147483648i64)
}
