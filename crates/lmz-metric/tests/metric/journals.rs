//! Runs that are killed and go on.

use std::fs;
use std::path::Path;

use lmz_metric::{
    BatchSizes, Batches, Census, CorpusIdentity, EngineIdentity, Identity, JOURNAL_FILE, Journal,
    MetricError, ModelIdentity, PaperPlanner, Plan, Protocol, ProtocolIdentity, Report,
    ReportFacts, Result, RunHeader, Sliding, TimeFigures, Tokenize, run,
};
use tempfile::tempdir;

use crate::common::{Bytes, Counter};

fn plan() -> Plan {
    let mut planner = PaperPlanner::new(Sliding::new(40, 16).unwrap());
    for text in ["the first document, ", "another ", "and a third one. "] {
        let text = text.repeat(9);
        planner.push(&text, &Bytes.encode(&text).unwrap());
    }
    planner.finish()
}

fn identity() -> Identity {
    Identity {
        lmz: "0.0.0".into(),
        model: ModelIdentity {
            kind: "checkpoint".into(),
            hash: "00".into(),
            tokenizer: "bytes".into(),
            tokenizer_hash: "00".into(),
        },
        corpus: CorpusIdentity::from(&Census::default()),
        protocol: ProtocolIdentity {
            name: Protocol::Paper,
            window: 40,
            stride: 16,
        },
        engine: EngineIdentity {
            device: "none".into(),
            dtype: "f32".into(),
        },
    }
}

/// What `lmz bpc --out` does.
fn attempt(dir: &Path, identity: Identity, mut scorer: Counter, resume: bool) -> Result<Report> {
    let plan = plan();
    let wanted = Batches::for_scorer(&plan, &scorer).sizes();
    let header = RunHeader::new(identity.clone(), plan.hash(), wanted);
    let mut journal = Journal::open(dir, &header, resume)?;
    let batches = Batches::of_sizes(&plan, journal.batches()).unwrap();
    let outcome = run(&plan, &batches, &mut scorer, Some(&mut journal), &())?;
    let facts = ReportFacts {
        identity,
        model_name: "counter".into(),
        corpus_path: "none".into(),
        census: Census::default(),
        elapsed_seconds: 0.0,
        notes: vec![],
    };
    let report = Report::new(&plan, &outcome, facts);
    report.write(dir)?;
    Ok(report)
}

/// The JSON of a report, but for the time that it took.
fn timeless(mut report: Report) -> String {
    report.time = TimeFigures {
        scoring_seconds: 0.0,
        elapsed_seconds: 0.0,
        tokens_per_second: 0.0,
        scored_per_second: 0.0,
        resumed_batches: 0,
    };
    report.to_json()
}

fn jittery(batch: usize) -> Counter {
    Counter {
        jitter: true,
        ..Counter::new(batch)
    }
}

#[test]
fn a_run_killed_at_any_byte_gives_the_same_result() {
    let whole = tempdir().unwrap();
    let report = timeless(attempt(whole.path(), identity(), jittery(3), false).unwrap());
    let journal = fs::read(whole.path().join(JOURNAL_FILE)).unwrap();
    let records = journal.iter().filter(|&&byte| byte == b'\n').count();
    assert!(records > 6, "a header and several batches");
    let dir = tempdir().unwrap();
    // Batches of another size would give another last digit: the journal's are kept.
    let other = timeless(attempt(dir.path(), identity(), jittery(2), false).unwrap());
    assert_ne!(other, report);
    for length in 0..=journal.len() {
        // In the header every tenth byte will do.
        let is_end = length > 0 && journal[length - 1] == b'\n';
        if !is_end && length % 10 != 0 {
            continue;
        }
        fs::write(dir.path().join(JOURNAL_FILE), &journal[..length]).unwrap();
        let has_header = journal[..length].contains(&b'\n');
        let scorer = jittery(if has_header { 2 } else { 3 });
        let resumed = attempt(dir.path(), identity(), scorer, true).unwrap();
        assert_eq!(timeless(resumed), report, "killed at byte {length}");
        let file = fs::read_to_string(dir.path().join("result.json")).unwrap();
        let file: Report = serde_json::from_str(&file).unwrap();
        assert_eq!(timeless(file), report);
    }
}

