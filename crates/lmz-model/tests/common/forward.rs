//! The forward pass of any blueprint in double precision, one number at a time: what the weights'
//! mapping and the configuration's reading are checked with. It shares nothing with an engine.

use std::collections::HashMap;

use lmz_model::{
    Activation, Blueprint, FeedForwardKind, HeadNorm, LayerPart, Norm, NormPlacement, Part,
    Position, Residual, RopeScaling, Weights,
};

use LayerPart::*;

pub struct Forward<'a> {
    b: &'a Blueprint,
    parts: HashMap<Part, Vec<f64>>,
}

impl<'a> Forward<'a> {
    pub fn new(weights: &'a impl Weights) -> Self {
        let b = weights.blueprint();
        let load = |part| {
            let values = weights.load(part).unwrap();
            assert_eq!(
                values.len(),
                b.part_shape(part).iter().product::<usize>(),
                "{part:?}"
            );
            (part, values.into_iter().map(f64::from).collect())
        };
        let parts = b.parts().into_iter().map(load).collect();
        Self { b, parts }
    }

    fn get(&self, part: Part) -> &[f64] {
        &self.parts[&part]
    }

    fn add(&self, part: Part, x: &mut [f64]) {
        if let Some(bias) = self.parts.get(&part) {
            x.iter_mut().zip(bias).for_each(|(x, b)| *x += b);
        }
    }

    fn norm(&self, weight: Part, bias: Part, x: &[f64]) -> Vec<f64> {
        let mut y = self.gained(weight, x);
        self.add(bias, &mut y);
        y
    }

    /// A norm without its bias.
    fn gained(&self, weight: Part, x: &[f64]) -> Vec<f64> {
        let gain = self.parts.get(&weight);
        let mut y = normalised(self.b.norm, x);
        if let Some(gain) = gain {
            let one = f64::from(u8::from(matches!(self.b.norm, Norm::RmsNormPlusOne { .. })));
            y.iter_mut().zip(gain).for_each(|(y, g)| *y *= one + g);
        }
        y
    }

    /// Logits of every position, `[n][vocab_size]`.
    pub fn logits(&self, tokens: &[usize]) -> Vec<Vec<f64>> {
        let (b, width) = (self.b, self.b.hidden_size);
        let row = |part, i: usize| &self.get(part)[i * width..(i + 1) * width];
        let embed = |(at, &token): (usize, &usize)| {
            let scale = b.ends.embedding_scale.unwrap_or(1.0);
            let mut x: Vec<f64> = row(Part::TokenEmbedding, token)
                .iter()
                .map(|x| x * scale)
                .collect();
            if b.position == Position::Learned {
                x.iter_mut()
                    .zip(row(Part::PositionEmbedding, at))
                    .for_each(|(x, p)| *x += p);
            }
            x
        };
        let mut stream: Vec<Vec<f64>> = tokens.iter().enumerate().map(embed).collect();
        for layer in 0..b.layers {
            self.layer(layer, &mut stream);
        }
        let head = if b.tied_head {
            Part::TokenEmbedding
        } else {
            Part::Head
        };
        let finish = |x: Vec<f64>| {
            let x = self.norm(Part::FinalNorm, Part::FinalNormBias, &x);
            let mut logits = product(self.get(head), &x);
            self.add(Part::HeadBias, &mut logits);
            cap(&mut logits, b.ends.softcap);
            logits
        };
        stream.into_iter().map(finish).collect()
    }

    fn layer(&self, layer: usize, stream: &mut [Vec<f64>]) {
        let b = self.b;
        let at = |part| Part::Layer(layer, part);
        let before = |weight, bias, x: &Vec<f64>| match b.block.norms {
            NormPlacement::After => x.clone(),
            _ => self.norm(at(weight), at(bias), x),
        };
        let after = |weight, bias, x: Vec<f64>| match b.block.norms {
            NormPlacement::Before => x,
            _ => self.norm(at(weight), at(bias), &x),
        };
        let first = |x: &Vec<f64>| before(AttentionNorm, AttentionNormBias, x);
        let second = |x: &Vec<f64>| before(FeedForwardNorm, FeedForwardNormBias, x);
        let entered: Vec<Vec<f64>> = stream.iter().map(first).collect();
        let attended = self.attention(layer, &entered);
        for ((x, n), a) in stream.iter_mut().zip(&entered).zip(attended) {
            let a = after(AttentionPostNorm, AttentionPostNormBias, a);
            let parallel = match b.block.residual {
                Residual::Sequential => None,
                Residual::Parallel => Some(second(x)),
                Residual::ParallelSharedNorm => Some(n.clone()),
            };
            x.iter_mut().zip(&a).for_each(|(x, a)| *x += a);
            let fed = self.feed_forward(layer, &parallel.unwrap_or_else(|| second(x)));
            let fed = after(FeedForwardPostNorm, FeedForwardPostNormBias, fed);
            x.iter_mut().zip(&fed).for_each(|(x, f)| *x += f);
        }
    }

