//! The tables of `corpora/published`.

use std::collections::HashMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::dataset::{
    Area, Benchmark, Corpus, Dataset, Fact, LeaveOut, Measure, Model, ModelKind, Score, Why,
};

macro_rules! table {
    ($name:literal) => {
        include_str!(concat!("../../../../corpora/published/", $name))
    };
}

/// Where the figures are from.
pub(super) const CITATION: &str = "Yuzhen Huang, Jinghan Zhang, Zifei Shan, Junxian He: \
                                   Compression Represents Intelligence Linearly. COLM 2024, \
                                   arXiv:2404.09937v2";

/// A row of the leaderboard of the paper's repository.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LeaderboardRow {
    /// Name of the model, as it is printed.
    pub model: String,
    /// Bits per character on Common Crawl.
    pub bpc_cc: f64,
    /// Bits per character on GitHub Python.
    pub bpc_python: f64,
    /// Bits per character on arXiv mathematics.
    pub bpc_arxiv_math: f64,
    /// The mean of the three, as it is printed there.
    pub average: f64,
}

/// Table 11: MMLU in two styles, in percent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MmluStyle {
    /// Name of the model, as it is printed.
    pub model: String,
    /// Options in the prompt, a letter as the answer.
    pub mmlu_default: f64,
    /// The question alone, each option's text as continuation.
    pub mmlu_cloze: f64,
    /// The difference as it is printed.
    pub delta: f64,
}

#[derive(Deserialize)]
struct ModelRow {
    model: String,
    title: String,
    family: String,
    parameters_b: f64,
    kind: ModelKind,
}

/// Table 10: bits per character of three samples of Common Crawl.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct ResamplingRow {
    pub model: String,
    pub bpc_cc_mean_of_3: f64,
    pub std: f64,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct ReportedRow {
    pub area: String,
    pub name: String,
    pub rho: f64,
    pub rmse: f64,
    pub source: String,
    pub x: String,
    pub y: String,
    pub leave_out: String,
    pub unavailable: String,
}

fn rows<T: DeserializeOwned>(text: &str) -> Vec<T> {
    let mut reader = csv::ReaderBuilder::new()
        .comment(Some(b'#'))
        .from_reader(text.as_bytes());
    let rows: Result<Vec<T>, _> = reader.deserialize().collect();
    rows.expect("the program's own table, which a test reads")
}

/// The leaderboard of the paper's repository, later models included: compression alone.
pub fn leaderboard() -> Vec<LeaderboardRow> {
    rows(table!("leaderboard.csv"))
}

/// Table 11: models' MMLU scores in two styles.
pub fn mmlu_styles() -> Vec<MmluStyle> {
    rows(table!("mmlu_style.csv"))
}

/// Table 10: model, mean and standard deviation of the bits per character of three samples.
pub fn resampling() -> Vec<(String, f64, f64)> {
    let all: Vec<ResamplingRow> = rows(table!("resampling.csv"));
    all.into_iter()
        .map(|row| (row.model, row.bpc_cc_mean_of_3, row.std))
        .collect()
}

pub(super) fn reported() -> Vec<ReportedRow> {
    rows(table!("reported.csv"))
}

