//! From a generated text to an answer.

use regex::Regex;

use super::math::normal;
use crate::boxed::boxed;
use crate::task::Step;

/// What stands for an answer that is nowhere, in regular expressions and in mathematics: as lm-evaluation-harness.
const INVALID: &str = "[invalid]";
const INVALID_ANSWER: &str = "[invalidanswer]";

/// Applies steps in turn. Patterns were compiled when the task was read.
pub(super) fn extract(text: &str, steps: &[Step]) -> String {
    steps
        .iter()
        .fold(text.to_owned(), |text, step| one(&text, step))
}

fn one(text: &str, step: &Step) -> String {
    match step {
        Step::Regex { pattern, last } => matched(text, pattern, *last),
        Step::TrimStart => text.trim_start().to_owned(),
        Step::Trim => text.trim().to_owned(),
        Step::Before(mark) => text
            .split(mark.as_str())
            .next()
            .unwrap_or_default()
            .to_owned(),
        Step::AfterLast(mark) => text
            .rsplit(mark.as_str())
            .next()
            .unwrap_or_default()
            .to_owned(),
        Step::FinalAnswer => final_answer(text),
        Step::Boxed => boxed(text).unwrap_or(INVALID_ANSWER.into()),
        Step::MathNormal => normal(text),
    }
}

/// As Python's `findall` and the first group that is not empty.
fn matched(text: &str, pattern: &str, last: bool) -> String {
    let Ok(pattern) = Regex::new(pattern) else {
        return INVALID.into();
    };
    let mut all = pattern.captures_iter(text);
    let found = match last {
        true => all.last(),
        false => all.next(),
    };
    let Some(found) = found else {
        return INVALID.into();
    };
    if found.len() == 1 {
        return found[0].trim().to_owned();
    }
    let mut groups = found.iter().skip(1).flatten().map(|group| group.as_str());
    groups
        .find(|group| !group.is_empty())
        .unwrap_or(INVALID)
        .trim()
        .to_owned()
}

/// As the prompt of Lewkowycz et al. (2022) has it.
fn final_answer(text: &str) -> String {
    let text = format!("{text}I hope it is correct.");
    let pattern = Regex::new("Final Answer: The final answer is(.*?). I hope it is correct.");
    let found = pattern.ok().and_then(|pattern| {
        let captures = pattern.captures(&text)?;
        Some(captures.get(1)?.as_str().trim().to_owned())
    });
    found.unwrap_or(INVALID_ANSWER.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_regular_expression_gives_its_first_group_that_took_part() {
        let number = "(-?[$0-9.,]{2,})|(-?[0-9]+)";
        assert_eq!(matched("He has 3 and 1,200 left.", number, true), "1,200");
        assert_eq!(matched("He has 3 left", number, true), "3");
        assert_eq!(matched("none", number, true), INVALID);
        assert_eq!(
            matched("#### -72 and #### 3", r"#### (\-?[0-9\.\,]+)", false),
            "-72"
        );
    }

    #[test]
    fn the_final_answer_ends_with_its_phrase() {
        let text = " So.\nFinal Answer: The final answer is $[2,5)$. I hope it is correct.";
        assert_eq!(final_answer(text), "$[2,5)$");
        // A stop text may have taken the phrase's end.
        assert_eq!(
            final_answer("Final Answer: The final answer is $24$. "),
            "$24$"
        );
        assert_eq!(final_answer("24"), INVALID_ANSWER);
    }
}
