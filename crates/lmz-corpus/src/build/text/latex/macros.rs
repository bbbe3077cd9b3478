//! The author's own commands, replaced by what they stand for.

use std::collections::HashMap;

use super::scan::{argument, name, optional};

/// Most definitions of a document.
const MAX_MACROS: usize = 10_000;
/// How often what a macro stands for is looked at for macros again.
const MAX_DEPTH: usize = 12;
/// How much longer a text may become.
const MAX_GROWTH: usize = 8;

struct Macro {
    arguments: usize,
    /// What the first argument is where it is not given.
    default: Option<String>,
    body: String,
}

/// A text with the macros that it defines replaced, and without their definitions. One that grows without end stays as it is.
pub fn expand(tex: &str) -> String {
    let mut macros = HashMap::new();
    let rest = definitions(tex, &mut macros);
    if macros.is_empty() {
        return rest;
    }
    let most = MAX_GROWTH * tex.len() + (1 << 16);
    let mut out = String::with_capacity(rest.len());
    match replace(&rest, &macros, most, MAX_DEPTH, &mut out) {
        Some(()) => out,
        None => rest,
    }
}

/// Takes definitions out of a text.
fn definitions(tex: &str, macros: &mut HashMap<String, Macro>) -> String {
    let mut out = String::with_capacity(tex.len());
    let mut rest = tex;
    // Definitions that are none: each costs a search for an end.
    let mut broken = 0;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let command = name(rest);
        let behind = rest[command.len()..].trim_start_matches('*');
        let found = match command {
            _ if broken > 1000 || macros.len() >= MAX_MACROS => None,
            "newcommand" | "renewcommand" | "providecommand" | "DeclareRobustCommand" => {
                new_command(behind)
            }
            "def" | "gdef" => def(behind),
            "DeclareMathOperator" => operator(behind),
            _ => {
                // The backslash with what follows, so that `\\` is not taken apart.
                let length = command
                    .len()
                    .max(rest.chars().next().map_or(0, char::len_utf8));
                out.push('\\');
                out.push_str(&rest[..length]);
                rest = &rest[length..];
                continue;
            }
        };
        match found {
            Some((name, one, after)) => {
                macros.insert(name, one);
                rest = after;
            }
            None => {
                broken += 1;
                out.push('\\');
                out.push_str(command);
                rest = &rest[command.len()..];
            }
        }
    }
    out.push_str(rest);
    out
}

type Definition<'a> = Option<(String, Macro, &'a str)>;

fn new_command(text: &str) -> Definition<'_> {
    let (what, mut rest) = argument(text)?;
    let name = command_name(what)?;
    let mut arguments = 0;
    if let Some((count, after)) = optional(rest) {
        arguments = count.trim().parse::<usize>().ok().filter(|n| *n <= 9)?;
        rest = after;
    }
    let mut default = None;
    if let Some((value, after)) = optional(rest) {
        default = Some(value.to_owned());
        rest = after;
    }
    let (body, rest) = argument(rest)?;
    Some((
        name,
        Macro {
            arguments,
            default,
            body: body.to_owned(),
        },
        rest,
    ))
}

fn def(text: &str) -> Definition<'_> {
    let (what, rest) = argument(text)?;
    let name = command_name(what)?;
    let mut rest = rest.trim_start();
    let mut arguments = 0;
    // Parameters that follow each other only: others have delimiters.
    while let Some(after) = rest.strip_prefix('#') {
        arguments += 1;
        rest = after.strip_prefix(char::from_digit(arguments, 10)?)?;
    }
    if !rest.starts_with('{') {
        return None;
    }
    let (body, rest) = argument(rest)?;
    let arguments = arguments as usize;
    Some((
        name,
        Macro {
            arguments,
            default: None,
            body: body.to_owned(),
        },
        rest,
    ))
}

fn operator(text: &str) -> Definition<'_> {
    let (what, rest) = argument(text)?;
    let (body, rest) = argument(rest)?;
    let body = format!("\\operatorname{{{body}}}");
    Some((
        command_name(what)?,
        Macro {
            arguments: 0,
            default: None,
            body,
        },
        rest,
    ))
}

