//! The result: a Hugging Face directory.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::path::Path;

use half::f16;
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde_json::json;

use crate::error::{Result, TrainError};
use crate::files;
use crate::preset::Preset;
use crate::tokenizer::Tokenizer;

/// Tensors by their names in a checkpoint: shape and values.
pub(super) type Values = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// Writes everything but the card, the configuration last: without it the directory is no model.
pub(super) fn write(
    out: &Path,
    preset: &Preset,
    tokenizer: &Tokenizer,
    values: &Values,
) -> Result<()> {
    let start = &tokenizer.start;
    let pretty = |value| serde_json::to_vec_pretty(&value).unwrap_or_default();
    files::replace_bytes(&out.join("tokenizer.json"), &tokenizer.json)?;
    let about = json!({
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": start.1,
        "eos_token": start.1,
        "model_max_length": preset.context,
        "clean_up_tokenization_spaces": false,
    });
    files::replace_bytes(&out.join("tokenizer_config.json"), &pretty(about))?;
    let about = json!({ "bos_token_id": start.0, "eos_token_id": start.0 });
    files::replace_bytes(&out.join("generation_config.json"), &pretty(about))?;
    weights(&out.join("model.safetensors"), values)?;
    let mut config = preset.config(tokenizer.vocab_size, start.0);
    // What the model is called from now on, wherever it is moved.
    if let (Some(name), Some(fields)) = (out.file_name(), config.as_object_mut()) {
        fields.insert("_name_or_path".into(), name.to_string_lossy().into());
    }
    files::replace_bytes(&out.join("config.json"), &pretty(config))
}

fn weights(path: &Path, values: &Values) -> Result<()> {
    let wrong = |reason: String| TrainError::State {
        path: path.to_owned(),
        reason,
    };
    let mut halves = BTreeMap::new();
    for (name, (shape, values)) in values {
        let half: Vec<f16> = values.iter().map(|&value| f16::from_f32(value)).collect();
        if let Some(i) = half.iter().position(|value| !value.is_finite()) {
            return Err(wrong(format!(
                "{name} holds {}, too large for f16",
                values[i]
            )));
        }
        let bytes: Vec<u8> = half.iter().flat_map(|value| value.to_le_bytes()).collect();
        halves.insert(name, (shape, bytes));
    }
    let views = halves
        .iter()
        .map(|(name, (shape, bytes))| {
            let view = TensorView::new(Dtype::F16, shape.to_vec(), bytes);
            Ok((name, view.map_err(|error| wrong(error.to_string()))?))
        })
        .collect::<Result<Vec<_>>>()?;
    let about = HashMap::from([("format".to_string(), "pt".to_string())]);
    let bytes =
        safetensors::serialize(views, Some(about)).map_err(|error| wrong(error.to_string()))?;
    files::replace(path, |file| file.write_all(&bytes))
}
