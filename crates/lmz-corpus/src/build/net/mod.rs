//! Fetching what corpora are built of. Nothing else in this crate touches the network.

mod crawl;
mod fetch;
mod github;

pub use crawl::{fetch_paths, spread};
pub use fetch::{Fetcher, Reply};
pub use github::{Found, GitHub};
