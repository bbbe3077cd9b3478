//! Does compression represent intelligence? The study of Huang et al. 2024 ("Compression
//! Represents Intelligence Linearly", arXiv 2404.09937) as a tool.
//!
//! * [`stats`]: statistics of two columns over models;
//! * [`dataset`]: a study's figures, and what is set against what;
//! * [`analysis`]: what they say;
//! * [`published`]: the paper's own figures, and what it reports beside what follows from them;
//! * [`report`]: a page, figures and tables;
//! * [`config`], [`tasks`], [`executor`], [`status`]: a study of one's own, on one machine or a
//!   cluster; [`gather`] makes a report of what is done.
//!
//! ```
//! use lmz_study::published::compare;
//!
//! let published = compare();
//! assert_eq!(published.differing, 0);
//! assert_eq!(published.figures[0].rho, -0.931);
//! ```
#![forbid(unsafe_code)]

pub mod analysis;
pub mod config;
pub mod dataset;
mod error;
pub mod evaluation;
pub mod executor;
mod files;
pub mod published;
pub mod report;
mod results;
pub mod stats;
pub mod status;
pub mod tasks;

pub use error::{Result, StudyError};
pub use results::gather;
