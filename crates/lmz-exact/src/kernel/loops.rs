//! The loops around the tiles of products, the same for each instruction set.
//!
//! A tile kernel `tile::<N, W>(w, x, pairs, ahead)` multiplies `pairs` column pairs of one panel of weights `W`
//! by `N` rows of activations, and keeps the sums in registers. It may ask the memory for what lies `ahead` of the panel.
#![allow(unsafe_op_in_unsafe_fn)]

/// Pointers to `N` rows, `stride` apart.
#[inline(always)]
///
/// # Safety
/// There are that many.
pub unsafe fn rows<const N: usize>(x: *const i16, stride: usize) -> [*const i16; N] {
    let mut rows = [x; N];
    for (t, row) in rows.iter_mut().enumerate() {
        *row = x.add(t * stride);
    }
    rows
}

/// The loops of a linear layer around a tile kernel: panels outside (a panel stays in L1 while all
/// activations pass it), tiles of at most `$rows` rows inside.
macro_rules! linear_loops {
    ($name:ident, $features:literal, $tile:ident, $store:ident, $sum:ident, $rows:literal, $($n:literal)*) => {
        /// # Safety
        /// The instruction set is there; `x` has a row of `stride >= 2 * pairs` values for each row
        /// of `y`, which has whole rows of `layer.out_padded()` and room for these panels of them.
        #[target_feature(enable = $features)]
        pub unsafe fn $name(layer: &Linear, panels: Range<usize>, x: &[i16], stride: usize, y: Output) {
            let (pairs, width, n) = (layer.pairs(), layer.out_padded(), y.rows);
            for p in panels {
                let panel = layer.panel(p).as_ptr();
                let scales = layer.scales(p);
                let mut t = 0;
                while t < n {
                    let rows = (n - t).min($rows);
                    let x = x.as_ptr().add(t * stride);
                    let y = y.first.add(t * width + p * PANEL);
                    // The last of several tiles asks for the next panel, which comes while it is computed.
                    let ahead = if t > 0 && t + rows == n { (pairs * PANEL * 2).cast_signed() } else { 0 };
                    match rows {
                        $($n => one::<$n>(panel, scales, x, stride, pairs, ahead, layer.sum_shift(), y, width),)*
                        _ => unreachable!(),
                    }
                    t += rows;
                }
            }

            #[inline(always)]
            #[allow(clippy::too_many_arguments)]
            unsafe fn one<const N: usize>(
                w: *const i8, scales: &[i32; PANEL], x: *const i16, stride: usize, pairs: usize,
                ahead: isize, g: i32,
                y: *mut i32, width: usize,
            ) {
                const STEP: usize = CHUNK / 2;
                if pairs <= STEP {
                    let sums = $tile::<N, i8>(w, rows(x, stride), pairs, ahead);
                    for t in 0..N {
                        $store(sums[t], scales, y.add(t * width));
                    }
                    return;
                }
                let mut wide = [[0i64; PANEL]; N];
                let mut j = 0;
                while j < pairs {
                    let step = (pairs - j).min(STEP);
                    let sums = $tile::<N, i8>(w.add(j * PANEL * 2), rows(x.add(2 * j), stride), step, ahead);
                    for t in 0..N {
                        let sums: [i32; PANEL] = $sum(sums[t]);
                        for r in 0..PANEL {
                            wide[t][r] += i64::from(sums[r]);
                        }
                    }
                    j += step;
                }
                for t in 0..N {
                    scale_sums(&wide[t], scales, g, std::slice::from_raw_parts_mut(y.add(t * width), PANEL));
                }
            }
        }
    };
}

pub(super) use linear_loops;

