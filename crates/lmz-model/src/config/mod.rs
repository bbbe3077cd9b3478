//! `config.json`, turned into a [`Blueprint`].
//!
//! A field is read, known not to touch the forward pass, refused because it changes the
//! mathematics, or reported as ignored. Silence is not among the choices.

mod falcon;
mod fields;
mod gemma;
mod gpt;
mod known;
mod llama;
mod rope;
mod table;

use serde_json::{Map, Value};

use crate::blueprint::Blueprint;
use crate::error::{ModelError, Result};
pub(crate) use fields::CONFIG;
use fields::{Fields, unsupported};
use known::{CHANGES_MATHEMATICS, WITHOUT_EFFECT};

/// A configuration as read by [`parse_config`].
#[derive(Clone, Debug, PartialEq)]
pub struct ParsedConfig {
    /// The model; it has passed [`Blueprint::validate`].
    pub blueprint: Blueprint,
    /// Fields of the file that this version does not know, sorted. None of them is known to
    /// change what a model computes.
    pub ignored_fields: Vec<String>,
}

/// How a family's configuration is read: the entry of `architectures`, `model_type`, the reader.
type Family = (
    &'static str,
    &'static str,
    fn(&mut Fields) -> Result<Blueprint>,
);

const FAMILIES: &[Family] = &[
    ("FalconForCausalLM", "falcon", falcon::falcon),
    ("GPT2LMHeadModel", "gpt2", gpt::gpt2),
    ("GPTBigCodeForCausalLM", "gpt_bigcode", gpt::gpt_bigcode),
    ("GPTNeoXForCausalLM", "gpt_neox", gpt::gpt_neox),
    ("Gemma2ForCausalLM", "gemma2", gemma::gemma2),
    ("Gemma3ForCausalLM", "gemma3_text", gemma::gemma3),
    (SEES_TOO, "gemma3", gemma::gemma3),
    ("GemmaForCausalLM", "gemma", gemma::gemma),
    ("LlamaForCausalLM", "llama", llama::llama),
    ("MistralForCausalLM", "mistral", llama::mistral),
    ("MixtralForCausalLM", "mixtral", llama::mixtral),
    ("Olmo2ForCausalLM", "olmo2", llama::olmo2),
    ("OlmoForCausalLM", "olmo", llama::olmo),
    ("PhiForCausalLM", "phi", gpt::phi),
    ("Qwen2ForCausalLM", "qwen2", llama::qwen2),
    ("Qwen3ForCausalLM", "qwen3", llama::qwen3),
    ("Starcoder2ForCausalLM", "starcoder2", gpt::starcoder2),
];

/// A model of text and images, whose text half is read.
const SEES_TOO: &str = "Gemma3ForConditionalGeneration";

/// Reads the text of a `config.json`.
///
/// Supported are the architectures Falcon (without alibi), GPT-2, GPT-BigCode, GPT-NeoX, Gemma 1
/// to 3, Llama, Mistral, Mixtral, OLMo 1 and 2, Phi 1 and 2, Qwen2, Qwen3 and StarCoder2, in the
/// forms that transformers 4 and 5 write. Fields that are absent or `null` have the values that
/// their family's class in transformers gives them; sizes without which a model means nothing are
/// required. The start token is `bos_token_id` (the first, of a list), else the family's, if it
/// has one, else `eos_token_id`, else 0.
///
/// # Errors
/// Not JSON, a missing or impossible field, sizes out of bounds, or a field that asks for
/// something unsupported; each names the field.
pub fn parse_config(json: &[u8]) -> Result<ParsedConfig> {
    let json = without_mark(json);
    let map: Map<String, Value> = serde_json::from_slice(json).map_err(|e| ModelError::Json {
        file: CONFIG.into(),
        reason: e.to_string(),
    })?;
    let mut fields = Fields::new("", map);
    let (architecture, _, read) = family(&mut fields)?;
    let mut left = Leftovers::default();
    let blueprint = if architecture == SEES_TOO {
        let mut text = gemma::text_half(&mut fields)?;
        let blueprint = read(&mut text)?;
        left.add(text)?;
        blueprint
    } else {
        read(&mut fields)?
    };
    left.add(fields)?;
    blueprint.validate()?;
    left.ignored.sort();
    Ok(ParsedConfig {
        blueprint,
        ignored_fields: left.ignored,
    })
}

/// The text without the byte order mark that some editors put first.
pub(crate) fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}

fn family(fields: &mut Fields) -> Result<Family> {
    let name = match fields.take("architectures") {
        None => return Err(fields.missing("architectures")),
        Some(name) => name,
    };
    let only = match name.as_array().map(Vec::as_slice) {
        Some([Value::String(only)]) => only.as_str(),
        _ => "",
    };
    let Some(family) = FAMILIES.iter().find(|family| family.0 == only) else {
        return Err(fields.unsupported("architectures", name));
    };
    match fields.take("model_type") {
        None => Ok(*family),
        Some(kind) if kind == family.1 => Ok(*family),
        Some(other) => Err(fields.unsupported("model_type", other)),
    }
}

/// What the family's reader has not taken.
#[derive(Default)]
struct Leftovers {
    ignored: Vec<String>,
}

impl Leftovers {
    fn add(&mut self, fields: Fields) -> Result<()> {
        let (rest, ignored) = fields.into_rest();
        self.ignored.extend(ignored);
        for (path, name, value) in rest {
            let changes = CHANGES_MATHEMATICS.iter().find(|(other, _)| name == *other);
            match changes {
                None if WITHOUT_EFFECT.contains(&name.as_str()) => {}
                None => self.ignored.push(path),
                Some(&(_, neutral)) if is_neutral(&value, neutral) => {}
                Some(_) => return Err(unsupported(path, &value)),
            }
        }
        Ok(())
    }
}

fn is_neutral(value: &Value, neutral: Option<f64>) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        // An old release wrote the empty table for "none".
        Value::Object(map) => map.is_empty(),
        value => neutral.is_some() && value.as_f64() == neutral,
    }
}
