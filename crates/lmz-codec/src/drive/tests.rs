//! A small stage that learns, through encoder and decoder: lanes in lock step, in one order wherever they run.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use lmz_coder::{Cost, Decoder, Encoder, Interval};
use lmz_exact::{Accelerator, CpuLanes, ExactError, Lanes, Prediction, Query, Row, Scores};
use lmz_format::ContextPolicy;

use super::context::Drive;
use super::decode::Job;
use super::stage::{CodedSymbol, Decoding, Encoding, Stage};
use crate::model::Model;
use crate::observer::Phase;
use crate::pool::Pool;
use crate::shown::Shown;

/// Learns how often the model's first guess is right, and codes that before the symbol.
struct FirstGuess;

/// What has been learnt: misses and hits, by whether the last guess in the lane was right and by what the group's last
/// bytes were. So the order of the lanes matters.
struct Learnt {
    counts: Vec<[u32; 2]>,
    last: Vec<bool>,
    /// The group's last symbols.
    trail: usize,
}

impl Learnt {
    fn new(lanes: usize) -> Self {
        Self {
            counts: vec![[1, 1]; 256],
            last: vec![false; lanes],
            trail: 0,
        }
    }

    fn counts(&mut self, lane: usize) -> &mut [u32; 2] {
        let context = 2 * (self.trail % 128) + usize::from(self.last[lane]);
        &mut self.counts[context]
    }

    /// Of a right guess, or of a wrong one.
    fn interval(&mut self, lane: usize, right: bool) -> Interval {
        let [misses, hits] = *self.counts(lane);
        let share = ((u64::from(misses) << 32) / u64::from(misses + hits)) as u32;
        match right {
            false => Interval {
                start: 0,
                width: share,
            },
            true => Interval {
                start: share,
                width: 0u32.wrapping_sub(share),
            },
        }
    }

    fn learn(&mut self, lane: usize, right: bool, symbol: usize) {
        self.counts(lane)[usize::from(right)] += 4;
        self.last[lane] = right;
        self.trail = (self.trail * 5 + symbol) % 1024;
    }
}

fn guess(scores: &Scores<'_>) -> usize {
    let best = scores.logits.iter().position(|&logit| logit == scores.max);
    best.expect("the largest is among them")
}

impl Stage for FirstGuess {
    fn reduce(&self, scores: &Scores<'_>, symbol: usize, kept: &mut Vec<u32>) {
        let right = symbol == guess(scores);
        kept.push(right.into());
        if !right {
            let interval = scores.of(symbol).interval;
            kept.extend([interval.start, interval.width]);
        }
    }

    fn encoding(&self, lanes: usize) -> Box<dyn Encoding + '_> {
        Box::new(ToBytes(Learnt::new(lanes), Encoder::new()))
    }

    fn decoding<'a>(&'a self, lanes: usize, coded: &'a [u8]) -> Box<dyn Decoding + 'a> {
        Box::new(FromBytes(Learnt::new(lanes), Decoder::new(coded)))
    }
}

struct ToBytes(Learnt, Encoder);

impl Encoding for ToBytes {
    fn encode(&mut self, lane: usize, symbol: CodedSymbol, kept: &[u32]) -> Cost {
        let Self(learnt, encoder) = self;
        let right = kept[0] == 1;
        let mut intervals = vec![learnt.interval(lane, right)];
        if let [_, start, width] = *kept {
            intervals.push(Interval { start, width });
        }
        intervals.extend(symbol.byte.map(Interval::of_byte));
        for &interval in &intervals {
            encoder.encode(interval).unwrap();
        }
        learnt.learn(lane, right, symbol.number);
        Cost::from_bits(intervals.iter().map(|i| i.bits() as u32).sum())
    }

    fn finish(self: Box<Self>) -> Vec<u8> {
        self.1.finish()
    }
}

struct FromBytes<'a>(Learnt, Decoder<'a>);

impl Decoding for FromBytes<'_> {
    fn decode(&mut self, lane: usize, scores: &Scores<'_>) -> Result<CodedSymbol, String> {
        let Self(learnt, decoder) = self;
        let mut decode = || {
            let point = decoder.point()?;
            let right = point >= learnt.interval(lane, true).start;
            decoder.take(learnt.interval(lane, right))?;
            let number = match right {
                true => guess(scores),
                false => decoder.decode(&scores.distribution())?,
            };
            let escape = number == scores.logits.len();
            let byte = escape.then(|| decoder.decode_byte()).transpose()?;
            learnt.learn(lane, right, number);
            Ok(CodedSymbol { number, byte })
        };
        decode().map_err(|error: lmz_coder::CoderError| error.to_string())
    }
}

