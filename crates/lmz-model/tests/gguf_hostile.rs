//! GGUF files that are damaged, contradict themselves or are not supported: a message that names
//! the file, what is wrong and what to do, and never a panic.

use std::fs;

use lmz_model::{Checkpoint, ErrorKind, ExactTokenizer, Weights};
use lmz_testkit::gguf::{File, Meta};
use lmz_testkit::models::byte_char;
use proptest::prelude::*;

const NAME: &str = "model.gguf";

fn refused(bytes: Vec<u8>) -> (ErrorKind, String) {
    let error = Checkpoint::from_gguf(NAME, bytes).unwrap_err();
    (error.kind(), error.to_string())
}

/// Changes a sound file; the error must be of a kind, and hold all of some words.
fn wrong(change: impl FnOnce(&mut File), kind: ErrorKind, words: &[&str]) {
    let mut file = File::llama();
    change(&mut file);
    let (found, message) = refused(file.bytes());
    assert_eq!(found, kind, "{message}");
    for word in words.iter().chain(&[NAME]) {
        assert!(message.contains(word), "{word:?} is not in: {message}");
    }
}

fn use_all(checkpoint: &Checkpoint) {
    for part in checkpoint.blueprint.parts() {
        let _ = checkpoint.load(part);
    }
    checkpoint.content_hash().unwrap();
    let tokenizer = ExactTokenizer::new(&checkpoint.tokenizer_json, &checkpoint.vocabulary);
    if let Ok(tokenizer) = tokenizer {
        let text = b"that \xff thing";
        assert_eq!(tokenizer.decode(&tokenizer.encode(text)), text);
    }
}

#[test]
fn the_sound_file_is_sound() {
    for version in [2, 3] {
        let mut file = File::llama();
        file.version = version;
        let checkpoint = Checkpoint::from_gguf(NAME, file.bytes()).unwrap();
        assert_eq!(checkpoint.name, "By hand");
        assert_eq!(checkpoint.blueprint.start_token, 257);
        assert_eq!(checkpoint.vocabulary.get(256), Some(&b"th"[..]));
        for part in checkpoint.blueprint.parts() {
            checkpoint.load(part).unwrap();
        }
        use_all(&checkpoint);
    }
}

#[test]
fn not_a_file_of_a_known_version() {
    let bytes = File::llama().bytes();
    let (kind, message) = refused(b"PK\x03\x04 a zip".to_vec());
    assert_eq!(kind, ErrorKind::Corruption);
    assert!(message.contains("some other file"), "{message}");
    assert_eq!(refused(Vec::new()).0, ErrorKind::Corruption);
    let compatibility = ErrorKind::Compatibility;
    wrong(|f| f.version = 1, compatibility, &["version 1", "convert"]);
    wrong(|f| f.version = 4, compatibility, &["version 4"]);
    wrong(
        |f| f.version = 3u32.swap_bytes(),
        compatibility,
        &["big-endian"],
    );
    assert!(Checkpoint::from_gguf(NAME, bytes).is_ok());
}

#[test]
fn truncated_anywhere() {
    let bytes = File::llama().bytes();
    // The last tensor's padding is not missed.
    for length in (0..bytes.len() - 32).step_by(7) {
        let (kind, message) = refused(bytes[..length].to_vec());
        assert_eq!(kind, ErrorKind::Corruption, "{length}: {message}");
        assert!(message.contains(NAME), "{message}");
        assert!(
            length < 8 || message.contains("download it again"),
            "{length}: {message}"
        );
    }
}

