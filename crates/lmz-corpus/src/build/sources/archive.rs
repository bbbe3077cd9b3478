//! Tar archives from strangers: nothing is written anywhere, links are not followed, and sizes are bounded.

use std::io::{self, BufReader, Read};
use std::path::Path;

use super::super::counts::Counts;
use crate::error::Result;

/// Longest name, and longest block of extended headers, in bytes.
const MAX_NAME: u64 = 1 << 16;
/// Most entries of an archive.
const MAX_ENTRIES: u64 = 10_000_000;

/// A file of an archive.
pub struct Member<'a> {
    /// Its path within the archive, without `.` parts.
    pub path: String,
    /// How long it says that it is.
    pub size: u64,
    body: &'a mut dyn Read,
}

impl Member<'_> {
    /// Its bytes; `None` if they are more than `most`.
    ///
    /// # Errors
    /// The archive ends within it.
    pub fn read(self, most: u64) -> io::Result<Option<Vec<u8>>> {
        if self.size > most {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        self.body.take(most).read_to_end(&mut bytes)?;
        match bytes.len() as u64 == self.size {
            true => Ok(Some(bytes)),
            false => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

/// What a walk over an archive is told.
pub enum Walk {
    /// Go on.
    On,
    /// That was all that is wanted.
    Enough,
}

/// Calls `each` for the regular files of an archive, in its order. `comment` is given what a global header has for a comment:
/// archives of git name their commit there. An archive that breaks off is counted, and what came before was given.
///
/// # Errors
/// Those of `each` alone.
pub fn walk(
    input: impl Read,
    counts: &mut Counts,
    comment: &mut dyn FnMut(&str),
    each: &mut dyn FnMut(Member<'_>, &mut Counts) -> Result<Walk>,
) -> Result<()> {
    let mut archive = tar::Archive::new(input);
    let Ok(entries) = archive.entries() else {
        counts.one("broken: archive");
        return Ok(());
    };
    let mut long_name: Option<String> = None;
    let mut seen = 0;
    for entry in entries.raw(true) {
        seen += 1;
        let Ok(mut entry) = entry else {
            counts.one("broken: archive");
            return Ok(());
        };
        if seen > MAX_ENTRIES {
            counts.one("broken: archive");
            return Ok(());
        }
        let size = entry.size();
        let kind = entry.header().entry_type();
        if kind.is_pax_local_extensions()
            || kind.is_pax_global_extensions()
            || kind.is_gnu_longname()
        {
            let Ok(Some(bytes)) = bounded(&mut entry, size) else {
                counts.one("broken: archive header");
                continue;
            };
            if kind.is_gnu_longname() {
                let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
                long_name = Some(String::from_utf8_lossy(&bytes[..end]).into_owned());
                continue;
            }
            for (key, value) in pax(&bytes) {
                match key {
                    "path" if kind.is_pax_local_extensions() => long_name = Some(value.to_owned()),
                    "comment" => comment(value),
                    // A size beyond 8 GiB: such a file is too large in any case, and what follows cannot be found.
                    "size" if value.parse::<u64>().is_ok_and(|size| size >= 1 << 33) => {
                        counts.one("broken: archive");
                        return Ok(());
                    }
                    _ => {}
                }
            }
            continue;
        }
        let name = long_name.take();
        if !kind.is_file() && !kind.is_contiguous() {
            if !kind.is_dir() {
                counts.one("skipped: link or device");
            }
            continue;
        }
        let name =
            name.unwrap_or_else(|| String::from_utf8_lossy(&entry.path_bytes()).into_owned());
        let Some(path) = plain(&name) else {
            counts.one("skipped: path that leads elsewhere");
            continue;
        };
        let member = Member {
            path,
            size,
            body: &mut entry,
        };
        if let Walk::Enough = each(member, counts)? {
            return Ok(());
        }
    }
    Ok(())
}

fn bounded(entry: &mut impl Read, size: u64) -> io::Result<Option<Vec<u8>>> {
    if size > MAX_NAME {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    entry.take(MAX_NAME).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// Records of an extended header: `LENGTH KEY=VALUE\n`.
fn pax(bytes: &[u8]) -> impl Iterator<Item = (&str, &str)> {
    let records = bytes
        .split(|b| *b == b'\n')
        .filter_map(|line| std::str::from_utf8(line).ok());
    records.filter_map(|line| line.split_once(' ')?.1.split_once('='))
}

/// A path that stays where it is: relative, without `..`, with `/` between its parts.
fn plain(name: &str) -> Option<String> {
    if name.starts_with('/') || name.contains(['\0', '\\']) || name.get(1..2) == Some(":") {
        return None;
    }
    let parts: Vec<&str> = name
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".")
        .collect();
    let fine = !parts.is_empty() && parts.iter().all(|part| *part != "..");
    fine.then(|| parts.join("/"))
}

/// A reader that gives an error after `left` bytes, for what a few bytes can unpack to.
pub struct Bounded<R> {
    input: R,
    left: u64,
}

impl<R: Read> Bounded<R> {
    /// At most `most` bytes of `input`.
    pub fn new(input: R, most: u64) -> Self {
        Self { input, left: most }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::Error::other("it unpacks to more than is allowed"));
        }
        let most = bytes
            .len()
            .min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let n = self.input.read(&mut bytes[..most])?;
        self.left -= n as u64;
        Ok(n)
    }
}

/// A reader of an archive that may be compressed, by what it begins with.
///
/// # Errors
/// It cannot be read.
pub fn unpacked<'a>(input: impl Read + 'a) -> io::Result<Box<dyn Read + 'a>> {
    let mut input = BufReader::with_capacity(1 << 17, input);
    let start = io::BufRead::fill_buf(&mut input)?;
    Ok(match start {
        [0x1f, 0x8b, ..] => Box::new(flate2::bufread::MultiGzDecoder::new(input)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(zstd::stream::read::Decoder::with_buffer(input)?),
        _ => Box::new(input),
    })
}

/// Whether a path is called as an archive is.
pub fn is_archive(path: &Path) -> bool {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .to_ascii_lowercase();
    [".tar", ".tar.gz", ".tgz", ".tar.zst"]
        .iter()
        .any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(bytes: &[u8]) -> (Vec<String>, Counts, String) {
        let (mut names, mut counts, mut commit) = (Vec::new(), Counts::default(), String::new());
        let each = &mut |member: Member<'_>, counts: &mut Counts| {
            let path = member.path.clone();
            match member.read(100) {
                Ok(Some(bytes)) => names.push(format!("{path}={}", bytes.len())),
                Ok(None) => counts.one("too large"),
                Err(_) => counts.one("broken"),
            }
            Ok(Walk::On)
        };
        walk(
            bytes,
            &mut counts,
            &mut |comment| commit.push_str(comment),
            each,
        )
        .unwrap();
        (names, counts, commit)
    }

    fn header(name: &[u8], size: u64, kind: tar::EntryType) -> tar::Header {
        let mut header = tar::Header::new_gnu();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name);
        header.set_entry_type(kind);
        header.set_size(size);
        header.set_cksum();
        header
    }

    #[test]
    fn regular_files_are_given_and_nothing_else() {
        use tar::EntryType as Kind;
        let mut builder = tar::Builder::new(Vec::new());
        builder
            .append(
                &header(b"g", 15, Kind::XGlobalHeader),
                &b"15 comment=abc\n"[..],
            )
            .unwrap();
        for (name, kind) in [
            (&b"./a/b"[..], Kind::Regular),
            (b"/etc/passwd", Kind::Regular),
            (b"a/../../b", Kind::Regular),
            (b"link", Kind::Symlink),
            (b"hard", Kind::Link),
            (b"fifo", Kind::Fifo),
        ] {
            let body = if kind == Kind::Regular {
                &b"12345"[..]
            } else {
                b""
            };
            builder
                .append(&header(name, body.len() as u64, kind), body)
                .unwrap();
        }
        builder
            .append(&header(b"big", 101, Kind::Regular), &[0; 101][..])
            .unwrap();
        let long = "d/".repeat(80) + "e";
        builder
            .append(
                &header(b"././@LongLink", long.len() as u64, Kind::GNULongName),
                long.as_bytes(),
            )
            .unwrap();
        builder
            .append(&header(b"short", 1, Kind::Regular), &b"x"[..])
            .unwrap();
        let bytes = builder.into_inner().unwrap();
        let (found, counts, commit) = names(&bytes);
        assert_eq!(found, ["a/b=5".to_owned(), format!("{long}=1")]);
        assert_eq!(commit, "abc");
        assert_eq!(counts.get("skipped: link or device"), 3);
        assert_eq!(counts.get("skipped: path that leads elsewhere"), 2);
        assert_eq!(counts.get("too large"), 1);

        // Cut anywhere it is no more than broken.
        for cut in (0..bytes.len()).step_by(101) {
            let (less, _, _) = names(&bytes[..cut]);
            assert!(less.len() <= 2);
        }
    }

    #[test]
    fn absurd_sizes_cost_nothing() {
        let mut bytes = header(b"a", 1 << 40, tar::EntryType::Regular)
            .as_bytes()
            .to_vec();
        bytes.extend([0; 1024]);
        let (found, counts, _) = names(&bytes);
        assert!(found.is_empty());
        assert_eq!(counts.get("too large"), 1);
        let mut bytes = header(b"a", 1 << 40, tar::EntryType::GNULongName)
            .as_bytes()
            .to_vec();
        bytes.extend([b'a'; 4096]);
        assert_eq!(names(&bytes).1.get("broken: archive header"), 1);
        let bomb = Bounded::new(io::repeat(0), 1000);
        assert!(io::copy(&mut { bomb }, &mut io::sink()).is_err());
    }
}
