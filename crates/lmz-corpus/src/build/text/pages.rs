//! Text that was taken out of a PDF: pages between form feeds.

use std::collections::HashMap;

/// Pages as one text: without page numbers and lines that head or foot most pages, words that were divided at the end of a
/// line made whole, and the lines of a paragraph joined.
pub fn pages_to_text(text: &str) -> String {
    let pages: Vec<Vec<&str>> = text
        .split('\x0c')
        .map(|page| page.lines().collect())
        .collect();
    // A heading changes its page number only.
    let key = |line: &str| line.trim().replace(|c: char| c.is_ascii_digit(), "0");
    let mut seen: HashMap<String, usize> = HashMap::new();
    for page in &pages {
        for line in edges(page) {
            *seen.entry(key(page[line])).or_default() += 1;
        }
    }
    let often = (pages.len() / 2).max(2);
    let mut out = String::with_capacity(text.len());
    for page in &pages {
        let edges: Vec<usize> = edges(page).collect();
        for (number, line) in page.iter().enumerate() {
            let line = line.trim();
            let is_edge = edges.contains(&number);
            let running = is_edge && seen.get(&key(line)).is_some_and(|n| *n >= often);
            let numbered = is_edge && line.bytes().all(|b| b.is_ascii_digit());
            if !running && !numbered {
                join(&mut out, line);
            }
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// The first and last line of a page that are not empty.
fn edges(page: &[&str]) -> impl Iterator<Item = usize> + use<> {
    let first = page.iter().position(|line| !line.trim().is_empty());
    let last = page.iter().rposition(|line| !line.trim().is_empty());
    first
        .into_iter()
        .chain(last.filter(|last| Some(*last) != first))
}

/// Adds a line: to the line before, if that goes on.
fn join(out: &mut String, line: &str) {
    if line.is_empty() {
        if !out.is_empty() && !out.ends_with("\n\n") {
            out.truncate(out.trim_end_matches([' ', '\n']).len());
            out.push_str("\n\n");
        }
        return;
    }
    let divided = out.ends_with('-') && line.starts_with(char::is_lowercase) && {
        let before = out[..out.len() - 1].chars().next_back();
        before.is_some_and(char::is_alphabetic)
    };
    if divided {
        out.pop();
    } else if !out.is_empty() && !out.ends_with('\n') {
        out.push(' ');
    }
    out.push_str(line);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_become_one_text() {
        let text = "Journal of Things 1\n\nThe first para-\ngraph goes on\n\n1\x0cJournal of Things 2\nover the page.\n\n\
                    Another - one.\n2\x0cJournal of Things 3\nEnd of 3\n3\n";
        assert_eq!(
            pages_to_text(text),
            "The first paragraph goes on\n\nover the page.\n\nAnother - one. End of 3"
        );
        assert_eq!(pages_to_text("one page\nonly"), "one page only");
        assert_eq!(pages_to_text(""), "");
    }
}
