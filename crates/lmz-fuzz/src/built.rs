//! Prepared models of a few parameters, with every value that the file may hold.

use lmz_exact::differential::Draw;
use lmz_exact::parts::{MAX_FACTOR, MAX_OFFSET};
use lmz_model::{
    Activation, Attention, Block, Blueprint, Ends, FeedForward, FeedForwardKind, HeadNorm, Layout,
    Norm, NormPlacement, Position, Residual, RopeScaling, Window,
};
use safetensors::Dtype;
use safetensors::tensor::TensorView;

/// A description of a model with dimensions of a few elements; few fit together.
fn blueprint(draw: &mut Draw<'_>) -> Blueprint {
    let eps = 1e-5;
    let norm = [
        Norm::RmsNorm { eps },
        Norm::RmsNormPlusOne { eps },
        Norm::LayerNorm { eps },
        Norm::BareLayerNorm { eps },
    ][draw.below(4)];
    let layouts = [
        Layout::Llama,
        Layout::Gpt2,
        Layout::GptNeox,
        Layout::GptBigCode,
        Layout::Starcoder2,
        Layout::Falcon,
        Layout::Phi,
    ];
    let layout = layouts[draw.below(layouts.len())];
    let rope = Position::Rope {
        theta: 1e4,
        scaling: RopeScaling::None,
    };
    let learned = matches!(layout, Layout::Gpt2 | Layout::GptBigCode);
    let plain = layout != Layout::Llama;
    let kv_heads = 1 + draw.below(2);
    let head_dim = 2 * (1 + draw.below(5));
    let layers = 1 + draw.below(2);
    let mut flag = || draw.below(2) == 1;
    let window = flag().then(|| Window {
        tokens: 3,
        layers: Vec::new(),
        theta: (!learned && flag()).then_some(100.0),
    });
    let attention = Attention {
        input_bias: flag(),
        output_bias: flag(),
        head_norm: HeadNorm::None,
        rotary_dim: (!learned && flag()).then_some(2),
        scale: None,
        softcap: flag().then_some(4.0),
        window,
    };
    let ends = Ends {
        embedding_scale: None,
        head_bias: layout == Layout::Phi && flag(),
        softcap: flag().then_some(5.0),
    };
    let (tied_head, bias) = (flag(), flag());
    Blueprint {
        hidden_size: 1 + draw.below(40),
        intermediate_size: 1 + draw.below(20),
        layers,
        heads: kv_heads * (1 + draw.below(2)),
        kv_heads,
        head_dim,
        vocab_size: 4 + draw.below(30),
        max_positions: 4,
        norm,
        position: if learned { Position::Learned } else { rope },
        activation: [
            Activation::Silu,
            Activation::Gelu,
            Activation::GeluTanh,
            Activation::Relu,
        ][draw.below(4)],
        tied_head,
        start_token: draw.below(4) as u32,
        layout,
        block: Block {
            norms: [
                NormPlacement::Before,
                NormPlacement::After,
                NormPlacement::Around,
            ][draw.below(3)],
            residual: [
                Residual::Sequential,
                Residual::Parallel,
                Residual::ParallelSharedNorm,
            ][draw.below(3)],
        },
        attention: Attention {
            head_norm: [HeadNorm::None, HeadNorm::PerHead, HeadNorm::Whole][draw.below(3)],
            ..attention
        },
        feed_forward: FeedForward {
            kind: match plain {
                true => FeedForwardKind::Plain,
                false => FeedForwardKind::Gated,
            },
            bias: plain && bias,
        },
        ends,
    }
}

/// Tensors by name, drawn within their bounds (docs/lmzm.md).
struct Tensors<'a, 'b> {
    draw: &'a mut Draw<'b>,
    all: Vec<(String, Dtype, Vec<usize>, Vec<u8>)>,
}

impl Tensors<'_, '_> {
    fn put(&mut self, name: String, dtype: Dtype, shape: &[usize], bytes: Vec<u8>) {
        self.all.push((name, dtype, shape.to_vec(), bytes));
    }

    fn i32s(&mut self, name: String, n: usize, limit: i32, positive: bool) {
        let values = self.draw.i32s(n, limit).into_iter();
        let values = values.map(|value| if positive { value.abs() } else { value });
        let bytes = values.flat_map(i32::to_le_bytes).collect();
        self.put(name, Dtype::I32, &[n], bytes);
    }

    fn exponent(&mut self, name: String) {
        let exponent = self.draw.exponent().clamp(-2000, 2000);
        self.put(name, Dtype::I32, &[1], exponent.to_le_bytes().to_vec());
    }

