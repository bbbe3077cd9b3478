//! Texts: those of `corpora/`, and stories for models that know nothing else.

use crate::{noise, read};

/// `corpora/alice29.txt`: 152,089 bytes of English prose, in no model's training data.
pub fn alice() -> Vec<u8> {
    read("corpora/alice29.txt")
}

/// The documents of a `corpora/*.jsonl` file one after the other, a line end behind each.
///
/// # Panics
///
/// If the file is not JSON lines with a `content`.
#[cfg(feature = "models")]
pub fn sample(domain: &str) -> Vec<u8> {
    let file = read(&format!("corpora/{domain}.jsonl"));
    let mut text = Vec::new();
    for line in serde_json::Deserializer::from_slice(&file).into_iter::<serde_json::Value>() {
        let line = line.expect("a line of JSON");
        text.extend_from_slice(line["content"].as_str().expect("a content").as_bytes());
        text.push(b'\n');
    }
    text
}

/// `len` bytes of stories of the kind that stories260K was trained on: on short pieces it beats zstd.
pub fn story(len: usize) -> Vec<u8> {
    let names = ["Lily", "Tom", "Mia", "Ben", "Sue", "Max", "Anna", "Tim"];
    let places = [
        "park", "forest", "beach", "garden", "house", "farm", "lake", "shop",
    ];
    let things = [
        "red ball",
        "little bird",
        "big dog",
        "shiny stone",
        "old tree",
        "small cat",
    ];
    let feelings = [
        "happy",
        "sad",
        "scared",
        "excited",
        "surprised",
        "proud",
        "tired",
    ];
    let mut text = String::new();
    let mut choices = noise(5 * (len / 100 + 1), 0).into_iter().map(usize::from);
    while text.len() < len {
        let mut pick = |words: &[&'static str]| words[choices.next().unwrap_or(0) % words.len()];
        let (name, place, thing) = (pick(&names), pick(&places), pick(&things));
        text.push_str(&match pick(&["a", "b", "c"]) {
            "a" => format!(
                "One day, {name} went to the {place} with her mom. She saw a {thing} and wanted to play \
                 with it. She was very {}. ",
                pick(&feelings)
            ),
            "b" => format!(
                "Once upon a time, there was a {thing}. It lived near the {place}. {name} came and said, \
                 \"Hello! Do you want to be my friend?\" They were {} together.\n",
                pick(&feelings)
            ),
            _ => format!(
                "{name} looked at the {thing} and felt {}. \"Can we go to the {place} now?\" he asked. His \
                 dad smiled and said yes.\n\n",
                pick(&feelings)
            ),
        });
    }
    text.truncate(len);
    text.into_bytes()
}
