//! A small language model, and benchmarks of a few made-up items.

use std::fs;
use std::path::Path;

use lmz_eval::task::{Task, builtin};
use lmz_eval::{LanguageModel, ModelFailure, Row, Written};
use tempfile::TempDir;

pub fn task(name: &str) -> Task {
    builtin()
        .unwrap()
        .into_iter()
        .find(|task| task.name == name)
        .unwrap()
}

/// Bytes are tokens behind a token 256. How likely a byte is depends on the last two before it.
pub struct Bytes {
    pub context: usize,
    pub batch: usize,
    pub shares: bool,
    pub packs: bool,
    /// How many calls came.
    pub calls: usize,
    /// Fails after so many.
    pub fails_after: usize,
}

impl Bytes {
    pub fn new() -> Self {
        Self {
            context: 4096,
            batch: 8,
            shares: true,
            packs: false,
            calls: 0,
            fails_after: usize::MAX,
        }
    }

    fn nats(before: &[u32], token: u32) -> f32 {
        let last = before
            .iter()
            .rev()
            .take(2)
            .fold(7u32, |sum, t| sum.wrapping_mul(31).wrapping_add(*t));
        1.0 + (last.wrapping_mul(token + 3) % 101) as f32 / 25.0
    }

    /// What the bytes of a range cost in nats, where the model sees them from `first` on, behind the token before that.
    pub fn surprise(text: &[u8], range: std::ops::Range<usize>, first: usize) -> f64 {
        let tokens: Vec<u32> = [256]
            .into_iter()
            .chain(text.iter().map(|&byte| u32::from(byte)))
            .collect();
        let each = range.map(|at| f64::from(Self::nats(&tokens[first..=at], tokens[at + 1])));
        each.sum()
    }

    fn call(&mut self) -> Result<(), ModelFailure> {
        self.calls += 1;
        match self.calls > self.fails_after {
            true => Err("the device is gone".into()),
            false => Ok(()),
        }
    }
}

impl LanguageModel for Bytes {
    fn encode(&self, text: &str, start: bool) -> Result<Vec<u32>, ModelFailure> {
        let start = start.then_some(256);
        Ok(start
            .into_iter()
            .chain(text.bytes().map(u32::from))
            .collect())
    }

    fn start_token(&self) -> u32 {
        256
    }

    fn context(&self) -> usize {
        self.context
    }

    fn batch(&self, _: usize) -> usize {
        self.batch
    }

    fn shares(&self) -> bool {
        self.shares
    }

    fn packs(&self) -> bool {
        self.packs
    }