    fn scales(&mut self, name: &str, out: usize) {
        self.i32s(format!("{name}.m"), out, i32::MAX, true);
        self.exponent(format!("{name}.e"));
    }

    fn linear(&mut self, name: &str, [out, k]: [usize; 2]) {
        if k.is_multiple_of(16) && self.draw.below(2) == 1 {
            self.blocks(name, [out, k]);
        }
        let weights = self.draw.values(out * k, 127).into_iter();
        let weights = weights.map(|w| w as i8 as u8).collect();
        self.put(format!("{name}.w"), Dtype::I8, &[out, k], weights);
        self.scales(name, out);
        if self.draw.below(2) == 1 {
            let shifts = (0..k).map(|_| self.draw.below(21) as u8).collect();
            self.put(format!("{name}.c"), Dtype::U8, &[k], shifts);
        }
        if self.draw.below(4) == 1 {
            self.fine(name, [out, k]);
        }
    }

    /// Factors, and perhaps offsets and integers of 4 bits; what reads version 1 of the numerics passes them over.
    fn blocks(&mut self, name: &str, [out, k]: [usize; 2]) {
        let shape = [
            out,
            k / [16, 32][usize::from(k.is_multiple_of(32) && self.draw.below(2) == 1)],
        ];
        let small = |tensors: &mut Self, part: &str, limit| {
            let values = tensors.draw.i16s(shape[0] * shape[1], limit).into_iter();
            let bytes = values.flat_map(i16::to_le_bytes).collect();
            tensors.put(format!("{name}.{part}"), Dtype::I16, &shape, bytes);
        };
        small(self, "factors", MAX_FACTOR);
        if self.draw.below(2) == 1 {
            small(self, "offsets", MAX_OFFSET);
        }
        if self.draw.below(2) == 1 {
            let integers = self.draw.values(out * k, 127).into_iter();
            let integers = integers.map(|q| q as i8 as u8).collect();
            self.put(format!("{name}.q"), Dtype::I8, &[out, k], integers);
        } else {
            let halves = self.draw.values(out * k / 2, 127).into_iter();
            let halves = halves.map(|half| half as u8).collect();
            self.put(format!("{name}.q"), Dtype::U8, &[out, k / 2], halves);
        }
    }

    /// Low planes of some rows; what reads version 1 of the numerics passes them over.
    fn fine(&mut self, name: &str, [out, k]: [usize; 2]) {
        let mut rows: Vec<u32> = (0..out as u32).collect();
        rows.retain(|row| *row == 0 || self.draw.below(2) == 1);
        let bytes = rows.iter().flat_map(|row| row.to_le_bytes()).collect();
        self.put(format!("{name}.fine"), Dtype::U32, &[rows.len()], bytes);
        let low = self.draw.values(rows.len() * k, 127).into_iter();
        let low = low.map(|w| w as i8 as u8).collect();
        self.put(format!("{name}.low"), Dtype::I8, &[rows.len(), k], low);
    }

    fn bias(&mut self, name: &str, n: usize) {
        self.i32s(format!("{name}.b"), n, (1 << 29) - 1, false);
        self.exponent(format!("{name}.be"));
    }

    fn norm(&mut self, name: &str, n: usize) {
        self.i32s(format!("{name}.g"), n, (1 << 21) - 1, false);
        self.exponent(format!("{name}.e"));
    }

    fn block_norm(&mut self, name: &str, n: usize) {
        self.norm(name, n);
        let mantissa = self.draw.value(i32::MAX.into()).abs() as i32;
        let exponent = self.draw.exponent().clamp(-2000, 2000);
        let eps = [mantissa, exponent].into_iter();
        let eps = eps.flat_map(i32::to_le_bytes).collect();
        self.put(format!("{name}.eps"), Dtype::I32, &[2], eps);
    }

    fn cap(&mut self, name: &str) {
        let inverse = self.draw.value(i32::MAX.into()).abs().max(1) as i32;
        let cap = self.draw.value(1 << 30).abs().max(1) as i32;
        let values = [inverse, cap].into_iter().flat_map(i32::to_le_bytes);
        self.put(name.into(), Dtype::I32, &[2], values.collect());
    }

    fn turns(&mut self, name: &str, n: usize) {
        let turns = self.draw.values(n, u32::MAX.into()).into_iter();
        let bytes = turns.flat_map(|turn| (turn as u32).to_le_bytes()).collect();
        self.put(name.into(), Dtype::U32, &[n], bytes);
    }

