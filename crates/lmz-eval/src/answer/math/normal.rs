//! Final answers in one form, as Lewkowycz et al. (2022), appendix D, and lm-evaluation-harness write it.

use std::sync::LazyLock;

use regex::Regex;

const SUBSTITUTIONS: [(&str, &str); 10] = [
    ("an ", ""),
    ("a ", ""),
    (".$", "$"),
    ("\\$", ""),
    ("\\ ", ""),
    (" ", ""),
    ("mbox", "text"),
    (",\\text{and}", ","),
    ("\\text{and}", ","),
    ("\\text{m}", "\\text{}"),
];

const REMOVED: [&str; 41] = [
    "square",
    "ways",
    "integers",
    "dollars",
    "mph",
    "inches",
    "ft",
    "hours",
    "km",
    "units",
    "\\ldots",
    "sue",
    "points",
    "feet",
    "minutes",
    "digits",
    "cents",
    "degrees",
    "cm",
    "gm",
    "pounds",
    "meters",
    "meals",
    "edges",
    "students",
    "childrentickets",
    "multiples",
    "\\text{s}",
    "\\text{.}",
    "\\text{\ns}",
    "\\text{}^2",
    "\\text{}^3",
    "\\text{\n}",
    "\\text{}",
    "\\mathrm{th}",
    "^\\circ",
    "^{\\circ}",
    "\\;",
    ",\\!",
    "{,}",
    "\"",
];

/// Patterns and what their matches become; each pattern is a constant.
static REWRITTEN: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let patterns = [
        (r"(.*?)(\$)(.*?)(\$)(.*)", "$$${3}$$"),
        (r"(\\text\{)(.*?)(\})", "${2}"),
        (r"(\\textbf\{)(.*?)(\})", "${2}"),
        (r"(\\overline\{)(.*?)(\})", "${2}"),
        (r"(\\boxed\{)(.*)(\})", "${2}"),
        (r"(frac)([^{])(.)", "frac{${2}}{${3}}"),
        (r"(sqrt)([^{\[])", "sqrt{${2}}"),
    ];
    let compiled = patterns
        .into_iter()
        .filter_map(|(pattern, with)| Some((Regex::new(pattern).ok()?, with)));
    compiled.collect()
});

/// An answer in that form.
pub(in crate::answer) fn normal(answer: &str) -> String {
    let mut answer = answer.rsplit('=').next().unwrap_or_default().to_owned();
    // Ours: "ft" below would make \\le of \\left.
    for sizes in ["\\left", "\\right"] {
        answer = answer.replace(sizes, "");
    }
    for (before, after) in SUBSTITUTIONS {
        answer = answer.replace(before, after);
    }
    for removed in REMOVED {
        answer = answer.replace(removed, "");
    }
    answer = answer.replace("\\dots", "");
    for (pattern, with) in REWRITTEN.iter() {
        answer = pattern.replace_all(&answer, *with).into_owned();
    }
    answer = answer.replace('$', "");
    let digits = answer.replace(',', "");
    match !digits.is_empty() && digits.chars().all(char::is_numeric) {
        true => digits,
        false => answer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_written_alike() {
        // Computed by lm-evaluation-harness's normalize_final_answer.
        for (answer, expected) in [
            ("$x = \\frac12$.", "\\frac{1}{2}."),
            ("12,345 dollars", "12345"),
            ("\\text{(A)}", "(A)"),
            ("$[2,5)$", "[2,5)"),
            ("90^\\circ", "90"),
            ("the area is $\\sqrt3$ units", "\\sqrt{3}"),
            ("\\boxed{7}", "7"),
        ] {
            assert_eq!(normal(answer), expected, "{answer}");
        }
        assert_eq!(REWRITTEN.len(), 7);
    }
}
