//! Constants and choices of the operations, beside their operands.

/// A normalisation without its weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NormRule {
    /// Whether the mean is subtracted first (LayerNorm) or not (RMS).
    pub centred: bool,
    /// Added to the variance or mean square.
    pub eps: f64,
    /// Added to the weight.
    pub weight_offset: f64,
}

/// What attention does between the products.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AttentionRule {
    /// What query times key is multiplied by.
    pub scale: f64,
    /// Scores become `cap * tanh(score / cap)`.
    pub softcap: Option<f64>,
    /// How many positions are seen, one's own included; all before it if `None`.
    pub window: Option<usize>,
    /// How many scores may exist at once.
    pub max_scores: usize,
    /// How the products are computed.
    pub products: Products,
}

/// The precision of matrix products whose operands are stored in f32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Products {
    /// That of the operands.
    #[default]
    Full,
    /// Operands rounded to bf16, sums in f32: mixed precision, for training.
    Bf16,
    /// That of the operands, with the sums of attention and logits in f64, where rounding tells most and which are the smaller part of the
    /// work. On the CPU; elsewhere as `Full`.
    Double,
}

impl AttentionRule {
    /// The keys that the queries `start..end` see, where `past` keys come before the first query.
    pub(crate) fn visible(&self, past: usize, start: usize, end: usize) -> (usize, usize) {
        let first = match self.window {
            Some(window) => (past + start + 1).saturating_sub(window),
            None => 0,
        };
        (first, past + end)
    }
}

/// How many logits may exist at once, and the precision of its products.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Logits, or one row of them.
    pub max_logits: usize,
    /// The precision of the products.
    pub products: Products,
}
