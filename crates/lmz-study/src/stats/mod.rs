//! Statistics of two columns over models, with every case in which one is undefined.
//!
//! All of them take complete columns of the same length (see [`Pairs`]), give
//! [`Undefined`] instead of a number without meaning, and depend on nothing but their input:
//! resampling starts from a fixed seed.

mod correlation;
mod fit;
mod influence;
mod kendall;
mod pairs;
mod partial;
mod random;
mod rank;
mod resample;
mod statistic;
mod summary;
mod undefined;

pub use correlation::{Correlation, fisher_interval, pearson, spearman};
pub use fit::{Band, Fit, fit};
pub use influence::{Influence, LeftOut, leave_groups_out, residuals};
pub use kendall::kendall;
pub use pairs::Pairs;
pub use partial::{Partial, partial};
pub use random::SplitMix64;
pub use rank::ranks;
pub use resample::{
    BOOTSTRAPS, BootstrapInterval, LEVEL, PERMUTATIONS, Permutation, SEED, bootstrap, permutation,
};
pub use statistic::{Statistic, correlation};
pub use summary::{mean, percentile, standard_deviation};
pub(crate) use undefined::figure;
pub use undefined::{Figure, Undefined};
