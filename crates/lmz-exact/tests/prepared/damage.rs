//! Bytes that are cut, changed or random.

use lmz_exact::{Engine, Kernel};
use lmz_model::ErrorKind;
use lmz_testkit::Random;
use lmz_testkit::models::{NARROW, ODD};

use crate::parts::{Parts, open};
use lmz_testkit::engine::{logits, prepared, tokens};

#[test]
fn what_was_taken_apart_and_put_together_is_the_same() {
    let prepared = prepared(ODD, 1);
    let (again, engine) = open(Parts::new(&prepared).bytes()).unwrap();
    assert_eq!(again.identity(), prepared.identity());
    assert_eq!(engine.identity(), prepared.identity());
}

#[test]
fn every_truncation_is_an_error() {
    let bytes = prepared(ODD, 1).as_bytes().to_vec();
    let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let cuts = (0..header.min(200))
        .chain((200..bytes.len()).step_by(61))
        .chain([header - 1, header, bytes.len() - 1]);
    for cut in cuts {
        let error = open(bytes[..cut].to_vec())
            .map(|_| ())
            .expect_err("a truncated model was accepted");
        assert!(
            matches!(
                error.kind(),
                ErrorKind::InvalidArgument | ErrorKind::Corruption
            ),
            "{cut}: {error}"
        );
    }
    let longer = [&bytes[..], &[0]].concat();
    assert!(open(longer).is_err(), "a byte too many was accepted");
}

#[test]
fn flipped_bits_of_the_header_never_panic() {
    let original = prepared(NARROW, 1);
    let bytes = original.as_bytes();
    let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let engine = Engine::new(&original, Kernel::detect()).unwrap();
    let expected = logits(&engine, &tokens(&engine, 9, 1));
    let mut random = Random(3);
    let (mut errors, mut harmless) = (0, 0);
    for at in 0..header {
        for bit in [random.index(8), random.index(8)] {
            let mut damaged = bytes.to_vec();
            damaged[at] ^= 1 << bit;
            match open(damaged) {
                Err(_) => errors += 1,
                Ok((prepared, engine)) => {
                    // Name and checkpoint are no part of the identity, all else is.
                    let same = prepared.identity() == original.identity();
                    if prepared.name != original.name || prepared.checkpoint != original.checkpoint
                    {
                        assert!(same, "byte {at}, bit {bit}");
                    }
                    if same {
                        assert_eq!(
                            prepared.blueprint, original.blueprint,
                            "byte {at}, bit {bit}"
                        );
                        assert_eq!(prepared.residual_frac_bits, original.residual_frac_bits);
                        assert_eq!(prepared.eps_fixed, original.eps_fixed);
                        let tokens = tokens(&engine, 9, 1);
                        assert!(logits(&engine, &tokens) == expected, "byte {at}, bit {bit}");
                    }
                    harmless += 1;
                }
            }
        }
    }
    assert!(
        errors > 20 * harmless,
        "{errors} errors and {harmless} accepted"
    );
}

#[test]
fn random_bytes_are_an_error() {
    let mut random = Random(9);
    for _ in 0..500 {
        let n = random.index(400);
        let mut bytes: Vec<u8> = (0..n).map(|_| random.next() as u8).collect();
        if n > 8 && random.index(2) == 0 {
            bytes[..8].copy_from_slice(&(n as u64 - 8).to_le_bytes());
            bytes[8] = b'{';
        }
        assert!(open(bytes).is_err());
    }
    for length in [0, 1, u64::MAX, u64::MAX - 8, 1 << 40] {
        assert!(open(length.to_le_bytes().to_vec()).is_err());
    }
}
