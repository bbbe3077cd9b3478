//! Where a file keeps each part of a model, and what the converter did to it.

use std::collections::HashSet;
use std::ops::Range;

use super::config::Architecture;
use super::model::Gguf;
use crate::blueprint::{Blueprint, Grid, LayerPart, Norm, Part, Residual};
use crate::error::{ModelError, Result};

/// The mapping from the parts of a blueprint to the tensors of a file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places {
    architecture: Architecture,
}

/// A part's place.
struct Place {
    tensor: String,
    shape: Vec<usize>,
    /// Which rows of the tensor (elements of a vector).
    rows: Range<usize>,
    undo: Undo,
}

/// What the converter did.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Undo {
    Nothing,
    /// The rows of so many heads were reordered from halves to pairs, for rotation.
    Pairs(usize),
    /// One was added.
    PlusOne,
}

impl Places {
    /// Checks that every part has its tensor, of the right shape.
    pub(crate) fn check(
        architecture: Architecture,
        gguf: &Gguf,
        blueprint: &Blueprint,
    ) -> Result<Self> {
        let places = Self { architecture };
        for part in blueprint.parts() {
            let place = places.place(gguf, blueprint, part)?;
            gguf.expect(&place.tensor, &place.shape)?;
        }
        Ok(places)
    }

    /// The names of the tensors that the model uses, each once, in the order of its parts.
    pub(crate) fn tensors(self, gguf: &Gguf, blueprint: &Blueprint) -> Result<Vec<String>> {
        let mut seen = HashSet::new();
        let mut names = Vec::new();
        for part in blueprint.parts() {
            let name = self.place(gguf, blueprint, part)?.tensor;
            if seen.insert(name.clone()) {
                names.push(name);
            }
        }
        Ok(names)
    }

    /// The tensors that are not used, sorted.
    pub(crate) fn unused(self, gguf: &Gguf, blueprint: &Blueprint) -> Result<Vec<String>> {
        let used: HashSet<String> = self.tensors(gguf, blueprint)?.into_iter().collect();
        let is_table = |name: &str| name == "rope_freqs.weight" || name.ends_with(".attn_rot_embd");
        let names = gguf.names();
        let unused = names.filter(|name| !used.contains(*name) && !is_table(name));
        Ok(unused.map(str::to_owned).collect())
    }

    /// A part in f32, as the mathematics has it.
    pub(crate) fn load(self, gguf: &Gguf, blueprint: &Blueprint, part: Part) -> Result<Vec<f32>> {
        if !blueprint.has(part) {
            return Err(no_part(part));
        }
        let place = self.place(gguf, blueprint, part)?;
        gguf.expect(&place.tensor, &place.shape)?;
        let mut values = gguf.rows(&place.tensor, place.rows)?;
        match place.undo {
            Undo::Nothing => {}
            Undo::PlusOne => values.iter_mut().for_each(|v| *v -= 1.0),
            Undo::Pairs(heads) => values = halves(&values, heads, blueprint.head_dim),
        }
        Ok(values)
    }

    /// The grid of a part that is stored in blocks.
    pub(crate) fn grid(
        self,
        gguf: &Gguf,
        blueprint: &Blueprint,
        part: Part,
    ) -> Result<Option<Grid>> {
        if !blueprint.has(part) {
            return Err(no_part(part));
        }
        let place = self.place(gguf, blueprint, part)?;
        gguf.expect(&place.tensor, &place.shape)?;
        let Some(mut grid) = gguf.grid(&place.tensor, place.rows)? else {
            return Ok(None);
        };
        if let Undo::Pairs(heads) = place.undo {
            grid.steps = halves(&grid.steps, heads, blueprint.head_dim);
            grid.offsets = halves(&grid.offsets, heads, blueprint.head_dim);
        }
        Ok(Some(grid))
    }

    fn place(self, gguf: &Gguf, blueprint: &Blueprint, part: Part) -> Result<Place> {
        let shape = blueprint.part_shape(part);
        let Some(name) = self.name(gguf, blueprint, part) else {
            return Err(no_part(part));
        };
        let rows = 0..shape.first().copied().unwrap_or(0);
        let place = Place {
            undo: self.undo(blueprint, part),
            tensor: name,
            shape,
            rows,
        };
        Ok(match part {
            Part::Layer(layer, part) => self.within(gguf, blueprint, layer, part, place),
            _ => place,
        })
    }

    /// Parts that share a tensor: queries, keys and values; experts.
    fn within(
        self,
        gguf: &Gguf,
        blueprint: &Blueprint,
        layer: usize,
        part: LayerPart,
        mut place: Place,
    ) -> Place {
        use LayerPart::*;
        let (queries, keys) = (
            blueprint.heads * blueprint.head_dim,
            blueprint.kv_heads * blueprint.head_dim,
        );
        let first = match part {
            Query | QueryBias => 0,
            Key | KeyBias => queries,
            Value | ValueBias => queries + keys,
            ExpertGate(e) | ExpertUp(e) | ExpertDown(e) => {
                if place.tensor.contains("_exps.") {
                    let rows = place.rows.len();
                    place.rows = e * rows..(e + 1) * rows;
                    // All experts' tensors have the same shape.
                    let router = blueprint.part_shape(Part::Layer(layer, Router));
                    place.shape.insert(0, router[0]);
                }
                return place;
            }
            _ => return place,
        };
        let kind = if place.shape.len() == 1 {
            "bias"
        } else {
            "weight"
        };
        let fused = format!("blk.{layer}.attn_qkv.{kind}");
        if gguf.has(&fused) {
            place.rows = first..first + place.rows.len();
            place.shape[0] = queries + 2 * keys;
            place.tensor = fused;
        }
        place
    }

