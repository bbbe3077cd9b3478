//! The checkpoint's own blocks with integer factors and offsets (docs/lmzm.md, "Recipe 3" and "Recipe 4").

use lmz_model::Grid;

use super::matrix::{Group, Part, mantissas};
use crate::fixed::{exponent, pow2};
use crate::prepared::{Builder, MAX_FACTOR, MAX_OFFSET};

/// What an offset of 1 is worth beside a factor of 1.
const OFFSET_STEP: f64 = 8.0;
/// Widest step between the levels of two columns: what column shifts can hold.
const MAX_SHIFT: i32 = 20;

/// A group of matrices in blocks: the tensors of a linear layer.
pub struct BlockMatrix {
    columns: usize,
    /// Columns of a block.
    size: usize,
    half_bytes: bool,
    q: Vec<i8>,
    factors: Vec<i16>,
    offsets: Vec<i16>,
    m: Vec<i32>,
    e: i32,
    c: Vec<u8>,
    /// The real scale of each row, without its factor.
    pub scales: Vec<f64>,
}

impl BlockMatrix {
    /// `None` where no part of the group is stored in blocks, or where they do not fit. With `powers` a row's unit is a power of two where
    /// that leaves less of its factors and offsets.
    pub fn of(group: &Group, powers: bool) -> Option<Self> {
        let columns = group.levels.len();
        if group.parts.iter().all(|part| part.grid.is_none()) {
            return None;
        }
        let grids: Vec<Grid> = group.parts.iter().map(|part| grid(part, columns)).collect();
        let size = grids.iter().map(|grid| grid.block).min()?;
        if !columns.is_multiple_of(32) {
            return None;
        }
        let half_bytes = grids
            .iter()
            .all(|g| *g.integers.start() >= -8 && *g.integers.end() <= 7);
        let lowest = group.levels.iter().copied().min()?;
        let shift = |&level: &i32| u8::try_from((level - lowest).min(MAX_SHIFT)).unwrap_or(0);
        let mut all = Self {
            columns,
            size,
            half_bytes,
            q: Vec::new(),
            factors: Vec::new(),
            offsets: Vec::new(),
            m: Vec::new(),
            e: 0,
            c: group.levels.iter().map(shift).collect(),
            scales: Vec::new(),
        };
        let parts = || group.parts.iter().zip(&grids);
        let wanted: Vec<f64> = parts()
            .flat_map(|(part, grid)| {
                let rows = part.factors.iter().zip(units(grid, columns, powers));
                rows.map(|(factor, unit)| factor * unit * pow2(lowest))
                    .collect::<Vec<_>>()
            })
            .collect();
        (all.m, all.e) = mantissas(&wanted);
        let mut m = all.m.clone().into_iter();
        for (part, grid) in parts() {
            for (row, (factor, m)) in part.factors.iter().zip(m.by_ref()).enumerate() {
                let scale = f64::from(m) * pow2(all.e) / factor;
                all.scales.push(scale);
                let values = &part.values[row * columns..][..columns];
                all.add_row(values, grid, row, scale / pow2(lowest));
            }
        }
        if all.offsets.iter().all(|&offset| offset == 0) {
            all.offsets = Vec::new();
        }
        Some(all)
    }

    /// Adds row number `row` of a part, with factors and offsets in units of `unit`.
    fn add_row(&mut self, values: &[f32], grid: &Grid, row: usize, unit: f64) {
        let blocks = values.len() / grid.block;
        // A block of 32 beside blocks of 16 is two of them.
        let copies = grid.block / self.size;
        for (b, values) in values.chunks_exact(grid.block).enumerate() {
            let (step, offset) = at(grid, row * blocks + b);
            let integer = |x: &f32| {
                let q = ((f64::from(*x) - offset) / step).round();
                let (lowest, highest) = (*grid.integers.start(), *grid.integers.end());
                q.clamp(lowest.into(), highest.into()) as i8
            };
            match step == 0.0 {
                true => self.q.resize(self.q.len() + values.len(), 0),
                false => self.q.extend(values.iter().map(integer)),
            }
            let within = |x: f64, limit: i16| match unit == 0.0 {
                true => 0,
                false => (x / unit).round().clamp((-limit).into(), limit.into()) as i16,
            };
            for _ in 0..copies {
                self.factors.push(within(step, MAX_FACTOR));
                self.offsets.push(within(offset / OFFSET_STEP, MAX_OFFSET));
            }
        }
    }

    /// Writes the tensors of the linear layer `name`.
    pub fn write(self, out: &mut Builder, name: &str) {
        let shape = [self.m.len(), self.columns];
        match self.half_bytes {
            true => out.half_bytes(format!("{name}.q"), shape, &self.q),
            false => out.i8(format!("{name}.q"), shape, &self.q),
        }
        let blocks = [self.m.len(), self.columns / self.size];
        out.i16(format!("{name}.factors"), blocks, &self.factors);
        if !self.offsets.is_empty() {
            out.i16(format!("{name}.offsets"), blocks, &self.offsets);
        }
        out.i32(format!("{name}.m"), &self.m);
        out.i32(format!("{name}.e"), &[self.e]);
        if self.c.iter().any(|&c| c > 0) {
            out.u8(format!("{name}.c"), &self.c);
        }
        out.in_blocks = true;
    }
}

/// Step and offset of a block.
fn at(grid: &Grid, block: usize) -> (f64, f64) {
    (
        grid.steps[block],
        grid.offsets.get(block).copied().unwrap_or(0.0),
    )
}

/// A part's grid; of one that is stored as it is, blocks of 32 whose largest element is 127 steps.
fn grid(part: &Part, columns: usize) -> Grid {
    part.grid.clone().unwrap_or_else(|| {
        let largest = |block: &[f32]| block.iter().fold(0f32, |max, w| max.max(w.abs()));
        let rows = part.values.chunks_exact(columns);
        let blocks = rows.flat_map(|row| row.chunks(32));
        Grid {
            block: 32,
            integers: -127..=127,
            steps: blocks
                .map(|block| f64::from(largest(block)) / 127.0)
                .collect(),
            offsets: Vec::new(),
        }
    })
}

/// What a factor and an offset of 1 are worth in each row, before the scale is rounded.
fn units(grid: &Grid, columns: usize, powers: bool) -> impl Iterator<Item = f64> + '_ {
    let blocks = columns / grid.block;
    (0..grid.steps.len() / blocks).map(move |row| {
        let row = || (row * blocks..(row + 1) * blocks).map(|block| at(grid, block));
        let least = row().fold(0f64, |unit, (step, offset)| {
            let of = |x: f64, limit: i16| x.abs() / f64::from(limit);
            unit.max(of(step, MAX_FACTOR))
                .max(of(offset / OFFSET_STEP, MAX_OFFSET))
        });
        if !powers || least == 0.0 {
            return least;
        }
        // Scales of 16 bits have 11 digits: most of a row's are whole numbers of such a unit.
        let power = match exponent(least) {
            e if pow2(e) == least => least,
            e => pow2(e + 1),
        };
        let left = |unit: f64| {
            let of = |x: f64| (x / unit - (x / unit).round()) * unit;
            let squares = |(step, offset): (f64, f64)| {
                of(step).powi(2) + OFFSET_STEP.powi(2) * of(offset / OFFSET_STEP).powi(2)
            };
            row().map(squares).sum::<f64>()
        };
        if left(power) < left(least) {
            power
        } else {
            least
        }
    })
}
