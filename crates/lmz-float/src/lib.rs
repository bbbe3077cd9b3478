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
//! | [`Device`], [`available`] | names of devices, which there are, falling back |
//! | `engine` | a model on one device: memory or disk, batches, the cache |
//! | `scoring` | windows to batches; resident and streamed passes; states spilled to disk |
//! | `memory` | what a model takes, and the plan that fits it into a budget |
//! | [`Model`](modules::Model) | embedding, layers, head: the forward pass |
//! | [`Layer`](modules::Layer) | norms, attention, feed-forward and how they are added |
//! | [`Loader`](modules::Loader) | from a checkpoint's parts to those modules |
//! | [`kernels`] | the operations whose best form depends on the backend, in burn's own |
//! | `autodiff` | how gradients pass through those operations |
//! | `cpu` | the same as loops for the CPU, which keep their data in the cache |
//! | `gpu` | Vulkan and CUDA: devices, and a product in f32 that is f32 |
//!
//! Shapes are written `[batch, tokens, hidden_size]`, slowest first. Surprisals are in nats.
//!
//! # Cargo features
//! `cpu` (default), `vulkan` and `cuda` add devices; `autodiff` lets gradients through.

#[cfg(not(any(feature = "cpu", feature = "vulkan", feature = "cuda")))]
compile_error!("lmz-float needs at least one of the features cpu, vulkan and cuda");

mod attention;
#[cfg(feature = "autodiff")]
mod autodiff;
mod block;
mod cache;
#[cfg(feature = "cpu")]
mod cpu;
mod dispatch;
mod dtype;
mod engine;
mod error;
mod experts;
mod feed_forward;
mod generate;
#[cfg(any(feature = "vulkan", feature = "cuda"))]
mod gpu;
pub mod kernels;
mod linear;
mod load;
mod memory;
mod model;
mod norm;
mod rotary;
mod sampling;
mod scoring;

pub use dispatch::{Here, Work, on_device};
pub use dtype::Dtype;
pub use error::{ErrorKind, FloatError, Result};
pub use generate::{Ended, Generation, Generator};
pub use lmz_device::{Device, DeviceInfo};
pub use sampling::Sampling;
pub use scoring::{Scorer, ScoringOptions, Window};

/// The devices of this machine that this build can use. It never fails: a driver that is missing
/// or breaks leaves its devices out.
pub fn available() -> Vec<DeviceInfo> {
    let mut all = lmz_device::available();
    all.retain(|info| cfg!(feature = "cpu") || info.device != Device::Cpu);
    all
}

/// The device to use for the one asked for, and a notice where that is another.
///
/// # Errors
/// Not even the CPU is there, because this build was made without it.
pub fn resolve(wanted: Device) -> Result<(Device, Option<String>)> {
    Ok(lmz_device::resolve(wanted, &available())?)
}

/// The CPU's backend.
#[cfg(feature = "cpu")]
pub type Cpu = burn_flex::Flex;

/// The model as burn modules, for training and for those who look inside.
pub mod modules {
    pub use crate::attention::{Attention, Heads};
    pub use crate::block::{Layer, Tables};
    pub use crate::cache::{Cache, LayerCache};
    pub use crate::experts::Experts;
    pub use crate::feed_forward::{FeedForward, Gated, Plain};
    pub use crate::linear::Linear;
    pub use crate::load::Loader;
    pub use crate::model::{Embedding, Head, Model};
    pub use crate::norm::Norm;
    pub use crate::rotary::Rotary;
}
