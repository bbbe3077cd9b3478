//! What is in compressed files: by the container alone ([`Listing`]), or with every symbol's cost
//! ([`Summary`]). Both are for printing and, by serde, for JSON.

mod facts;
mod listing;
mod summary;

pub use facts::{Container, Facts, ModelFacts, PrimeFacts, form};
pub use listing::{Listing, MemberListing, SegmentListing, Sizes};
pub use summary::{CLASSES, Class, Kind, Member, Segment, Summary};
