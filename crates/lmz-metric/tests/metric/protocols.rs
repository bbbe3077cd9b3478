//! Figures of the protocols against sums written out by hand.

use std::f64::consts::LN_2;

use lmz_metric::{
    Batches, DocumentPlanner, MetricError, PaperPlanner, Plan, ScoreError, Scorer, Sliding, Stream,
    StreamSegment, StreamWindow, Sums, Tokenize, Window, run,
};
use proptest::prelude::*;

use crate::common::{Bytes, Counter, surprisals};

fn paper(texts: &[String], window: usize, stride: usize) -> Plan {
    let mut planner = PaperPlanner::new(Sliding::new(window, stride).unwrap());
    for text in texts {
        planner.push(text, &Bytes.encode(text).unwrap());
    }
    planner.finish()
}

fn document(texts: &[String], window: usize, stride: usize) -> Plan {
    let mut planner = DocumentPlanner::new(Sliding::new(window, stride).unwrap(), 256);
    for text in texts {
        planner.push(text, &Bytes.encode(text).unwrap());
    }
    planner.finish()
}

fn score(plan: &Plan, mut scorer: Counter) -> Sums {
    let batches = Batches::for_scorer(plan, &scorer);
    run(plan, &batches, &mut scorer, None, &()).unwrap().sums
}

/// The protocol once more, token by token: which context each is predicted from.
fn paper_by_hand(texts: &[String], window: usize, stride: usize) -> (f64, usize) {
    let row: Vec<u32> = texts
        .iter()
        .flat_map(|text| Bytes.encode(text).unwrap().ids)
        .collect();
    let (mut nats, mut scored) = (0.0, 0);
    for at in 1..row.len() {
        let start = if at <= window {
            0
        } else {
            // The first window that reaches this token.
            let number = (at - window).div_ceil(stride);
            if number * stride + window >= row.len() {
                break;
            }
            number * stride
        };
        nats += f64::from(surprisals(&row[start..=at])[at - start - 1] as f32);
        scored += 1;
    }
    (nats, scored)
}

fn texts() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec("[a-cäé ]{0,40}", 0..8)
}

proptest! {
    #[test]
    fn the_paper_s_protocol_token_by_token(
        texts in texts(),
        (window, stride) in (1usize..30).prop_flat_map(|window| (Just(window), 1..=window)),
    ) {
        let plan = paper(&texts, window, stride);
        let (nats, scored) = paper_by_hand(&texts, window, stride);
        prop_assert_eq!(plan.counts.scored as usize, scored);
        prop_assert_eq!(plan.counts.scored + plan.counts.dropped, (plan.tokens.len() as u64).saturating_sub(1).max(plan.counts.dropped));
        let bytes: usize = texts.iter().map(String::len).sum();
        let characters: usize = texts.iter().map(|text| text.chars().count()).sum();
        prop_assert_eq!((plan.bytes(), plan.characters()), (bytes as u64, characters as u64));
        if scored == 0 {
            return Ok(());
        }
        let sums = score(&plan, Counter::new(3));
        prop_assert!((sums.nats - nats).abs() <= 1e-9 * nats.abs(), "{} {}", sums.nats, nats);
        let units: f64 = sums.units.iter().sum();
        prop_assert!((units - nats).abs() <= 1e-9 * nats);
    }

    #[test]
    fn the_dropped_tail_is_the_text_after_the_last_scored_token(
        texts in texts(),
        (window, stride) in (1usize..30).prop_flat_map(|window| (Just(window), 1..=window)),
    ) {
        let plan = paper(&texts, window, stride);
        let end = plan.tokens.len() - plan.counts.dropped as usize;
        // Every token's text, as the tokenizer says where it ends.
        let (mut characters, mut bytes) = (0, 0);
        let mut at = 0;
        for text in &texts {
            let ends = Bytes.encode(text).unwrap().ends;
            let kept = ends.iter().take(end.saturating_sub(at));
            let kept = kept.copied().max().unwrap_or(0);
            if plan.counts.scored == 0 || kept < text.len() {
                let kept = if plan.counts.scored == 0 { 0 } else { kept };
                characters += text[kept..].chars().count() as u64;
                bytes += (text.len() - kept) as u64;
            }
            at += ends.len();
        }
        prop_assert_eq!(plan.tail.characters, characters);
        prop_assert_eq!(plan.tail.bytes, bytes);
    }

    #[test]
    fn documents_are_scored_whole_and_alone(
        texts in texts(),
        (window, stride) in (1usize..30).prop_flat_map(|window| (Just(window), 1..=window)),
    ) {
        let plan = document(&texts, window, stride);
        let tokens: usize = texts.iter().map(String::len).sum();
        prop_assert_eq!(plan.counts.scored as usize, tokens);
        prop_assert_eq!(plan.counts.dropped, 0);
        if tokens == 0 {
            return Ok(());
        }
        let sums = score(&plan, Counter::new(4));
        for (text, nats) in texts.iter().zip(&sums.units) {
            if text.is_empty() {
                prop_assert_eq!(*nats, 0.0);
                continue;
            }
            let alone = document(std::slice::from_ref(text), window, stride);
            prop_assert_eq!(score(&alone, Counter::new(1)).nats, *nats);
            if text.len() <= window {
                let whole = surprisals(&Bytes.encode(text).unwrap().ids);
                let whole: f64 = whole.iter().map(|&nats| f64::from(nats as f32)).sum();
                prop_assert!((whole - nats).abs() < 1e-9 * whole);
            }
        }
    }

    #[test]
    fn other_batches_agree(texts in texts(), batch in 1usize..9) {
        let plans = [paper(&texts, 12, 5), document(&texts, 12, 5)];
        for plan in plans.iter().filter(|plan| !plan.spans.is_empty()) {
            let reference = score(plan, Counter::new(1));
            prop_assert_eq!(&reference, &score(plan, Counter::new(batch)));
            let jitter = Counter { jitter: true, ..Counter::new(batch) };
            let jittery = score(plan, jitter).nats;
            prop_assert!((jittery / reference.nats - 1.0).abs() < 1e-6);
        }
    }
}

