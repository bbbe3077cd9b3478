//! Models on an accelerator: the same files, and what happens when it fails.
//!
//! The accelerator here is the CPU engine behind the interface of one, so that this runs everywhere;
//! `lmz-gpu` tests the real ones.
#![allow(missing_docs)]

mod common;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use lmz_codec::{
    Accelerator, CompressOptions, DecompressOptions, Model, Observer, Phase, SegmentPlan, compress,
    decompress,
};
use lmz_exact::{Answer, Cache, ExactError, Lanes, Query, Result, Row, Run, Scratch};

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
    model: Model,
    caches: Vec<Cache>,
    fails_at: usize,
    passes: Arc<AtomicUsize>,
    queued: VecDeque<Vec<Answer>>,
    most_queued: Arc<AtomicUsize>,
}

impl Drop for PretendedLanes {
    fn drop(&mut self) {
        // Whoever asks must take the answers, unless the device is lost.
        let lost = self.passes.load(Ordering::Relaxed) > self.fails_at;
        assert!(lost || self.queued.is_empty());
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
        let caches = (0..lanes.min(self.lanes)).map(|_| Cache::new(self.model.engine(), positions));
        Ok(Box::new(PretendedLanes {
            model: self.model.clone(),
            caches: caches.collect(),
            fails_at: self.fails_at,
            passes: self.passes.clone(),
            queued: VecDeque::new(),
            most_queued: self.most_queued.clone(),
        }))
    }
}

impl Lanes for PretendedLanes {
    fn lanes(&self) -> usize {
        self.caches.len()
    }

    fn rows(&self) -> usize {
        40
    }

    fn submit(&mut self, rows: &[Row], queries: &[(usize, Query)]) -> Result<()> {
        assert!(rows.len() <= self.rows() || matches!(queries[0].1, Query::Point(_)));
        let answers = self.answers(rows, queries);
        self.queued.push_back(answers);
        self.most_queued
            .fetch_max(self.queued.len(), Ordering::Relaxed);
        Ok(())
    }

    fn collect(&mut self) -> Result<Vec<Answer>> {
        if self.passes.fetch_add(1, Ordering::Relaxed) >= self.fails_at {
            return Err(ExactError::Device {
                device: "a pretended device".to_owned(),
                reason: "it was lost".to_owned(),
            });
        }
        Ok(self.queued.pop_front().expect("something is queued"))
    }
}

impl PretendedLanes {
    fn answers(&mut self, rows: &[Row], queries: &[(usize, Query)]) -> Vec<Answer> {
        let engine = self.model.engine();
        let mut answers = Vec::new();
        let mut first = 0;
        for piece in rows.chunk_by(|a, b| a.lane == b.lane) {
            let tokens: Vec<u32> = piece.iter().map(|row| row.token).collect();
            let run = Run {
                cache: &mut self.caches[piece[0].lane as usize],
                start: piece[0].position as usize,
                tokens: &tokens,
                wanted: 0,
            };
            engine.forward(&mut Scratch::new(), &mut [run], &mut |_, token, scores| {
                let Some((_, query)) = queries.iter().find(|(row, _)| *row == first + token) else {
                    return;
                };
                let distribution = scores.distribution();
                let symbol = match *query {
                    Query::Symbol(symbol) => symbol as usize,
                    Query::Point(point) => distribution.find(point).0,
                };
                let sum = scores.weights.iter().map(|&w| u64::from(w)).sum();
                let shift = engine.symbols().escape_shift();
                let logit = scores.logits.get(symbol).copied().unwrap_or(scores.max);
                answers.push(Answer {
                    symbol,
                    interval: distribution.interval(symbol),
                    distance: scores.max.wrapping_sub(logit) as u32,
                    shares: lmz_coder::Shares::new(scores.weights.len(), sum, shift),
                });
            });
            first += piece.len();
        }
        answers
    }
}

/// Hears notices, and counts what has passed.
#[derive(Default)]
struct Listener {
    notices: Mutex<Vec<String>>,
    passed: AtomicUsize,
}

impl Observer for Listener {
    fn advance(&self, _phase: Phase, raw_bytes: u64) {
        self.passed.fetch_add(raw_bytes as usize, Ordering::Relaxed);
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
        ..CompressOptions::default()
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
        let verified = device.timings().decoding;
        assert!(verified.bytes < text.len() as u64);
        assert!(
            report.segments[0] > 3 && report.segments[1] > 0,
            "{report:?}"
        );
        assert_eq!(listener.passed.load(Ordering::Relaxed), 2 * text.len());
        // While one pass is answered there is another to go on with.
        assert_eq!(most_queued.swap(0, Ordering::Relaxed), 2);
        let mut restored = Vec::new();
        let decoding = DecompressOptions::default();
        decompress(&packed[..], &mut restored, &device, &decoding, &listener).unwrap();
        assert_eq!(restored, text);
        // Both halves of the lanes, if there are any.
        assert_eq!(most_queued.load(Ordering::Relaxed), lanes.min(2));
        assert!(listener.notices.lock().unwrap().is_empty());
        assert!(device.device_name().is_some());
        // All of it was encoded once; what zstd did not keep was decoded twice.
        let timings = device.timings();
        assert_eq!(timings.encoding.bytes, text.len() as u64);
        assert_eq!(timings.decoding.bytes, 2 * verified.bytes);
        assert!(!timings.encoding.time.is_zero());
        // Those of the same model on the CPU are its own.
        assert!(model.timings() != timings && model.device_name().is_none());
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
