//! Blocks of quantised weights as f32, to the bit as ggml's reference code gives them: every
//! product and sum rounded to f32, none fused.

mod grid;
mod half;
mod k_quants;
mod legacy;
mod nonlinear;

use ::half::{bf16, f16};

use super::kind::Kind;
pub(super) use grid::grid;

/// Appends the elements of whole blocks.
pub(super) fn dequantise(kind: Kind, bytes: &[u8], out: &mut Vec<f32>) {
    match kind {
        Kind::F32 => out.extend(bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b))),
        Kind::F16 => out.extend(pairs(bytes).map(|b| f16::from_le_bytes(b).to_f32())),
        Kind::Bf16 => out.extend(pairs(bytes).map(|b| bf16::from_le_bytes(b).to_f32())),
        Kind::Q4_0 => blocks(bytes, out, legacy::q4_0),
        Kind::Q4_1 => blocks(bytes, out, legacy::q4_1),
        Kind::Q5_0 => blocks(bytes, out, legacy::q5_0),
        Kind::Q5_1 => blocks(bytes, out, legacy::q5_1),
        Kind::Q8_0 => blocks(bytes, out, legacy::q8_0),
        Kind::Q2K => blocks(bytes, out, k_quants::q2_k),
        Kind::Q3K => blocks(bytes, out, k_quants::q3_k),
        Kind::Q4K => blocks(bytes, out, k_quants::q4_k),
        Kind::Q5K => blocks(bytes, out, k_quants::q5_k),
        Kind::Q6K => blocks(bytes, out, k_quants::q6_k),
        Kind::Iq4Nl => blocks(bytes, out, nonlinear::iq4_nl),
        Kind::Iq4Xs => blocks(bytes, out, nonlinear::iq4_xs),
    }
}

fn pairs(bytes: &[u8]) -> impl Iterator<Item = [u8; 2]> + '_ {
    bytes.as_chunks().0.iter().copied()
}

fn blocks<const BYTES: usize, const ELEMENTS: usize>(
    bytes: &[u8],
    out: &mut Vec<f32>,
    block: fn(&[u8; BYTES], &mut [f32; ELEMENTS]),
) {
    let mut elements = [0.0; ELEMENTS];
    for bytes in bytes.as_chunks().0 {
        block(bytes, &mut elements);
        out.extend_from_slice(&elements);
    }
}
