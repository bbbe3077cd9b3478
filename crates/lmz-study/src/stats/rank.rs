//! Ranks.

/// The rank of each value from 1; equal values share the mean of their ranks.
pub fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for tied in order.chunk_by(|&a, &b| values[a] == values[b]) {
        // Ranks before + 1 to before + tied.len().
        let mean = before as f64 + (tied.len() as f64 + 1.0) / 2.0;
        for &row in tied {
            ranks[row] = mean;
        }
        before += tied.len();
    }
    ranks
}
