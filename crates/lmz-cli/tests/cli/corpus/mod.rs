//! `lmz corpus`: from files as they are published to a corpus and its manifest.

mod arxiv;
mod cc;
mod github;
mod hostile;
mod local;
mod looks;
mod stages;

use std::io::Write;

use serde_json::Value;

use crate::harness::{Place, Run};

/// Packs bytes as a member of gzip.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A record of a WET file.
fn record(url: &str, text: &str) -> Vec<u8> {
    let head = format!(
        "WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Target-URI: {url}\r\nWARC-Date: 2026-06-01T00:00:00Z\r\n\
         Content-Type: text/plain\r\nContent-Length: {}\r\n\r\n",
        text.len()
    );
    [head.as_bytes(), text.as_bytes(), b"\r\n\r\n"].concat()
}

/// A page of English, `n` sentences of its own after what it shares with all others.
fn page(number: usize, n: usize) -> String {
    let verbs = [
        "finds", "makes", "brings", "takes", "shows", "writes", "reads",
    ];
    let things = [
        "house", "river", "letter", "garden", "window", "story", "road", "machine", "picture",
    ];
    let mut text =
        "Every page of this site begins with the same line about the company.\n".to_owned();
    for k in 0..n {
        let at = number * 31 + k;
        text += &format!(
            "The person with the name {} {} the {} that stands near the old {} and thinks about the {}.\n",
            word(at),
            verbs[at % 7],
            things[at % 9],
            things[at / 9 % 9],
            word(at * 13 + 5)
        );
    }
    text
}

/// Another word for each number.
fn word(mut n: usize) -> String {
    let mut text = String::new();
    for _ in 0..4 {
        text.push(char::from(b"bdfgklmnprst"[n % 12]));
        n /= 12;
        text.push(char::from(b"aeiou"[n % 5]));
        n /= 5;
    }
    text
}

/// A tar of files.
fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, body) in files {
        let mut header = [0u8; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[100..108].copy_from_slice(b"0000644\0");
        header[124..136].copy_from_slice(format!("{:011o}\0", body.len()).as_bytes());
        header[136..148].copy_from_slice(b"00000000000\0");
        header[156] = b'0';
        header[257..265].copy_from_slice(b"ustar\x0000");
        header[148..156].copy_from_slice(b"        ");
        let sum: u32 = header.iter().map(|b| u32::from(*b)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        bytes.extend(header);
        bytes.extend(*body);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

/// The lines of a corpus.
fn lines(place: &Place, name: &str) -> Vec<Value> {
    let text = String::from_utf8(place.read(name)).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// What a manifest counts.
fn count(place: &Place, manifest: &str, what: &str) -> u64 {
    let manifest: Value = serde_json::from_slice(&place.read(manifest)).unwrap();
    manifest["counts"][what].as_u64().unwrap_or(0)
}

/// Expects success, and gives what was printed.
#[track_caller]
fn fine(run: Run) -> String {
    String::from_utf8(run.quiet()).unwrap()
}
