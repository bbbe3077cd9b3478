//! TeX without comments and macros to Markdown.

use super::scan::{argument, name, optional};
use super::vocabulary::{DROPPED, FLOATS, FORMULAS, LEFT_OUT, letter};

/// How deep groups are looked into; what is deeper stays as it is.
const MAX_DEPTH: usize = 24;
/// Searches for an end that found none; after that many, none is begun.
const MAX_FAILURES: usize = 2000;
/// Longest environment that is taken as one thing (a formula, a figure), in bytes.
const MAX_ENVIRONMENT: usize = 1 << 16;

/// The text as Markdown.
pub fn to_markdown(tex: &str) -> String {
    let mut converter = Converter {
        out: String::with_capacity(tex.len()),
        failures: 0,
    };
    converter.text(tex, 0);
    tidy(&converter.out)
}

pub(super) struct Converter {
    pub(super) out: String,
    failures: usize,
}

impl Converter {
    fn text(&mut self, text: &str, depth: usize) {
        if depth > MAX_DEPTH {
            self.out.push_str(text);
            return;
        }
        let mut rest = text;
        while let Some(at) = rest.find(['\\', '$', '{', '}', '~', '`', '\'', '-', '\n']) {
            self.words(&rest[..at]);
            let (what, after) = rest[at..].split_at(1);
            rest = match what {
                "\\" => self.command(after, depth),
                "$" => self.dollars(after),
                "{" | "}" => after,
                "~" => {
                    self.out.push(' ');
                    after
                }
                "\n" => self.line_end(after),
                "-" => self.ligature(after, "-", &[("--", "—"), ("-", "–")]),
                "`" => self.ligature(after, "‘", &[("`", "“")]),
                _ => self.ligature(after, "'", &[("'", "”")]),
            };
        }
        self.words(rest);
    }

    /// Plain text: several spaces are one.
    fn words(&mut self, text: &str) {
        for part in text.split_inclusive(' ') {
            if part != " " || !self.out.ends_with(' ') {
                self.out.push_str(part);
            }
        }
    }

