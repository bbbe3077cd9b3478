//! What a model computes, as plain data.
//!
//! A [`Blueprint`] is the only description of a model that crosses from this crate to an
//! engine. It is written into prepared models and its JSON is part of a checkpoint's content
//! hash, so its form is stable: fields keep their order, and a field that a later family needs
//! is added at the end with a default that is left out when written.

mod cut;
mod description;
mod layouts;
mod limits;
mod names;
mod parts;
mod variants;

pub(crate) use cut::Stored;
pub use cut::TensorSpec;
pub use description::Blueprint;
pub(crate) use layouts::is_buffer;
pub use parts::{Grid, LayerPart, Part, Weights};
pub use variants::{
    Activation, Attention, Block, Ends, FeedForward, FeedForwardKind, HeadNorm, Layout, Norm,
    NormPlacement, Position, Residual, RopeScaling, Window,
};
