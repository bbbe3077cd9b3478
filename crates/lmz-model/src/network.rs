//! A model without its tokenizer: what is computed, and the weights.

use std::collections::HashSet;
use std::path::Path;

use crate::blueprint::{Blueprint, Grid, Part, Stored, Weights, is_buffer};
use crate::config::{CONFIG, parse_config};
use crate::error::{ModelError, Result};
use crate::files::{read_bounded, required};
use crate::gguf::{self, Gguf, Places};
use crate::name;
use crate::notice;
use crate::tensors::Tensors;

const MAX_CONFIG_BYTES: u64 = 4 << 20;
const HASH_DOMAIN: &str = "lmz network v1";

/// What a model computes: `config.json` and the weights of a Hugging Face directory, or the
/// same of a GGUF file. Scoring needs no more; a [`Checkpoint`](crate::Checkpoint) adds the
/// vocabulary that coding needs.
#[derive(Debug)]
pub struct Network {
    /// What the model is called, for people to read; it is no part of a hash. It comes from the
    /// model itself: `_name_or_path` of `config.json` or `general.name` of a GGUF file, else
    /// the name that the hub's cache gives its folder, else that of the family.
    pub name: String,
    /// What the model computes.
    pub blueprint: Blueprint,
    /// Fields of `config.json`, or keys of a GGUF file's architecture, that this version does not
    /// know, sorted.
    pub ignored_fields: Vec<String>,
    /// Tensors that the blueprint does not use, sorted; masks and rotary tables that older
    /// releases stored are not counted. A bias among them would mean that the configuration does
    /// not tell the whole truth.
    pub ignored_tensors: Vec<String>,
    /// It has a template for chats. It works, but a base model predicts ordinary text better than one that was
    /// trained to chat.
    pub chat_template: bool,
    /// A head that the files hold, other than the embedding that the configuration says is the head.
    unused_head: Option<String>,
    files: Files,
}

/// Where the weights are. Every part of the blueprint is present with the right shape and a
/// supported type.
#[derive(Debug)]
enum Files {
    Safetensors(Tensors),
    Gguf { gguf: Gguf, places: Places },
}

impl Network {
    /// Reads a directory's `config.json` and the headers of its weights, or a GGUF file's header
    /// (and those of the other parts of its model).
    ///
    /// # Errors
    /// A file is missing, too large or malformed; the model is of an unsupported kind; a tensor
    /// is missing, misshapen or of an unsupported type. That every weight is finite is checked
    /// when it is read.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        if path.is_file() {
            return Self::from_gguf(Gguf::open(path)?);
        }
        Self::from_directory(path)
    }

    fn from_directory(directory: &Path) -> Result<Self> {
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
        Ok(Self {
            name: name::of_directory(directory, &text),
            chat_template: notice::has_chat_template(directory),
            unused_head: notice::find_unused_head(&blueprint, &tensors),
            blueprint,
            ignored_fields: config.ignored_fields,
            ignored_tensors,
            files: Files::Safetensors(tensors),
        })
    }

    /// The network of an opened GGUF file.
    pub(crate) fn from_gguf(gguf: Gguf) -> Result<Self> {
        let config = gguf::read_config(&gguf)?;
        let blueprint = config.parsed.blueprint;
        let places = Places::check(config.architecture, &gguf, &blueprint)?;
        Ok(Self {
            name: name::of_gguf(gguf.name()?, gguf.architecture()?),
            ignored_fields: config.parsed.ignored_fields,
            ignored_tensors: places.unused(&gguf, &blueprint)?,
            chat_template: gguf.has_chat_template(),
            // Such a file has a head exactly if it has one of its own.
            unused_head: None,
            blueprint,
            files: Files::Gguf { gguf, places },
        })
    }

    /// The tensors of a directory's safetensors files, under the names of
    /// [`Blueprint::tensors`]: where a file has other prefixes than the family's published ones,
    /// they go by the published names. `None` if the model is a GGUF file, whose tensors have
    /// other names and forms: [`load`](Weights::load) reads both.
    pub fn tensors(&self) -> Option<&Tensors> {
        match &self.files {
            Files::Safetensors(tensors) => Some(tensors),
            Files::Gguf { .. } => None,
        }
    }

    /// The GGUF file, if the model is one.
    #[cfg(feature = "tokenizers")]
    pub(crate) fn gguf(&self) -> Option<&Gguf> {
        match &self.files {
            Files::Safetensors(_) => None,
            Files::Gguf { gguf, .. } => Some(gguf),
        }
    }

    /// What a user should know of the model, in sentences: fields and tensors that were not looked at. Empty for
    /// a model that is understood as a whole.
    pub fn notices(&self) -> Vec<String> {
        let fields = match &self.files {
            Files::Safetensors(_) => "unknown fields of config.json",
            Files::Gguf { .. } => "unknown keys of the metadata",
        };
        let fields = notice::ignored(&self.name, fields, &self.ignored_fields);
        // The head has a sentence of its own, and a copy of the embedding is nothing to speak of.
        let head = notice::head_name(&self.blueprint);
        let tensors = self.ignored_tensors.iter();
        let tensors: Vec<String> = tensors
            .filter(|name| Some(*name) != head.as_ref())
            .cloned()
            .collect();
        let tensors = notice::ignored(&self.name, "tensors that the model does not use", &tensors);
        let head = self.unused_head.as_deref();
        let head = head.map(|tensor| notice::unused_head(&self.name, tensor));
        fields.into_iter().chain(tensors).chain(head).collect()
    }

    /// That the model was made for chats, in a sentence, as far as its name or a template for chats tells.
    pub fn chat_notice(&self) -> Option<String> {
        notice::chat(&self.name, self.chat_template)
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
        let tensors = match &self.files {
            Files::Safetensors(tensors) => tensors,
            Files::Gguf { gguf, places } => return places.load(gguf, &self.blueprint, part),
        };
        let Some(stored) = self.blueprint.stored(part) else {
            return Err(ModelError::NoPart {
                part: format!("{part:?}"),
            });
        };
        read(tensors, &stored)
    }

    fn grid(&self, part: Part) -> Result<Option<Grid>> {
        match &self.files {
            Files::Safetensors(_) => Ok(None),
            Files::Gguf { gguf, places } => places.grid(gguf, &self.blueprint, part),
        }
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
        let blueprint = &network.blueprint;
        self.string(blueprint.canonical_json().as_bytes());
        match &network.files {
            Files::Safetensors(tensors) => {
                let specs = blueprint.tensors();
                self.number(specs.len());
                for spec in specs {
                    let tensor = tensors.get(&spec.name, &spec.shape)?;
                    self.tensor(&spec.name, tensor.dtype.name(), &spec.shape, tensor.bytes);
                }
            }
            Files::Gguf { gguf, places } => {
                let names = places.tensors(gguf, blueprint)?;
                self.number(names.len());
                for name in names {
                    let tensor = gguf.stored(&name)?;
                    self.tensor(&name, tensor.kind, tensor.shape, tensor.bytes);
                }
            }
        }
        Ok(())
    }

    fn tensor(&mut self, name: &str, kind: &str, shape: &[usize], bytes: &[u8]) {
        self.string(name.as_bytes());
        self.string(kind.as_bytes());
        self.number(shape.len());
        for &dimension in shape {
            self.number(dimension);
        }
        self.string(bytes);
    }

    pub(crate) fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}
