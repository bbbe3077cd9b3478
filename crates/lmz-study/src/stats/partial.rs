//! Correlation with a third column held fixed.

use serde::{Deserialize, Serialize};

use super::correlation::{coefficient, student_p};
use super::pairs::check;
use super::undefined::{Figure, Undefined};

/// A partial correlation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Partial {
    /// Its value, from -1 to 1.
    pub value: f64,
    /// Two-sided p-value by Student's t with `n - 3` degrees of freedom.
    pub p: f64,
    /// How many models.
    pub n: usize,
}

/// Pearson's rho of `x` and `y` with `control` held fixed: that of what a line on the control
/// leaves of each, `(r_xy - r_xz r_yz) / sqrt((1 - r_xz^2) (1 - r_yz^2))`. The study controls for
/// the logarithm of the number of parameters.
///
/// # Errors
/// Fewer than four rows; a constant column; a column that the control explains completely.
pub fn partial(x: &[f64], y: &[f64], control: &[f64]) -> Figure<Partial> {
    check(x, y, 4)?;
    check(x, control, 4).map_err(|undefined| match undefined {
        Undefined::Constant(column) if column == "y" => Undefined::Constant("the control".into()),
        other => other,
    })?;
    let xy = coefficient(x, y);
    let xz = coefficient(x, control);
    let yz = coefficient(y, control);
    for (name, with_control) in [("x", xz), ("y", yz)] {
        if 1.0 - with_control * with_control < 1e-12 {
            return Err(Undefined::Explained(name.into()));
        }
    }
    let scale = ((1.0 - xz * xz) * (1.0 - yz * yz)).sqrt();
    let value = ((xy - xz * yz) / scale).clamp(-1.0, 1.0);
    Ok(Partial {
        value,
        p: student_p(value, x.len() as f64 - 3.0),
        n: x.len(),
    })
}
