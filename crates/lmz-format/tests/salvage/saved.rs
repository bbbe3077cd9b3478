//! What is saved of a file, by the toy codec.

use std::io::Cursor;

use lmz_format::*;

use crate::common::*;

/// What a salvage gives: for each member the raw bytes with lost ones as `None`, and the losses.
pub struct Saved {
    pub raw: Vec<Option<u8>>,
    pub lost: Vec<Lost>,
    pub rubbish: u64,
    pub members: usize,
    pub repaired: bool,
}

pub fn salvage(file: &[u8]) -> Saved {
    let mut salvage = Salvage::open(Cursor::new(file)).unwrap();
    let mut saved = Saved {
        raw: Vec::new(),
        lost: Vec::new(),
        rubbish: 0,
        members: 0,
        repaired: false,
    };
    let mut at = 0;
    for part in salvage.parts().to_vec() {
        let remains = match part {
            Part::Rubbish(range, _) => {
                assert_eq!(range.start, at);
                at = range.end;
                saved.rubbish += range.end - range.start;
                continue;
            }
            Part::Member(remains) => remains,
        };
        assert_eq!(
            (remains.file.start, remains.number),
            (at, saved.members as u64)
        );
        at = remains.file.end;
        saved.members += 1;
        saved.repaired |= remains.repaired;
        let start = saved.raw.len();
        for slot in &remains.slots {
            let offset = (saved.raw.len() - start) as u64;
            match slot {
                Slot::Lost(lost) => {
                    assert_eq!(lost.from, offset);
                    saved.lost.push(lost.clone());
                    let len = lost.to.map_or(0, |to| to - lost.from);
                    saved.raw.resize(saved.raw.len() + len as usize, None);
                }
                Slot::Found(info) => {
                    assert_eq!(info.raw_offset, offset);
                    let coded = salvage.read_coded(info).unwrap_or_default();
                    let raw = toy_code(info.kind, &coded);
                    match info.check_raw(&raw) {
                        Ok(()) => saved.raw.extend(raw.into_iter().map(Some)),
                        Err(error) => {
                            let (from, to) = (offset, offset + u64::from(info.raw_len));
                            saved.raw.resize(start + to as usize, None);
                            saved.lost.push(Lost {
                                member: remains.number,
                                from,
                                to: Some(to),
                                file: 0..0,
                                why: error.to_string(),
                            });
                        }
                    }
                }
            }
        }
        if let Some(len) = remains.raw_len {
            assert_eq!((saved.raw.len() - start) as u64, len);
        }
    }
    assert_eq!(at, file.len() as u64);
    saved
}

/// Everything that was saved stands where it stood.
pub fn right(saved: &[Option<u8>], raw: &[u8]) {
    for (at, (found, byte)) in saved.iter().zip(raw).enumerate() {
        assert!(found.is_none_or(|found| found == *byte), "byte {at}");
    }
}

pub fn infos(file: &[u8]) -> Vec<SegmentInfo> {
    let mut reader = IndexedReader::open(Cursor::new(file)).unwrap();
    let infos = reader.segments(0).map(|info| info.unwrap());
    infos.collect()
}
