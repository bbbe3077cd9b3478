//! Which documents are kept, and what of them.

mod code;
mod language;
mod prose;

pub use code::{CodeFilter, CodeLanguage};
pub use language::{LanguageFilter, identify, language_name};
pub use prose::{ProseFilter, without_boilerplate};