    fn line_end<'a>(&mut self, rest: &'a str) -> &'a str {
        let next = rest.trim_start_matches([' ', '\t']);
        match next.starts_with('\n') {
            true => self.out.push_str("\n\n"),
            false => self.out.push(if self.out.ends_with([' ', '\n']) {
                '\u{0}'
            } else {
                ' '
            }),
        }
        next
    }

    /// A formula that a dollar has begun.
    fn dollars<'a>(&mut self, rest: &'a str) -> &'a str {
        let (mark, rest) = match rest.strip_prefix('$') {
            Some(rest) => ("$$", rest),
            None => ("$", rest),
        };
        self.formula(rest, mark, mark, "", "")
    }

    /// A formula up to `end`, as `mark` and `mark`.
    pub(super) fn formula<'a>(
        &mut self,
        rest: &'a str,
        end: &str,
        mark: &str,
        before: &str,
        after: &str,
    ) -> &'a str {
        let Some(at) = self.find(rest, end) else {
            return rest;
        };
        let display = mark == "$$";
        if display {
            self.paragraph();
        }
        let inside = rest[..at].replace("\n\n", "\n");
        for part in [
            mark,
            before,
            if display { &inside } else { inside.trim() },
            after,
            mark,
        ] {
            self.out.push_str(part);
        }
        if display {
            self.paragraph();
        }
        &rest[at + end.len()..]
    }

    /// Where something ends, unless that is far or too much was searched for in vain.
    fn find(&mut self, text: &str, end: &str) -> Option<usize> {
        if self.failures > MAX_FAILURES {
            return None;
        }
        let near = &text[..text.floor_char_boundary(MAX_ENVIRONMENT)];
        let mut from = 0;
        let found = loop {
            let Some(at) = near[from..].find(end) else {
                break None;
            };
            let at = from + at;
            // `\$` ends no formula.
            let escaped =
                end.starts_with('$') && near[..at].ends_with('\\') && !near[..at].ends_with("\\\\");
            if !escaped {
                break Some(at);
            }
            from = at + 1;
        };
        self.failures += usize::from(found.is_none());
        found
    }

    pub(super) fn argument<'a>(&mut self, text: &'a str) -> Option<(&'a str, &'a str)> {
        if self.failures > MAX_FAILURES {
            return None;
        }
        let found = argument(text);
        self.failures += usize::from(found.is_none());
        found
    }

    fn command<'a>(&mut self, rest: &'a str, depth: usize) -> &'a str {
        let command = name(rest);
        if command.is_empty() {
            return self.sign(rest);
        }
        let after = rest[command.len()..].trim_start_matches('*');
        if let Some((_, arguments)) = DROPPED.iter().find(|(dropped, _)| *dropped == command) {
            return self.skip(after, *arguments);
        }
        match command {
            "begin" => self.begin(after, depth),
            "end" => {
                self.paragraph();
                self.skip(after, 1)
            }
            "section" | "chapter" => self.heading("# ", after, depth),
            "subsection" => self.heading("## ", after, depth),
            "subsubsection" => self.heading("### ", after, depth),
            "paragraph" | "subparagraph" => self.heading("#### ", after, depth),
            "emph" | "textit" | "textsl" => self.around("*", "*", after, depth),
            "textbf" => self.around("**", "**", after, depth),
            "texttt" => self.around("`", "`", after, depth),
            "footnote" => self.around("^[", "]", after, depth),
            "url" => self.around("<", ">", after, MAX_DEPTH),
            "caption" => {
                self.paragraph();
                self.around("", "\n\n", after, depth)
            }
            "cite" | "citep" | "citet" | "citealp" | "nocite" | "parencite" | "textcite" => {
                self.cite(after)
            }
            "ref" | "eqref" | "cref" | "Cref" | "autoref" | "pageref" => {
                self.around("[", "]", after, MAX_DEPTH)
            }
            "href" => match self
                .argument(after)
                .and_then(|(url, after)| Some((url, self.argument(after)?)))
            {
                Some((url, (text, after))) => {
                    self.out.push('[');
                    self.text(text, depth + 1);
                    self.out.push_str(&format!("]({url})"));
                    after
                }
                None => after,
            },
            "item" => {
                self.out
                    .truncate(self.out.trim_end_matches(['\n', ' ', '\0']).len());
                let line = self.out.rsplit('\n').next().unwrap_or("");
                self.out.push_str(if line.starts_with("- ") {
                    "\n- "
                } else {
                    "\n\n- "
                });
                let after = match optional(after) {
                    Some((label, after)) => {
                        self.text(label, depth + 1);
                        self.out.push(' ');
                        after
                    }
                    None => after,
                };
                after.trim_start_matches([' ', '\n'])
            }
            "par" | "bigskip" | "medskip" | "smallskip" | "newpage" | "clearpage" => {
                self.paragraph();
                after
            }
            "qed" | "qedhere" => {
                self.out.push('◻');
                after
            }
            _ => match letter(command) {
                Some(text) => {
                    self.out.push_str(text);
                    // The space behind a command ends its name; an empty group does so too.
                    after
                        .strip_prefix("{}")
                        .or(after.strip_prefix(' '))
                        .unwrap_or(after)
                }
                None if matches!(command, "c" | "v" | "u" | "H" | "k" | "r" | "d" | "b" | "t") => {
                    self.accent(command, after)
                }
                // The arguments of a command that nobody knows are likely text.
                None => {
                    let after = optional(after).map_or(after, |(_, after)| after);
                    after.strip_prefix(' ').unwrap_or(after)
                }
            },
        }
    }

    fn around<'a>(&mut self, before: &str, behind: &str, rest: &'a str, depth: usize) -> &'a str {
        let rest = optional(rest).map_or(rest, |(_, after)| after);
        let Some((inside, after)) = self.argument(rest) else {
            return rest;
        };
        self.out.push_str(before);
        self.text(inside, depth + 1);
        self.out.push_str(behind);
        after
    }

    fn heading<'a>(&mut self, mark: &str, rest: &'a str, depth: usize) -> &'a str {
        self.paragraph();
        let after = self.around(mark, "", rest, depth);
        self.paragraph();
        after
    }

    fn cite<'a>(&mut self, rest: &'a str) -> &'a str {
        let mut rest = rest;
        while let Some((_, after)) = optional(rest) {
            rest = after;
        }
        let Some((keys, after)) = self.argument(rest) else {
            return rest;
        };
        let keys: Vec<String> = keys
            .split(',')
            .map(|key| format!("@{}", key.trim()))
            .collect();
        self.out.push_str(&format!("[{}]", keys.join("; ")));
        after
    }

    fn begin<'a>(&mut self, rest: &'a str, depth: usize) -> &'a str {
        let Some((environment, after)) = self.argument(rest) else {
            return rest;
        };
        let kind = environment.trim_end_matches('*');
        let end = format!("\\end{{{environment}}}");
        if FORMULAS.contains(&kind) {
            let begin = format!("\\begin{{{environment}}}");
            return self.formula(after, &end, "$$", &begin, &end);
        }
        if kind == "math" {
            return self.formula(after, &end, "$", "", "");
        }
        let is_float = FLOATS.contains(&kind);
        let is_code = matches!(kind, "verbatim" | "lstlisting" | "minted" | "Verbatim");
        if is_float || is_code || LEFT_OUT.contains(&kind) {
            let Some(at) = self.find(after, &end) else {
                return after;
            };
            let inside = &after[..at];
            self.paragraph();
            if is_code {
                self.out
                    .push_str(&format!("```\n{}\n```", inside.trim_matches('\n')));
            }
            if let Some(caption) = inside.find("\\caption").filter(|_| is_float) {
                self.around("", "", &inside[caption + "\\caption".len()..], depth + 1);
            }
            self.paragraph();
            return &after[at + end.len()..];
        }
        self.paragraph();
        if matches!(
            kind,
            "itemize" | "enumerate" | "description" | "abstract" | "center" | "quote" | "document"
        ) {
            return optional(after).map_or(after, |(_, after)| after);
        }
        let statement = [
            "theorem",
            "lemma",
            "proposition",
            "corollary",
            "definition",
            "remark",
            "example",
            "proof",
        ];
        let (title, after) = match optional(after) {
            Some((title, after)) => (Some(title), after),
            None => (None, after),
        };
        if statement.contains(&kind) {
            let mut name = kind.to_owned();
            name[..1].make_ascii_uppercase();
            self.out.push_str(&format!("**{name}"));
            if let Some(title) = title {
                self.out.push_str(" (");
                self.text(title, depth + 1);
                self.out.push(')');
            }
            self.out.push_str(".** ");
        }
        after.trim_start_matches(['\n', ' '])
    }

    fn skip<'a>(&mut self, rest: &'a str, arguments: usize) -> &'a str {
        let mut rest = optional(rest).map_or(rest, |(_, after)| after);
        for _ in 0..arguments {
            let Some((_, after)) = self.argument(rest) else {
                break;
            };
            rest = optional(after).map_or(after, |(_, after)| after);
        }
        rest
    }

    fn paragraph(&mut self) {
        self.out.push_str("\n\n");
    }
}

/// Lines without white space at their ends, paragraphs one empty line apart.
fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut empty = true;
    for line in text.split('\n') {
        let line = line.replace('\0', "");
        let line = line.trim_end();
        // Formulas and code keep their indentation.
        let line = if line.starts_with("  ") {
            line
        } else {
            line.trim_start_matches(' ').trim_end()
        };
        if line.is_empty() {
            empty = true;
            continue;
        }
        if !out.is_empty() {
            out.push_str(if empty { "\n\n" } else { "\n" });
        }
        out.push_str(line);
        empty = false;
    }
    out
}