/// The CPU's lanes as those of a device that works ahead, and fails at a pass.
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
        if self.2.fetch_add(1, Ordering::Relaxed) >= self.1 {
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

/// Groups of different numbers of lanes of different lengths, with escapes among their symbols.
fn groups() -> Vec<Vec<Vec<u8>>> {
    let text = std::fs::read(repository("corpora/alice29.txt")).unwrap();
    let mut at = 1000;
    let sizes: [&[usize]; 5] = [
        &[300, 120, 301, 40],
        &[90],
        &[200, 1, 77],
        &[64; 4],
        &[10, 250],
    ];
    let mut groups = Vec::new();
    for sizes in sizes {
        let mut group = Vec::new();
        for &size in sizes {
            let mut raw = text[at..at + size].to_vec();
            raw[size / 2] = 0xff;
            group.push(raw);
            at += size;
        }
        groups.push(group);
    }
    groups
}

fn coded(drive: &Drive<'_>, groups: &[Vec<Vec<u8>>]) -> Vec<Vec<u8>> {
    let lanes: Vec<Vec<&[u8]>> = groups
        .iter()
        .map(|group| group.iter().map(|raw| &raw[..]).collect())
        .collect();
    let lanes: Vec<&[&[u8]]> = lanes.iter().map(|group| &group[..]).collect();
    let coded = drive.encode_groups(&FirstGuess, &lanes).unwrap();
    coded.into_iter().map(|coded| coded.bytes).collect()
}

fn jobs<'a>(coded: &'a [Vec<u8>], groups: &[Vec<Vec<u8>>]) -> Vec<Job<'a>> {
    let jobs = coded.iter().zip(groups);
    jobs.map(|(coded, group)| Job {
        coded,
        raw_lens: group.iter().map(Vec::len).collect(),
    })
    .collect()
}

#[test]
fn lanes_in_lock_step_teach_one_stage() {
    let model = Model::open(&repository("tests/models/stories260K.lmzm")).unwrap();
    let groups = groups();
    // Blocks with an overlap, several in a lane.
    let policy = ContextPolicy::new(48, 11).unwrap();
    let prime = model.tokenizer().unwrap().encode(b"Once upon a time");
    for shown in [
        Shown::default(),
        Shown::new(&prime, model.engine().start_token()),
    ] {
        let expected = coded(&Drive::new(&model, policy, &shown, &()), &groups);
        let plain = Drive::new(&model, policy, &shown, &());
        let alone: Vec<&[u8]> = groups.iter().flatten().map(|raw| &raw[..]).collect();
        let alone = plain.encode(&alone).unwrap();
        let [staged, alone] = [
            expected.iter().map(Vec::len).sum::<usize>(),
            alone.iter().map(|coded| coded.bytes.len()).sum(),
        ];
        assert!(staged != alone, "nothing was learnt");
        for (threads, lanes, fails_at) in [
            (1, 0, 0),
            (2, 0, 0),
            (3, 0, 0),
            (2, 4, usize::MAX),
            (2, 9, usize::MAX),
            (1, 20, usize::MAX),
            (2, 9, 3),
            (2, 8, 40),
            // No room for a group.
            (2, 3, usize::MAX),
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
                let model = on();
                let drive = Drive::new(&model, policy, &shown, &());
                assert_eq!(coded(&drive, &groups), expected, "{what}");
                let model = on();
                let drive = Drive {
                    stage: Some(&FirstGuess),
                    ..Drive::new(&model, policy, &shown, &())
                };
                let decoded = drive.decode(&jobs(&expected, &groups), Phase::Decode);
                for (decoded, group) in decoded.unwrap().into_iter().zip(&groups) {
                    assert_eq!(decoded.unwrap(), group.concat(), "{what}");
                }
                assert_eq!(
                    model.device_name().is_none(),
                    lanes < 4 || fails_at < usize::MAX
                );
            });
        }
    }
}

#[test]
fn a_damaged_group_fails_alone() {
    let model = Model::open(&repository("tests/models/stories260K.lmzm")).unwrap();
    let groups = groups();
    let policy = ContextPolicy::new(48, 11).unwrap();
    let shown = Shown::default();
    let drive = Drive {
        stage: Some(&FirstGuess),
        ..Drive::new(&model, policy, &shown, &())
    };
    let mut coded = coded(&drive, &groups);
    coded[2][1] ^= 0x55;
    let decoded = drive.decode(&jobs(&coded, &groups), Phase::Decode).unwrap();
    for (number, (decoded, group)) in decoded.into_iter().zip(&groups).enumerate() {
        assert_eq!(decoded == Ok(group.concat()), number != 2, "{number}");
    }
}
