//! A model directory without its tokenizer: what is computed, and the weights.

use std::collections::HashSet;
use std::path::Path;

use crate::blueprint::{Blueprint, Part, Stored, Weights, is_buffer};
use crate::config::{CONFIG, parse_config};
use crate::error::{ModelError, Result};
use crate::files::{read_bounded, required};
use crate::tensors::Tensors;

const MAX_CONFIG_BYTES: u64 = 4 << 20;
const HASH_DOMAIN: &str = "lmz network v1";

/// What a Hugging Face model directory computes: `config.json` and the weights. Scoring needs no
/// more; a [`Checkpoint`](crate::Checkpoint) adds the vocabulary that coding needs.
#[derive(Debug)]
pub struct Network {
    /// The directory's name, for people to read; it is no part of a hash.
    pub name: String,
    /// What the model computes.
    pub blueprint: Blueprint,
    /// Its tensors; every one of [`Blueprint::tensors`] is present with the right shape and a
    /// supported type. Where a file has other prefixes than the family's published ones, the
    /// tensors go by the published names.
    pub tensors: Tensors,
    /// Fields of `config.json` that this version does not know, sorted.
    pub ignored_fields: Vec<String>,
    /// Tensors that the blueprint does not use, sorted; masks and rotary tables that older
    /// releases stored are not counted. A bias among them would mean that the configuration does
    /// not tell the whole truth.
    pub ignored_tensors: Vec<String>,
}

impl Network {
    /// Reads `config.json` and the headers of the weights.
    ///
    /// # Errors
    /// A file is missing, too large or malformed; the model is of an unsupported kind; a tensor
    /// is missing, misshapen or of an unsupported type. That every weight is finite is checked
    /// when it is read.
    pub fn open(directory: impl AsRef<Path>) -> Result<Self> {
        let directory = directory.as_ref();
        let text = read_bounded(&required(directory, CONFIG)?, MAX_CONFIG_BYTES)?;
        let config = parse_config(&text)?;
        let blueprint = config.blueprint;
        let mut tensors = Tensors::open(directory)?;
        let specs = blueprint.tensors();
        // The embedding, which every model has.
        if let Some(first) = specs.first() {
            for pairs in blueprint.layout.aliases() {
                tensors.rename(&first.name, pairs);
            }
        }
        for spec in &specs {
            tensors.get(&spec.name, &spec.shape)?;
        }
        let used: HashSet<&str> = specs.iter().map(|spec| spec.name.as_str()).collect();
        let names = tensors.names().into_iter();
        let ignored_tensors = names
            .filter(|name| !used.contains(name) && !is_buffer(name))
            .map(str::to_owned)
            .collect();
        // "." and "dir/.." have a name only once resolved.
        let resolved = directory.canonicalize();
        let name = resolved.as_deref().unwrap_or(directory).file_name();
        Ok(Self {
            name: name.unwrap_or_default().to_string_lossy().into_owned(),
            blueprint,
            tensors,
            ignored_fields: config.ignored_fields,
            ignored_tensors,
        })
    }

    /// What a user should know of the directory, in sentences: fields and tensors that were not looked at. Empty for
    /// a model that is understood as a whole.
    pub fn notices(&self) -> Vec<String> {
        let list = |names: &[String]| match names {
            [first, second, third, rest @ ..] if !rest.is_empty() => {
                format!("{first}, {second}, {third} and {} more", rest.len())
            }
            names => names.join(", "),
        };
        let notice = |what: &str, names: &[String]| {
            let listed = list(names);
            (!names.is_empty()).then(|| format!("{}: {what} are ignored: {listed}", self.name))
        };
        let fields = notice("unknown fields of config.json", &self.ignored_fields);
        let tensors = notice("tensors that the model does not use", &self.ignored_tensors);
        fields.into_iter().chain(tensors).collect()
    }

    /// The BLAKE3 hash of what the model computes, independent of file names, sharding and the
    /// fields that do not matter. Two tokenizers on one network share it; the hash that identifies
    /// a model for coding is [`Checkpoint::content_hash`](crate::Checkpoint::content_hash).
    ///
    /// The hashed bytes are those of the content hash with another first string,
    /// `"lmz network v1"`, and without the vocabulary.
    ///
    /// # Errors
    /// As [`Tensors::get`].
    pub fn weights_hash(&self) -> Result<[u8; 32]> {
        let mut hash = ContentHash::new(HASH_DOMAIN);
        hash.network(self)?;
        Ok(hash.finish())
    }
}

impl Weights for Network {
    fn blueprint(&self) -> &Blueprint {
        &self.blueprint
    }

    fn load(&self, part: Part) -> Result<Vec<f32>> {
        let Some(stored) = self.blueprint.stored(part) else {
            return Err(ModelError::NoPart {
                part: format!("{part:?}"),
            });
        };
        read(&self.tensors, &stored)
    }
}

/// Cuts a part out of its tensor.
fn read(tensors: &Tensors, stored: &Stored) -> Result<Vec<f32>> {
    let (name, shape) = (&stored.tensor.name, &stored.tensor.shape);
    match (stored.cut.transposed, stored.cut.blocks, shape.as_slice()) {
        (true, blocks, &[inputs, outputs]) => {
            let whole = tensors.f32(name, shape)?;
            let column = |output| (0..inputs).map(move |input| (input, output));
            let gather = |ranges: &mut dyn Iterator<Item = std::ops::Range<usize>>| {
                let cells = ranges.flatten().flat_map(column);
                cells.map(|(i, o)| whole[i * outputs + o]).collect()
            };
            Ok(match blocks {
                None => gather(&mut std::iter::once(0..outputs)),
                Some(blocks) => gather(&mut blocks.ranges()),
            })
        }
        (_, None, _) => tensors.f32(name, shape),
        (_, Some(blocks), &[rows, width]) => {
            let mut part = Vec::with_capacity(blocks.count * blocks.length * width);
            for range in blocks.ranges() {
                part.extend(tensors.rows_f32(name, [rows, width], range)?);
            }
            Ok(part)
        }
        (_, Some(blocks), _) => {
            let whole = tensors.f32(name, shape)?;
            Ok(blocks
                .ranges()
                .flat_map(|range| &whole[range])
                .copied()
                .collect())
        }
    }
}

/// A BLAKE3 hash over strings and numbers.
pub(crate) struct ContentHash(blake3::Hasher);

impl ContentHash {
    pub(crate) fn new(domain: &str) -> Self {
        let mut hash = Self(blake3::Hasher::new());
        hash.string(domain.as_bytes());
        hash
    }

    pub(crate) fn string(&mut self, bytes: &[u8]) {
        self.number(bytes.len());
        self.0.update(bytes);
    }

    pub(crate) fn number(&mut self, n: usize) {
        self.0.update(&(n as u64).to_le_bytes());
    }

    #[cfg(feature = "tokenizers")]
    pub(crate) fn flag(&mut self, flag: bool) {
        self.0.update(&[u8::from(flag)]);
    }

    /// The blueprint and every tensor.
    pub(crate) fn network(&mut self, network: &Network) -> Result<()> {
        self.string(network.blueprint.canonical_json().as_bytes());
        let specs = network.blueprint.tensors();
        self.number(specs.len());
        for spec in specs {
            let tensor = network.tensors.get(&spec.name, &spec.shape)?;
            self.string(spec.name.as_bytes());
            self.string(tensor.dtype.name().as_bytes());
            self.number(spec.shape.len());
            for dimension in spec.shape {
                self.number(dimension);
            }
            self.string(tensor.bytes);
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}
