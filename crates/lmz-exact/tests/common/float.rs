//! Every family in double precision, straight from the published definitions: what the integers
//! approximate. It shares nothing with the engine but the reading of tensors.

use lmz_model::{
    Activation, Blueprint, FeedForwardKind, HeadNorm, LayerPart, Norm, NormPlacement, Part,
    Position, Residual, RopeScaling, Weights,
};

/// A matrix, transposed: `[inputs][outputs]`, with what is added.
struct Matrix {
    outputs: usize,
    values: Vec<f64>,
    bias: Option<Vec<f64>>,
}

struct Scale {
    gains: Option<Vec<f64>>,
    bias: Option<Vec<f64>>,
}

struct Layer {
    attention_norm: Option<Scale>,
    q: Matrix,
    k: Matrix,
    v: Matrix,
    head_norms: Option<[Scale; 2]>,
    o: Matrix,
    attention_post: Option<Scale>,
    feed_norm: Option<Scale>,
    gate: Option<Matrix>,
    up: Matrix,
    down: Matrix,
    feed_post: Option<Scale>,
    window: usize,
    local: bool,
}

/// A model in double precision.
pub struct Float {
    blueprint: Blueprint,
    eps: f64,
    embedding: Vec<f64>,
    positions: Option<Vec<f64>>,
    layers: Vec<Layer>,
    norm: Scale,
    head: Matrix,
    /// Radians per position, of ordinary and of windowed layers.
    frequencies: [Vec<f64>; 2],
}

impl Matrix {
    fn new(rows: &[f64], inputs: usize, bias: Option<Vec<f64>>) -> Self {
        let outputs = rows.len() / inputs;
        let values = (0..inputs * outputs)
            .map(|i| rows[i % outputs * inputs + i / outputs])
            .collect();
        Self {
            outputs,
            values,
            bias,
        }
    }

    /// `[n][inputs]` to `[n][outputs]`.
    fn apply(&self, x: &[f64]) -> Vec<f64> {
        let inputs = self.values.len() / self.outputs;
        let mut y = vec![0.0; x.len() / inputs * self.outputs];
        for (x, y) in x.chunks_exact(inputs).zip(y.chunks_exact_mut(self.outputs)) {
            if let Some(bias) = &self.bias {
                y.copy_from_slice(bias);
            }
            for (x, w) in x.chunks(4).zip(self.values.chunks(4 * self.outputs)) {
                if let [a, b, c, d] = *x {
                    let (w0, rest) = w.split_at(self.outputs);
                    let (w1, rest) = rest.split_at(self.outputs);
                    let (w2, w3) = rest.split_at(self.outputs);
                    for (r, y) in y.iter_mut().enumerate() {
                        *y += a * w0[r] + b * w1[r] + (c * w2[r] + d * w3[r]);
                    }
                } else {
                    for (x, w) in x.iter().zip(w.chunks_exact(self.outputs)) {
                        y.iter_mut().zip(w).for_each(|(y, w)| *y += x * w);
                    }
                }
            }
        }
        y
    }
}

fn bases(theta: f64, scaling: RopeScaling, size: usize) -> Vec<f64> {
    let scale = |f: f64| match scaling {
        RopeScaling::None => f,
        RopeScaling::Linear { factor } => f / factor,
        RopeScaling::Llama3 {
            factor,
            low_freq_factor,
            high_freq_factor,
            original_max_position_embeddings,
        } => {
            let turns = original_max_position_embeddings as f64 * f / std::f64::consts::TAU;
            let kept =
                ((turns - low_freq_factor) / (high_freq_factor - low_freq_factor)).clamp(0.0, 1.0);
            f * (kept + (1.0 - kept) / factor)
        }
        other => panic!("{other:?}"),
    };
    (0..size / 2)
        .map(|i| scale(theta.powf(-2.0 * i as f64 / size as f64)))
        .collect()
}

