//! How much there is to do.

use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use lmz_codec::SegmentPlan;
use lmz_format::{IndexedReader, MAGIC};

/// Bytes of text that a compressed one stands for, about.
const TEXT_PER_PACKED: u64 = 4;
/// Most files whose index is read to know how much text is in them.
const MOST_READ: usize = 64;
/// Segments beyond which more of them make nothing faster.
const MOST_LANES: u32 = 256;

/// What is to be done with files.
#[derive(Clone, Debug)]
pub struct Work {
    /// The files; none if there is a stream among them, whose length nobody knows.
    pub files: Option<Vec<PathBuf>>,
    /// What is done with them.
    pub task: Task,
}

/// What is done with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Compressing; what is an `.lmz` file already is decoded all the same, as `verify` and `inspect` do.
    Compress {
        /// Whether each segment is decoded again.
        verify: bool,
        /// How the file is cut.
        plan: SegmentPlan,
    },
    /// Restoring.
    Decompress,
}

impl Work {
    /// How much text there is; none if that is not known.
    pub fn text(&self) -> Option<Text> {
        let files = self.files.as_deref()?;
        let mut text = Text::default();
        let look = files.len() <= MOST_READ;
        for path in files {
            let (len, packed) = size(path, look)?;
            match self.task {
                Task::Compress { verify, plan } if !packed => text.add(len, true, verify, plan),
                // Of what is packed already, `verify` and `inspect` are asked.
                _ => text.add(len, false, true, SegmentPlan::Default),
            }
        }
        Some(text)
    }
}

/// The bytes of text in a file, about, and whether they are compressed.
fn size(path: &Path, look: bool) -> Option<(u64, bool)> {
    // Opening a named pipe would wait for its writer, or end what it has to say.
    let meta = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    let mut file = File::open(path).ok()?;
    let mut start = [0; MAGIC.len()];
    let packed = file.read_exact(&mut start).is_ok() && start == MAGIC;
    if !packed {
        return Some((meta.len(), false));
    }
    let index = look.then(|| IndexedReader::open(BufReader::new(file)).ok());
    let len = match index.flatten() {
        Some(index) => index.raw_len(),
        None => meta.len().saturating_mul(TEXT_PER_PACKED),
    };
    Some((len, true))
}

/// Bytes of text that go through a model, and how many segments there are at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// Bytes that are encoded.
    pub encoding: u64,
    /// Bytes that are decoded, to check them or to restore them.
    pub decoding: u64,
    /// Segments at once, rounded down to a power of four.
    pub lanes: u32,
}

impl Text {
    /// Adds a file of `len` bytes of text.
    pub fn add(&mut self, len: u64, encoded: bool, decoded: bool, plan: SegmentPlan) {
        let counted = |counts: bool| if counts { len } else { 0 };
        self.encoding = self.encoding.saturating_add(counted(encoded));
        self.decoding = self.decoding.saturating_add(counted(decoded));
        self.lanes = self.lanes.max(lanes(len, plan));
    }
}

/// The power of four below the number of segments.
fn lanes(len: u64, plan: SegmentPlan) -> u32 {
    let (mut segments, mut offset) = (0u32, 0u64);
    while offset < len && segments < MOST_LANES {
        offset = offset.saturating_add(plan.size_at(offset).max(1));
        segments += 1;
    }
    4u32.pow(segments.max(1).ilog2() / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(task: Task, paths: &[&PathBuf]) -> Option<Text> {
        let files = Some(paths.iter().map(|path| path.to_path_buf()).collect());
        Work { files, task }.text()
    }

    fn compress(verify: bool) -> Task {
        let plan = SegmentPlan::Fixed(100);
        Task::Compress { verify, plan }
    }

    #[test]
    fn work_is_known_from_files_alone() {
        let place = tempfile::tempdir().unwrap();
        let plain = place.path().join("plain");
        let packed = place.path().join("packed.lmz");
        let raw = "how much wood would a woodchuck chuck? ".repeat(50);
        fs::write(&plain, &raw).unwrap();
        let mut out = Vec::new();
        let model = crate::embedded_model().unwrap();
        let options = lmz_codec::CompressOptions::default();
        lmz_codec::compress(raw.as_bytes(), &mut out, &model, &options, &()).unwrap();
        fs::write(&packed, &out).unwrap();
        let len = raw.len() as u64;
        let of = |encoding, decoding, lanes| {
            Some(Text {
                encoding,
                decoding,
                lanes,
            })
        };
        assert_eq!(text(compress(true), &[&plain]), of(len, len, 16));
        assert_eq!(text(compress(false), &[&plain]), of(len, 0, 16));
        // What a compressed file holds stands in its index.
        assert_eq!(text(Task::Decompress, &[&packed]), of(0, len, 1));
        assert_eq!(
            text(compress(true), &[&plain, &packed]),
            of(len, 2 * len, 16)
        );
        // A file that only begins like one is guessed from its size.
        fs::write(&packed, &out[..out.len() / 2]).unwrap();
        let guess = out.len() as u64 / 2 * TEXT_PER_PACKED;
        assert_eq!(text(Task::Decompress, &[&packed]), of(0, guess, 1));
    }

    #[test]
    fn what_is_no_file_is_not_opened() {
        let place = tempfile::tempdir().unwrap();
        let missing = place.path().join("missing");
        let directory = place.path().to_path_buf();
        assert_eq!(text(compress(true), &[&missing]), None);
        assert_eq!(text(compress(true), &[&directory]), None);
        let pipe = place.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        if made.is_ok_and(|status| status.success()) {
            // Opening it would wait for a writer.
            assert_eq!(text(compress(true), &[&pipe]), None);
        }
        let task = compress(true);
        assert_eq!(Work { files: None, task }.text(), None);
    }

    #[test]
    fn lanes_are_counted_by_the_plan() {
        for (len, plan, expected) in [
            (0, SegmentPlan::Default, 1),
            (1 << 16, SegmentPlan::Default, 1),
            (1 << 20, SegmentPlan::Default, 16),
            (u64::MAX, SegmentPlan::Default, 256),
            (15 * 1000, SegmentPlan::Fixed(1000), 4),
            (16 * 1000, SegmentPlan::Fixed(1000), 16),
        ] {
            assert_eq!(lanes(len, plan), expected, "{len} {plan:?}");
        }
    }
}
