//! Any bytes, through any tokenizer, come back from the symbols.

use std::sync::OnceLock;

use lmz_exact::Prepared;
use lmz_model::{ExactTokenizer, PIECE_BYTES, Symbol, Vocabulary};

struct Case {
    tokenizer: ExactTokenizer,
    vocabulary: Vocabulary,
}

/// Of the embedded model, of models of the archive and the tests, and one without a model.
fn cases() -> &'static [Case] {
    static CASES: OnceLock<Vec<Case>> = OnceLock::new();
    CASES.get_or_init(|| {
        let prepared: [&'static [u8]; 4] = [
            include_bytes!("../../../models/lmz-5m/lmz-5m.lmzm"),
            include_bytes!("../../../models/archive/bootstrap/bootstrap.lmzm"),
            include_bytes!("../../../tests/models/stories260K.lmzm"),
            include_bytes!("../../../tests/vectors/odd.lmzm"),
        ];
        let prepared = prepared.into_iter().map(|file| {
            let prepared = Prepared::from_bytes(file).expect("a prepared model");
            let vocabulary = prepared.vocabulary().expect("its vocabulary");
            let json = prepared.tokenizer_json().expect("its tokenizer");
            let tokenizer = ExactTokenizer::new(&json, &vocabulary);
            Case {
                tokenizer: tokenizer.expect("its tokenizer"),
                vocabulary,
            }
        });
        let json = include_bytes!("../../../tests/fixtures/text/tokenizer.json");
        let vocabulary = Vocabulary::from_tokenizer_json(json, 1 << 10).expect("a vocabulary");
        let published = Case {
            tokenizer: ExactTokenizer::new(json, &vocabulary).expect("a tokenizer"),
            vocabulary,
        };
        prepared.chain([published]).collect()
    })
}

/// The first byte chooses the tokenizer; from 252 on, what follows is repeated until it is cut into two
/// pieces, if it is short: that takes as long as hundreds of others.
pub fn tokenizer(bytes: &[u8]) {
    let Some((&choice, text)) = bytes.split_first() else {
        return;
    };
    let cases = cases();
    let Case {
        tokenizer,
        vocabulary,
    } = &cases[usize::from(choice) % cases.len()];
    let long: Vec<u8>;
    let text = match choice {
        252.. if (1..16).contains(&text.len()) => {
            let enough = PIECE_BYTES + text.len();
            long = text.iter().copied().cycle().take(enough).collect();
            &long[..]
        }
        _ => text,
    };
    let symbols = tokenizer.encode(text);
    let mut spelled = Vec::with_capacity(text.len());
    for symbol in &symbols {
        match symbol {
            Symbol::Token(id) => {
                let bytes = vocabulary.get(*id).expect("a token that has bytes");
                assert!(!bytes.is_empty());
                spelled.extend_from_slice(bytes);
            }
            Symbol::Escape(byte) => spelled.push(*byte),
        }
    }
    assert!(spelled == text, "the symbols spell something else");
    assert_eq!(tokenizer.decode(&symbols), text);
    assert_eq!(tokenizer.encode(text), symbols, "not the same twice");
}
