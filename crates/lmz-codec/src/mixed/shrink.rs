//! What contexts do not shrink is stored. Where bytes look like noise in no long stretch, only trying tells.

use lmz_mix::{Bytes, Version};

use super::contexts::size_of;
use super::part::{Part, PartKind, add};
use super::priced::Priced;
use crate::entropy::bits_per_byte;

/// Bytes that are tried together.
const WINDOW: usize = 1024;
/// Bits per byte, in units of 2^-24, from which on a histogram makes a try worth its time: 7. (Of a window of noise it has 7.8.)
const DENSE: u64 = 7 << 24;
/// What two more entries of the list take, in bits.
const SWITCH: f64 = 48.0;

/// The parts of a group, with those windows stored that contexts would make larger.
pub fn store_what_grows(raw: &[u8], parts: Vec<Part>, version: Version) -> Vec<Part> {
    let windows = || windows(raw, &parts);
    let dense = |(kind, window): (PartKind, &[u8])| {
        kind == PartKind::Bytes && bits_per_byte(window) >= DENSE
    };
    if !windows().any(dense) {
        return parts;
    }
    let (mut model, mut priced) = (Bytes::new(size_of(raw.len()), version), Priced::default());
    let mut before = 0.0;
    let mut stored = Vec::new();
    for (kind, window) in windows() {
        let mut kind = kind;
        if kind == PartKind::Bytes {
            for &byte in window {
                model.code(&mut priced, byte);
            }
            let cost = priced.cost().bits() - before;
            before += cost;
            let after_stored = matches!(
                stored.last(),
                Some(Part {
                    kind: PartKind::Stored,
                    ..
                })
            );
            let switch = if after_stored { 0.0 } else { SWITCH };
            if cost > window.len() as f64 * 8.0 + switch {
                kind = PartKind::Stored;
            }
        }
        add(&mut stored, kind, window.len());
    }
    stored
}

/// The parts, those of bytes cut into windows.
fn windows<'a>(raw: &'a [u8], parts: &'a [Part]) -> impl Iterator<Item = (PartKind, &'a [u8])> {
    let mut rest = raw;
    parts.iter().flat_map(move |part| {
        let (own, others) = rest.split_at(part.len);
        rest = others;
        let size = match part.kind {
            PartKind::Bytes => WINDOW,
            _ => part.len,
        };
        own.chunks(size).map(|window| (part.kind, window))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_in_short_stretches_is_stored_and_tables_are_not() {
        let noise = lmz_testkit::noise(20_000, 5);
        let table: Vec<u8> = (0..3000u32).flat_map(|i| (i * 3).to_le_bytes()).collect();
        let raw = [&table[..], &noise, &table].concat();
        let bytes = |len| Part {
            kind: PartKind::Bytes,
            len,
        };
        let parts = store_what_grows(&raw, vec![bytes(raw.len())], Version::NEWEST);
        assert_eq!(parts.iter().map(|part| part.len).sum::<usize>(), raw.len());
        let stored: usize = parts
            .iter()
            .filter(|part| part.kind == PartKind::Stored)
            .map(|part| part.len)
            .sum();
        assert!((17_000..=20_480).contains(&stored), "{parts:?}");
        let kept = vec![bytes(table.len())];
        assert_eq!(
            store_what_grows(&table, kept.clone(), Version::NEWEST),
            kept
        );
    }
}
