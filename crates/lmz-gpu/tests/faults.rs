//! A device that fails in the middle of its work, or has too little memory: the CPU finishes, and the file
//! is the same.
//!
//! Only under the CUDA emulation, which can be told when to fail; `tools/cuda_emulation/check.sh` does so,
//! and runs one test in a process, since a device that is lost stays lost.
#![cfg(feature = "cuda")]

mod support;

use std::sync::Mutex;

use lmz_codec::{
    CompressOptions, DecompressOptions, Kernel, Mix, Model, Observer, SegmentPlan, compress,
    decompress,
};
use lmz_exact::Prepared;
use lmz_gpu::Device;
use lmz_testkit::repository;

/// What the emulation was told.
fn asked(variable: &str) -> String {
    let asked = std::env::var(variable).unwrap_or_default();
    assert!(
        !asked.is_empty(),
        "{variable} is not set: tools/cuda_emulation/check.sh does"
    );
    asked
}

/// Hears notices.
#[derive(Default)]
struct Listener(Mutex<Vec<String>>);

impl Observer for Listener {
    fn notice(&self, text: &str) {
        self.0.lock().unwrap().push(text.to_owned());
    }
}

impl Listener {
    /// Exactly one device was given up; none if the emulation was asked for no fault, `0`.
    fn heard(self, what: &str, fault: &str) {
        let notices = self.0.into_inner().unwrap();
        let expected = usize::from(fault != "0");
        assert_eq!(notices.len(), expected, "{what}: {notices:?}");
        eprintln!("{what}: {notices:?}");
    }
}

fn model() -> Model {
    let bytes = std::fs::read(repository("tests/models/stories260K.lmzm")).unwrap();
    Model::from_prepared(Prepared::from_bytes(bytes).unwrap(), Kernel::detect()).unwrap()
}

fn text() -> Vec<u8> {
    let mut text = std::fs::read(repository("corpora/alice29.txt")).unwrap();
    text.truncate(600);
    text
}

fn options() -> CompressOptions {
    CompressOptions {
        context: Some(64),
        overlap: Some(9),
        // So short that restoring ends with two halves of the lanes queued, before it is measured whether that
        // is faster: launches are counted.
        plan: SegmentPlan::Fixed(50),
        threads: 2,
        // What is written must be right without being looked at again.
        verify: false,
        mix: Mix::None,
        ..CompressOptions::default()
    }
}

/// The model on the device; none where it already fails while it is opened, which must be said.
fn on_device(model: &Model, memory: Option<u64>) -> Option<Model> {
    match lmz_gpu::open(Device::Cuda(0), model.engine(), memory) {
        Ok(device) => Some(model.on(device)),
        Err(error) => {
            let error = error.to_string();
            eprintln!("refused when opened: {error}");
            assert!(error.len() > "CUDA emulated on the CPU: ".len(), "{error}");
            None
        }
    }
}

/// Compresses on a device that fails on the way.
fn compressing(what: &str, fault: &str) {
    let (model, text) = (model(), text());
    let mut expected = Vec::new();
    compress(&text[..], &mut expected, &model, &options(), &()).unwrap();
    let Some(device) = on_device(&model, None) else {
        return;
    };
    let listener = Listener::default();
    let mut packed = Vec::new();
    compress(&text[..], &mut packed, &device, &options(), &listener).unwrap();
    assert!(packed == expected, "{what} {fault}: another file");
    listener.heard(&format!("{what} {fault}, compressing"), fault);
}

/// Restores on a device that fails on the way.
fn restoring(what: &str, fault: &str) {
    let (model, text) = (model(), text());
    let mut packed = Vec::new();
    compress(&text[..], &mut packed, &model, &options(), &()).unwrap();
    let Some(device) = on_device(&model, None) else {
        return;
    };
    let listener = Listener::default();
    let mut restored = Vec::new();
    let decoding = DecompressOptions::default();
    decompress(&packed[..], &mut restored, &device, &decoding, &listener).unwrap();
    assert!(restored == text, "{what} {fault}: other bytes");
    listener.heard(&format!("{what} {fault}, restoring"), fault);
}

#[test]
#[ignore = "needs the CUDA emulation"]
fn lost_while_compressing() {
    let fault = asked("LMZ_EMULATION_LOST");
    compressing("lost at launch", &fault);
}

#[test]
#[ignore = "needs the CUDA emulation"]
fn lost_while_restoring() {
    let fault = asked("LMZ_EMULATION_LOST");
    restoring("lost at launch", &fault);
}

#[test]
#[ignore = "needs the CUDA emulation"]
fn full_while_compressing() {
    let fault = asked("LMZ_EMULATION_FULL");
    compressing("no memory from allocation", &fault);
}

#[test]
#[ignore = "needs the CUDA emulation"]
fn full_while_restoring() {
    let fault = asked("LMZ_EMULATION_FULL");
    restoring("no memory from allocation", &fault);
}

/// A card that does not hold the model is refused, and the message says what it would take.
#[test]
#[ignore = "needs the CUDA emulation"]
fn a_card_that_is_too_small() {
    let bytes = asked("LMZ_EMULATION_MEMORY");
    let error = lmz_gpu::open(Device::Cuda(0), model().engine(), None).unwrap_err();
    eprintln!("a card of {bytes} bytes: {error}");
    let error = error.to_string();
    assert!(error.contains("needs"), "{error}");
    // It has no more, whatever is asked for.
    assert!(on_device(&model(), Some(1 << 30)).is_none());
}
