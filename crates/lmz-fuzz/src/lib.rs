//! What the fuzz targets run (docs/fuzzing.md), as functions that ordinary tests call too.
//!
//! Each takes any bytes and panics where lmz breaks a promise: by a panic of its own, or because two ways
//! to the same end disagree. The targets of `tests/fuzz` do nothing but call them; the test of this crate
//! calls them with every seed and every regression.
#![forbid(unsafe_code)]

mod built;
mod container;
mod decoder;
mod engine;
mod gguf;
mod lmzm;
mod models;
mod round_trip;
mod sink;
mod tokenizer;

pub use built::built;
pub use container::container;
pub use decoder::decoder;
pub use engine::engine;
pub use gguf::gguf;
pub use lmz_exact::differential::kernels;
pub use lmzm::lmzm;
pub use round_trip::round_trip;
pub use tokenizer::tokenizer;

/// A target: its name, which is that of its folders too, and what it runs.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The name of the binary, and of the folders with its seeds and regressions.
    pub name: &'static str,
    /// What it does with an input.
    pub run: fn(&[u8]),
}

/// All targets, each with a binary of its name in `tests/fuzz`.
pub const TARGETS: [Target; 8] = [
    Target {
        name: "container",
        run: container,
    },
    Target {
        name: "decoder",
        run: decoder,
    },
    Target {
        name: "engine",
        run: engine,
    },
    Target {
        name: "gguf",
        run: gguf,
    },
    Target {
        name: "kernels",
        run: kernels,
    },
    Target {
        name: "lmzm",
        run: lmzm,
    },
    Target {
        name: "round_trip",
        run: round_trip,
    },
    Target {
        name: "tokenizer",
        run: tokenizer,
    },
];
