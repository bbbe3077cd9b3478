//! Names of GGUF files that are parts of one model: `NAME-00001-of-00003.gguf`.

/// A name without `-00001-of-00003.gguf`, and how many parts there are.
fn split(name: &str) -> Option<(&str, usize)> {
    let stem = name.strip_suffix(".gguf")?;
    let (rest, count) = stem.rsplit_once("-of-")?;
    let (stem, number) = rest.rsplit_once('-')?;
    let fine = |digits: &str| digits.len() == 5 && digits.bytes().all(|b| b.is_ascii_digit());
    if !fine(number) || !fine(count) {
        return None;
    }
    let count: usize = count.parse().ok()?;
    Some((stem, count)).filter(|(_, count)| *count > 0)
}

/// The names of all parts of the model that a file is a part of; its own if it is whole.
pub(crate) fn parts(name: &str) -> Vec<String> {
    match split(name) {
        Some((stem, count)) => (1..=count)
            .map(|number| format!("{stem}-{number:05}-of-{count:05}.gguf"))
            .collect(),
        None => vec![name.to_owned()],
    }
}

/// Of some names those that models begin with: whole files and first parts, sorted.
pub(crate) fn models<'n>(names: impl Iterator<Item = &'n str>) -> Vec<&'n str> {
    let first = |name: &str| match split(name) {
        Some((_, count)) => name.ends_with(&format!("-00001-of-{count:05}.gguf")),
        None => name.ends_with(".gguf"),
    };
    let mut found: Vec<&str> = names.filter(|name| first(name)).collect();
    found.sort_unstable();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_have_numbers() {
        assert_eq!(parts("a.gguf"), ["a.gguf"]);
        assert_eq!(
            parts("d/a-00002-of-00002.gguf"),
            ["d/a-00001-of-00002.gguf", "d/a-00002-of-00002.gguf"]
        );
        for whole in [
            "a-1-of-2.gguf",
            "a-00001-of-00000.gguf",
            "a-0000x-of-00002.gguf",
        ] {
            assert_eq!(parts(whole), [whole]);
        }
        let names = [
            "b-00002-of-00002.gguf",
            "b-00001-of-00002.gguf",
            "a.gguf",
            "c.txt",
        ];
        assert_eq!(
            models(names.into_iter()),
            ["a.gguf", "b-00001-of-00002.gguf"]
        );
    }
}
