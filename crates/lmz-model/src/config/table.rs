//! What most families' configurations have in common, with the names and defaults as a table.

use serde_json::Value;

use super::fields::{Fields, unsupported};
use super::rope;
use crate::blueprint::{Activation, Blueprint, Layout, Norm, Position, Window};
use crate::error::Result;

/// How a family names its fields, and what they are when they are absent (as in the
/// configuration classes of transformers).
pub(super) struct Table {
    pub(super) layout: Layout,
    pub(super) hidden: &'static str,
    pub(super) layers: &'static str,
    pub(super) heads: &'static str,
    /// The feed-forward layer's width.
    pub(super) inner: &'static str,
    /// Whether that is four times the hidden size when absent; else it is required.
    pub(super) four_times: bool,
    /// The name of the number of key heads, if there is one, and the number when absent. `null`
    /// or no number here: as many as query heads.
    pub(super) kv_heads: (Option<&'static str>, Option<usize>),
    /// Whether `head_dim` is a field, and the width when it is absent: `None` means the hidden
    /// size divided by the heads.
    pub(super) head_dim: (bool, Option<usize>),
    pub(super) max_positions: (&'static str, usize),
    /// The norm's kind, and its epsilon's name (empty if it is no field) and default.
    pub(super) norm: fn(f64) -> Norm,
    pub(super) eps: (&'static str, f64),
    pub(super) activation: (&'static str, &'static str),
    pub(super) positions: Positions,
    pub(super) tied: bool,
    /// The first token of a context, if the file does not say; left alone if out of range.
    pub(super) bos: Option<u32>,
}

/// How positions enter.
pub(super) enum Positions {
    Learned,
    Rope {
        /// The base when none is given.
        theta: f64,
        /// The share of a head that rotates when none is given; `None` if the family always
        /// rotates the whole head.
        share: Option<f64>,
    },
}

/// The table of a Llama, from which others differ.
pub(super) const LLAMA: Table = Table {
    layout: Layout::Llama,
    hidden: "hidden_size",
    layers: "num_hidden_layers",
    heads: "num_attention_heads",
    inner: "intermediate_size",
    four_times: false,
    kv_heads: (Some("num_key_value_heads"), None),
    head_dim: (true, None),
    max_positions: ("max_position_embeddings", 2048),
    norm: |eps| Norm::RmsNorm { eps },
    eps: ("rms_norm_eps", 1e-6),
    activation: ("hidden_act", "silu"),
    positions: Positions::Rope {
        theta: 10_000.0,
        share: None,
    },
    tied: false,
    bos: None,
};

impl Table {
    /// Reads the common fields. What the family has beyond them is for the caller to add.
    pub(super) fn read(&self, fields: &mut Fields) -> Result<Blueprint> {
        let hidden_size = fields.required(self.hidden)?;
        let heads = fields.required(self.heads)?;
        let kv_heads = match self.kv_heads {
            (None, _) => heads,
            (Some(name), absent) => fields
                .nullable(name, absent, Fields::uint)?
                .unwrap_or(heads),
        };
        let head_dim = match self.head_dim {
            (true, absent) => fields.nullable("head_dim", absent, Fields::uint)?,
            (false, _) => None,
        };
        let head_dim = head_dim.or_else(|| hidden_size.checked_div(heads));
        let intermediate_size = match fields.uint(self.inner)? {
            Some(width) => width,
            None if self.four_times => hidden_size.saturating_mul(4),
            None => return Err(fields.missing(self.inner)),
        };
        let vocab_size = fields.required("vocab_size")?;
        let (name, absent) = self.max_positions;
        let max_positions = fields.uint(name)?.unwrap_or(absent);
        let (name, absent) = self.eps;
        let eps = fields.float(name)?.unwrap_or(absent);
        let head_dim = head_dim.unwrap_or(0);
        let (position, rotary_dim) = self.position(fields, head_dim)?;
        let mut blueprint = Blueprint {
            hidden_size,
            intermediate_size,
            layers: fields.required(self.layers)?,
            heads,
            kv_heads,
            head_dim,
            vocab_size,
            max_positions,
            norm: (self.norm)(eps),
            position,
            activation: activation(fields, self.activation.0, self.activation.1)?,
            tied_head: fields.flag("tie_word_embeddings")?.unwrap_or(self.tied),
            start_token: self.start_token(fields, vocab_size)?,
            layout: self.layout,
            block: Default::default(),
            attention: Default::default(),
            feed_forward: Default::default(),
            ends: Default::default(),
        };
        blueprint.attention.rotary_dim = rotary_dim;
        Ok(blueprint)
    }

    fn position(&self, fields: &mut Fields, head_dim: usize) -> Result<(Position, Option<usize>)> {
        let Positions::Rope { theta, share } = self.positions else {
            return Ok((Position::Learned, None));
        };
        let rope = rope::read(fields, theta)?;
        let rotary_dim = match (rope.share, share) {
            (Some((given, path)), None) if given != 1.0 => {
                return Err(unsupported(path, &given.into()));
            }
            (_, None) => head_dim,
            // Rounded towards zero, as the published code does; a wrong share fails validation.
            (given, Some(absent)) => {
                let share = given.map_or(absent, |(share, _)| share);
                (head_dim as f64 * share) as usize
            }
        };
        let position = Position::Rope {
            theta: rope.theta,
            scaling: rope.scaling,
        };
        Ok((position, (rotary_dim != head_dim).then_some(rotary_dim)))
    }

    /// `bos_token_id` (the first, of a list), else the family's, else `eos_token_id`, else 0.
    fn start_token(&self, fields: &mut Fields, vocab_size: usize) -> Result<u32> {
        let family = self.bos.filter(|&id| (id as usize) < vocab_size);
        let bos = fields.nullable("bos_token_id", family, first_token)?;
        let eos = first_token(fields, "eos_token_id")?;
        Ok(bos.or(eos).unwrap_or(0))
    }
}

/// A token id, or the first of a list of them.
fn first_token(fields: &mut Fields, name: &str) -> Result<Option<u32>> {
    let value = match fields.take(name) {
        Some(Value::Array(list)) => list.into_iter().next(),
        other => other,
    };
    match value {
        None => Ok(None),
        Some(value) => match value.as_u64().and_then(|id| u32::try_from(id).ok()) {
            Some(id) => Ok(Some(id)),
            None => Err(fields.invalid(name, "is not a token id")),
        },
    }
}

/// A non-linearity by the name that transformers gives it.
fn activation(fields: &mut Fields, name: &str, absent: &str) -> Result<Activation> {
    let given = fields.text(name)?;
    match given.as_deref().unwrap_or(absent) {
        "silu" | "swish" => Ok(Activation::Silu),
        "gelu" | "gelu_python" => Ok(Activation::Gelu),
        // Three spellings of one formula.
        "gelu_new" | "gelu_pytorch_tanh" | "gelu_fast" => Ok(Activation::GeluTanh),
        "relu" => Ok(Activation::Relu),
        other => Err(fields.unsupported(name, other)),
    }
}

/// `layer_types`: for each layer, whether it has the window; `absent` where the field is absent.
pub(super) fn windowed_layers(
    fields: &mut Fields,
    layers: usize,
    absent: impl Fn(usize) -> bool,
) -> Result<Vec<bool>> {
    const NAME: &str = "layer_types";
    let Some(list) = fields.list(NAME)? else {
        // Not yet validated, so bounded here.
        return Ok((0..layers.min(1 << 16)).map(absent).collect());
    };
    if list.len() != layers {
        return Err(fields.invalid(NAME, &format!("has {} entries", list.len())));
    }
    let kind = |value: Value| match value.as_str() {
        Some("sliding_attention") => Ok(true),
        Some("full_attention" | "attention") => Ok(false),
        _ => Err(fields.unsupported(NAME, value)),
    };
    list.into_iter().map(kind).collect()
}

/// The window in its canonical form: none if no layer has it, no list if all have.
pub(super) fn window(
    fields: &Fields,
    tokens: Option<usize>,
    layers: Vec<bool>,
) -> Result<Option<Window>> {
    if !layers.contains(&true) {
        return Ok(None);
    }
    let Some(tokens) = tokens else {
        return Err(fields.missing("sliding_window"));
    };
    let all = !layers.contains(&false);
    Ok(Some(Window {
        tokens,
        layers: if all { Vec::new() } else { layers },
        theta: None,
    }))
}
