//! The box around a final answer.

/// What the last `\boxed{...}` or `\fbox{...}` of a text holds, or what follows the last `\boxed `.
pub(crate) fn boxed(text: &str) -> Option<String> {
    if let Some((_, rest)) = text.rsplit_once("\\boxed ") {
        return Some(rest.split('$').next().unwrap_or_default().to_owned());
    }
    let start = text.rfind("\\boxed").or_else(|| text.rfind("\\fbox"))?;
    let open = start + text[start..].find('{')?;
    let mut depth = 0;
    for (at, c) in text[open..].char_indices() {
        match c {
            '{' => depth += 1,
            '}' => {
                depth -= 1;
                if depth == 0 {
                    return Some(text[open + 1..open + at].to_owned());
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_may_hold_braces() {
        assert_eq!(
            boxed(r"so $\boxed{\frac{1}{2}}$ it is"),
            Some(r"\frac{1}{2}".into())
        );
        assert_eq!(boxed(r"first \boxed{1}, then \boxed{2}"), Some("2".into()));
        assert_eq!(boxed(r"$\boxed 7$"), Some("7".into()));
        assert_eq!(boxed(r"\boxed{1"), None);
        assert_eq!(boxed("none"), None);
    }
}
