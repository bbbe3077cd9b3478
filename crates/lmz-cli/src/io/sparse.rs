//! Blocks of zero bytes as holes of a file.

use std::io::{self, Seek, SeekFrom, Write};

/// Bytes of a block: what file systems keep or leave out.
const BLOCK: usize = 4096;

/// A file that can be given its length.
pub trait Lengthen: Write + Seek {
    /// Makes it end at `len`.
    ///
    /// # Errors
    /// Those of the operating system.
    fn end_at(&mut self, len: u64) -> io::Result<()>;
}

/// Writes a new file and leaves out what is zero in it.
pub struct Sparse<W> {
    file: W,
    /// Whether zero bytes that come as such are left out.
    looks: bool,
    /// Where the next byte goes, and how many bytes before it are a hole that was not yet passed over.
    at: u64,
    hole: u64,
}

impl<W: Lengthen> Sparse<W> {
    /// At the beginning of an empty file.
    pub fn new(file: W, looks: bool) -> Self {
        Self {
            file,
            looks,
            at: 0,
            hole: 0,
        }
    }

    /// Goes on `len` zero bytes later.
    pub fn leave_out(&mut self, len: u64) {
        self.at = self.at.saturating_add(len);
        self.hole = self.hole.saturating_add(len);
    }

    /// Gives the file its length, if it ends in a hole.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn finish(&mut self) -> io::Result<&mut W> {
        if self.hole > 0 {
            self.file.end_at(self.at)?;
        }
        Ok(&mut self.file)
    }

    fn pass_over(&mut self) -> io::Result<()> {
        if self.hole > 0 {
            let by = i64::try_from(self.hole).map_err(|_| io::ErrorKind::FileTooLarge)?;
            self.file.seek(SeekFrom::Current(by))?;
            self.hole = 0;
        }
        Ok(())
    }
}

/// How many bytes at the front are whole blocks of zeros, or else how many come before the next such block;
/// `at` is where they begin in the file.
fn run(bytes: &[u8], at: u64) -> (usize, bool) {
    let zero = |block: &[u8]| block.len() == BLOCK && block.iter().all(|&byte| byte == 0);
    let first = (BLOCK - (at % BLOCK as u64) as usize) % BLOCK;
    let first = first.min(bytes.len());
    let blocks = bytes[first..].chunks(BLOCK);
    let wanted = first == 0 && blocks.clone().next().is_some_and(zero);
    let len: usize = blocks
        .take_while(|block| zero(block) == wanted)
        .map(<[u8]>::len)
        .sum();
    (first + len, wanted)
}

impl<W: Lengthen> Write for Sparse<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (mut len, zeros) = match self.looks {
            true => run(bytes, self.at),
            false => (bytes.len(), false),
        };
        if zeros {
            self.leave_out(len as u64);
        } else {
            self.pass_over()?;
            len = self.file.write(&bytes[..len])?;
            self.at += len as u64;
        }
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Lengthen for io::Cursor<Vec<u8>> {
        fn end_at(&mut self, len: u64) -> io::Result<()> {
            self.get_mut().resize(len as usize, 0);
            Ok(())
        }
    }

    /// Whatever pieces they come in, the bytes are the same; and what is zero was not written.
    #[test]
    fn zeros_are_left_out_and_read_as_before() {
        let mut raw = vec![7u8; 5000];
        raw.resize(5000 + 50_000, 0);
        raw.extend([8; 100]);
        // Up to the end of a block: of a part of one nothing is left out.
        raw.resize(16 * BLOCK, 0);
        for piece in [1, 100, 4096, 10_000, raw.len()] {
            let mut sparse = Sparse::new(io::Cursor::new(Vec::new()), true);
            for bytes in raw.chunks(piece) {
                sparse.write_all(bytes).unwrap();
            }
            let ends_in_hole = sparse.hole;
            assert!(sparse.finish().unwrap().get_ref() == &raw, "{piece}");
            assert_eq!(ends_in_hole > 0, piece >= BLOCK, "{piece}");
        }
        let mut sparse = Sparse::new(io::Cursor::new(Vec::new()), false);
        sparse.write_all(b"a").unwrap();
        sparse.leave_out(70);
        sparse.write_all(b"b").unwrap();
        sparse.leave_out(1);
        let file = sparse.finish().unwrap().get_ref().clone();
        assert_eq!(
            (file.len(), file[0], file[71], file[72]),
            (73, b'a', b'b', 0)
        );
    }
}
