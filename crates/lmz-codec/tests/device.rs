//! Models on an accelerator: the same files, and what happens when it fails.
//!
//! The accelerator here is the CPU engine behind the interface of one, so that this runs everywhere;
//! `lmz-gpu` tests the real ones.
#![allow(missing_docs)]

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use lmz_codec::{
    Accelerator, CompressOptions, DecompressOptions, Direction, Meter, Mix, Model, Observer, Phase,
    SegmentPlan, Timing, compress, decompress,
};
use lmz_exact::{CpuLanes, ExactError, Lanes, Prediction, Query, Result, Row, Team};

/// The CPU engine as an accelerator that fails at pass number `fails_at`.
#[derive(Debug)]
struct Pretended {
    model: Model,
    lanes: usize,
    fails_at: usize,
    passes: Arc<AtomicUsize>,
    most_queued: Arc<AtomicUsize>,
}

struct PretendedLanes {
    lanes: CpuLanes<Model>,
    fails_at: usize,
    passes: Arc<AtomicUsize>,
    queued: usize,
    most_queued: Arc<AtomicUsize>,
}

impl Drop for PretendedLanes {
    fn drop(&mut self) {
        // Whoever asks must take the answers, unless the device is lost.
        let lost = self.passes.load(Ordering::Relaxed) > self.fails_at;
        assert!(lost || self.queued == 0);
    }
}

impl Accelerator for Pretended {
    fn name(&self) -> String {
        "a pretended device".to_owned()
    }

    fn lanes(&self) -> usize {
        self.lanes
    }

    fn open(&self, lanes: usize, positions: usize) -> Result<Box<dyn Lanes>> {
        let lanes = lanes.min(self.lanes);
        // Threads share its passes, as they do those of large models.
        let team = Team::new(2).expect("a thread");
        Ok(Box::new(PretendedLanes {
            lanes: CpuLanes::new(self.model.clone(), lanes, positions).shared(team),
            fails_at: self.fails_at,
            passes: self.passes.clone(),
            queued: 0,
            most_queued: self.most_queued.clone(),
        }))
    }
}

impl Lanes for PretendedLanes {
    fn lanes(&self) -> usize {
        self.lanes.lanes()
    }

    fn rows(&self) -> usize {
        40
    }

    fn submit(&mut self, rows: &[Row], queries: &[(usize, Query)]) -> Result<()> {
        assert!(rows.len() <= self.rows() || matches!(queries[0].1, Query::Point(_)));
        self.lanes.submit(rows, queries)?;
        self.queued += 1;
        self.most_queued.fetch_max(self.queued, Ordering::Relaxed);
        Ok(())
    }

    fn collect(&mut self, take: &mut dyn FnMut(usize, &Prediction<'_>)) -> Result<()> {
        if self.passes.fetch_add(1, Ordering::Relaxed) >= self.fails_at {
            return Err(ExactError::Device {
                device: "a pretended device".to_owned(),
                reason: "it was lost".to_owned(),
            });
        }
        self.queued = self.queued.checked_sub(1).expect("something is queued");
        self.lanes.collect(take)
    }
}

/// Hears notices, and counts what has passed.
#[derive(Default)]
struct Listener {
    notices: Mutex<Vec<String>>,
    passed: AtomicUsize,
    meter: Meter,
}

impl Observer for Listener {
    fn advance(&self, _phase: Phase, raw_bytes: u64) {
        self.passed.fetch_add(raw_bytes as usize, Ordering::Relaxed);
    }

    fn timed(&self, model: &Model, direction: Direction, timing: Timing) {
        self.meter.add(model, direction, timing);
    }

