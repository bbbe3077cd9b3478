//! The tensors that a blueprint needs: names as Hugging Face writes them, shapes, fixed order.

use std::collections::HashSet;

use super::cut::{Blocks, Cut, Stored, TensorSpec};
use super::description::Blueprint;
use super::layouts::{self, Fused, Place};
use super::parts::{LayerPart, Part};

impl Blueprint {
    /// Every tensor once, in the order of the content hash: the order of [`parts`](Self::parts),
    /// a tensor that holds several parts where its first one stands.
    pub fn tensors(&self) -> Vec<TensorSpec> {
        let mut seen = HashSet::new();
        let stored = self.parts().into_iter().filter_map(|part| self.place(part));
        stored
            .map(|stored| stored.tensor)
            .filter(|tensor| seen.insert(tensor.name.clone()))
            .collect()
    }

    /// Where a checkpoint keeps a part; `None` if the model has no such part, or its layout no
    /// name for it.
    pub(crate) fn stored(&self, part: Part) -> Option<Stored> {
        self.has(part).then(|| self.place(part)).flatten()
    }

    /// As [`stored`](Self::stored), of a part that the model has.
    pub(super) fn place(&self, part: Part) -> Option<Stored> {
        let place = layouts::place(self, part)?;
        let shape = self.part_shape(part);
        Some(match place {
            Place::Own(name) => Stored {
                tensor: TensorSpec { name, shape },
                cut: Cut::WHOLE,
            },
            Place::Transposed(name) => Stored {
                tensor: TensorSpec {
                    name,
                    shape: shape.into_iter().rev().collect(),
                },
                cut: Cut {
                    transposed: true,
                    blocks: None,
                },
            },
            Place::Fused { name, order } => self.fused(part, name, order, shape),
        })
    }

    /// The query, key or value part of a tensor that holds all three.
    fn fused(&self, part: Part, name: String, order: Fused, shape: Vec<usize>) -> Stored {
        let all = (self.heads + 2 * self.kv_heads) * self.head_dim;
        let (queries, keys) = match order {
            Fused::Whole { .. } => (self.heads * self.head_dim, self.kv_heads * self.head_dim),
            Fused::Groups => (self.heads / self.kv_heads * self.head_dim, self.head_dim),
        };
        let (first, length) = match part {
            Part::Layer(_, LayerPart::Key | LayerPart::KeyBias) => (queries, keys),
            Part::Layer(_, LayerPart::Value | LayerPart::ValueBias) => (queries + keys, keys),
            _ => (0, queries),
        };
        let stride = queries + 2 * keys;
        let is_matrix = shape.len() == 2;
        let transposed = is_matrix && order == (Fused::Whole { transposed: true });
        let mut stored = vec![all];
        stored.extend(shape.get(1));
        if transposed {
            stored.reverse();
        }
        Stored {
            tensor: TensorSpec {
                name,
                shape: stored,
            },
            cut: Cut {
                transposed,
                blocks: Some(Blocks {
                    first,
                    length,
                    stride,
                    count: all / stride,
                }),
            },
        }
    }
}