    fn linear(&self, layer: usize, weight: LayerPart, bias: LayerPart, x: &[f64]) -> Vec<f64> {
        let mut y = product(self.get(Part::Layer(layer, weight)), x);
        self.add(Part::Layer(layer, bias), &mut y);
        y
    }

    fn attention(&self, layer: usize, entered: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let b = self.b;
        let size = b.head_dim;
        let window = b.attention.window.as_ref();
        let window = window.filter(|w| w.layers.is_empty() || w.layers[layer]);
        let heads = |weight, bias, norm: Option<LayerPart>, at: usize, x: &Vec<f64>| {
            let mut y = self.linear(layer, weight, bias, x);
            let Some(norm) = norm else {
                return y;
            };
            let part = Part::Layer(layer, norm);
            y = match b.attention.head_norm {
                HeadNorm::None => y,
                HeadNorm::Whole => self.gained(part, &y),
                HeadNorm::PerHead => y
                    .chunks(size)
                    .flat_map(|head| self.gained(part, head))
                    .collect(),
            };
            if let Position::Rope { theta, scaling } = b.position {
                let local = window.and_then(|w| w.theta);
                let (theta, scaling) = match local {
                    Some(theta) => (theta, RopeScaling::None),
                    None => (theta, scaling),
                };
                let dim = b.attention.rotary_dim.unwrap_or(size);
                for head in y.chunks_mut(size) {
                    rotate(&mut head[..dim], at, theta, scaling);
                }
            }
            y
        };
        let each = |weight, bias, norm| -> Vec<Vec<f64>> {
            let all = entered.iter().enumerate();
            all.map(|(at, x)| heads(weight, bias, norm, at, x))
                .collect()
        };
        let queries = each(Query, QueryBias, Some(QueryNorm));
        let keys = each(Key, KeyBias, Some(KeyNorm));
        let values = each(Value, ValueBias, None);
        let scale = b.attention.scale.unwrap_or((size as f64).powf(-0.5));
        let mixed = queries.iter().enumerate().map(|(i, query)| {
            let seen = window.map_or(0, |w| (i + 1).saturating_sub(w.tokens))..i + 1;
            let head = |h: usize| {
                let kv = h / (b.heads / b.kv_heads) * size;
                let q = &query[h * size..(h + 1) * size];
                let mut scores: Vec<f64> = seen
                    .clone()
                    .map(|j| scale * dot(q, &keys[j][kv..kv + size]))
                    .collect();
                cap(&mut scores, b.attention.softcap);
                softmax(&mut scores);
                let mut out = vec![0.0; size];
                for (p, j) in scores.iter().zip(seen.clone()) {
                    out.iter_mut()
                        .zip(&values[j][kv..])
                        .for_each(|(o, v)| *o += p * v);
                }
                out
            };
            (0..b.heads).flat_map(head).collect::<Vec<f64>>()
        });
        mixed
            .map(|x| self.linear(layer, Output, OutputBias, &x))
            .collect()
    }

