//! When two texts are the same answer.

use std::collections::HashMap;

use regex::Regex;

use crate::task::Score;

/// What is compared of a text: expressions removed, then case, then punctuation, as lm-evaluation-harness does it.
fn compared(text: &str, score: &Score) -> String {
    let mut text = text.to_owned();
    for pattern in &score.remove {
        if let Ok(pattern) = Regex::new(pattern) {
            text = pattern.replace_all(&text, "").into_owned();
        }
    }
    if score.ignore_case {
        text = text.to_lowercase();
    }
    if score.ignore_punctuation {
        text.retain(|c| !c.is_ascii_punctuation());
    }
    text
}

/// Whether an answer is one of the targets.
pub(super) fn exact(answer: &str, targets: &[String], score: &Score) -> bool {
    let answer = compared(answer, score);
    targets
        .iter()
        .any(|target| compared(target, score) == answer)
}

/// The best F1 of an answer's words over all targets, as SQuAD's script has it: lower case, without punctuation and
/// articles.
pub(super) fn f1(answer: &str, targets: &[String]) -> f64 {
    let answer = words(answer);
    let each = targets
        .iter()
        .map(|target| overlap(&answer, &words(target)));
    each.fold(0.0, f64::max)
}

fn words(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let kept: String = lower
        .chars()
        .filter(|c| !c.is_ascii_punctuation())
        .collect();
    let words = kept
        .split_whitespace()
        .filter(|word| !["a", "an", "the"].contains(word));
    words.map(str::to_owned).collect()
}

fn overlap(answer: &[String], target: &[String]) -> f64 {
    if answer.is_empty() || target.is_empty() {
        return f64::from(u8::from(answer == target));
    }
    let mut left: HashMap<&str, usize> = HashMap::new();
    for word in target {
        *left.entry(word).or_default() += 1;
    }
    let mut same = 0;
    for word in answer {
        if let Some(count) = left.get_mut(word.as_str())
            && *count > 0
        {
            *count -= 1;
            same += 1;
        }
    }
    2.0 * f64::from(same) / (answer.len() + target.len()) as f64
}

/// The number of an answer: thousands' commas, a dollar or percent sign and a last dot are dropped.
pub(super) fn number(text: &str) -> Option<f64> {
    let text: String = text
        .trim()
        .chars()
        .filter(|c| !",$%".contains(*c))
        .collect();
    let number: f64 = text.trim_end_matches('.').trim().parse().ok()?;
    number.is_finite().then_some(number)
}

/// Whether two numbers are the same but for rounding.
pub(super) fn same_number(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-6 * b.abs().max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::Compare;

    #[test]
    fn what_is_ignored_does_not_count() {
        let mut score = Score {
            metric: "exact_match".into(),
            extract: Vec::new(),
            compare: Compare::Exact,
            ignore_case: false,
            ignore_punctuation: false,
            remove: vec![r"\b(?:The |the |An |A |The |a |an )".into()],
        };
        let targets = ["The Beatles".to_owned(), "Beatles, the".to_owned()];
        assert!(exact("Beatles", &targets, &score));
        assert!(!exact("beatles!", &targets, &score));
        score.ignore_case = true;
        score.ignore_punctuation = true;
        assert!(exact("beatles!", &targets, &score));
        assert!(!exact("Stones", &targets, &score));
    }

    #[test]
    fn f1_counts_words() {
        let targets = ["the red fox".to_owned(), "a wolf".to_owned()];
        assert_eq!(f1("The Red Fox.", &targets), 1.0);
        assert_eq!(f1("red", &targets), 2.0 / 3.0);
        assert_eq!(f1("red red", &targets), 0.5);
        assert_eq!(f1("bear", &targets), 0.0);
    }

    #[test]
    fn numbers_are_read_as_people_write_them() {
        assert_eq!(number(" $1,200.50 "), Some(1200.5));
        assert_eq!(number("72."), Some(72.0));
        assert_eq!(number("25%"), Some(25.0));
        assert_eq!(number("nan"), None);
        assert_eq!(number("six"), None);
        assert!(same_number(0.1 + 0.2, 0.3) && !same_number(1.0, 1.001));
    }
}
