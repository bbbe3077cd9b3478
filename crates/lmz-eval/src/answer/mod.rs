//! From a generated text to right or wrong.

mod extract;
mod math;
mod text;

use crate::boxed::boxed;
use crate::task::{Compare, Score};

/// What a program did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It ended well, and printed this.
    Passed(String),
    /// It failed; why.
    Failed(String),
    /// It could not be run; why.
    NotRun(String),
}

/// The answer in a text, and how right it is, from 0 to 1; none if a program that decides it could not be run.
pub fn judge(
    score: &Score,
    text: &str,
    targets: &[String],
    outcome: Option<&Outcome>,
) -> (String, Option<f64>) {
    let right = |yes: bool| Some(f64::from(u8::from(yes)));
    match score.compare {
        Compare::Passes => match outcome {
            Some(Outcome::Passed(_)) => ("passed".into(), right(true)),
            Some(Outcome::Failed(why)) => (why.clone(), right(false)),
            Some(Outcome::NotRun(why)) => (why.clone(), None),
            None => ("not run".into(), None),
        },
        Compare::Prints => match outcome {
            Some(Outcome::Passed(printed)) => {
                let last = printed.trim().lines().last().unwrap_or_default().to_owned();
                let yes = same_number(&last, targets);
                (last, right(yes))
            }
            Some(Outcome::Failed(why)) => (why.clone(), right(false)),
            Some(Outcome::NotRun(why)) => (why.clone(), None),
            None => ("not run".into(), None),
        },
        Compare::Exact => {
            let answer = extract::extract(text, &score.extract);
            let yes = text::exact(&answer, targets, score);
            (answer, right(yes))
        }
        Compare::F1 => {
            let answer = extract::extract(text, &score.extract);
            let value = text::f1(&answer, targets);
            (answer, Some(value))
        }
        Compare::Number => {
            let answer = extract::extract(text, &score.extract);
            let yes = same_number(&answer, targets);
            (answer, right(yes))
        }
        Compare::Math => {
            let answer = extract::extract(text, &score.extract);
            let yes = targets.iter().any(|target| {
                let target = boxed(target).unwrap_or_else(|| target.clone());
                math::same(&answer, &math::normal(&target))
            });
            (answer, right(yes))
        }
    }
}

fn same_number(answer: &str, targets: &[String]) -> bool {
    let Some(answer) = text::number(answer) else {
        return false;
    };
    let targets = targets.iter().filter_map(|target| text::number(target));
    targets
        .into_iter()
        .any(|target| text::same_number(answer, target))
}