/// A benchmark of the paper: name, title, metric.
type Column = (&'static str, &'static str, &'static str);

/// An area of the paper.
struct Source {
    name: &'static str,
    title: &'static str,
    corpus: (&'static str, &'static str, u64),
    table: &'static str,
    bpc: &'static str,
    columns: &'static [Column],
}

const SOURCES: [Source; 3] = [
    Source {
        name: "knowledge",
        title: "Knowledge and commonsense",
        corpus: ("cc", "Common Crawl", 131_000_000),
        table: table!("knowledge.csv"),
        bpc: "bpc_cc",
        columns: &[
            ("nq", "NQ", "exact match, 5-shot"),
            ("triviaqa", "TriviaQA", "exact match, 5-shot"),
            ("arc_challenge", "ARC-C", "acc_norm, 25-shot"),
            ("hellaswag", "HellaSwag", "acc_norm, 0-shot"),
            ("mmlu_cloze", "MMLU (cloze)", "acc_norm, 5-shot"),
        ],
    },
    Source {
        name: "coding",
        title: "Coding",
        corpus: ("python", "GitHub Python", 98_000_000),
        table: table!("coding.csv"),
        bpc: "bpc_python",
        columns: &[
            ("humaneval", "HumanEval", "pass@1, 0-shot"),
            ("mbpp", "MBPP", "pass@1, 3-shot"),
            ("ds1000", "DS-1000", "pass@1, 0-shot"),
        ],
    },
    Source {
        name: "mathematics",
        title: "Mathematical reasoning",
        corpus: ("arxiv_math", "arXiv mathematics", 101_000_000),
        table: table!("math.csv"),
        bpc: "bpc_arxiv_math",
        columns: &[
            ("gsm8k", "GSM8K", "accuracy, 5-shot"),
            ("math", "MATH", "accuracy, 4-shot"),
            ("sat_math", "SAT-Math", "accuracy, 4-shot"),
            ("mmlu_math", "MMLU-Math (cloze)", "acc_norm, 5-shot"),
        ],
    },
];

/// The paper's study: 31 models, 12 benchmarks, 3 corpora.
pub fn paper() -> Dataset {
    let models: Vec<ModelRow> = rows(table!("models.csv"));
    let mut data = Dataset {
        title: "Compression represents intelligence linearly: the published figures".into(),
        citation: Some(CITATION.into()),
        models: models
            .into_iter()
            .map(|row| Model {
                name: row.model,
                title: row.title,
                family: row.family,
                parameters: Some(row.parameters_b * 1e9),
                counted: None,
                kind: row.kind,
            })
            .collect(),
        methods: methods(),
        ..Dataset::default()
    };
    data.compression = vec![Vec::new(); data.models.len()];
    data.scores = vec![Vec::new(); data.models.len()];
    for source in &SOURCES {
        add(&mut data, source);
    }
    data.notes.push(
        "The Qwen models are drawn, and left out of the mathematics fits: by their MIN-K% scores \
         they have seen GSM8K and MATH (section 3.3 of the paper)."
            .into(),
    );
    data
}

fn add(data: &mut Dataset, source: &Source) {
    let (corpus, title, characters) = source.corpus;
    data.corpora.push(Corpus {
        name: corpus.into(),
        title: title.into(),
        characters: Some(characters),
    });
    let named = source.columns.iter();
    data.benchmarks
        .extend(named.map(|(name, title, metric)| Benchmark {
            name: (*name).into(),
            title: (*title).into(),
            metric: (*metric).into(),
            chance: None,
        }));
    let rows: Vec<HashMap<String, String>> = rows(source.table);
    let cell = |model: &str, column: &str| -> Option<f64> {
        let row = rows.iter().find(|row| row["model"] == model)?;
        row[column].parse().ok()
    };
    for (m, model) in data.models.iter().enumerate() {
        data.compression[m].push(cell(&model.name, source.bpc).map(|bpc| Measure {
            bits_per_character: Some(bpc),
            ..Measure::default()
        }));
        for (column, _, _) in source.columns {
            // The tables have percent.
            data.scores[m].push(cell(&model.name, column).map(|percent| Score {
                value: percent / 100.0,
                stderr: None,
                n: None,
            }));
        }
    }
    let leave_out = data
        .models
        .iter()
        .filter(|model| source.name == "mathematics" && model.family == "Qwen");
    data.areas.push(Area {
        name: source.name.into(),
        title: source.title.into(),
        corpus: corpus.into(),
        benchmarks: source.columns.iter().map(|c| c.0.into()).collect(),
        leave_out: leave_out
            .map(|model| LeaveOut {
                model: model.name.clone(),
                reason: "abnormal MIN-K% scores on GSM8K and MATH".into(),
                why: Why::Seen,
            })
            .collect(),
    });
}

fn methods() -> Vec<Fact> {
    [
        ("Figures", "as printed in Tables 2, 4, 6, 8 of the paper, rounded there"),
        ("Compression", "bits per character; windows of 1,900 tokens, stride 512, documents concatenated; bfloat16"),
        ("Corpora", "Common Crawl 2023-40 (131M characters), GitHub Python of 2023-06 to 09 (98M), arXiv math of 2023-09 to 10 (101M)"),
        ("Models", "base models; code and mathematics models in their area only"),
        ("Averages", "means of the benchmarks of an area, over models that have all of them; overall: the mean of the three areas' means, over the models in all areas"),
        ("Left out", "the Qwen models from the mathematics fits"),
    ]
    .map(|(name, value)| Fact {
        name: name.into(),
        value: value.into(),
    })
    .into()
}
