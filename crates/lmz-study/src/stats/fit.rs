//! Least squares.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

use super::pairs::{check, co_deviation};
use super::summary::mean;
use super::undefined::{Figure, Undefined};

/// The line `y = intercept + slope * x` with the least squares of the residuals.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fit {
    /// How much `y` changes with one of `x`.
    pub slope: f64,
    /// `y` at `x = 0`.
    pub intercept: f64,
    /// Root of the mean square residual: `sqrt(sum r^2 / n)`, as the paper has it.
    pub rmse: f64,
    /// The part of the variance of `y` that the line explains.
    pub r2: f64,
    /// Standard error of the slope.
    pub slope_error: f64,
    /// Residual standard error: `sqrt(sum r^2 / (n - 2))`.
    pub sigma: f64,
    /// Mean of `x`.
    pub mean_x: f64,
    /// `sum (x - mean x)^2`.
    pub sxx: f64,
    /// How many models.
    pub n: usize,
    /// The 0.975 quantile of Student's t with `n - 2` degrees of freedom.
    pub t: f64,
}

/// What a line says about one `x`, with 95 % bands.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Band {
    /// On the line.
    pub y: f64,
    /// Half the width of the band that is to hold the line.
    pub line: f64,
    /// Half the width of the band that is to hold the next model.
    pub prediction: f64,
}

/// Fits a line.
///
/// # Errors
/// Fewer than three rows; a constant `x`. A constant `y` has a line, and an `R^2` of 0.
pub fn fit(x: &[f64], y: &[f64]) -> Figure<Fit> {
    match check(x, y, 3) {
        Err(Undefined::Constant(column)) if column == "y" => {}
        other => other?,
    }
    let n = x.len();
    let (mean_x, mean_y) = (mean(x), mean(y));
    let sxx = co_deviation(x, x);
    let syy = co_deviation(y, y);
    let slope = co_deviation(x, y) / sxx;
    let intercept = mean_y - slope * mean_x;
    let residual = |(x, y): (&f64, &f64)| y - mean_y - slope * (x - mean_x);
    let squares: f64 = x.iter().zip(y).map(|pair| residual(pair).powi(2)).sum();
    let freedom = n as f64 - 2.0;
    let sigma = (squares / freedom).sqrt();
    let student = StudentsT::new(0.0, 1.0, freedom);
    Ok(Fit {
        slope,
        intercept,
        rmse: (squares / n as f64).sqrt(),
        r2: if syy > 0.0 { 1.0 - squares / syy } else { 0.0 },
        slope_error: sigma / sxx.sqrt(),
        sigma,
        mean_x,
        sxx,
        n,
        t: student.map_or(f64::NAN, |student| student.inverse_cdf(0.975)),
    })
}

impl Fit {
    /// The line at `x`.
    pub fn at(&self, x: f64) -> f64 {
        self.intercept + self.slope * x
    }

    /// The line and its bands at `x`.
    pub fn band(&self, x: f64) -> Band {
        let distance = 1.0 / self.n as f64 + (x - self.mean_x).powi(2) / self.sxx;
        Band {
            y: self.at(x),
            line: self.t * self.sigma * distance.sqrt(),
            prediction: self.t * self.sigma * (1.0 + distance).sqrt(),
        }
    }
}
