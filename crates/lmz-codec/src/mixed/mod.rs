//! Groups: segments that are coded by the model together with what is learnt of them.
//!
//! A *group* is what decodes independently. The router cuts its bytes into parts by looking at them: text is coded by
//! the model and by what was seen; binary, tables and the like by what was seen alone; noise is stored; a long repeat
//! is a copy. The text's symbols are read by the model in blocks; a *round* is so many consecutive blocks, coded in lock
//! step, a symbol of each in turn, and all of them teach the same contexts. The order depends on the bytes and on the
//! number of *lanes* alone, never on threads. The arithmetic is that of `docs/mixing.md`, the layout that of
//! `docs/format.md`.
//!
//! Files are made of groups by [`compress`](crate::compress()); here are groups by themselves (`alone`).
//!
//! * `route`, `repeats` and `shrink`: the parts; `part`: their list; `layout`: what stands before the coded bytes;
//! * `rounds`: which blocks go in lock step; `places`: symbols as the walk knows them;
//! * `encode`, `decode`, `text` and `lockstep`, `cut` for what is left of a group, and `contexts` for what no model is worth running on.

#[cfg(feature = "encode")]
mod alone;
mod contexts;
mod cut;
mod decode;
#[cfg(feature = "encode")]
mod encode;
mod layout;
mod lockstep;
mod part;
mod places;
#[cfg(feature = "encode")]
mod priced;
#[cfg(feature = "encode")]
mod repeats;
mod rounds;
#[cfg(feature = "encode")]
mod route;
#[cfg(feature = "encode")]
mod shrink;
#[cfg(all(test, feature = "encode"))]
mod tests;
mod text;
mod views;

pub(crate) use cut::{Stretch, left_of_group};
pub(crate) use decode::{CodedGroup, decode_groups};
#[cfg(feature = "encode")]
pub(crate) use encode::{Group, encode_groups as encode_with, mix, prepare, score};
#[cfg(feature = "encode")]
pub(crate) use layout::Head;
#[cfg(feature = "encode")]
pub(crate) use part::PartKind;
#[cfg(feature = "encode")]
pub(crate) use views::{BlockViews, Reduce};

#[cfg(feature = "encode")]
pub use alone::{decode_group, encode_groups};
#[cfg(feature = "encode")]
pub(crate) use lockstep::mixed_check;
#[cfg(feature = "encode")]
pub(crate) use rounds::lanes_of;

pub use crate::mixing::{GROUP_LEN, MAX_LANES};

/// Bytes of memory that contexts take for a group of so many raw bytes that is worked on, at most: those of its text and those of
/// its other bytes. Each thread works on one.
pub fn memory(raw_len: usize) -> usize {
    let size = contexts::size_of(raw_len);
    lmz_mix::Text::memory(size) + lmz_mix::Bytes::memory(size)
}

/// How many blocks go in lock step in a group that begins with these coded bytes; none in what no group begins with.
pub fn lanes(coded: &[u8]) -> Option<usize> {
    layout::lanes(*coded.first()?)
}
