//! Lengths that a file claims cost no memory until the bytes arrive.

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::Cursor;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use common::*;
use lmz_format::*;

struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is passed on to the system allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Relaxed) + layout.size();
        PEAK.fetch_max(now, Relaxed);
        // SAFETY: the caller keeps the contract of `GlobalAlloc::alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller keeps the contract of `GlobalAlloc::dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn peak_of<T>(run: impl FnOnce() -> T) -> (usize, T) {
    let before = NOW.load(Relaxed);
    PEAK.store(before, Relaxed);
    let out = run();
    (PEAK.load(Relaxed) - before, out)
}

/// One test alone in this file: the allocator counts for all threads.
#[test]
fn absurd_lengths_do_not_allocate() {
    const LIMIT: usize = 512 << 10;
    let header = header(SegmentPlan::Fixed(MAX_SEGMENT_LEN));

    // The counter works: 64 MiB that are there are seen.
    let raw = vec![7; MAX_SEGMENT_LEN as usize];
    let (whole, _) = member(&header, &raw, &[SegmentKind::Stored]);
    drop(raw);
    let (peak, _) = peak_of(|| decode_stream(&whole[..]).unwrap());
    assert!(peak >= MAX_SEGMENT_LEN as usize);

    // 64 MiB that are claimed and not there: a truncated segment.
    let cut = whole[..1000].to_vec();
    drop(whole);
    let (peak, failure) = peak_of(|| decode_stream(&cut[..]).unwrap_err());
    assert_eq!(failure.kind(), ErrorKind::InsufficientData);
    assert!(peak < LIMIT, "{peak}");
    let (peak, _) = peak_of(|| decode_indexed(&cut).unwrap_err());
    assert!(peak < LIMIT, "{peak}");

    // Footers that claim absurd lengths, counts and record sizes, with a right checksum.
    let body = &cut[4..6 + usize::from(cut[5])];
    for (raw_len, count, index) in [
        (u64::MAX, 1 << 38, vec![]),
        (u64::MAX, u64::MAX, vec![]),
        (1 << 40, 1 << 14, varint(1000)),
        (1, 1, varint(u64::MAX)),
        (1 << 27, 2, [varint(u64::MAX), varint(9)].concat()),
        (1, 1, varint(u64::from(u32::MAX))),
    ] {
        let mut file = body.to_vec();
        file.extend([0; 16]);
        file.extend(varint(raw_len));
        file.extend(varint(count));
        file.extend(index);
        file.extend((file.len() as u32).to_le_bytes());
        file.extend(crc32fast::hash(&file).to_le_bytes());
        file.extend(END_MAGIC);
        // Alone, and behind a header, where the file is one of lmz.
        let behind = [&cut[..6 + usize::from(cut[5])], &file].concat();
        for (file, kind) in [(file, ErrorKind::NotLmz), (behind, ErrorKind::Corruption)] {
            let (peak, result) = peak_of(|| IndexedReader::open(Cursor::new(&file)).map(|_| ()));
            assert_eq!(result.unwrap_err().kind(), kind);
            assert!(peak < LIMIT, "{peak}");
        }
    }

    // A footer longer than any file.
    let file = [&u32::MAX.to_le_bytes()[..], &[0; 4], &END_MAGIC].concat();
    let (peak, result) = peak_of(|| IndexedReader::open(Cursor::new(&file)).map(|_| ()));
    assert_eq!(result.unwrap_err().kind(), ErrorKind::NotLmz);
    assert!(peak < LIMIT, "{peak}");
}
