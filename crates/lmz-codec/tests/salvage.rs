//! Damaged files give what is left of them, and say what is not.
#![allow(missing_docs)]

mod common;

use std::io::Cursor;

use common::{nano, noise, packed, small, text};
use lmz_codec::{
    DecompressOptions, Fill, MAX_WRITTEN_ZEROS, SalvageReport, Salvaging, salvage, write_zeros,
};
use lmz_format::{IndexedReader, SegmentInfo, SegmentKind};

fn raw() -> Vec<u8> {
    [&text()[..500], &noise(250), &text()[500..900]].concat()
}

fn infos(file: &[u8]) -> Vec<SegmentInfo> {
    let mut index = IndexedReader::open(Cursor::new(file)).unwrap();
    index.segments(0).map(|info| info.unwrap()).collect()
}

fn save(file: &[u8], fill: Fill) -> (Vec<u8>, SalvageReport) {
    let mut out = Vec::new();
    let options = DecompressOptions {
        threads: 2,
        ..Default::default()
    };
    let report = salvage(Cursor::new(file), &mut out, nano(), &options, fill, &()).unwrap();
    assert_eq!(out.len() as u64, report.restored + report.filled);
    (out, report)
}

#[test]
fn each_damaged_segment_costs_itself_and_is_named_exactly() {
    let raw = raw();
    let file = packed(&raw, &small());
    assert!(save(&file, Fill::Zero).1.is_whole());
    let infos = infos(&file);
    for hit in [vec![0], vec![1], vec![2, 4], vec![1, 2], vec![5]] {
        for in_header in [false, true] {
            let mut damaged = file.clone();
            for &n in &hit {
                let info: &SegmentInfo = &infos[n];
                let head = (info.record_len - info.coded_len) as u64;
                let at = info.record_offset + if in_header { 2 } else { head + 3 };
                damaged[at as usize] ^= 0x5a;
            }
            let lost = |at: usize| hit.contains(&(at / 200));
            let (zeroed, report) = save(&damaged, Fill::Zero);
            let want: Vec<u8> = (raw.iter().enumerate())
                .map(|(at, byte)| if lost(at) { 0 } else { *byte })
                .collect();
            assert!(zeroed == want, "{hit:?}");
            let bytes: u64 = report.lost.iter().map(|l| l.to.unwrap() - l.from).sum();
            assert_eq!(
                (bytes, report.filled),
                (raw.len() as u64 - report.restored, bytes)
            );
            assert!(
                report
                    .lost
                    .iter()
                    .all(|l| l.from % 200 == 0 && lost(l.from as usize))
            );
            let (skipped, report) = save(&damaged, Fill::Skip);
            let want: Vec<u8> = (raw.iter().enumerate())
                .filter(|(at, _)| !lost(*at))
                .map(|(_, byte)| *byte)
                .collect();
            assert!(skipped == want && report.filled == 0, "{hit:?}");
        }
    }
}

#[test]
fn cut_files_are_restored_as_far_as_they_go() {
    let raw = raw();
    let file = packed(&raw, &small());
    let infos = infos(&file);
    for cut in (infos[0].record_offset as usize..file.len()).step_by(7) {
        let (out, report) = save(&file[..cut], Fill::Zero);
        let whole = infos
            .iter()
            .filter(|i| i.record_offset + u64::from(i.record_len) <= cut as u64);
        let bytes: u64 = whole.map(|i| u64::from(i.raw_len)).sum();
        assert!(report.restored == bytes && raw.starts_with(&out[..bytes as usize]));
        assert_eq!(report.lost.is_empty(), bytes == raw.len() as u64, "{cut}");
        if let Some(first) = report.lost.first() {
            assert_eq!(first.from, bytes);
        }
    }
}

#[test]
fn members_are_counted_on() {
    let raw = raw();
    let one = packed(&raw, &small());
    let note = packed(b"a note", &Default::default());
    let mut bad = one.clone();
    let hit = infos(&one)[3];
    bad[hit.record_offset as usize + 3] ^= 1;
    let file = [&one[..], &note, &bad, b"rubbish at the end"].concat();
    let (out, report) = save(&file, Fill::Zero);
    let before = (raw.len() + 6) as u64;
    let [lost] = &report.lost[..] else {
        panic!("{report:?}")
    };
    assert_eq!(
        (lost.from, lost.to, lost.member),
        (before + 600, Some(before + 800), 2)
    );
    assert_eq!(out.len() as u64, before + raw.len() as u64);
    assert_eq!((report.members, report.rubbish.len()), (3, 1));
    assert!(!report.is_whole() && report.rubbish[0].0.end == file.len() as u64);
}

#[test]
fn a_repaired_file_is_whole() {
    let raw = raw();
    let file = packed(&raw, &small());
    for at in [9, file.len() - 14] {
        let mut damaged = file.clone();
        damaged[at] ^= 0xff;
        let (out, report) = save(&damaged, Fill::Zero);
        assert!(
            out == raw && report.repaired && report.is_whole(),
            "{at}: {report:?}"
        );
    }
}

