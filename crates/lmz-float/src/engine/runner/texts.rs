//! Texts that are written at the same time, each behind a prompt of its own.

use burn::tensor::{Int, Tensor};
use lmz_model::Position;

use super::Runner;
use crate::cache::{Cache, Pair};
use crate::error::{FloatError, Result};
use crate::kernels::Kernels;
use crate::scoring::check_tokens;

/// The most texts at a time where nobody says how many.
const MOST: usize = 32;

impl<B: Kernels> Runner<B> {
    /// How many texts of `tokens` tokens find room for their keys and values in half of the memory that is free.
    pub(super) fn room_for_texts(&self, tokens: usize) -> usize {
        if let Some(asked) = self.options.batch {
            return asked;
        }
        let blueprint = self.weights.blueprint();
        let kept = blueprint.layers * blueprint.kv_heads * blueprint.head_dim * 2;
        let text = (kept * tokens.max(1)) as u64 * self.options.dtype.bytes();
        let free = self.plan(tokens).map_or(0, |plan| {
            plan.tokens * crate::memory::token_bytes(blueprint, self.options.dtype)
        });
        let room = usize::try_from(free / 2 / text.max(1)).unwrap_or(MOST);
        room.clamp(1, MOST)
    }

    /// Appends a token to each of some texts, and gives the logits after it, `[vocab_size]` each.
    pub(super) fn step(&mut self, next: &[(usize, u32)]) -> Result<Vec<Vec<f32>>> {
        let weights = self.weights.clone();
        let blueprint = weights.blueprint();
        let tokens: Vec<u32> = next.iter().map(|&(_, token)| token).collect();
        check_tokens(blueprint, &tokens)?;
        let mut caches: Vec<Cache<B>> = Vec::with_capacity(next.len());
        for (place, &(text, _)) in next.iter().enumerate() {
            let known = self.texts.get(text);
            let twice = next[..place].iter().any(|&(other, _)| other == text);
            caches.push(known.filter(|_| !twice).cloned().ok_or_else(|| {
                let reason = match twice {
                    true => "it is named twice",
                    false => "there is no such text",
                };
                FloatError::Setting {
                    name: "text",
                    value: text.to_string(),
                    reason,
                }
            })?);
        }
        let Some(longest) = caches.iter().map(Cache::tokens).max() else {
            return Ok(Vec::new());
        };
        if blueprint.position == Position::Learned && longest >= blueprint.max_positions {
            return Err(FloatError::Window {
                tokens: longest + 1,
                scored: 0,
                reason: format!(
                    "the model has {} learned positions",
                    blueprint.max_positions
                ),
            });
        }
        self.reach(longest + 1);
        let outcome = lmz_device::catch(|| {
            let device = &self.place.device;
            let numbers =
                |numbers: Vec<i32>| Tensor::<B, 1, Int>::from_data(numbers.as_slice(), device);
            let ids = numbers(tokens.iter().map(|&token| token as i32).collect());
            let positions = numbers(caches.iter().map(|cache| cache.tokens as i32).collect());
            let lengths = vec![1; caches.len()];
            let loader = self.loader();
            let mut x = match &self.model {
                Some(model) => model.embedding.at(ids, &positions),
                None => loader.embedding()?.at(ids, &positions),
            };
            for index in 0..blueprint.layers {
                let past = |(key, value): Pair<B>, window| {
                    let each = caches.iter_mut().enumerate().map(|(text, cache)| {
                        let own = |tensor: &Tensor<B, 4>| tensor.clone().narrow(1, text, 1);
                        cache.layers[index].append(own(&key), own(&value), window)
                    });
                    each.collect()
                };
                x = match &self.model {
                    Some(model) => {
                        model.layers[index].pieces(x, &self.tables, &positions, &lengths, past)
                    }
                    None => {
                        loader
                            .layer(index)?
                            .pieces(x, &self.tables, &positions, &lengths, past)
                    }
                };
            }
            for cache in &mut caches {
                cache.tokens += 1;
            }
            let rows = x.squeeze_dim::<2>(0);
            let logits = match &self.model {
                Some(model) => model.head.logits(rows, model.tied()),
                None => loader.head(true)?.logits(rows, None),
            };
            let width = logits.dims()[1];
            let logits: Vec<f32> = logits.into_data().iter::<f32>().collect();
            Ok(logits.chunks(width.max(1)).map(<[f32]>::to_vec).collect())
        });
        match outcome {
            Ok(logits) => {
                if logits.is_ok() {
                    for (&(text, _), cache) in next.iter().zip(caches) {
                        self.texts[text] = cache;
                    }
                }
                logits
            }
            Err(reason) => {
                B::memory_cleanup(&self.place.device);
                Err(FloatError::Failed {
                    device: self.place.name.clone(),
                    reason,
                })
            }
        }
    }
}
