//! Models of the Hugging Face hub, as `ORG/NAME`, `ORG/NAME@REVISION` or `ORG/NAME:FILE.gguf`.
//!
//! * A [`HubName`] is such a name, parsed.
//! * A [`HubCache`] is the directory in which Hugging Face's own tools keep models, in their layout:
//!
//!   ```text
//!   models--ORG--NAME/refs/main                       the commit that a revision is
//!   models--ORG--NAME/blobs/HASH                      contents, by hash
//!   models--ORG--NAME/snapshots/COMMIT/config.json    a link to one of them
//!   ```
//!
//!   It finds a model, lists what is there, and removes.
//! * With the feature `pull`, a `Hub` fetches what lmz reads of a model into that cache.
#![forbid(unsafe_code)]

mod cache;
mod environment;
mod error;
mod gguf_name;
mod list;
mod name;
#[cfg(feature = "pull")]
mod pull;
mod remove;

pub use cache::HubCache;
pub use environment::{Environment, Variables, is_offline};
pub use error::{HubError, Result};
pub use list::{CachedModel, State};
pub use name::HubName;
#[cfg(feature = "pull")]
pub use {
    lmz_net::Watch,
    pull::{Hub, PullWatch, Pulled},
};
