//! The saved state: one safetensors file that is replaced as a whole.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::Write;
use std::path::Path;

use burn::tensor::{DType, Tensor, TensorData};
use lmz_float::kernels::Kernels;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};

use crate::error::{Result, TrainError};
use crate::files;

/// The file's name in the run's directory.
pub(super) const FILE: &str = "state.safetensors";

/// The key of [`Progress`] in the file's metadata, and of the checksum of all that the file holds.
const KEY: &str = "lmz-train";
const CHECK: &str = "blake3";

/// The file that tells that a state was saved.
const SAVED: &str = "saved";

/// How far a run is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Progress {
    /// The number of steps done.
    pub step: u64,
    /// The number of tokens that the model was trained on so far.
    pub tokens: u64,
    /// Seconds of work on the run so far.
    pub seconds: f64,
    /// The mean loss of the last steps.
    pub loss: f64,
}

/// Tensors by name: parameters and what the optimisers remember.
pub(super) type Tensors<B> = BTreeMap<String, Tensor<B, 2>>;

pub(super) fn save<B: Kernels>(
    directory: &Path,
    progress: &Progress,
    tensors: Tensors<B>,
) -> Result<()> {
    let path = directory.join(FILE);
    let wrong = |reason: String| TrainError::State {
        path: path.clone(),
        reason,
    };
    let mut values = BTreeMap::new();
    for (name, tensor) in tensors {
        let shape = tensor.dims();
        let data = tensor.into_data();
        let bytes: Vec<u8> = data.iter::<f32>().flat_map(f32::to_le_bytes).collect();
        values.insert(name, (shape, bytes));
    }
    let views = values
        .iter()
        .map(|(name, (shape, bytes))| {
            let view = TensorView::new(Dtype::F32, shape.to_vec(), bytes);
            Ok((name, view.map_err(|error| wrong(error.to_string()))?))
        })
        .collect::<Result<Vec<_>>>()?;
    let json = serde_json::to_string(progress).unwrap_or_default();
    let check = check_of(
        &json,
        views.iter().map(|(name, view)| (name.as_str(), view)),
    );
    let about = HashMap::from([(KEY.to_string(), json), (CHECK.to_string(), check)]);
    let bytes =
        safetensors::serialize(views, Some(about)).map_err(|error| wrong(error.to_string()))?;
    files::replace(&path, |file| file.write_all(&bytes))?;
    mark(directory)
}

/// Notes that a state was saved.
fn mark(directory: &Path) -> Result<()> {
    let saved = directory.join(SAVED);
    match saved.exists() {
        true => Ok(()),
        false => files::replace_bytes(&saved, b""),
    }
}

/// The checksum of the progress and of all tensors, in the order of their names.
fn check_of<'a, 'b: 'a>(
    progress: &str,
    tensors: impl Iterator<Item = (&'a str, &'a TensorView<'b>)>,
) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(progress.as_bytes());
    for (name, tensor) in tensors {
        let lengths = tensor.shape().iter().map(|&length| length as u64);
        hasher.update(name.as_bytes()).update(&[0]);
        lengths.for_each(|length| {
            hasher.update(&length.to_le_bytes());
        });
        hasher.update(tensor.data());
    }
    hasher.finalize().to_string()
}

/// What [`save`] saved; none if it never did.
pub(super) fn load<B: Kernels>(
    directory: &Path,
    device: &B::Device,
) -> Result<Option<(Progress, Tensors<B>)>> {
    let path = directory.join(FILE);
    let wrong = |reason: String| TrainError::State {
        path: path.clone(),
        reason,
    };
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return match directory.join(SAVED).exists() {
                false => Ok(None),
                true => Err(wrong(
                    "it is gone, and with it what the run has learnt (begin anew)".into(),
                )),
            };
        }
        Err(error) => return Err(TrainError::read(&path)(error)),
    };
    // The run may have been killed between the two.
    mark(directory)?;
    let (_, about) =
        SafeTensors::read_metadata(&bytes).map_err(|error| wrong(error.to_string()))?;
    let get = |key: &str| about.metadata().as_ref().and_then(|map| map.get(key));
    let (Some(json), Some(check)) = (get(KEY), get(CHECK)) else {
        return Err(wrong(
            "it has no record of its progress, or no checksum".into(),
        ));
    };
    let progress = serde_json::from_str(json).map_err(|error| wrong(error.to_string()))?;
    let all = SafeTensors::deserialize(&bytes).map_err(|error| wrong(error.to_string()))?;
    let mut views = all.tensors();
    views.sort_by(|(a, _), (b, _)| a.cmp(b));
    let found = check_of(json, views.iter().map(|(name, view)| (name.as_str(), view)));
    if found != *check {
        return Err(wrong(
            "its checksum is wrong: it is damaged (begin anew)".into(),
        ));
    }
    let mut tensors = BTreeMap::new();
    for (name, view) in views {
        let (Dtype::F32, &[rows, columns]) = (view.dtype(), view.shape()) else {
            return Err(wrong(format!("{name} is no matrix of f32")));
        };
        let (chunks, _) = view.data().as_chunks::<4>();
        let values: Vec<f32> = chunks
            .iter()
            .map(|&bytes| f32::from_le_bytes(bytes))
            .collect();
        let data = TensorData::new(values, [rows, columns]);
        tensors.insert(name, Tensor::from_data(data, (device, DType::F32)));
    }
    Ok(Some((progress, tensors)))
}
