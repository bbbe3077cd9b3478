//! How much hangs on one model, or on one family of them.

use serde::{Deserialize, Serialize};

use super::correlation::pearson;
use super::fit::{Fit, fit};
use super::undefined::{Figure, figure};

/// A model's part in a line.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Influence {
    /// The score less what the line says.
    pub residual: f64,
    /// Leverage: `1 / n + (x - mean x)^2 / Sxx`.
    pub leverage: f64,
    /// The residual in its own standard errors (internally studentised); 0 on a perfect line.
    pub studentized: f64,
    /// Cook's distance: `studentized^2 / 2 * leverage / (1 - leverage)`.
    pub cook: f64,
}

/// The figures without some of the models.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LeftOut {
    /// Name of the model or family.
    pub name: String,
    /// How many models were left out.
    pub models: usize,
    /// Pearson's rho of the others.
    #[serde(serialize_with = "figure")]
    pub pearson: Figure,
    /// Slope of the others' line.
    #[serde(serialize_with = "figure")]
    pub slope: Figure,
}

/// Each model's part in a line.
///
/// # Errors
/// As [`fit`].
pub fn residuals(x: &[f64], y: &[f64]) -> Figure<Vec<Influence>> {
    let line = fit(x, y)?;
    Ok(x.iter().zip(y).map(|(x, y)| of(&line, *x, *y)).collect())
}

fn of(line: &Fit, x: f64, y: f64) -> Influence {
    let residual = y - line.at(x);
    let leverage = 1.0 / line.n as f64 + (x - line.mean_x).powi(2) / line.sxx;
    let error = line.sigma * (1.0 - leverage).max(0.0).sqrt();
    let studentized = if error > 0.0 { residual / error } else { 0.0 };
    Influence {
        residual,
        leverage,
        studentized,
        cook: studentized.powi(2) / 2.0 * leverage / (1.0 - leverage).max(f64::MIN_POSITIVE),
    }
}

/// The figures without each group in turn: leave-one-out if every row is its own group, and
/// leave-one-family-out with families. In order of first appearance.
pub fn leave_groups_out(x: &[f64], y: &[f64], groups: &[&str]) -> Vec<LeftOut> {
    let mut names: Vec<&str> = Vec::new();
    for group in groups {
        if !names.contains(group) {
            names.push(group);
        }
    }
    let leave = |name: &&str| {
        let kept = |column: &[f64]| -> Vec<f64> {
            let rows = column.iter().zip(groups);
            rows.filter(|(_, group)| *group != name)
                .map(|(value, _)| *value)
                .collect()
        };
        let (x, y) = (kept(x), kept(y));
        LeftOut {
            name: (*name).to_owned(),
            models: groups.len() - x.len(),
            pearson: pearson(&x, &y).map(|found| found.value),
            slope: fit(&x, &y).map(|line| line.slope),
        }
    };
    names.iter().map(leave).collect()
}
