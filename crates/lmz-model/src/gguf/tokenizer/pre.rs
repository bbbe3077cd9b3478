//! Pre-tokenizers by llama.cpp's names for them, each as the original `tokenizer.json` has it.
//!
//! A name stands for what a tokenizer does with a test text, so that several originals share
//! one. Names whose original is not known for certain are left out: a wrong split costs size.

use serde_json::{Value, json};

/// A way of splitting, and what goes with its name.
pub(super) struct Splitting {
    names: &'static [&'static str],
    steps: &'static [Step],
    /// A word that is a token is not merged.
    pub(super) ignores_merges: bool,
    /// Whether a context starts with a token where the file is silent.
    pub(super) adds_first_token: bool,
}

/// A step of a pre-tokenizer. The bytes are written as characters after the last one.
enum Step {
    /// Words as GPT-2 has them.
    Gpt2,
    /// Matches are words.
    Regex(&'static str),
    /// Each digit is a word.
    Digits,
    /// Runs of digits are words.
    Numbers,
    /// Runs of punctuation are words.
    Punctuation,
}

const LLAMA3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const QWEN2: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const TEKKEN: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const GPT4O: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

const ALL: &[Splitting] = &[
    Splitting {
        names: &[
            "gpt-2", "mpt", "olmo", "phi-2", "jais", "trillion", "exaone4", "mellum",
        ],
        steps: &[Step::Gpt2],
        ignores_merges: false,
        adds_first_token: false,
    },
    Splitting {
        names: &[
            "starcoder",
            "smollm",
            "refact",
            "command-r",
            "codeshell",
            "exaone",
            "minerva-7b",
        ],
        steps: &[Step::Digits, Step::Gpt2],
        ignores_merges: false,
        adds_first_token: false,
    },
    Splitting {
        // The original has the last two steps after writing bytes as characters, some of which
        // count as digits: other words are possible next to a few of those characters.
        names: &["falcon"],
        steps: &[
            Step::Punctuation,
            Step::Gpt2,
            Step::Numbers,
            Step::Regex("[0-9][0-9][0-9]"),
        ],
        ignores_merges: false,
        adds_first_token: false,
    },
    Splitting {
        names: &[
            "llama-bpe",
            "llama3",
            "llama-v3",
            "falcon3",
            "falcon-h1",
            "pixtral",
            "lfm2",
        ],
        steps: &[Step::Regex(LLAMA3)],
        ignores_merges: true,
        adds_first_token: true,
    },
    Splitting {
        names: &["dbrx", "smaug-bpe", "chatglm-bpe", "glm4"],
        steps: &[Step::Regex(LLAMA3)],
        ignores_merges: false,
        adds_first_token: false,
    },
    Splitting {
        names: &[
            "qwen2",
            "deepseek-r1-qwen",
            "megrez",
            "stablelm2",
            "hunyuan",
            "grok-2",
        ],
        steps: &[Step::Regex(QWEN2)],
        ignores_merges: false,
        adds_first_token: false,
    },
    Splitting {
        names: &["tekken"],
        steps: &[Step::Regex(TEKKEN)],
        ignores_merges: true,
        adds_first_token: true,
    },
    Splitting {
        names: &["gpt-4o", "llama4"],
        steps: &[Step::Regex(GPT4O)],
        ignores_merges: false,
        adds_first_token: false,
    },
    Splitting {
        names: &["deepseek-coder"],
        steps: &[
            Step::Regex("[\r\n]"),
            Step::Regex(r"\s?\p{L}+"),
            Step::Regex(r"\s?\p{P}+"),
            Step::Regex("[一-龥ࠀ-一가-퟿]+"),
            Step::Digits,
        ],
        ignores_merges: false,
        adds_first_token: false,
    },
];

/// The splitting that llama.cpp calls so.
pub(super) fn named(name: &str) -> Option<&'static Splitting> {
    ALL.iter().find(|splitting| splitting.names.contains(&name))
}

/// All names.
pub(super) fn names() -> String {
    let names = ALL
        .iter()
        .flat_map(|splitting| splitting.names.iter().copied());
    names.collect::<Vec<_>>().join(", ")
}

impl Splitting {
    /// In Hugging Face's form.
    pub(super) fn pre_tokenizer(&self) -> Value {
        let bytes = |words: bool| {
            json!({ "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true,
                "use_regex": words })
        };
        let split = |pattern: &str| {
            json!({ "type": "Split", "pattern": { "Regex": pattern }, "behavior": "Isolated",
                "invert": false })
        };
        if let [Step::Gpt2] = self.steps {
            return bytes(true);
        }
        let last = self.steps.len() - 1;
        let mut steps: Vec<Value> = Vec::new();
        for (i, step) in self.steps.iter().enumerate() {
            steps.push(match step {
                Step::Gpt2 if i == last => bytes(true),
                Step::Gpt2 => split(crate::tokenize::GPT2),
                Step::Regex(pattern) => split(pattern),
                Step::Digits => json!({ "type": "Digits", "individual_digits": true }),
                Step::Numbers => json!({ "type": "Digits", "individual_digits": false }),
                Step::Punctuation => json!({ "type": "Punctuation", "behavior": "Contiguous" }),
            });
        }
        if !matches!(self.steps[last], Step::Gpt2) {
            steps.push(bytes(false));
        }
        json!({ "type": "Sequence", "pretokenizers": steps })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokenize::SplitterSpec;

    #[test]
    fn all_can_be_built() {
        for splitting in ALL {
            let spec = SplitterSpec::parse(splitting.pre_tokenizer()).unwrap();
            assert!(spec.is_byte_level(), "{:?}", splitting.names);
            let splitter = spec.build().unwrap();
            let text = "It's 1234567 o'clock!!  \n\n\tΑθήνα 東京 ½ x_y\r\n";
            let ends = splitter.ends(text);
            assert_eq!(ends.last(), Some(&text.len()));
            assert!(ends.is_sorted());
        }
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = ALL.iter().flat_map(|s| s.names).collect();
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
        assert!(named("default").is_none());
    }
}