#[test]
fn absurd_counts() {
    let bytes = File::llama().bytes();
    let corruption = ErrorKind::Corruption;
    // Tensors, keys, the length of the first key.
    for (at, word) in [(8, "tensors"), (16, "keys"), (24, "a key")] {
        for count in [u64::MAX, 1 << 40, 1 << 62] {
            let mut bytes = bytes.clone();
            bytes[at..at + 8].copy_from_slice(&count.to_le_bytes());
            let (kind, message) = refused(bytes);
            assert_eq!(kind, corruption);
            assert!(message.contains(word), "{message}");
        }
    }
    // The number of tokens, and the length of the first one.
    let key = b"tokenizer.ggml.tokens";
    let at = bytes.windows(key.len()).position(|w| w == key).unwrap() + key.len() + 8;
    for at in [at, at + 8] {
        let mut bytes = bytes.clone();
        bytes[at..at + 8].copy_from_slice(&(u64::MAX / 2).to_le_bytes());
        let (kind, message) = refused(bytes);
        assert_eq!(kind, corruption);
        assert!(message.contains("tokenizer.ggml.tokens"), "{message}");
    }
    let layers = |n| move |f: &mut File| f.set("llama.block_count", Meta::U32(n));
    wrong_any(layers(u32::MAX));
    wrong_any(layers(1000));
    wrong_any(|f| f.set("llama.embedding_length", Meta::U32(u32::MAX)));
    wrong_any(|f| f.set("llama.attention.head_count", Meta::U32(0)));
    wrong_any(|f| f.set("llama.attention.key_length", Meta::U32(0)));
    wrong_any(|f| f.set("llama.context_length", Meta::U32(0)));
}

fn wrong_any(change: impl FnOnce(&mut File)) {
    let mut file = File::llama();
    change(&mut file);
    refused(file.bytes());
}

#[test]
fn tensors_that_cannot_be() {
    const Q: &str = "blk.0.attn_q.weight";
    let corruption = ErrorKind::Corruption;
    let dimensions = |d: Vec<u64>| move |f: &mut File| f.tensor(Q).dimensions = d;
    wrong(dimensions(vec![8, 1 << 50]), corruption, &[Q, "truncated"]);
    wrong(
        dimensions(vec![1 << 40, 1 << 40]),
        corruption,
        &[Q, "dimensions"],
    );
    wrong(dimensions(vec![0, 8]), corruption, &[Q]);
    wrong(dimensions(vec![]), corruption, &[Q, "0 dimensions"]);
    wrong(dimensions(vec![2; 5]), corruption, &[Q, "5 dimensions"]);
    wrong(
        dimensions(vec![4, 16]),
        corruption,
        &[Q, "shape [16, 4], expected [8, 8]"],
    );
    let offset = |offset| move |f: &mut File| f.tensor(Q).offset = Some(offset);
    wrong(offset(1 << 40), corruption, &[Q, "beyond"]);
    wrong(offset(u64::MAX - 31), corruption, &[Q, "beyond"]);
    wrong(offset(0), corruption, &[Q, "token_embd.weight", "overlap"]);
    wrong(offset(33), corruption, &[Q, "alignment"]);
    let twice = |f: &mut File| f.tensors[1].name = Q.into();
    wrong(twice, corruption, &[Q, "twice"]);
    let kind = |kind| move |f: &mut File| f.tensor(Q).kind = kind;
    wrong(kind(16), ErrorKind::Compatibility, &[Q, "IQ2_XXS", "Q4_K"]);
    wrong(kind(7777), ErrorKind::Compatibility, &[Q, "number 7777"]);
    // Rows of 8 are no whole blocks of 32.
    wrong(kind(8), corruption, &[Q, "Q8_0"]);
    let missing = |f: &mut File| f.tensors.retain(|t| t.name != Q);
    wrong(missing, ErrorKind::InsufficientData, &[Q, "missing"]);
    let alignment = |n| move |f: &mut File| f.set("general.alignment", Meta::U32(n));
    for n in [0, 3, 1 << 30] {
        wrong(alignment(n), corruption, &["general.alignment"]);
    }
    let mut file = File::llama();
    file.tensor(Q).bytes[4 * 5..4 * 6].copy_from_slice(&f32::NAN.to_le_bytes());
    let checkpoint = Checkpoint::from_gguf(NAME, file.bytes()).unwrap();
    let query = lmz_model::Part::Layer(0, lmz_model::LayerPart::Query);
    let message = checkpoint.load(query).unwrap_err().to_string();
    assert!(
        message.contains(Q) && message.contains("element 5"),
        "{message}"
    );
}