    fn all_of(&mut self, b: &Blueprint) {
        let (d, queries) = (b.hidden_size, b.heads * b.head_dim);
        let keys = b.kv_heads * b.head_dim;
        let (before, after) = (
            b.block.norms != NormPlacement::After,
            b.block.norms != NormPlacement::Before,
        );
        let biased = matches!(b.norm, Norm::LayerNorm { .. });
        let with = |tensors: &mut Self, has: bool, name: &str, n: usize| {
            if has {
                tensors.bias(name, n);
            }
        };
        self.linear("embed", [b.vocab_size, d]);
        if b.position == Position::Learned {
            self.linear("positions", [b.max_positions, d]);
        }
        for layer in 0..b.layers {
            let name = |part: &str| format!("layers.{layer}.{part}");
            if before {
                self.norm(&name("attn_norm"), d);
                with(self, biased, &name("attn_norm"), d);
                self.norm(&name("ffn_norm"), d);
                with(self, biased, &name("ffn_norm"), d);
            }
            if after {
                self.block_norm(&name("attn_post_norm"), d);
                self.block_norm(&name("ffn_post_norm"), d);
            }
            let (rows, bias) = (queries + 2 * keys, b.feed_forward.bias);
            self.linear(&name("qkv"), [rows, d]);
            with(self, b.attention.input_bias, &name("qkv"), rows);
            let whole = b.attention.head_norm == HeadNorm::Whole;
            if b.attention.head_norm != HeadNorm::None {
                self.block_norm(&name("q_norm"), if whole { queries } else { b.head_dim });
                self.block_norm(&name("k_norm"), if whole { keys } else { b.head_dim });
            }
            self.linear(&name("o"), [d, queries]);
            with(self, b.attention.output_bias, &name("o"), d);
            let (up, rows) = match b.feed_forward.kind {
                FeedForwardKind::Gated => ("gate_up", 2 * b.intermediate_size),
                _ => ("up", b.intermediate_size),
            };
            self.linear(&name(up), [rows, d]);
            with(self, bias, &name(up), rows);
            self.linear(&name("down"), [d, b.intermediate_size]);
            with(self, bias, &name("down"), d);
        }
        self.norm("norm", d);
        with(self, biased, "norm", d);
        if b.tied_head {
            self.scales("head", b.vocab_size);
        } else {
            self.linear("head", [b.vocab_size, d]);
        }
        with(self, b.ends.head_bias, "head", b.vocab_size);
        if b.attention.softcap.is_some() {
            self.cap("scores.cap");
        }
        if b.ends.softcap.is_some() {
            self.cap("head.cap");
        }
        let rotated = b.attention.rotary_dim.unwrap_or(b.head_dim) / 2;
        if b.position != Position::Learned {
            self.turns("rope.freq", rotated);
            self.turns("rope.local", rotated);
        }
        let lengths = (0..b.vocab_size).flat_map(|_| 1u16.to_le_bytes()).collect();
        self.put("vocab.len".into(), Dtype::U16, &[b.vocab_size], lengths);
        let letters = (b'A'..).take(b.vocab_size).collect();
        self.put("vocab.bytes".into(), Dtype::U8, &[b.vocab_size], letters);
    }
}

/// The file of a model that the bytes describe, whether its parts fit together or not.
pub fn built(bytes: &[u8]) -> Vec<u8> {
    let mut draw = Draw::new(bytes);
    let blueprint = blueprint(&mut draw);
    let (bits, eps) = (draw.below(25), draw.value(1 << 62).unsigned_abs());
    let mut tensors = Tensors {
        draw: &mut draw,
        all: Vec::new(),
    };
    tensors.all_of(&blueprint);
    let mut numerics = lmz_exact::NUMERICS_VERSION;
    if tensors.draw.below(2) == 1 {
        numerics = lmz_exact::WIDE_NUMERICS;
        let wide = (0..blueprint.layers).map(|_| tensors.draw.below(2) as u8);
        let wide = wide.collect();
        tensors.put("scores.wide".into(), Dtype::U8, &[blueprint.layers], wide);
    }
    let metadata = serde_json::json!({
        "version": lmz_exact::LMZM_VERSION,
        "recipe": lmz_exact::RECIPE,
        "numerics": numerics,
        "name": "built",
        "checkpoint": "0".repeat(64),
        "residual_frac_bits": bits,
        "eps_fixed": eps,
        "blueprint": blueprint.canonical_json(),
    });
    let views = tensors.all.iter().map(|(name, dtype, shape, bytes)| {
        let view = TensorView::new(*dtype, shape.clone(), bytes).expect("shapes fit");
        (name.as_str(), view)
    });
    let metadata = [("lmzm".to_owned(), metadata.to_string())].into();
    safetensors::serialize(views, Some(metadata)).expect("tensors in memory")
}
