//! Mixed groups: the model and what is learnt of the file code together (docs/mixing.md, docs/format.md).
//!
//! * [`route`](route::route) says which bytes are worth a model;
//! * [`part`] has the list of parts, and takes a group apart and joins it;
//! * [`layout`] is what stands before the coded bytes;
//! * `text` codes the text in rounds of blocks, with the model's view of each token;
//! * [`contexts`] codes what no model is worth running on.

mod contexts;
mod decode;
#[cfg(feature = "encode")]
mod encode;
mod layout;
mod part;
#[cfg(feature = "encode")]
mod repeats;
#[cfg(feature = "encode")]
mod route;
mod rounds;
mod walk;

pub use decode::decode_group;
#[cfg(feature = "encode")]
pub use encode::{encode_groups, Mixed};
pub use layout::MAX_LANES;
pub use walk::walk_of;
