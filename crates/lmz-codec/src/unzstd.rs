//! Segments that zstd keeps, back to bytes.

#[cfg(feature = "zstd")]
use std::io::Read;

#[cfg(feature = "zstd")]
use zstd::zstd_safe;

/// The magic number of a Zstandard frame (RFC 8878, section 3.1.1). Skippable frames have others.
#[cfg(feature = "zstd")]
const FRAME: [u8; 4] = 0xfd2f_b528_u32.to_le_bytes();

/// Decompresses a zstd segment, which is one frame and nothing else, to exactly `raw_len` bytes.
#[cfg(feature = "zstd")]
pub fn unzstd(coded: &[u8], raw_len: usize) -> Result<Vec<u8>, String> {
    if !coded.starts_with(&FRAME) {
        return Err("zstd: does not begin with a frame".into());
    }
    let frame = zstd_safe::find_frame_compressed_size(coded)
        .map_err(|code| format!("zstd: {}", zstd_safe::get_error_name(code)))?;
    if frame != coded.len() {
        return Err("zstd: more than one frame".into());
    }
    let mut raw = Vec::new();
    raw.try_reserve_exact(raw_len)
        .map_err(|_| format!("there is no memory for its {raw_len} bytes"))?;
    zstd::bulk::Decompressor::new()
        .and_then(|mut zstd| zstd.decompress_to_buffer(coded, &mut raw))
        .map_err(|e| format!("zstd: {e}"))?;
    if raw.len() == raw_len {
        Ok(raw)
    } else {
        Err(format!("zstd gives {} bytes, not {raw_len}", raw.len()))
    }
}

/// What a zstd segment whose end is cut off gives before the cut, at most `raw_len` bytes.
#[cfg(feature = "zstd")]
pub fn unzstd_beginning(left: &[u8], raw_len: usize) -> Vec<u8> {
    let mut raw = Vec::new();
    if let Ok(zstd) = zstd::stream::read::Decoder::with_buffer(left) {
        // The error is the cut. What came before it is in `raw`.
        let _ = zstd
            .single_frame()
            .take(raw_len as u64)
            .read_to_end(&mut raw);
    }
    raw
}

/// Refuses a zstd segment.
#[cfg(not(feature = "zstd"))]
pub fn unzstd(_: &[u8], _: usize) -> Result<Vec<u8>, String> {
    Err("is kept by zstd, which this build is without (feature `zstd`)".to_owned())
}

/// Nothing.
#[cfg(not(feature = "zstd"))]
pub fn unzstd_beginning(_: &[u8], _: usize) -> Vec<u8> {
    Vec::new()
}
