//! From documents to what a model is shown.

mod items;

pub use items::{Item, Prompted, Question, Selection, Work, example, items};
