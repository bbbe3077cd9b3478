//! Does compression represent intelligence? The study of arXiv 2404.09937 as a tool.
#![forbid(unsafe_code)]

pub mod stats;
