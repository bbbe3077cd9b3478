//! Windows of different lengths, as batches.

use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor, TensorData};
use lmz_model::{Blueprint, Position};

use super::options::Window;
use super::packed::{self, Layout, Room};
use crate::error::{FloatError, Result};

/// Refuses windows that the model cannot score.
pub(crate) fn check(blueprint: &Blueprint, windows: &[Window<'_>]) -> Result<()> {
    for window in windows {
        let refuse = |reason: String| {
            Err(FloatError::Window {
                tokens: window.tokens.len(),
                scored: window.scored,
                reason,
            })
        };
        if window.scored >= window.tokens.len() {
            return refuse("the first token has no context and cannot be scored".into());
        }
        let limit = blueprint.max_positions;
        // The last token is predicted and never read.
        if blueprint.position == Position::Learned && window.tokens.len() - 1 > limit {
            return refuse(format!("the model has {limit} learned positions"));
        }
        check_tokens(blueprint, window.tokens)?;
    }
    Ok(())
}

/// Refuses ids that the model does not have.
pub(crate) fn check_tokens(blueprint: &Blueprint, tokens: &[u32]) -> Result<()> {
    let vocab_size = blueprint.vocab_size;
    match tokens.iter().find(|&&t| t as usize >= vocab_size) {
        Some(&token) => Err(FloatError::Token { token, vocab_size }),
        None => Ok(()),
    }
}

/// Windows that go through the model together, padded on the right: causality alone keeps the
/// padding from being seen.
#[derive(Clone, Debug)]
pub(crate) struct Batch<'a> {
    windows: Vec<Window<'a>>,
    /// Index of each window in the caller's list.
    pub places: Vec<usize>,
}

impl<'a> Batch<'a> {
    /// The windows, longest first, `size` at a time. Windows without a scored token are left out.
    pub fn split(windows: &[Window<'a>], size: impl Fn(usize) -> usize) -> Vec<Self> {
        let mut order: Vec<usize> = (0..windows.len())
            .filter(|&i| windows[i].scored > 0)
            .collect();
        order.sort_by_key(|&i| std::cmp::Reverse(windows[i].tokens.len()));
        let mut batches = Vec::new();
        let mut rest = &order[..];
        while let Some(&longest) = rest.first() {
            let count = size(windows[longest].tokens.len()).clamp(1, rest.len());
            let (now, later) = rest.split_at(count);
            batches.push(Self {
                windows: now.iter().map(|&i| windows[i]).collect(),
                places: now.to_vec(),
            });
            rest = later;
        }
        batches
    }

    /// The windows in their order, in rows that have room, each to be read as [`Layout`] says. Windows without a scored
    /// token are left out.
    pub fn in_rows(windows: &[Window<'a>], room: Room) -> Vec<Self> {
        let mut places: Vec<usize> = (0..windows.len())
            .filter(|&i| windows[i].scored > 0)
            .collect();
        let chosen: Vec<Window<'a>> = places.iter().map(|&i| windows[i]).collect();
        let mut rest = &chosen[..];
        let rows = packed::rows(&chosen, room).into_iter().map(|count| {
            let (now, later) = rest.split_at(count);
            rest = later;
            Self {
                windows: now.to_vec(),
                places: places.drain(..count).collect(),
            }
        });
        rows.collect()
    }

    /// All windows in one row.
    pub fn layout(&self) -> Layout {
        Layout::of(&self.windows)
    }

    /// How many windows it has.
    pub fn len(&self) -> usize {
        self.windows.len()
    }

    /// The tokens that the longest window reads, all but its last: to this length the others are
    /// padded.
    pub fn tokens(&self) -> usize {
        self.windows.first().map_or(0, |w| w.tokens.len() - 1)
    }

    /// The first and the second half.
    pub fn halves(&self) -> [Self; 2] {
        let half = self.windows.len() / 2;
        [0..half, half..self.windows.len()].map(|range| Self {
            windows: self.windows[range.clone()].to_vec(),
            places: self.places[range].to_vec(),
        })
    }

    /// The ids, `[windows, tokens]`.
    pub fn ids<B: Backend>(&self, device: &B::Device) -> Tensor<B, 2, Int> {
        let tokens = self.tokens();
        let mut ids = vec![0_i32; self.windows.len() * tokens];
        for (row, window) in ids.chunks_exact_mut(tokens).zip(&self.windows) {
            let read = &window.tokens[..window.tokens.len() - 1];
            for (to, &token) in row.iter_mut().zip(read) {
                *to = token as i32;
            }
        }
        Tensor::from_data(TensorData::new(ids, [self.windows.len(), tokens]), device)
    }

    /// Of hidden states `[windows, tokens, width]` those that predict a scored token,
    /// `[scored, width]`, in the order of [`targets`](Self::targets).
    pub fn predicting<B: Backend>(&self, hidden: Tensor<B, 3>) -> Tensor<B, 2> {
        let [windows, tokens, width] = hidden.dims();
        let first = self.windows[0];
        let alike = |w: &Window<'_>| (w.tokens.len() - 1, w.scored) == (tokens, first.scored);
        if self.windows.iter().all(alike) {
            return hidden
                .narrow(1, tokens - first.scored, first.scored)
                .reshape([windows * first.scored, width]);
        }
        let mut rows = Vec::new();
        for (i, window) in self.windows.iter().enumerate() {
            let last = i * tokens + window.tokens.len() - 1;
            rows.extend((last - window.scored..last).map(|row| row as i32));
        }
        let rows = Tensor::<B, 1, Int>::from_data(rows.as_slice(), &hidden.device());
        hidden.reshape([windows * tokens, width]).select(0, rows)
    }

    /// The scored tokens of all windows.
    pub fn targets(&self) -> Vec<u32> {
        let scored = |w: &Window<'a>| &w.tokens[w.tokens.len() - w.scored..];
        self.windows.iter().flat_map(scored).copied().collect()
    }

    /// Hands what was found of each window's scored tokens to its place.
    pub fn deliver<T: Clone>(&self, mut found: &[T], results: &mut [Vec<T>]) {
        for (window, &place) in self.windows.iter().zip(&self.places) {
            let (mine, rest) = found.split_at(window.scored.min(found.len()));
            results[place] = mine.to_vec();
            found = rest;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_longest_first_and_deliver_to_the_callers_places() {
        let tokens: Vec<u32> = (0..10).collect();
        let window = |length: usize, scored| Window {
            tokens: &tokens[..length],
            scored,
        };
        let windows = [window(3, 1), window(10, 2), window(4, 0), window(5, 4)];
        let batches = Batch::split(&windows, |_| 2);
        assert_eq!(batches.len(), 2);
        assert_eq!(batches[0].places, [1, 3]);
        assert_eq!(batches[0].tokens(), 9);
        assert_eq!(batches[1].places, [0]);
        assert_eq!(batches[0].targets(), [8, 9, 1, 2, 3, 4]);
        let mut results = vec![vec![]; 4];
        batches[0].deliver(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0], &mut results);
        assert_eq!(results[1], [0.0, 1.0]);
        assert_eq!(results[3], [2.0, 3.0, 4.0, 5.0]);
        assert!(results[2].is_empty());
    }
}
