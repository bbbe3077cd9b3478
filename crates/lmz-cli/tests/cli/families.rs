//! `lmz -m DIR` on checkpoints of every family: what is compressed comes back.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::tempdir;

use crate::harness;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs `lmz`.
fn lmz(arguments: &[&Path]) -> Result<(), String> {
    let output = harness::lmz().arg("-q").args(arguments).output().unwrap();
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

/// Directories with a model in tests/fixtures/`kind`, each with a name.
fn models(kind: &str) -> Vec<(String, PathBuf)> {
    let entries = fs::read_dir(root().join("tests/fixtures").join(kind)).unwrap();
    let mut models: Vec<(String, PathBuf)> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("model.safetensors").exists())
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), path))
        .collect();
    models.sort();
    models
}

/// Text, and bytes that no token of the fixtures spells.
fn sample() -> Vec<u8> {
    let text = fs::read(root().join("corpora/alice29.txt")).unwrap();
    let mut sample = text[5_000..6_500].to_vec();
    sample.extend(0..=255u8);
    sample.extend("“Curiouser”, ließ 爱丽丝 \u{1f407}\r\n".as_bytes());
    sample
}

#[test]
fn every_family_restores_what_it_compressed() {
    let families = models("families");
    assert!(families.len() >= 23);
    let text = models("text");
    assert!(text.len() >= 8);
    let tokenizer = root().join("tests/fixtures/text/tokenizer.json");
    let raw = sample();
    for (name, source) in families.into_iter().chain(text) {
        let dir = tempdir().unwrap();
        let at = |file: &str| dir.path().join(file);
        for file in ["config.json", "model.safetensors"] {
            fs::copy(source.join(file), at(file)).unwrap();
        }
        fs::copy(&tokenizer, at("tokenizer.json")).unwrap();
        fs::write(at("raw"), &raw).unwrap();
        let [flag, force] = ["-m", "-f"].map(Path::new);
        let [packed, out] = [at("raw.lmz"), at("out")];
        // Blocks longer than windows and tables of positions.
        let context = Path::new("--context=150");
        let [raw_file, model] = [at("raw"), dir.path().to_owned()];
        let made = lmz(&[flag, &model, force, context, &raw_file]);
        if name == "mixtral" {
            let error = made.unwrap_err();
            assert!(error.contains("sparse experts"), "{error}");
            continue;
        }
        made.unwrap_or_else(|e| panic!("{name}: {e}"));
        let restore = [
            Path::new("-d"),
            flag,
            &model,
            Path::new("-o"),
            &out,
            &packed,
        ];
        lmz(&restore).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(
            fs::read(&out).unwrap() == raw,
            "{name}: another file came back"
        );
    }
}