#[test]
fn an_engine_that_fails_leaves_a_run_that_goes_on() {
    let whole = tempdir().unwrap();
    let report = timeless(attempt(whole.path(), identity(), jittery(1), false).unwrap());
    let dir = tempdir().unwrap();
    for (round, fails_after) in [2, 0, 3, 1].into_iter().enumerate() {
        let scorer = Counter {
            fails_after,
            ..jittery(1)
        };
        let failed = attempt(dir.path(), identity(), scorer, round > 0);
        assert!(matches!(failed, Err(MetricError::Scorer(_))), "{failed:?}");
    }
    let resumed = attempt(dir.path(), identity(), jittery(1), true).unwrap();
    assert_eq!(resumed.time.resumed_batches, 6);
    assert_eq!(timeless(resumed), report);
    // Once more: nothing is left to do.
    let scorer = Counter {
        fails_after: 0,
        ..jittery(1)
    };
    let again = attempt(dir.path(), identity(), scorer, true).unwrap();
    assert_eq!(timeless(again), report);
}

#[test]
fn another_run_is_not_continued() {
    let dir = tempdir().unwrap();
    attempt(dir.path(), identity(), Counter::new(2), false).unwrap();
    let error = |identity, resume| {
        let again = attempt(dir.path(), identity, Counter::new(2), resume);
        again.unwrap_err().to_string()
    };
    assert!(error(identity(), false).contains("--resume"));
    let mut other = identity();
    other.engine.dtype = "bf16".into();
    other.protocol.stride = 8;
    let message = error(other, true);
    assert!(
        message.contains("engine dtype was \"f32\" and is now \"bf16\""),
        "{message}"
    );
    assert!(
        message.contains("protocol stride was 16 and is now 8"),
        "{message}"
    );
    let mut other = identity();
    other.model.hash = "01".into();
    assert!(error(other, true).contains("model hash"));
}

#[test]
fn damage_before_the_last_record_is_reported() {
    let dir = tempdir().unwrap();
    attempt(dir.path(), identity(), Counter::new(2), false).unwrap();
    let path = dir.path().join(JOURNAL_FILE);
    let whole = fs::read(&path).unwrap();
    let ends: Vec<usize> = (0..whole.len()).filter(|&at| whole[at] == b'\n').collect();
    for record in 0..ends.len() {
        let mut damaged = whole.clone();
        damaged[ends[record] - 3] ^= 1;
        fs::write(&path, &damaged).unwrap();
        let again = attempt(dir.path(), identity(), Counter::new(2), true);
        if record + 1 == ends.len() {
            assert!(again.is_ok(), "a torn last record is computed again");
        } else {
            assert!(
                matches!(again, Err(MetricError::Journal { .. })),
                "{again:?}"
            );
        }
    }
    // Checksums that are right do not make it this plan's journal.
    let lines: Vec<&[u8]> = whole.split_inclusive(|&byte| byte == b'\n').collect();
    let without_second = [lines[0], lines[2]].concat();
    fs::write(&path, without_second).unwrap();
    let again = attempt(dir.path(), identity(), Counter::new(2), true);
    assert!(
        matches!(again, Err(MetricError::Journal { .. })),
        "{again:?}"
    );
}

#[test]
fn one_run_at_a_time() {
    let dir = tempdir().unwrap();
    let plan = plan();
    let sizes = Batches::for_scorer(&plan, &Counter::new(2)).sizes();
    let header = RunHeader::new(identity(), plan.hash(), sizes);
    let _journal = Journal::open(dir.path(), &header, false).unwrap();
    let second = Journal::open(dir.path(), &header, true);
    assert!(
        matches!(second, Err(MetricError::Busy { .. })),
        "{second:?}"
    );
}

#[test]
fn batch_sizes_must_fit_the_plan() {
    let plan = plan();
    let spans = plan.spans.len() as u64;
    let fits =
        |sizes: &[(u64, u64)]| Batches::of_sizes(&plan, &BatchSizes(sizes.to_vec())).is_some();
    assert!(fits(&[(1, spans)]) && fits(&[(spans, 1)]) && fits(&[(1, 3), (spans - 3, 1)]));
    assert!(!fits(&[(1, spans + 1)]) && !fits(&[(1, spans - 1)]) && !fits(&[]));
    assert!(!fits(&[(1, spans), (1, 0)]) && !fits(&[(u64::MAX, 0), (1, spans)]));
    assert!(!fits(&[(u64::MAX, u64::MAX)]) && !fits(&[(u64::MAX / spans + 1, spans)]));
}
