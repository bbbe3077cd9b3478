//! Prose from the web: what of a page is text, and whether it is enough.

use std::sync::OnceLock;

use aho_corasick::AhoCorasick;

use super::super::counts::Counts;
use super::super::dedup::has_text;

/// Phrases of lines that are there for the site and not for the reader; such a line is short.
const PHRASES: [&str; 24] = [
    "accept all cookies",
    "accept cookies",
    "use of cookies",
    "uses cookies",
    "use cookies",
    "cookie policy",
    "enable javascript",
    "javascript is disabled",
    "javascript must be enabled",
    "requires javascript",
    "all rights reserved",
    "terms of service",
    "terms of use",
    "terms and conditions",
    "privacy policy",
    "skip to content",
    "skip to main content",
    "sign up for our newsletter",
    "subscribe to our newsletter",
    "log in or register",
    "forgot your password",
    "share on facebook",
    "share on twitter",
    "powered by wordpress",
];
/// Longest line, in bytes, that is taken for such a one.
const SHORT: usize = 200;
/// This many lines of few words one after the other are a menu.
const MENU: usize = 5;
/// Most words of a menu's line.
const MENU_WORDS: usize = 4;

/// Which documents are kept.
#[derive(Clone, Debug)]
pub struct ProseFilter {
    /// Fewest characters.
    pub min_characters: u64,
    /// Least share of the characters that are letters or digits.
    pub min_alphanumeric: f64,
    /// Most characters of a line.
    pub max_line: u64,
    /// Whether menus and notices are cut.
    pub boilerplate: bool,
}

impl Default for ProseFilter {
    fn default() -> Self {
        Self {
            min_characters: 300,
            min_alphanumeric: 0.5,
            max_line: 100_000,
            boilerplate: true,
        }
    }
}

impl ProseFilter {
    /// The text, or what is left of it; `None` if it is not kept.
    pub fn keep(&self, text: String, counts: &mut Counts) -> Option<String> {
        let text = match self.boilerplate {
            true => without_boilerplate(&text, counts),
            false => text,
        };
        self.is_enough(&text, counts).then_some(text)
    }

    /// Whether a text is long enough and mostly words.
    pub fn is_enough(&self, text: &str, counts: &mut Counts) -> bool {
        let (mut characters, mut alphanumeric, mut spaces, mut longest) = (0u64, 0u64, 0u64, 0u64);
        for part in text.split_inclusive('\n') {
            // Most lines are ASCII, and bytes are quicker.
            let (count, words, blanks) = match part.is_ascii() {
                true => {
                    let words = part.bytes().filter(u8::is_ascii_alphanumeric).count();
                    (
                        part.len(),
                        words,
                        part.bytes().filter(|b| matches!(b, b' ' | b'\n')).count(),
                    )
                }
                false => (
                    part.chars().count(),
                    part.chars().filter(|c| c.is_alphanumeric()).count(),
                    part.chars().filter(|c| matches!(c, ' ' | '\n')).count(),
                ),
            };
            characters += count as u64;
            alphanumeric += words as u64;
            spaces += blanks as u64;
            longest = longest.max(count as u64 - u64::from(part.ends_with('\n')));
        }
        let reason = if characters < self.min_characters {
            "dropped: too short"
        } else if longest > self.max_line {
            "dropped: a line too long"
        } else if (alphanumeric as f64) < self.min_alphanumeric * (characters - spaces) as f64 {
            "dropped: too few letters"
        } else {
            return true;
        };
        counts.one(reason);
        false
    }
}

/// A text without notices that many sites have, and without menus: five or more lines of at most four words each, none
/// of which ends as a sentence does.
pub fn without_boilerplate(text: &str, counts: &mut Counts) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut menu: Vec<&str> = Vec::new();
    let mut cut = 0u64;
    let mut end_menu = |menu: &mut Vec<&str>, kept: &mut String| {
        let lines = menu.iter().filter(|line| has_text(line)).count();
        if lines >= MENU {
            cut += lines as u64;
        } else {
            for line in menu.iter() {
                kept.push_str(line);
                kept.push('\n');
            }
        }
        menu.clear();
    };
    let mut notices = 0u64;
    for line in text.lines() {
        if is_notice(line) {
            notices += 1;
        } else if is_menu(line) {
            menu.push(line);
        } else {
            end_menu(&mut menu, &mut kept);
            kept.push_str(line);
            kept.push('\n');
        }
    }
    end_menu(&mut menu, &mut kept);
    counts.add("cut lines: menus", cut);
    counts.add("cut lines: notices", notices);
    kept.truncate(kept.trim_end().len());
    kept
}

fn is_notice(line: &str) -> bool {
    static PHRASE: OnceLock<Option<AhoCorasick>> = OnceLock::new();
    if line.len() > SHORT {
        return false;
    }
    let phrase = PHRASE.get_or_init(|| {
        AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(PHRASES)
            .ok()
    });
    phrase.as_ref().is_some_and(|phrase| phrase.is_match(line))
}

fn is_menu(line: &str) -> bool {
    let line = line.trim_end();
    // A script without spaces has no short lines of words.
    line.len() < 60
        && !line.ends_with([
            '.', '!', '?', ':', ';', ',', '"', '”', '。', '！', '？', '…', ')',
        ])
        && !line.starts_with(['#', '-', '*', '|', '>', '`', '$', '\\'])
        && line.split_whitespace().take(MENU_WORDS + 1).count() <= MENU_WORDS
        && (line.is_ascii() || line.contains(' ') || line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn menus_and_notices_go_and_headings_stay() {
        let text = "Home\nAbout us\nProducts\nNews\nContact\n\nA heading\n\nThe first sentence of a page.\n\
                    This site uses cookies to improve your experience.\nName\nPlace\nThe last sentence.\n";
        let mut counts = Counts::default();
        let kept = without_boilerplate(text, &mut counts);
        assert_eq!(counts.get("cut lines: menus"), 6);
        assert_eq!(counts.get("cut lines: notices"), 1);
        // The heading was taken for the menu's last line: headings behind menus are lost, others are not.
        assert_eq!(
            kept,
            "The first sentence of a page.\nName\nPlace\nThe last sentence."
        );
        let short = "A heading\n\nThe first sentence of a page.";
        assert_eq!(without_boilerplate(short, &mut counts), short);
    }

    #[test]
    fn reasons_are_counted() {
        let filter = ProseFilter {
            min_characters: 10,
            max_line: 50,
            ..ProseFilter::default()
        };
        let mut counts = Counts::default();
        assert!(filter.is_enough("Zwölf Boxkämpfer jagen Viktor.", &mut counts));
        assert!(!filter.is_enough("short", &mut counts));
        assert!(!filter.is_enough("= - = - = - = - = - = a", &mut counts));
        assert!(!filter.is_enough(&"word ".repeat(20), &mut counts));
        let found: Vec<(&str, u64)> = counts.iter().collect();
        let all = [
            "dropped: a line too long",
            "dropped: too few letters",
            "dropped: too short",
        ];
        assert_eq!(found, all.map(|reason| (reason, 1)));
    }
}