    fn feed_forward(&self, layer: usize, x: &[f64]) -> Vec<f64> {
        let f = |x: &mut f64| *x = activate(self.b.activation, *x);
        let gated = |gate: Vec<f64>, up: Vec<f64>| -> Vec<f64> {
            let mut gate = gate;
            gate.iter_mut().for_each(f);
            gate.iter().zip(&up).map(|(g, u)| g * u).collect()
        };
        match self.b.feed_forward.kind {
            FeedForwardKind::Gated => {
                let gate = self.linear(layer, Gate, GateBias, x);
                let inner = gated(gate, self.linear(layer, Up, UpBias, x));
                self.linear(layer, Down, DownBias, &inner)
            }
            FeedForwardKind::Plain => {
                let mut inner = self.linear(layer, Up, UpBias, x);
                inner.iter_mut().for_each(f);
                self.linear(layer, Down, DownBias, &inner)
            }
            FeedForwardKind::Experts { count, chosen } => {
                let get = |part| self.get(Part::Layer(layer, part));
                let mut shares = product(get(Router), x);
                softmax(&mut shares);
                let mut order: Vec<usize> = (0..count).collect();
                order.sort_by(|&a, &b| shares[b].total_cmp(&shares[a]));
                let total: f64 = order[..chosen].iter().map(|&e| shares[e]).sum();
                let mut out = vec![0.0; x.len()];
                for &e in &order[..chosen] {
                    let (gate, up) = (product(get(ExpertGate(e)), x), product(get(ExpertUp(e)), x));
                    let y = product(get(ExpertDown(e)), &gated(gate, up));
                    out.iter_mut()
                        .zip(&y)
                        .for_each(|(o, y)| *o += shares[e] / total * y);
                }
                out
            }
            other => panic!("{other:?}"),
        }
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// `[outputs, inputs]` times a vector.
fn product(matrix: &[f64], x: &[f64]) -> Vec<f64> {
    matrix
        .chunks_exact(x.len())
        .map(|row| dot(row, x))
        .collect()
}

fn softmax(x: &mut [f64]) {
    let max = x.iter().fold(f64::NEG_INFINITY, |m, &x| m.max(x));
    x.iter_mut().for_each(|x| *x = (*x - max).exp());
    let sum: f64 = x.iter().sum();
    x.iter_mut().for_each(|x| *x /= sum);
}

fn cap(x: &mut [f64], cap: Option<f64>) {
    if let Some(cap) = cap {
        x.iter_mut().for_each(|x| *x = cap * (*x / cap).tanh());
    }
}

fn normalised(norm: Norm, x: &[f64]) -> Vec<f64> {
    let (centred, eps) = match norm {
        Norm::RmsNorm { eps } | Norm::RmsNormPlusOne { eps } => (0.0, eps),
        Norm::LayerNorm { eps } | Norm::BareLayerNorm { eps } => {
            (x.iter().sum::<f64>() / x.len() as f64, eps)
        }
        other => panic!("{other:?}"),
    };
    let square: f64 = x.iter().map(|x| (x - centred).powi(2)).sum();
    let root = (square / x.len() as f64 + eps).sqrt();
    x.iter().map(|x| (x - centred) / root).collect()
}

fn rotate(head: &mut [f64], at: usize, theta: f64, scaling: RopeScaling) {
    let half = head.len() / 2;
    for i in 0..half {
        let plain = theta.powf(-(i as f64) / half as f64);
        let frequency = match scaling {
            RopeScaling::None => plain,
            RopeScaling::Linear { factor } => plain / factor,
            RopeScaling::Llama3 {
                factor,
                low_freq_factor: low,
                high_freq_factor: high,
                original_max_position_embeddings: context,
            } => {
                let turns = context as f64 * plain / std::f64::consts::TAU;
                let kept = ((turns - low) / (high - low)).clamp(0.0, 1.0);
                plain * (kept + (1.0 - kept) / factor)
            }
            other => panic!("{other:?}"),
        };
        let (sin, cos) = (at as f64 * frequency).sin_cos();
        let (a, b) = (head[i], head[i + half]);
        (head[i], head[i + half]) = (a * cos - b * sin, b * cos + a * sin);
    }
}

fn activate(kind: Activation, x: f64) -> f64 {
    match kind {
        Activation::Silu => x / (1.0 + (-x).exp()),
        Activation::Gelu => x * phi(x),
        Activation::GeluTanh => {
            let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3));
            x / 2.0 * (1.0 + inner.tanh())
        }
        Activation::Relu => x.max(0.0),
        other => panic!("{other:?}"),
    }
}

/// The normal distribution function, by the Taylor series of its integral about zero.
fn phi(x: f64) -> f64 {
    if x.abs() > 7.0 {
        return f64::from(u8::from(x > 0.0));
    }
    let (mut term, mut sum) = (x, x);
    for n in 1..200 {
        term *= x * x / f64::from(2 * n + 1);
        sum += term;
    }
    0.5 + sum * (-x * x / 2.0).exp() / std::f64::consts::TAU.sqrt()
}
