//! Model directories: what is read, what is refused and how it is named.

use std::fs;
use std::path::Path;

use lmz_model::{Blueprint, Checkpoint, Dtype, ErrorKind, ModelError, Tensors};
use lmz_testkit::models::{ModelDirectory, Tensor, write_index};
use lmz_testkit::repository;
use serde_json::json;

const DOWN: &str = "model.layers.1.mlp.down_proj.weight";

fn directory() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn open_error(directory: &Path) -> (ErrorKind, String) {
    let error = Checkpoint::open(directory).unwrap_err();
    (error.kind(), error.to_string())
}

#[test]
fn every_type_and_layout_holds_the_same_numbers() {
    for dtype in [Dtype::F32, Dtype::F16, Dtype::Bf16] {
        for tied in [true, false] {
            let tiny = ModelDirectory::eighths_llama(dtype, tied);
            let (single, sharded) = (directory(), directory());
            tiny.write_single(single.path());
            tiny.write_sharded(sharded.path(), 3);
            let single = Checkpoint::open(single.path()).unwrap();
            let sharded = Checkpoint::open(sharded.path()).unwrap();
            assert_eq!(single.blueprint.tied_head, tied);
            for (i, spec) in single.blueprint.tensors().iter().enumerate() {
                let expected: Vec<f32> = ModelDirectory::eighths(i)
                    .take(spec.shape.iter().product())
                    .collect();
                assert_eq!(
                    single
                        .tensors()
                        .unwrap()
                        .f32(&spec.name, &spec.shape)
                        .unwrap(),
                    expected
                );
                assert_eq!(
                    sharded
                        .tensors()
                        .unwrap()
                        .f32(&spec.name, &spec.shape)
                        .unwrap(),
                    expected
                );
            }
            let hash = single.content_hash().unwrap();
            assert_eq!(hash, sharded.content_hash().unwrap());
        }
    }
}

#[test]
fn rows_are_parts_of_the_whole() {
    let tiny = ModelDirectory::eighths_llama(Dtype::Bf16, false);
    let dir = directory();
    tiny.write_single(dir.path());
    let tensors = Tensors::open(dir.path()).unwrap();
    let whole = tensors.f32(DOWN, &[8, 12]).unwrap();
    for (start, end) in [(0, 8), (0, 0), (3, 5), (7, 8), (8, 8)] {
        let rows = tensors.rows_f32(DOWN, [8, 12], start..end).unwrap();
        assert_eq!(rows, whole[start * 12..end * 12]);
    }
    for (start, end) in [(0, 9), (9, 9), (usize::MAX, 1)] {
        let error = tensors.rows_f32(DOWN, [8, 12], start..end).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    }
}

#[test]
fn the_hash_covers_what_matters() {
    let hash = |change: &dyn Fn(&mut ModelDirectory)| {
        let mut tiny = ModelDirectory::eighths_llama(Dtype::F32, false);
        change(&mut tiny);
        let dir = directory();
        tiny.write_single(dir.path());
        Checkpoint::open(dir.path())
            .unwrap()
            .content_hash()
            .unwrap()
    };
    let plain = hash(&|_| {});
    assert_eq!(plain, hash(&|_| {}));
    // No part of the model.
    assert_eq!(plain, hash(&|t| t.config["torch_dtype"] = json!("float32")));
    assert_eq!(plain, hash(&|t| t.config["head_dim"] = json!(2)));
    assert_eq!(
        plain,
        hash(&|t| t.tokenizer["truncation"] = json!({ "max_length": 3 }))
    );
    let extra = Tensor::new(Dtype::F32, &[2], ModelDirectory::eighths(0));
    assert_eq!(
        plain,
        hash(&|t| drop(t.tensors.insert("extra".into(), extra.clone())))
    );
    // Parts of it.
    let others = [
        hash(&|t| t.config["rope_theta"] = json!(10001.0)),
        hash(&|t| t.config["bos_token_id"] = json!(1)),
        hash(&|t| t.tensors.get_mut(DOWN).unwrap().bytes[0] ^= 1),
        hash(&|t| {
            t.tokenizer["added_tokens"] = json!([{ "id": 4, "content": "Ą", "special": true }])
        }),
        hash(&|t| *t = ModelDirectory::eighths_llama(Dtype::F16, false)),
    ];
    for (i, other) in others.iter().enumerate() {
        assert_ne!(*other, plain);
        assert!(!others[..i].contains(other));
    }
}

