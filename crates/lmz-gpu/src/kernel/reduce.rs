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

/// OR.
#[cube]
pub fn reduce_or(room: &mut SharedMemory<u64>, value: u64) -> u64 {
    let unit = UNIT_POS as usize;
    room[unit] = value;
    sync_cube();
    #[unroll]
    for level in 0..LEVELS {
        let step = comptime!(ROOM >> (level + 1));
        if unit < step {
            room[unit] = room[unit] | room[unit + step];
        }
        sync_cube();
    }
    let result = room[0];
    sync_cube();
    result
}

/// Sum modulo 2^64.
#[cube]
pub fn reduce_sum(room: &mut SharedMemory<u64>, value: u64) -> u64 {
    let unit = UNIT_POS as usize;
    room[unit] = value;
    sync_cube();
    #[unroll]
    for level in 0..LEVELS {
        let step = comptime!(ROOM >> (level + 1));
        if unit < step {
            room[unit] = room[unit] + room[unit + step];
        }
        sync_cube();
    }
    let result = room[0];
    sync_cube();
    result
}

/// Largest of signed 32-bit numbers.
#[cube]
pub fn reduce_max(room: &mut SharedMemory<u64>, value: i32) -> i32 {
    let unit = UNIT_POS as usize;
    // In the order of unsigned numbers.
    room[unit] = u64::cast_from(i64::cast_from(value) + 2147483648i64);
    sync_cube();
    #[unroll]
    for level in 0..LEVELS {
        let step = comptime!(ROOM >> (level + 1));
        if unit < step {
            let other = room[unit + step];
            if other > room[unit] {
                room[unit] = other;
            }
        }
        sync_cube();
    }
    let result = i32::cast_from(i64::cast_from(room[0]) - 2147483648i64);
    sync_cube();
    result
}
