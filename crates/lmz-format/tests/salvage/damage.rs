//! What each kind of damage costs.

use std::io::Cursor;

use lmz_format::*;

use crate::common::*;
use crate::saved::{infos, right, salvage};

#[test]
fn a_sound_file_loses_nothing() {
    let (file, raw) = small();
    for (file, raw, members) in [
        (file.clone(), raw.clone(), 1),
        ([&file[..], &file].concat(), [&raw[..], &raw].concat(), 2),
    ] {
        let saved = salvage(&file);
        assert!(saved.raw.iter().copied().eq(raw.iter().copied().map(Some)));
        assert_eq!((saved.lost.len(), saved.rubbish), (0, 0));
        assert_eq!(saved.members, members);
    }
}

#[test]
fn any_changed_byte_costs_one_segment_at_most() {
    let (file, raw) = small();
    for at in 0..file.len() {
        for change in [0x01, 0x80, 0xff] {
            let mut damaged = file.clone();
            damaged[at] ^= change;
            let saved = salvage(&damaged);
            right(&saved.raw, &raw);
            let missing = saved.raw.iter().filter(|byte| byte.is_none()).count();
            assert!(missing <= 16, "{at}: {missing}");
            assert_eq!((saved.raw.len(), saved.members), (raw.len(), 1), "{at}");
            assert_eq!(saved.lost.len(), usize::from(missing > 0), "{at}");
        }
    }
}

#[test]
fn without_footer_records_are_found_behind_damage() {
    let (file, raw) = small();
    let infos = infos(&file);
    let footer_at = infos
        .last()
        .map(|i| i.record_offset as usize + i.record_len as usize);
    let cut = &file[..footer_at.unwrap() + 40];
    // Nothing else is wrong.
    let saved = salvage(cut);
    assert_eq!((saved.raw.len(), saved.lost.len()), (raw.len(), 0));
    for (n, info) in infos.iter().enumerate() {
        for at in info.record_offset..info.record_offset + u64::from(info.record_len) {
            let mut damaged = cut.to_vec();
            damaged[at as usize] ^= 0x11;
            let saved = salvage(&damaged);
            right(&saved.raw, &raw);
            let [lost] = &saved.lost[..] else {
                panic!("{n} {at}: {:?}", saved.lost)
            };
            assert_eq!(lost.from, info.raw_offset, "{at}");
            if n + 1 < infos.len() {
                let end = info.raw_offset + u64::from(info.raw_len);
                assert_eq!((lost.to, saved.raw.len()), (Some(end), raw.len()), "{at}");
            }
        }
    }
}

#[test]
fn bytes_that_vanished_or_slipped_in_cost_what_they_hit() {
    let (file, raw) = small();
    let infos = infos(&file);
    let second = infos[1].record_offset as usize;
    // Two records and a half are gone, and with them the index's offsets.
    let third = infos[3].record_offset as usize;
    let gone = [&file[..second + 5], &file[third + 9..]].concat();
    let saved = salvage(&gone);
    right(&saved.raw, &raw);
    assert_eq!(saved.raw[..16].iter().filter(|b| b.is_some()).count(), 16);
    let more = [&file[..second], &[0xaa; 33], &file[second..]].concat();
    let saved = salvage(&more);
    right(&saved.raw, &raw);
    assert!(
        saved.lost.is_empty() && saved.raw.len() == raw.len(),
        "{:?}",
        saved.lost
    );
}

#[test]
fn every_cut_is_restored_as_far_as_it_goes() {
    let (file, raw) = small();
    let infos = infos(&file);
    let header = infos[0].record_offset as usize;
    for len in 1..file.len() {
        let saved = salvage(&file[..len]);
        right(&saved.raw, &raw);
        if len < header {
            assert_eq!((saved.members, saved.rubbish), (0, len as u64));
            continue;
        }
        let whole = infos
            .iter()
            .filter(|i| i.record_offset + u64::from(i.record_len) <= len as u64);
        let bytes: u64 = whole.clone().map(|i| u64::from(i.raw_len)).sum();
        let there = saved.raw.iter().filter(|byte| byte.is_some()).count() as u64;
        assert_eq!(there, bytes, "{len}");
        let all = whole.count() == infos.len();
        assert_eq!(saved.lost.is_empty(), all, "{len}: {:?}", saved.lost);
        if !all {
            assert!(saved.lost.iter().any(|lost| lost.from == bytes));
        }
    }
}

#[test]
fn an_empty_input_and_another_version_are_errors() {
    let error = Salvage::open(Cursor::new(b"")).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::InsufficientData);
    let saved = salvage(b"this was never compressed");
    assert_eq!((saved.members, saved.rubbish), (0, 25));
}

/// Without a sound footer the hash may still be there to be compared.
#[test]
fn the_hash_of_a_damaged_footer_is_found() {
    let (file, raw) = small();
    for (cut, want) in [(3, true), (8, true), (70, false)] {
        let salvage = Salvage::open(Cursor::new(&file[..file.len() - cut])).unwrap();
        let [Part::Member(remains)] = salvage.parts() else {
            panic!("{:?}", salvage.parts())
        };
        assert_eq!(remains.raw_hash, None);
        let right = remains
            .likely_hash
            .is_some_and(|hash| hash.agrees_with(RawHash::of(&raw)));
        assert_eq!(right, want, "{cut}");
    }
}
