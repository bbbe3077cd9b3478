//! Trained tiny models of several families (tests/fixtures/text) on real text: bits of the integer
//! engine against double precision, also with outliers as large models have them.

#[path = "common/bits.rs"]
mod bits;
#[path = "common/float.rs"]
mod float;

use bits::{engine, exact_bits, reference_bits, tokenize};
use float::Float;
use lmz_exact::{Engine, Kernel, Prepared};
use lmz_model::{Blueprint, Checkpoint, HeadNorm, NormPlacement, Part, Vocabulary, Weights};
use lmz_testkit::engine::without_fine_rows;
use lmz_testkit::models::{Model, coarsen, with_tokenizer};
use lmz_testkit::{alice, repository};

const CONTEXT: usize = 120;
const NAMES: [&str; 8] = [
    "mistral",
    "qwen2",
    "qwen3",
    "gpt2",
    "gpt_neox",
    "gemma2",
    "gemma3_text",
    "olmo2",
];

fn checkpoint(name: &str) -> Checkpoint {
    with_tokenizer(&format!("text/{name}"))
}

/// Text that training did not see, of bytes that are tokens by themselves.
fn text(vocabulary: &Vocabulary, bytes: usize) -> Vec<u8> {
    let known = |byte: u8| vocabulary.iter().any(|(_, b)| b == Some(&[byte][..]));
    let file = alice();
    let rest = file[115_000..].iter().copied().filter(|&b| known(b));
    let text: Vec<u8> = rest.take(bytes).collect();
    assert_eq!(text.len(), bytes);
    text
}

/// How far the engine's bits are, relatively, from those of double precision.
#[derive(Debug)]
struct Distance {
    /// On the checkpoint's weights.
    checkpoint: f64,
    /// On the weights that the engine has: of the activations' rounding alone.
    rounded: f64,
}

/// Measures both distances on `bytes` bytes of text, and prints the bits a token.
fn distance(what: &str, checkpoint: &Checkpoint, bytes: usize) -> Distance {
    let tokens = tokenize(checkpoint, &text(&checkpoint.vocabulary, bytes));
    let reference = reference_bits(checkpoint, &tokens, CONTEXT);
    let prepared = lmz_exact::prepare(checkpoint, what).unwrap();
    let rounded = bits::bits_of(&Float::new(&prepared), checkpoint, &tokens, CONTEXT);
    let exact = exact_bits(&engine(checkpoint), &tokens, CONTEXT).ideal;
    let n = tokens.len() as f64;
    println!(
        "{what:24} {n} tokens, f64 {:.4} bits/token, of int8 weights {:.4}, exact {:.4} ({:+.3} %)",
        reference / n,
        rounded / n,
        exact / n,
        100.0 * (exact / reference - 1.0)
    );
    Distance {
        checkpoint: exact / reference - 1.0,
        rounded: exact / rounded - 1.0,
    }
}

#[test]
fn bits_of_real_text_are_within_five_per_mille() {
    let all = NAMES.map(|name| {
        let distance = distance(name, &checkpoint(name), 6_000);
        assert!(distance.rounded.abs() < 0.001, "{name}: {distance:?}");
        distance.checkpoint.abs()
    });
    assert!(all.iter().all(|d| *d < 0.005), "{all:?}");
}

const FACTOR: f32 = 300.0;

/// A model that is given outliers.
struct Change {
    model: Model,
    blueprint: Blueprint,
    /// Channels of the residual stream that matter least. The first two get a large value at every
    /// position, the last two the first token's alone: pairs of mean zero, so that a layer norm takes
    /// nothing of it from the others.
    channels: [usize; 4],
}

/// The channels whose embeddings and last gains are smallest.
fn least(checkpoint: &Checkpoint) -> [usize; 4] {
    let width = checkpoint.blueprint.hidden_size;
    let mut sizes = vec![0f32; width];
    for row in checkpoint.load(Part::TokenEmbedding).unwrap().chunks(width) {
        sizes.iter_mut().zip(row).for_each(|(s, w)| *s += w * w);
    }
    let gains = checkpoint.load(Part::FinalNorm).unwrap();
    let mut order: Vec<usize> = (0..width).collect();
    order.sort_by(|&a, &b| {
        let size = |j: usize| sizes[j] * gains[j] * gains[j];
        size(a).total_cmp(&size(b))
    });
    [order[0], order[1], order[2], order[3]]
}

