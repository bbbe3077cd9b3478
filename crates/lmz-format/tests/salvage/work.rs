//! A salvage ends, in time that is in proportion to the file.

use std::io::{self, Cursor, Read, Seek};

use lmz_format::*;
use proptest::prelude::*;

use crate::common::*;
use crate::saved::{infos, salvage};

/// There are as many numbers that a record may have as bytes before it, and thousands of places that look
/// like one: trying all would take hours.
#[test]
fn noise_behind_a_header_is_looked_through_once() {
    let (mut file, _) = member(&header(SegmentPlan::Default), &[], &[SegmentKind::Stored]);
    file.truncate(10 + usize::from(file[5]));
    file.extend(lmz_testkit::noise(16 << 20, 1));
    let saved = Salvage::open(Cursor::new(&file)).unwrap();
    assert!(!saved.parts().is_empty());
}

/// Counts what is read.
struct Counted<'a>(Cursor<&'a [u8]>, u64);

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.0.read(buffer)?;
        self.1 += n as u64;
        Ok(n)
    }
}

impl Seek for Counted<'_> {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

/// Bytes that a salvage reads, and how many parts and slots it finds.
fn work(file: &[u8]) -> (u64, usize) {
    let mut counted = Counted(Cursor::new(file), 0);
    let salvage = Salvage::open(&mut counted).unwrap();
    let slots = salvage.parts().iter().map(|part| match part {
        Part::Member(remains) => remains.slots.len(),
        Part::Rubbish(..) => 0,
    });
    let found = salvage.parts().len() + slots.sum::<usize>();
    (counted.1, found)
}

/// Twice the file takes twice the work, however many losses or members it has.
#[test]
fn the_work_is_in_proportion_to_the_file() {
    let losses = |segments: usize| {
        let raw = vec![b'x'; 16 * segments];
        let kinds = [SegmentKind::Stored];
        let (mut file, _) = member(&header(SegmentPlan::Fixed(16)), &raw, &kinds);
        let infos = infos(&file);
        let last = infos.last().unwrap();
        let end = (last.record_offset + u64::from(last.record_len)) as usize;
        // The kind of every third record, and all of the index and the footer.
        for info in infos.iter().skip(1).step_by(3) {
            file[info.record_offset as usize] = 0x55;
        }
        file[end..].fill(0x55);
        work(&file)
    };
    let members = |count: usize| {
        let (mut file, _) = small();
        let end = file.len();
        // Its footer's last byte: every other member is found by its header.
        file[end - 1] = 0;
        let (sound, _) = small();
        work(&[&file[..], &sound].concat().repeat(count))
    };
    for (few, many) in [(losses(2000), losses(4000)), (members(500), members(1000))] {
        println!("{few:?} {many:?}");
        assert!(many.1 > few.1 * 3 / 2, "{few:?} {many:?}");
        assert!(many.0 < few.0 * 5 / 2, "{few:?} {many:?}");
    }
}

#[test]
fn hostile_files_end() {
    // End magics that claim all of the file as a footer, and record headers with no end.
    let (file, _) = small();
    let mut footers = file[..60].to_vec();
    while footers.len() < 300_000 {
        footers.extend(290_000u32.to_le_bytes());
        footers.extend([0; 4]);
        footers.extend(END_MAGIC);
    }
    salvage(&footers);
    let mut records = file[..60].to_vec();
    while records.len() < 300_000 {
        records.extend([3, 16, 16, 0, 0, 0, 0, 0, 0]);
    }
    salvage(&records);
}

proptest! {
    #[test]
    fn spliced_files_end(cuts in prop::collection::vec((0usize..400, 0usize..400), 1..6)) {
        let (file, _) = small();
        let mut spliced = vec![0];
        for (a, b) in cuts {
            let (a, b) = (a.min(b).min(file.len()), a.max(b).min(file.len()));
            spliced.extend_from_slice(&file[a..b]);
        }
        let mut found = Salvage::open(Cursor::new(&spliced)).unwrap();
        for part in found.parts().to_vec() {
            if let Part::Member(remains) = part {
                for slot in remains.slots {
                    if let Slot::Found(info) = slot {
                        let _ = found.read_coded(&info);
                    }
                }
            }
        }
    }
}
