//! Who knows the key scores 100 %, who avoids it 0 %: extraction, metrics and sandbox, without a model.

use lmz_eval::data::DataDirectory;
use lmz_eval::metric::{figures, judged};
use lmz_eval::prompt::{Selection, items};
use lmz_eval::task::{Task, builtin};
use lmz_eval::{Answered, ReferenceAnswers};

use super::common::data;

/// The metrics of answers from the key; a few items of each group.
fn scores(task: &Task, reference: ReferenceAnswers, limit: usize) -> Vec<(String, f64, u64)> {
    let directory = data();
    let data = DataDirectory::new(Some(directory.path()));
    let selection = Selection {
        limit: Some(limit),
        ..Selection::default()
    };
    let prompted = items(task, &data, selection).unwrap();
    let answers: Vec<Answered> = reference.answer(&prompted.items);
    let outcomes = outcomes(task, &prompted.items, &answers);
    let each = prompted.items.iter().zip(&answers).enumerate();
    let judged: Vec<_> = each
        .map(|(i, (item, answer))| judged(task, item, answer, outcomes.as_ref().map(|all| &all[i])))
        .collect();
    let figures = figures(task, judged.iter());
    figures
        .into_iter()
        .map(|figure| (figure.name, figure.value, figure.n))
        .collect()
}

#[cfg(target_os = "linux")]
fn outcomes(
    task: &Task,
    items: &[lmz_eval::prompt::Item],
    answers: &[Answered],
) -> Option<Vec<lmz_eval::answer::Outcome>> {
    let sandbox = task
        .program
        .is_some()
        .then(|| lmz_eval::sandbox::Sandbox::open(None).unwrap());
    lmz_eval::programs::outcomes(task, items, answers, sandbox.as_ref(), &()).unwrap()
}

#[cfg(not(target_os = "linux"))]
fn outcomes(
    _: &Task,
    _: &[lmz_eval::prompt::Item],
    _: &[Answered],
) -> Option<Vec<lmz_eval::answer::Outcome>> {
    None
}

fn check(task: &Task, limit: usize) {
    for (reference, share) in [
        (ReferenceAnswers::Right, 1.0),
        (ReferenceAnswers::Wrong, 0.0),
    ] {
        let scores = scores(task, reference, limit);
        assert!(!scores.is_empty());
        for (metric, value, n) in scores {
            assert!(n > 0, "{} {metric}", task.name);
            if task.name == "ds1000" {
                assert_eq!(n, 2);
            }
            if metric == "perplexity" {
                assert_eq!(value < 1.1, share == 1.0, "{} {metric}: {value}", task.name);
            } else {
                assert_eq!(value, share, "{} {metric} of {n}", task.name);
            }
        }
    }
}

#[test]
fn answers_from_the_key_are_right_and_others_wrong() {
    let tasks = builtin().unwrap();
    let without_programs = tasks.iter().filter(|task| task.program.is_none());
    let mut checked = 0;
    for task in without_programs {
        check(task, 20);
        checked += 1;
    }
    assert_eq!(checked, 14);
}

#[test]
#[cfg(target_os = "linux")]
#[ignore = "needs bubblewrap and python3"]
fn reference_programs_pass_in_the_sandbox_and_others_fail() {
    let tasks = builtin().unwrap();
    let mut checked = 0;
    for task in tasks.iter().filter(|task| task.program.is_some()) {
        check(task, 200);
        checked += 1;
    }
    assert_eq!(checked, 4);
}
