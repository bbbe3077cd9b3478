//! Members among each other and inside each other, and what lies behind the last one.

use std::io::Cursor;

use lmz_format::*;

use crate::common::*;
use crate::saved::{infos, right, salvage};

#[test]
fn members_do_not_take_each_other_along() {
    let (file, raw) = small();
    let mut note = Vec::new();
    let small_header = header(SegmentPlan::Default);
    write_small(&mut note, &small_header, b"note", Some(Payload::Stored)).unwrap();
    let footer = file.len() - 20;
    for first_damaged in [false, true] {
        for wipe_header in [false, true] {
            let mut first = file.clone();
            if first_damaged {
                first[footer..].fill(0x55);
            }
            let mut last = file.clone();
            if wipe_header {
                last[..30].fill(0x77);
            }
            let all = [&first[..], &note, &last, b"rubbish"].concat();
            let saved = salvage(&all);
            let want = [&raw[..], b"note", &raw].concat();
            assert!(saved.raw.iter().copied().eq(want.iter().copied().map(Some)));
            assert_eq!((saved.members, saved.rubbish), (3, 7));
            assert_eq!(saved.repaired, wipe_header);
        }
    }
    // Header and footer gone: nothing says what the records mean.
    let mut hopeless = file.clone();
    hopeless[..10].fill(0);
    hopeless[footer..].fill(0);
    let saved = salvage(&[&hopeless[..], &file].concat());
    assert_eq!((saved.members, saved.rubbish), (1, file.len() as u64));
}

/// A member that stores a whole `.lmz` behind 900 bytes of noise, its plan being 2000 bytes a segment.
fn holding_another() -> (Vec<u8>, Vec<u8>, Vec<SegmentInfo>) {
    let (inner, _) = small();
    let mut raw = lmz_testkit::noise(14_000, 7);
    raw[2900..2900 + inner.len()].copy_from_slice(&inner);
    let plan = SegmentPlan::fixed(2000).unwrap();
    let (file, _) = member(&header(plan), &raw, &[SegmentKind::Stored]);
    let infos = infos(&file);
    (file, raw, infos)
}

/// The file offsets of everything that is given out.
fn given_out(file: &[u8]) -> Vec<std::ops::Range<u64>> {
    let salvage = Salvage::open(Cursor::new(file)).unwrap();
    let slots = salvage.parts().iter().flat_map(|part| match part {
        Part::Member(remains) => &remains.slots[..],
        Part::Rubbish(..) => &[],
    });
    let found = slots.filter_map(|slot| match slot {
        Slot::Found(info) => {
            Some(info.record_offset..info.record_offset + u64::from(info.record_len))
        }
        Slot::Lost(_) => None,
    });
    found.collect()
}

#[test]
fn what_a_segment_holds_is_no_member_of_the_file() {
    let (file, raw, infos) = holding_another();
    let footer_at = file.len() - 60;
    let inner_end = infos[1].record_offset as usize + 11 + 900 + small().0.len();
    assert_eq!(&file[inner_end - 4..inner_end], &END_MAGIC);
    // Cut behind the inner footer, anywhere else, with and without a damaged record around the inner member.
    for cut in [inner_end, inner_end + 100, footer_at, file.len()] {
        for damaged in [None, Some(1), Some(0), Some(2)] {
            let mut left = file[..cut].to_vec();
            if let Some(number) = damaged {
                let at = infos[number].record_offset as usize + 1;
                if at + 10 > cut {
                    continue;
                }
                left[at..at + 4].fill(0xff);
            }
            let whole = |info: &&SegmentInfo| {
                info.record_offset + u64::from(info.record_len) <= cut as u64
                    && Some(info.index as usize) != damaged
            };
            let sound: u64 = infos
                .iter()
                .filter(whole)
                .map(|i| u64::from(i.raw_len))
                .sum();
            let saved = salvage(&left);
            let there = saved.raw.iter().filter(|byte| byte.is_some()).count() as u64;
            let ranges = given_out(&left);
            assert!(
                ranges.windows(2).all(|w| w[0].end <= w[1].start),
                "{ranges:?}"
            );
            if cut > inner_end + 100 || damaged != Some(1) {
                right(&saved.raw, &raw);
                assert_eq!((there, saved.members), (sound, 1), "{cut} {damaged:?}");
            }
        }
    }
}

/// Two members of the same kind, the first of which lost its end: the second one is not taken for a part of it.
#[test]
fn a_member_behind_a_lost_end_is_not_swallowed() {
    let (file, raw) = small();
    let infos = infos(&file);
    let cut = infos[2].record_offset as usize + 3;
    for (lost_footer, want) in [(0, raw.len()), (30, raw.len())] {
        let second = &file[..file.len() - lost_footer];
        let all = [&file[..cut], second].concat();
        let saved = salvage(&all);
        assert_eq!(saved.members, 2);
        let there: Vec<u8> = saved.raw.iter().flatten().copied().collect();
        assert!(
            there == [&raw[..32], &raw[..want]].concat(),
            "{lost_footer}"
        );
    }
}

/// Behind the last member, zero bytes are what a tape or a block device adds.
#[test]
fn zero_bytes_behind_the_end_are_padding() {
    let (file, raw) = small();
    let mut zeros = Vec::new();
    let brief = header(SegmentPlan::Default);
    write_small(&mut zeros, &brief, &[0; 9], Some(Payload::Stored)).unwrap();
    for (members, raw) in [
        (file.clone(), raw.clone()),
        ([&file[..], &file].concat(), [&raw[..], &raw].concat()),
        (zeros.clone(), vec![0; 9]),
        ([&file[..], &zeros].concat(), [&raw[..], &[0; 9]].concat()),
        ([&zeros[..], &file].concat(), [&[0; 9][..], &raw].concat()),
    ] {
        for padding in [0, 1, 3, 511, 200_000] {
            let padded = [&members[..], &vec![0; padding]].concat();
            assert!(decode_stream(&padded[..]).unwrap() == raw);
            assert!(decode_indexed(&padded).unwrap().0 == raw);
            let index = IndexedReader::open(Cursor::new(&padded)).unwrap();
            assert_eq!(index.padding(), padding as u64);
            let more = [&padded[..], b"x"].concat();
            assert!(decode_stream(&more[..]).is_err() && decode_indexed(&more).is_err());
            // Between members it is no padding.
            let between = [&padded[..], &members].concat();
            assert_eq!(decode_stream(&between[..]).is_ok(), padding == 0);
            assert_eq!(decode_indexed(&between).is_ok(), padding == 0, "{padding}");
        }
    }
    assert!(decode_stream(&[0; 20][..]).is_err() && decode_indexed(&[0; 20]).is_err());
}
