//! What a build keeps on disk: sorted records, files that are whole or not there, the work directory.

mod atomic;
mod merged;
mod records;
mod sorter;
mod work;

pub use atomic::{Atomic, write_whole};
pub use merged::{Merged, merge_files};
pub use records::{RecordReader, RecordWriter};
pub use sorter::Sorter;
pub use work::{Pack, Unpack, Work};
