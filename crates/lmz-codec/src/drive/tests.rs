//! Segments through encoder and decoder, wherever the model runs: the same bytes on threads and on a device, also on one
//! that fails on the way.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use lmz_exact::{Accelerator, CpuLanes, ExactError, Lanes, Prediction, Query, Row};
use lmz_format::ContextPolicy;

use super::context::Drive;
use crate::model::Model;
use crate::observer::{Observer, Phase};
use crate::pool::Pool;
use crate::shown::Shown;

/// The CPU's lanes as those of a device that works ahead, and fails at a pass; at an even one after it has
/// handed out the predictions.
#[derive(Debug)]
struct Ahead {
    model: Model,
    lanes: usize,
    fails_at: usize,
    passes: Arc<AtomicUsize>,
}

struct AheadLanes(CpuLanes<Model>, usize, Arc<AtomicUsize>);

impl Accelerator for Ahead {
    fn name(&self) -> String {
        "ahead".into()
    }

    fn lanes(&self) -> usize {
        self.lanes
    }

    fn open(&self, lanes: usize, positions: usize) -> lmz_exact::Result<Box<dyn Lanes>> {
        Ok(Box::new(AheadLanes(
            CpuLanes::new(self.model.clone(), lanes, positions),
            self.fails_at,
            self.passes.clone(),
        )))
    }
}

impl Lanes for AheadLanes {
    fn lanes(&self) -> usize {
        self.0.lanes()
    }

    fn rows(&self) -> usize {
        29
    }

    fn submit(&mut self, rows: &[Row], queries: &[(usize, Query)]) -> lmz_exact::Result<()> {
        self.0.submit(rows, queries)
    }

    fn collect(&mut self, take: &mut dyn FnMut(usize, &Prediction<'_>)) -> lmz_exact::Result<()> {
        let pass = self.2.fetch_add(1, Ordering::Relaxed);
        if pass >= self.1 {
            if pass.is_multiple_of(2) {
                self.0.collect(take)?;
            }
            return Err(ExactError::Device {
                device: "ahead".into(),
                reason: "was lost".into(),
            });
        }
        self.0.collect(take)
    }
}

fn repository(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

/// Adds up what has passed.
#[derive(Default)]
struct Passed([AtomicU64; 2]);

impl Observer for Passed {
    fn advance(&self, phase: Phase, raw_bytes: u64) {
        self.0[usize::from(phase == Phase::Encode)].fetch_add(raw_bytes, Ordering::Relaxed);
    }
}

/// Segments of different lengths, with escapes among their symbols.
fn segments() -> Vec<Vec<u8>> {
    let text = std::fs::read(repository("corpora/alice29.txt")).unwrap();
    let mut at = 1000;
    let sizes = [300, 120, 301, 40, 90, 200, 1, 77, 64, 64, 64, 10, 250];
    sizes
        .iter()
        .map(|&size| {
            let mut raw = text[at..at + size].to_vec();
            raw[size / 2] = 0xff;
            at += size;
            raw
        })
        .collect()
}

fn coded(drive: &Drive<'_>, segments: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let segments: Vec<&[u8]> = segments.iter().map(|raw| &raw[..]).collect();
    let coded = drive.encode(&segments).unwrap();
    coded.into_iter().map(|coded| coded.bytes).collect()
}

fn jobs<'a>(coded: &'a [Vec<u8>], segments: &[Vec<u8>]) -> Vec<(&'a [u8], usize)> {
    let jobs = coded.iter().zip(segments);
    jobs.map(|(coded, raw)| (&coded[..], raw.len())).collect()
}

#[test]
fn bytes_are_the_same_wherever_the_model_runs() {
    let model = Model::open(&repository("tests/models/stories260K.lmzm")).unwrap();
    let segments = segments();
    let total = segments.iter().map(|raw| raw.len() as u64).sum::<u64>();
    // Blocks with an overlap, several in a segment.
    let policy = ContextPolicy::new(48, 11).unwrap();
    let prime = model.tokenizer().unwrap().encode(b"Once upon a time");
    for shown in [
        Shown::default(),
        Shown::new(&prime, model.engine().start_token()),
    ] {
        let expected = coded(
            &Drive::new(&model, policy, &shown, lmz_mix::Version::NEWEST, &()),
            &segments,
        );
        for (threads, lanes, fails_at) in [
            (1, 0, 0),
            (2, 0, 0),
            (3, 0, 0),
            (2, 1, usize::MAX),
            (2, 4, usize::MAX),
            (2, 9, usize::MAX),
            (1, 20, usize::MAX),
            (2, 9, 3),
            // A segment of one symbol is done with the pass that fails.
            (2, 9, 0),
            (2, 8, 40),
            (3, 2, 0),
        ] {
            let on = || match lanes {
                0 => model.clone(),
                lanes => model.on(Arc::new(Ahead {
                    model: model.clone(),
                    lanes,
                    fails_at,
                    passes: Arc::default(),
                })),
            };
            let what = format!("{threads} threads, {lanes} lanes, fails at {fails_at}");
            let pool = Pool::new(threads).unwrap();
            pool.install(|| {
                let passed = Passed::default();
                let model = on();
                let drive = Drive::new(&model, policy, &shown, lmz_mix::Version::NEWEST, &passed);
                assert_eq!(coded(&drive, &segments), expected, "{what}");
                let model = on();
                let drive = Drive::new(&model, policy, &shown, lmz_mix::Version::NEWEST, &passed);
                let decoded = drive.decode(&jobs(&expected, &segments), Phase::Decode);
                for (decoded, raw) in decoded.unwrap().into_iter().zip(&segments) {
                    assert_eq!(&decoded.unwrap(), raw, "{what}");
                }
                assert_eq!(passed.0.map(AtomicU64::into_inner), [total; 2], "{what}");
                assert_eq!(model.device_name().is_none(), fails_at < usize::MAX);
            });
        }
    }
}

#[test]
fn a_damaged_segment_fails_alone() {
    let model = Model::open(&repository("tests/models/stories260K.lmzm")).unwrap();
    let segments = segments();
    let policy = ContextPolicy::new(48, 11).unwrap();
    let shown = Shown::default();
    let drive = Drive::new(&model, policy, &shown, lmz_mix::Version::NEWEST, &());
    let mut coded = coded(&drive, &segments);
    coded[2][1] ^= 0x55;
    let decoded = drive
        .decode(&jobs(&coded, &segments), Phase::Decode)
        .unwrap();
    for (number, (decoded, raw)) in decoded.into_iter().zip(&segments).enumerate() {
        assert_eq!(decoded.as_ref() == Ok(raw), number != 2, "{number}");
    }
}
