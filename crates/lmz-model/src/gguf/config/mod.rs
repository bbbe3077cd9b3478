//! Metadata as the fields of the `config.json` that they were made from.
//!
//! The reader of `config.json` then makes the blueprint, so that a model has the same one in
//! either form. Where the metadata are known to be wrong or silent (widths, heads of fused
//! tensors, biases, tied heads), the tensors say it.

mod architecture;
mod families;
mod keys;
mod rope;
mod sizes;

use serde_json::{Map, Value};

pub(crate) use architecture::Architecture;

use super::model::Gguf;
use crate::config::{CONFIG, ParsedConfig, parse_config};
use crate::error::{ModelError, Result};
use keys::Keys;

/// What the metadata say of the model.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) architecture: Architecture,
    pub(crate) parsed: ParsedConfig,
}

/// Reads the metadata of the architecture.
pub(crate) fn read_config(gguf: &Gguf) -> Result<Config> {
    let meta = gguf.meta();
    if let Some(kind) = meta.text("general.type")?.filter(|&kind| kind != "model") {
        return Err(ModelError::GgufUnsupported {
            file: meta.file.into(),
            reason: format!("it holds a {kind}, not a model"),
        });
    }
    let name = gguf.architecture()?;
    let Some((name, architecture)) = Architecture::named(name) else {
        return Err(ModelError::GgufUnsupported {
            file: meta.file.into(),
            reason: format!(
                "models of the architecture {name:?} are not supported; supported are {}",
                Architecture::names()
            ),
        });
    };
    let mut keys = Keys::new(gguf, name);
    let fields = families::fields(architecture, &mut keys)?;
    let ignored = keys.finish()?;
    let mut parsed = parse(meta.file, fields)?;
    parsed.ignored_fields = ignored;
    Ok(Config {
        architecture,
        parsed,
    })
}

fn parse(file: &str, fields: Map<String, Value>) -> Result<ParsedConfig> {
    let json = Value::Object(fields).to_string();
    parse_config(json.as_bytes()).map_err(|mut error| {
        // The fields are not those of a file that anybody has.
        let place = match &mut error {
            ModelError::MissingField { file, .. }
            | ModelError::InvalidField { file, .. }
            | ModelError::Unsupported { file, .. }
            | ModelError::Json { file, .. } => file,
            ModelError::Blueprint { field, reason } => {
                return ModelError::Gguf {
                    file: file.into(),
                    reason: format!("its metadata make no model: {field} {reason}"),
                };
            }
            _ => return error,
        };
        if place == CONFIG {
            *place = format!("{file}, as {CONFIG}");
        }
        error
    })
}
