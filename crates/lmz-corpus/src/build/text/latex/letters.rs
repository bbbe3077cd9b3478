//! Letters and signs that are spelt with commands.

use super::convert::Converter;
use super::scan::optional;
use super::vocabulary::composed;

impl Converter {
    pub(super) fn ligature<'a>(
        &mut self,
        rest: &'a str,
        alone: &str,
        longer: &[(&str, &str)],
    ) -> &'a str {
        for (more, sign) in longer {
            if let Some(after) = rest.strip_prefix(more) {
                self.out.push_str(sign);
                return after;
            }
        }
        self.out.push_str(alone);
        rest
    }

    /// A command of one sign.
    pub(super) fn sign<'a>(&mut self, rest: &'a str) -> &'a str {
        let Some(sign) = rest.chars().next() else {
            return rest;
        };
        let after = &rest[sign.len_utf8()..];
        match sign {
            '(' => self.formula(after, "\\)", "$", "", ""),
            '[' => self.formula(after, "\\]", "$$", "", ""),
            '\\' => {
                self.out.push('\n');
                let after = after.trim_start_matches('*');
                optional(after).map_or(after, |(_, after)| after)
            }
            '\'' | '`' | '^' | '"' | '~' | '=' | '.' => self.accent(&rest[..1], after),
            ',' | ' ' | ';' | ':' | '\n' => {
                self.out.push(' ');
                after
            }
            '%' | '&' | '#' | '_' | '$' | '{' | '}' => {
                self.out.push(sign);
                after
            }
            '-' | '/' | '!' | '@' | '>' | '<' | '+' => after,
            _ => after,
        }
    }

    pub(super) fn accent<'a>(&mut self, accent: &str, rest: &'a str) -> &'a str {
        let Some((base, after)) = self.argument(rest) else {
            return rest;
        };
        let base = match base.trim() {
            "\\i" => "i",
            "\\j" => "j",
            base => base,
        };
        let mark = match accent {
            "'" => '\u{301}',
            "`" => '\u{300}',
            "^" => '\u{302}',
            "\"" => '\u{308}',
            "~" => '\u{303}',
            "=" | "b" => '\u{304}',
            "." => '\u{307}',
            "c" => '\u{327}',
            "v" => '\u{30c}',
            "u" => '\u{306}',
            "H" => '\u{30b}',
            "k" => '\u{328}',
            "r" => '\u{30a}',
            "d" => '\u{323}',
            _ => '\u{361}',
        };
        let mut letters = base.chars();
        if let Some(first) = letters.next() {
            match composed(first, mark) {
                Some(one) => self.out.push(one),
                None => self.out.extend([first, mark]),
            }
            self.out.push_str(letters.as_str());
        }
        after
    }
}