/// The documented bytes, put together by hand.
#[test]
fn the_hash_is_what_its_description_says() {
    let dir = directory();
    ModelDirectory::eighths_llama(Dtype::F16, true).write_single(dir.path());
    let checkpoint = Checkpoint::open(dir.path()).unwrap();
    let mut bytes = Vec::new();
    let number = |bytes: &mut Vec<u8>, n: usize| bytes.extend((n as u64).to_le_bytes());
    let string = |bytes: &mut Vec<u8>, s: &[u8]| {
        number(bytes, s.len());
        bytes.extend(s);
    };
    string(&mut bytes, b"lmz checkpoint v1");
    let blueprint = concat!(
        r#"{"hidden_size":8,"intermediate_size":12,"layers":2,"heads":4,"kv_heads":2,"#,
        r#""head_dim":2,"vocab_size":300,"max_positions":64,"#,
        r#""norm":{"kind":"rms_norm","eps":0.00001},"#,
        r#""position":{"kind":"rope","theta":10000.0,"scaling":{"kind":"none"}},"#,
        r#""activation":"silu","tied_head":true,"start_token":256}"#,
    );
    let json = checkpoint.blueprint.canonical_json();
    assert_eq!(json.replace("1e-5", "0.00001"), blueprint);
    string(&mut bytes, json.as_bytes());
    number(&mut bytes, 20);
    for spec in checkpoint.blueprint.tensors() {
        string(&mut bytes, spec.name.as_bytes());
        string(&mut bytes, b"F16");
        number(&mut bytes, spec.shape.len());
        spec.shape.iter().for_each(|d| number(&mut bytes, *d));
        string(
            &mut bytes,
            checkpoint
                .tensors()
                .unwrap()
                .get(&spec.name, &spec.shape)
                .unwrap()
                .bytes,
        );
    }
    number(&mut bytes, 300);
    for (_, token) in checkpoint.vocabulary.iter() {
        bytes.push(u8::from(token.is_some()));
        string(&mut bytes, token.unwrap_or_default());
    }
    assert_eq!(
        checkpoint.content_hash().unwrap(),
        *blake3::hash(&bytes).as_bytes()
    );
}

#[test]
fn tensors_at_fault_are_named() {
    let shape = [8, 12];
    let with_nan = |dtype| {
        let values = ModelDirectory::eighths(0).enumerate();
        Tensor::new(
            dtype,
            &shape,
            values.map(|(i, v)| if i == 77 { f32::NAN } else { v }),
        )
    };
    for sharded in [false, true] {
        let open = |change: &dyn Fn(&mut ModelDirectory)| {
            let mut tiny = ModelDirectory::eighths_llama(Dtype::F32, false);
            change(&mut tiny);
            let dir = directory();
            if sharded {
                tiny.write_sharded(dir.path(), 2);
            } else {
                tiny.write_single(dir.path());
            }
            (Checkpoint::open(dir.path()), dir)
        };
        let error = open(&|t| drop(t.tensors.remove(DOWN))).0.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InsufficientData);
        assert!(error.to_string().contains(DOWN), "{error}");
        assert!(error.to_string().contains("model.safetensors"), "{error}");

        let turned = Tensor::new(Dtype::F32, &[12, 8], ModelDirectory::eighths(0));
        let error = open(&|t| drop(t.tensors.insert(DOWN.into(), turned.clone())))
            .0
            .unwrap_err();
        assert!(
            matches!(&error, ModelError::Shape { tensor, expected, found, .. }
            if tensor == DOWN && expected == &[8, 12] && found == &[12, 8]),
            "{error}"
        );

        let mut wide = Tensor::new(Dtype::F32, &[8, 24], ModelDirectory::eighths(0));
        (wide.dtype, wide.shape) = (safetensors::Dtype::F64, shape.to_vec());
        let error = open(&|t| drop(t.tensors.insert(DOWN.into(), wide.clone())))
            .0
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Compatibility);
        assert!(
            error.to_string().contains(DOWN) && error.to_string().contains("F64"),
            "{error}"
        );

        for dtype in [Dtype::F32, Dtype::F16, Dtype::Bf16] {
            // Weights are read when they are needed, and checked then.
            let (opened, _dir) = open(&|t| drop(t.tensors.insert(DOWN.into(), with_nan(dtype))));
            let opened = opened.unwrap();
            let tensors = opened.tensors().unwrap();
            let whole = tensors.f32(DOWN, &shape).unwrap_err();
            let part = tensors.rows_f32(DOWN, shape, 6..8).unwrap_err();
            for error in [whole, part] {
                assert!(
                    matches!(&error, ModelError::NonFinite { tensor, element: 77, .. }
                    if tensor == DOWN),
                    "{error}"
                );
            }
            assert!(tensors.rows_f32(DOWN, shape, 0..6).is_ok());
        }
    }
}

