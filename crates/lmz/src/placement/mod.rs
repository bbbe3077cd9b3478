//! Where models run: what a wish for a device comes to, and what was measured of devices before.
//!
//! [`Models`] are the models of one piece of work, each on its device; [`Placement`] decides which that is.
//! Where `auto` is asked for, it compares times predicted from the [`Cache`] of measured speeds ([`choose`]).
//! Whatever is decided, the bytes are the same.

mod cache;
mod choice;
mod models;
mod place;
mod speed;
mod store;
mod work;

pub use cache::{Cache, Entry};
pub use choice::{Choice, choose};
pub use models::Models;
pub use place::{Note, Notes, Placed, Placement, Wanted};
pub use speed::{Key, Speed, clean, multiply_adds, rate};
pub use store::PlacedStore;
pub use work::{Task, Text, Work};
