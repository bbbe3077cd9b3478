//! The page: one file, which needs nothing from anywhere else.
//!
//! What comes from the inspected file is data, never markup: its bytes are base64, its name and its
//! numbers are JSON in which `<`, `>` and `&` are escapes. The page's own policy forbids it to load
//! anything from anywhere.

use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::columns::Blob;
use lmz::inspect::{CLASSES, Summary};

const PAGE: &str = include_str!("../../../assets/inspect/page.html");
const STYLE: &str = include_str!("../../../assets/inspect/page.css");
/// The script, in the order in which its parts need each other.
const SCRIPTS: [&str; 5] = [
    include_str!("../../../assets/inspect/data.js"),
    include_str!("../../../assets/inspect/text.js"),
    include_str!("../../../assets/inspect/charts.js"),
    include_str!("../../../assets/inspect/find.js"),
    include_str!("../../../assets/inspect/page.js"),
];

/// What the script is told beside the columns.
#[derive(Serialize)]
struct Facts<'a> {
    version: &'static str,
    classes: &'static [f64],
    symbols: u64,
    alternatives: usize,
    escape_word: usize,
    columns: &'a [(&'static str, usize)],
    summary: &'a Summary,
}

/// Writes the page.
///
/// # Errors
/// Those of `out`.
pub fn write(summary: &Summary, blob: &Blob, out: &mut dyn Write) -> io::Result<()> {
    let facts = Facts {
        version: env!("CARGO_PKG_VERSION"),
        classes: &CLASSES,
        symbols: blob.symbols,
        alternatives: blob.each,
        escape_word: blob.escape_word,
        columns: &blob.columns,
        summary,
    };
    let facts = safe_json(&serde_json::to_string(&facts)?);
    let data = STANDARD.encode(&blob.packed);
    let script = SCRIPTS.concat();
    let mut rest = PAGE;
    // One pass: what is filled in is not looked at again.
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").unwrap_or((after, ""));
        out.write_all(before.as_bytes())?;
        match name {
            "title" => out.write_all(escaped(&summary.file).as_bytes())?,
            "style" => out.write_all(STYLE.as_bytes())?,
            "facts" => out.write_all(facts.as_bytes())?,
            "data" => out.write_all(data.as_bytes())?,
            "script" => out.write_all(script.as_bytes())?,
            other => {
                let why = format!("the page's template has a hole named {other:?}");
                return Err(io::Error::new(io::ErrorKind::InvalidData, why));
            }
        }
        rest = after;
    }
    out.write_all(rest.as_bytes())
}

/// JSON that may stand in a script element.
fn safe_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            c => out.push(c),
        }
    }
    out
}

/// Text that may stand anywhere in HTML.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_file_is_markup() {
        let hostile = "</script><script>alert('1')</script>&\u{2028}";
        let json = safe_json(&serde_json::to_string(hostile).unwrap());
        assert!(!json.contains(['<', '>', '&', '\u{2028}']));
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), hostile);
        assert!(!escaped(hostile).contains(['<', '>', '\'']));
    }

    #[test]
    fn the_template_has_its_holes_and_no_others() {
        for name in ["title", "style", "facts", "data", "script"] {
            assert!(PAGE.contains(&format!("{{{{{name}}}}}")), "{name}");
        }
        assert!(!STYLE.contains("</style") && !SCRIPTS.concat().contains("</script"));
        // Nothing is loaded from elsewhere.
        for part in [PAGE, STYLE, &SCRIPTS.concat()] {
            for way in ["http:", "https:", "@import", "url(", "src=", "fetch("] {
                assert!(!part.contains(way), "{way}");
            }
        }
    }
}