    fn undo(self, blueprint: &Blueprint, part: Part) -> Undo {
        use LayerPart::*;
        let pairs = matches!(self.architecture, Architecture::Llama | Architecture::Olmo);
        match part {
            Part::Layer(_, Query | QueryBias) if pairs => Undo::Pairs(blueprint.heads),
            Part::Layer(_, Key | KeyBias) if pairs => Undo::Pairs(blueprint.kv_heads),
            Part::FinalNorm
            | Part::Layer(
                _,
                AttentionNorm | AttentionPostNorm | FeedForwardNorm | FeedForwardPostNorm
                | QueryNorm | KeyNorm,
            ) if matches!(blueprint.norm, Norm::RmsNormPlusOne { .. }) => Undo::PlusOne,
            _ => Undo::Nothing,
        }
    }

    /// The name of a part's tensor, if nothing shares it.
    fn name(self, gguf: &Gguf, blueprint: &Blueprint, part: Part) -> Option<String> {
        use LayerPart::*;
        let (layer, part) = match part {
            Part::TokenEmbedding => return Some("token_embd.weight".into()),
            Part::PositionEmbedding => return Some("position_embd.weight".into()),
            Part::FinalNorm => return Some("output_norm.weight".into()),
            Part::FinalNormBias => return Some("output_norm.bias".into()),
            Part::Head => return Some("output.weight".into()),
            Part::HeadBias => return Some("output.bias".into()),
            Part::Layer(layer, part) => (layer, part),
        };
        // Falcon with two norms: the one of the feed-forward half has the plain name.
        let two_norms = self.architecture == Architecture::Falcon
            && blueprint.block.residual == Residual::Parallel;
        let module = match part {
            Query => "attn_q.weight",
            QueryBias => "attn_q.bias",
            Key => "attn_k.weight",
            KeyBias => "attn_k.bias",
            Value => "attn_v.weight",
            ValueBias => "attn_v.bias",
            QueryNorm => "attn_q_norm.weight",
            KeyNorm => "attn_k_norm.weight",
            Output => "attn_output.weight",
            OutputBias => "attn_output.bias",
            AttentionNorm if two_norms => "attn_norm_2.weight",
            AttentionNormBias if two_norms => "attn_norm_2.bias",
            FeedForwardNorm if two_norms => "attn_norm.weight",
            FeedForwardNormBias if two_norms => "attn_norm.bias",
            AttentionNorm => "attn_norm.weight",
            AttentionNormBias => "attn_norm.bias",
            AttentionPostNorm => "post_attention_norm.weight",
            FeedForwardNorm => "ffn_norm.weight",
            FeedForwardNormBias => "ffn_norm.bias",
            FeedForwardPostNorm => "post_ffw_norm.weight",
            Gate => "ffn_gate.weight",
            GateBias => "ffn_gate.bias",
            Up => "ffn_up.weight",
            UpBias => "ffn_up.bias",
            Down => "ffn_down.weight",
            DownBias => "ffn_down.bias",
            Router => "ffn_gate_inp.weight",
            ExpertGate(e) => return Some(expert(gguf, layer, "ffn_gate", e)),
            ExpertUp(e) => return Some(expert(gguf, layer, "ffn_up", e)),
            ExpertDown(e) => return Some(expert(gguf, layer, "ffn_down", e)),
            AttentionPostNormBias | FeedForwardPostNormBias => return None,
        };
        Some(format!("blk.{layer}.{module}"))
    }
}

/// An expert's map: one tensor for all experts, or, in older files, one for each.
fn expert(gguf: &Gguf, layer: usize, map: &str, expert: usize) -> String {
    let own = format!("blk.{layer}.{map}.{expert}.weight");
    if gguf.has(&own) {
        return own;
    }
    format!("blk.{layer}.{map}_exps.weight")
}

/// Rows of heads from pairs, as the file has them, to halves: row `2 i + j` of a head to
/// `j * head_dim / 2 + i`.
fn halves<T: Copy>(values: &[T], heads: usize, head_dim: usize) -> Vec<T> {
    let width = values.len() / (heads * head_dim);
    let row = |at: usize| &values[at * width..(at + 1) * width];
    let mut out = Vec::with_capacity(values.len());
    for head in 0..heads {
        for to in 0..head_dim {
            let (half, pair) = (to / (head_dim / 2), to % (head_dim / 2));
            out.extend_from_slice(row(head * head_dim + 2 * pair + half));
        }
    }
    out
}

fn no_part(part: Part) -> ModelError {
    ModelError::NoPart {
        part: format!("{part:?}"),
    }
}
