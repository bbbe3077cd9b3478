//! Tables for other programs.

use crate::dataset::{Dataset, Metric};
use crate::report::content::Report;
use crate::stats::{Correlation, Figure};

/// A row for each model: compression by each metric that is known, then scores from 0 to 1.
pub(super) fn figures(data: &Dataset) -> String {
    let metrics: Vec<Metric> = Metric::ALL.into_iter().filter(|&m| data.has(m)).collect();
    let mut head = vec![
        "model".to_owned(),
        "family".into(),
        "kind".into(),
        "parameters".into(),
        "parameters in the file".into(),
    ];
    for corpus in &data.corpora {
        for metric in &metrics {
            head.push(format!("{}: {}", corpus.name, metric.title()));
        }
        head.push(format!("{}: bytes of text", corpus.name));
        head.push(format!("{}: compressed bytes", corpus.name));
    }
    for benchmark in &data.benchmarks {
        head.push(benchmark.name.clone());
        head.push(format!("{}: standard error", benchmark.name));
    }
    let mut rows = vec![head];
    for (m, model) in data.models.iter().enumerate() {
        let mut row = vec![
            model.name.clone(),
            model.family.clone(),
            model.kind.name().into(),
            cell(model.parameters),
            whole(model.counted),
        ];
        for measure in &data.compression[m] {
            for metric in &metrics {
                row.push(cell(measure.as_ref().and_then(|one| metric.of(one))));
            }
            row.push(whole(measure.and_then(|one| one.bytes)));
            row.push(whole(measure.and_then(|one| one.compressed_bytes)));
        }
        for score in &data.scores[m] {
            row.push(cell(score.map(|one| one.value)));
            row.push(cell(score.and_then(|one| one.stderr)));
        }
        rows.push(row);
    }
    text(&rows)
}

/// A row for each answer. What is undefined is empty.
pub(super) fn correlations(report: &Report) -> String {
    let head = [
        "scores",
        "corpora",
        "metric",
        "models",
        "n",
        "pearson",
        "pearson_low",
        "pearson_high",
        "pearson_p",
        "spearman",
        "kendall",
        "permutation_p",
        "partial",
        "slope",
        "intercept",
        "rmse",
        "r2",
        "left_out",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let value = |figure: &Figure<Correlation>| cell(figure.as_ref().ok().map(|found| found.value));
    for answer in &report.study.answers {
        let (fit, resampled) = (answer.fit.as_ref().ok(), answer.resampled.as_ref());
        let interval = resampled.and_then(|found| found.pearson.as_ref().ok());
        let permutation = resampled.and_then(|found| found.permutation.as_ref().ok());
        let left_out: Vec<&str> = answer.drawn.iter().map(|out| out.model.as_str()).collect();
        rows.push(vec![
            answer.question.target.title(&report.study.data),
            answer.question.corpora.join("+"),
            answer.question.metric.title().into(),
            answer.question.population.name().into(),
            answer.n.to_string(),
            value(&answer.pearson),
            cell(interval.map(|interval| interval.low)),
            cell(interval.map(|interval| interval.high)),
            cell(answer.pearson.as_ref().ok().map(|found| found.p)),
            value(&answer.spearman),
            value(&answer.kendall),
            cell(permutation.map(|found| found.p)),
            cell(answer.partial.as_ref().ok().map(|found| found.value)),
            cell(fit.map(|fit| fit.slope)),
            cell(fit.map(|fit| fit.intercept)),
            cell(fit.map(|fit| fit.rmse)),
            cell(fit.map(|fit| fit.r2)),
            left_out.join(" "),
        ]);
    }
    text(&rows)
}

fn whole(value: Option<u64>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

fn cell(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

fn text(rows: &[Vec<String>]) -> String {
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    for row in rows {
        // Rows of one length into memory do not fail.
        let _ = writer.write_record(row);
    }
    let bytes = writer.into_inner().unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}
