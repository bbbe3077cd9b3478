//! Numbers for people: ratios, durations, hexadecimal digits.

use std::path::Path;
use std::time::Duration;

/// Bits that a raw byte costs; none for nothing.
pub fn bits_per_byte(raw: u64, compressed: u64) -> Option<f64> {
    (raw > 0).then(|| compressed as f64 * 8.0 / raw as f64)
}

/// The compressed size in percent of the raw one.
pub fn percent(raw: u64, compressed: u64) -> String {
    match raw {
        0 => "-".into(),
        _ => format!("{:.1} %", compressed as f64 * 100.0 / raw as f64),
    }
}

/// A duration for people: `4.1 s`, `1 min 40 s`, `2 h 5 min`.
pub fn seconds(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 99.95 {
        format!("{seconds:.1} s")
    } else {
        let whole = seconds.round() as u64;
        let (minutes, seconds) = (whole / 60, whole % 60);
        match minutes / 60 {
            0 => format!("{minutes} min {seconds} s"),
            hours => format!("{hours} h {} min", minutes % 60),
        }
    }
}

/// `raw -> compressed bytes (24.3 %, 1.946 bits/byte) in 4.1 s`
pub fn compressed(raw: u64, compressed: u64, time: Duration) -> String {
    let figures = match bits_per_byte(raw, compressed) {
        Some(bits) => format!(" ({}, {bits:.3} bits/byte)", percent(raw, compressed)),
        None => String::new(),
    };
    format!("{raw} -> {compressed} bytes{figures} in {}", seconds(time))
}

/// A path for people. Control characters do not reach the terminal.
pub fn show(path: &Path) -> String {
    let text = path.display().to_string();
    if text.chars().any(char::is_control) {
        format!("{path:?}")
    } else {
        text
    }
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_as_documented() {
        let time = Duration::from_millis(4120);
        assert_eq!(
            compressed(152_089, 37_000, time),
            "152089 -> 37000 bytes (24.3 %, 1.946 bits/byte) in 4.1 s"
        );
        assert_eq!(compressed(0, 139, time), "0 -> 139 bytes in 4.1 s");
        assert_eq!(percent(0, 10), "-");
    }

    #[test]
    fn times_grow_units() {
        for (time, text) in [
            (0.04, "0.0 s"),
            (99.9, "99.9 s"),
            (100.0, "1 min 40 s"),
            (3599.4, "59 min 59 s"),
            (3599.6, "1 h 0 min"),
            (7500.0, "2 h 5 min"),
        ] {
            assert_eq!(seconds(Duration::from_secs_f64(time)), text);
        }
    }

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(show(Path::new("größe.txt")), "größe.txt");
        assert!(!show(Path::new("a\u{1b}[2Jb")).contains('\u{1b}'));
    }
}
