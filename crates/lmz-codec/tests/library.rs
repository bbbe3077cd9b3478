//! What programs in any language need: values that own what they use, errors that can be told apart, progress.
#![allow(missing_docs)]

mod common;

use std::io::{Cursor, Read, Write};
use std::sync::Arc;

use common::{alone, nano, packed, small, text};
use lmz_codec::{
    CodecError, CompressOptions, Decoder, DecompressOptions, ErrorKind, Model, Observer, Phase,
    Progress, Reader, Writer, compress_to_vec, decompress, decompress_seekable, decompress_to_vec,
};

fn raw() -> Vec<u8> {
    text()[..3000].to_vec()
}

#[test]
fn memory_to_memory() {
    let raw = raw();
    let file = compress_to_vec(&raw, nano(), &small()).unwrap();
    assert_eq!(file, packed(&raw, &small()));
    let options = DecompressOptions::default();
    assert_eq!(decompress_to_vec(&file, nano(), &options).unwrap(), raw);
    // Through the footer's copy of the header.
    let mut damaged = file.clone();
    damaged[9] ^= 1;
    assert_eq!(decompress_to_vec(&damaged, nano(), &options).unwrap(), raw);
}

#[test]
fn a_decoder_is_read_in_any_portions() {
    let raw = raw();
    let file = [
        packed(&raw, &small()),
        packed(b"", &small()),
        packed(b"end", &small()),
    ]
    .concat();
    let expected = [&raw[..], b"end"].concat();
    let options = DecompressOptions::default();
    for portion in [1, 7, 199, 200, 201, 100_000] {
        let mut decoder = Decoder::new(&file[..], nano(), &options, ()).unwrap();
        let (mut all, mut buffer) = (Vec::new(), vec![0; portion]);
        loop {
            let n = decoder.read(&mut buffer).unwrap();
            if n == 0 {
                break;
            }
            all.extend_from_slice(&buffer[..n]);
        }
        assert!(all == expected, "{portion}");
        assert_eq!(decoder.read(&mut buffer).unwrap(), 0);
        let report = decoder.report();
        assert_eq!((report.members, report.raw_len), (3, expected.len() as u64));
    }
}

#[test]
fn a_decoder_gives_what_comes_before_damage() {
    let raw = raw();
    let mut file = packed(&raw, &small());
    let middle = file.len() / 2;
    file[middle] ^= 0x20;
    let options = DecompressOptions::default();
    let mut decoder = Decoder::new(&file[..], nano(), &options, ()).unwrap();
    let mut sound = Vec::new();
    let error = decoder.read_to_end(&mut sound).unwrap_err();
    let error = error
        .get_ref()
        .unwrap()
        .downcast_ref::<CodecError>()
        .unwrap();
    assert_eq!(error.kind(), ErrorKind::Corruption, "{error}");
    assert!(
        sound.len() >= 600 && raw.starts_with(&sound),
        "{}",
        sound.len()
    );
    // It does not look as if it had come to its end.
    assert!(decoder.read(&mut [0; 10]).is_err());
    let mut written = Vec::new();
    decompress(&file[..], &mut written, nano(), &options, &()).unwrap_err();
    assert_eq!(written, sound);
}

#[test]
fn all_is_a_hundred_percent() {
    let raw = raw();
    for verify in [true, false] {
        let progress = Arc::new(Progress::default());
        let options = CompressOptions { verify, ..small() };
        let mut writer = Writer::new(Vec::new(), nano(), &options, progress.clone()).unwrap();
        assert_eq!(progress.fraction(), None);
        writer.expect(raw.len() as u64);
        writer.write_all(&raw).unwrap();
        assert!(progress.fraction().unwrap() < 1.0);
        let (file, _) = writer.finish().unwrap();
        assert_eq!(progress.fraction(), Some(1.0));
        assert_eq!(
            progress.total(),
            Some((1 + u64::from(verify)) * raw.len() as u64)
        );
        let progress = Progress::default();
        let options = DecompressOptions::default();
        let file = Cursor::new(file);
        decompress_seekable(file, std::io::sink(), nano(), &options, &progress).unwrap();
        assert_eq!(progress.fraction(), Some(1.0));
    }
}

#[test]
fn readers_and_writers_can_go_anywhere() {
    fn anywhere<T: Send + 'static>(value: T) -> T {
        std::thread::spawn(move || value)
            .join()
            .unwrap_or_else(|_| panic!("a thread"))
    }
    let raw = raw();
    let progress = Arc::new(Progress::default());
    let writer = Writer::new(Vec::new(), nano(), &small(), progress.clone()).unwrap();
    let mut writer = anywhere(writer);
    writer.write_all(&raw).unwrap();
    let (file, _) = writer.finish().unwrap();
    let progress = Arc::new(Progress::default());
    let options = DecompressOptions::default();
    let model: Model = nano().clone();
    let reader = Reader::open(Cursor::new(file.clone()), model, &options).unwrap();
    let mut reader = anywhere(reader.observed(progress.clone()));
    let mut word = [0; 450];
    assert_eq!(reader.read_at(1100, &mut word).unwrap(), 450);
    assert_eq!(word[..], raw[1100..1550]);
    // Three segments of 200 bytes.
    assert_eq!(progress.passed(), 600);
    let models: Arc<Vec<Model>> = Arc::new(vec![nano().clone()]);
    let decoder = Decoder::new(Cursor::new(file), models, &options, Arc::new(())).unwrap();
    let mut all = Vec::new();
    anywhere(decoder).read_to_end(&mut all).unwrap();
    assert!(all == raw);
}

#[test]
fn errors_can_be_told_apart() {
    struct Stop;
    impl Observer for Stop {
        fn cancelled(&self) -> bool {
            true
        }
    }
    let options = DecompressOptions::default();
    let of = |file: &[u8]| {
        decompress_to_vec(file, nano(), &options)
            .unwrap_err()
            .kind()
    };
    assert_eq!(of(b"PK\x03\x04 and more"), ErrorKind::NotLmz);
    assert_eq!(of(b""), ErrorKind::InsufficientData);
    let file = packed(&raw(), &small());
    assert_eq!(of(&file[..file.len() - 1]), ErrorKind::InsufficientData);
    let stopped = decompress(&file[..], Vec::new(), nano(), &options, &Stop).unwrap_err();
    assert_eq!(stopped.kind(), ErrorKind::Cancelled);
    let mut reader = Reader::open(Cursor::new(&file), nano(), &options)
        .unwrap()
        .observed(Stop);
    let stopped = reader.read_at(0, &mut [0; 10]).unwrap_err();
    assert_eq!(stopped.kind(), ErrorKind::Cancelled);
}

#[test]
fn the_phases_are_told() {
    #[derive(Default)]
    struct Told(std::sync::Mutex<Vec<(Vec<Phase>, Option<u64>)>>);
    impl Observer for Told {
        fn begin(&self, phases: &[Phase], raw_len: Option<u64>) {
            self.0.lock().unwrap().push((phases.to_vec(), raw_len));
        }
    }
    let told = Told::default();
    let writer = Writer::new(Vec::new(), nano(), &alone(), &told).unwrap();
    writer.expect(77);
    let both = vec![Phase::Encode, Phase::Verify];
    let expected = vec![(both.clone(), None), (both, Some(77))];
    assert_eq!(*told.0.lock().unwrap(), expected);
}
