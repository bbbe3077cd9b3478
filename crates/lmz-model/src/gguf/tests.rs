//! Blocks against those of the `gguf` package (tools/parity/make_gguf.py).

use safetensors::SafeTensors;

use super::kind::Kind;
use super::model::Gguf;

const BLOCKS: &[u8] = include_bytes!("../../../../tests/fixtures/gguf/blocks.gguf");
const VALUES: &[u8] = include_bytes!("../../../../tests/fixtures/gguf/blocks.safetensors");

#[test]
fn values_are_those_of_the_reference() {
    let gguf = Gguf::from_bytes("blocks.gguf", BLOCKS.to_vec()).unwrap();
    let expected = SafeTensors::deserialize(VALUES).unwrap();
    let mut names = expected.names();
    names.sort_unstable();
    assert_eq!(names.len(), 14);
    for name in names {
        let tensor = expected.tensor(name).unwrap();
        let wanted = tensor.data().as_chunks().0.iter();
        let wanted: Vec<u32> = wanted.map(|b| u32::from_le_bytes(*b)).collect();
        assert_eq!(gguf.stored(name).unwrap().kind, name);
        let shape = gguf.shape(name).unwrap().to_vec();
        assert_eq!(shape, tensor.shape());
        let found = gguf.rows(name, 0..shape[0]).unwrap();
        let found: Vec<u32> = found.into_iter().map(f32::to_bits).collect();
        assert!(found == wanted, "{name}");
        // A row is the same alone.
        let row = gguf.rows(name, 1..2).unwrap();
        let row: Vec<u32> = row.into_iter().map(f32::to_bits).collect();
        assert!(row == wanted[shape[1]..2 * shape[1]], "{name}");
    }
}

/// Every element is a step times an integer within its bounds, plus an offset: to the rounding of f32.
#[test]
fn elements_lie_on_their_grids() {
    let gguf = Gguf::from_bytes("blocks.gguf", BLOCKS.to_vec()).unwrap();
    let mut grids = 0;
    for name in gguf.names() {
        let shape = gguf.shape(name).unwrap().to_vec();
        let Some(grid) = gguf.grid(name, 1..shape[0]).unwrap() else {
            assert!(matches!(name, "F32" | "F16" | "BF16"), "{name}");
            continue;
        };
        grids += 1;
        let values = gguf.rows(name, 1..shape[0]).unwrap();
        assert_eq!(grid.steps.len() * grid.block, values.len(), "{name}");
        assert!(grid.offsets.is_empty() || grid.offsets.len() == grid.steps.len());
        let mut outermost = [false; 2];
        for (b, values) in values.chunks_exact(grid.block).enumerate() {
            let offset = grid.offsets.get(b).copied().unwrap_or(0.0);
            for &value in values {
                let q = ((f64::from(value) - offset) / grid.steps[b]).round();
                let q = if grid.steps[b] == 0.0 { 0.0 } else { q };
                if name == "Q8_0" && q == -128.0 {
                    // ggml's own code writes none; it becomes -127.
                    continue;
                }
                let (lowest, highest) = (grid.integers.start(), grid.integers.end());
                assert!(
                    (f64::from(*lowest)..=f64::from(*highest)).contains(&q),
                    "{name}: {q}"
                );
                outermost[0] |= q == f64::from(*lowest);
                outermost[1] |= q == f64::from(*highest);
                let off = (f64::from(value) - (q * grid.steps[b] + offset)).abs();
                assert!(
                    off <= 1e-6 * (f64::from(value).abs() + offset.abs()),
                    "{name}: {off}"
                );
            }
        }
        // The bounds are no wider than the types' own, but those of IQ4's levels.
        assert!(
            name.starts_with("IQ4") || outermost == [true; 2],
            "{name}: {outermost:?}"
        );
    }
    assert_eq!(grids, Kind::all().split(", ").count() - 3);
}
