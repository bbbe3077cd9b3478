//! Files as mixed groups: bytes and times of both directions. `mixed MODEL.lmzm LANES GROUP FILE...` codes each file in
//! groups of GROUP bytes, decodes them again and compares.

use std::error::Error;
use std::time::Instant;

use lmz_codec::mixed::{decode_group, encode_groups};
use lmz_codec::{CompressOptions, DecompressOptions, Model};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let model = Model::open(arguments.next().ok_or("a model")?.as_ref())?;
    let lanes: usize = arguments.next().ok_or("lanes")?.parse()?;
    let size: usize = arguments.next().ok_or("bytes of a group")?.parse()?;
    let options = CompressOptions {
        lanes: Some(lanes),
        ..CompressOptions::default()
    };
    for file in arguments {
        let raw = std::fs::read(&file)?;
        let policy = options.context_policy(&model, raw.len().min(size))?;
        let groups: Vec<&[u8]> = raw.chunks(size).collect();
        let begun = Instant::now();
        let coded = encode_groups(&groups, &model, &options, &())?;
        let encoding = begun.elapsed().as_secs_f64();
        let begun = Instant::now();
        for (group, coded) in groups.iter().zip(&coded) {
            let means = DecompressOptions::default();
            let again = decode_group(coded, group.len(), &model, policy, &means, &())?;
            if again != *group {
                return Err(format!("{file}: other bytes").into());
            }
        }
        let decoding = begun.elapsed().as_secs_f64();
        let bytes: usize = coded.iter().map(Vec::len).sum();
        println!(
            "{file} {} {bytes} {:.4} bits/byte, encoding {encoding:.1} s, decoding {decoding:.1} s",
            raw.len(),
            bytes as f64 * 8.0 / raw.len() as f64
        );
    }
    Ok(())
}
