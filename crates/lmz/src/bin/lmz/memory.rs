//! Amounts of memory as people type them.

/// `1000`, `64K`, `1.5G`: bytes.
///
/// # Errors
/// What is wrong with the text.
pub fn parse(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit: u64 = match &text[digits.len()..] {
        "" | "B" => 1,
        "k" | "K" | "KiB" => 1 << 10,
        "m" | "M" | "MiB" => 1 << 20,
        "g" | "G" | "GiB" => 1 << 30,
        other => return Err(format!("the suffix {other:?} is none of K, M and G")),
    };
    let number: f64 = match digits.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        true => digits.parse().ok(),
        false => None,
    }
    .ok_or("not a number of bytes, K, M or G")?;
    let bytes = number * unit as f64;
    if !(1.0..=1e18).contains(&bytes) {
        return Err("out of range".into());
    }
    Ok(bytes as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_binary_suffixes() {
        for (text, bytes) in [
            ("1", 1),
            ("64K", 65_536),
            ("1.5G", 3 << 29),
            ("2GiB", 2 << 30),
            ("100M", 100 << 20),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
        for text in [
            "",
            "0",
            "K",
            "-1",
            "1e9",
            "1T",
            "1KB",
            "inf",
            "1.2.3",
            "9999999999G",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
