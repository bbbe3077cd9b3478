//! Files by contexts alone: coded, decoded and compared; sizes and times.

use std::time::Instant;

use lmz_coder::{BitDecoder, Encoder};
use lmz_mix::Bytes;

fn main() -> std::io::Result<()> {
    let mut all = 0;
    for file in std::env::args().skip(1) {
        let raw = std::fs::read(&file)?;
        let bits = raw.len().next_power_of_two().ilog2();
        let begun = Instant::now();
        let mut model = Bytes::new(bits);
        let mut encoder = Encoder::new();
        for &byte in &raw {
            model.code(&mut encoder, byte);
        }
        let coded = encoder.finish();
        let time = begun.elapsed().as_secs_f64();
        let mut model = Bytes::new(bits);
        let mut decoder = BitDecoder::new(&coded);
        for &byte in &raw {
            assert_eq!(
                model.code(&mut decoder, 0),
                byte,
                "{file} does not come back"
            );
        }
        all += coded.len();
        let name = file.rsplit('/').next().unwrap_or(&file);
        println!(
            "{name:20} {:8} {:8}  {:.2} us/byte",
            raw.len(),
            coded.len(),
            time * 1e6 / raw.len() as f64
        );
    }
    println!("all {all}");
    Ok(())
}
