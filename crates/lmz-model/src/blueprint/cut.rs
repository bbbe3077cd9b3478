//! How a part lies in the tensor that a checkpoint stores.

/// One tensor of a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorSpec {
    /// The name in the safetensors files.
    pub name: String,
    /// Rows first: a linear map is `[outputs, inputs]` (GPT-2's `[inputs, outputs]`), a norm
    /// `[width]`.
    pub shape: Vec<usize>,
}

/// Where a checkpoint keeps one [`Part`](crate::Part).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    /// The tensor, with the shape that the file has.
    pub(crate) tensor: TensorSpec,
    /// What of it the part is.
    pub(crate) cut: Cut,
}

/// What of a stored tensor a part is: some of its outputs, in order. Outputs are rows, or, where
/// the checkpoint stores `[inputs, outputs]`, columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    /// Whether outputs are columns.
    pub(crate) transposed: bool,
    /// Which outputs; all if `None`.
    pub(crate) blocks: Option<Blocks>,
}

impl Cut {
    /// The tensor as it is.
    pub(crate) const WHOLE: Self = Self {
        transposed: false,
        blocks: None,
    };
}

/// Runs of outputs at equal distances: `first + i * stride ..` of `length` each, `count` times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Blocks {
    pub(crate) first: usize,
    pub(crate) length: usize,
    pub(crate) stride: usize,
    pub(crate) count: usize,
}

impl Blocks {
    /// The runs, as ranges of outputs.
    pub(crate) fn ranges(self) -> impl Iterator<Item = std::ops::Range<usize>> {
        (0..self.count).map(move |i| {
            let start = self.first + i * self.stride;
            start..start + self.length
        })
    }
}
