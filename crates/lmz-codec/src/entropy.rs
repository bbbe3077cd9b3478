//! How random bytes look.

use lmz_coder::log2_q24;

/// Order-0 entropy in units of 2^-24 bit, in integers: it decides what is written.
pub fn bits_per_byte(raw: &[u8]) -> u64 {
    let mut counts = [0u64; 256];
    for &byte in raw {
        counts[usize::from(byte)] += 1;
    }
    let n = raw.len() as u64;
    // The sum stays below 2^26 bytes x 27 bits x 2^24.
    let bits: u64 = counts
        .iter()
        .map(|&count| count * (log2_q24(n) - log2_q24(count)))
        .sum();
    bits / n.max(1)
}
