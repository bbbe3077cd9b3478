//! Segments that zstd keeps, back to bytes.

/// Decompresses a zstd segment to exactly `raw_len` bytes.
#[cfg(feature = "zstd")]
pub fn unzstd(coded: &[u8], raw_len: usize) -> Result<Vec<u8>, String> {
    let raw = zstd::bulk::decompress(coded, raw_len).map_err(|e| format!("zstd: {e}"))?;
    if raw.len() == raw_len {
        Ok(raw)
    } else {
        Err(format!("zstd gives {} bytes, not {raw_len}", raw.len()))
    }
}

/// Refuses a zstd segment.
#[cfg(not(feature = "zstd"))]
pub fn unzstd(_: &[u8], _: usize) -> Result<Vec<u8>, String> {
    Err("is kept by zstd, which this build is without (feature `zstd`)".to_owned())
}
