//! What is done about what is lost.

/// What stands in the place of lost bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fill {
    /// Zero bytes, as many as are lost: what was restored keeps its offsets.
    #[default]
    Zero,
    /// Nothing.
    Skip,
}

/// How to restore what is left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Salvaging {
    /// What stands in the place of lost bytes.
    pub fill: Fill,
    /// Of a segment whose end is cut off, give out what decodes before the cut, although nothing vouches for it. Of a group
    /// with several lanes that is, at its end, what the first of them says.
    pub unverified: bool,
}

impl From<Fill> for Salvaging {
    fn from(fill: Fill) -> Self {
        Self {
            fill,
            unverified: false,
        }
    }
}
