//! What is said about a prepared model.

use lmz::figures::hex;
use lmz::{Blueprint, Origin, Prepared};
use serde::Serialize;

/// What is said about a model.
#[derive(Serialize)]
pub struct Facts {
    /// `embedded` or `installed`, in a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    pub name: String,
    /// As files store it.
    pub id: String,
    pub identity: String,
    pub checkpoint: String,
    pub recipe: u8,
    /// The version that it was prepared for; another one's may run it all the same.
    pub numerics_version: u64,
    pub weights: u64,
    /// Those of them that have 16 bits.
    pub fine_weights: u64,
    /// Those of them that stand in blocks, as their checkpoint has them: with integers of 4 bits, and of 8.
    pub block_weights: [u64; 2],
    pub bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    embedded: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    pub blueprint: Blueprint,
}

impl Facts {
    pub fn new(prepared: &Prepared, origin: Option<&Origin>) -> Self {
        // What the file itself says.
        let numerics = lmz::summarise(prepared.as_bytes()).map(|summary| summary.numerics);
        let identity = hex(&prepared.identity());
        Self {
            kind: origin.map(|origin| match origin {
                Origin::Embedded => "embedded",
                Origin::File(_) => "installed",
            }),
            name: prepared.name.chars().filter(|c| !c.is_control()).collect(),
            id: identity[..32].to_owned(),
            identity,
            checkpoint: hex(&prepared.checkpoint),
            recipe: prepared.recipe,
            numerics_version: numerics.unwrap_or(lmz::NUMERICS_VERSION.into()),
            weights: prepared.weights(),
            fine_weights: prepared.fine_weights(),
            block_weights: prepared.block_weights(),
            bytes: prepared.as_bytes().len() as u64,
            embedded: origin.map(|origin| *origin == Origin::Embedded),
            path: origin.and_then(|origin| match origin {
                Origin::Embedded => None,
                Origin::File(path) => Some(path.display().to_string()),
            }),
            blueprint: prepared.blueprint.clone(),
        }
    }
}
