//! Who answers from the key: it tests extraction, metric and sandbox without a model.

use crate::model::{Likelihood, Written};
use crate::prompt::{Item, Work};
use crate::record::{Answer, Answered};

/// Answers from the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReferenceAnswers {
    /// Always right: scores 100 %.
    Right,
    /// Always wrong: scores 0 %.
    Wrong,
}

impl ReferenceAnswers {
    /// Its answers to some items.
    pub fn answer(self, items: &[Item]) -> Vec<Answered> {
        let each = items.iter().map(|item| Answered {
            answer: self.one(&item.work),
            dropped: 0,
            cut: false,
        });
        each.collect()
    }

    fn one(self, work: &Work) -> Answer {
        let right = self == Self::Right;
        let likely = |yes: bool| Likelihood {
            // Longer answers do not lose by being longer.
            log: if yes { -1e-3 } else { -1e6 },
            greedy: yes,
        };
        match work {
            Work::Choices { choices, gold, .. } => {
                let favourite = match right {
                    true => *gold,
                    false => (gold + 1) % choices.len(),
                };
                Answer::Likelihoods((0..choices.len()).map(|i| likely(i == favourite)).collect())
            }
            Work::Continuation(_) | Work::Rolling(_) => Answer::Likelihoods(vec![likely(right)]),
            Work::Generate { reference, .. } => Answer::Text(Written {
                text: match right {
                    true => reference.clone(),
                    false => " nobody knows (".into(),
                },
                tokens: 0,
                ids: Vec::new(),
            }),
        }
    }
}