impl Change {
    /// The tensor whose name ends so, of a layer if one is given.
    fn tensor(&mut self, suffixes: &[&str], layer: Option<usize>) -> Option<&mut Vec<f32>> {
        let at = layer.map(|layer| format!(".{layer}."));
        let fits = |name: &&String| {
            suffixes.iter().any(|s| name.ends_with(s))
                && at.as_ref().is_none_or(|at| name.contains(at.as_str()))
        };
        let name = self.model.tensors.keys().find(fits)?.clone();
        Some(self.model.tensor(&name))
    }

    /// Large residual channels. Norms' gains shrink there by as much, and the others grow to make up
    /// for the larger root mean square; maps that read the residual stream itself shrink there.
    fn residual(&mut self, original: &Checkpoint, sample: &[u32]) {
        let (b, channels) = (self.blueprint.clone(), self.channels);
        let width = b.hidden_size;
        let count = 2 * b.layers + 1;
        let (mut sums, mut counts) = (vec![0.0; count], vec![0usize; count]);
        Float::new(&**original).forward(sample, &mut |norm, rms| {
            // The first token is no typical one.
            if counts[norm] > 0 {
                sums[norm] += rms;
            }
            counts[norm] += 1;
        });
        let embeddings = ["embed_tokens.weight", "wte.weight", "embed_in.weight"];
        let table = self.tensor(&embeddings, None).expect("an embedding");
        if b.tied_head && b.ends.embedding_scale.is_none() {
            // A tied head would see nothing of it but one number more for all logits.
            let head = table.clone();
            let shape = vec![b.vocab_size, width];
            self.model.config["tie_word_embeddings"] = false.into();
            self.model
                .tensors
                .insert("lm_head.weight".into(), (shape, head));
        }
        let table = self.tensor(&embeddings, None).expect("an embedding");
        let typical = (table.iter().map(|w| w * w).sum::<f32>() / table.len() as f32).sqrt();
        for row in table.chunks_exact_mut(width) {
            row[channels[0]] += FACTOR * typical;
            row[channels[1]] -= FACTOR * typical;
        }
        let start = b.start_token as usize * width;
        table[start + channels[2]] += 10.0 * FACTOR * typical;
        table[start + channels[3]] -= 10.0 * FACTOR * typical;
        let value = f64::from(FACTOR * typical) * b.ends.embedding_scale.unwrap_or(1.0);
        let added = 2.0 * value * value / width as f64;
        let large = |j: usize| channels.contains(&j);
        let before = b.block.norms == NormPlacement::Before;
        for norm in 0..count {
            let (layer, half) = (norm / 2, norm % 2);
            let layer = (layer < b.layers).then_some(layer);
            let names: &[&str] = match (layer, half) {
                (None, _) => &[
                    "ln_f.weight",
                    "final_layer_norm.weight",
                    "model.norm.weight",
                ],
                (_, 0) => &["ln_1.weight", "input_layernorm.weight"],
                _ if before => &["ln_2.weight", "post_attention_layernorm.weight"],
                _ => &["pre_feedforward_layernorm.weight"],
            };
            if counts[norm] == 0 {
                continue;
            }
            let rms = sums[norm] / (counts[norm] - 1) as f64;
            let ratio = ((rms * rms + added).sqrt() / rms) as f32;
            let offset = f32::from(u8::from(matches!(
                b.norm,
                lmz_model::Norm::RmsNormPlusOne { .. }
            )));
            let gains = self.tensor(names, layer).expect("a norm");
            for (j, gain) in gains.iter_mut().enumerate() {
                let factor = if large(j) { 1.0 / FACTOR } else { ratio };
                *gain = (*gain + offset) * factor - offset;
            }
        }
        if b.block.norms == NormPlacement::After {
            for layer in 0..b.layers {
                for map in ["q_proj", "k_proj", "v_proj", "gate_proj", "up_proj"] {
                    let name = format!("{map}.weight");
                    let map = self.tensor(&[&name], Some(layer)).expect("a map");
                    for row in map.chunks_exact_mut(width) {
                        let large = (0..width).filter(|&j| large(j));
                        large.for_each(|j| row[j] /= FACTOR);
                    }
                }
            }
        }
    }

    /// Large channels of the feed-forward layer's inside: up grows, down shrinks.
    fn feed(&mut self, layer: usize) {
        let (width, inner) = (self.blueprint.hidden_size, self.blueprint.intermediate_size);
        let Some(up) = self.tensor(&["up_proj.weight"], Some(layer)) else {
            return;
        };
        for channel in [5, 40] {
            up[channel * width..][..width]
                .iter_mut()
                .for_each(|w| *w *= FACTOR);
        }
        let down = self
            .tensor(&["down_proj.weight"], Some(layer))
            .expect("down");
        for row in down.chunks_exact_mut(inner) {
            row[5] /= FACTOR;
            row[40] /= FACTOR;
        }
    }

