//! The compressors that are compared, each at its strongest.

use std::fmt;
use std::io::{self, Read, Write};

use lmz_codec::{CompressOptions, DecompressOptions, Model, Observer};
use serde::{Deserialize, Serialize};

use super::error::{BenchError, Result};

/// A compressor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// DEFLATE (crate flate2)
    Gzip,
    /// Burrows-Wheeler (crate bzip2)
    Bzip2,
    /// LZMA (crate liblzma)
    Xz,
    /// Zstandard (crate zstd)
    Zstd,
    /// Brotli (crate brotli)
    Brotli,
    /// This program
    Lmz,
}

impl Method {
    /// All of them, in the order of tables.
    pub const ALL: [Self; 6] = [
        Self::Gzip,
        Self::Bzip2,
        Self::Xz,
        Self::Zstd,
        Self::Brotli,
        Self::Lmz,
    ];

    /// The program's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
            Self::Zstd => "zstd",
            Self::Brotli => "brotli",
            Self::Lmz => "lmz",
        }
    }

    /// What it is, in a few words.
    pub fn about(self) -> &'static str {
        match self {
            Self::Gzip => "DEFLATE (crate flate2)",
            Self::Bzip2 => "Burrows-Wheeler (crate bzip2)",
            Self::Xz => "LZMA (crate liblzma)",
            Self::Zstd => "Zstandard (crate zstd)",
            Self::Brotli => "Brotli (crate brotli)",
            Self::Lmz => "this program",
        }
    }

    /// The compressor of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }

    /// The settings, as the program's own command line has them.
    pub fn level(self) -> &'static str {
        match self {
            Self::Gzip | Self::Bzip2 => "-9",
            Self::Xz => "-9e",
            Self::Zstd => "--ultra -22 --long=27",
            Self::Brotli => "-q 11 -w 24",
            Self::Lmz => "--no-verify",
        }
    }
}

const ZSTD_LEVEL: i32 = 22;
const ZSTD_WINDOW_LOG: u32 = 27;
const BROTLI_BUFFER: usize = 1 << 16;
const BROTLI_QUALITY: u32 = 11;
const BROTLI_WINDOW_LOG: u32 = 24;

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A compressor that is ready to run: for lmz, with the model loaded.
#[derive(Debug)]
pub enum Engine {
    /// Any but [`Method::Lmz`].
    Other(Method),
    /// This program's.
    Lmz(Box<Model>, CompressOptions),
}

impl Engine {
    /// Compresses from memory to memory. `observer` hears what a device has to say.
    ///
    /// # Errors
    /// The compressor's own.
    pub fn compress(&self, raw: &[u8], observer: &dyn Observer) -> Result<Vec<u8>> {
        let mut packed = Vec::new();
        match self {
            Self::Lmz(model, options) => {
                lmz_codec::compress(raw, &mut packed, model, options, observer)?;
            }
            Self::Other(method) => compress(*method, raw, &mut packed)?,
        }
        Ok(packed)
    }

    /// Restores from memory to memory; `raw_len` bytes are expected.
    ///
    /// # Errors
    /// The compressor's own.
    pub fn restore(
        &self,
        packed: &[u8],
        raw_len: usize,
        observer: &dyn Observer,
    ) -> Result<Vec<u8>> {
        let mut raw = Vec::with_capacity(raw_len);
        match self {
            Self::Lmz(model, options) => {
                let options = DecompressOptions {
                    threads: options.threads,
                    prime: options.prime.clone(),
                };
                lmz_codec::decompress(packed, &mut raw, model.as_ref(), &options, observer)?;
            }
            Self::Other(method) => restore(*method, packed, &mut raw)?,
        }
        Ok(raw)
    }
}

fn compress(method: Method, raw: &[u8], packed: &mut Vec<u8>) -> Result<()> {
    match method {
        Method::Gzip => {
            let mut writer = flate2::write::GzEncoder::new(packed, flate2::Compression::best());
            writer.write_all(raw)?;
            writer.finish()?;
        }
        Method::Bzip2 => {
            let mut writer = bzip2::write::BzEncoder::new(packed, bzip2::Compression::best());
            writer.write_all(raw)?;
            writer.finish()?;
        }
        Method::Xz => {
            // 9e: 9 with LZMA_PRESET_EXTREME.
            const PRESET: u32 = 9 | 1 << 31;
            let mut writer = liblzma::write::XzEncoder::new(packed, PRESET);
            writer.write_all(raw)?;
            writer.finish()?;
        }
        Method::Zstd => {
            let mut writer = zstd::stream::write::Encoder::new(packed, ZSTD_LEVEL)?;
            writer.window_log(ZSTD_WINDOW_LOG)?;
            writer.long_distance_matching(true)?;
            writer.include_checksum(true)?;
            writer.set_pledged_src_size(Some(raw.len() as u64))?;
            writer.write_all(raw)?;
            writer.finish()?;
        }
        Method::Brotli => {
            let mut writer = brotli::CompressorWriter::new(
                packed,
                BROTLI_BUFFER,
                BROTLI_QUALITY,
                BROTLI_WINDOW_LOG,
            );
            writer.write_all(raw)?;
            writer.flush()?;
        }
        Method::Lmz => return Err(BenchError::NoModel),
    }
    Ok(())
}

fn restore(method: Method, packed: &[u8], raw: &mut Vec<u8>) -> Result<()> {
    let read: io::Result<usize> = match method {
        Method::Gzip => flate2::read::GzDecoder::new(packed).read_to_end(raw),
        Method::Bzip2 => bzip2::read::BzDecoder::new(packed).read_to_end(raw),
        Method::Xz => liblzma::read::XzDecoder::new(packed).read_to_end(raw),
        Method::Zstd => {
            let mut reader = zstd::stream::read::Decoder::new(packed)?;
            reader.window_log_max(ZSTD_WINDOW_LOG)?;
            reader.read_to_end(raw)
        }
        Method::Brotli => brotli::Decompressor::new(packed, BROTLI_BUFFER).read_to_end(raw),
        Method::Lmz => return Err(BenchError::NoModel),
    };
    read?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_out() {
        let text = "how much wood would a woodchuck chuck? ".repeat(300);
        for raw in [&b""[..], b"a", text.as_bytes()] {
            for method in Method::ALL {
                let engine = match method {
                    Method::Lmz => {
                        let model = Box::new(crate::embedded_model().unwrap());
                        Engine::Lmz(model, CompressOptions::default())
                    }
                    other => Engine::Other(other),
                };
                let packed = engine.compress(raw, &()).unwrap();
                let restored = engine.restore(&packed, raw.len(), &()).unwrap();
                assert_eq!(restored, raw, "{}", method.name());
                assert!(packed.len() < raw.len().max(200), "{}", method.name());
            }
        }
    }
}
