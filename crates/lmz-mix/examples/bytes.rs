//! Files by contexts alone: coded, decoded and compared; sizes and times. `bytes [VERSION] FILE...`

use std::time::Instant;

use lmz_coder::{BitDecoder, Encoder};
use lmz_mix::{Bytes, Version};

fn main() -> std::io::Result<()> {
    let mut all = 0;
    let mut files = std::env::args().skip(1).peekable();
    let number = files.peek().and_then(|first| first.parse().ok());
    let version = number.and_then(Version::from_number);
    if version.is_some() {
        files.next();
    }
    let version = version.unwrap_or(Version::NEWEST);
    for file in files {
        let raw = std::fs::read(&file)?;
        let bits = raw.len().next_power_of_two().ilog2();
        let begun = Instant::now();
        let mut model = Bytes::new(bits, version);
        let mut encoder = Encoder::new();
        for &byte in &raw {
            model.code(&mut encoder, byte);
        }
        let coded = encoder.finish();
        let time = begun.elapsed().as_secs_f64();
        let mut model = Bytes::new(bits, version);
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
