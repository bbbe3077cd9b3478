//! Files that a document includes.

use std::collections::BTreeMap;

use super::super::super::text::latex::{argument, without_comments};

/// How deep files include files.
const MAX_DEPTH: usize = 12;
/// Most bytes that a document and what it includes are.
const MAX_BYTES: usize = 16 << 20;
/// Commands that include a file.
const COMMANDS: [&str; 5] = ["input", "include", "subfile", "import", "subimport"];

/// A place where a file is included: where the command begins and ends, and which file.
struct Place<'a> {
    start: usize,
    end: usize,
    file: String,
    command: &'a str,
}

/// The next place in `text`, from byte `from` on.
fn next(text: &str, from: usize) -> Option<Place<'_>> {
    let mut at = from;
    loop {
        at += text[at..].find('\\')?;
        let rest = &text[at + 1..];
        let length = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let command = &rest[..length];
        let behind = &rest[length..];
        if COMMANDS.contains(&command) {
            let (file, after) = match behind.trim_start().starts_with('{') {
                true => {
                    let (first, after) = argument(behind)?;
                    match command.ends_with("import") {
                        // The folder, then the file.
                        true => {
                            let (file, after) = argument(after)?;
                            (format!("{first}/{file}"), after)
                        }
                        false => (first.to_owned(), after),
                    }
                }
                // Plain TeX: the name ends at white space.
                false => {
                    let name = behind.trim_start_matches(' ');
                    let end = name
                        .find(|c: char| c.is_whitespace() || c == '\\' || c == '}')
                        .unwrap_or(name.len());
                    (name[..end].to_owned(), &name[end..])
                }
            };
            if !file.is_empty() {
                let end = text.len() - after.len();
                return Some(Place {
                    start: at,
                    end,
                    file,
                    command,
                });
            }
        }
        // The character behind the backslash is no command's beginning.
        at += 1 + length.max(rest.chars().next().map_or(0, char::len_utf8));
    }
}

/// The names of the files that a text without comments includes.
pub fn included(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut from = 0;
    while let Some(place) = next(text, from) {
        from = place.end;
        names.push(place.file);
    }
    names
}

/// A document with the files that it includes, without comments. Files that are not there, or that include themselves, are
/// left out.
pub fn resolve(files: &BTreeMap<String, String>, main: &str) -> String {
    let mut out = String::new();
    let mut open = Vec::new();
    put(files, main, &mut open, &mut out);
    out
}

fn put(files: &BTreeMap<String, String>, name: &str, open: &mut Vec<String>, out: &mut String) {
    let Some(text) = files.get(name) else { return };
    if open.len() >= MAX_DEPTH || open.iter().any(|one| one == name) || out.len() > MAX_BYTES {
        return;
    }
    open.push(name.to_owned());
    let text = without_comments(text);
    // A part that could stand alone is taken without its frame.
    let text = match open.len() > 1 && text.contains("\\begin{document}") {
        true => inner(&text),
        false => &text,
    };
    let mut from = 0;
    while let Some(place) = next(text, from) {
        out.push_str(&text[from..place.start]);
        match find(files, name, &place.file) {
            Some(file) => put(files, file, open, out),
            // A package's own file; pandoc would miss it, and the reader here drops it.
            None if place.command == "input" => {}
            None => {}
        }
        from = place.end;
        if out.len() > MAX_BYTES {
            break;
        }
    }
    if out.len() <= MAX_BYTES {
        out.push_str(&text[from..]);
        if !out.ends_with('\n') {
            out.push('\n');
        }
    }
    open.pop();
}

fn inner(text: &str) -> &str {
    let start = text
        .find("\\begin{document}")
        .map_or(0, |at| at + "\\begin{document}".len());
    let rest = &text[start..];
    &rest[..rest.find("\\end{document}").unwrap_or(rest.len())]
}

/// The file that is meant: beside the one that includes it, or from the top.
fn find<'a>(files: &'a BTreeMap<String, String>, from: &str, name: &str) -> Option<&'a str> {
    let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
    let name = name.trim().trim_matches('"');
    for base in [folder, ""] {
        let path = join(base, name)?;
        for end in ["", ".tex", ".ltx"] {
            if let Some((found, _)) = files.get_key_value(&format!("{path}{end}")) {
                return Some(found);
            }
        }
    }
    None
}

/// A path below the top; `None` if it leads out of it.
fn join(base: &str, name: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in base.split('/').chain(name.split('/')) {
        match part {
            "" | "." => {}
            ".." => _ = parts.pop()?,
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(files: &[(&str, &str)]) -> String {
        let files = files
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect();
        resolve(&files, "m.tex")
    }

    #[test]
    fn files_are_put_where_they_are_included() {
        let found = resolved(&[
            (
                "m.tex",
                "a\\input{s/one}b\\include{two}c\\input two.tex d \\import{s/}{three} % \\input{two}\n\\inputx",
            ),
            ("s/one.tex", "1\\input{four}"),
            ("s/four.tex", "4"),
            ("s/three.tex", "3"),
            ("two.tex", "\\begin{document}2\\end{document}"),
        ]);
        assert_eq!(found, "a14\nb2\nc2\n d 3\n \\inputx\n");
    }

    #[test]
    fn nothing_leads_out_or_in_circles() {
        let found = resolved(&[(
            "m.tex",
            "a\\input{m}\\input{../../etc/passwd}\\input{/etc/passwd}\\input{gone}b",
        )]);
        assert_eq!(found, "ab\n");
        let files: Vec<(String, String)> = (0..40)
            .map(|n| {
                (
                    format!("f{n}.tex"),
                    format!("\\input{{f{}}}", n + 1).repeat(3),
                )
            })
            .chain([("m.tex".to_owned(), "\\input{f0}".to_owned())])
            .collect();
        let files: Vec<(&str, &str)> = files
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str()))
            .collect();
        assert!(resolved(&files).len() <= MAX_BYTES + (1 << 20));
    }
}