/// The loops of a layer in blocks (docs/numerics.md, 3.18) around a kernel `block::<N, W>(w, x, pairs)`, which multiplies the column pairs of
/// one block of a panel, integers `W`, by `N` rows of activations. `$add(sums, block's sums, factors)` adds them up in 64 bits
/// times the rows' factors, which `$factors` reads, or one for all of them (`$worth`); `$totals` gives the sums by row. Offsets go through the tile kernel of panels of 16 bits.
macro_rules! block_loops {
    ($name:ident, $features:literal, $sums:ty, $block:ident, $factors:ident, $worth:ident, $add:ident, $zero:ident,
     $totals:ident, $ahead:ident, $offsets:ident, $tile:ident, $rows:literal, $($n:literal)*) => {
        /// # Safety
        /// The instruction set is there; the input has a row of `stride >= 2 * pairs` values for each row
        /// of `y`, which has whole rows of `layer.out_padded()` and room for these panels of them.
        #[target_feature(enable = $features)]
        pub unsafe fn $name(layer: &Linear, blocks: &BlockPanels, panels: Range<usize>, input: BlockInput<'_>, y: Output) {
            let (width, n) = (layer.out_padded(), y.rows);
            // Worth it for several tiles, which share what is widened once.
            let widened = n > 2 * $rows;
            let mut wide = vec![0i16; if widened { blocks.panel_weights() } else { 0 }];
            for p in panels {
                if widened {
                    blocks.widen(p, &mut wide);
                }
                let mut t = 0;
                while t < n {
                    let rows = (n - t).min($rows);
                    let y = y.first.add(t * width + p * PANEL);
                    // As in the loops of int8 rows.
                    let ahead = t > 0 && t + rows == n;
                    match rows {
                        $($n => one::<$n>(layer, blocks, p, &wide, input, t, ahead, y),)*
                        _ => unreachable!(),
                    }
                    t += rows;
                }
            }

            #[inline(always)]
            #[allow(clippy::too_many_arguments)]
            unsafe fn one<const N: usize>(
                layer: &Linear, blocks: &BlockPanels, p: usize, wide: &[i16], input: BlockInput<'_>, t: usize, ahead: bool, y: *mut i32,
            ) {
                let x = rows::<N>(input.x.as_ptr().add(t * input.stride), input.stride);
                let own = blocks.panel(p)[FACTOR_BYTES..].as_ptr();
                let mut sums = match (wide.is_empty(), blocks.half_bytes) {
                    (false, _) => products::<N, i16>(blocks, p, wide.as_ptr().cast(), x, ahead),
                    (true, true) => products::<N, HalfBytes>(blocks, p, own, x, ahead),
                    (true, false) => products::<N, i8>(blocks, p, own, x, ahead),
                };
                if let Some(offsets) = blocks.offsets(p) {
                    $offsets::<N>(blocks, offsets.as_ptr(), input.sums.as_ptr(), t, &mut sums);
                }
                let scales = layer.scales(p);
                let shift = layer.sum_shift() + blocks.shift() + blocks.extra_bits();
                for t in 0..N {
                    let y = y.add(t * layer.out_padded());
                    scale_sums(&$totals(sums[t]), scales, shift, std::slice::from_raw_parts_mut(y, PANEL));
                }
            }

            /// Of the weights at `w`: those of panel `p` itself, or widened.
            #[inline(always)]
            unsafe fn products<const N: usize, W: BlockWeight>(
                blocks: &BlockPanels, p: usize, mut w: *const u8, x: [*const i16; N], ahead: bool,
            ) -> [$sums; N] {
                let (pairs, bytes, panel) = (blocks.pairs, blocks.block_bytes(), blocks.panel(p));
                let step = pairs / 2 * W::TWO_PAIRS + if W::WIDE { 0 } else { FACTOR_BYTES };
                let mut factors = panel.as_ptr();
                let mut all = [$zero(); N];
                for b in 0..blocks.blocks() {
                    if ahead {
                        $ahead(factors.wrapping_add(panel.len()), bytes);
                    }
                    let x = x.map(|x| x.add(2 * pairs * b));
                    let sums = $block::<N, W>(w, x, pairs);
                    let of_rows = $factors(factors.cast());
                    for t in 0..N {
                        $add(&mut all[t], sums[t], of_rows);
                    }
                    w = w.wrapping_add(step);
                    factors = factors.wrapping_add(bytes);
                }
                all
            }
        }

        /// Adds the products of a panel's offsets with the sums of blocks, from row `t` on.
        ///
        /// # Safety
        /// The instruction set is there, and there are so many rows.
        #[inline(always)]
        pub unsafe fn $offsets<const N: usize>(
            blocks: &BlockPanels, offsets: *const i16, sums: *const i16, t: usize, all: &mut [$sums; N],
        ) {
            let pairs = blocks.offset_pairs();
            let sums = sums.add(t * 4 * pairs);
            let mut j = 0;
            while j < pairs {
                let step = (pairs - j).min(OFFSET_PAIRS);
                let w = offsets.add(j * PANEL * 2);
                for (half, shift) in [(0, SUM_BITS as i32), (1, 0)] {
                    let x = rows::<N>(sums.add(half * 2 * pairs + 2 * j), 4 * pairs);
                    let dots = $tile::<N, i16>(w, x, step, 0);
                    let worth = $worth(1 << (shift + OFFSET_BITS + blocks.extra_bits()));
                    for t in 0..N {
                        $add(&mut all[t], dots[t], worth);
                    }
                }
                j += step;
            }
        }
    };
}

pub(super) use block_loops;

/// [`super::panel_dots`] around a tile kernel.
macro_rules! panel_dots_loops {
    ($name:ident, $weight:ty, $features:literal, $tile:ident, $sum:ident) => {
        /// # Safety
        /// The instruction set is there; the lengths are as [`super::panel_dots`] checks.
        #[target_feature(enable = $features)]
        pub unsafe fn $name(
            panel: &[$weight],
            ahead: isize,
            pairs: usize,
            rows: &[&[i16]],
            out: &mut [[i32; PANEL]],
        ) {
            macro_rules! run {
                ($n:literal) => {{
                    let mut x = [std::ptr::null(); $n];
                    for t in 0..$n {
                        x[t] = rows.get_unchecked(t).as_ptr();
                    }
                    let sums = $tile::<$n, $weight>(panel.as_ptr(), x, pairs, ahead);
                    for t in 0..$n {
                        out[t] = $sum(sums[t]);
                    }
                }};
            }
            const { assert!(TILE == 6) };
            match rows.len() {
                0 => {}
                1 => run!(1),
                2 => run!(2),
                3 => run!(3),
                4 => run!(4),
                5 => run!(5),
                _ => run!(6),
            }
        }
    };
}

pub(super) use panel_dots_loops;
