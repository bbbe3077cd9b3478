//! Tables by integer arithmetic: gates, sines, and the powers behind rotary frequencies.
//!
//! No libm: its last bits change with versions and CPU features.

use std::sync::OnceLock;

/// Intervals of the sigmoid table, 1/64 wide, for magnitudes below 16.
pub const SIGMOID_INTERVALS: usize = 1024;
/// Fractional bits of a sigmoid.
pub const SIGMOID_BITS: u32 = 24;

/// `T` of docs/numerics.md, 3.10: the sigmoid of `i / 64` with 24 fractional bits.
pub fn sigmoid_table() -> &'static [i32; SIGMOID_INTERVALS + 2] {
    static TABLE: OnceLock<[i32; SIGMOID_INTERVALS + 2]> = OnceLock::new();
    TABLE.get_or_init(|| {
        const ONE: u128 = 1 << 62;
        // e^(-1/64) by its series; every term exact to 2^-62.
        let (mut step, mut term, mut n) = (0i128, ONE as i128, 1i128);
        while term != 0 {
            step += term;
            term = -term / (64 * n);
            n += 1;
        }
        let mut power = ONE;
        let mut table = [1 << SIGMOID_BITS; SIGMOID_INTERVALS + 2];
        for entry in table.iter_mut().take(SIGMOID_INTERVALS) {
            let scaled = (ONE << (SIGMOID_BITS + 1)) / (ONE + power);
            *entry = scaled.div_ceil(2) as i32;
            power = (power * step as u128) >> 62;
        }
        table
    })
}

/// The gate of GELU at `i / 64` with 24 fractional bits (docs/numerics.md, 3.10): the share of a
/// normal variable below it.
pub fn normal_table() -> &'static GateTable {
    static TABLE: OnceLock<GateTable> = OnceLock::new();
    TABLE.get_or_init(|| gate_table(normal_q62))
}

/// The gate of GELU's approximation by a hyperbolic tangent, likewise.
pub fn tanh_table() -> &'static GateTable {
    static TABLE: OnceLock<GateTable> = OnceLock::new();
    TABLE.get_or_init(|| gate_table(tanh_gate_q62))
}

/// The entries of a gate's table.
pub type GateTable = [i32; SIGMOID_INTERVALS + 2];

const ONE_Q62: i128 = 1 << 62;

fn gate_table(gate_q62: fn(i128) -> i128) -> GateTable {
    let mut table = [1 << SIGMOID_BITS; SIGMOID_INTERVALS + 2];
    for (i, entry) in table.iter_mut().take(SIGMOID_INTERVALS).enumerate() {
        *entry = ((gate_q62(i as i128) + (1 << 37)) >> 38) as i32;
    }
    table
}

/// e^-x for x >= 0 with 62 fractional bits: a mantissa in [1, 2) with as many, and an exponent.
fn exp_neg_q62(x: i128) -> (i128, i32) {
    /// log2(e) · 2^62.
    const LOG2_E: i128 = 6_653_256_548_922_161_246;
    // Eight bits off, so that the product fits.
    let (mantissa, exponent) = exp2_q62(-(((x >> 8) * LOG2_E) >> 54));
    (mantissa as i128, exponent)
}

/// The normal distribution at i / 64: 1/2 + φ(x) · (x + x³/3 + x⁵/15 + ...), a sum of positive terms.
fn normal_q62(i: i128) -> i128 {
    /// 2^62 / sqrt(2π).
    const ROOT: i128 = 1_839_796_536_686_825_613;
    // Above 7 the rest is below 2^-39.
    if i >= 7 * 64 {
        return ONE_Q62;
    }
    let mut term = i << 56;
    let (mut sum, mut n) = (0, 1);
    while term > 0 {
        sum += term;
        n += 2;
        term = term * i * i / (4096 * n);
    }
    // The exponential's mantissa apart from its exponent, and 62 bits of the sum: e^-24 · e^24 is 1.
    let (mantissa, exponent) = exp_neg_q62((i * i) << 49);
    let density = (ROOT * mantissa) >> 62;
    let drop = (66 - sum.leading_zeros() as i32).max(0);
    ONE_Q62 / 2 + (((sum >> drop) * density) >> (62 - drop - exponent))
}

