//! Pre-tokenizers: how text is split into words before merging.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokenizers::SplitDelimiterBehavior;
use tokenizers::pre_tokenizers::split::SplitPattern;
use tokenizers::utils::SysRegex;

use super::family::BLOCK;
use super::watch::{TooSlow, Watch};
use crate::error::{ModelError, Result};

/// The expression that a byte-level step splits by (GPT-2's).
pub(crate) const GPT2: &str =
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
const PUNCTUATION: &str = r"[!-/:-@\[-`{-~\p{P}]";

/// A pre-tokenizer, as its file describes it. Written in Hugging Face's form, always in the
/// same way, whatever features other crates give the JSON library.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "type")]
pub(crate) enum SplitterSpec {
    Sequence {
        pretokenizers: Vec<SplitterSpec>,
    },
    Split {
        pattern: SplitPattern,
        behavior: SplitDelimiterBehavior,
        #[serde(default)]
        invert: bool,
    },
    ByteLevel {
        #[serde(default)]
        add_prefix_space: bool,
        #[serde(default = "yes")]
        trim_offsets: bool,
        #[serde(default = "yes")]
        use_regex: bool,
    },
    Metaspace {
        replacement: char,
        #[serde(default)]
        prepend_scheme: String,
        #[serde(default)]
        split: Option<bool>,
    },
    Digits {
        #[serde(default)]
        individual_digits: bool,
    },
    Punctuation {
        #[serde(default = "isolated")]
        behavior: SplitDelimiterBehavior,
    },
}

fn yes() -> bool {
    true
}

fn isolated() -> SplitDelimiterBehavior {
    SplitDelimiterBehavior::Isolated
}

impl SplitterSpec {
    /// Reads a `pre_tokenizer`; a kind that is not listed is refused by name.
    pub(crate) fn parse(value: Value) -> Result<Self> {
        let mut spec: Self = serde_json::from_value(value)
            .map_err(|e| ModelError::TokenizerKind(format!("pre_tokenizer: {e}")))?;
        spec.add_nothing()?;
        Ok(spec)
    }

    /// Turns off whatever would put a space where the input has none.
    fn add_nothing(&mut self) -> Result<()> {
        match self {
            Self::Sequence { pretokenizers } => {
                for part in pretokenizers {
                    part.add_nothing()?;
                }
            }
            Self::ByteLevel {
                add_prefix_space,
                trim_offsets,
                ..
            } => {
                *add_prefix_space = false;
                *trim_offsets = true;
            }
            Self::Metaspace {
                replacement,
                prepend_scheme,
                split,
            } => {
                if *replacement != BLOCK {
                    return Err(ModelError::TokenizerKind(format!(
                        "Metaspace with the replacement {replacement:?}"
                    )));
                }
                *prepend_scheme = "never".into();
                split.get_or_insert(true);
            }
            Self::Split { .. } | Self::Digits { .. } | Self::Punctuation { .. } => {}
        }
        Ok(())
    }

    /// Whether the words are written in GPT-2's characters.
    pub(crate) fn is_byte_level(&self) -> bool {
        match self {
            Self::ByteLevel { .. } => true,
            Self::Sequence { pretokenizers } => pretokenizers.iter().any(Self::is_byte_level),
            _ => false,
        }
    }

    /// The same splitter with a byte-level step at its end if it had none.
    pub(crate) fn with_byte_level(splitter: Option<Self>) -> Self {
        let step = Self::ByteLevel {
            add_prefix_space: false,
            trim_offsets: true,
            use_regex: false,
        };
        match splitter {
            None => step,
            Some(spec) if spec.is_byte_level() => spec,
            Some(spec) => Self::Sequence {
                pretokenizers: vec![spec, step],
            },
        }
    }

    /// The splitter itself.
    ///
    /// # Errors
    /// A regular expression that does not compile; a step after a byte-level one, which would
    /// have to cut between the bytes of a character.
    pub(crate) fn build(&self) -> Result<Splitter> {
        let mut steps = Vec::new();
        let mut ended = false;
        self.add_steps(&mut steps, &mut ended)?;
        Ok(Splitter { steps })
    }