#[test]
fn an_index_may_not_lead_outside() {
    let tiny = ModelDirectory::eighths_llama(Dtype::F32, true);
    for outside in [
        "../model.safetensors",
        "/etc/passwd",
        "..",
        "",
        "a/b",
        "a\\b",
        "C:x",
        ".",
    ] {
        let dir = directory();
        let mut index = tiny.write_sharded(dir.path(), 2);
        index["weight_map"][DOWN] = json!(outside);
        write_index(dir.path(), &index);
        let (kind, message) = open_error(dir.path());
        assert_eq!(kind, ErrorKind::Corruption);
        assert!(
            message.contains(DOWN) && message.contains("plain file name"),
            "{message}"
        );
    }
    // A shard that lacks what the index says it has.
    let dir = directory();
    let mut index = tiny.write_sharded(dir.path(), 2);
    let other = match index["weight_map"][DOWN].as_str().unwrap() {
        "model-00001-of-00002.safetensors" => "model-00002-of-00002.safetensors",
        _ => "model-00001-of-00002.safetensors",
    };
    index["weight_map"][DOWN] = json!(other);
    write_index(dir.path(), &index);
    let (kind, message) = open_error(dir.path());
    assert_eq!(kind, ErrorKind::InsufficientData);
    assert!(
        message.contains(DOWN) && message.contains(other),
        "{message}"
    );
    // A shard that is not there.
    fs::remove_file(dir.path().join(other)).unwrap();
    let (kind, message) = open_error(dir.path());
    assert_eq!(kind, ErrorKind::Io);
    assert!(message.contains(other), "{message}");
}

