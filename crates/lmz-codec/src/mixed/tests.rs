//! A text that is known is read ahead, and decodes as any other; to what it is not known for it does not decode.

use std::path::Path;

use lmz_mix::Version;
use lmz_model::Symbol;

use super::alone::shown;
use super::decode::{CodedGroup, decode_groups};
use super::encode::encode_groups;
use crate::drive::{Decoded, Drive};
use crate::model::Model;
use crate::observer::Phase;
use crate::options::CompressOptions;
use crate::pool::Pool;
use crate::prime::Prime;

fn model() -> Model {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    Model::open(&root.join("tests/models/stories260K.lmzm")).unwrap()
}

fn text(len: usize) -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut text = std::fs::read(root.join("corpora/alice29.txt")).unwrap();
    text.truncate(len);
    text
}

/// Codes a group, and decodes it with what `known` makes of its symbols.
fn again(
    raw: &[u8],
    lanes: usize,
    threads: usize,
    prime: Option<Prime>,
    known: impl Fn(&mut Vec<Symbol>),
) -> Decoded {
    let model = model();
    let options = CompressOptions {
        context: Some(64),
        overlap: Some(16),
        prime,
        ..CompressOptions::default()
    };
    let policy = options.context_policy(&model, raw.len()).unwrap();
    let shown = shown(options.prime.as_ref(), &model, policy).unwrap();
    let drive = Drive::new(&model, policy, &shown, Version::NEWEST, &());
    let pool = Pool::new(threads).unwrap();
    let coded = pool.install(|| encode_groups(&drive, &[raw], Some(lanes)));
    let (coded, mut symbols) = coded.unwrap().remove(0);
    known(&mut symbols);
    let group = CodedGroup {
        coded: &coded.bytes,
        raw_len: raw.len(),
        known: &symbols,
    };
    let decoded = pool.install(|| decode_groups(&drive, &[group], Phase::Verify));
    decoded.unwrap().remove(0)
}

#[test]
fn what_is_known_decodes_as_it_does_unknown() {
    let raw = text(3000);
    for (lanes, threads) in [(1, 1), (1, 3), (5, 1), (5, 2), (16, 3)] {
        let case = format!("{lanes} lanes, {threads} threads");
        assert_eq!(
            again(&raw, lanes, threads, None, |_| ()).unwrap(),
            raw,
            "{case}"
        );
        // A number of symbols that is not the text's says nothing.
        let decoded = again(&raw, lanes, threads, None, |known| known.truncate(700));
        assert_eq!(decoded.unwrap(), raw, "{case}");
    }
    // Of a text that is not known altogether, and with other parts beside it.
    let mut parts = raw[..900].to_vec();
    parts.extend((0..1500u32).flat_map(|i| (i * i).to_le_bytes()));
    parts.extend(&raw[900..]);
    assert_eq!(again(&parts, 3, 2, None, |_| ()).unwrap(), parts);
    let prime = Prime::new("prime.txt", &raw[..400]).unwrap();
    assert_eq!(again(&raw, 3, 2, Some(prime), |_| ()).unwrap(), raw);
}

#[test]
fn what_is_known_wrongly_is_refused() {
    let raw = text(1500);
    for lanes in [1, 4] {
        for at in [0, 1, 15, 16, 17, 64, 70, 300, 500] {
            let decoded = again(&raw, lanes, 1, None, |known| {
                known[at] = match known[at] {
                    Symbol::Token(300) => Symbol::Token(301),
                    _ => Symbol::Token(300),
                };
            });
            let why = decoded.unwrap_err();
            assert!(why.contains("other symbols"), "{lanes} lanes, {at}: {why}");
        }
    }
}
