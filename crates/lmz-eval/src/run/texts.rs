//! Texts that a model writes, several at a time.

use std::time::Instant;

use super::encode::{Asked, Encoded};
use super::journal::{Journal, Record, Sizes};
use crate::error::{EvalError, Result};
use crate::model::{LanguageModel, Written};
use crate::record::{Answer, Answered, Progress};
use crate::task::Generate;

/// The texts of all items, in batches of items that follow each other.
pub(super) fn write_all(
    model: &mut dyn LanguageModel,
    generate: &Generate,
    encoded: Vec<Encoded>,
    mut journal: Option<&mut Journal>,
    progress: &dyn Progress,
) -> Result<Vec<Answered>> {
    let prompts: Vec<&[u32]> = encoded
        .iter()
        .map(|one| match &one.asked {
            Asked::Prompt(tokens) => &tokens[..],
            Asked::Pairs(_) => &[],
        })
        .collect();
    let all = prompts.len() as u64;
    let base = base(&prompts);
    let tokens = prompts.iter().map(|prompt| prompt.len()).max().unwrap_or(0) + generate.max_tokens;
    // A run that goes on has the batches that it began with.
    let known = journal.as_deref().and_then(|journal| journal.sizes.clone());
    let together = known.and_then(|sizes| sizes.get(&tokens).copied());
    let together = together.unwrap_or_else(|| model.texts(tokens)).max(1);
    progress.planned(all, None);
    if let Some(journal) = journal.as_deref_mut() {
        journal.begin(Sizes::from([(tokens, together)]))?;
    }
    let mut texts: Vec<Written> = Vec::with_capacity(prompts.len());
    let mut estimated = false;
    for (number, batch) in prompts.chunks(together).enumerate() {
        if progress.cancelled() {
            return Err(EvalError::Cancelled);
        }
        let first = texts.len();
        if let Some(journal) = journal.as_deref()
            && let Some(record) = journal.records.get(number)
        {
            let items = record.written.iter().map(|&(item, _)| item);
            if !items.eq(first..first + batch.len()) {
                return Err(journal.damaged("a batch holds the texts of other items"));
            }
            texts.extend(record.written.iter().map(|(_, written)| written.clone()));
            progress.advance(batch.len() as u64, true);
            continue;
        }
        let start = Instant::now();
        let written = model
            .write(batch, base, &generate.stop, generate.max_tokens)
            .map_err(EvalError::Model)?;
        if written.len() != batch.len() {
            return Err(EvalError::Answer(
                "another number of texts than was asked for".into(),
            ));
        }
        let seconds = start.elapsed().as_secs_f64();
        if let Some(journal) = journal.as_deref_mut() {
            journal.push(&Record {
                batch: number,
                likelihoods: Vec::new(),
                written: (first..).zip(written.iter().cloned()).collect(),
                seconds,
            })?;
        }
        texts.extend(written);
        progress.advance(batch.len() as u64, false);
        if !estimated {
            estimated = true;
            let left = (prompts.len() - texts.len()) as f64;
            progress.planned(all, Some(seconds / batch.len() as f64 * left));
        }
    }
    let answers = texts.into_iter().zip(&encoded);
    Ok(answers
        .map(|(written, one)| Answered {
            answer: Answer::Text(written),
            dropped: one.dropped,
            cut: one.cut,
        })
        .collect())
}

/// How many tokens all prompts begin with, but for the last of each.
fn base(prompts: &[&[u32]]) -> usize {
    let Some((first, others)) = prompts.split_first() else {
        return 0;
    };
    let most = first.len().saturating_sub(1);
    others.iter().fold(most, |shared, prompt| {
        let both = first.iter().zip(&prompt[..prompt.len().saturating_sub(1)]);
        both.take(shared).take_while(|(a, b)| a == b).count()
    })
}
