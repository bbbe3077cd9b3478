//! The keys and values of the tokens so far, for step-wise generation.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

/// Rotated keys and values, each `[batch, tokens, kv_heads, head_dim]`.
pub(crate) type Pair<B> = (Tensor<B, 4>, Tensor<B, 4>);

/// One layer's rotated keys and its values, each `[batch, tokens, kv_heads, head_dim]`.
#[derive(Clone, Debug)]
pub struct LayerCache<B: Backend>(Option<Pair<B>>);

impl<B: Backend> LayerCache<B> {
    /// Appends new tokens and gives all that the new ones may see. A windowed layer forgets what
    /// no later token sees.
    pub(crate) fn append(
        &mut self,
        key: Tensor<B, 4>,
        value: Tensor<B, 4>,
        window: Option<usize>,
    ) -> Pair<B> {
        let (key, value) = match self.0.take() {
            Some((past_key, past_value)) => (
                Tensor::cat(vec![past_key, key], 1),
                Tensor::cat(vec![past_value, value], 1),
            ),
            None => (key, value),
        };
        let tokens = key.dims()[1];
        let kept = window.map_or(tokens, |window| window.min(tokens));
        self.0 = Some((
            key.clone().narrow(1, tokens - kept, kept),
            value.clone().narrow(1, tokens - kept, kept),
        ));
        (key, value)
    }

    /// What it holds; nothing before the first token.
    pub(crate) fn held(&self) -> Option<&Pair<B>> {
        self.0.as_ref()
    }
}

/// All layers' keys and values.
#[derive(Clone, Debug)]
pub struct Cache<B: Backend> {
    pub(crate) layers: Vec<LayerCache<B>>,
    pub(crate) tokens: usize,
}

impl<B: Backend> Cache<B> {
    /// An empty cache for a model of so many layers.
    pub fn new(layers: usize) -> Self {
        Self {
            layers: vec![LayerCache(None); layers],
            tokens: 0,
        }
    }

    /// The same context for each of `times` texts.
    pub fn repeated(&self, times: usize) -> Self {
        let repeat = |tensor: &Tensor<B, 4>| tensor.clone().repeat_dim(0, times);
        let layers = self.layers.iter().map(|layer| {
            let both = layer.0.as_ref();
            LayerCache(both.map(|(key, value)| (repeat(key), repeat(value))))
        });
        Self {
            layers: layers.collect(),
            tokens: self.tokens,
        }
    }

    /// How many tokens it has seen.
    pub fn tokens(&self) -> usize {
        self.tokens
    }
}
