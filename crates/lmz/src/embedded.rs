//! The model that is part of the program.

use std::borrow::Cow;
use std::sync::OnceLock;

use lmz_codec::{CodecError, Kernel, Model};

static BYTES: &[u8] = include_bytes!("../../../models/lmz-5m/lmz-5m.lmzm");

/// The `.lmzm` file of the default model.
pub fn embedded_bytes() -> &'static [u8] {
    BYTES
}

/// The default model, with the fastest kernels of this machine. It is loaded when first asked for, then shared.
///
/// # Errors
/// Those of [`Model::from_lmzm`]; none is known to happen.
pub fn embedded_model() -> Result<Model, CodecError> {
    static MODEL: OnceLock<Model> = OnceLock::new();
    if let Some(model) = MODEL.get() {
        return Ok(model.clone());
    }
    let model = Model::from_lmzm(Cow::Borrowed(BYTES), Kernel::detect())?;
    Ok(MODEL.get_or_init(|| model).clone())
}
