//! What a build keeps on disk: sorted records, files that are whole or not there, the work directory.

mod atomic;
mod records;
mod sorter;
mod work;

pub use atomic::{Atomic, write_whole};
pub use records::{RecordReader, RecordWriter, merge_files};
pub use sorter::{Merged, Sorter};
pub use work::{Pack, Unpack, Work};
