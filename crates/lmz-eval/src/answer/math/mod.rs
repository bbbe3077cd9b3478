//! When two mathematical answers are the same.

mod normal;
mod parse;

pub(super) use normal::normal;

/// Longest answer that is looked into; of longer ones only the letters count.
const LONGEST: usize = 1000;
/// How many times letters are given values.
const POINTS: u64 = 3;

/// Whether two answers, both in [`normal`] form, are the same: letter by letter; as lists, tuples, intervals, sets and
/// matrices of the same answers; or as expressions that have the same value whatever their letters stand for (three
/// values are tried).
pub(super) fn same(a: &str, b: &str) -> bool {
    let (a, b) = (plain(a), plain(b));
    if a == b {
        return true;
    }
    if a.len() > LONGEST || b.len() > LONGEST || a.is_empty() || b.is_empty() {
        return false;
    }
    for separator in ["\\cup", "\\\\", "&"] {
        let (left, right) = (parts(&a, separator), parts(&b, separator));
        if left.len() > 1 || right.len() > 1 {
            return pairwise(&left, &right);
        }
    }
    if let (Some((open, inner, close)), Some((other_open, other, other_close))) =
        (bracketed(&a), bracketed(&b))
    {
        let separator = ["\\\\", "&", ","]
            .into_iter()
            .find(|mark| parts(inner, mark).len() > 1);
        if separator.is_some() || open == "\\{" {
            let mark = separator.unwrap_or(",");
            let (left, right) = (parts(inner, mark), parts(other, mark));
            return (open, close) == (other_open, other_close)
                && match open == "\\{" {
                    true => in_any_order(&left, &right),
                    false => pairwise(&left, &right),
                };
        }
    }
    let (left, right) = (parts(&a, ","), parts(&b, ","));
    if left.len() > 1 || right.len() > 1 {
        return in_any_order(&left, &right);
    }
    !is_word(&a) && !is_word(&b) && same_value(&a, &b)
}

/// Without what changes only how an answer looks.
fn plain(text: &str) -> String {
    let mut text = text.trim().trim_end_matches('.').to_owned();
    for looks in [
        "\\left",
        "\\right",
        "\\!",
        "\\,",
        " ",
        "\\displaystyle",
        "{}",
    ] {
        text = text.replace(looks, "");
    }
    for (kind, same) in [
        ("\\dfrac", "\\frac"),
        ("\\tfrac", "\\frac"),
        ("\\begin{pmatrix}", "("),
        ("\\end{pmatrix}", ")"),
    ] {
        text = text.replace(kind, same);
    }
    text
}

/// Words are the same only letter by letter: `even` is no product.
fn is_word(text: &str) -> bool {
    let mut run = 0;
    let mut command = false;
    for c in text.chars() {
        if c == '\\' {
            command = true;
            run = 0;
        } else if c.is_alphabetic() {
            run += usize::from(!command);
            if run >= 3 {
                return true;
            }
        } else {
            command = false;
            run = 0;
        }
    }
    false
}

fn same_value(a: &str, b: &str) -> bool {
    (0..POINTS).all(|point| {
        // Letters stand for numbers that nobody would write.
        let letter = |c: char| {
            let seed = u64::from(u32::from(c)) * 31 + point;
            0.5 + 2.0 * (lmz_metric::SplitMix64::new(seed).next() >> 11) as f64
                / (1u64 << 53) as f64
        };
        match (parse::value(a, &letter), parse::value(b, &letter)) {
            (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1e-9),
            _ => false,
        }
    })
}

fn pairwise(a: &[&str], b: &[&str]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
}

fn in_any_order(a: &[&str], b: &[&str]) -> bool {
    let mut left: Vec<&str> = b.to_vec();
    a.len() == b.len()
        && a.iter().all(|a| {
            let found = left.iter().position(|b| same(a, b));
            found.map(|at| left.swap_remove(at)).is_some()
        })
}

/// What stands between separators that are in no brackets.
fn parts<'a>(text: &'a str, separator: &str) -> Vec<&'a str> {
    let (mut depth, mut start) = (0i32, 0);
    let mut parts = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        if depth == 0 && rest.starts_with(separator) {
            parts.push(&text[start..at]);
            at += separator.len();
            start = at;
            continue;
        }
        let c = rest.chars().next().unwrap_or(' ');
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        at += c.len_utf8();
    }
    parts.push(&text[start..]);
    parts
}

/// An answer's brackets, if the first one closes at its end; those of intervals need not be of one kind.
fn bracketed(text: &str) -> Option<(&str, &str, &str)> {
    let open = ["\\{", "(", "["]
        .into_iter()
        .find(|open| text.starts_with(open))?;
    let close = ["\\}", ")", "]"]
        .into_iter()
        .find(|close| text.ends_with(close))?;
    let inner = text.get(open.len()..text.len() - close.len())?;
    let mut depth = 0i32;
    for c in inner.chars() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return None;
        }
    }
    Some((open, inner, close))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_value_may_be_written_in_many_ways() {
        for (a, b) in [
            ("\\frac{1}{2}", "0.5"),
            ("\\dfrac{1}{2}", "1/2"),
            ("2\\sqrt{3}", "\\sqrt{12}"),
            ("\\frac{\\sqrt{2}}{2}", "\\frac{1}{\\sqrt{2}}"),
            ("(x+1)^2", "x^2+2x+1"),
            ("-\\frac{2}{3}", "\\frac{-2}{3}"),
            ("2\\frac{1}{2}", "2.5"),
            ("\\left(1,\\frac{1}{2}\\right)", "(1,0.5)"),
            ("[2,5)", "[2, 5)"),
            ("1,-2", "-2,1"),
            ("\\{1,2\\}", "\\{2,1\\}"),
            (
                "(-\\infty,2)\\cup(3,\\infty)",
                "(-\\infty,2)\\cup(3,\\infty)",
            ),
            (
                "\\begin{pmatrix}1\\\\2\\end{pmatrix}",
                "\\begin{pmatrix}1\\\\\\frac{4}{2}\\end{pmatrix}",
            ),
            ("10\\%", "10"),
            ("5!", "120"),
            ("2^{10}", "1024"),
            ("\\cos\\frac{\\pi}{3}", "\\frac12"),
            ("even", "even"),
        ] {
            assert!(same(&normal(a), &normal(b)), "{a} and {b}");
        }
    }

    #[test]
    fn another_value_is_another_answer() {
        for (a, b) in [
            ("\\frac{1}{2}", "0.51"),
            ("[2,5)", "(2,5)"),
            ("[2,5)", "[2,5]"),
            ("(1,2)", "(2,1)"),
            ("1,2", "1,2,3"),
            ("x+1", "x-1"),
            ("even", "neve"),
            ("", "0"),
            ("\\frac{1", "\\frac{1}{0}"),
            ("[invalidanswer]", "7"),
            ("(", "("),
        ] {
            let equal = same(&normal(a), &normal(b));
            assert_eq!(equal, a == b, "{a} and {b}");
        }
    }

    #[test]
    fn hostile_answers_end() {
        let deep = "(".repeat(900);
        assert!(!same(&deep, "1"));
        let braces = "{".repeat(5000);
        assert!(!same(&braces, "1"));
        assert!(!same(&"\\frac".repeat(150), "1"));
        assert!(!same("171!", "1"));
        let minus = "-".repeat(990) + "1";
        assert!(same(&minus, "1"));
    }
}
