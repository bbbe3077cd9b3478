//! A paper's source: one TeX file, or a tar of files, as arXiv keeps it behind gzip.

use std::collections::BTreeMap;
use std::io::Read;

use super::super::super::counts::Counts;
use super::super::super::text::latex::without_comments;
use super::super::super::text::{decode, is_binary};
use super::super::archive::{Bounded, Walk, walk};
use super::inputs::{included, resolve};

/// Largest file of a paper that is looked at, in bytes.
const MAX_FILE: u64 = 8 << 20;
/// Largest sum of them.
const MAX_FILES: u64 = 32 << 20;
/// Most bytes that a paper may unpack to, pictures included.
const MAX_UNPACKED: u64 = 1 << 30;
/// What main files are called, the likeliest first.
const NAMES: [&str; 6] = ["main", "ms", "paper", "article", "manuscript", "arxiv"];

/// Why there is no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It does not unpack, or to too much.
    Broken,
    /// There is no TeX in it: a PDF, PostScript, HTML, or an empty notice of withdrawal.
    NoTex,
    /// It has files of TeX, none of which is a document.
    NoMain,
}

/// The TeX of a paper as one text, its parts put where it includes them.
///
/// # Errors
/// There is none.
pub fn source_of(gzip: &[u8], counts: &mut Counts) -> Result<String, Fault> {
    let files = files(gzip, counts)?;
    if files.is_empty() {
        return Err(Fault::NoTex);
    }
    let main = main_file(&files).ok_or(Fault::NoMain)?;
    Ok(resolve(&files, main))
}

/// The files of TeX by path.
fn files(gzip: &[u8], counts: &mut Counts) -> Result<BTreeMap<String, String>, Fault> {
    let mut start = [0; 512];
    let mut first = flate2::read::MultiGzDecoder::new(gzip);
    let mut filled = 0;
    while filled < start.len() {
        match first.read(&mut start[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(_) => return Err(Fault::Broken),
        }
    }
    let unpacked = Bounded::new(flate2::read::MultiGzDecoder::new(gzip), MAX_UNPACKED);
    let mut files = BTreeMap::new();
    if &start[257..262] != b"ustar" {
        let mut bytes = Vec::new();
        unpacked
            .take(MAX_FILE + 1)
            .read_to_end(&mut bytes)
            .map_err(|_| Fault::Broken)?;
        if bytes.len() as u64 > MAX_FILE {
            return Err(Fault::Broken);
        }
        if let Some(text) = tex(&bytes, counts) {
            files.insert("main.tex".to_owned(), text);
        }
        return Ok(files);
    }
    let mut left = MAX_FILES;
    let walked = walk(unpacked, counts, &mut |_| {}, &mut |member, counts| {
        let name = member.path.clone();
        let small = name.to_ascii_lowercase();
        let wanted = [".tex", ".ltx", ".latex", ".txt", ".bbl"]
            .iter()
            .any(|end| small.ends_with(end))
            || small.starts_with("00readme")
            || !small.contains('.');
        if !wanted {
            return Ok(Walk::On);
        }
        match member.read(MAX_FILE.min(left)) {
            Ok(Some(bytes)) => {
                left -= bytes.len() as u64;
                if let Some(text) = tex(&bytes, counts) {
                    files.insert(name, text);
                }
            }
            Ok(None) => counts.one("skipped: TeX file too long"),
            // The walk ends by itself at what is broken.
            Err(_) => {}
        }
        Ok(Walk::On)
    });
    // Nothing that is called fails.
    walked.map_err(|_| Fault::Broken)?;
    Ok(files)
}

/// A file's text, if it is one, in the encoding that it names.
fn tex(bytes: &[u8], counts: &mut Counts) -> Option<String> {
    if is_binary(bytes) || bytes.starts_with(b"%PDF") || bytes.starts_with(b"%!PS") {
        counts.one("skipped: binary called TeX");
        return None;
    }
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(1 << 16)]);
    let (text, wrong) = decode(bytes, encoding(&start));
    counts.add("repaired: encoding", u64::from(wrong));
    Some(text)
}

/// The encoding that `\usepackage[…]{inputenc}` names, as HTML calls it.
fn encoding(tex: &str) -> Option<&'static str> {
    let before = &tex[..tex.find("{inputenc}")?];
    let options = &before[before.rfind('[')?..];
    let names = [
        ("utf8", "utf-8"),
        ("latin1", "iso-8859-1"),
        ("ansinew", "windows-1252"),
        ("cp1252", "windows-1252"),
        ("latin2", "iso-8859-2"),
        ("cp1250", "windows-1250"),
        ("latin9", "iso-8859-15"),
        ("cp1251", "windows-1251"),
        ("koi8-r", "koi8-r"),
        ("applemac", "macintosh"),
    ];
    names
        .into_iter()
        .find(|(name, _)| options.contains(name))
        .map(|(_, label)| label)
}

