//! ggml's types of tensors: how many elements a block has, and in how many bytes.

/// A type that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    F32,
    F16,
    Bf16,
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    Q8_0,
    Q2K,
    Q3K,
    Q4K,
    Q5K,
    Q6K,
    Iq4Nl,
    Iq4Xs,
}

/// The types, by the number that a file has for them.
const KINDS: [(u32, Kind); 15] = [
    (0, Kind::F32),
    (1, Kind::F16),
    (2, Kind::Q4_0),
    (3, Kind::Q4_1),
    (6, Kind::Q5_0),
    (7, Kind::Q5_1),
    (8, Kind::Q8_0),
    (10, Kind::Q2K),
    (11, Kind::Q3K),
    (12, Kind::Q4K),
    (13, Kind::Q5K),
    (14, Kind::Q6K),
    (20, Kind::Iq4Nl),
    (23, Kind::Iq4Xs),
    (30, Kind::Bf16),
];

/// ggml's other types, for an error that people understand.
const OTHERS: [(u32, &str); 19] = [
    (9, "Q8_1"),
    (15, "Q8_K"),
    (16, "IQ2_XXS"),
    (17, "IQ2_XS"),
    (18, "IQ3_XXS"),
    (19, "IQ1_S"),
    (21, "IQ3_S"),
    (22, "IQ2_S"),
    (24, "I8"),
    (25, "I16"),
    (26, "I32"),
    (27, "I64"),
    (28, "F64"),
    (29, "IQ1_M"),
    (34, "TQ1_0"),
    (35, "TQ2_0"),
    (39, "MXFP4"),
    (40, "NVFP4"),
    (41, "Q1_0"),
];

impl Kind {
    /// The type of this number, if it can be read.
    pub(super) fn of(id: u32) -> Option<Self> {
        KINDS.iter().find(|kind| kind.0 == id).map(|kind| kind.1)
    }

    /// What people call the type of this number.
    pub(super) fn name_of(id: u32) -> String {
        let other = OTHERS.iter().find(|other| other.0 == id);
        match (Self::of(id), other) {
            (Some(kind), _) => kind.name().into(),
            (None, Some((_, name))) => (*name).into(),
            (None, None) => format!("number {id}"),
        }
    }

    /// ggml's name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::F32 => "F32",
            Self::F16 => "F16",
            Self::Bf16 => "BF16",
            Self::Q4_0 => "Q4_0",
            Self::Q4_1 => "Q4_1",
            Self::Q5_0 => "Q5_0",
            Self::Q5_1 => "Q5_1",
            Self::Q8_0 => "Q8_0",
            Self::Q2K => "Q2_K",
            Self::Q3K => "Q3_K",
            Self::Q4K => "Q4_K",
            Self::Q5K => "Q5_K",
            Self::Q6K => "Q6_K",
            Self::Iq4Nl => "IQ4_NL",
            Self::Iq4Xs => "IQ4_XS",
        }
    }

    /// The number of elements of a block. A row is whole blocks.
    pub(super) fn block(self) -> usize {
        match self {
            Self::F32 | Self::F16 | Self::Bf16 => 1,
            Self::Q4_0 | Self::Q4_1 | Self::Q5_0 | Self::Q5_1 | Self::Q8_0 | Self::Iq4Nl => 32,
            Self::Q2K | Self::Q3K | Self::Q4K | Self::Q5K | Self::Q6K | Self::Iq4Xs => 256,
        }
    }

    /// The number of bytes of a block.
    pub(super) fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
            Self::Q4_0 | Self::Iq4Nl => 18,
            Self::Q4_1 => 20,
            Self::Q5_0 => 22,
            Self::Q5_1 => 24,
            Self::Q8_0 => 34,
            Self::Q2K => 84,
            Self::Q3K => 110,
            Self::Q4K => 144,
            Self::Q5K => 176,
            Self::Q6K => 210,
            Self::Iq4Xs => 136,
        }
    }

    /// The bytes of so many elements, if they are whole blocks and the number does not overflow.
    pub(super) fn size_of(self, elements: usize) -> Option<usize> {
        let blocks = elements
            .is_multiple_of(self.block())
            .then_some(elements / self.block())?;
        blocks.checked_mul(self.bytes())
    }

    /// The names of all types that can be read.
    pub(super) fn all() -> String {
        let names: Vec<_> = KINDS.iter().map(|kind| kind.1.name()).collect();
        names.join(", ")
    }
}