    fn notice(&self, text: &str) {
        self.notices.lock().unwrap().push(text.to_owned());
    }
}

fn options() -> CompressOptions {
    CompressOptions {
        // Blocks with an overlap, and several segments for each lane.
        context: Some(48),
        overlap: Some(11),
        plan: SegmentPlan::Fixed(1 << 10),
        threads: 2,
        ..common::alone()
    }
}

fn text() -> Vec<u8> {
    let mut text = common::text()[2000..8000].to_vec();
    // Bytes that are no UTF-8, and one segment that zstd keeps.
    for at in (5..3000).step_by(331) {
        text[at] = 0xff;
    }
    text[4 << 10..5 << 10].fill(b'-');
    text
}

fn pretended(model: &Model, lanes: usize, fails_at: usize) -> (Model, Arc<AtomicUsize>) {
    let most_queued = Arc::default();
    let device = model.on(Arc::new(Pretended {
        model: model.clone(),
        lanes,
        fails_at,
        passes: Arc::default(),
        most_queued: Arc::clone(&most_queued),
    }));
    (device, most_queued)
}

#[test]
fn an_accelerator_writes_and_reads_the_same_files() {
    let model = common::nano().clone();
    let (text, options) = (text(), options());
    let mut expected = Vec::new();
    compress(&text[..], &mut expected, &model, &options, &()).unwrap();
    for lanes in [1, 4, 100] {
        let (device, most_queued) = pretended(&model, lanes, usize::MAX);
        let listener = Listener::default();
        let mut packed = Vec::new();
        let report = compress(&text[..], &mut packed, &device, &options, &listener).unwrap();
        assert_eq!(packed, expected, "{lanes} lanes");
        let verified = listener.meter.timings(&device).decoding;
        assert!(verified.bytes < text.len() as u64);
        assert!(
            report.segments[0] > 3 && report.segments[1] > 0,
            "{report:?}"
        );
        assert_eq!(listener.passed.load(Ordering::Relaxed), 2 * text.len());
        // While one half of the lanes is answered there is another to go on with.
        assert_eq!(most_queued.swap(0, Ordering::Relaxed), lanes.min(2));
        let mut restored = Vec::new();
        let decoding = DecompressOptions::default();
        decompress(&packed[..], &mut restored, &device, &decoding, &listener).unwrap();
        assert_eq!(restored, text);
        // Both halves of the lanes, if there are any.
        assert_eq!(most_queued.load(Ordering::Relaxed), lanes.min(2));
        assert!(listener.notices.lock().unwrap().is_empty());
        assert!(device.device_name().is_some());
        // All of it was encoded once; what zstd did not keep was decoded twice.
        let timings = listener.meter.timings(&device);
        assert_eq!(timings.encoding.bytes, text.len() as u64);
        assert_eq!(timings.decoding.bytes, 2 * verified.bytes);
        assert!(!timings.encoding.time.is_zero());
        // Those of the same model on the CPU are its own.
        let own = listener.meter.timings(&model);
        assert!(own != timings && model.device_name().is_none());
    }
}

#[test]
fn a_lost_device_leaves_the_rest_to_the_cpu() {
    let model = common::nano().clone();
    let (text, options) = (text(), options());
    let mut expected = Vec::new();
    compress(&text[..], &mut expected, &model, &options, &()).unwrap();
    for fails_at in [0, 1, 7, 60] {
        let (device, _) = pretended(&model, 3, fails_at);
        let listener = Listener::default();
        let mut packed = Vec::new();
        compress(&text[..], &mut packed, &device, &options, &listener).unwrap();
        assert_eq!(packed, expected, "failed at {fails_at}");
        assert_eq!(listener.passed.load(Ordering::Relaxed), 2 * text.len());
        let notices = listener.notices.lock().unwrap();
        assert_eq!(notices.len(), 1, "{notices:?}");
        assert!(notices[0].contains("it was lost"), "{notices:?}");
        assert_eq!(device.device_name(), None);

        let (device, _) = pretended(&model, 3, fails_at);
        let mut restored = Vec::new();
        let decoding = DecompressOptions::default();
        decompress(&packed[..], &mut restored, &device, &decoding, &()).unwrap();
        assert_eq!(restored, text, "failed at {fails_at}");
    }
}

#[test]
fn mixed_groups_run_on_an_accelerator_and_survive_it() {
    let model = common::nano().clone();
    let text = text();
    for lanes in [1, 3] {
        let options = CompressOptions {
            plan: SegmentPlan::Fixed(2500),
            mix: Mix::Auto,
            lanes: Some(lanes),
            ..options()
        };
        let mut expected = Vec::new();
        compress(&text[..], &mut expected, &model, &options, &()).unwrap();
        // It fails never, at once, while blocks are scored, while groups are decoded; or has too few lanes.
        for (seats, fails_at) in [(8, usize::MAX), (8, 0), (8, 5), (8, 90), (2, usize::MAX)] {
            let (device, _) = pretended(&model, seats, fails_at);
            let listener = Listener::default();
            let mut packed = Vec::new();
            compress(&text[..], &mut packed, &device, &options, &listener).unwrap();
            let what = format!("{lanes} lanes, {seats} seats, fails at {fails_at}");
            assert!(packed == expected, "{what}");
            assert_eq!(listener.passed.load(Ordering::Relaxed), 2 * text.len());
            let works = fails_at == usize::MAX && seats >= lanes;
            let notices = listener.notices.lock().unwrap();
            assert_eq!(notices.is_empty(), works, "{what}: {notices:?}");
            assert_eq!(device.device_name().is_some(), works);
        }
    }
}
