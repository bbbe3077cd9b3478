//! Folders and files of one's own: text, code, Markdown, HTML, PDF text, mailboxes, JSON lines.

mod lines;
mod mail;
mod source;
mod walk;

pub use lines::lines;
pub use source::Folder;