    fn add_steps(&self, steps: &mut Vec<Step>, ended: &mut bool) -> Result<()> {
        if *ended {
            let what = "pre_tokenizer: a step after ByteLevel";
            return Err(ModelError::TokenizerKind(what.into()));
        }
        let regex = |pattern: &str| match SysRegex::new(pattern) {
            Ok(regex) => Ok(Matcher::Regex(Box::new(regex))),
            Err(e) => Err(ModelError::Tokenizer(format!("pre_tokenizer: {e}"))),
        };
        match self {
            Self::Sequence { pretokenizers } => {
                for part in pretokenizers {
                    part.add_steps(steps, ended)?;
                }
            }
            Self::Split {
                pattern,
                behavior,
                invert,
            } => {
                let matcher = match pattern {
                    SplitPattern::Regex(pattern) => regex(pattern)?,
                    SplitPattern::String(text) => Matcher::Text(text.clone()),
                };
                steps.push(Step::new(matcher, *behavior, *invert));
            }
            Self::ByteLevel { use_regex, .. } => {
                if *use_regex {
                    steps.push(Step::new(regex(GPT2)?, isolated(), false));
                }
                *ended = true;
            }
            Self::Metaspace { split, .. } => {
                if *split != Some(false) {
                    let block = Matcher::Text(BLOCK.into());
                    let behavior = SplitDelimiterBehavior::MergedWithNext;
                    steps.push(Step::new(block, behavior, false));
                }
            }
            Self::Digits { individual_digits } => {
                let behavior = if *individual_digits {
                    isolated()
                } else {
                    SplitDelimiterBehavior::Contiguous
                };
                steps.push(Step::new(regex(r"\p{N}")?, behavior, false));
            }
            Self::Punctuation { behavior } => {
                steps.push(Step::new(regex(PUNCTUATION)?, *behavior, false));
            }
        }
        Ok(())
    }
}

/// Cuts text into words. Nothing is ever dropped or changed: text that the original would remove
/// becomes words of its own.
pub(crate) struct Splitter {
    steps: Vec<Step>,
}

struct Step {
    matcher: Matcher,
    behavior: SplitDelimiterBehavior,
    invert: bool,
}

enum Matcher {
    Regex(Box<SysRegex>),
    Text(String),
}

impl Splitter {
    /// The ends of the words of `text`, ascending; the last is the end of `text`. None in an empty
    /// text.
    pub(crate) fn ends_within(&self, text: &str, watch: &mut Watch) -> Result<Vec<usize>, TooSlow> {
        let mut ends = Vec::new();
        if !text.is_empty() {
            ends.push(text.len());
        }
        for step in &self.steps {
            let mut finer = Vec::with_capacity(text.len() / 4);
            let mut start = 0;
            for end in ends {
                step.add_ends(start, &text[start..end], &mut finer, watch)?;
                start = end;
            }
            ends = finer;
        }
        Ok(ends)
    }

    /// The same, however long it takes.
    #[cfg(test)]
    pub(crate) fn ends(&self, text: &str) -> Vec<usize> {
        self.ends_within(text, &mut Watch::endless()).unwrap()
    }
}

impl Step {
    fn new(matcher: Matcher, behavior: SplitDelimiterBehavior, invert: bool) -> Self {
        Self {
            matcher,
            behavior,
            invert,
        }
    }

