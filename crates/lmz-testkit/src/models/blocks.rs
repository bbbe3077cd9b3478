//! A model that is stored in blocks of small integers.

use half::f16;

use crate::Random;
use crate::gguf::{File, Meta, Tensor};

const WIDTH: u64 = 32;
/// K-quants have blocks of 256.
const INNER: u64 = 256;
const LAYERS: u32 = 4;

/// A type of blocks: its number, elements and bytes, and where its halves stand and how large they are.
struct Type(u32, usize, usize, &'static [(usize, f32)]);

const F32: Type = Type(0, 1, 4, &[]);
const F16: Type = Type(1, 1, 2, &[(0, 0.2)]);
const Q4_0: Type = Type(2, 32, 18, &[(0, 0.04)]);
const Q4_1: Type = Type(3, 32, 20, &[(0, 0.04), (2, -0.3)]);
const Q5_0: Type = Type(6, 32, 22, &[(0, 0.02)]);
const Q5_1: Type = Type(7, 32, 24, &[(0, 0.02), (2, -0.3)]);
const Q8_0: Type = Type(8, 32, 34, &[(0, 0.003)]);
const Q2_K: Type = Type(10, 256, 84, &[(80, 0.02), (82, 0.02)]);
const Q3_K: Type = Type(11, 256, 110, &[(108, 0.003)]);
const Q4_K: Type = Type(12, 256, 144, &[(0, 0.0006), (2, 0.003)]);
const Q6_K: Type = Type(14, 256, 210, &[(208, 0.0001)]);
const IQ4_NL: Type = Type(20, 32, 18, &[(0, 0.002)]);

/// Types of a layer's maps: queries, keys, values, output, gate, up, down. Half bytes with and without offsets, bytes, both
/// sizes of blocks, mixtures of all of them with what is not in blocks, and a layer's queries, keys and values without any.
const TYPES: [[Type; 7]; LAYERS as usize] = [
    [Q4_1, Q4_1, Q4_1, Q4_0, Q5_0, Q8_0, Q6_K],
    [Q4_0, Q8_0, F16, Q5_1, IQ4_NL, Q4_0, Q4_K],
    [F32, F32, F32, Q8_0, Q4_1, Q4_0, Q3_K],
    [Q4_0, Q4_0, Q4_0, Q4_1, Q5_1, Q5_0, Q2_K],
];

/// A GGUF file of a Llama of random blocks of nearly all types, with a tied head. Vectors are made from it: it stays as it is.
pub fn in_blocks() -> File {
    let mut random = Random(18);
    let mut file = File::llama();
    for (key, value) in [
        ("general.name", Meta::Text("In blocks".into())),
        ("llama.block_count", Meta::U32(LAYERS)),
        ("llama.embedding_length", Meta::U32(WIDTH as u32)),
        ("llama.feed_forward_length", Meta::U32(INNER as u32)),
        ("llama.attention.head_count", Meta::U32(4)),
        ("llama.attention.head_count_kv", Meta::U32(2)),
    ] {
        file.set(key, value);
    }
    let mut matrix = |name: &str, of: &Type, [columns, rows]: [u64; 2]| Tensor {
        name: format!("{name}.weight"),
        dimensions: vec![columns, rows],
        kind: of.0,
        offset: None,
        bytes: blocks(&mut random, of, (columns * rows) as usize / of.1),
    };
    let norm = |name: &str| Tensor {
        name: format!("{name}.weight"),
        dimensions: vec![WIDTH],
        kind: F32.0,
        offset: None,
        bytes: (0..WIDTH)
            .flat_map(|i| (0.8 + i as f32 / 64.0).to_le_bytes())
            .collect(),
    };
    let mut tensors = vec![
        matrix("token_embd", &Q8_0, [WIDTH, 259]),
        norm("output_norm"),
    ];
    for (layer, types) in TYPES.iter().enumerate() {
        let shapes = [
            ("attn_q", [WIDTH, WIDTH]),
            ("attn_k", [WIDTH, WIDTH / 2]),
            ("attn_v", [WIDTH, WIDTH / 2]),
            ("attn_output", [WIDTH, WIDTH]),
            ("ffn_gate", [WIDTH, INNER]),
            ("ffn_up", [WIDTH, INNER]),
            ("ffn_down", [INNER, WIDTH]),
        ];
        for ((name, shape), of) in shapes.into_iter().zip(types) {
            tensors.push(matrix(&format!("blk.{layer}.{name}"), of, shape));
        }
        tensors.extend(["attn_norm", "ffn_norm"].map(|name| norm(&format!("blk.{layer}.{name}"))));
    }
    file.tensors = tensors;
    file
}

/// Multiplies the factors and offsets of a tensor's blocks, of a type that [`in_blocks`] has in its first layer's attention.
///
/// # Panics
/// If it is of another type.
pub fn scale_blocks(tensor: &mut Tensor, factor: f32) {
    let of = [&Q4_0, &Q4_1].into_iter().find(|of| of.0 == tensor.kind);
    let Type(_, _, bytes, halves) = of.expect("a type of the first layer's attention");
    for block in tensor.bytes.chunks_exact_mut(*bytes) {
        for &(at, _) in *halves {
            let half = f16::from_le_bytes([block[at], block[at + 1]]);
            let scaled = f16::from_f32(half.to_f32() * factor).to_le_bytes();
            block[at..at + 2].copy_from_slice(&scaled);
        }
    }
}

/// Random integers, with halves of either sign within a factor of two of what the type has.
fn blocks(random: &mut Random, of: &Type, count: usize) -> Vec<u8> {
    let Type(_, _, bytes, halves) = of;
    let mut all = Vec::with_capacity(count * bytes);
    for _ in 0..count {
        let within = (random.index(2001) as f32 - 1000.0) / 1000.0;
        let mut block = match halves {
            [] => (0.2 * within).to_le_bytes().to_vec(),
            // ggml's own code writes no -128.
            _ => (0..*bytes)
                .map(|_| [random.index(256) as u8, 0x81][usize::from(random.index(40) == 0)])
                .map(|b| if b == 0x80 { 0x7f } else { b })
                .collect(),
        };
        for (at, size) in *halves {
            let factor = 0.5 + random.index(1000) as f32 / 1000.0;
            let sign = [1.0, -1.0][usize::from(halves.len() == 1 && random.index(2) == 1)];
            let value = f16::from_f32(size * factor * sign).to_le_bytes();
            block[*at..at + 2].copy_from_slice(&value);
        }
        all.extend(block);
    }
    all
}
