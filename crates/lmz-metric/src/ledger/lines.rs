//! The ledger as lines that add up.

use super::account::Ledger;
use super::bits::Bits;

/// A line of the ledger: what it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Step {
    /// Ideal bits under the float engine.
    Float,
    /// Ideal bits under the exact engine: all of them, or the difference to the float engine's.
    Exact,
    /// What was seen of a group helps the model: what that takes off.
    Mixing,
    /// What contexts code alone.
    Contexts,
    /// The heads of groups.
    Heads,
    /// Probabilities become integer frequencies.
    Frequencies,
    /// The range coder's rounding.
    Coder,
    /// Segments end at whole bytes.
    Seals,
    /// Segments kept by zstd.
    Zstd,
    /// Segments stored as they are.
    Stored,
    /// The container's header.
    Header,
    /// The segments' own headers: kind, lengths, checks.
    Records,
    /// The footer's index of segments.
    Index,
    /// The end byte and the footer without the index.
    Footer,
}

impl Step {
    /// A name for JSON.
    pub fn key(self) -> &'static str {
        match self {
            Self::Float => "float",
            Self::Exact => "exact",
            Self::Mixing => "mixing",
            Self::Contexts => "contexts",
            Self::Heads => "heads",
            Self::Frequencies => "frequencies",
            Self::Coder => "coder",
            Self::Seals => "seals",
            Self::Zstd => "zstd",
            Self::Stored => "stored",
            Self::Header => "header",
            Self::Records => "records",
            Self::Index => "index",
            Self::Footer => "footer",
        }
    }

    /// A name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Float => "ideal, float engine",
            Self::Exact => "ideal, exact engine",
            Self::Mixing => "mixing",
            Self::Contexts => "contexts alone",
            Self::Heads => "heads of groups",
            Self::Frequencies => "integer frequencies",
            Self::Coder => "range coder",
            Self::Seals => "seals to whole bytes",
            Self::Zstd => "segments kept by zstd",
            Self::Stored => "segments stored",
            Self::Header => "header",
            Self::Records => "segment headers",
            Self::Index => "index",
            Self::Footer => "footer, end byte",
        }
    }
}

/// One step of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// What it stands for.
    pub step: Step,
    /// The bits that it adds; negative where it saves some.
    pub bits: Bits,
    /// Sum of the lines so far.
    pub total: Bits,
}

impl Ledger {
    /// The lines, in order. Their bits add up to `8 * file_bytes`, exactly.
    pub fn lines(&self) -> Vec<Line> {
        let [modelled, zstd, stored, groups] = self.coded.map(Bits::of_bytes);
        let mixed = &self.mixed;
        let (heads, kept) = (Bits::of_bytes(mixed.heads), Bits::of_bytes(mixed.stored));
        let container = &self.container;
        let mut steps = Vec::new();
        steps.extend(self.float.map(|bits| (Step::Float, bits)));
        steps.push((Step::Exact, self.exact - self.float.unwrap_or_default()));
        if self.segments[3] > 0 {
            steps.extend([
                (Step::Mixing, mixed.text - mixed.exact),
                (Step::Contexts, mixed.contexts),
                (Step::Heads, heads),
            ]);
        }
        let alone = self.exact - mixed.exact;
        let coded = self.spent + mixed.text + mixed.contexts + heads + kept;
        steps.extend([
            (Step::Frequencies, self.quantised - alone),
            (Step::Coder, self.spent - self.quantised),
            (Step::Seals, modelled + groups - coded),
            (Step::Zstd, zstd),
            (Step::Stored, stored + kept),
            (Step::Header, Bits::of_bytes(container.header)),
            (Step::Records, Bits::of_bytes(container.records)),
            (Step::Index, Bits::of_bytes(container.index)),
            (Step::Footer, Bits::of_bytes(container.footer)),
        ]);
        let mut total = Bits::default();
        let lines = steps.into_iter().map(|(step, bits)| {
            total += bits;
            Line { step, bits, total }
        });
        lines.collect()
    }
}
