//! What the tests of models share.

/// The largest difference of two lists of equal length.
pub fn difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    let differences = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    // Written so that a NaN counts as infinite.
    differences.fold(0.0, |m, d| {
        if d <= m {
            m
        } else if d.is_nan() {
            f32::INFINITY
        } else {
            d
        }
    })
}