fn command_name(what: &str) -> Option<String> {
    let what = what.trim().strip_prefix('\\')?;
    (!what.is_empty() && name(what) == what).then(|| what.to_owned())
}

/// Writes a text with macros replaced; `None` if it becomes too long.
fn replace(
    text: &str,
    macros: &HashMap<String, Macro>,
    most: usize,
    depth: usize,
    out: &mut String,
) -> Option<()> {
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        if out.len() > most {
            return None;
        }
        rest = &rest[at + 1..];
        let command = name(rest);
        let behind = &rest[command.len()..];
        let found = macros.get(command).filter(|_| depth > 0);
        match found.and_then(|one| apply(one, behind)) {
            Some((body, after)) => {
                replace(&body, macros, most, depth - 1, out)?;
                // `\R x` and `\Rx` are different things, `\mathbb{R}x` is not.
                let word = body
                    .rsplit('\\')
                    .next()
                    .is_some_and(|last| body.contains('\\') && name(last) == last);
                if word && after.starts_with(|c: char| c.is_ascii_alphabetic()) {
                    out.push(' ');
                }
                rest = after;
            }
            None => {
                let length = command
                    .len()
                    .max(rest.chars().next().map_or(0, char::len_utf8));
                out.push('\\');
                out.push_str(&rest[..length]);
                rest = &rest[length..];
            }
        }
    }
    out.push_str(rest);
    (out.len() <= most).then_some(())
}

/// What a macro stands for with the arguments that follow it, and what is behind them.
fn apply<'a>(one: &Macro, text: &'a str) -> Option<(String, &'a str)> {
    let mut given: Vec<&str> = Vec::new();
    let mut rest = text;
    if let Some(default) = &one.default {
        match optional(rest) {
            Some((value, after)) => {
                given.push(value);
                rest = after;
            }
            None => given.push(default),
        }
    }
    while given.len() < one.arguments {
        let (value, after) = argument(rest)?;
        given.push(value);
        rest = after;
    }
    if one.arguments == 0 {
        // A command of letters takes the spaces behind it.
        rest = rest.strip_prefix(' ').unwrap_or(rest);
    }
    let mut body = String::with_capacity(one.body.len());
    let mut parts = one.body.split('#');
    body.push_str(parts.next().unwrap_or(""));
    for part in parts {
        let number = part.chars().next().and_then(|c| c.to_digit(10));
        match number.and_then(|n| given.get((n as usize).wrapping_sub(1))) {
            Some(value) => {
                body.push_str(value);
                body.push_str(&part[1..]);
            }
            None => {
                body.push('#');
                body.push_str(part);
            }
        }
    }
    Some((body, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn macros_are_replaced() {
        for (tex, expected) in [
            (
                "\\newcommand{\\R}{\\mathbb{R}}$\\R^n$ \\R",
                "$\\mathbb{R}^n$ \\mathbb{R}",
            ),
            ("\\def\\a#1#2{#2-#1}\\a x{yz}", "yz-x"),
            ("\\newcommand{\\f}[2][d]{#1/#2}\\f{a}\\f[b]{c}", "d/ab/c"),
            (
                "\\DeclareMathOperator{\\rk}{rk}\\rk A",
                "\\operatorname{rk}A",
            ),
            ("\\def\\e{\\varepsilon}\\e x", "\\varepsilon x"),
            ("\\newcommand\\a{\\b}\\newcommand\\b{c}\\a", "c"),
            ("\\\\def \\alpha", "\\\\def \\alpha"),
            ("\\def\\a|#1|{x}\\a|y|", "\\def\\a|#1|{x}\\a|y|"),
        ] {
            assert_eq!(expand(tex), expected, "{tex}");
        }
    }

    #[test]
    fn what_grows_without_end_stays() {
        let tex = format!(
            "{}\\newcommand{{\\z}}{{x}}\\a",
            (b'a'..b'y')
                .map(|c| {
                    let (c, d) = (c as char, (c + 1) as char);
                    format!("\\newcommand{{\\{c}}}{{{}}}", format!("\\{d}").repeat(40))
                })
                .collect::<String>()
        );
        assert!(expand(&tex).len() <= 9 * tex.len() + (1 << 17));
    }
}
