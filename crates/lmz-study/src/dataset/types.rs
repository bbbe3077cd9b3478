//! The table of a study: models, corpora, benchmarks, and their figures.

use serde::{Deserialize, Serialize};

/// All figures of a study.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Dataset {
    /// What the study is called.
    pub title: String,
    /// Where its figures come from, if they were published.
    pub citation: Option<String>,
    /// The models, in the order of the study.
    pub models: Vec<Model>,
    /// The corpora, in the order of the study.
    pub corpora: Vec<Corpus>,
    /// The benchmarks, in the order of the study.
    pub benchmarks: Vec<Benchmark>,
    /// Which corpus and benchmarks belong together.
    pub areas: Vec<Area>,
    /// What model `m` makes of corpus `c`: `compression[m][c]`.
    pub compression: Vec<Vec<Option<Measure>>>,
    /// What model `m` reaches in benchmark `b`: `scores[m][b]`.
    pub scores: Vec<Vec<Option<Score>>>,
    /// How the figures came about, for the methods section.
    pub methods: Vec<Fact>,
    /// What is missing, was repaired or left out, in words.
    pub notes: Vec<String>,
}

/// A line of the methods section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// What it is about.
    pub name: String,
    /// What is to be said about it.
    pub value: String,
}

/// A model of the study, without its figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// Its name in the study.
    pub name: String,
    /// What people are shown.
    pub title: String,
    /// Models of one family have their colour in common, and are left out together.
    pub family: String,
    /// How many parameters it has: what the study says, else `counted`.
    pub parameters: Option<f64>,
    /// Weights in the files that were scored, shared ones once; `None` if nothing was scored.
    #[serde(default)]
    pub counted: Option<u64>,
    /// What it was made for.
    pub kind: ModelKind,
}

/// What a model was made for. The paper studies base models only: whoever is tuned on
/// instructions no longer is a general compressor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ModelKind {
    /// Text of all kinds.
    #[default]
    General,
    /// Made for source code.
    Code,
    /// Made for mathematics.
    Mathematics,
    /// Tuned on instructions: drawn, and left out of the fits unless the study says otherwise.
    Instruct,
}

impl ModelKind {
    /// As `study.toml` has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::General => "general",
            Self::Code => "code",
            Self::Mathematics => "mathematics",
            Self::Instruct => "instruct",
        }
    }
}

/// A corpus of the study, without its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Corpus {
    /// Its name in the study.
    pub name: String,
    /// What people are shown.
    pub title: String,
    /// Its Unicode code points, if known.
    pub characters: Option<u64>,
}

/// A benchmark of the study, without its scores.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Benchmark {
    /// Its name in the study.
    pub name: String,
    /// What people are shown.
    pub title: String,
    /// What its score is: `acc_norm`, `exact_match`, `pass@1`.
    pub metric: String,
    /// What guessing scores, from 0 to 1, if that makes sense.
    pub chance: Option<f64>,
}

/// An ability: benchmarks, and the corpus that goes with them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Area {
    /// Its name in the study.
    pub name: String,
    /// What people are shown.
    pub title: String,
    /// Name of its corpus.
    pub corpus: String,
    /// Names of its benchmarks.
    pub benchmarks: Vec<String>,
    /// Models that are drawn, but not part of the area's fits.
    pub leave_out: Vec<LeaveOut>,
}

/// A model that a fit leaves out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaveOut {
    /// Name of the model.
    pub model: String,
    /// Why, in words for the report.
    pub reason: String,
    /// Which of the paper's warnings it is.
    #[serde(default)]
    pub why: Why,
}

/// What keeps a model out of a fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Why {
    /// Whoever made the study says so.
    #[default]
    Study,
    /// It was tuned on instructions.
    Instruct,
    /// Its score cannot be told from guessing: the ability has not emerged.
    Chance,
    /// Its MIN-K% scores are abnormal: it has seen the benchmark.
    Seen,
}

/// What a model compresses a corpus to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    /// Bits per Unicode code point.
    pub bits_per_character: Option<f64>,
    /// Bits per byte of UTF-8.
    pub bits_per_byte: Option<f64>,
    /// Bits per scored token.
    pub bits_per_token: Option<f64>,
    /// Bytes of the `.lmz` file that the model makes of the corpus.
    pub compressed_bytes: Option<u64>,
    /// Bytes of the corpus.
    pub bytes: Option<u64>,
    /// 95 % interval of the bits per character over documents.
    pub interval: Option<(f64, f64)>,
}

/// Which figure stands for compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Bits per character, as the paper has it.
    BitsPerCharacter,
    /// Bits per byte of the text in UTF-8.
    BitsPerByte,
    /// Bits per token; depends on the tokenizer.
    BitsPerToken,
    /// Bits of the compressed file per byte of the corpus: real bytes.
    Compressed,
}

impl Metric {
    /// The four metrics, the paper's first.
    pub const ALL: [Self; 4] = [
        Self::BitsPerCharacter,
        Self::BitsPerByte,
        Self::BitsPerToken,
        Self::Compressed,
    ];

    /// What people are shown.
    pub fn title(self) -> &'static str {
        match self {
            Self::BitsPerCharacter => "bits per character",
            Self::BitsPerByte => "bits per byte",
            Self::BitsPerToken => "bits per token",
            Self::Compressed => "bits of the compressed file per byte",
        }
    }

    /// This metric's figure of a measure; `None` if it is missing.
    pub fn of(self, measure: &Measure) -> Option<f64> {
        match self {
            Self::BitsPerCharacter => measure.bits_per_character,
            Self::BitsPerByte => measure.bits_per_byte,
            Self::BitsPerToken => measure.bits_per_token,
            Self::Compressed => {
                let bytes = measure.bytes.filter(|&bytes| bytes > 0)?;
                Some(8.0 * measure.compressed_bytes? as f64 / bytes as f64)
            }
        }
    }
}

/// What a model reaches in a benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// From 0 to 1.
    pub value: f64,
    /// Standard error of the value; `None` if it is not known.
    pub stderr: Option<f64>,
    /// Number of items that were scored; `None` if it is not known.
    pub n: Option<u64>,
}

impl Dataset {
    /// The place of a model.
    pub fn model(&self, name: &str) -> Option<usize> {
        self.models.iter().position(|model| model.name == name)
    }

    /// The place of a corpus.
    pub fn corpus(&self, name: &str) -> Option<usize> {
        self.corpora.iter().position(|corpus| corpus.name == name)
    }

    /// The place of a benchmark.
    pub fn benchmark(&self, name: &str) -> Option<usize> {
        self.benchmarks.iter().position(|b| b.name == name)
    }

    /// The place of an area.
    pub fn area(&self, name: &str) -> Option<usize> {
        self.areas.iter().position(|area| area.name == name)
    }

    /// Whether any model has this figure.
    pub fn has(&self, metric: Metric) -> bool {
        let mut all = self.compression.iter().flatten().flatten();
        all.any(|measure| metric.of(measure).is_some())
    }
}