    fn score(
        &mut self,
        context: &[u32],
        base: usize,
        rows: &[Row<'_>],
        greedy: bool,
    ) -> Result<Vec<Vec<(f32, bool)>>, ModelFailure> {
        self.call()?;
        assert!(base <= context.len());
        let each = rows.iter().map(|row| {
            assert!(row.scored < row.tokens.len());
            let all = [context, row.tokens].concat();
            assert!(all.len() <= self.context + 1);
            let first = all.len() - row.scored;
            (first..all.len())
                .map(|at| {
                    let nats = Self::nats(&all[..at], all[at]);
                    (nats, greedy && nats < 2.0)
                })
                .collect()
        });
        Ok(each.collect())
    }

    fn texts(&self, tokens: usize) -> usize {
        assert!(tokens <= self.context);
        self.batch
    }

    fn write(
        &mut self,
        prompts: &[&[u32]],
        _: usize,
        stop: &[String],
        most: usize,
    ) -> Result<Vec<Written>, ModelFailure> {
        self.call()?;
        assert!(!prompts.is_empty() && prompts.len() <= self.batch);
        let written = prompts.iter().map(|prompt| {
            assert!(prompt.len() + most <= self.context);
            let sum: u32 = prompt.iter().sum();
            let mut text = format!(" {} is what I say\n", sum % 100);
            if let Some(at) = stop
                .iter()
                .filter_map(|stop| text.find(stop.as_str()))
                .min()
            {
                text.truncate(at);
            }
            Written {
                tokens: text.len() as u64,
                ids: text.bytes().map(u32::from).collect(),
                text,
            }
        });
        Ok(written.collect())
    }
}

/// Files of benchmarks that may not be part of the program, with a few items of our own, in the published forms.
pub fn data() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let lines =
        |name: &str, lines: &[String]| fs::write(path.join(name), lines.join("\n")).unwrap();
    let arc = |i: usize| {
        format!(
            r#"{{"id": "q{i}", "question": {{"stem": "Which number is {i}?", "choices": [{{"text": "number {i}", "label": "A"}}, {{"text": "zero", "label": "B"}}, {{"text": "none", "label": "C"}}]}}, "answerKey": "A"}}"#
        )
    };
    let made: Vec<String> = (1..8).map(arc).collect();
    lines("ARC-Easy-Test.jsonl", &made);
    lines("ARC-Challenge-Test.jsonl", &made);
    let train: Vec<String> = (10..40).map(arc).collect();
    lines("ARC-Challenge-Train.jsonl", &train);
    lines(
        "piqa.jsonl",
        &(0..6)
            .map(|i| format!(r#"{{"query": "Question: open door {i}\n", "choices": ["Push it.", "Eat it."], "gold": {}}}"#, i % 2))
            .collect::<Vec<_>>(),
    );
    lines(
        "lambada_openai.jsonl",
        &(0..6).map(|i| format!(r#"{{"context": "He said {i} and {i}, and then he said", "continuation": "three"}}"#)).collect::<Vec<_>>(),
    );
    lines(
        "NQ-open.dev.jsonl",
        &(0..8)
            .map(|i| {
                format!(
                    r#"{{"question": "what is {i} and {i}", "answer": ["The {} things", "{}"]}}"#,
                    2 * i,
                    2 * i
                )
            })
            .collect::<Vec<_>>(),
    );
    lines(
        "triviaqa_sm_sub.jsonl",
        &(0..8)
            .map(|i| format!(r#"{{"context": "Question: What is number {i}?\nAnswer:", "answer": "No {i}", "aliases": ["number {i}", "The {i}"]}}"#))
            .collect::<Vec<_>>(),
    );
    lines(
        "math_test.jsonl",
        &[
            r#"{"problem": "Half of three?", "level": "Level 1", "type": "Algebra", "solution": "It is $\\boxed{\\frac{3}{2}}$.", "idx": 0}"#.to_owned(),
            r#"{"problem": "An interval?", "level": "Level 1", "type": "Geometry", "solution": "So \\boxed{\\left[0,\\frac12\\right)}.", "idx": 1}"#.to_owned(),
        ],
    );
    lines(
        "sat_math.jsonl",
        &(0..6)
            .map(|i| format!(r#"{{"passage": "", "question": "What is {i}?", "options": ["(A){i}", "(B)x"], "label": "A", "other": {{"solution": "It is {i}."}}}}"#))
            .collect::<Vec<_>>(),
    );
    lines(
        "mbpp.jsonl",
        &(2..14)
            .map(|i| format!(r#"{{"text": "Write a function that adds {i}.", "code": "def add(x):\r\n    return x + {i}", "task_id": {i}, "test_setup_code": "", "test_list": ["assert add(0) == {i}", "assert add(1) == {}", "assert add(-{i}) == 0"]}}"#, i + 1))
            .collect::<Vec<_>>(),
    );
    let context = "def test_execution(solution):\n    env = {}\n    exec(solution, env)\n    assert env['result'] == 4\n\ndef test_string(solution):\n    assert 'while' not in solution\n";
    let problem = |library: &str, before: &str| {
        serde_json::json!({
            "prompt": "Problem:\nAdd 2 and 2.\nA:\n<code>\n",
            "reference_code": "result = 2 + 2\n",
            "metadata": {"library": library},
            "code_context": format!("{before}{context}"),
        })
        .to_string()
    };
    // The last one cannot be run: it counts neither as right nor as wrong.
    lines(
        "ds1000.jsonl",
        &[
            problem("Plain", ""),
            problem("Plain", "import math\n"),
            problem("Plain", "import no_such_module\n"),
        ],
    );
    directory
}

pub fn write(directory: &Path, name: &str, text: &str) {
    let path = directory.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}
