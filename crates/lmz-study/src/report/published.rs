//! The published study as a report.

use super::content::{Report, report};
use crate::analysis::study;
use crate::published::{compare, paper};

/// The paper's study, its figures recomputed, as a report.
pub fn published_report() -> Report {
    Report {
        published: Some(compare()),
        ..report(study(paper()))
    }
}
