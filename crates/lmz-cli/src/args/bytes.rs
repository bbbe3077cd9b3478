//! Numbers of bytes as people type them.

/// The digits of `64K` or `1.5GiB`, and how many bytes its unit has.
fn split(text: &str) -> Result<(&str, u64), String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" | "B" => 1,
        "k" | "K" | "KiB" => 1 << 10,
        "m" | "M" | "MiB" => 1 << 20,
        "g" | "G" | "GiB" => 1 << 30,
        other => return Err(format!("the suffix {other:?} is none of K, M and G")),
    };
    Ok((digits, unit))
}

/// `1000`, `64K`, `1G`: an exact number of bytes.
///
/// # Errors
/// What is wrong with the text.
pub fn exact(text: &str) -> Result<u64, String> {
    let (digits, unit) = split(text)?;
    let number: u64 = digits
        .parse()
        .map_err(|_| format!("{text:?} is not a whole number of bytes, K, M or G"))?;
    number
        .checked_mul(unit)
        .ok_or_else(|| format!("{text} is too large"))
}

/// `1000`, `64K`, `1.5G`: an amount of memory.
///
/// # Errors
/// What is wrong with the text.
pub fn memory(text: &str) -> Result<u64, String> {
    let (digits, unit) = split(text)?;
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

/// `10MB`, `1.5GB`: a size of a corpus, in powers of 1000; `10M` and `10MiB` are powers of 1024 as everywhere.
///
/// # Errors
/// What is wrong with the text.
pub fn size(text: &str) -> Result<u64, String> {
    let units = [("KB", 3), ("kB", 3), ("MB", 6), ("GB", 9), ("TB", 12)];
    let Some((digits, power)) = units
        .iter()
        .find_map(|(unit, power)| Some((text.strip_suffix(unit)?, *power)))
    else {
        return memory(text);
    };
    let fine = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let number: f64 = fine
        .then(|| digits.parse().ok())
        .flatten()
        .ok_or("not a number of bytes, KB, MB or GB")?;
    let bytes = number * 10f64.powi(power);
    if !(1.0..=1e18).contains(&bytes) {
        return Err("out of range".into());
    }
    Ok(bytes as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_decimal_units_too() {
        for (text, bytes) in [
            ("10MB", 10_000_000),
            ("1.5GB", 1_500_000_000),
            ("2M", 2 << 20),
            ("7", 7),
            ("1kB", 1000),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["MB", "-1MB", "1mb", "0MB", "1XB"] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn amounts_have_binary_suffixes() {
        for (text, bytes) in [
            ("1", 1),
            ("64K", 65_536),
            ("1.5G", 3 << 29),
            ("2GiB", 2 << 30),
            ("100M", 100 << 20),
        ] {
            assert_eq!(memory(text), Ok(bytes), "{text}");
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
            assert!(memory(text).is_err(), "{text}");
        }
    }

    #[test]
    fn exact_numbers_are_whole() {
        for (text, bytes) in [("0", 0), ("10", 10), ("2K", 2048), ("3MiB", 3 << 20)] {
            assert_eq!(exact(text), Ok(bytes), "{text}");
        }
        for text in [
            "",
            "K",
            "-1",
            "1.5K",
            "1T",
            "18446744073709551616",
            "99999999999G",
        ] {
            assert!(exact(text).is_err(), "{text}");
        }
    }
}
