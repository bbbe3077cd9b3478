//! The metric as a whole, with engines that can be checked by hand.

mod common;
mod corpora;
mod journals;
mod protocols;
mod shards;
