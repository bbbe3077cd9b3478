//! Hostile containers: every reader of `lmz-format` on the same bytes.

use std::io::{Cursor, Read};

use lmz_format::{
    ContainerBytes, Event, FormatError, IndexedReader, Part, Salvage, SegmentInfo, Slot,
    StreamReader,
};

/// Bytes as a container. No reader may panic or run away, and where they have an answer in common they
/// must agree: a stream with itself in small pieces, the index and the salvage with a sound stream.
pub fn container(bytes: &[u8]) {
    let (events, end) = stream(bytes);
    let (pieces, pieces_end) = stream(Trickle { bytes, step: 0 });
    assert_eq!(events, pieces, "a stream depends on how it arrives");
    let why = |end: &Result<(), FormatError>| end.as_ref().map_err(ToString::to_string).err();
    assert_eq!(
        why(&end),
        why(&pieces_end),
        "an error depends on how it arrives"
    );
    let sound = end.is_ok().then(|| Streamed::of(&events));
    indexed(bytes, sound.as_ref());
    salvage(bytes, sound.as_ref());
}

/// A sound file, as a stream.
struct Streamed {
    segments: Vec<(SegmentInfo, Vec<u8>)>,
    members: Vec<(u64, ContainerBytes)>,
}

impl Streamed {
    fn of(events: &[Event]) -> Self {
        let (mut segments, mut members) = (Vec::new(), Vec::new());
        for event in events {
            match event {
                Event::Segment(info, coded) => segments.push((*info, coded.clone())),
                Event::MemberEnd { raw_len, bytes, .. } => members.push((*raw_len, *bytes)),
                Event::MemberStart(_) | Event::End => {}
            }
        }
        Self { segments, members }
    }
}

fn stream(input: impl Read) -> (Vec<Event>, Result<(), FormatError>) {
    let mut reader = StreamReader::new(input);
    let mut events = Vec::new();
    loop {
        match reader.next_event() {
            Ok(Event::End) => return (events, Ok(())),
            Ok(event) => events.push(event),
            Err(error) => {
                assert!(reader.next_event().is_err(), "an error is final");
                return (events, Err(error));
            }
        }
    }
}

/// Gives 1 to 13 bytes at a time.
struct Trickle<'a> {
    bytes: &'a [u8],
    step: usize,
}

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.step += 1;
        let n = (self.step * 5 % 13 + 1).min(buffer.len());
        let (now, later) = self.bytes.split_at(n.min(self.bytes.len()));
        buffer[..now.len()].copy_from_slice(now);
        self.bytes = later;
        Ok(now.len())
    }
}

fn indexed(bytes: &[u8], sound: Option<&Streamed>) {
    let mut reader = match IndexedReader::open(Cursor::new(bytes)) {
        Ok(reader) => reader,
        Err(error) => return assert!(sound.is_none(), "a sound stream has no index: {error}"),
    };
    assert_eq!(reader.file_len(), bytes.len() as u64);
    let members = reader.members().to_vec();
    let (mut at, mut raw) = (0, 0);
    let mut segments = Vec::new();
    for (number, member) in (0..).zip(&members) {
        assert_eq!(
            (member.number, member.start, member.raw_start),
            (number, at, raw)
        );
        at += member.len;
        raw += member.raw_len;
        let mut raw_at = 0;
        for segment in 0..member.segment_count() {
            let raw_len = member.segment_raw_len(segment);
            for within in [0, raw_len - 1] {
                let found = reader.locate(member.raw_start + raw_at + within);
                let found = found.expect("a raw byte lies somewhere");
                assert_eq!(
                    (found.member, found.segment, found.within),
                    (number, segment, within)
                );
            }
            raw_at += raw_len;
            if let Ok((info, coded)) = reader.read_coded(number, segment) {
                assert_eq!(
                    (info.member, info.index, u64::from(info.raw_len)),
                    (number, segment, raw_len)
                );
                assert_eq!(coded.len() as u64, u64::from(info.coded_len));
                segments.push((info, coded));
            }
        }
        assert_eq!(raw_at, member.raw_len);
        assert!(reader.segment(number, member.segment_count()).is_err());
        if let Ok(bytes) = reader.container_bytes(number) {
            assert_eq!(bytes.total(), member.len);
        }
    }
    assert_eq!(at + reader.padding(), bytes.len() as u64);
    assert!(bytes[at as usize..].iter().all(|&byte| byte == 0));
    assert_eq!(raw, reader.raw_len());
    assert_eq!(reader.locate(raw), None);
    if let Some(sound) = sound {
        assert_eq!(segments, sound.segments, "index and stream disagree");
        let ours = members
            .iter()
            .map(|member| (member.raw_len, member.len))
            .collect::<Vec<_>>();
        let streamed = sound.members.iter();
        let streamed: Vec<_> = streamed.map(|(raw, bytes)| (*raw, bytes.total())).collect();
        assert_eq!(ours, streamed);
    }
}

fn salvage(bytes: &[u8], sound: Option<&Streamed>) {
    let mut found = match Salvage::open(Cursor::new(bytes)) {
        Ok(found) => found,
        Err(error) => return assert!(sound.is_none(), "a sound stream is refused: {error}"),
    };
    let parts = found.parts().to_vec();
    let (mut at, mut number) = (0, 0);
    let mut segments = Vec::new();
    for part in &parts {
        let range = match part {
            Part::Rubbish(range, _) => range,
            Part::Member(remains) => {
                assert_eq!(remains.number, number);
                number += 1;
                slots(&mut found, &remains.slots, &mut segments);
                &remains.file
            }
        };
        assert!(range.start == at && range.end > at, "{parts:?}");
        at = range.end;
    }
    // What is left of a sound file are the zero bytes behind its end.
    let left = &bytes[at as usize..];
    assert!(
        left.is_empty() || left.iter().all(|&byte| byte == 0),
        "{parts:?}"
    );
    assert!(once(&parts), "a byte is given out twice: {parts:?}");
    if let Some(sound) = sound {
        let rubbish = |part: &Part| matches!(part, Part::Rubbish(..));
        assert!(!parts.iter().any(rubbish), "rubbish in a sound file");
        assert_eq!(segments, sound.segments, "salvage and stream disagree");
        assert_eq!(number, sound.members.len() as u64);
    }
}

/// Whether no two records that were found overlap.
fn once(parts: &[Part]) -> bool {
    let slots = parts.iter().flat_map(|part| match part {
        Part::Member(remains) => &remains.slots[..],
        Part::Rubbish(..) => &[],
    });
    let mut end = 0;
    slots.into_iter().all(|slot| match slot {
        Slot::Found(info) => {
            let follows = info.record_offset >= end;
            end = info.record_offset + u64::from(info.record_len);
            follows
        }
        Slot::Lost(_) => true,
    })
}

/// Segments in the order of their raw bytes, none of them twice; what can be read of them.
fn slots<R: Read + std::io::Seek>(
    found: &mut Salvage<R>,
    slots: &[Slot],
    segments: &mut Vec<(SegmentInfo, Vec<u8>)>,
) {
    let mut raw = 0;
    for slot in slots {
        let (from, to) = match slot {
            Slot::Found(info) => {
                if let Ok(coded) = found.read_coded(info) {
                    segments.push((*info, coded));
                }
                (
                    info.raw_offset,
                    Some(info.raw_offset + u64::from(info.raw_len)),
                )
            }
            Slot::Lost(lost) => (lost.from, lost.to),
        };
        assert_eq!(from, raw, "{slots:?}");
        raw = to.unwrap_or(from);
        assert!(raw >= from, "{slots:?}");
    }
}
