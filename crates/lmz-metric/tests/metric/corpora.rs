//! What reading a corpus counts, skips and hashes.

use std::fs;
use std::io::Write;
use std::path::Path;

use lmz_metric::{Census, CorpusOptions, MetricError, read_corpus};
use tempfile::tempdir;

fn read(path: &Path, options: &CorpusOptions) -> (Vec<String>, Census) {
    let mut texts = Vec::new();
    let census = read_corpus(path, options, &mut |text| {
        texts.push(text.to_owned());
        Ok(())
    });
    (texts, census.unwrap())
}

#[test]
fn everything_that_is_no_document_is_counted() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("c.jsonl");
    let lines: &[&[u8]] = &[
        b"{\"content\": \"na\xc3\xafve\"}",
        b"{\"content\": \"\"}",
        b"{\"content\": 7}",
        b"not json",
        b"",
        b"{\"content\": \"\xff\"}",
        b"{\"text\": \"x\"}",
    ];
    fs::write(&path, lines.join(&b'\n')).unwrap();
    let (texts, census) = read(&path, &CorpusOptions::default());
    assert_eq!(texts, ["naïve", "x"]);
    assert_eq!(
        (census.documents, census.bytes, census.characters),
        (2, 7, 6)
    );
    let skipped = &census.skipped;
    assert_eq!((skipped.empty, skipped.no_text), (1, 1));
    assert_eq!((skipped.bad_json, skipped.invalid_utf8), (1, 1));
    assert_eq!(skipped.left_out(), 4);
}

#[test]
fn the_hash_is_of_the_documents_alone() {
    let dir = tempdir().unwrap();
    let plain = dir.path().join("plain.jsonl");
    let text = "{\"content\": \"one\"}\n{\"text\": \"two\"}\n";
    fs::write(&plain, text).unwrap();
    let zstd = dir.path().join("b.jsonl.zst");
    fs::write(&zstd, zstd::bulk::compress(text.as_bytes(), 3).unwrap()).unwrap();
    let gzip = dir.path().join("c.jsonl.gz");
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    fs::write(&gzip, encoder.finish().unwrap()).unwrap();
    let files = dir.path().join("files");
    fs::create_dir(&files).unwrap();
    fs::write(files.join("1.txt"), "one").unwrap();
    fs::write(files.join("2.txt"), "two").unwrap();

    // The definition, written once more.
    let mut hash = blake3::Hasher::new();
    for part in ["lmz corpus v1", "one", "two"] {
        hash.update(&(part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    let expected = hash.finalize().to_hex().to_string();
    for path in [&plain, &zstd, &gzip, &files] {
        let (texts, census) = read(path, &CorpusOptions::default());
        assert_eq!(texts, ["one", "two"], "{}", path.display());
        assert_eq!(census.hash, expected);
    }
    let one = CorpusOptions {
        limit: Some(1),
        ..Default::default()
    };
    for path in [&plain, &files] {
        let (texts, census) = read(path, &one);
        assert_eq!(texts, ["one"]);
        assert_ne!(census.hash, expected);
    }
}

#[test]
fn a_text_that_is_not_utf8_is_repaired_and_counted() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("latin1.log");
    fs::write(&path, b"caf\xe9!").unwrap();
    let (texts, census) = read(&path, &CorpusOptions::default());
    assert_eq!(texts, ["caf\u{fffd}!"]);
    assert_eq!((census.skipped.repaired, census.skipped.left_out()), (1, 0));
}

#[test]
fn damaged_and_missing_files_are_errors_that_name_them() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("c.jsonl.zst");
    let error = |path: &Path| {
        let read = read_corpus(path, &CorpusOptions::default(), &mut |_| Ok(()));
        read.unwrap_err().to_string()
    };
    assert!(error(&path).contains("c.jsonl.zst"));
    fs::write(&path, b"no zstd frame").unwrap();
    assert!(error(&path).contains("c.jsonl.zst"));
    let whole = zstd::bulk::compress(&[b' '; 100_000], 3).unwrap();
    fs::write(&path, &whole[..whole.len() - 3]).unwrap();
    assert!(error(&path).contains("c.jsonl.zst"));
}

#[test]
fn an_error_of_whoever_takes_documents_ends_the_reading() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("a.txt");
    fs::write(&path, "text").unwrap();
    let read = read_corpus(&path, &CorpusOptions::default(), &mut |_| {
        Err(MetricError::Cancelled)
    });
    assert!(matches!(read, Err(MetricError::Cancelled)));
}