/// The file that is the paper: what `00README` names, else of those with a document class and a document's beginning the one
/// that no other one includes, by its name, and then by its length.
fn main_file(files: &BTreeMap<String, String>) -> Option<&str> {
    if let Some(named) = named(files) {
        return Some(named);
    }
    let mut candidates: Vec<(&String, String)> = Vec::new();
    let mut parts: Vec<String> = Vec::new();
    for (name, text) in files {
        let text = without_comments(text);
        parts.extend(included(&text));
        let has_class = text.contains("\\documentclass") || text.contains("\\documentstyle");
        let is_plain = text.contains("\\bye")
            || text.contains("\\input amstex")
            || text.contains("\\magnification");
        if (has_class && text.contains("\\begin{document}")) || (is_plain && !has_class) {
            candidates.push((name, text));
        }
    }
    let is_part = |name: &str| {
        let stem = name.rsplit('/').next().unwrap_or(name);
        parts.iter().any(|part| {
            let part = part.rsplit('/').next().unwrap_or(part);
            part == stem || stem.strip_suffix(".tex") == Some(part)
        })
    };
    let all_parts = candidates.iter().all(|(name, _)| is_part(name));
    let place = |name: &str| {
        let stem = name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
        let stem = stem.split('.').next().unwrap_or_default();
        NAMES
            .iter()
            .position(|known| *known == stem)
            .unwrap_or(NAMES.len())
    };
    let best = candidates
        .iter()
        .filter(|(name, _)| all_parts || !is_part(name))
        .min_by_key(|(name, text)| {
            (
                name.matches('/').count(),
                place(name),
                std::cmp::Reverse(text.len()),
                *name,
            )
        });
    best.map(|(name, _)| name.as_str())
}

/// The file that `00README` calls the top one, in the old form (`main.tex toplevelfile`) or the new one (JSON).
fn named(files: &BTreeMap<String, String>) -> Option<&str> {
    let (_, readme) = files
        .iter()
        .find(|(name, _)| name.to_ascii_lowercase().starts_with("00readme"))?;
    let name = match serde_json::from_str::<serde_json::Value>(readme) {
        Ok(json) => {
            let sources = json.get("sources")?.as_array()?.clone();
            let top = sources
                .iter()
                .find(|one| one.get("usage").is_some_and(|usage| usage == "toplevel"))?;
            top.get("filename")?.as_str()?.to_owned()
        }
        Err(_) => {
            let line = readme.lines().find(|line| line.contains("toplevelfile"))?;
            line.split_whitespace().next()?.to_owned()
        }
    };
    files.get_key_value(&name).map(|(name, _)| name.as_str())
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write;

    use super::*;

    pub fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    pub fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, bytes) in files {
            let mut header = tar::Header::new_ustar();
            header.set_size(bytes.len() as u64);
            builder.append_data(&mut header, name, *bytes).unwrap();
        }
        gzip(&builder.into_inner().unwrap())
    }

    const CLASS: &str = "\\documentclass{article}\\begin{document}";

    fn of(files: &[(&str, &[u8])]) -> Result<String, Fault> {
        source_of(&archive(files), &mut Counts::default())
    }

    #[test]
    fn the_main_file_is_found() {
        let doc = |text: &str| format!("{CLASS}{text}");
        let (a, b) = (doc("a \\input{part}"), doc("b, longer than the other one"));
        assert_eq!(
            of(&[("z.tex", a.as_bytes()), ("part.tex", b"in")]).unwrap(),
            format!("{CLASS}a in\n")
        );
        // Of two the one that is called so; else the longer one.
        let found = of(&[("main.tex", doc("a").as_bytes()), ("b.tex", b.as_bytes())]).unwrap();
        assert!(found.starts_with(&doc("a")));
        let found = of(&[("a.tex", doc("a").as_bytes()), ("b.tex", b.as_bytes())]).unwrap();
        assert!(found.starts_with(&b));
        // One that is included is a part, even if it could stand alone.
        let (top, sub) = (doc("\\subfile{main}"), doc("inner"));
        let found = of(&[("main.tex", sub.as_bytes()), ("x.tex", top.as_bytes())]).unwrap();
        assert!(found.contains("inner") && found.starts_with(CLASS));
        let old = of(&[
            ("00README.XXX", b"b.tex toplevelfile\n"),
            ("main.tex", a.as_bytes()),
            ("b.tex", b.as_bytes()),
        ]);
        assert!(old.unwrap().starts_with(&b));
        let json = b"{\"sources\":[{\"filename\":\"b.tex\",\"usage\":\"toplevel\"}]}";
        let new = of(&[
            ("00README.json", json),
            ("main.tex", a.as_bytes()),
            ("b.tex", b.as_bytes()),
        ]);
        assert!(new.unwrap().starts_with(&b));
        let commented = "% \\documentclass\n\\begin{document}x";
        assert_eq!(of(&[("a.tex", commented.as_bytes())]), Err(Fault::NoMain));
    }

    #[test]
    fn hostile_sources_are_no_papers() {
        let counts = &mut Counts::default();
        assert_eq!(source_of(b"no gzip", counts), Err(Fault::Broken));
        assert_eq!(source_of(&gzip(b"%PDF-1.4\n\0"), counts), Err(Fault::NoTex));
        let binary = of(&[("a.tex", &[0, 1, 2, 3]), ("fig.png", b"\x89PNG")]);
        assert_eq!(binary, Err(Fault::NoTex));
        // 40 MB of one byte: over what a file may be.
        assert_eq!(
            source_of(&gzip(&vec![b'a'; 40 << 20]), counts),
            Err(Fault::Broken)
        );
        let text = format!("{CLASS}fine");
        let whole = archive(&[("a.tex", text.as_bytes())]);
        for cut in [0, 1, 5, 20, whole.len() / 2, whole.len() - 1] {
            // Ends without a panic, whatever it says.
            _ = source_of(&whole[..cut], counts);
        }
        assert!(source_of(&whole, counts).is_ok());
    }

    #[test]
    fn old_encodings_are_read() {
        let latin = [
            b"\\documentclass{a}\\usepackage[latin2]{inputenc}\\begin{document}",
            &b"\xb9"[..],
        ]
        .concat();
        assert!(
            source_of(&gzip(&latin), &mut Counts::default())
                .unwrap()
                .contains('š')
        );
    }
}
