//! The container's cost, as docs/format.md promises it.

mod common;

use common::*;
use lmz_format::*;

const PER_FILE: u64 = 160;
const PER_SEGMENT: u64 = 20;

#[test]
fn a_file_costs_at_most_160_bytes() {
    let header = header(SegmentPlan::Default);
    assert_eq!(header.model_name.len(), 9);
    let mut costs = Vec::new();
    for len in [0, 1, 100_000, 5_000_000] {
        let (file, summary) = member(&header, &vec![0; len], &[SegmentKind::Stored]);
        let segments = summary.bytes.per_segment() + summary.bytes.coded;
        assert_eq!(summary.bytes.fixed(), file.len() as u64 - segments);
        costs.push(summary.bytes.fixed());
    }
    // The two varints of lengths grow with the file: to 10 and 9 bytes at the very most.
    let largest = costs[0] - 2 + 10 + 9;
    println!("container bytes by length: {costs:?}, at most {largest}");
    assert!(costs.iter().all(|c| *c <= largest));
    assert!(largest <= PER_FILE);
}

#[test]
fn larger_segments_cost_little_more() {
    for (len, most) in [(128 << 10, 21), (256 << 10, 21), (MAX_SEGMENT_LEN, 25)] {
        let raw = vec![0; len as usize];
        let mut writer = Writer::new(std::io::sink(), &header(SegmentPlan::Fixed(len))).unwrap();
        let payload = Payload::Model {
            coded: &raw,
            ideal_bits: u64::from(len) * 8 * 256,
        };
        writer.segment(&raw, payload).unwrap();
        let (_, summary) = writer.finish().unwrap();
        assert_eq!(summary.bytes.per_segment(), most);
    }
}

#[test]
fn a_segment_costs_at_most_20_bytes_beside_its_coded_ones() {
    let header = header(SegmentPlan::Fixed(65536));
    let raw = vec![0; 65536];
    // The worst: coded bytes as many as raw ones (and ideal bits to match), of every kind.
    for (coded, ideal_bits) in [(65536, 65536 * 8 * 256), (20_000, 20_000 * 8 * 256), (0, 0)] {
        let coded = &raw[..coded];
        for payload in [
            Payload::Model { coded, ideal_bits },
            Payload::Zstd(coded),
            Payload::Stored,
        ] {
            let mut writer = Writer::new(Vec::new(), &header).unwrap();
            for _ in 0..3 {
                writer.segment(&raw, payload).unwrap();
            }
            let (_, summary) = writer.finish().unwrap();
            assert!(
                summary.bytes.per_segment() <= 3 * PER_SEGMENT,
                "{summary:?}"
            );
        }
    }
}
