//! Common Crawl: WET and WARC files.

mod http;
mod members;
mod record;
mod source;

pub use record::{Found, Record, RecordReader};
pub use source::{Crawl, records};
