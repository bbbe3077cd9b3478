//! Floating-point models on burn: score, generate, train.
//!
//! One forward pass serves every family: [`lmz_model::Blueprint`] says what the model computes,
//! [`lmz_model::Weights`] gives its parts, and the modules below put them together on any burn
//! backend. Nothing here decides a byte of a compressed file: that is the exact engine's work,
//! and this engine's figures agree with it and with transformers to rounding only.
//!
//! To use a model, open a [`Scorer`] or a [`Generator`]; both hide the backend. To read how it
//! works, go from the outside in:
//!
//! | module | what it holds |
//! |---|---|
//! | [`Device`], [`available`] | names of devices, which there are, what replaces a missing one |
//! | `place` | a device and what is known of it |
//! | `engine` | a model on one device: memory or disk, batches, the cache |
//! | `scoring` | windows to batches; resident and streamed passes; states spilled to disk |
//! | `memory` | what a model takes, and the plan that fits it into a budget |
//! | [`Model`](modules::Model) | embedding, layers, head: the forward pass |
//! | [`Layer`](modules::Layer) | norms, attention, feed-forward and how they are added |
//! | [`Loader`](modules::Loader) | from a checkpoint's parts to those modules |
//! | [`kernels`] | the operations whose best form depends on the backend, in burn's own |
//! | `autodiff` | how gradients pass through those operations |
//! | `cpu` | the same as loops for the CPU, which keep their data in the cache |
//! | `gpu` | Vulkan and CUDA: devices, and products of f32 without TF32 |
//!
//! Shapes are written `[batch, tokens, hidden_size]`, slowest first. Surprisals are in nats.
//!
//! # Cargo features
//! `cpu` (default), `vulkan` and `cuda` add devices; `autodiff` lets gradients through.
//!
//! Words are those of [docs/terms.md](https://github.com/lmz-project/lmz/blob/main/docs/terms.md).

#[cfg(not(any(feature = "cpu", feature = "vulkan", feature = "cuda")))]
compile_error!("lmz-float needs at least one of the features cpu, vulkan and cuda");

mod attention;
#[cfg(feature = "autodiff")]
mod autodiff;
mod block;
mod cache;
#[cfg(feature = "cpu")]
mod cpu;
mod devices;
mod dispatch;
mod dtype;
mod engine;
mod error;
mod experts;
mod feed_forward;
mod gated;
mod generate;
#[cfg(any(feature = "vulkan", feature = "cuda"))]
mod gpu;
pub mod kernels;
mod linear;
mod load;
mod memory;
mod model;
mod norm;
mod place;
mod rotary;
mod sampling;
mod scorer;
mod scoring;

pub use devices::{available, resolve};
pub use dispatch::{Here, Work, on_device};
pub use dtype::Dtype;
pub use error::{ErrorKind, FloatError, Result};
pub use generate::{Ended, Generation, Generator};
pub use lmz_device::{Device, DeviceInfo};
pub use sampling::{Sampling, most_likely};
pub use scorer::Scorer;
pub use scoring::{Scored, ScoringOptions, Window};

/// The backend of the CPU, without gradients.
#[cfg(feature = "cpu")]
pub type Cpu = burn_flex::Flex;

/// The model as burn modules, for training and for those who look inside.
pub mod modules {
    pub use crate::attention::{Attention, Heads};
    pub use crate::block::{Layer, Tables};
    pub use crate::cache::{Cache, LayerCache};
    pub use crate::experts::Experts;
    pub use crate::feed_forward::{FeedForward, Plain};
    pub use crate::gated::Gated;
    pub use crate::linear::Linear;
    pub use crate::load::Loader;
    pub use crate::model::{Embedding, Head, Model};
    pub use crate::norm::Norm;
    pub use crate::rotary::Rotary;
}