fn frequencies(b: &Blueprint) -> [Vec<f64>; 2] {
    let Position::Rope { theta, scaling } = b.position else {
        return [vec![], vec![]];
    };
    let size = b.attention.rotary_dim.unwrap_or(b.head_dim);
    let global = bases(theta, scaling, size);
    let local = b.attention.window.as_ref().and_then(|w| w.theta);
    let local = local.map(|theta| bases(theta, RopeScaling::None, size));
    [global.clone(), local.unwrap_or(global)]
}

/// The share of a normal variable below x, by its series.
fn normal(x: f64) -> f64 {
    if x.abs() > 8.0 {
        return f64::from(u8::from(x > 0.0));
    }
    let (mut term, mut sum, mut n) = (x, 0.0, 1.0);
    while term.abs() > 1e-18 * f64::abs(sum) && term != 0.0 {
        sum += term;
        n += 2.0;
        term *= x * x / n;
    }
    0.5 + sum * (-x * x / 2.0).exp() / std::f64::consts::TAU.sqrt()
}

fn activate(activation: Activation, x: f64) -> f64 {
    match activation {
        Activation::Silu => x / (1.0 + (-x).exp()),
        Activation::Gelu => x * normal(x),
        Activation::GeluTanh => {
            let z = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x * x * x);
            x / 2.0 * (1.0 + z.tanh())
        }
        Activation::Relu => x.max(0.0),
        other => panic!("{other:?}"),
    }
}

fn add(x: &mut [f64], y: Vec<f64>) {
    x.iter_mut().zip(y).for_each(|(x, y)| *x += y);
}

impl Float {
    pub fn new(weights: &dyn Weights) -> Self {
        let b = weights.blueprint();
        let read = |part| -> Vec<f64> {
            let values = weights.load(part).unwrap();
            values.into_iter().map(f64::from).collect()
        };
        let maybe = |part| b.has(part).then(|| read(part));
        let matrix = |part, bias| Matrix::new(&read(part), b.part_shape(part)[1], maybe(bias));
        let (eps, offset) = match b.norm {
            Norm::RmsNormPlusOne { eps } => (eps, 1.0),
            Norm::RmsNorm { eps } | Norm::LayerNorm { eps } | Norm::BareLayerNorm { eps } => {
                (eps, 0.0)
            }
            other => panic!("{other:?}"),
        };
        let gains = |part| {
            let values: Option<Vec<f64>> = maybe(part);
            values.map(|v| v.iter().map(|g| g + offset).collect())
        };
        let scale = |part, bias| Scale {
            gains: gains(part),
            bias: maybe(bias),
        };
        let layer = |i| {
            use LayerPart as P;
            let part = |part| Part::Layer(i, part);
            let map = |p, bias| matrix(part(p), part(bias));
            let norm = |has: bool, p, bias| has.then(|| scale(part(p), part(bias)));
            let before = b.block.norms != NormPlacement::After;
            let after = b.block.norms != NormPlacement::Before;
            let own = b.block.residual != Residual::ParallelSharedNorm;
            let head = |p| Scale {
                gains: gains(part(p)),
                bias: None,
            };
            let window = b.attention.window.as_ref();
            let window = window.filter(|w| w.layers.is_empty() || w.layers[i]);
            Layer {
                attention_norm: norm(before, P::AttentionNorm, P::AttentionNormBias),
                q: map(P::Query, P::QueryBias),
                k: map(P::Key, P::KeyBias),
                v: map(P::Value, P::ValueBias),
                head_norms: (b.attention.head_norm != HeadNorm::None)
                    .then(|| [head(P::QueryNorm), head(P::KeyNorm)]),
                o: map(P::Output, P::OutputBias),
                attention_post: norm(after, P::AttentionPostNorm, P::AttentionPostNormBias),
                feed_norm: norm(before && own, P::FeedForwardNorm, P::FeedForwardNormBias),
                gate: b.has(part(P::Gate)).then(|| map(P::Gate, P::GateBias)),
                up: map(P::Up, P::UpBias),
                down: map(P::Down, P::DownBias),
                feed_post: norm(after, P::FeedForwardPostNorm, P::FeedForwardPostNormBias),
                window: window.map_or(usize::MAX, |w| w.tokens),
                local: window.is_some(),
            }
        };
        assert!(!matches!(
            b.feed_forward.kind,
            FeedForwardKind::Experts { .. }
        ));
        let head = match b.tied_head {
            true => Part::TokenEmbedding,
            false => Part::Head,
        };
        Self {
            eps,
            embedding: read(Part::TokenEmbedding),
            positions: maybe(Part::PositionEmbedding),
            layers: (0..b.layers).map(layer).collect(),
            norm: scale(Part::FinalNorm, Part::FinalNormBias),
            head: matrix(head, Part::HeadBias),
            frequencies: frequencies(b),
            blueprint: b.clone(),
        }
    }

