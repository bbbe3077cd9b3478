//! Shards of a run against the undivided run.

use lmz_metric::{
    Batches, Census, CorpusIdentity, EngineIdentity, Identity, ModelIdentity, Outcome,
    PaperPlanner, Plan, Protocol, ProtocolIdentity, Report, ReportFacts, Shard, Sliding, Tokenize,
    WindowSums, run, run_part,
};
use proptest::prelude::*;

use crate::common::{Bytes, Counter};

fn plan(texts: &[String]) -> Plan {
    let mut planner = PaperPlanner::new(Sliding::new(24, 10).unwrap());
    for text in texts {
        planner.push(text, &Bytes.encode(text).unwrap());
    }
    planner.finish()
}

fn facts(plan: &Plan) -> ReportFacts {
    let census = Census {
        characters: plan.characters(),
        bytes: plan.bytes(),
        ..Census::default()
    };
    ReportFacts {
        identity: Identity {
            lmz: "0.0.0".into(),
            model: ModelIdentity {
                kind: "checkpoint".into(),
                hash: "00".into(),
                tokenizer: "bytes".into(),
                tokenizer_hash: "00".into(),
            },
            corpus: CorpusIdentity::from(&census),
            protocol: ProtocolIdentity {
                name: Protocol::Paper,
                window: 24,
                stride: 10,
            },
            engine: EngineIdentity {
                device: "none".into(),
                dtype: "f32".into(),
            },
        },
        model_name: "counter".into(),
        corpus_path: "none".into(),
        census,
        elapsed_seconds: 0.0,
        notes: vec![],
    }
}

/// An engine whose answers depend on the shape of the batch in their last bits.
fn engine() -> Counter {
    let mut engine = Counter::new(3);
    engine.jitter = true;
    engine
}

fn scored(plan: &Plan, shard: Shard) -> WindowSums {
    let mut engine = engine();
    let batches = Batches::for_scorer(plan, &engine);
    let part = run_part(plan, &batches.shard(shard), &mut engine, None, &()).unwrap();
    WindowSums::new(plan, &part, shard, batches.sizes(), &facts(plan))
}

/// Without what differs from run to run.
fn timeless(mut report: Report) -> Report {
    report.time.scoring_seconds = 1.0;
    report.time.tokens_per_second = 1.0;
    report.time.scored_per_second = 1.0;
    report
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn shards_come_to_the_undivided_figure_bit_for_bit(
        texts in prop::collection::vec("[a-dä ]{0,80}", 1..8),
        count in 1u32..7,
    ) {
        let plan = plan(&texts);
        prop_assume!(!plan.spans.is_empty());
        let mut engine = engine();
        let batches = Batches::for_scorer(&plan, &engine);
        let outcome: Outcome = run(&plan, &batches, &mut engine, None, &()).unwrap();
        let whole = Report::new(&plan, &outcome, facts(&plan));

        let mut shards: Vec<WindowSums> = (1..=count)
            .map(|index| scored(&plan, format!("{index}/{count}").parse().unwrap()))
            .collect();
        // In another order, and one of them twice, as when two machines took the same task.
        shards.reverse();
        shards.push(shards[0].clone());
        let directory = tempfile::tempdir().unwrap();
        let read = shards.iter().map(|shard| {
            shard.write(directory.path()).unwrap();
            WindowSums::read(directory.path()).unwrap()
        });
        let merged = WindowSums::merge(read.collect()).unwrap();
        let report = merged.report().unwrap();
        prop_assert_eq!(report.figures.nats.to_bits(), whole.figures.nats.to_bits());
        prop_assert_eq!(timeless(report), timeless(whole));
        let documents = merged.documents().unwrap();
        prop_assert_eq!(documents.len(), texts.len());
        let bits: f64 = documents.iter().map(|document| document.bits).sum();
        prop_assert!((bits - outcome.sums.nats / std::f64::consts::LN_2).abs() < 1e-6);
    }
}

#[test]
fn what_is_no_whole_is_an_error() {
    let texts: Vec<String> = (0..9)
        .map(|i| format!("document {i}, ").repeat(4))
        .collect();
    let plan = plan(&texts);
    let shard = |text: &str| scored(&plan, text.parse().unwrap());
    let error = |shards: Vec<WindowSums>| WindowSums::merge(shards).unwrap_err().to_string();
    assert!(error(vec![shard("1/3"), shard("3/3")]).contains("shard 2/3 is missing"));
    assert!(error(vec![shard("1/2"), shard("2/3")]).contains("not one of 2"));
    assert!(error(vec![]).contains("no shards"));
    let mut other = shard("2/2");
    other.identity.model.hash = "01".into();
    assert!(error(vec![shard("1/2"), other]).contains("model hash"));
    assert!(shard("1/2").report().is_err(), "half a run has no figure");
}