    /// One rotary pair of keys far above the others, its bias further, as Qwen2 has them.
    fn keys(&mut self, layer: usize) {
        const KEYS: f32 = 60.0;
        let b = self.blueprint.clone();
        let (width, dim, group) = (b.hidden_size, b.head_dim, b.heads / b.kv_heads);
        if !b.attention.input_bias {
            return;
        }
        for (name, factor, heads) in [("k_proj", KEYS, 1), ("q_proj", 1.0 / KEYS, group)] {
            for (part, columns) in [("weight", width), ("bias", 1)] {
                let name = format!("{name}.{part}");
                let Some(values) = self.tensor(&[&name], Some(layer)) else {
                    continue;
                };
                for head in 0..heads {
                    for row in [1, 1 + dim / 2] {
                        let row = (head * dim + row) * columns;
                        values[row..][..columns].iter_mut().for_each(|w| {
                            *w =
                                (*w + if columns == 1 && factor > 1.0 {
                                    2.0
                                } else {
                                    0.0
                                }) * factor;
                        });
                    }
                }
            }
        }
    }

    /// Large gains of keys' norms, small ones of queries', as Qwen3 has them.
    fn head_gains(&mut self, layer: usize) {
        if self.blueprint.attention.head_norm != HeadNorm::PerHead {
            return;
        }
        let offset = f32::from(u8::from(matches!(
            self.blueprint.norm,
            lmz_model::Norm::RmsNormPlusOne { .. }
        )));
        for (name, factor) in [("q_norm.weight", 1.0 / 60.0), ("k_norm.weight", 60.0)] {
            let gains = self.tensor(&[name], Some(layer)).expect("a norm");
            for i in [2, 2 + gains.len() / 2] {
                gains[i] = (gains[i] + offset) * factor - offset;
            }
        }
    }
}

#[test]
fn outliers_cost_no_more() {
    let all = NAMES.map(|name| {
        let original = checkpoint(name);
        let config = repository("tests/fixtures/text").join(name);
        let config = std::fs::read(config.join("config.json")).unwrap();
        let model = Model::of(&original, &config);
        let blueprint = original.blueprint.clone();
        let mut sample = vec![blueprint.start_token];
        sample.extend(tokenize(&original, &text(&original.vocabulary, 200)));
        sample.truncate(100);
        let layers = blueprint.layers;
        let channels = least(&original);
        let mut change = Change {
            model,
            blueprint,
            channels,
        };
        change.residual(&original, &sample);
        for layer in 0..layers {
            change.feed(layer);
            change.keys(layer);
            change.head_gains(layer);
        }
        let checkpoint = change.model.open();
        let distance = distance(&format!("{name}, outliers"), &checkpoint, 3_000);
        assert!(distance.rounded.abs() < 0.001, "{name}: {distance:?}");
        distance.checkpoint.abs()
    });
    // Four of 48 channels are outliers: what int8 rounds away in the embedding shows, in either direction.
    assert!(all.iter().all(|d| *d < 0.02), "{all:?}");
}

/// A third of the rows that read the residual stream have a weight 64 times as large as it was, at channels that the norms
/// make small. Of int8 with one scale their other weights have a bit or two; as fine rows they keep their value.
#[test]
fn rows_that_int8_is_too_coarse_for_cost_nothing() {
    let original = checkpoint("mistral");
    let config = repository("tests/fixtures/text/mistral/config.json");
    let mut model = Model::of(&original, &std::fs::read(config).unwrap());
    coarsen(&mut model, 3);
    let checkpoint = model.open();
    let tokens = tokenize(&checkpoint, &text(&checkpoint.vocabulary, 3_000));
    let reference = reference_bits(&checkpoint, &tokens, CONTEXT);
    let prepared = lmz_exact::prepare(&checkpoint, "coarse").unwrap();
    assert_eq!((prepared.recipe, prepared.numerics), (2, 2));
    let bits = |prepared: &Prepared| {
        let engine = Engine::new(prepared, Kernel::detect()).unwrap();
        exact_bits(&engine, &tokens, CONTEXT).ideal / reference - 1.0
    };
    let int8 = bits(&without_fine_rows(&prepared, |_| true));
    let fine = bits(&prepared);
    println!(
        "coarse rows: int8 {:+.3} %, fine {:+.3} %",
        100.0 * int8,
        100.0 * fine
    );
    assert!(int8.abs() > 0.0003, "int8 would do: {int8}");
    assert!(fine.abs() < 0.0002, "{fine}, int8 {int8}");
}