/// 1 / (1 + e^-z) with z = 2 · sqrt(2/π) · (x + 0.044715 x³) at x = i / 64.
fn tanh_gate_q62(i: i128) -> i128 {
    /// 2 · sqrt(2/π) · 2^62.
    const ROOT: i128 = 7_359_186_146_747_302_452;
    // Above 8 the rest is below 2^-60.
    if i >= 8 * 64 {
        return ONE_Q62;
    }
    // x + 0.044715 x³ in units of 1 / (64³ · 10^6): exact.
    let inner = i * 4096 * 1_000_000 + 44_715 * i * i * i;
    let z = ROOT * inner / (262_144 * 1_000_000);
    let (mantissa, exponent) = exp_neg_q62(z);
    (ONE_Q62 << 62) / (ONE_Q62 + (mantissa >> (-exponent).min(63)))
}

/// Mask of an index into a [`Gate`]: no bounds check, so that loops vectorise.
pub(crate) const TABLE_MASK: usize = 2 * SIGMOID_INTERVALS - 1;

/// The table of a gate, filled up with ones to a power of two.
pub type Gate = [i32; TABLE_MASK + 1];

fn padded(table: &GateTable) -> Gate {
    let mut padded = [1 << SIGMOID_BITS; TABLE_MASK + 1];
    padded[..SIGMOID_INTERVALS + 2].copy_from_slice(table);
    padded
}

/// [`sigmoid_table`] as a [`Gate`], made once.
pub(crate) fn padded_sigmoid_table() -> &'static Gate {
    static TABLE: OnceLock<Gate> = OnceLock::new();
    TABLE.get_or_init(|| padded(sigmoid_table()))
}

/// [`normal_table`] as a [`Gate`], made once.
pub(crate) fn padded_normal_table() -> &'static Gate {
    static TABLE: OnceLock<Gate> = OnceLock::new();
    TABLE.get_or_init(|| padded(normal_table()))
}

/// [`tanh_table`] as a [`Gate`], made once.
pub(crate) fn padded_tanh_table() -> &'static Gate {
    static TABLE: OnceLock<Gate> = OnceLock::new();
    TABLE.get_or_init(|| padded(tanh_table()))
}

/// (cos, sin) with 30 fractional bits of a phase in units of 2^-32 turn (docs/numerics.md, 3.6).
pub fn cos_sin(phase: u32) -> (i32, i32) {
    let f = i64::from(phase & ((1 << 30) - 1));
    let (s, k) = (sin_quarter(f), sin_quarter((1 << 30) - f));
    match phase >> 30 {
        0 => (k, s),
        1 => (-s, k),
        2 => (-k, -s),
        _ => (s, -k),
    }
}

/// sin(π/2 · f / 2^30) for 0 <= f <= 2^30, by its Taylor polynomial with 31-bit coefficients.
fn sin_quarter(f: i64) -> i32 {
    const COEFFICIENTS: [i64; 6] = [
        -7728,
        344_545,
        -10_053_990,
        171_138_612,
        -1_387_197_337,
        3_373_259_426,
    ];
    let u = (f * f) >> 30;
    let r = COEFFICIENTS.iter().fold(122i64, |r, a| a + ((r * u) >> 30));
    ((r * f) >> 31).min(1 << 30) as i32
}

/// log2 of a positive double with 62 fractional bits, by repeated squaring.
pub fn log2_q62(x: f64) -> i128 {
    let exponent = crate::fixed::exponent(x);
    // x / 2^exponent in [1, 2) is exact (two steps keep subnormal numbers exact too).
    let mantissa =
        x * crate::fixed::pow2(-(exponent / 2)) * crate::fixed::pow2(-(exponent - exponent / 2));
    let mut m = (mantissa * crate::fixed::pow2(52)) as u128;
    m <<= 10;
    let mut fraction = 0i128;
    for _ in 0..62 {
        m = (m * m) >> 62;
        let bit = m >> 63;
        m >>= bit;
        fraction = (fraction << 1) | bit as i128;
    }
    (i128::from(exponent) << 62) + fraction
}

