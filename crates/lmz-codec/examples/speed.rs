//! Speed and size of a file under a model: `speed MODEL FILE [context overlap threads verify kernel]`.
use lmz_codec::*;
use std::time::Instant;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().collect();
    let kernel = args.get(7).and_then(|n| Isa::from_name(n)).and_then(Kernel::new).unwrap_or(Kernel::detect());
    let model = Model::open_with(args[1].as_ref(), kernel)?;
    let text = std::fs::read(&args[2])?;
    let number = |i: usize| args.get(i).and_then(|n| n.parse::<u32>().ok());
    let threads = number(5).unwrap_or(0) as usize;
    let options = CompressOptions {
        context: number(3),
        overlap: number(4),
        threads,
        verify: number(6) == Some(1),
        ..Default::default()
    };
    let mut packed = Vec::new();
    let start = Instant::now();
    let report = compress(&text[..], &mut packed, &model, &options, &())?;
    let encode = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let mut restored = Vec::new();
    decompress(&packed[..], &mut restored, &model, &DecompressOptions { threads }, &())?;
    let decode = start.elapsed().as_secs_f64();
    assert!(restored == text);
    let rate = |seconds: f64| text.len() as f64 / seconds / 1000.0;
    println!(
        "{} {} -> {} bytes, {:.4} bits/byte ({:.4} ideal), {:?} segments, encode {:.1} KB/s, decode {:.1} KB/s, container {:?}",
        kernel.isa().name(),
        text.len(),
        packed.len(),
        packed.len() as f64 * 8.0 / text.len() as f64,
        report.ideal_bits / text.len() as f64,
        report.segments,
        rate(encode),
        rate(decode),
        report.container,
    );
    Ok(())
}
