//! A document on its way.

use std::io::{self, Read, Write};

use serde::Serialize;
use serde_json::{Map, Value};

use super::limits::{MAX_ITEM_BYTES, MAX_LINE_BYTES};

/// What is known about a document: URL or repository, date, licence, hash.
pub type Meta = Map<String, Value>;

/// What a source has read and nobody has looked into yet.
#[derive(Clone, Debug, Default)]
pub struct Raw {
    /// What it is called within its input: a path, a URL, an identifier.
    pub name: String,
    /// What its bytes are, as its source calls it.
    pub form: &'static str,
    /// Its bytes, unpacked.
    pub bytes: Vec<u8>,
    /// What the source knows about it.
    pub meta: Meta,
}

/// A document of a corpus.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Item {
    /// Its text.
    pub content: String,
    /// The kind of text: `web`, `python`, `math`.
    pub subset: String,
    /// What is known about it.
    pub meta: Meta,
    /// Documents with the same number are taken or left together; 0 is none.
    #[serde(skip)]
    pub group: u64,
}

impl Item {
    /// Writes it as a frame: lengths of content, subset and meta (u32), the group (u64), then their bytes. All numbers are
    /// little-endian; meta is JSON.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let meta = serde_json::to_vec(&self.meta)?;
        for length in [self.content.len(), self.subset.len(), meta.len()] {
            out.write_all(&(length as u32).to_le_bytes())?;
        }
        out.write_all(&self.group.to_le_bytes())?;
        out.write_all(self.content.as_bytes())?;
        out.write_all(self.subset.as_bytes())?;
        out.write_all(&meta)
    }

    /// Reads the next frame, or `None` at the end.
    ///
    /// # Errors
    /// Those of `input`, and bytes that are no frame.
    pub fn read(input: &mut impl Read) -> io::Result<Option<Self>> {
        let mut first = [0; 1];
        if input.read(&mut first)? == 0 {
            return Ok(None);
        }
        let mut head = [0; 20];
        head[0] = first[0];
        input.read_exact(&mut head[1..])?;
        let number =
            |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let group = u64::from(number(12)) | u64::from(number(16)) << 32;
        let mut take = |length: u32| {
            if u64::from(length) > MAX_LINE_BYTES {
                return Err(damaged());
            }
            let mut bytes = vec![0; length as usize];
            input.read_exact(&mut bytes)?;
            Ok(bytes)
        };
        let (content, subset, meta) = (take(number(0))?, take(number(4))?, take(number(8))?);
        Ok(Some(Self {
            content: String::from_utf8(content).map_err(|_| damaged())?,
            subset: String::from_utf8(subset).map_err(|_| damaged())?,
            meta: serde_json::from_slice(&meta)?,
            group,
        }))
    }

    /// Whether it is small enough to be one.
    pub fn fits(&self) -> bool {
        self.content.len() as u64 <= MAX_ITEM_BYTES
    }
}

fn damaged() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "damaged: delete it, and it is made again",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_hold_documents() {
        let mut meta = Meta::new();
        meta.insert("url".into(), "https://a/ä".into());
        let items = [
            Item {
                content: "ä\n".into(),
                subset: "web".into(),
                meta,
                group: u64::MAX - 5,
            },
            Item::default(),
        ];
        let mut bytes = Vec::new();
        for item in &items {
            item.write(&mut bytes).unwrap();
        }
        let mut input = bytes.as_slice();
        for item in &items {
            assert_eq!(Item::read(&mut input).unwrap().as_ref(), Some(item));
        }
        assert_eq!(Item::read(&mut input).unwrap(), None);
        bytes[2] = 0xff;
        assert!(Item::read(&mut bytes.as_slice()).is_err());
        assert!(Item::read(&mut &bytes[..10]).is_err());
    }
}
