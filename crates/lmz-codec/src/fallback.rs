//! Segments that the model would not shrink, or not as well as zstd does.

use lmz_format::Payload;

use crate::drive::Coded;
use crate::entropy::bits_per_byte;

/// Level of the segments that zstd keeps.
const LEVEL: i32 = 19;
/// Level of a first look.
const FAST_LEVEL: i32 = 3;
/// Bits per byte, in units of 2^-24, above which bytes look random in a histogram of the segment: 7.6.
const DENSE: u64 = (76 << 24) / 10;

/// Shorter segments are not looked at for repeats: the model does not take long for them.
const SHORT: usize = 8 << 10;
/// zstd's share of the raw bytes, one to so many, below which the model is not asked: its seconds would buy a few bytes.
const REPEATS: usize = 100;

/// Whether the model should look at a segment at all: not if its bytes are as good as random, by
/// their histogram and by zstd's fastest match finder, nor if they say the same thing again and again, so
/// that zstd leaves less than a hundredth. Compressed and encrypted data and holes end here, at
/// hundreds of megabytes a second.
pub fn worth_modelling(raw: &[u8]) -> bool {
    if raw.len() >= SHORT && repeats(raw.len(), &zstd_of(raw, FAST_LEVEL)) {
        return false;
    }
    if raw.len() < 256 || bits_per_byte(raw) < DENSE {
        return true;
    }
    zstd::bulk::compress(raw, 1).is_ok_and(|packed| packed.len() + packed.len() / 16 < raw.len())
}

/// Whether most of a text was there before, as in logs: zstd's fast level leaves less than a fifth. (Of prose, mathematics and programs it leaves
/// a quarter to two fifths, of sixteen logs a fifth to a twentieth.)
pub fn is_repetitive(text: &[u8]) -> bool {
    zstd_of(text, FAST_LEVEL).len() < text.len() / 5
}

/// Whether zstd leaves less than a hundredth of `raw_len` bytes.
fn repeats(raw_len: usize, packed: &[u8]) -> bool {
    packed.len() < raw_len / REPEATS
}

/// One frame, or the bytes themselves if zstd fails.
fn zstd_of(raw: &[u8], level: i32) -> Vec<u8> {
    zstd::bulk::compress(raw, level).unwrap_or_else(|_| raw.to_vec())
}

/// A frame of the slow level in which repeats have at least four bytes.
fn zstd_of_longer(raw: &[u8]) -> Option<Vec<u8>> {
    let mut compressor = zstd::bulk::Compressor::new(LEVEL).ok()?;
    let four = zstd::zstd_safe::CParameter::MinMatch(4);
    compressor.set_parameter(four).ok()?;
    compressor.compress(raw).ok()
}

/// A segment's coded bytes, owned.
#[derive(Debug)]
pub enum Packed {
    Model { coded: Vec<u8>, ideal_bits: u64 },
    Mixed { coded: Vec<u8>, ideal_bits: u64 },
    Zstd(Vec<u8>),
    Stored,
}

