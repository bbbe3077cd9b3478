//! The ledger against files of every kind, and against engines that are known to be off.

use std::io::Cursor;

use lmz_codec::trace::{TraceOptions, Tracer};
use lmz_codec::{CodecError, CompressOptions, ErrorKind, Mix, Model, SegmentPlan, compress};
use lmz_metric::ledger::{Bits, Ledger, LedgerError, Restored, Step, reconcile};
use lmz_metric::{ScoreError, Scorer, Window};
use lmz_testkit::{noise, repository};

const STORY: &str = "Once upon a time, there was a little girl named Lily. She loved to play with her \
    red ball in the park. One day, her mom said, \"Lily, it is time to go home.\" Lily was sad. ";

fn model() -> Model {
    Model::open(&repository("tests/models/stories260K.lmzm")).unwrap()
}

fn packed(raw: &[u8], segment: u64) -> Vec<u8> {
    packed_as(raw, segment, Mix::None)
}

fn packed_as(raw: &[u8], segment: u64, mix: Mix) -> Vec<u8> {
    let options = CompressOptions {
        context: Some(64),
        overlap: Some(16),
        plan: SegmentPlan::fixed(segment).unwrap(),
        mix,
        threads: 2,
        verify: false,
        ..Default::default()
    };
    let mut file = Vec::new();
    compress(raw, &mut file, &model(), &options, &()).unwrap();
    file
}

fn ledger(
    file: &[u8],
    scorer: Option<&mut dyn Scorer>,
    original: Option<&[u8]>,
) -> Result<Ledger, LedgerError> {
    let model = model();
    let options = TraceOptions {
        threads: 2,
        alternatives: 0,
        ..Default::default()
    };
    let mut tracer = Tracer::open(Cursor::new(file), &model, &options).unwrap();
    match original {
        Some(mut original) => reconcile(&mut tracer, scorer, Some(&mut original), &()),
        None => reconcile(&mut tracer, scorer, None, &()),
    }
}

#[track_caller]
fn adds_up(ledger: &Ledger, file: &[u8]) {
    let sum: Bits = ledger.lines().iter().map(|line| line.bits).sum();
    assert_eq!(sum, Bits(8 * file.len() as i64 * (1 << 24)));
    assert_eq!(ledger.lines().last().unwrap().total, sum);
    assert_eq!(ledger.file_bytes, file.len() as u64);
    // And as JSON.
    let json = serde_json::to_value(ledger.report()).unwrap();
    let units = |line: &serde_json::Value| line["units"].as_i64().unwrap();
    let lines = json["lines"].as_array().unwrap();
    let sum: i64 = lines.iter().map(units).sum();
    assert_eq!(sum, 8 * file.len() as i64 * (1 << 24));
}

#[test]
fn lines_add_up_to_the_file() {
    let mixed = [
        STORY.repeat(3).as_bytes(),
        &[0; 3000],
        &noise(1500, 1),
        "Grüße, 世界".as_bytes(),
    ]
    .concat();
    let cases: [(&str, Vec<u8>, u64); 6] = [
        ("text", STORY.repeat(8).into_bytes(), 700),
        ("one segment", STORY.repeat(2).into_bytes(), 1 << 16),
        ("mixed", mixed, 500),
        ("noise", noise(3000, 1), 1000),
        ("one byte", b"x".to_vec(), 100),
        ("nothing", Vec::new(), 100),
    ];
    for (what, raw, segment) in cases {
        let file = packed(&raw, segment);
        let ledger = ledger(&file, None, Some(&raw)).unwrap_or_else(|e| panic!("{what}: {e}"));
        adds_up(&ledger, &file);
        assert_eq!(ledger.broken(), [], "{what}");
        assert_eq!(ledger.restored, Restored::Compared);
        assert_eq!(ledger.raw_bytes, raw.len() as u64);
        let characters = std::str::from_utf8(&raw)
            .ok()
            .map(|t| t.chars().count() as u64);
        assert_eq!(ledger.characters, characters, "{what}");
    }
}

