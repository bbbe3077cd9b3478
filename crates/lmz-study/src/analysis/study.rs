//! All questions that a study's page can ask.

use serde::Serialize;

use super::answer::{Answer, answer};
use crate::dataset::{Dataset, Metric, Population, Question, Target};

/// A study's figures, and what they say.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Study {
    /// Models, compression and scores.
    pub data: Dataset,
    /// Each target against each corpus and against the mean of all, by each metric that some
    /// model has; where that leaves models out, with them, too.
    pub answers: Vec<Answer>,
}

/// Answers every question that a study's page can ask.
pub fn study(data: Dataset) -> Study {
    let mut answers = Vec::new();
    let names: Vec<&str> = data.corpora.iter().map(|c| c.name.as_str()).collect();
    let mut columns: Vec<Vec<&str>> = names.iter().map(|&name| vec![name]).collect();
    if names.len() > 1 {
        columns.push(names.clone());
    }
    for metric in Metric::ALL.into_iter().filter(|&metric| data.has(metric)) {
        for target in Target::all(&data) {
            for corpora in &columns {
                let mut question = Question::new(&data, corpora, metric, target.clone());
                let fit = answer(&data, &question, true);
                let leaves_out = !fit.drawn.is_empty();
                answers.push(fit);
                if leaves_out {
                    question.population = Population::All;
                    answers.push(answer(&data, &question, true));
                }
            }
        }
    }
    Study { data, answers }
}

impl Study {
    /// The answer to a question over the models that the paper would take, by its parts.
    pub fn answer(&self, corpora: &[&str], metric: Metric, target: &Target) -> Option<&Answer> {
        self.answers.iter().find(|answer| {
            let question = &answer.question;
            question.metric == metric
                && question.target == *target
                && question.corpora == corpora
                && question.population == Population::Fit
        })
    }

    /// The same question over all models, if the answer leaves some out.
    pub fn over_all(&self, fit: &Answer) -> Option<&Answer> {
        let mut question = fit.question.clone();
        question.population = Population::All;
        self.answers.iter().find(|one| one.question == question)
    }

    /// The answers that the study is about: each area against its own corpus, then the mean of
    /// the areas against the mean of their corpora.
    pub fn main_answers(&self, metric: Metric) -> Vec<&Answer> {
        let areas = self.data.areas.iter();
        let mut found: Vec<&Answer> = areas
            .filter_map(|area| {
                let target = Target::Area(area.name.clone());
                self.answer(&[&area.corpus], metric, &target)
            })
            .collect();
        let all: Vec<&str> = self.data.corpora.iter().map(|c| c.name.as_str()).collect();
        found.extend(self.answer(&all, metric, &Target::Areas));
        found
    }
}
