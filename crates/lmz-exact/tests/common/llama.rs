//! Llama in double precision, straight from the published definition: what the integers approximate.
//! It shares nothing with the engine but the reading of tensors.

use lmz_model::{Blueprint, Checkpoint, LayerPart, Norm, Part, Position, RopeScaling, Weights};

/// A matrix, transposed: `[inputs][outputs]`.
struct Matrix {
    outputs: usize,
    values: Vec<f64>,
}

struct Layer {
    attention_norm: Vec<f64>,
    q: Matrix,
    k: Matrix,
    v: Matrix,
    o: Matrix,
    feed_norm: Vec<f64>,
    gate: Matrix,
    up: Matrix,
    down: Matrix,
}

pub struct Llama {
    blueprint: Blueprint,
    eps: f64,
    embedding: Vec<f64>,
    layers: Vec<Layer>,
    norm: Vec<f64>,
    head: Matrix,
    /// Radians per position.
    frequencies: Vec<f64>,
}

impl Matrix {
    fn new(rows: &[f64], inputs: usize) -> Self {
        let outputs = rows.len() / inputs;
        let values = (0..inputs * outputs)
            .map(|i| rows[i % outputs * inputs + i / outputs])
            .collect();
        Self { outputs, values }
    }

    /// `[n][inputs]` to `[n][outputs]`.
    fn apply(&self, x: &[f64]) -> Vec<f64> {
        let inputs = self.values.len() / self.outputs;
        let mut y = vec![0.0; x.len() / inputs * self.outputs];
        for (x, y) in x.chunks_exact(inputs).zip(y.chunks_exact_mut(self.outputs)) {
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

fn frequencies(blueprint: &Blueprint) -> Vec<f64> {
    let Position::Rope { theta, scaling } = blueprint.position else {
        panic!("no rotary positions")
    };
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
    let size = blueprint.head_dim;
    (0..size / 2)
        .map(|i| scale(theta.powf(-2.0 * i as f64 / size as f64)))
        .collect()
}

impl Llama {
    pub fn new(checkpoint: &Checkpoint) -> Self {
        let b = &checkpoint.blueprint;
        let read = |part| -> Vec<f64> {
            let values = checkpoint.load(part).unwrap();
            values.into_iter().map(f64::from).collect()
        };
        let matrix = |part| Matrix::new(&read(part), b.part_shape(part)[1]);
        let Norm::RmsNorm { eps } = b.norm else {
            panic!("{:?}", b.norm)
        };
        let layer = |i| {
            let part = |part| Part::Layer(i, part);
            Layer {
                attention_norm: read(part(LayerPart::AttentionNorm)),
                q: matrix(part(LayerPart::Query)),
                k: matrix(part(LayerPart::Key)),
                v: matrix(part(LayerPart::Value)),
                o: matrix(part(LayerPart::Output)),
                feed_norm: read(part(LayerPart::FeedForwardNorm)),
                gate: matrix(part(LayerPart::Gate)),
                up: matrix(part(LayerPart::Up)),
                down: matrix(part(LayerPart::Down)),
            }
        };
        let head = match b.tied_head {
            true => Part::TokenEmbedding,
            false => Part::Head,
        };
        Self {
            eps,
            embedding: read(Part::TokenEmbedding),
            layers: (0..b.layers).map(layer).collect(),
            norm: read(Part::FinalNorm),
            head: matrix(head),
            frequencies: frequencies(b),
            blueprint: b.clone(),
        }
    }

    /// Logits (natural) of every position, `[n][vocab_size]`. `rms` sees each norm's index and the
    /// root mean squares that it divides by.
    pub fn forward(&self, tokens: &[u32], rms: &mut dyn FnMut(usize, f64)) -> Vec<f64> {
        let b = &self.blueprint;
        let width = b.hidden_size;
        let mut x: Vec<f64> = Vec::with_capacity(tokens.len() * width);
        for &token in tokens {
            x.extend_from_slice(&self.embedding[token as usize * width..][..width]);
        }
        let mut norm = |index: usize, x: &[f64], gains: &[f64]| -> Vec<f64> {
            let mut out = Vec::with_capacity(x.len());
            for x in x.chunks_exact(width) {
                let root = (x.iter().map(|x| x * x).sum::<f64>() / width as f64 + self.eps).sqrt();
                rms(index, root);
                out.extend(x.iter().zip(gains).map(|(x, g)| x / root * g));
            }
            out
        };
        for (i, layer) in self.layers.iter().enumerate() {
            let a = norm(2 * i, &x, &layer.attention_norm);
            let (mut q, mut k) = (layer.q.apply(&a), layer.k.apply(&a));
            self.rotate(&mut q, b.heads);
            self.rotate(&mut k, b.kv_heads);
            let attended = self.attend(&q, &k, &layer.v.apply(&a));
            x.iter_mut()
                .zip(layer.o.apply(&attended))
                .for_each(|(x, y)| *x += y);
            let a = norm(2 * i + 1, &x, &layer.feed_norm);
            let (mut gate, up) = (layer.gate.apply(&a), layer.up.apply(&a));
            gate.iter_mut()
                .zip(up)
                .for_each(|(g, up)| *g = *g / (1.0 + (-*g).exp()) * up);
            x.iter_mut()
                .zip(layer.down.apply(&gate))
                .for_each(|(x, y)| *x += y);
        }
        let a = norm(2 * self.layers.len(), &x, &self.norm);
        self.head.apply(&a)
    }

    fn rotate(&self, x: &mut [f64], heads: usize) {
        let half = self.frequencies.len();
        for (i, x) in x.chunks_exact_mut(2 * half).enumerate() {
            let position = (i / heads) as f64;
            let (low, high) = x.split_at_mut(half);
            for ((a, b), f) in low.iter_mut().zip(high).zip(&self.frequencies) {
                let (sin, cos) = (position * f).sin_cos();
                (*a, *b) = (*a * cos - *b * sin, *b * cos + *a * sin);
            }
        }
    }

    fn attend(&self, q: &[f64], k: &[f64], v: &[f64]) -> Vec<f64> {
        let (heads, kv_heads, dim) = (
            self.blueprint.heads,
            self.blueprint.kv_heads,
            self.blueprint.head_dim,
        );
        let mut out = vec![0.0; q.len()];
        for (i, (q, out)) in q
            .chunks_exact(dim)
            .zip(out.chunks_exact_mut(dim))
            .enumerate()
        {
            let (position, kv) = (i / heads, i % heads / (heads / kv_heads));
            let at = |j: usize| (j * kv_heads + kv) * dim..(j * kv_heads + kv + 1) * dim;
            let score =
                |j| q.iter().zip(&k[at(j)]).map(|(q, k)| q * k).sum::<f64>() / (dim as f64).sqrt();
            let scores: Vec<f64> = (0..=position).map(score).collect();
            let max = scores.iter().copied().fold(f64::MIN, f64::max);
            let weights: Vec<f64> = scores.iter().map(|s| (s - max).exp()).collect();
            let sum: f64 = weights.iter().sum();
            for (j, weight) in weights.iter().enumerate() {
                let weight = weight / sum;
                out.iter_mut()
                    .zip(&v[at(j)])
                    .for_each(|(out, v)| *out += weight * v);
            }
        }
        out
    }
}
