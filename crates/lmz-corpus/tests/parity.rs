//! The same as other programs: fixtures of tools/corpus/make_fixtures.py.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use lmz_corpus::build::Counts;
use lmz_corpus::build::dedup::{Bands, MinHasher, PERMUTATIONS, Signature, similarity};
use lmz_corpus::build::filters::identify;
use lmz_corpus::build::sources::warc::records;
use serde::Deserialize;
use serde::de::DeserializeOwned;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

fn json<T: DeserializeOwned>(name: &str) -> T {
    serde_json::from_slice(&std::fs::read(fixture(name)).unwrap()).unwrap()
}

#[derive(Deserialize)]
struct MinHashes {
    texts: Vec<String>,
    signatures: Vec<Vec<u32>>,
    similarity: Vec<(usize, usize, f64)>,
    pairs: HashMap<String, Vec<(usize, usize)>>,
    bands: HashMap<String, (usize, usize)>,
}

#[test]
fn signatures_bands_and_pairs_are_those_of_datasketch() {
    let expected: MinHashes = json("minhash.json");
    let hasher = MinHasher::new(1);
    let signatures: Vec<Signature> = expected
        .texts
        .iter()
        .map(|text| hasher.signature(text).unwrap())
        .collect();
    assert_eq!(signatures.len(), 7);
    for (mine, theirs) in signatures.iter().zip(&expected.signatures) {
        assert_eq!(theirs.len(), PERMUTATIONS);
        assert_eq!(mine.as_slice(), theirs.as_slice());
    }
    for (a, b, theirs) in expected.similarity {
        assert_eq!(similarity(&signatures[a], &signatures[b]), theirs);
    }
    for (threshold, (bands, rows)) in &expected.bands {
        let mine = Bands::for_threshold(threshold.parse().unwrap());
        assert_eq!(
            mine,
            Bands {
                bands: *bands,
                rows: *rows
            },
            "{threshold}"
        );
    }
    for (threshold, pairs) in &expected.pairs {
        let bands = Bands::for_threshold(threshold.parse().unwrap());
        let hashes: Vec<Vec<u64>> = signatures
            .iter()
            .map(|one| bands.hashes(one).collect())
            .collect();
        let mut found = Vec::new();
        for later in 0..hashes.len() {
            for earlier in 0..later {
                if hashes[earlier]
                    .iter()
                    .zip(&hashes[later])
                    .any(|(a, b)| a == b)
                {
                    found.push((earlier, later));
                }
            }
        }
        assert_eq!(&found, pairs, "{threshold}");
    }
}

#[derive(Debug, Deserialize, PartialEq)]
struct WarcRecord {
    r#type: String,
    url: Option<String>,
    date: String,
    length: usize,
    body: String,
}

#[test]
fn records_are_those_of_warcio() {
    let expected: HashMap<String, Vec<WarcRecord>> = json("warc.json");
    assert_eq!(expected.len(), 2);
    for (name, theirs) in expected {
        let mut counts = Counts::default();
        let mut mine = Vec::new();
        records(&fixture(&name), &mut counts, &mut |record, _| {
            let mut body = record.body.as_slice();
            // What warcio calls the body of a response is what is behind its headers.
            if record.header("WARC-Type") == Some("response") {
                let end = body.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
                body = &body[end + 4..];
            }
            mine.push(WarcRecord {
                r#type: record.header("WARC-Type").unwrap().to_owned(),
                url: record.header("WARC-Target-URI").map(ToOwned::to_owned),
                date: record.header("WARC-Date").unwrap().to_owned(),
                length: record.body.len(),
                body: String::from_utf8(body.to_vec()).unwrap(),
            });
            Ok(())
        })
        .unwrap();
        assert_eq!(mine, theirs, "{name}");
        assert_eq!(counts.get("read: records"), 22);
        assert_eq!(counts.iter().count(), 1);
    }
}

#[derive(Deserialize)]
struct Text {
    language: String,
    py3langid: String,
    text: String,
}

#[test]
fn languages_are_those_of_py3langid() {
    let texts: Vec<Text> = json("languages.json");
    assert_eq!(texts.len(), 21);
    for one in texts {
        let (language, confidence) = identify(&one.text).unwrap();
        assert_eq!(
            (language, one.py3langid.as_str()),
            (one.language.as_str(), language)
        );
        assert!(confidence > 0.5, "{language}: {confidence}");
    }
}