/// Without its footer's hash all that is known of a member is that its segments are sound.
#[test]
fn a_hash_that_is_lost_is_told() {
    let raw = raw();
    let file = packed(&raw, &small());
    for cut in [file.len() - 1, file.len() - 70] {
        let (out, report) = save(&file[..cut], Fill::Zero);
        assert!(out == raw && report.lost.is_empty(), "{cut}: {report:?}");
        // One byte less leaves the hash, 70 do not.
        let compared = cut == file.len() - 1;
        assert_eq!(report.is_whole(), compared, "{cut}");
        assert_eq!(report.unhashed.is_empty(), compared);
    }
}

/// What no missing byte could change is given out on demand, and no more: at every cut it is a beginning of the text.
#[test]
fn the_beginning_of_a_cut_segment_is_right() {
    // Prose: the beginning, title and blanks, zstd would keep.
    let raw = &text()[2000..2400];
    let options = lmz_codec::CompressOptions {
        plan: lmz_codec::SegmentPlan::fixed(4000).unwrap(),
        ..small()
    };
    let file = packed(raw, &options);
    let coded = coded_bytes(&file, SegmentKind::Model);
    let mut most = 0;
    for cut in coded.step_by(5) {
        let (out, report) = unverified(&file[..cut]);
        assert!(raw.starts_with(&out), "{cut}");
        assert_eq!((report.restored, report.is_whole()), (0, false));
        assert_eq!(report.is_nothing(), out.is_empty());
        assert!(out.len() >= most, "{cut}: more bytes say less");
        most = out.len();
    }
    assert!(most > 300, "{most}");
}

/// The same of a group, whose symbols are coded in rounds of several blocks: what the first block says is given out, and of
/// later rounds what follows it.
#[test]
fn the_beginning_of_a_cut_group_is_right() {
    let raw = &text()[2000..4000];
    for lanes in [1, 3] {
        let options = lmz_codec::CompressOptions {
            plan: lmz_codec::SegmentPlan::fixed(1 << 20).unwrap(),
            mix: lmz_codec::Mix::Auto,
            lanes: Some(lanes),
            ..small()
        };
        let file = packed(raw, &options);
        let coded = coded_bytes(&file, SegmentKind::Mixed);
        let mut most = 0;
        let mut lengths = Vec::new();
        for cut in coded.step_by(29) {
            let (out, report) = unverified(&file[..cut]);
            assert!(raw.starts_with(&out), "{lanes} {cut}");
            assert_eq!((report.restored, report.is_whole()), (0, false));
            assert_eq!(report.is_nothing(), out.is_empty());
            assert!(out.len() >= most, "{lanes} {cut}: more bytes say less");
            most = out.len();
            lengths.push(out.len());
        }
        assert!(most > 1500, "{lanes}: {most}");
        lengths.dedup();
        assert!(lengths.len() > 20, "{lanes}: {lengths:?}");
    }
}

/// What contexts code without the model is given out too, to the byte.
#[test]
fn the_beginning_of_cut_bytes_is_right() {
    let raw: Vec<u8> = (0..1500u32).flat_map(|i| (i * i).to_le_bytes()).collect();
    let options = lmz_codec::CompressOptions::default();
    let file = packed(&raw, &options);
    let coded = coded_bytes(&file, SegmentKind::Mixed);
    let mut most = 0;
    for cut in coded.step_by(101) {
        let (out, report) = unverified(&file[..cut]);
        assert!(raw.starts_with(&out), "{cut}");
        assert!(out.len() >= most, "{cut}: more bytes say less");
        assert_eq!(report.lost.len(), 1);
        most = out.len();
    }
    assert!(most > 5000, "{most}");
}

/// What a salvage that leaves lost bytes out gives with unverified ones.
fn unverified(file: &[u8]) -> (Vec<u8>, SalvageReport) {
    let how = Salvaging {
        fill: Fill::Skip,
        unverified: true,
    };
    let mut out = Vec::new();
    let options = DecompressOptions::default();
    let report = salvage(Cursor::new(file), &mut out, nano(), &options, how, &()).unwrap();
    (out, report)
}

/// Where the coded bytes of a file's one segment lie, which is of this kind.
fn coded_bytes(file: &[u8], kind: SegmentKind) -> std::ops::Range<usize> {
    let mut index = IndexedReader::open(Cursor::new(file)).unwrap();
    let info = index.segment(0, 0).unwrap();
    assert_eq!(info.kind, kind);
    let end = (info.record_offset + u64::from(info.record_len)) as usize;
    end - info.coded_len as usize..end
}

#[test]
fn zeros_are_bounded_and_not_written_for_nothing() {
    assert!(write_zeros(&mut Vec::new(), 10, MAX_WRITTEN_ZEROS).is_ok());
    let error = write_zeros(&mut Vec::new(), 10, MAX_WRITTEN_ZEROS + 1).unwrap_err();
    assert!(error.to_string().contains("--fill skip"), "{error}");
    let raw = raw();
    let mut file = packed(&raw, &small());
    for info in infos(&file) {
        file[info.record_offset as usize + 1] ^= 0x5a;
    }
    let (out, report) = save(&file, Fill::Zero);
    assert!(out.is_empty() && report.is_nothing() && !report.lost.is_empty());
}
