//! How wide the processor's registers are: the same numbers, sooner.

/// The widest registers that code may use.
#[derive(Clone, Copy, Debug)]
pub enum Wide {
    /// Those that every processor of its kind has.
    Any,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Wide {
    /// What this processor has.
    pub fn detect() -> Self {
        Self::all().pop().unwrap_or(Self::Any)
    }

    /// All that this processor has, the widest last.
    pub fn all() -> Vec<Self> {
        let mut all = vec![Self::Any];
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::is_x86_feature_detected as has;
            if has!("avx2") && has!("bmi1") && has!("bmi2") && has!("lzcnt") && has!("popcnt") {
                all.push(Self::Avx2);
                if has!("avx512f") && has!("avx512bw") && has!("avx512vl") && has!("avx512dq") {
                    all.push(Self::Avx512);
                }
            }
        }
        all
    }

    /// The dot products of inputs with some rows of weights: 16 fractional bits.
    #[inline(always)]
    pub fn dots<const INPUTS: usize, const SETS: usize>(
        self,
        inputs: &[i16; INPUTS],
        weights: &[[i32; INPUTS]],
        rows: &[usize; SETS],
    ) -> [i32; SETS] {
        #[cfg(target_arch = "x86_64")]
        #[allow(unsafe_code)]
        if matches!(self, Self::Avx512) && INPUTS == 32 && SETS == 5 {
            let row = |set: usize| weights[rows[set]].as_slice().try_into().expect("32 inputs");
            let inputs = inputs.as_slice().try_into().expect("32 inputs");
            // SAFETY: the processor has it.
            let dots = unsafe { dots_avx512(inputs, [row(0), row(1), row(2), row(3), row(4)]) };
            return std::array::from_fn(|set| dots[set]);
        }
        let mut dots = [0; SETS];
        for (to, &row) in dots.iter_mut().zip(rows) {
            *to = dot(inputs, &weights[row]);
        }
        dots
    }

    /// Calls `f`, whose `#[inline(always)]` functions are compiled for these registers.
    // `FnMut`, since a call by value would go through a function that is not inlined.
    #[inline(always)]
    pub fn run<R>(self, mut f: impl FnMut() -> R) -> R {
        #[cfg(target_arch = "x86_64")]
        #[allow(unsafe_code)]
        match self {
            Self::Any => f(),
            // SAFETY: the processor has it ([`Wide::detect`]).
            Self::Avx2 => unsafe { avx2(f) },
            // SAFETY: the processor has it.
            Self::Avx512 => unsafe { avx512(f) },
        }
        #[cfg(not(target_arch = "x86_64"))]
        f()
    }
}

/// Sum of the products of inputs and the high halves of weights, 16 fractional bits.
#[inline(always)]
fn dot<const INPUTS: usize>(inputs: &[i16; INPUTS], weights: &[i32; INPUTS]) -> i32 {
    // Half by half: 16 products of 12 and 16 bits fit 32.
    let half = |from: usize| {
        let mut sum = 0i32;
        for i in from..from + INPUTS / 2 {
            sum += i32::from(inputs[i]) * i32::from((weights[i] >> 16) as i16);
        }
        sum
    };
    // 8 fractional bits of the inputs, 12 of the weights.
    (half(0) >> 4) + (half(INPUTS / 2) >> 4)
}

/// [`dot`] of 32 inputs with five rows, whose sums are added up side by side.
///
/// # Safety
/// AVX-512 (F, BW), and such rows.
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn dots_avx512(inputs: &[i16; 32], rows: [&[i32; 32]; 5]) -> [i32; 5] {
    use std::arch::x86_64::*;
    // An input in the high half of each 32 bits: `vpmaddwd` adds nothing to its product with the weight's.
    // SAFETY: the loads lie inside of the arrays.
    let high = |at: usize| unsafe {
        let inputs = _mm256_loadu_si256(inputs[at..].as_ptr().cast());
        _mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(inputs))
    };
    let inputs = [high(0), high(16)];
    // Of each row both halves' products, four and four lanes added up: [first, first, second, second].
    let folded = rows.map(|row| {
        // SAFETY: the loads lie inside of the row.
        let half = |at: usize| unsafe {
            let weights = _mm512_loadu_si512(row[at..].as_ptr().cast());
            _mm512_madd_epi16(weights, inputs[at / 16])
        };
        let (first, second) = (half(0), half(16));
        let low = _mm512_shuffle_i64x2::<0x44>(first, second);
        _mm512_add_epi32(low, _mm512_shuffle_i64x2::<0xee>(first, second))
    });
    let pair = |a: __m512i, b: __m512i| {
        _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b))
    };
    let (a, b) = (pair(folded[0], folded[1]), pair(folded[2], folded[3]));
    let four = _mm512_add_epi32(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
    // Lanes of 128 bits: half 0, half 0, half 1, half 1.
    let sums = |x: __m512i| {
        let x = _mm512_add_epi32(x, _mm512_shuffle_i64x2::<0xb1>(x, x));
        let x = _mm512_srai_epi32::<4>(x);
        let second = _mm512_shuffle_i64x2::<0x4e>(x, x);
        _mm512_castsi512_si128(_mm512_add_epi32(x, second))
    };
    let fifth = pair(folded[4], folded[4]);
    let fifth = _mm512_add_epi32(fifth, _mm512_shuffle_epi32::<0x4e>(fifth));
    let mut dots = [0; 5];
    // SAFETY: four of the five.
    unsafe { _mm_storeu_si128(dots.as_mut_ptr().cast(), sums(four)) };
    dots[4] = _mm_cvtsi128_si32(sums(fifth));
    dots
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn avx2<R>(mut f: impl FnMut() -> R) -> R {
    f()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt,avx512f,avx512bw,avx512vl,avx512dq")]
fn avx512<R>(mut f: impl FnMut() -> R) -> R {
    f()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dot_products_are_those_of_a_plain_loop() {
        let number = |i: usize| (i as u32).wrapping_mul(0x9E37_79B1).rotate_left(7) as i32;
        for round in 0..50 {
            let inputs: [i16; 32] = std::array::from_fn(|i| (number(i + round) % 3072) as i16);
            let weights: Vec<[i32; 32]> = (0..9)
                .map(|row| std::array::from_fn(|i| number(1000 * round + 40 * row + i)))
                .collect();
            let rows = [7, 0, 3, 8, 3];
            let plain = rows.map(|row: usize| dot(&inputs, &weights[row]));
            for wide in Wide::all() {
                assert_eq!(wide.dots(&inputs, &weights, &rows), plain, "{wide:?}");
            }
        }
        // The largest there are.
        let inputs = [-3072; 32];
        let weights = [[i32::MIN; 32], [i32::MAX; 32]];
        for wide in Wide::all() {
            let [low, high, ..] = wide.dots(&inputs, &weights, &[0, 1, 0, 1, 0]);
            assert_eq!(low, 2 * ((16 * 3072 * 32768) >> 4), "{wide:?}");
            assert_eq!(high, 2 * ((16 * -3072 * 32767) >> 4), "{wide:?}");
        }
    }
}
