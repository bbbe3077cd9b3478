//! Runs of the integer engine: what vectors are made from and checked with.

use lmz_exact::{Cache, Engine, Isa, Kernel, Prepared, Run, Scratch, prepare};
use lmz_model::Checkpoint;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use crate::Random;
use crate::models::{Tiny, with_tokenizer};

/// A tiny Llama of random weights, prepared.
///
/// # Panics
///
/// If it cannot be prepared.
pub fn prepared(tiny: Tiny, seed: u64) -> Prepared {
    prepare(&tiny.model(seed).open(), "tiny").expect("a tiny model")
}

/// The same model under another version of the numerics; for version 2 the first layer and every second one after it
/// have wide scores.
///
/// # Panics
///
/// If that cannot be read.
pub fn under_numerics(prepared: &Prepared, version: u8) -> Prepared {
    const KEY: &str = "lmzm";
    const WIDE: &str = "scores.wide";
    let bytes = prepared.as_bytes();
    let (_, header) = SafeTensors::read_metadata(bytes).expect("a header");
    let metadata = header.metadata().as_ref().expect("metadata");
    let mut metadata: serde_json::Value = serde_json::from_str(&metadata[KEY]).expect("JSON");
    metadata["numerics"] = version.into();
    let file = SafeTensors::deserialize(bytes).expect("tensors");
    let mut tensors = file.tensors();
    tensors.retain(|(name, _)| name != WIDE);
    let layers = prepared.blueprint.layers;
    let wide: Vec<u8> = (0..layers).map(|layer| u8::from(layer % 2 == 0)).collect();
    if version == lmz_exact::WIDE_NUMERICS {
        let view = TensorView::new(Dtype::U8, vec![layers], &wide).expect("a byte for each layer");
        tensors.push((WIDE.to_owned(), view));
    }
    let metadata = [(KEY.to_owned(), metadata.to_string())].into();
    let bytes = safetensors::serialize(tensors, Some(metadata)).expect("tensors in memory");
    Prepared::from_bytes(bytes).expect("a prepared model")
}

/// A parity fixture (`tests/fixtures/families/NAME`), with the tokenizer of 91 tokens.
///
/// # Panics
///
/// If there is none.
#[track_caller]
pub fn family(name: &str) -> Checkpoint {
    with_tokenizer(&format!("families/{name}"))
}

/// The kernels of this machine, portable Rust first.
pub fn kernels() -> Vec<Kernel> {
    let all = Isa::available().into_iter();
    all.filter_map(Kernel::new).collect()
}

/// Tokens of a fixed sequence: the start token, then `count - 1` random ones.
pub fn tokens(engine: &Engine, count: usize, seed: u64) -> Vec<u32> {
    let mut random = Random(seed);
    let symbols = engine.symbols().tokens();
    let rest = (1..count).map(|_| symbols[random.index(symbols.len())]);
    std::iter::once(engine.start_token()).chain(rest).collect()
}

/// Logits of every position, `[tokens][symbols]`, in one parallel pass.
pub fn logits(engine: &Engine, tokens: &[u32]) -> Vec<Vec<i32>> {
    let mut cache = Cache::new(engine, tokens.len());
    let mut all = Vec::new();
    let run = Run {
        cache: &mut cache,
        start: 0,
        tokens,
        wanted: 0,
    };
    engine.forward(&mut Scratch::new(), &mut [run], &mut |_, _, scores| {
        all.push(scores.logits.to_vec())
    });
    all
}

/// The BLAKE3 of logits in hexadecimal: positions in order, 32-bit little endian.
pub fn hash(logits: &[Vec<i32>]) -> String {
    let bytes: Vec<u8> = logits
        .iter()
        .flatten()
        .flat_map(|z| z.to_le_bytes())
        .collect();
    blake3::hash(&bytes).to_hex().to_string()
}