/// 2^x for x with 62 fractional bits: (mantissa in [1, 2) with 62 fractional bits, exponent).
pub fn exp2_q62(x: i128) -> (u128, i32) {
    let (whole, fraction) = ((x >> 62) as i32, (x & ((1 << 62) - 1)) as u128);
    let mut root = 2u128 << 62;
    let mut power = 1u128 << 62;
    for bit in (0..62).rev() {
        root = (root << 62).isqrt();
        if (fraction >> bit) & 1 == 1 {
            power = (power * root) >> 62;
        }
    }
    (power, whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sigmoid_table_is_the_one_of_the_text() {
        let table = sigmoid_table();
        for (i, &entry) in table.iter().enumerate().take(SIGMOID_INTERVALS) {
            let exact = f64::from(1 << SIGMOID_BITS) / (1.0 + (-(i as f64) / 64.0).exp());
            assert!(
                (f64::from(entry) - exact).abs() < 0.5001,
                "{i}: {entry} against {exact}"
            );
        }
        let bytes: Vec<u8> = table.iter().flat_map(|t| t.to_le_bytes()).collect();
        let hash = blake3::hash(&bytes).to_hex();
        let text = include_str!("../../../docs/numerics.md");
        assert!(
            text.contains(hash.as_str()),
            "docs/numerics.md does not give {hash}"
        );
    }

    /// Against double precision: both gates are given by functions that the standard library lacks,
    /// so the normal one is integrated.
    #[test]
    fn the_gelu_tables_are_those_of_the_text() {
        let text = include_str!("../../../docs/numerics.md");
        let scale = f64::from(1 << SIGMOID_BITS);
        let (normal, tanh) = (normal_table(), tanh_table());
        let density = |x: f64| (-x * x / 2.0).exp() / std::f64::consts::TAU.sqrt();
        let mut share = 0.5;
        for i in 0..SIGMOID_INTERVALS {
            let x = i as f64 / 64.0;
            assert!((f64::from(normal[i]) - share * scale).abs() < 0.5001, "{i}");
            let z = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x * x * x);
            let gate = 0.5 * (1.0 + z.tanh());
            assert!((f64::from(tanh[i]) - gate * scale).abs() < 0.5001, "{i}");
            // Simpson's rule, 16 steps of 1/1024.
            let h = 1.0 / 1024.0;
            for step in 0..8 {
                let a = x + 2.0 * h * f64::from(step);
                share += h / 3.0 * (density(a) + 4.0 * density(a + h) + density(a + 2.0 * h));
            }
        }
        for table in [normal, tanh] {
            assert_eq!(table[SIGMOID_INTERVALS..], [1 << SIGMOID_BITS; 2]);
            let bytes: Vec<u8> = table.iter().flat_map(|t| t.to_le_bytes()).collect();
            let hash = blake3::hash(&bytes).to_hex();
            assert!(
                text.contains(hash.as_str()),
                "docs/numerics.md does not give {hash}"
            );
        }
    }

    #[test]
    fn sines_are_accurate() {
        for i in 0..100_000u32 {
            let phase = i.wrapping_mul(42_949_673) ^ i;
            let (cos, sin) = cos_sin(phase);
            let turn = f64::from(phase) / 4_294_967_296.0 * std::f64::consts::TAU;
            let scale = f64::from(1 << 30);
            assert!(
                (f64::from(cos) - turn.cos() * scale).abs() < 8.0,
                "cos {phase}"
            );
            assert!(
                (f64::from(sin) - turn.sin() * scale).abs() < 8.0,
                "sin {phase}"
            );
        }
        assert_eq!(cos_sin(0), (1 << 30, 0));
        assert_eq!(cos_sin(1 << 30), (0, 1 << 30));
        assert_eq!(cos_sin(3 << 30), (0, -(1 << 30)));
    }

    #[test]
    fn powers_and_logarithms() {
        for theta in [10_000.0, 500_000.0, 1e6, 2.0, 1.5, 0.3, 1e-9] {
            let log = log2_q62(theta);
            let error = log as f64 / 2f64.powi(62) - f64::log2(theta);
            assert!(error.abs() < 1e-13, "log2 {theta}: {error:e}");
            let (mantissa, exponent) = exp2_q62(-log / 3);
            let power = mantissa as f64 / 2f64.powi(62) * 2f64.powi(exponent);
            let exact = theta.powf(-1.0 / 3.0);
            assert!(
                (power / exact - 1.0).abs() < 1e-13,
                "{theta}^(-1/3): {power} against {exact}"
            );
        }
    }
}