impl Packed {
    /// As the container takes it.
    pub fn payload(&self) -> Payload<'_> {
        match self {
            Self::Model { coded, ideal_bits } => Payload::Model {
                coded,
                ideal_bits: *ideal_bits,
            },
            Self::Mixed { coded, ideal_bits } => Payload::Mixed {
                coded,
                ideal_bits: *ideal_bits,
            },
            Self::Zstd(coded) => Payload::Zstd(coded),
            Self::Stored => Payload::Stored,
        }
    }

    /// The smallest of what the model made (with `mixed`, together with what is learnt), zstd and the bytes
    /// themselves. Without the model, zstd's slow level is tried only for bytes that repeat, not for random ones.
    pub fn smallest(raw: &[u8], model: Option<Coded>, mixed: bool) -> Self {
        let limit = model
            .as_ref()
            .map_or(raw.len(), |coded| coded.bytes.len().min(raw.len()));
        let mut packed = zstd_of(raw, FAST_LEVEL);
        // The slow level is worth its time where the fast one comes within a quarter.
        let close = model.is_some() && packed.len() - packed.len() / 4 < limit;
        if close || repeats(raw.len(), &packed) {
            let slow = zstd_of(raw, LEVEL);
            // Of a few bytes more than nothing, the slow level may make one more.
            if slow.len() < packed.len() || close {
                packed = slow;
            }
            // Between streams of noise, repeats of three bytes cost more than they save.
            if close && let Some(longer) = zstd_of_longer(raw).filter(|l| l.len() < packed.len()) {
                packed = longer;
            }
        }
        if packed.len() < limit {
            return Self::Zstd(packed);
        }
        match model {
            Some(Coded {
                bytes: coded,
                ideal,
            }) if coded.len() < raw.len() => {
                let most = lmz_format::MAX_IDEAL_PER_RAW_BYTE * raw.len() as u64;
                let ideal_bits = ideal.to_q8().min(most);
                match mixed {
                    true => Self::Mixed { coded, ideal_bits },
                    false => Self::Model { coded, ideal_bits },
                }
            }
            _ => Self::Stored,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unzstd::unzstd;

    #[test]
    fn random_bytes_are_not_worth_the_model() {
        let mut state = 1u64;
        let mut next = || {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            (state >> 56) as u8
        };
        let random: Vec<u8> = (0..65536).map(|_| next()).collect();
        assert!(!worth_modelling(&random));
        assert!(matches!(
            Packed::smallest(&random, None, false),
            Packed::Stored
        ));
        let text = b"some text that says little, and says it again. ".repeat(100);
        assert!(worth_modelling(&text));
        assert!(worth_modelling(b""));
    }

    #[test]
    fn bytes_that_repeat_are_not_worth_the_model() {
        let line = br#"{"id": 1, "text": "the same again", "tags": ["a", "b"]}"#;
        let emoji = "\u{1f600}\u{1f680}".as_bytes();
        for piece in [&b"\0"[..], emoji, line, b"ab\n"] {
            let raw: Vec<u8> = piece.iter().copied().cycle().take(65_536).collect();
            assert!(!worth_modelling(&raw));
            let Packed::Zstd(packed) = Packed::smallest(&raw, None, false) else {
                panic!("not zstd")
            };
            assert!(packed.len() < raw.len() / 100 && unzstd(&packed, raw.len()).unwrap() == raw);
            // A short one costs the model no time worth sparing.
            assert!(worth_modelling(&raw[..4096]));
        }
    }

    #[test]
    fn logs_repeat_and_prose_does_not() {
        let log: String = (0..2000u64)
            .map(|i| {
                format!(
                    "2026-01-{:02} host app[{}]: request {} done\n",
                    i % 28 + 1,
                    i * i % 97,
                    i * 7919 % 100_000
                )
            })
            .collect();
        assert!(is_repetitive(log.as_bytes()));
        assert!(!is_repetitive(&lmz_testkit::alice()));
    }

    #[test]
    fn zstd_wins_where_it_is_smaller() {
        let zeros = vec![0u8; 100_000];
        let Packed::Zstd(packed) = Packed::smallest(&zeros, None, false) else {
            panic!("not zstd")
        };
        assert_eq!(unzstd(&packed, zeros.len()).unwrap(), zeros);
        assert!(unzstd(&packed, 99_999).is_err());
        assert!(unzstd(b"nonsense", 5).is_err());
    }

    #[test]
    fn short_repeats_between_noise_do_not_make_a_frame_larger() {
        // Streams with a few words between them, as in a PDF.
        let noise = lmz_testkit::noise(120_000, 9);
        let mut raw = Vec::new();
        for (i, stream) in noise.chunks(1000).enumerate() {
            raw.extend_from_slice(format!("{i} 0 obj<</Length 1000>>stream ").as_bytes());
            raw.extend_from_slice(stream);
        }
        let coded = Coded {
            bytes: raw.clone(),
            ideal: lmz_coder::Cost::default(),
        };
        let Packed::Zstd(packed) = Packed::smallest(&raw, Some(coded), true) else {
            panic!("not zstd")
        };
        assert_eq!(unzstd(&packed, raw.len()).unwrap(), raw);
        assert!(packed.len() < zstd_of(&raw, LEVEL).len());
    }
}
