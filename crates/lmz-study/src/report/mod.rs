//! A study as a page, figures and tables.
//!
//! [`Report`] is everything; [`Report::write`] writes one page (no network), and beside it a
//! picture, the figures as JSON and CSV, and a summary in Markdown.

mod content;
mod csv;
mod html;
mod markdown;
mod published;
mod svg;
mod write;

pub use content::{BenchmarkExclusion, Report, SizeFigure, SpreadRow, report};
pub use published::published_report;
