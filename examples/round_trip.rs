//! Compress and restore a file in memory, and see where the bytes go:
//! `cargo run --release --example round_trip -- corpora/alice29.txt [MODEL]`.

use std::time::Instant;

use lmz::{CompressOptions, DecompressOptions, Model};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let raw = std::fs::read(args.next().ok_or("usage: round_trip FILE [MODEL]")?)?;
    let model = match args.next() {
        Some(path) => Model::open(path.as_ref())?,
        None => lmz::embedded_model()?,
    };
    let options = CompressOptions {
        verify: false,
        ..Default::default()
    };
    let mut packed = Vec::new();
    let start = Instant::now();
    let report = lmz::compress(&raw[..], &mut packed, &model, &options, &())?;
    let encoding = start.elapsed().as_secs_f64();
    let mut restored = Vec::new();
    let start = Instant::now();
    lmz::decompress(
        &packed[..],
        &mut restored,
        &model,
        &DecompressOptions::default(),
        &(),
    )?;
    let decoding = start.elapsed().as_secs_f64();
    assert!(restored == raw, "lost data");

    let kb = raw.len() as f64 / 1000.0;
    let bits_per_byte = |bits: f64| bits / (raw.len().max(1)) as f64;
    println!(
        "{} -> {} bytes with {}",
        raw.len(),
        packed.len(),
        model.name()
    );
    println!("ideal  {:.4} bits/byte", bits_per_byte(report.ideal_bits));
    println!(
        "real   {:.4} bits/byte",
        bits_per_byte(packed.len() as f64 * 8.0)
    );
    println!("{:?}", report.container);
    println!(
        "encode {:.1} KB/s, decode {:.1} KB/s ({} kernels)",
        kb / encoding,
        kb / decoding,
        model.engine().kernel().isa().name()
    );
    Ok(())
}
