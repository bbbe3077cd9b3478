//! Where decompression gets the model that a file names.

use std::ops::RangeInclusive;
use std::sync::Arc;

use lmz_exact::{NUMERICS, RECIPES};
use lmz_format::Header;

use crate::error::{CodecError, Result};
use crate::model::Model;

/// Where decompression gets the model that a file names.
pub trait ModelSource {
    /// The model of a member's header.
    ///
    /// # Errors
    /// If there is none; the message says where it was looked for.
    fn find(&self, header: &Header) -> Result<Model>;
}

impl<S: ModelSource + ?Sized> ModelSource for &S {
    fn find(&self, header: &Header) -> Result<Model> {
        (**self).find(header)
    }
}

impl<S: ModelSource + ?Sized> ModelSource for Arc<S> {
    fn find(&self, header: &Header) -> Result<Model> {
        (**self).find(header)
    }
}

impl<S: ModelSource + ?Sized> ModelSource for Box<S> {
    fn find(&self, header: &Header) -> Result<Model> {
        (**self).find(header)
    }
}

/// The one model at hand, or an error.
impl ModelSource for Model {
    fn find(&self, header: &Header) -> Result<Model> {
        if self.is_named_by(header) {
            return Ok(self.clone());
        }
        Err(CodecError::WrongModel {
            needed: header.model_id,
            needed_name: header.model_name.clone(),
            found: self.id(),
            found_name: self.name().to_owned(),
        })
    }
}

/// The first of some models that the header names, or an error.
impl ModelSource for Vec<Model> {
    fn find(&self, header: &Header) -> Result<Model> {
        let model = self.iter().find(|model| model.is_named_by(header));
        model.cloned().ok_or_else(|| {
            let names: Vec<&str> = self.iter().map(Model::name).collect();
            CodecError::ModelNotFound(format!(
                "it needs the model {:?} (id {}), which is not among {}",
                header.model_name,
                header.model_id,
                names.join(", ")
            ))
        })
    }
}

/// Refuses numerics and recipes that this build does not have.
pub(crate) fn check_versions(header: &Header) -> Result<()> {
    let check = |what, found: u8, supported: RangeInclusive<u8>| {
        if supported.contains(&found) {
            return Ok(());
        }
        Err(CodecError::Unsupported {
            what,
            found: found.into(),
            supported: u64::from(*supported.end()),
        })
    };
    check("numerics version", header.numerics_version, NUMERICS)?;
    check(
        "mixing version",
        header.mixing,
        0..=lmz_mix::Version::NEWEST.number(),
    )?;
    check("preparation recipe", header.recipe, RECIPES)
}