    /// A norm over blocks of `width`; `rms` sees what each is divided by.
    fn normalise(
        &self,
        x: &[f64],
        width: usize,
        scale: &Scale,
        rms: &mut dyn FnMut(f64),
    ) -> Vec<f64> {
        let centred = matches!(
            self.blueprint.norm,
            Norm::LayerNorm { .. } | Norm::BareLayerNorm { .. }
        );
        let mut out = Vec::with_capacity(x.len());
        for x in x.chunks_exact(width) {
            let mean = match centred {
                true => x.iter().sum::<f64>() / width as f64,
                false => 0.0,
            };
            let squares = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
            let root = (squares / width as f64 + self.eps).sqrt();
            rms(root);
            out.extend(x.iter().enumerate().map(|(i, x)| {
                let gain = scale.gains.as_ref().map_or(1.0, |g| g[i]);
                let bias = scale.bias.as_ref().map_or(0.0, |b| b[i]);
                (x - mean) / root * gain + bias
            }));
        }
        out
    }

    /// Logits (natural) of every position, `[n][vocab_size]`. `rms` sees each norm's index (two of a
    /// layer, before its halves, then the last one) and what it divides by.
    pub fn forward(&self, tokens: &[u32], rms: &mut dyn FnMut(usize, f64)) -> Vec<f64> {
        let b = &self.blueprint;
        let width = b.hidden_size;
        let scale = b.ends.embedding_scale.unwrap_or(1.0);
        let mut x: Vec<f64> = Vec::with_capacity(tokens.len() * width);
        for (position, &token) in tokens.iter().enumerate() {
            let row = &self.embedding[token as usize * width..][..width];
            let place = self.positions.as_ref();
            let place = place.map(|p| &p[position * width..][..width]);
            x.extend((0..width).map(|j| row[j] * scale + place.map_or(0.0, |p| p[j])));
        }
        let through = |x: &[f64], norm: &Option<Scale>, see: &mut dyn FnMut(f64)| match norm {
            Some(norm) => self.normalise(x, width, norm, see),
            None => x.to_vec(),
        };
        for (i, layer) in self.layers.iter().enumerate() {
            let a = through(&x, &layer.attention_norm, &mut |root| rms(2 * i, root));
            let attended = self.attend(layer, &a);
            let attended = through(&attended, &layer.attention_post, &mut |_| {});
            let mut seen = &mut |root| rms(2 * i + 1, root);
            let fed = match b.block.residual {
                Residual::Sequential => {
                    add(&mut x, attended);
                    let a = through(&x, &layer.feed_norm, &mut seen);
                    self.feed(layer, &a)
                }
                Residual::Parallel => {
                    let a = through(&x, &layer.feed_norm, &mut seen);
                    add(&mut x, attended);
                    self.feed(layer, &a)
                }
                Residual::ParallelSharedNorm => {
                    add(&mut x, attended);
                    self.feed(layer, &a)
                }
            };
            add(&mut x, through(&fed, &layer.feed_post, &mut |_| {}));
        }
        let last = 2 * self.layers.len();
        let a = self.normalise(&x, width, &self.norm, &mut |root| rms(last, root));
        let mut logits = self.head.apply(&a);
        if let Some(cap) = b.ends.softcap {
            logits.iter_mut().for_each(|z| *z = cap * (*z / cap).tanh());
        }
        logits
    }