#[test]
fn what_mixing_takes_off_has_its_line() {
    // A story that is told again and again, never for long in the same words, is more than what is bytes beside it.
    let told: String = (0..12)
        .map(|day| format!("{STORY}That was day {day}. "))
        .collect();
    let raw = [
        told.as_bytes(),
        &noise(5000, 1),
        &(0..900u32)
            .flat_map(|i| (i * i).to_le_bytes())
            .collect::<Vec<u8>>(),
        STORY.as_bytes(),
    ]
    .concat();
    let file = packed_as(&raw, 8000, Mix::Auto);
    let ledger = ledger(&file, None, Some(&raw)).unwrap();
    adds_up(&ledger, &file);
    assert_eq!(ledger.broken(), []);
    assert!(ledger.segments[3] > 1 && ledger.segments[0] == 0);
    let lines = ledger.lines();
    let bits = |step| {
        lines
            .iter()
            .find(|line| line.step == step)
            .unwrap()
            .bits
            .bits()
    };
    assert!(bits(Step::Mixing) < 0.0);
    assert!(bits(Step::Contexts) > 0.0 && bits(Step::Stored) > 8.0 * 4000.0);
    assert_eq!((bits(Step::Frequencies), bits(Step::Coder)), (0.0, 0.0));
    assert!((0.0..40.0).contains(&bits(Step::Seals)));
    // Without groups nothing is said of them.
    let plain = packed(STORY.as_bytes(), 400);
    let plain = self::ledger(&plain, None, None).unwrap();
    assert!(plain.lines().iter().all(|line| line.step != Step::Mixing));
}

#[test]
fn members_are_taken_together() {
    let (a, b) = (packed(STORY.as_bytes(), 400), packed(&noise(600, 1), 400));
    let file = [&a[..], &b, &a].concat();
    let all = ledger(&file, None, None).unwrap();
    adds_up(&all, &file);
    assert_eq!((all.members, all.models.len()), (3, 1));
    assert_eq!(all.restored, Restored::Checksums);
    let one = ledger(&a, None, None).unwrap();
    assert_eq!(all.exact.0, 2 * one.exact.0);
    assert_eq!(all.segments, [2 * one.segments[0], 0, 2, 0]);
}

#[test]
fn another_original_is_noticed() {
    let raw = STORY.repeat(3);
    let file = packed(raw.as_bytes(), 300);
    let mut other = raw.clone().into_bytes();
    other[333] ^= 1;
    let longer = format!("{raw}.");
    for (original, at) in [
        (&other[..], 333),
        (&raw.as_bytes()[..500], 500),
        (longer.as_bytes(), raw.len() as u64),
        (b"", 0),
    ] {
        match ledger(&file, None, Some(original)) {
            Err(LedgerError::Differs { offset }) => assert_eq!(offset, at),
            other => panic!("{other:?}"),
        }
    }
    let mut damaged = file.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    let error = ledger(&damaged, None, Some(raw.as_bytes())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corruption, "{error}");
}

/// Says the same of every token.
struct Flat {
    nats: f32,
    seen: Vec<(Vec<u32>, usize)>,
    answers: usize,
}

impl Scorer for Flat {
    fn batch(&self, tokens: usize) -> usize {
        200 / tokens.max(1) + 1
    }

