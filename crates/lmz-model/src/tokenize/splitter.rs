//! Pre-tokenizers: how text is split into words before merging.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokenizers::SplitDelimiterBehavior;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::pre_tokenizers::metaspace::{Metaspace, PrependScheme};
use tokenizers::pre_tokenizers::punctuation::Punctuation;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};

use super::family::BLOCK;
use crate::error::{ModelError, Result};

/// A pre-tokenizer that never adds a character. Written in Hugging Face's form, always in the
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
    /// A regular expression that does not compile.
    pub(crate) fn build(&self) -> Result<PreTokenizerWrapper> {
        Ok(match self {
            Self::Sequence { pretokenizers } => {
                let parts: Result<Vec<_>> = pretokenizers.iter().map(Self::build).collect();
                Sequence::new(parts?).into()
            }
            Self::Split {
                pattern,
                behavior,
                invert,
            } => Split::new(pattern.clone(), *behavior, *invert)
                .map_err(|e| ModelError::Tokenizer(format!("pre_tokenizer: {e}")))?
                .into(),
            Self::ByteLevel { use_regex, .. } => ByteLevel::new(false, true, *use_regex).into(),
            Self::Metaspace {
                replacement, split, ..
            } => Metaspace::new(*replacement, PrependScheme::Never, split.unwrap_or(true)).into(),
            Self::Digits { individual_digits } => Digits::new(*individual_digits).into(),
            Self::Punctuation { behavior } => Punctuation::new(*behavior).into(),
        })
    }
}
