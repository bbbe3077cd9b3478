//! The bytes depend on the input, the model and the options that say so; on nothing else.
#![allow(missing_docs)]

mod common;

use std::io::{Read, Write};

use common::{nano, packed, small, text};
use lmz_codec::{
    CompressOptions, DecompressOptions, Isa, Kernel, Model, Writer, compress, decompress,
};

fn raw() -> Vec<u8> {
    text()[..6000].to_vec()
}

#[test]
fn kernels_threads_and_verification_do_not_change_a_bit() {
    let raw = raw();
    let expected = packed(&raw, &small());
    for isa in Isa::available() {
        let kernel = Kernel::new(isa).unwrap();
        let model = Model::from_lmzm(nano().prepared().as_bytes().to_vec(), kernel).unwrap();
        for threads in [1, 2, 3] {
            let options = CompressOptions {
                threads,
                verify: threads == 2,
                ..small()
            };
            let mut file = Vec::new();
            compress(&raw[..], &mut file, &model, &options, &()).unwrap();
            assert!(file == expected, "{isa:?}, {threads} threads");
            let mut out = Vec::new();
            decompress(
                &file[..],
                &mut out,
                &model,
                &DecompressOptions {
                    threads,
                    ..Default::default()
                },
                &(),
            )
            .unwrap();
            assert!(out == raw, "{isa:?}, {threads} threads");
        }
    }
}

/// A pipe that gives a few bytes at a time, and is interrupted now and then.
struct Dribble<'a>(&'a [u8], usize);

impl Read for Dribble<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.1 += 1;
        if self.1.is_multiple_of(5) {
            return Err(std::io::ErrorKind::Interrupted.into());
        }
        let n = (self.1 % 37 + 1).min(self.0.len()).min(buffer.len());
        buffer[..n].copy_from_slice(&self.0[..n]);
        self.0 = &self.0[n..];
        Ok(n)
    }
}

#[test]
fn pipes_files_and_writers_give_the_same_bytes() {
    let raw = raw();
    let expected = packed(&raw, &small());
    let mut file = Vec::new();
    compress(Dribble(&raw, 0), &mut file, nano(), &small(), &()).unwrap();
    assert!(file == expected);
    let options = small();
    let mut writer = Writer::new(Vec::new(), nano(), &options, &()).unwrap();
    for (i, part) in raw.chunks(77).enumerate() {
        writer.write_all(part).unwrap();
        if i % 3 == 0 {
            writer.flush().unwrap();
        }
    }
    let (file, report) = writer.finish().unwrap();
    assert!(file == expected);
    assert_eq!(
        (report.raw_len, report.compressed_len),
        (raw.len() as u64, file.len() as u64)
    );
    let mut out = Vec::new();
    decompress(
        Dribble(&file, 0),
        &mut out,
        nano(),
        &DecompressOptions::default(),
        &(),
    )
    .unwrap();
    assert!(out == raw);
}
