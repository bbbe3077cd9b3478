//! Files both ways between the CPU and every device.
#![cfg(any(feature = "vulkan", feature = "cuda"))]

mod support;

use lmz_testkit::engine::family;
use lmz_testkit::models::ODD;
use lmz_testkit::{Random, repository};
use std::path::Path;

use lmz_codec::{
    CodecError, CompressOptions, DecompressOptions, Header, Kernel, Mix, Model, ModelSource,
    Observer, Prime, SegmentPlan, compress, decompress,
};
use lmz_exact::{Prepared, prepare};
use lmz_gpu::Device;
use support::devices;

/// No device may be given up in these tests: then the CPU would be compared with itself.
struct Strict;

impl Observer for Strict {
    fn notice(&self, text: &str) {
        panic!("{text}");
    }
}

fn both_ways(what: &str, prepared: Prepared, raw: &[u8], options: &CompressOptions) {
    let model = Model::from_prepared(prepared, Kernel::detect()).unwrap();
    let mut expected = Vec::new();
    compress(raw, &mut expected, &model, options, &()).unwrap();
    for device in devices() {
        let gpu = lmz_gpu::open(device, model.engine(), Some(256 << 20)).unwrap();
        let gpu = model.on(gpu);
        let mut packed = Vec::new();
        compress(raw, &mut packed, &gpu, options, &Strict).unwrap();
        assert!(packed == expected, "{what}: {device} writes another file");
        // What the CPU wrote restores on the device, and the other way round.
        for (from, model) in [(&expected, &gpu), (&packed, &model)] {
            let mut restored = Vec::new();
            let decoding = DecompressOptions::default();
            decompress(&from[..], &mut restored, model, &decoding, &Strict).unwrap();
            assert!(restored == raw, "{what} with {device}");
        }
    }
}

fn options(context: u32, overlap: u32, segment: u32, verify: bool) -> CompressOptions {
    CompressOptions {
        context: Some(context),
        overlap: Some(overlap),
        plan: SegmentPlan::Fixed(segment),
        threads: 2,
        verify,
        mix: Mix::None,
        ..CompressOptions::default()
    }
}

#[test]
fn text_with_a_trained_model() {
    let bytes = std::fs::read(repository("tests/models/stories260K.lmzm")).unwrap();
    let text = std::fs::read(repository("corpora/alice29.txt")).unwrap();
    let prepared = Prepared::from_bytes(bytes).unwrap();
    both_ways(
        "stories260K",
        prepared,
        &text[..3000],
        &options(64, 9, 700, false),
    );
}

#[test]
fn bytes_that_need_the_escape() {
    let mut random = Random(4);
    let raw: Vec<u8> = (0..500)
        .map(|i| match i % 5 {
            0 => random.next() as u8,
            _ => b"then there was an end, "[i % 23],
        })
        .collect();
    let prepared = lmz_testkit::engine::prepared(ODD, 9);
    both_ways("odd", prepared, &raw, &options(32, 5, 250, true));
}

#[test]
fn families_that_differ_in_everything() {
    for name in ["qwen3", "gpt2", "gemma3_text"] {
        let prepared = prepare(&family(name), name).unwrap();
        let raw = b"It was the best of times, it was the worst of times.".repeat(4);
        both_ways(name, prepared, &raw, &options(40, 7, 100, true));
    }
}

/// The models of the repository, each taken to a device when a file names it.
struct OnDevice {
    models: Vec<Model>,
    device: Device,
}

impl ModelSource for OnDevice {
    fn find(&self, header: &Header) -> Result<Model, CodecError> {
        let model = self.models.find(header)?;
        let gpu = lmz_gpu::open(self.device, model.engine(), Some(256 << 20))?;
        Ok(model.on(gpu))
    }
}

/// All prepared models below a directory.
fn models(directory: &Path, all: &mut Vec<Model>) {
    for entry in directory.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            models(&path, all);
        } else if path.extension().is_some_and(|e| e == "lmzm") {
            all.push(Model::open(&path).unwrap());
        }
    }
}

#[test]
fn golden_files() {
    let mut all = Vec::new();
    models(&repository("models"), &mut all);
    models(&repository("tests/models"), &mut all);
    for device in devices() {
        let source = OnDevice {
            models: all.clone(),
            device,
        };
        let mut files = 0;
        for entry in repository("tests/golden").read_dir().unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|e| e != "lmz") {
                continue;
            }
            // Wide scores are the CPU's: a device refuses their models.
            let name = path.file_name().unwrap().to_string_lossy();
            if name.starts_with("numerics2-") {
                continue;
            }
            let packed = std::fs::read(&path).unwrap();
            let expected = std::fs::read(path.with_extension("")).unwrap();
            let prime = std::fs::read(path.with_extension("prime")).ok();
            let options = DecompressOptions {
                prime: prime.map(|text| Prime::new("prime", text).unwrap()),
                ..DecompressOptions::default()
            };
            let mut restored = Vec::new();
            decompress(&packed[..], &mut restored, &source, &options, &Strict).unwrap();
            assert!(restored == expected, "{} on {device}", path.display());
            files += 1;
        }
        assert!(files >= 8, "golden files are missing");
    }
}