#[test]
fn damaged_weights_are_errors() {
    let dir = directory();
    ModelDirectory::eighths_llama(Dtype::F32, true).write_single(dir.path());
    let path = dir.path().join("model.safetensors");
    let whole = fs::read(&path).unwrap();
    let header = 8 + u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    let cuts = [
        0,
        1,
        7,
        8,
        9,
        header - 1,
        header,
        header + 1,
        whole.len() - 1,
    ];
    for length in cuts {
        fs::write(&path, &whole[..length]).unwrap();
        let (kind, message) = open_error(dir.path());
        assert_eq!(kind, ErrorKind::Corruption, "{length}: {message}");
        assert!(message.contains("model.safetensors"), "{message}");
    }
    let mut longer = whole.clone();
    longer.push(0);
    let mut absurd = whole.clone();
    absurd[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    // Lengths whose sum wraps around to the file's own.
    let mut wrapping = whole[..8].to_vec();
    let tensor = |start: u64, end: u64| json!({ "dtype": "U8", "shape": [end - start], "data_offsets": [start, end] });
    let eighth = 1u64 << 60;
    let text: serde_json::Map<_, _> = (0..15)
        .map(|i| (format!("t{i}"), tensor(i * eighth, (i + 1) * eighth)))
        .collect();
    let text = serde_json::Value::from(text).to_string();
    wrapping[..8].copy_from_slice(&(text.len() as u64).to_le_bytes());
    wrapping.extend(text.as_bytes());
    for damaged in [longer, absurd, wrapping] {
        fs::write(&path, damaged).unwrap();
        assert_eq!(open_error(dir.path()).0, ErrorKind::Corruption);
    }
    for i in 8..header {
        let mut flipped = whole.clone();
        flipped[i] ^= 1 << (i % 7);
        fs::write(&path, flipped).unwrap();
        // An error, or a name in the metadata that does not matter; never a panic.
        if let Err(error) = Checkpoint::open(dir.path()) {
            assert!(!error.to_string().is_empty());
        }
    }
}

#[test]
fn missing_and_malformed_files_are_named() {
    let tiny = ModelDirectory::eighths_llama(Dtype::F32, true);
    for file in ["config.json", "tokenizer.json", "model.safetensors"] {
        let dir = directory();
        tiny.write_single(dir.path());
        fs::remove_file(dir.path().join(file)).unwrap();
        let (kind, message) = open_error(dir.path());
        assert_eq!(kind, ErrorKind::InsufficientData, "{message}");
        assert!(message.contains(file), "{message}");
    }
    for file in ["config.json", "tokenizer.json"] {
        for garbage in [&b""[..], b"{", b"[1]", b"\xff\xfe", b"null"] {
            let dir = directory();
            tiny.write_single(dir.path());
            fs::write(dir.path().join(file), garbage).unwrap();
            let (kind, message) = open_error(dir.path());
            assert_eq!(kind, ErrorKind::Corruption, "{message}");
            assert!(message.contains(file), "{message}");
        }
    }
    for garbage in [
        "{",
        "{}",
        r#"{"weight_map":3}"#,
        r#"{"weight_map":{"a":3}}"#,
    ] {
        let dir = directory();
        tiny.write_sharded(dir.path(), 2);
        fs::write(dir.path().join("model.safetensors.index.json"), garbage).unwrap();
        let (kind, message) = open_error(dir.path());
        assert_eq!(kind, ErrorKind::Corruption);
        assert!(
            message.contains("model.safetensors.index.json"),
            "{message}"
        );
    }
    let dir = directory();
    let (kind, message) = open_error(&dir.path().join("nowhere"));
    assert_eq!(kind, ErrorKind::Io);
    assert!(message.contains("nowhere"), "{message}");
    let dir = directory();
    tiny.write_single(dir.path());
    fs::write(dir.path().join("config.json"), vec![b' '; 5 << 20]).unwrap();
    assert!(matches!(
        Checkpoint::open(dir.path()),
        Err(ModelError::TooLarge { .. })
    ));
}

#[test]
fn what_is_ignored_is_told() {
    let mut tiny = ModelDirectory::eighths_llama(Dtype::F32, true);
    tiny.config["a_new_field"] = json!(3);
    tiny.config["use_cache"] = json!(true);
    let bias = Tensor::new(Dtype::F32, &[8], ModelDirectory::eighths(0));
    tiny.tensors
        .insert("model.layers.0.self_attn.q_proj.bias".into(), bias);
    let dir = directory();
    let model = dir.path().join("my-model");
    fs::create_dir(&model).unwrap();
    tiny.write_single(&model);
    let checkpoint = Checkpoint::open(&model).unwrap();
    // Not the directory's: what is compressed must not depend on where the model lies.
    assert_eq!(checkpoint.name, "llama");
    assert_eq!(checkpoint.ignored_fields, ["a_new_field"]);
    assert_eq!(
        checkpoint.ignored_tensors,
        ["model.layers.0.self_attn.q_proj.bias"]
    );
    assert_eq!(
        checkpoint.notices(),
        [
            "llama: unknown fields of config.json are ignored: a_new_field",
            "llama: tensors that the model does not use are ignored: \
             model.layers.0.self_attn.q_proj.bias",
        ]
    );
    for name in ["b", "c", "d", "e"] {
        tiny.config[name] = json!(1);
    }
    tiny.write_texts(&model);
    let notices = Checkpoint::open(&model).unwrap().notices();
    assert!(
        notices[0].ends_with(": a_new_field, b, c and 2 more"),
        "{notices:?}"
    );
    for understood in ["models/lmz-5m", "tests/fixtures/stories260K"] {
        let checkpoint = Checkpoint::open(repository(understood)).unwrap();
        assert_eq!(checkpoint.notices(), Vec::<String>::new());
    }
}

#[test]
fn real_checkpoints() {
    for (path, name, vocab_size, parameters) in [
        ("models/lmz-5m", "lmz-5m", 6144, 5_507_840),
        ("tests/fixtures/stories260K", "stories260K", 512, 260_032),
    ] {
        let path = repository(path);
        let checkpoint = Checkpoint::open(&path).unwrap();
        assert_eq!(checkpoint.name, name);
        assert_eq!(checkpoint.blueprint.vocab_size, vocab_size);
        assert!(checkpoint.blueprint.tied_head);
        assert!(checkpoint.ignored_fields.is_empty() && checkpoint.ignored_tensors.is_empty());
        assert!(checkpoint.vocabulary.is_complete());
        let json = checkpoint.blueprint.canonical_json();
        assert_eq!(
            serde_json::from_str::<Blueprint>(&json).unwrap(),
            checkpoint.blueprint
        );
        let mut count = 0;
        for spec in checkpoint.blueprint.tensors() {
            count += checkpoint
                .tensors()
                .unwrap()
                .f32(&spec.name, &spec.shape)
                .unwrap()
                .len();
        }
        assert_eq!(count, parameters);
        let hash = checkpoint.content_hash().unwrap();
        assert_eq!(
            hash,
            Checkpoint::open(&path).unwrap().content_hash().unwrap()
        );
    }
}