    fn feed(&self, layer: &Layer, a: &[f64]) -> Vec<f64> {
        let activation = self.blueprint.activation;
        let mut inner = layer.up.apply(a);
        match &layer.gate {
            Some(gate) => inner
                .iter_mut()
                .zip(gate.apply(a))
                .for_each(|(up, gate)| *up *= activate(activation, gate)),
            None => inner.iter_mut().for_each(|x| *x = activate(activation, *x)),
        }
        layer.down.apply(&inner)
    }

    fn attend(&self, layer: &Layer, a: &[f64]) -> Vec<f64> {
        let b = &self.blueprint;
        let (mut q, mut k) = (layer.q.apply(a), layer.k.apply(a));
        if let Some([query, key]) = &layer.head_norms {
            let width = |outputs: usize| match b.attention.head_norm {
                HeadNorm::Whole => outputs,
                _ => b.head_dim,
            };
            q = self.normalise(&q, width(layer.q.outputs), query, &mut |_| {});
            k = self.normalise(&k, width(layer.k.outputs), key, &mut |_| {});
        }
        let frequencies = &self.frequencies[usize::from(layer.local)];
        for (x, heads) in [(&mut q, b.heads), (&mut k, b.kv_heads)] {
            let half = frequencies.len();
            for (i, x) in x.chunks_exact_mut(b.head_dim).enumerate() {
                let position = (i / heads) as f64;
                let (low, high) = x[..2 * half].split_at_mut(half);
                for ((a, b), f) in low.iter_mut().zip(high).zip(frequencies) {
                    let (sin, cos) = (position * f).sin_cos();
                    (*a, *b) = (*a * cos - *b * sin, *b * cos + *a * sin);
                }
            }
        }
        layer.o.apply(&self.mix(layer, &q, &k, &layer.v.apply(a)))
    }

    fn mix(&self, layer: &Layer, q: &[f64], k: &[f64], v: &[f64]) -> Vec<f64> {
        let b = &self.blueprint;
        let (heads, kv_heads, dim) = (b.heads, b.kv_heads, b.head_dim);
        let scale = b.attention.scale.unwrap_or(1.0 / (dim as f64).sqrt());
        let mut out = vec![0.0; q.len()];
        for (i, (q, out)) in q
            .chunks_exact(dim)
            .zip(out.chunks_exact_mut(dim))
            .enumerate()
        {
            let (position, kv) = (i / heads, i % heads / (heads / kv_heads));
            let at = |j: usize| (j * kv_heads + kv) * dim..(j * kv_heads + kv + 1) * dim;
            let score = |j| {
                let dot = q.iter().zip(&k[at(j)]).map(|(q, k)| q * k).sum::<f64>() * scale;
                b.attention
                    .softcap
                    .map_or(dot, |cap| cap * (dot / cap).tanh())
            };
            let first = (position + 1).saturating_sub(layer.window);
            let scores: Vec<f64> = (first..=position).map(score).collect();
            let max = scores.iter().copied().fold(f64::MIN, f64::max);
            let weights: Vec<f64> = scores.iter().map(|s| (s - max).exp()).collect();
            let sum: f64 = weights.iter().sum();
            for (j, weight) in (first..).zip(&weights) {
                let weight = weight / sum;
                out.iter_mut()
                    .zip(&v[at(j)])
                    .for_each(|(out, v)| *out += weight * v);
            }
        }
        out
    }
}
