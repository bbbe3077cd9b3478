//! Runs of the integer engine: what vectors are made from and checked with.

use lmz_exact::parts::{MAX_FACTOR, MAX_OFFSET};
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
    const WIDE: &str = "scores.wide";
    let layers = prepared.blueprint.layers;
    let wide: Vec<u8> = (0..layers).map(|layer| u8::from(layer % 2 == 0)).collect();
    let metadata = |metadata: &mut serde_json::Value| metadata["numerics"] = version.into();
    rewrite(prepared, metadata, |tensors| {
        tensors.retain(|(name, _)| name != WIDE);
        if version == lmz_exact::WIDE_NUMERICS {
            let view =
                TensorView::new(Dtype::U8, vec![layers], &wide).expect("a byte for each layer");
            tensors.push((WIDE.to_owned(), view));
        }
    })
}

/// A prepared model with other metadata and tensors.
fn rewrite<'a>(
    prepared: &'a Prepared,
    metadata: impl FnOnce(&mut serde_json::Value),
    tensors: impl FnOnce(&mut Vec<(String, TensorView<'a>)>),
) -> Prepared {
    const KEY: &str = "lmzm";
    let bytes = prepared.as_bytes();
    let (_, header) = SafeTensors::read_metadata(bytes).expect("a header");
    let text = header.metadata().as_ref().expect("metadata");
    let mut text: serde_json::Value = serde_json::from_str(&text[KEY]).expect("JSON");
    metadata(&mut text);
    let file = SafeTensors::deserialize(bytes).expect("tensors");
    let mut all = file.tensors();
    tensors(&mut all);
    let metadata = [(KEY.to_owned(), text.to_string())].into();
    let bytes = safetensors::serialize(all, Some(metadata)).expect("tensors in memory");
    Prepared::from_bytes(bytes).expect("a prepared model")
}

/// The same model for version 2 of the numerics, with low planes of the largest and of random weights in the first and in
/// some other rows of each of its matrices, but for the embedding and every third of them, which have all of their rows fine.
///
/// # Panics
///
/// If that cannot be read.
pub fn with_fine_rows(prepared: &Prepared, seed: u64) -> Prepared {
    let wide = under_numerics(prepared, lmz_exact::WIDE_NUMERICS);
    let mut random = Random(seed);
    let planes: Vec<(String, Planes)> = {
        let file = SafeTensors::deserialize(wide.as_bytes()).expect("tensors");
        let mut names: Vec<&str> = file.names();
        names.sort_unstable();
        let matrices = names.into_iter().filter_map(|name| name.strip_suffix(".w"));
        let planes = matrices.enumerate().map(|(i, name)| {
            let shape = file
                .tensor(&format!("{name}.w"))
                .expect("it is named")
                .shape()
                .to_vec();
            let every = i % 3 == 0 || name == "embed";
            let rows =
                (0..shape[0] as u32).filter(|row| every || row % 5 == 0 || random.index(3) == 0);
            let rows: Vec<u32> = rows.collect();
            let extreme = rows
                .iter()
                .flat_map(|row| vec![[0x7f, 0x81][*row as usize / 5 % 2]; shape[1]]);
            let low = extreme.map(|extreme: u8| match random.index(3) {
                0 => extreme,
                _ => (random.index(255) as i32 - 127) as u8,
            });
            let low: Vec<u8> = low.collect();
            let bytes = rows.iter().flat_map(|row| row.to_le_bytes()).collect();
            (
                name.to_owned(),
                Planes {
                    rows: bytes,
                    low,
                    columns: shape[1],
                },
            )
        });
        planes.collect()
    };
    rewrite(
        &wide,
        |_| {},
        |tensors| {
            for (name, planes) in &planes {
                let Planes { rows, low, columns } = planes;
                let view =
                    TensorView::new(Dtype::U32, vec![rows.len() / 4], rows).expect("numbers");
                tensors.push((format!("{name}.fine"), view));
                let shape = vec![rows.len() / 4, *columns];
                let view = TensorView::new(Dtype::I8, shape, low).expect("a plane");
                tensors.push((format!("{name}.low"), view));
            }
        },
    )
}

/// The same model for version 2 of the numerics, all of its matrices whose rows are whole blocks in blocks of 16 or 32: the largest and random
/// integers of 4 or 8 bits, factors and offsets.
///
/// # Panics
///
/// If that cannot be read.
pub fn with_blocks(prepared: &Prepared, seed: u64) -> Prepared {
    let wide = under_numerics(prepared, lmz_exact::WIDE_NUMERICS);
    let mut random = Random(seed);
    let mut all: Vec<(String, Dtype, [usize; 2], Vec<u8>)> = Vec::new();
    let mut replaced = Vec::new();
    let file = SafeTensors::deserialize(wide.as_bytes()).expect("tensors");
    let mut names: Vec<&str> = file.names();
    names.sort_unstable();
    let matrices = names.into_iter().filter_map(|name| name.strip_suffix(".w"));
    for (i, name) in matrices.enumerate() {
        let integers = format!("{name}.w");
        let tensor = file.tensor(&integers).expect("it is named");
        let [rows, columns] = *tensor.shape() else {
            panic!("{integers} is no matrix");
        };
        let Some(size) = [32, 16]
            .into_iter()
            .find(|size| columns.is_multiple_of(*size))
        else {
            continue;
        };
        let size = if i % 3 == 0 { 16 } else { size };
        let shape = [rows, columns / size];
        let mut small = |limit: i16| {
            let values = (0..rows * shape[1]).map(|_| match random.index(3) {
                0 => [limit, -limit][random.index(2)],
                _ => (random.index(2 * limit as usize + 1) as i32 - i32::from(limit)) as i16,
            });
            values.flat_map(i16::to_le_bytes).collect::<Vec<u8>>()
        };
        all.push((
            format!("{name}.factors"),
            Dtype::I16,
            shape,
            small(MAX_FACTOR),
        ));
        if i % 4 != 1 {
            all.push((
                format!("{name}.offsets"),
                Dtype::I16,
                shape,
                small(MAX_OFFSET),
            ));
        }
        let name = format!("{name}.q");
        all.push(match i % 2 {
            0 => {
                let halves = (0..rows * columns / 2)
                    .map(|_| random.next() as u8)
                    .collect();
                (name, Dtype::U8, [rows, columns / 2], halves)
            }
            _ => (name, Dtype::I8, [rows, columns], tensor.data().to_vec()),
        });
        replaced.push(integers);
    }
    rewrite(
        &wide,
        |metadata| metadata["recipe"] = lmz_exact::BLOCK_RECIPE.into(),
        |tensors| {
            tensors.retain(|(name, _)| !replaced.contains(name));
            for (name, dtype, shape, bytes) in &all {
                let view = TensorView::new(*dtype, shape.to_vec(), bytes).expect("a matrix");
                tensors.push((name.clone(), view));
            }
        },
    )
}

/// The same model without the low planes of the fine rows of those matrices that `of` names: int8 alone.
///
/// # Panics
///
/// If that cannot be read.
pub fn without_fine_rows(prepared: &Prepared, of: impl Fn(&str) -> bool) -> Prepared {
    let matrix = |name: &str| -> Option<String> {
        let matrix = name.strip_suffix(".fine").or(name.strip_suffix(".low"));
        matrix.map(str::to_owned)
    };
    let kept = |name: &str| matrix(name).is_none_or(|matrix| !of(&matrix));
    let strip = |tensors: &mut Vec<(String, TensorView<'_>)>| {
        tensors.retain(|(name, _)| kept(name));
    };
    rewrite(prepared, |_| {}, strip)
}

/// Low planes of a matrix, as a file has them.
struct Planes {
    rows: Vec<u8>,
    low: Vec<u8>,
    columns: usize,
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
