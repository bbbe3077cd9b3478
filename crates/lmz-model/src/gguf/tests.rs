//! Blocks against those of the `gguf` package (tools/parity/make_gguf.py).

use safetensors::SafeTensors;

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
