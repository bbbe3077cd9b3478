//! The comparison for people.

use std::fmt::Write;

use super::compare::{Comparison, Published};

/// The comparison as text, a line break at the end.
pub fn to_text(published: &Published) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(text, "{}\n", published.citation);
    let _ = writeln!(
        text,
        "{:<43} {:<9} {:>3}  {:>6} {:>7} {:>7}  {:>16}  {:>6} {:>6} {:>7}",
        "", "", "n", "rho", "ours", "diff", "95 % interval", "RMSE", "ours", "diff"
    );
    let mut area = "";
    for figure in &published.figures {
        if figure.area != area {
            area = &figure.area;
            let _ = writeln!(text, "{area}");
        }
        let name = format!("  {}", figure.name);
        let _ = write!(text, "{name:<43} {:<9} ", figure.source);
        match &figure.ours {
            Comparison::Computed {
                n,
                rho,
                rho_difference,
                interval,
                rmse,
                rmse_difference,
                reproduced,
            } => {
                let interval = interval.map_or_else(String::new, |interval| {
                    format!("{:.3} .. {:.3}", interval.low, interval.high)
                });
                let mark = if *reproduced { "" } else { "  DIFFERS" };
                let _ = writeln!(
                    text,
                    "{n:>3}  {:>6.3} {rho:>7.4} {rho_difference:>+7.4}  {interval:>16}  {:>6.3} {rmse:>6.4} {rmse_difference:>+7.4}{mark}",
                    figure.rho, figure.rmse
                );
            }
            Comparison::Unavailable { reason } => {
                let _ = writeln!(
                    text,
                    "{:>3}  {:>6.3} {:>7} {:>7}  {:>16}  {:>6.3}  {reason}",
                    "", figure.rho, "-", "", "", figure.rmse
                );
            }
        }
    }
    let resampling = &published.resampling;
    let _ = writeln!(
        text,
        "resampling\n  {:<41} {:<9} {:>3}  {:>6.4} {:>7.4} {:>+7.4}",
        "Standard deviation of BPC over 3 samples",
        "Table 10",
        resampling.models,
        resampling.reported,
        resampling.ours,
        resampling.ours - resampling.reported
    );
    let _ = writeln!(
        text,
        "\n{} figures within {} in rho and {} in RMSE, {} differ, {} need figures that the paper does not print",
        published.reproduced,
        published.rho_tolerance,
        published.rmse_tolerance,
        published.differing,
        published.unavailable
    );
    text
}
