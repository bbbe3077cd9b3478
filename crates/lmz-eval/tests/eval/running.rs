//! Runs: independent of batches and order, killed and continued.

use std::cell::Cell;

use lmz_eval::data::DataDirectory;
use lmz_eval::prompt::{Item, Selection, Work, items};
use lmz_eval::run::{Journal, RunIdentity, answer};
use lmz_eval::task::{Output, Task};
use lmz_eval::{Answer, Answered, EvalError, Progress};

use super::common::{Bytes, data, task};

fn some(name: &str, limit: usize) -> (Task, Vec<Item>) {
    let task = task(name);
    let directory = data();
    let data = DataDirectory::new(Some(directory.path()));
    let selection = Selection {
        limit: Some(limit),
        ..Selection::default()
    };
    let items = items(&task, &data, selection).unwrap().items;
    (task, items)
}

fn identity() -> RunIdentity {
    RunIdentity {
        lmz: "1".into(),
        model: "m".into(),
        tokenizer: "t".into(),
        engine: "none".into(),
        task: "task 1".into(),
        prompts: "p".into(),
    }
}

#[test]
fn answers_do_not_depend_on_batches_or_order() {
    for name in [
        "blimp",
        "arc_challenge",
        "mmlu",
        "mmlu_cloze",
        "hellaswag",
        "lambada_openai",
        "gsm8k",
    ] {
        let (task, items) = some(name, 3);
        let mut model = Bytes::new();
        let expected = answer(&mut model, &task, &items, None, &()).unwrap();
        for (batch, shares, packs) in [
            (1, true, false),
            (1, false, false),
            (3, true, false),
            (100, false, false),
            (3, true, true),
        ] {
            let mut model = Bytes {
                batch,
                shares,
                packs,
                ..Bytes::new()
            };
            let found = answer(&mut model, &task, &items, None, &()).unwrap();
            assert_eq!(found, expected, "{name}: {batch} {shares} {packs}");
        }
        let mut backwards = items.clone();
        backwards.reverse();
        let mut found = answer(&mut Bytes::new(), &task, &backwards, None, &()).unwrap();
        found.reverse();
        assert_eq!(found, expected, "{name}: backwards");
    }
}

#[test]
fn a_run_that_is_killed_goes_on_and_gives_the_same() {
    // Before it is done: choices of one question are asked for in few calls.
    // Texts of a batch are written by one call.
    for (name, fails_after) in [("blimp", 6), ("arc_challenge", 4), ("gsm8k", 1)] {
        let (task, items) = some(name, 4);
        let expected = answer(&mut Bytes::new(), &task, &items, None, &()).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal.jsonl");
        let mut calls = 0;
        let mut died = 0;
        let found = loop {
            let mut journal = Journal::open(&path, identity(), true).unwrap();
            // Another batch than before would be another result.
            let mut model = Bytes {
                fails_after,
                batch: 2 + died,
                ..Bytes::new()
            };
            let found = answer(&mut model, &task, &items, Some(&mut journal), &());
            calls += model.calls;
            match found {
                Ok(found) => break found,
                Err(error) => assert!(matches!(error, EvalError::Model(_)), "{error}"),
            }
            drop(journal);
            died += 1;
            assert!(died < 200);
            // A record that was not whole.
            use std::io::Write;
            let mut file = std::fs::File::options().append(true).open(&path).unwrap();
            file.write_all(b"0badc0de {\"batch\": 1").unwrap();
        };
        assert_eq!(found, expected, "{name}");
        assert!(died > 0 && calls > fails_after, "{name}: {died} {calls}");
    }
}

#[test]
fn a_journal_continues_only_its_own_run() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.jsonl");
    let (task, items) = some("blimp", 1);
    let mut journal = Journal::open(&path, identity(), false).unwrap();
    answer(&mut Bytes::new(), &task, &items, Some(&mut journal), &()).unwrap();
    assert!(
        Journal::open(&path, identity(), true)
            .err()
            .unwrap()
            .to_string()
            .contains("in use")
    );
    drop(journal);
    let error = Journal::open(&path, identity(), false).err().unwrap();
    assert!(error.to_string().contains("--resume"), "{error}");
    let other = RunIdentity {
        model: "other".into(),
        ..identity()
    };
    let error = Journal::open(&path, other, true).err().unwrap();
    assert!(
        error
            .to_string()
            .contains("model was \"m\", and is \"other\""),
        "{error}"
    );
}