    fn surprisals(&mut self, windows: &[Window<'_>]) -> Result<Vec<Vec<f32>>, ScoreError> {
        assert!(!windows.is_empty());
        let longest = windows.iter().map(|w| w.tokens.len()).max().unwrap();
        assert!(windows.len() <= self.batch(longest));
        for window in windows {
            self.seen.push((window.tokens.to_vec(), window.scored));
        }
        let answers = windows.iter().map(|w| vec![self.nats; w.scored]);
        Ok(answers.take(self.answers).collect())
    }
}

fn flat(nats: f32) -> Flat {
    Flat {
        nats,
        seen: Vec::new(),
        answers: usize::MAX,
    }
}

#[test]
fn the_float_engine_sees_the_coded_contexts() {
    let raw = STORY.repeat(20);
    let file = packed(raw.as_bytes(), 1000);
    let model = model();
    let mut scorer = flat(std::f32::consts::LN_2 * 4.0);
    let ledger = ledger(&file, Some(&mut scorer), Some(raw.as_bytes())).unwrap();
    adds_up(&ledger, &file);
    let float = ledger.float.unwrap().bits();
    assert!((float - 4.0 * ledger.tokens as f64).abs() < 1e-3);
    assert_eq!(ledger.lines()[0].step, Step::Float);
    let mut tracer = Tracer::open(Cursor::new(&file), &model, &TraceOptions::default()).unwrap();
    let mut expected = Vec::new();
    while let Some(batch) = tracer.next_batch(&()).unwrap() {
        let contexts = batch.iter().flat_map(|segment| segment.contexts());
        expected.extend(contexts.map(|c| (c.tokens, c.scored)));
    }
    assert_eq!(scorer.seen, expected);
    assert_eq!(
        expected.iter().map(|(_, n)| *n as u64).sum::<u64>(),
        ledger.tokens
    );
    // Four bits a token is far from what the exact engine says, and that is a broken promise.
    let broken = ledger.broken();
    assert_eq!(broken.len(), 1);
    assert_eq!(broken[0].key, "exact_against_float");
    // The exact engine's mean keeps it, to the bound on either side.
    let mean = ledger.exact.bits() / ledger.tokens as f64 * std::f64::consts::LN_2;
    for (factor, kept) in [(1.0, true), (1.004, true), (1.006, false), (0.994, false)] {
        let mut scorer = flat((mean * factor) as f32);
        let ledger = self::ledger(&file, Some(&mut scorer), None).unwrap();
        assert_eq!(ledger.broken().is_empty(), kept, "{factor}");
    }
}

#[test]
fn unusable_answers_are_refused() {
    let file = packed(STORY.as_bytes(), 1000);
    for nats in [f32::NAN, f32::INFINITY, -1.0] {
        let error = ledger(&file, Some(&mut flat(nats)), None).unwrap_err();
        assert!(matches!(error, LedgerError::Answer(_)), "{error}");
    }
    let mut short = flat(1.0);
    short.answers = 0;
    let error = ledger(&file, Some(&mut short), None).unwrap_err();
    assert!(matches!(error, LedgerError::Answer(_)), "{error}");
}

#[test]
fn broken_promises_are_named() {
    let file = packed(STORY.repeat(10).as_bytes(), 1 << 16);
    let sound = ledger(&file, None, None).unwrap();
    assert_eq!(sound.broken(), []);
    let keys = |ledger: &Ledger| -> Vec<&str> { ledger.broken().iter().map(|b| b.key).collect() };
    let mut other = sound.clone();
    other.spent.0 += other.exact.0 / 1000;
    assert_eq!(keys(&other), ["coder_overhead"]);
    let mut other = sound.clone();
    other.coded[0] += 2;
    assert_eq!(keys(&other), ["seals", "container"]);
    let mut other = sound.clone();
    other.container.footer -= 1;
    assert_eq!(keys(&other), ["container"]);
    let mut other = sound;
    other.misrecorded = 1;
    assert_eq!(keys(&other), ["recorded"]);
}

#[test]
fn a_missing_model_is_said() {
    let file = packed(STORY.as_bytes(), 1000);
    let other = repository("models/archive/bootstrap/bootstrap.lmzm");
    let other = Model::open(&other).expect("the archived model");
    let mut tracer = Tracer::open(Cursor::new(file), &other, &TraceOptions::default()).unwrap();
    let error = reconcile(&mut tracer, None, None, &()).unwrap_err();
    assert!(
        matches!(&error, LedgerError::Codec(CodecError::WrongModel { .. })),
        "{error}"
    );
}
