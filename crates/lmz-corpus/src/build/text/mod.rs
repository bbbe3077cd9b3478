//! Bytes to text, and formats to plain markup.

mod clean;
mod decode;
mod html;
pub mod latex;
mod pages;
mod tool;

pub use clean::clean;
pub use decode::{decode, is_binary, label_of};
pub use html::{Page, html_to_text};
pub use pages::pages_to_text;
pub use tool::{Tool, ToolFault};
