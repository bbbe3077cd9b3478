//! Print some bytes from the middle of a compressed file without decoding the rest:
//! `cargo run --release --example random_access -- FILE.lmz OFFSET LENGTH`.

use std::fs::File;
use std::io::Write;

use lmz::{DecompressOptions, Reader};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().collect();
    let [_, path, offset, length] = &args[..] else {
        return Err("usage: random_access FILE.lmz OFFSET LENGTH".into());
    };
    let model = lmz::embedded_model()?;
    let mut reader = Reader::open(File::open(path)?, &model, &DecompressOptions::default())?;
    let mut bytes = vec![0; length.parse()?];
    let n = reader.read_at(offset.parse()?, &mut bytes)?;
    std::io::stdout().write_all(&bytes[..n])?;
    Ok(())
}
