//! The float engine and a tokenizer as what benchmarks ask.

use std::path::Path;

use lmz_eval::{LanguageModel, ModelFailure, Row, Written};
use lmz_float::{Generator, ScoringOptions, Window, most_likely};
use lmz_metric::Tokenize;
use serde_json::Value;

use crate::scoring::{ScoredModel, ScoringError};

/// Texts by which published models end what they write, where no configuration says it.
const ENDS: [&str; 8] = [
    "<|endoftext|>",
    "</s>",
    "<eos>",
    "<|im_end|>",
    "<|end_of_text|>",
    "<|eot_id|>",
    "<end_of_turn>",
    "<|bos|>",
];

/// A model on the float engine, with its tokenizer.
pub struct FloatLanguageModel {
    generator: Generator,
    tokenizer: Box<dyn Tokenize>,
    start_token: u32,
    context: usize,
    learned: bool,
    /// Tokens that end a text.
    ends: Vec<u32>,
    /// Whether the tokenizer puts no token at a text's start by itself.
    bare: bool,
}

impl std::fmt::Debug for FloatLanguageModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("FloatLanguageModel")
            .field(&self.generator.description())
            .finish()
    }
}

impl FloatLanguageModel {
    /// Opens a model on a device. The configuration of a Hugging Face directory may say what ends a text.
    ///
    /// # Errors
    /// As [`Generator::open`].
    pub fn open(model: ScoredModel, options: ScoringOptions) -> Result<Self, ScoringError> {
        let directory = model.checkpoint_directory().map(Path::to_owned);
        let blueprint = model.blueprint();
        let (start_token, context) = (blueprint.start_token, blueprint.max_positions);
        let learned = blueprint.position == lmz_model::Position::Learned;
        let bare = model.identity.kind == "prepared";
        let vocabulary = blueprint.vocab_size;
        let generator = Generator::open(model.weights.clone(), options)?;
        let tokenizer = model.tokenizer;
        let mut ends = directory.as_deref().map(end_tokens).unwrap_or_default();
        if ends.is_empty() {
            let alone =
                ENDS.iter()
                    .filter_map(|text| match &tokenizer.encode_inside(text).ok()?[..] {
                        [one] => Some(*one),
                        _ => None,
                    });
            ends = alone.collect();
        }
        if bare {
            // Texts were trained on one behind the other, each after this token.
            ends.push(start_token);
        }
        ends.retain(|&token| (token as usize) < vocabulary);
        Ok(Self {
            generator,
            tokenizer,
            start_token,
            context,
            learned,
            ends,
            bare,
        })
    }

    /// The device's name, the number type, and whether layers are read from disk.
    pub fn description(&self) -> String {
        self.generator.description()
    }

    /// What the user should know: that another device was taken than the one asked for.
    pub fn notice(&self) -> Option<&str> {
        self.generator.notice()
    }
}

/// `eos_token_id` of a directory's `generation_config.json`, or else of its `config.json`: a number or several.
fn end_tokens(directory: &Path) -> Vec<u32> {
    let of = |file: &str| -> Vec<u32> {
        let json = std::fs::read(directory.join(file)).ok();
        let json: Option<Value> = json.and_then(|bytes| {
            // Some editors put a byte order mark first.
            let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
            serde_json::from_slice(text).ok()
        });
        let number = |value: &Value| value.as_u64().and_then(|id| u32::try_from(id).ok());
        match json.as_ref().map(|json| &json["eos_token_id"]) {
            Some(Value::Array(all)) => all.iter().filter_map(number).collect(),
            Some(one) => number(one).into_iter().collect(),
            None => Vec::new(),
        }
    };
    let mut found = of("generation_config.json");
    if found.is_empty() {
        found = of("config.json");
    }
    found
}

impl LanguageModel for FloatLanguageModel {
    fn encode(&self, text: &str, start: bool) -> Result<Vec<u32>, ModelFailure> {
        if !start {
            return Ok(self.tokenizer.encode_inside(text)?);
        }
        let mut tokens = self.tokenizer.encode(text)?.ids;
        if self.bare {
            tokens.insert(0, self.start_token);
        }
        Ok(tokens)
    }

    fn start_token(&self) -> u32 {
        self.start_token
    }

    fn context(&self) -> usize {
        self.context
    }

    fn batch(&self, tokens: usize) -> usize {
        self.generator.batch(tokens)
    }

    fn shares(&self) -> bool {
        !self.generator.streamed()
    }

    fn score(
        &mut self,
        context: &[u32],
        base: usize,
        rows: &[Row<'_>],
        greedy: bool,
    ) -> Result<Vec<Vec<(f32, bool)>>, ModelFailure> {
        self.generator.begin(context, base)?;
        let windows = rows.iter().map(|row| Window {
            tokens: row.tokens,
            scored: row.scored,
        });
        let windows: Vec<Window<'_>> = windows.collect();
        let found = self.generator.continuations(&windows, greedy)?.into_iter();
        Ok(found
            .map(|tokens| tokens.iter().map(|one| (one.nats, one.first)).collect())
            .collect())
    }

    fn write(
        &mut self,
        prompt: &[u32],
        base: usize,
        stop: &[String],
        most: usize,
    ) -> Result<Written, ModelFailure> {
        let room = match self.learned {
            true => (self.context + 1).saturating_sub(prompt.len()),
            false => most,
        };
        let most = most.min(room);
        let base = base.min(prompt.len().saturating_sub(1));
        self.generator.begin(&prompt[..base], base)?;
        let mut logits = self.generator.advance(&prompt[base..])?;
        let mut ids: Vec<u32> = Vec::new();
        let mut text = String::new();
        while ids.len() < most {
            let token = most_likely(&logits);
            ids.push(token);
            if self.ends.contains(&token) {
                break;
            }
            text = self.tokenizer.decode(&ids)?;
            if stop
                .iter()
                .any(|stop| !stop.is_empty() && text.contains(stop.as_str()))
                || ids.len() == most
            {
                break;
            }
            logits = self.generator.advance(&[token])?;
        }
        for stop in stop.iter().filter(|stop| !stop.is_empty()) {
            if let Some(at) = text.find(stop.as_str()) {
                text.truncate(at);
            }
        }
        Ok(Written {
            text,
            tokens: ids.len() as u64,
            ids,
        })
    }
}
