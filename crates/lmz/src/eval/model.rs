//! The float engine and a tokenizer as what benchmarks ask.

use std::path::Path;

use lmz_eval::{LanguageModel, ModelFailure, Row, Written};
use lmz_float::{FloatError, Generator, ScoringOptions, Window, most_likely};
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

    fn packs(&self) -> bool {
        self.generator.packs()
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

    fn texts(&self, tokens: usize) -> usize {
        self.generator.texts(tokens)
    }

    fn write(
        &mut self,
        prompts: &[&[u32]],
        base: usize,
        stop: &[String],
        most: usize,
    ) -> Result<Vec<Written>, ModelFailure> {
        match self.write_together(prompts, base, stop, most) {
            // For want of memory, as a rule.
            Err(Failure::Model(FloatError::Failed { .. })) if prompts.len() > 1 => {
                let (some, others) = prompts.split_at(prompts.len().div_ceil(2));
                let mut written = self.write(some, base, stop, most)?;
                written.extend(self.write(others, base, stop, most)?);
                Ok(written)
            }
            Err(Failure::Model(error)) => Err(error.into()),
            Err(Failure::Tokens(error)) => Err(error),
            Ok(written) => Ok(written),
        }
    }
}

/// Why texts could not be written.
enum Failure {
    Model(FloatError),
    Tokens(ModelFailure),
}

impl From<FloatError> for Failure {
    fn from(error: FloatError) -> Self {
        Self::Model(error)
    }
}

impl FloatLanguageModel {
    fn write_together(
        &mut self,
        prompts: &[&[u32]],
        base: usize,
        stop: &[String],
        most: usize,
    ) -> Result<Vec<Written>, Failure> {
        self.generator.clear_texts();
        let stop: Vec<&str> = stop.iter().map(String::as_str).collect();
        let stop: Vec<&str> = stop.into_iter().filter(|stop| !stop.is_empty()).collect();
        let mut texts = vec![Growing::default(); prompts.len()];
        let mut next = Vec::with_capacity(prompts.len());
        for (number, prompt) in prompts.iter().enumerate() {
            let room = match self.learned {
                true => (self.context + 1).saturating_sub(prompt.len()),
                false => most,
            };
            texts[number].most = most.min(room);
            let logits = self.generator.add_text(prompt, base)?;
            if texts[number].most > 0 {
                next.push((number, logits));
            }
        }
        while !next.is_empty() {
            let mut tokens = Vec::with_capacity(next.len());
            for (number, logits) in &next {
                let token = most_likely(logits);
                if self.appended(&mut texts[*number], token, &stop)? {
                    tokens.push((*number, token));
                }
            }
            let logits = self.generator.advance_texts(&tokens)?;
            let numbers = tokens.iter().map(|&(number, _)| number);
            next = numbers.zip(logits).collect();
        }
        self.generator.clear_texts();
        let written = texts.into_iter().map(|mut growing| {
            for stop in &stop {
                if let Some(at) = growing.text.find(stop) {
                    growing.text.truncate(at);
                }
            }
            Written {
                text: growing.text,
                tokens: growing.ids.len() as u64,
                ids: growing.ids,
            }
        });
        Ok(written.collect())
    }

    /// Appends a token to a text; whether the text goes on.
    fn appended(&self, growing: &mut Growing, token: u32, stop: &[&str]) -> Result<bool, Failure> {
        growing.ids.push(token);
        if self.ends.contains(&token) {
            return Ok(false);
        }
        let text = self.tokenizer.decode(&growing.ids);
        growing.text = text.map_err(|error| Failure::Tokens(error.into()))?;
        let stopped = stop.iter().any(|stop| growing.text.contains(stop));
        Ok(!stopped && growing.ids.len() < growing.most)
    }
}

/// A text that is being written.
#[derive(Clone, Default)]
struct Growing {
    ids: Vec<u32>,
    text: String,
    /// The most tokens.
    most: usize,
}
