//! A task's file, as it is written.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The metrics that likelihoods have.
pub(crate) const LIKELIHOOD_METRICS: [&str; 7] = [
    "acc",
    "acc_norm",
    "acc_bytes",
    "perplexity",
    "word_perplexity",
    "byte_perplexity",
    "bits_per_byte",
];

/// One benchmark, scored in one way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// What it is called on a command line.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// Another prompt or another way of scoring is another version.
    pub version: String,
    /// Groups that it is part of, as `knowledge` and `small`.
    #[serde(default)]
    pub groups: Vec<String>,
    /// What is asked of a model.
    pub output: Output,
    /// The metric that a table shows.
    pub headline: String,
    /// Where the public has its files.
    pub public: String,
    /// What a reader of its figures should know.
    #[serde(default)]
    pub notes: Vec<String>,
    /// A field of the documents by which figures are broken down.
    #[serde(default)]
    pub breakdown: Option<String>,
    /// Its files; of those of one split the first that exists is read.
    pub source: Vec<Source>,
    /// What a model is shown.
    pub prompt: Prompt,
    /// Examples before the question.
    #[serde(default)]
    pub fewshot: FewShot,
    /// Metrics of likelihoods: `acc`, `acc_norm`, `acc_bytes`, `perplexity`, `word_perplexity`, `byte_perplexity`,
    /// `bits_per_byte`.
    #[serde(default)]
    pub metrics: Vec<String>,
    /// How a text is generated.
    #[serde(default)]
    pub generate: Option<Generate>,
    /// What becomes of a generated text, one for each metric.
    #[serde(default)]
    pub score: Vec<Score>,
    /// The program that a generated text is part of.
    #[serde(default)]
    pub program: Option<Program>,
}

/// What is asked of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Output {
    /// How likely a continuation is, and whether it is what the model would say.
    Loglikelihood,
    /// Which of some continuations is most likely.
    MultipleChoice,
    /// How likely a whole text is.
    Rolling,
    /// A text.
    Generate,
}

/// A file, or several of the same form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Which part of the benchmark it is; `test` is what is scored.
    pub split: String,
    /// The file in the directory of data, `{subject}` standing for any name: `.jsonl`, `.json` or `.csv`, each also
    /// as `.gz` or `.zst`.
    #[serde(default)]
    pub file: Option<String>,
    /// A `.tar`, `.tar.gz` or `.tar.zst` in which `file` is.
    #[serde(default)]
    pub archive: Option<String>,
    /// Whether the archive or the file is part of the program.
    #[serde(default)]
    pub bundled: bool,
    /// What of the benchmark it is, if it is not all.
    #[serde(default)]
    pub part: Option<String>,
    /// Names of a CSV file's columns; a first line that has them is not data.
    #[serde(default)]
    pub columns: Vec<String>,
    /// The entry of a JSON object that holds the records.
    #[serde(default)]
    pub records: Option<String>,
    /// A condition on a record, after `fields`.
    #[serde(default)]
    pub keep: Option<String>,
    /// Fields of a document, each an expression over the record's own. Those of the record stay.
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
}

/// What a model is shown, as templates over a document's fields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prompt {
    /// What comes first, once.
    #[serde(default)]
    pub description: String,
    /// The question.
    pub context: String,
    /// The answer, or a list of answers: an expression. Of multiple choices it is the right one.
    #[serde(default)]
    pub target: Option<String>,
    /// The choices: an expression that gives a list.
    #[serde(default)]
    pub choices: Option<String>,
    /// Which choice is right, from 0: an expression.
    #[serde(default)]
    pub gold: Option<String>,
    /// What stands between question and answer.
    #[serde(default = "space")]
    pub delimiter: String,
    /// The answer of an example, if it is not the target: a template.
    #[serde(default)]
    pub shot: Option<String>,
    /// What a model would write that knows the answer, if it is not the target: a template.
    #[serde(default)]
    pub reference: Option<String>,
}

fn space() -> String {
    " ".into()
}

/// Examples before the question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FewShot {
    /// How many.
    #[serde(default)]
    pub count: usize,
    /// Splits that they are taken from, the first of them that is there; from `test` never the question itself.
    #[serde(default)]
    pub split: Vec<String>,
    /// Which ones.
    #[serde(default)]
    pub sampler: Sampler,
    /// What stands behind each.
    #[serde(default = "empty_line")]
    pub separator: String,
    /// A field that examples and question have in common.
    #[serde(default)]
    pub by: Option<String>,
    /// Documents to take them from instead of a split.
    #[serde(default)]
    pub example: Vec<toml::Table>,
}

impl Default for FewShot {
    fn default() -> Self {
        Self {
            count: 0,
            split: Vec::new(),
            sampler: Sampler::First,
            separator: empty_line(),
            by: None,
            example: Vec::new(),
        }
    }
}

fn empty_line() -> String {
    "\n\n".into()
}

/// Which examples are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sampler {
    /// The first ones.
    #[default]
    First,
    /// Drawn once, by the seed: all questions have the same ones before them, and share their keys and values.
    Random,
}

/// How a text is generated: always the most likely token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Generate {
    /// Texts that end it, and are not part of it.
    pub stop: Vec<String>,
    /// The most tokens.
    pub max_tokens: usize,
}

/// What becomes of a generated text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Score {
    /// The metric's name, as `exact_match`.
    pub metric: String,
    /// How the answer is found in the text, step by step.
    #[serde(default)]
    pub extract: Vec<Step>,
    /// When it is right.
    pub compare: Compare,
    /// Whether `A` and `a` are the same.
    #[serde(default)]
    pub ignore_case: bool,
    /// Whether ASCII punctuation is dropped.
    #[serde(default)]
    pub ignore_punctuation: bool,
    /// Regular expressions whose matches are dropped from answer and target.
    #[serde(default)]
    pub remove: Vec<String>,
}

/// A step from a text to an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Step {
    /// The first match (`last = true`: the last) of a regular expression: its first group that took part, or all of
    /// it; `[invalid]` if there is none.
    Regex {
        /// The expression.
        pattern: String,
        /// Whether the last match counts.
        #[serde(default)]
        last: bool,
    },
    /// Whitespace at the start is dropped.
    TrimStart,
    /// Whitespace at both ends is dropped.
    Trim,
    /// What stands before the first of this text.
    Before(String),
    /// What stands behind the last of this text; all of it if it is nowhere.
    AfterLast(String),
    /// What follows `Final Answer: The final answer is`, up to `. I hope it is correct.`; `[invalidanswer]` if it is
    /// nowhere.
    FinalAnswer,
    /// What the last `\boxed{}` holds; `[invalidanswer]` if there is none.
    Boxed,
    /// The final answer as Lewkowycz et al. (2022) normalise it.
    MathNormal,
}

/// When an answer is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compare {
    /// It is one of the targets, letter by letter.
    Exact,
    /// Its words are those of a target: the F1 of both as bags, the best over targets, as SQuAD has it.
    F1,
    /// It is a number, and the target's.
    Number,
    /// It is a mathematical expression of the target's value.
    Math,
    /// The program ends well.
    Passes,
    /// The last line that the program prints is the target's number.
    Prints,
}

/// The program that a generated text is part of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// Its Python source: a template over the document's fields and `completion`.
    pub source: String,
    /// Modules that it needs beyond Python's own: an expression that gives a list.
    #[serde(default)]
    pub needs: Option<String>,
    /// Seconds that it may take.
    #[serde(default = "ten")]
    pub seconds: u32,
}

fn ten() -> u32 {
    10
}
