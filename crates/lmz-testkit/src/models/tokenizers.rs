//! Small `tokenizer.json` files of the two kinds that lmz reads.

use serde_json::{Value, json};

/// Byte-level, of few letters: most bytes need the escape.
pub fn few_letters() -> Value {
    let words = "a b c d e f g h i l m n o p r s t u w y Ġ Ċ , . th in er Ġa Ġth Ġthe";
    let mut vocab = serde_json::Map::new();
    for (id, word) in words.split(' ').enumerate() {
        vocab.insert(word.into(), id.into());
    }
    vocab.insert("<|bos|>".into(), 30.into());
    vocab.insert("<|pad|>".into(), 31.into());
    vocab.insert("an".into(), 32.into());
    json!({
        "added_tokens": [
            { "id": 30, "content": "<|bos|>", "special": true },
            { "id": 31, "content": "<|pad|>", "special": true },
        ],
        "pre_tokenizer": { "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true },
        "decoder": { "type": "ByteLevel" },
        "model": {
            "type": "BPE",
            "vocab": vocab,
            "merges": ["t h", "i n", "e r", "Ġ a", "Ġ th", "Ġth e", "a n"],
        },
    })
}

/// GPT-2's character for a byte.
pub fn byte_char(byte: u8) -> char {
    let printable = |b: &u8| matches!(b, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff);
    if printable(&byte) {
        return char::from(byte);
    }
    let moved = (0..byte).filter(|b| !printable(b)).count() as u32;
    char::from_u32(0x100 + moved).expect("a letter")
}

/// All bytes, a special token (256), a few merges and nothing beyond id 261.
pub fn byte_level() -> Value {
    let mut vocab = serde_json::Map::new();
    for byte in 0..=255u8 {
        vocab.insert(byte_char(byte).to_string(), byte.into());
    }
    vocab.insert("<|bos|>".into(), 256.into());
    for (i, text) in ["th", "the", "Ġthe", "ĊĊ", "aa"].into_iter().enumerate() {
        vocab.insert(text.into(), (257 + i).into());
    }
    json!({
        "added_tokens": [{ "id": 256, "content": "<|bos|>", "special": true }],
        "normalizer": { "type": "NFC" },
        "pre_tokenizer": { "type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true },
        "decoder": { "type": "ByteLevel" },
        "model": {
            "type": "BPE",
            "vocab": vocab,
            "merges": ["t h", "th e", "Ġ the", "Ċ Ċ", "a a"],
        },
    })
}

/// SentencePiece style with all byte tokens, `<unk>`, a few characters and merges; 320 ids.
pub fn sentencepiece() -> Value {
    let mut vocab = serde_json::Map::new();
    for (id, text) in ["<unk>", "<s>", "</s>"].into_iter().enumerate() {
        vocab.insert(text.into(), id.into());
    }
    for byte in 0..=255u32 {
        vocab.insert(format!("<0x{byte:02X}>"), (3 + byte).into());
    }
    let words = [
        "▁", "t", "h", "e", "a", "é", "中", "th", "the", "▁the", "▁▁", "▁a",
    ];
    for (i, text) in words.into_iter().enumerate() {
        vocab.insert(text.into(), (259 + i).into());
    }
    json!({
        "added_tokens": [
            { "id": 0, "content": "<unk>", "special": true },
            { "id": 1, "content": "<s>", "special": true },
            { "id": 2, "content": "</s>", "special": true },
        ],
        "normalizer": { "type": "Sequence", "normalizers": [
            { "type": "Prepend", "prepend": "▁" },
            { "type": "Replace", "pattern": { "String": " " }, "content": "▁" },
        ]},
        "model": {
            "type": "BPE",
            "unk_token": "<unk>",
            "fuse_unk": true,
            "byte_fallback": true,
            "vocab": vocab,
            "merges": [["t", "h"], ["th", "e"], ["▁", "the"], ["▁", "▁"], ["▁", "a"]],
        },
    })
}
