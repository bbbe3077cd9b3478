//! The steps and offsets of blocks, without their integers: element = step · q + offset. Integers are counted from the
//! middle of their range, so that offsets are small.

use super::half::half_at;
use super::k_quants::{scale_and_minimum, six_bits};
use super::nonlinear::scale;
use crate::blueprint::Grid;
use crate::gguf::kind::Kind;

/// That of whole blocks; `None` of a type that has none.
pub(crate) fn grid(kind: Kind, bytes: &[u8]) -> Option<Grid> {
    let half = |block: &[u8], at| f64::from(half_at(block, at));
    Some(match kind {
        Kind::F32 | Kind::F16 | Kind::Bf16 => return None,
        Kind::Q4_0 => legacy(bytes, -8, 7, |block: &[u8; 18]| (half(block, 0), None)),
        Kind::Q4_1 => legacy(bytes, -8, 7, |block: &[u8; 20]| {
            (half(block, 0), Some(half(block, 2)))
        }),
        Kind::Q5_0 => legacy(bytes, -16, 15, |block: &[u8; 22]| (half(block, 0), None)),
        Kind::Q5_1 => legacy(bytes, -16, 15, |block: &[u8; 24]| {
            (half(block, 0), Some(half(block, 2)))
        }),
        Kind::Q8_0 => legacy(bytes, -127, 127, |block: &[u8; 34]| (half(block, 0), None)),
        Kind::Iq4Nl => legacy(bytes, -127, 127, |block: &[u8; 18]| (half(block, 0), None)),
        Kind::Q2K => groups(bytes, 16, -2, 1, |block: &[u8; 84], group| {
            let (d, dmin) = (half_at(block, 80), half_at(block, 82));
            let scale = block[group];
            (
                d * f32::from(scale & 0xf),
                Some(dmin * f32::from(scale >> 4)),
            )
        }),
        Kind::Q3K => groups(bytes, 16, -4, 3, |block: &[u8; 110], group| {
            (
                half_at(block, 108) * f32::from(six_bits(&block[96..], group)),
                None,
            )
        }),
        Kind::Q4K => groups(bytes, 32, -8, 7, |block: &[u8; 144], group| {
            let (step, minimum) = scale_and_minimum(&block[..16], group);
            (step, Some(minimum))
        }),
        Kind::Q5K => groups(bytes, 32, -16, 15, |block: &[u8; 176], group| {
            let (step, minimum) = scale_and_minimum(&block[..16], group);
            (step, Some(minimum))
        }),
        Kind::Q6K => groups(bytes, 16, -32, 31, |block: &[u8; 210], group| {
            (
                half_at(block, 208) * f32::from(block[192 + group].cast_signed()),
                None,
            )
        }),
        Kind::Iq4Xs => groups(bytes, 32, -127, 127, |block: &[u8; 136], group| {
            (half_at(block, 0) * f32::from(scale(block, group)), None)
        }),
    })
}

/// Blocks of 32 with one step, and an offset of the lowest integer where there is one.
fn legacy<const BYTES: usize>(
    bytes: &[u8],
    lowest: i8,
    highest: i8,
    read: impl Fn(&[u8; BYTES]) -> (f64, Option<f64>),
) -> Grid {
    let blocks = bytes.as_chunks().0.iter();
    collect(32, lowest, highest, blocks.map(read))
}

/// Blocks of 256 in groups of `size`, each with a step and perhaps what is taken away from its lowest integer.
fn groups<const BYTES: usize>(
    bytes: &[u8],
    size: usize,
    lowest: i8,
    highest: i8,
    read: impl Fn(&[u8; BYTES], usize) -> (f32, Option<f32>),
) -> Grid {
    let blocks = bytes.as_chunks().0.iter();
    let groups = blocks.flat_map(|block| (0..256 / size).map(move |group| (block, group)));
    let read = |(block, group)| {
        let (step, minimum) = read(block, group);
        (f64::from(step), minimum.map(|minimum| -f64::from(minimum)))
    };
    collect(size, lowest, highest, groups.map(read))
}

/// Steps with what the lowest integer stands for.
fn collect(
    block: usize,
    lowest: i8,
    highest: i8,
    read: impl Iterator<Item = (f64, Option<f64>)>,
) -> Grid {
    let mut grid = Grid {
        block,
        integers: lowest..=highest,
        steps: Vec::new(),
        offsets: Vec::new(),
    };
    for (step, first) in read {
        grid.steps.push(step);
        grid.offsets
            .extend(first.map(|first| first - f64::from(lowest) * step));
    }
    grid
}