#[test]
fn models_that_are_not_supported() {
    let compatibility = ErrorKind::Compatibility;
    let text = |key: &'static str, value: &'static str| {
        move |f: &mut File| f.set(key, Meta::Text(value.into()))
    };
    wrong(
        text("general.architecture", "mamba"),
        compatibility,
        &["\"mamba\"", "llama, qwen2"],
    );
    wrong(text("general.type", "adapter"), compatibility, &["adapter"]);
    wrong(
        text("llama.rope.scaling.type", "yarn"),
        compatibility,
        &["yarn"],
    );
    let number = |key: &'static str, x| move |f: &mut File| f.set(key, Meta::F32(x));
    wrong(
        number("llama.logit_scale", 0.5),
        compatibility,
        &["llama.logit_scale"],
    );
    wrong(
        number("llama.attention.clamp_kqv", 8.0),
        compatibility,
        &["clamp_kqv"],
    );
    let flag = |f: &mut File| f.set("llama.attention.causal", Meta::Bool(false));
    wrong(flag, compatibility, &["causal"]);
    let layers = |f: &mut File| f.set("llama.attention.head_count_kv", Meta::I32s(vec![2, 1]));
    wrong(layers, compatibility, &["head_count_kv"]);
    let insufficient = ErrorKind::InsufficientData;
    for key in [
        "general.architecture",
        "llama.block_count",
        "llama.context_length",
        "llama.embedding_length",
        "llama.attention.head_count",
    ] {
        wrong(|f| f.remove(key), insufficient, &[key]);
    }
    // What means nothing is told.
    let mut file = File::llama();
    file.set("llama.logit_scale", Meta::F32(1.0));
    file.set("llama.new_thing", Meta::U32(7));
    let checkpoint = Checkpoint::from_gguf(NAME, file.bytes()).unwrap();
    assert_eq!(checkpoint.ignored_fields, ["llama.new_thing"]);
}

#[test]
fn tokenizers_that_cannot_be() {
    let compatibility = ErrorKind::Compatibility;
    let without = |key: &'static str| move |f: &mut File| f.remove(key);
    let text = |key: &'static str, value: &'static str| {
        move |f: &mut File| f.set(key, Meta::Text(value.into()))
    };
    wrong(
        without("tokenizer.ggml.merges"),
        compatibility,
        &["no merges", "convert"],
    );
    wrong(
        without("tokenizer.ggml.pre"),
        compatibility,
        &["tokenizer.ggml.pre", "convert"],
    );
    wrong(
        without("tokenizer.ggml.model"),
        compatibility,
        &["no tokenizer"],
    );
    wrong(
        text("tokenizer.ggml.pre", "default"),
        compatibility,
        &["\"default\"", "gpt-2"],
    );
    wrong(
        text("tokenizer.ggml.model", "bert"),
        compatibility,
        &["\"bert\""],
    );
    wrong(
        text("tokenizer.ggml.model", "llama"),
        compatibility,
        &["no scores"],
    );
    let corruption = ErrorKind::Corruption;
    let texts = |f: &mut File| {
        f.set("tokenizer.ggml.merges", Meta::Texts(vec!["th".into()]));
    };
    wrong(texts, corruption, &["tokenizer.ggml.merges", "\"th\""]);
    let types = |f: &mut File| f.set("tokenizer.ggml.token_type", Meta::I32s(vec![1; 3]));
    wrong(types, corruption, &["token_type", "259"]);
    let twice = |f: &mut File| {
        let mut tokens: Vec<String> = (0..=255).map(|b| byte_char(b).to_string()).collect();
        tokens.extend(["a".into(), "b".into(), "c".into()]);
        f.set("tokenizer.ggml.tokens", Meta::Texts(tokens));
    };
    wrong(twice, corruption, &["\"a\" twice"]);
    let merges = |f: &mut File| {
        f.set("tokenizer.ggml.merges", Meta::Texts(vec!["t h".into(); 2]));
    };
    wrong(merges, corruption, &["appears twice"]);
    let more = |f: &mut File| f.tensor("token_embd.weight").dimensions = vec![8, 100];
    wrong(more, corruption, &["start_token", "vocab_size"]);
    let more = |f: &mut File| {
        f.remove("tokenizer.ggml.bos_token_id");
        f.tensor("token_embd.weight").dimensions = vec![8, 100];
    };
    wrong(more, corruption, &["token id", "vocab_size"]);
    let scores = |f: &mut File| {
        f.set("tokenizer.ggml.model", Meta::Text("llama".into()));
        f.set("tokenizer.ggml.scores", Meta::F32s(vec![0.0; 259]));
    };
    wrong(scores, compatibility, &["single bytes"]);
}