#[test]
fn corpora_around_the_size_of_a_window() {
    // A special token and 9 bytes, so ten tokens.
    let text = ["abcabcabc".to_owned()];
    for (window, scored, dropped) in [(20, 9, 0), (10, 9, 0), (9, 9, 0), (8, 8, 1), (4, 8, 1)] {
        let plan = paper(&text, window, 4.min(window));
        let counts = &plan.counts;
        assert_eq!(
            (counts.scored, counts.dropped),
            (scored, dropped),
            "{window}"
        );
    }
}

#[test]
fn an_empty_corpus_is_an_error_and_not_a_figure() {
    for plan in [
        paper(&[], 4, 2),
        paper(&[String::new()], 4, 2),
        document(&[], 4, 2),
    ] {
        let batches = Batches::for_scorer(&plan, &Counter::new(1));
        let run = run(&plan, &batches, &mut Counter::new(1), None, &());
        assert!(matches!(run, Err(MetricError::NothingToScore(_))));
    }
}

#[test]
fn a_stream_is_what_its_codec_says() {
    let window = |tokens: &[u32], scored, escaped: &[usize]| StreamWindow {
        tokens: tokens.to_vec(),
        scored,
        escaped: escaped.to_vec(),
    };
    let stream = Stream {
        segments: vec![
            StreamSegment {
                bytes: 4,
                characters: 3,
                windows: vec![window(&[9, 1, 2], 2, &[]), window(&[9, 2, 9, 3], 2, &[2])],
                extra_bits: 40.0,
            },
            StreamSegment {
                bytes: 2,
                characters: 2,
                windows: vec![window(&[9, 4, 5], 2, &[])],
                extra_bits: 0.0,
            },
        ],
    };
    let plan = stream.plan().unwrap();
    assert_eq!((plan.bytes(), plan.characters()), (6, 5));
    assert_eq!((plan.counts.scored, plan.counts.escaped_bytes), (5, 1));
    let nats = |tokens: &[u32]| surprisals(tokens).into_iter().map(|n| f64::from(n as f32));
    let first: f64 = nats(&[9, 1, 2]).sum();
    let second = nats(&[9, 2, 9, 3]).next_back().unwrap();
    let third: f64 = nats(&[9, 4, 5]).sum();
    let sums = score(&plan, Counter::new(2));
    assert_eq!(sums.units[1], third);
    assert!((sums.units[0] - (first + second + 40.0 * LN_2)).abs() < 1e-9);
    assert!((sums.nats - sums.units.iter().sum::<f64>()).abs() < 1e-9);

    let too_much = Stream {
        segments: vec![StreamSegment {
            windows: vec![window(&[1, 2], 2, &[])],
            ..Default::default()
        }],
    };
    assert!(too_much.plan().is_err());
}

/// Answers whatever it is told to.
struct Parrot(Vec<Vec<f32>>);

impl Scorer for Parrot {
    fn batch(&self, _tokens: usize) -> usize {
        usize::MAX
    }
    fn surprisals(&mut self, _windows: &[Window<'_>]) -> Result<Vec<Vec<f32>>, ScoreError> {
        Ok(self.0.clone())
    }
}

#[test]
fn nonsense_of_an_engine_is_an_error() {
    let plan = paper(&["abcd".into()], 8, 4);
    for answer in [
        vec![],
        vec![vec![1.0; 3]],
        vec![vec![1.0; 4], vec![]],
        vec![vec![1.0, f32::NAN, 1.0, 1.0]],
        vec![vec![1.0, f32::INFINITY, 1.0, 1.0]],
        vec![vec![1.0, -1.0, 1.0, 1.0]],
    ] {
        let mut scorer = Parrot(answer);
        let batches = Batches::for_scorer(&plan, &scorer);
        let error = run(&plan, &batches, &mut scorer, None, &()).unwrap_err();
        assert!(matches!(error, MetricError::Answer(_)), "{error}");
    }
    let mut scorer = Parrot(vec![vec![1.0, 0.0, 2.0, -1e-7]]);
    let batches = Batches::for_scorer(&plan, &scorer);
    assert!(run(&plan, &batches, &mut scorer, None, &()).is_ok());
}
