//! How much memory there is, and what a model needs of it.

use lmz_model::{Blueprint, FeedForwardKind, Part};

use crate::dtype::Dtype;
use crate::error::{FloatError, Result};

/// The share of free memory that is used where no budget is given.
const SHARE: f64 = 0.7;

/// The most elements that one buffer of scores or logits has: 256 MiB of f32.
const MAX_BUFFER: u64 = 1 << 26;

/// The budget to keep to: what was asked for, or a share of what is free.
pub(crate) fn budget(asked: Option<u64>, free: Option<u64>) -> u64 {
    let share = match free {
        Some(free) => (free as f64 * SHARE) as u64,
        None => 4 << 30,
    };
    asked.unwrap_or(share)
}

/// What parts of a model take, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    /// Embedding tables.
    pub embedding: u64,
    /// Bytes of the weights of one layer.
    pub layer: u64,
    /// The head; as large as the token embedding where it is tied.
    pub head: u64,
    /// All of the model, each part once.
    pub model: u64,
    /// The largest tensor as it is read, in f32.
    pub reading: u64,
}

impl Sizes {
    pub fn of(blueprint: &Blueprint, dtype: Dtype) -> Self {
        let elements = |part| -> u64 {
            let shape = blueprint.part_shape(part);
            shape.iter().map(|&n| n as u64).product()
        };
        let bytes = |part| elements(part) * dtype.bytes();
        let parts = blueprint.parts();
        let layer = blueprint.layer_parts();
        Self {
            embedding: bytes(Part::TokenEmbedding)
                + match parts.contains(&Part::PositionEmbedding) {
                    true => bytes(Part::PositionEmbedding),
                    false => 0,
                },
            layer: layer.iter().map(|&p| bytes(Part::Layer(0, p))).sum(),
            head: bytes(Part::Head),
            model: parts.iter().map(|&p| bytes(p)).sum(),
            // Query, key and value are joined as they are read, and so are gate and up.
            reading: 8 * parts.iter().map(|&p| elements(p)).max().unwrap_or(0),
        }
    }
}

/// What one token of a batch takes while a layer works on it, in bytes: a generous count of the
/// tensors that live at once, buffers of scores and logits apart.
pub(crate) fn token_bytes(blueprint: &Blueprint, dtype: Dtype) -> u64 {
    let width = blueprint.hidden_size as u64;
    let heads = (blueprint.heads + 2 * blueprint.kv_heads) as u64 * blueprint.head_dim as u64;
    let inner = blueprint.intermediate_size as u64;
    let inner = match blueprint.feed_forward.kind {
        FeedForwardKind::Experts { chosen, .. } => inner * chosen as u64,
        _ => inner,
    };
    // Norms and rotations pass through f32 on a GPU.
    (4 * width + (3 * heads).max(4 * inner)) * 4.max(dtype.bytes())
}

/// How a model is run within a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Whether the whole model stays in memory; layer after layer is read otherwise.
    pub resident: bool,
    /// How many tokens a batch may have.
    pub tokens: u64,
    /// How many elements one buffer of scores or logits may have.
    pub buffer: u64,
    /// Bytes for hidden states between layers, where the model is not resident.
    pub hidden: u64,
}

/// Fits a model and windows of `window` tokens into a budget.
pub(crate) fn plan(
    blueprint: &Blueprint,
    dtype: Dtype,
    budget: u64,
    window: usize,
) -> Result<Plan> {
    let sizes = Sizes::of(blueprint, dtype);
    let token = token_bytes(blueprint, dtype);
    let window_bytes = token * window as u64;
    let smallest_buffer =
        4 * (blueprint.vocab_size as u64).max(16 * window as u64 * blueprint.heads as u64);
    let fit = |weights: u64| -> Option<(u64, u64)> {
        let free = budget.checked_sub(weights)?;
        let buffer = (free / 4).min(4 * MAX_BUFFER).max(smallest_buffer);
        let free = free.checked_sub(buffer)?;
        (free >= window_bytes).then_some((free, buffer / 4))
    };
    if let Some((free, buffer)) = fit(sizes.model + sizes.reading) {
        return Ok(Plan {
            resident: true,
            tokens: free / token,
            buffer,
            hidden: 0,
        });
    }
    let step = sizes.embedding.max(sizes.layer).max(sizes.head) + sizes.reading;
    match fit(step) {
        Some((free, buffer)) => Ok(Plan {
            resident: false,
            // Half for the batch at work, half for the states of those that wait.
            tokens: ((free / 2) / token).max(window as u64),
            buffer,
            hidden: free - (free / 2).max(window_bytes),
        }),
        None => Err(FloatError::Budget {
            budget,
            needed: step + smallest_buffer + window_bytes,
            tokens: window,
        }),
    }
}