    /// Appends the ends of the words of `text`, moved by `offset`.
    fn add_ends(
        &self,
        offset: usize,
        text: &str,
        ends: &mut Vec<usize>,
        watch: &mut Watch,
    ) -> Result<(), TooSlow> {
        // Whether the part before was a match; at the start neither, so that nothing is merged.
        let mut before = None;
        let mut add = |from: usize, to: usize, matched: bool| {
            if from == to {
                return;
            }
            let matched = matched != self.invert;
            let merged = match self.behavior {
                SplitDelimiterBehavior::Removed | SplitDelimiterBehavior::Isolated => false,
                SplitDelimiterBehavior::Contiguous => before == Some(matched),
                SplitDelimiterBehavior::MergedWithPrevious => matched && before == Some(false),
                SplitDelimiterBehavior::MergedWithNext => !matched && before == Some(true),
            };
            if merged {
                ends.pop();
            }
            ends.push(offset + to);
            before = Some(matched);
        };
        let mut done = 0;
        let mut on_match = |from: usize, to: usize| {
            add(done, from, false);
            add(from, to, true);
            done = to;
        };
        match &self.matcher {
            // Should the expression give up (it counts its steps), the rest is one word.
            Matcher::Regex(regex) => {
                watch.start();
                let mut matches = regex.find_iter(text);
                loop {
                    let found = matches.next();
                    watch.matched()?;
                    let Some((from, to)) = found else { break };
                    on_match(from, to);
                }
            }
            Matcher::Text(part) => {
                let found = text.match_indices(part.as_str());
                found.for_each(|(at, found)| on_match(at, at + found.len()));
            }
        }
        add(done, text.len(), false);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use tokenizers::pre_tokenizers::PreTokenizerWrapper;
    use tokenizers::{OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer};

    fn words(spec: &Value, text: &str) -> Vec<String> {
        let splitter = SplitterSpec::parse(spec.clone()).unwrap().build().unwrap();
        let mut start = 0;
        let mut cut = |end| {
            let word = text[start..end].to_owned();
            start = end;
            word
        };
        let words = splitter.ends(text).into_iter().map(&mut cut).collect();
        assert_eq!(start, text.len());
        words
    }

    /// The library's words, put back from GPT-2's characters where it uses them.
    fn published(spec: &Value, text: &str) -> Vec<String> {
        let original: PreTokenizerWrapper = serde_json::from_value(spec.clone()).unwrap();
        let mut string = PreTokenizedString::from(text);
        original.pre_tokenize(&mut string).unwrap();
        let splits = string.get_splits(OffsetReferential::Original, OffsetType::Byte);
        splits
            .iter()
            .map(|(_, (a, b), _)| text[*a..*b].to_owned())
            .collect()
    }

    #[test]
    fn words_are_those_of_the_library() {
        let texts = [
            "",
            "  Two  words, 12 or 3456!?  don't \r\n\r\n\tend ",
            "----a--b-- 1-2 ½ ② é中文\u{301} \u{2003}x",
            "-",
            " ",
            "▁one▁▁two▁",
        ];
        let mut specs = vec![
            json!({ "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true }),
            json!({ "type": "Digits", "individual_digits": true }),
            json!({ "type": "Digits", "individual_digits": false }),
            json!({ "type": "Metaspace", "replacement": "▁", "prepend_scheme": "never" }),
            json!({ "type": "Metaspace", "replacement": "▁", "prepend_scheme": "never", "split": false }),
        ];
        for behavior in [
            "Isolated",
            "MergedWithPrevious",
            "MergedWithNext",
            "Contiguous",
        ] {
            specs.push(json!({ "type": "Punctuation", "behavior": behavior }));
            for pattern in [
                json!({ "String": "-" }),
                json!({ "Regex": r"\s+|\p{N}{1,3}" }),
            ] {
                for invert in [false, true] {
                    specs.push(
                        json!({ "type": "Split", "pattern": pattern, "behavior": behavior,
                        "invert": invert }),
                    );
                }
            }
        }
        specs.push(json!({ "type": "Sequence", "pretokenizers": [specs[1], specs[7], specs[0]] }));
        for spec in &specs {
            // The library's Metaspace would replace spaces as well.
            let spaces = spec["type"] != "Metaspace";
            for text in texts.iter().filter(|text| spaces || !text.contains(' ')) {
                assert_eq!(words(spec, text), published(spec, text), "{spec}: {text:?}");
            }
        }
    }

    #[test]
    fn removed_text_stays() {
        let spec = json!({ "type": "Split", "pattern": { "String": "-" }, "behavior": "Removed",
            "invert": false });
        assert_eq!(words(&spec, "a--b"), ["a", "-", "-", "b"]);
    }

    /// Looks at all of the text again for each of its words: no single match is slow, and together they are.
    #[test]
    fn a_regular_expression_that_takes_too_long_is_given_up() {
        let spec = json!({ "type": "Split", "pattern": { "Regex": r"(?!.*x.*y)a" }, "behavior": "Isolated",
            "invert": false });
        let splitter = SplitterSpec::parse(spec).unwrap().build().unwrap();
        let text = "a".repeat(1000);
        assert_eq!(splitter.ends(&text).len(), 1000);
        let mut watch = Watch::new(std::time::Duration::from_micros(1));
        assert!(splitter.ends_within(&text, &mut watch).is_err());
        // Without regular expressions there is nothing to wait for.
        let plain = json!({ "type": "Split", "pattern": { "String": "a" }, "behavior": "Isolated", "invert": false });
        let splitter = SplitterSpec::parse(plain).unwrap().build().unwrap();
        assert!(splitter.ends_within(&text, &mut watch).is_ok());
    }

    #[test]
    fn no_step_after_the_bytes() {
        let spec = json!({ "type": "Sequence", "pretokenizers": [
            { "type": "ByteLevel" }, { "type": "Digits" } ] });
        assert!(SplitterSpec::parse(spec).unwrap().build().is_err());
    }
}
