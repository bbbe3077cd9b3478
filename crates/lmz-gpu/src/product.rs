//! Linear layers of a pass: which kernel takes them, and its launch.

use cubecl::ir::features::MmaConfig;
use cubecl::prelude::*;

use crate::buffer::Buffer;
use crate::kernel::linear::{LinearScalars, LinearScalarsLaunch, linear};
use crate::kernel::matrix::{MAX_COLUMNS, OUTPUTS, ROWS, matrix};
use crate::kernel::mma::{Instruction, MATRIX_UNITS};
use crate::kernel::reduce::UNITS;
use crate::launch::launch;
use crate::weights::LinearOn;

/// Rows from which on the matrix instruction is worth its tiles, which are half empty below twice as many.
pub const MATRIX_ROWS: usize = 16;

/// How a linear layer is computed. The bits are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// Each unit has an output of so many rows.
    Units(usize),
    /// Planes of units have tiles.
    Matrix(Instruction),
}

impl Product {
    /// For so many rows of a layer, on a device that has the matrix instruction or not.
    pub fn choose(layer: &LinearOn, rows: usize, instruction: bool) -> Self {
        if instruction && rows >= MATRIX_ROWS && 4 * layer.words <= MAX_COLUMNS {
            return Self::Matrix(Instruction::Native);
        }
        Self::Units(match rows {
            1 => 1,
            2..=4 => 4,
            _ => 8,
        })
    }

    /// Computes `y` [rows, out] with its exponents from `a` [rows, words] with its own.
    pub fn launch<R: Runtime>(
        self,
        client: &ComputeClient<R>,
        layer: &LinearOn,
        a: (&Buffer<u32>, &Buffer<i32>),
        y: (&Buffer<i32>, &Buffer<i32>),
        rows: usize,
    ) {
        let scalars = LinearScalarsLaunch::new(
            rows,
            layer.words,
            layer.out,
            layer.sum_shift,
            layer.exponent,
            layer.bias.e,
        );
        let cubes = |outputs: usize, of_rows: usize| {
            let (x, y) = (layer.out.div_ceil(outputs), rows.div_ceil(of_rows));
            CubeCount::Static(x as u32, y as u32, 1)
        };
        match self {
            Self::Units(tile) => launch!(
                client, cubes(UNITS as usize, tile), CubeDim::new_1d(UNITS), linear::Linear<R>,
                [a.0, a.1, layer.w, layer.m, layer.bias.b, y.0, y.1],
                [LinearScalars: scalars],
                [layer.bias.some, tile],
            ),
            Self::Matrix(instruction) => launch!(
                client, cubes(OUTPUTS, ROWS), CubeDim::new_1d(MATRIX_UNITS), matrix::Matrix<R>,
                [a.0, a.1, layer.w, layer.m, layer.bias.b, y.0, y.1],
                [LinearScalars: scalars],
                [layer.bias.some, instruction],
            ),
        }
    }
}

/// Whether a device has the matrix instruction for both planes of the activations.
pub fn has_instruction<R: Runtime>(client: &ComputeClient<R>) -> bool {
    let has = |b_type| {
        let config = MmaConfig {
            a_type: i8::cube_type(),
            b_type,
            cd_type: i32::cube_type(),
            m: 16,
            n: 8,
            k: 32,
        };
        client.features().matmul.mma.contains(&config)
    };
    let hardware = &client.properties().hardware;
    let planes = (hardware.plane_size_min, hardware.plane_size_max) == (32, 32);
    planes && has(i8::cube_type()) && has(u8::cube_type())
}
