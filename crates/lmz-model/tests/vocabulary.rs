//! What a `tokenizer.json` says of tokens and their bytes, and which files are refused.

use lmz_model::{ErrorKind, ExactTokenizer, Symbol, Vocabulary};
use lmz_testkit::models::byte_level;
use serde_json::{Value, json};

#[test]
fn added_tokens_stay_if_merging_makes_them() {
    let mut tokenizer = byte_level();
    tokenizer["added_tokens"] = json!([
        { "id": 256, "content": "<|bos|>", "special": true },
        { "id": 260, "content": "ĊĊ", "special": false },
        { "id": 97, "content": "a", "special": false },
        { "id": 290, "content": "zzz", "special": false },
    ]);
    let json = tokenizer.to_string();
    let vocabulary = Vocabulary::from_tokenizer_json(json.as_bytes(), 300).unwrap();
    assert_eq!(vocabulary.get(260), Some(&b"\n\n"[..]));
    assert_eq!(vocabulary.get(97), Some(&b"a"[..]));
    assert_eq!(vocabulary.get(290), None);
    assert_eq!(vocabulary.get(256), None);
}

#[test]
fn other_tokenizers_are_refused_by_name() {
    let refused = |change: &dyn Fn(&mut Value)| {
        let mut tokenizer = byte_level();
        change(&mut tokenizer);
        let error = Vocabulary::from_tokenizer_json(tokenizer.to_string().as_bytes(), 300);
        let error = error.unwrap_err();
        (error.kind(), error.to_string())
    };
    let unigram = json!({ "type": "Unigram", "unk_id": 0, "vocab": [["a", -1.0]] });
    let word_piece = json!({ "type": "WordPiece", "vocab": { "a": 0 } });
    type Change<'a> = &'a dyn Fn(&mut Value);
    let cases: [(Change<'_>, ErrorKind, &str); 10] = [
        (
            &|t| t["model"] = unigram.clone(),
            ErrorKind::Compatibility,
            "Unigram",
        ),
        (
            &|t| t["model"] = word_piece.clone(),
            ErrorKind::Compatibility,
            "WordPiece",
        ),
        (
            &|t| t["model"] = json!({ "vocab": {} }),
            ErrorKind::Compatibility,
            "type",
        ),
        (
            &|t| t["pre_tokenizer"] = json!({ "type": "BertPreTokenizer" }),
            ErrorKind::Compatibility,
            "BertPreTokenizer",
        ),
        (
            &|t| {
                t["pre_tokenizer"] = Value::Null;
                t["decoder"] = Value::Null;
            },
            ErrorKind::Compatibility,
            "byte_fallback",
        ),
        (
            &|t| t["model"]["end_of_word_suffix"] = json!("</w>"),
            ErrorKind::Compatibility,
            "end_of_word_suffix",
        ),
        (
            &|t| t["model"]["vocab"]["b"] = json!(97),
            ErrorKind::Corruption,
            "97",
        ),
        (
            &|t| t["model"]["vocab"]["th"] = json!(300),
            ErrorKind::Corruption,
            "300",
        ),
        (
            &|t| t["model"]["merges"] = json!(["a b c"]),
            ErrorKind::Corruption,
            "a b c",
        ),
        (
            &|t| t["model"]["merges"] = json!(["a a", "a a"]),
            ErrorKind::Corruption,
            "twice",
        ),
    ];
    for (change, kind, word) in cases {
        let (found, message) = refused(change);
        assert_eq!(found, kind, "{message}");
        assert!(
            message.contains(word) && message.contains("tokenizer.json"),
            "{message}"
        );
    }
    let bad_regex = {
        let mut tokenizer = byte_level();
        tokenizer["pre_tokenizer"] =
            json!({ "type": "Split", "pattern": { "Regex": "(" }, "behavior": "Isolated" });
        tokenizer.to_string()
    };
    let vocabulary = Vocabulary::from_tokenizer_json(bad_regex.as_bytes(), 300).unwrap();
    let error = ExactTokenizer::new(bad_regex.as_bytes(), &vocabulary).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corruption);
    for garbage in [&b""[..], b"{", b"[]", b"{\"model\":3}", b"\xff"] {
        let error = Vocabulary::from_tokenizer_json(garbage, 10).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corruption, "{error}");
    }
}

#[test]
fn a_vocabulary_of_another_model_stays_exact() {
    // The tokenizer's ids mean other bytes here: everything is spelled from the vocabulary.
    let mut parts: Vec<Option<Vec<u8>>> = (0..=255u8).rev().map(|b| Some(vec![b])).collect();
    parts.push(Some(b"the".to_vec()));
    let vocabulary = Vocabulary::from_parts(parts);
    let json = byte_level().to_string();
    let tokenizer = ExactTokenizer::new(json.as_bytes(), &vocabulary).unwrap();
    let symbols = tokenizer.encode(b"the the\xff");
    let expected = [256, 255 - 32, 256, 0].map(Symbol::Token);
    assert_eq!(symbols, expected);
}
