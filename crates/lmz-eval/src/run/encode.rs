//! From questions to tokens, as lm-evaluation-harness does it.

use crate::error::{EvalError, Result};
use crate::model::LanguageModel;
use crate::prompt::{Item, Question, Work};

/// Tokens whose last ones are scored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    pub tokens: Vec<u32>,
    pub scored: usize,
}

/// What a model is asked about an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// How likely these are.
    Pairs(Vec<Pair>),
    /// A text behind these tokens.
    Prompt(Vec<u32>),
}

/// An item's tokens, and what had to be left out.
pub(super) struct Encoded {
    pub asked: Asked,
    /// How many examples were left out.
    pub dropped: usize,
    /// Whether even the question was cut, from the left.
    pub cut: bool,
}

/// The tokens of an item. Where they are more than the model takes, examples are left out, the first ones first;
/// where that is not enough, the question is cut from the left.
pub(super) fn encode(model: &dyn LanguageModel, item: &Item, room: usize) -> Result<Encoded> {
    let shots = item.question.shots.len();
    let mut dropped = 0;
    loop {
        let text = item.question.text(dropped);
        let asked = tokens(model, &text, &item.work)?;
        let longest = longest(&asked);
        if longest <= room || dropped == shots {
            let cut = longest > room;
            return Ok(Encoded {
                asked: if cut { shortened(asked, room)? } else { asked },
                dropped,
                cut,
            });
        }
        dropped += 1;
    }
}

/// How many tokens of an item a model would read.
fn longest(asked: &Asked) -> usize {
    match asked {
        // The last token is predicted and never read.
        Asked::Pairs(pairs) => {
            let lengths = pairs.iter().map(|pair| pair.tokens.len() - 1);
            lengths.max().unwrap_or(0)
        }
        Asked::Prompt(tokens) => tokens.len(),
    }
}

fn shortened(asked: Asked, room: usize) -> Result<Asked> {
    Ok(match asked {
        Asked::Prompt(tokens) => {
            Asked::Prompt(tokens[tokens.len() - room.min(tokens.len())..].to_vec())
        }
        Asked::Pairs(mut pairs) => {
            for pair in &mut pairs {
                if pair.scored > room {
                    return Err(EvalError::InvalidArgument(format!(
                        "an answer of {} tokens does not fit the model's context of {room}",
                        pair.scored
                    )));
                }
                let over = pair.tokens.len().saturating_sub(room + 1);
                pair.tokens.drain(..over);
            }
            Asked::Pairs(pairs)
        }
    })
}

fn tokens(model: &dyn LanguageModel, text: &str, work: &Work) -> Result<Asked> {
    let failed = EvalError::Model;
    Ok(match work {
        Work::Choices { continuations, .. } => {
            let context = match text.is_empty() {
                true => Vec::new(),
                false => model
                    .encode(text.trim_end_matches(is_space), true)
                    .map_err(failed)?,
            };
            let pairs = continuations
                .iter()
                .map(|one| pair(model, text, &context, one));
            Asked::Pairs(pairs.collect::<Result<_>>()?)
        }
        Work::Continuation(one) => {
            let context = match text.is_empty() {
                true => Vec::new(),
                false => model
                    .encode(text.trim_end_matches(is_space), true)
                    .map_err(failed)?,
            };
            Asked::Pairs(vec![pair(model, text, &context, one)?])
        }
        Work::Rolling(one) => Asked::Pairs(windows(model, one)?),
        Work::Generate { .. } => Asked::Prompt(match text.is_empty() {
            true => vec![model.start_token()],
            false => model.encode(text, true).map_err(failed)?,
        }),
    })
}

/// What Python's `str.rstrip` takes for a space.
fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// Context and continuation as one row of tokens: spaces at the context's end belong to the continuation, both are
/// turned into tokens together, and what comes behind as many tokens as the context has alone is scored.
fn pair(
    model: &dyn LanguageModel,
    text: &str,
    context: &[u32],
    continuation: &str,
) -> Result<Pair> {
    let nothing = || {
        EvalError::Answer(format!(
            "{continuation:?} has no token of its own behind its context"
        ))
    };
    if text.is_empty() {
        let mut tokens = model
            .encode(continuation, false)
            .map_err(EvalError::Model)?;
        let start = model.start_token();
        if tokens.first() != Some(&start) {
            tokens.insert(0, start);
        }
        let scored = tokens.len() - 1;
        return match scored {
            0 => Err(nothing()),
            _ => Ok(Pair { tokens, scored }),
        };
    }
    let whole = format!("{text}{continuation}");
    let tokens = model.encode(&whole, true).map_err(EvalError::Model)?;
    let scored = tokens.len().saturating_sub(context.len());
    if scored == 0 || context.is_empty() {
        return Err(nothing());
    }
    Ok(Pair { tokens, scored })
}

/// A whole text as rows of at most as many tokens as the model takes: the first behind the token that begins a text, the
/// others behind the last token of the one before them; the last reaches back as far as the model takes.
fn windows(model: &dyn LanguageModel, text: &str) -> Result<Vec<Pair>> {
    let mut tokens = model.encode(text, false).map_err(EvalError::Model)?;
    if tokens.is_empty() {
        return Err(EvalError::Answer("a text without a token".into()));
    }
    let room = model.context();
    let count = tokens.len();
    tokens.insert(0, model.start_token());
    let ends = (0..count)
        .step_by(room)
        .map(|done| (done, (done + room).min(count)));
    Ok(ends
        .map(|(done, end)| Pair {
            tokens: tokens[end.saturating_sub(room)..=end].to_vec(),
            scored: end - done,
        })
        .collect())
}

/// How many tokens a question has, for whoever looks at it.
pub fn count_tokens(model: &dyn LanguageModel, question: &Question) -> Result<usize> {
    let tokens = model.encode(&question.text(0), true);
    Ok(tokens.map_err(EvalError::Model)?.len())
}
