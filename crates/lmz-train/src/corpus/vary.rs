//! Line and type habits of real files. Without them a model that has read tidy text only is
//! surprised by every CRLF, wrapped paragraph and typewriter quote.

use fastrand::Rng;

use crate::preset::Preset;

/// How likely which habits are.
pub(crate) struct Habits<'a> {
    preset: &'a Preset,
}

impl<'a> Habits<'a> {
    pub fn new(preset: &'a Preset) -> Self {
        Self { preset }
    }

    /// The text of a piece with habits drawn from `rng`.
    pub fn vary(&self, text: String, domain: &str, rng: &mut Rng) -> String {
        let prose = self.preset.prose.iter().any(|name| name == domain);
        let mut text = text;
        if prose {
            text = text.replace("\r\n", "\n");
            if rng.f64() < 0.5 {
                text = plain_type(&text, rng);
            }
            if rng.f64() < 0.6 {
                text = reflow(&text, rng);
            }
        }
        // E-texts have CRLF far more often than other files.
        let crlf = self.preset.crlf * if prose { 6.0 } else { 1.0 };
        if rng.f64() < crlf {
            text = text.replace("\r\n", "\n").replace('\n', "\r\n");
        }
        text
    }
}

/// Prose wrapped at one width: blank lines between paragraphs, now and then an indented first line.
fn reflow(text: &str, rng: &mut Rng) -> String {
    let long: usize = text
        .lines()
        .map(str::len)
        .filter(|&length| length > 120)
        .sum();
    let indent = match rng.f64() < 0.55 {
        true => 0,
        false => rng.usize(2..=5),
    };
    let width = rng.usize(58..=78);
    // One line a paragraph, or wrapped already.
    let paragraphs = text.split(if long > text.len() / 2 { "\n" } else { "\n\n" });
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for paragraph in paragraphs.filter(|paragraph| !paragraph.trim().is_empty()) {
        if !out.is_empty() {
            out.push_str("\n\n");
        }
        out.extend(std::iter::repeat_n(' ', indent));
        let mut column = indent;
        for (i, word) in paragraph.split_whitespace().enumerate() {
            let length = word.chars().count();
            if i > 0 && column + 1 + length > width {
                out.push('\n');
                column = 0;
            } else if i > 0 {
                out.push(' ');
                column += 1;
            }
            out.push_str(word);
            column += length;
        }
    }
    out.push('\n');
    out
}

/// Typewriter habits: straight or `leaning' quotes, -- for dashes, two spaces after a sentence.
fn plain_type(text: &str, rng: &mut Rng) -> String {
    let style = rng.f64();
    let marks: [&str; 4] = match style {
        0.0..0.5 => ["\"", "\"", "'", "'"],
        0.5..0.75 => ["`", "'", "`", "'"],
        _ => ["''", "''", "\"", "'"],
    };
    let dash = if rng.f64() < 0.7 { "--" } else { " -- " };
    let two_spaces = rng.f64() < 0.3;
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\u{201c}' => out.push_str(marks[0]),
            '\u{201d}' => out.push_str(marks[1]),
            '\u{2018}' => out.push_str(marks[2]),
            '\u{2019}' => out.push_str(marks[3]),
            '\u{2026}' => out.push_str("..."),
            '\u{2014}' => {
                if out.ends_with(' ') {
                    out.pop();
                }
                out.push_str(dash);
                characters.next_if_eq(&' ');
            }
            ' ' if two_spaces && out.ends_with(['.', '!', '?']) => {
                let sentence = characters.peek().is_some_and(|next| next.is_uppercase());
                out.push_str(if sentence { "  " } else { " " });
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;
    use proptest::prelude::{prop_assert_eq, proptest};

    use super::*;

    #[test]
    fn prose_is_wrapped_and_keeps_its_words() {
        let text = "One two three four five six seven eight nine ten eleven twelve thirteen.\n\n\
                    A second paragraph that is long enough to need at least two lines of text.";
        let wrapped = reflow(text, &mut Rng::with_seed(3));
        let words = |text: &str| {
            text.split_whitespace()
                .map(String::from)
                .collect::<Vec<_>>()
        };
        assert_eq!(words(text), words(&wrapped));
        assert!(wrapped.lines().all(|line| line.len() <= 78));
        assert!(wrapped.lines().count() > 3);
    }

    #[test]
    fn quotes_become_those_of_a_typewriter() {
        for seed in 0..20 {
            let plain = plain_type(
                "\u{201c}Well\u{201d} \u{2014} he\u{2019}s gone. So.",
                &mut Rng::with_seed(seed),
            );
            assert!(plain.is_ascii(), "{plain}");
            assert!(plain.contains("--") && plain.contains("he's"), "{plain}");
        }
    }

    proptest! {
        #[test]
        fn other_domains_keep_every_character_but_line_ends(text in ".{0,200}(\n.{0,40}){0,4}", seed: u64) {
            let preset = Preset { crlf: 0.5, ..Preset::default() };
            let varied = Habits::new(&preset).vary(text.clone(), "logs", &mut Rng::with_seed(seed));
            prop_assert_eq!(varied.replace("\r\n", "\n"), text.replace("\r\n", "\n"));
        }
    }
}