#[test]
fn prompts_that_are_too_long_lose_whole_examples_from_the_left() {
    let (task, items) = some("arc_challenge", 2);
    let whole = items[0].question.text(0).len();
    let mut model = Bytes {
        context: whole / 2,
        ..Bytes::new()
    };
    let found = answer(&mut model, &task, &items, None, &()).unwrap();
    let Answered { dropped, cut, .. } = found[0];
    assert!((12..=14).contains(&dropped) && !cut, "{dropped}");
    // What is left begins with an example, whole.
    assert!(items[0].question.text(dropped).starts_with("Question: "));
    let mut model = Bytes {
        context: 30,
        ..Bytes::new()
    };
    let found = answer(&mut model, &task, &items, None, &()).unwrap();
    assert!(found.iter().all(|one| one.dropped == 25 && one.cut));
}

#[test]
fn a_shared_beginning_is_read_once() {
    struct Tokens(Cell<u64>);
    impl Progress for Tokens {
        fn planned(&self, all: u64, _: Option<f64>) {
            self.0.set(all);
        }
    }
    let (task, items) = some("arc_challenge", 6);
    let planned = |shares, packs| {
        let tokens = Tokens(Cell::new(0));
        let mut model = Bytes {
            shares,
            packs,
            ..Bytes::new()
        };
        answer(&mut model, &task, &items, None, &tokens).unwrap();
        tokens.0.get()
    };
    let not = planned(false, false);
    for packs in [false, true] {
        let shared = planned(true, packs);
        assert!(shared * 10 < not, "{shared} {not}");
    }
}

#[test]
fn a_long_text_goes_through_in_windows() {
    let text = "forty bytes of a text with ä, ö and ü";
    let bytes = text.len();
    assert_eq!(bytes, 40);
    let mut task = task("lambada_openai");
    task.output = Output::Rolling;
    let (_, mut items) = some("lambada_openai", 1);
    items[0].work = Work::Rolling(text.into());
    let mut logs = Vec::new();
    // One window; windows without rest; with one.
    for context in [40, 20, 10, 16] {
        let mut model = Bytes {
            context,
            ..Bytes::new()
        };
        let found = answer(&mut model, &task, &items, None, &()).unwrap();
        let Answer::Likelihoods(one) = &found[0].answer else {
            panic!("no likelihoods");
        };
        assert_eq!((one.len(), found[0].cut), (1, false));
        logs.push(one[0].log);
    }
    // The model looks back two tokens: only the first of a window, behind one token, is another.
    let whole = Bytes::surprise(text.as_bytes(), 0..40, 0);
    let parts = |ends: &[usize]| -> f64 {
        let starts = [&[0], ends].concat();
        let each = starts.iter().zip(ends);
        each.map(|(&start, &end)| Bytes::surprise(text.as_bytes(), start..end, start))
            .sum()
    };
    assert_eq!(logs[0], -whole);
    assert_eq!(logs[1], -parts(&[20, 40]));
    assert_eq!(logs[2], -parts(&[10, 20, 30, 40]));
    // The last window reaches back as far as it can.
    let last = Bytes::surprise(text.as_bytes(), 32..40, 24);
    assert_eq!(logs[3], -(parts(&[16, 32]) + last));
}

#[test]
fn a_text_ends_before_its_stop() {
    let (task, items) = some("nq_open", 2);
    let found = answer(&mut Bytes::new(), &task, &items, None, &()).unwrap();
    for one in found {
        let Answer::Text(written) = one.answer else {
            panic!("no text");
        };
        assert!(
            written.text.ends_with("is what I say"),
            "{:?}",
            written.text
        );
    }
}
