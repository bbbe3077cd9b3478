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

/// What to say of a file of so many bytes that the model shrank nowhere, with so many segments kept by zstd.
pub fn not_modelled(raw: u64, zstd: u64) -> &'static str {
    match zstd {
        _ if raw < 256 => "so few bytes are hardly worth a model",
        0 => "nothing shrinks these bytes, as is usual for what is compressed or encrypted already",
        _ => "the model did not help here: zstd -19 or xz -9 make it as small in less time",
    }
}

/// A path for people. What steers a terminal or does not show does not reach it.
pub fn show(path: &Path) -> String {
    let text = path.display().to_string();
    if text.chars().any(|c| c.is_control() || is_unseen(c)) {
        format!("{path:?}")
    } else {
        text
    }
}

/// Characters that turn the order of those around them, or take no room: a name with them may look like another one.
fn is_unseen(c: char) -> bool {
    matches!(c,
        // Soft hyphen, the Arabic letter mark, the Mongolian vowel separator.
        '\u{ad}' | '\u{61c}' | '\u{180e}'
        // Zero width, and directional marks.
        | '\u{200b}'..='\u{200f}'
        // Line and paragraph separators, embeddings and overrides.
        | '\u{2028}'..='\u{202e}'
        // Word joiner, invisible operators, isolates.
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        // Tags.
        | '\u{e0000}'..='\u{e007f}')
}

/// Text in which the characters that would steer a terminal, turn its neighbours round or not show are written out, as
/// `\\u{202e}`. Ends of lines and tabs stay.
pub fn visible(text: &str) -> std::borrow::Cow<'_, str> {
    let hidden = |c: char| (c.is_control() && !matches!(c, '\n' | '\t')) || is_unseen(c);
    if !text.chars().any(hidden) {
        return text.into();
    }
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match hidden(c) {
            true => shown.extend(c.escape_unicode()),
            false => shown.push(c),
        }
    }
    shown.into()
}

/// JSON in which such characters are escapes: it says the same, and ends of lines stay.
pub fn visible_json(json: &str) -> std::borrow::Cow<'_, str> {
    let hidden = |c: char| (c.is_control() && c != '\n') || is_unseen(c);
    if !json.chars().any(hidden) {
        return json.into();
    }
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        match hidden(c) {
            // They stand in strings: outside of them JSON is ASCII.
            true => {
                let units = c.encode_utf16(&mut [0; 2]).to_vec();
                shown.extend(units.iter().map(|unit| format!("\\u{unit:04x}")));
            }
            false => shown.push(c),
        }
    }
    shown.into()
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
        for hidden in ['\u{1b}', '\u{202e}', '\u{200b}', '\u{feff}', '\u{85}'] {
            let name = format!("a{hidden}b");
            assert!(!show(Path::new(&name)).contains(hidden), "{hidden:?}");
            assert!(!visible(&name).contains(hidden), "{hidden:?}");
        }
        assert_eq!(visible("größe\t中文\n"), "größe\t中文\n");
        assert_eq!(visible("a\u{202e}b"), "a\\u{202e}b");
        let json = "{\n  \"größe\": \"a\u{202e}\u{9b}\u{e0041}\"\n}";
        let shown = visible_json(json);
        assert!(
            shown.ends_with("\"a\\u202e\\u009b\\udb40\\udc41\"\n}"),
            "{shown}"
        );
        let same = |json: &str| serde_json::from_str::<serde_json::Value>(json).unwrap();
        assert_eq!(same(&shown), same(json));
    }
}