#[test]
fn models_in_parts() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let whole = Checkpoint::from_gguf(NAME, File::llama().bytes()).unwrap();
    File::llama().write_parts(directory.path(), "m", 3);
    let hash = whole.content_hash().unwrap();
    for part in 1..=3 {
        let found = Checkpoint::open(path(&format!("m-{part:05}-of-00003.gguf"))).unwrap();
        assert_eq!(found.content_hash().unwrap(), hash);
        assert_eq!(found.name, whole.name);
    }
    let message = |name: &str| {
        let error = Checkpoint::open(path(name)).unwrap_err();
        (error.kind(), error.to_string())
    };
    // Under a name that does not tell where the others are.
    fs::copy(path("m-00002-of-00003.gguf"), path("other.gguf")).unwrap();
    let (kind, text) = message("other.gguf");
    assert_eq!(kind, ErrorKind::Corruption);
    assert!(
        text.contains("part 2") && text.contains("-00002-of-00003.gguf"),
        "{text}"
    );
    // A part twice.
    fs::copy(path("m-00002-of-00003.gguf"), path("m-00003-of-00003.gguf")).unwrap();
    let (kind, text) = message("m-00001-of-00003.gguf");
    assert_eq!(kind, ErrorKind::Corruption);
    assert!(
        text.contains("m-00003-of-00003.gguf") && text.contains("part 3"),
        "{text}"
    );
    // A part of another model.
    let mut fewer = File::llama();
    fewer.tensors.truncate(8);
    fewer.write_parts(directory.path(), "f", 3);
    fs::copy(path("f-00003-of-00003.gguf"), path("m-00003-of-00003.gguf")).unwrap();
    let (kind, text) = message("m-00001-of-00003.gguf");
    assert_eq!(kind, ErrorKind::Corruption);
    assert!(text.contains("11 tensors"), "{text}");
    fs::remove_file(path("m-00003-of-00003.gguf")).unwrap();
    let (kind, text) = message("m-00001-of-00003.gguf");
    assert_eq!(kind, ErrorKind::InsufficientData);
    assert!(
        text.contains("m-00003-of-00003.gguf") && text.contains("3 of 3"),
        "{text}"
    );
    let bytes = fs::read(path("m-00001-of-00003.gguf")).unwrap();
    assert!(refused(bytes).1.contains("by its path"));
}

/// A fixture with SentencePiece and one with a fused tensor, too.
fn sound_files() -> Vec<Vec<u8>> {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/gguf");
    let read = |name: &str| fs::read(format!("{fixtures}/{name}")).unwrap();
    vec![
        File::llama().bytes(),
        read("pieces.gguf"),
        read("families/falcon40b.gguf"),
        read("families/mixtral.gguf"),
        read("families/llama3.gguf"),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever the bytes, an error that names the file or a model that can be used.
    #[test]
    fn damage_never_panics(
        file in 0usize..5,
        places in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        early in any::<bool>(),
    ) {
        let mut bytes = sound_files().swap_remove(file);
        // The header is where damage does harm.
        let end = if early { 2000 } else { bytes.len() };
        for (at, byte) in places {
            let at = at.index(end);
            bytes[at] = byte;
        }
        let message = match Checkpoint::from_gguf(NAME, bytes) {
            Ok(checkpoint) => {
                use_all(&checkpoint);
                NAME.to_owned()
            }
            Err(error) => error.to_string(),
        };
        prop_assert!(message.contains(NAME), "{}", message);
    }
}
