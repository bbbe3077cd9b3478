//! Models that the paper warns of: drawn, kept out of the fits, and counted in beside them.

use lmz_study::analysis::study;
use lmz_study::dataset::{
    Area, Benchmark, Corpus, Dataset, Measure, Metric, Model, ModelKind, Population, Score, Target,
    Why,
};
use lmz_study::report::report;

/// Models by name: bits per character, score, kind. Guessing scores a half, the error is 2 %.
fn data(rows: &[(&str, f64, f64, ModelKind)]) -> Dataset {
    let model = |row: &(&str, f64, f64, ModelKind)| Model {
        name: row.0.into(),
        title: row.0.into(),
        family: "f".into(),
        parameters: None,
        counted: None,
        kind: row.3,
    };
    Dataset {
        title: "t".into(),
        models: rows.iter().map(model).collect(),
        corpora: vec![Corpus {
            name: "web".into(),
            title: "Web".into(),
            characters: None,
        }],
        benchmarks: vec![Benchmark {
            name: "blimp".into(),
            title: "BLiMP".into(),
            metric: "acc".into(),
            chance: Some(0.5),
        }],
        areas: vec![Area {
            name: "grammar".into(),
            title: "Grammar".into(),
            corpus: "web".into(),
            benchmarks: vec!["blimp".into()],
            leave_out: vec![],
        }],
        compression: rows
            .iter()
            .map(|row| {
                vec![Some(Measure {
                    bits_per_character: Some(row.1),
                    ..Measure::default()
                })]
            })
            .collect(),
        scores: rows
            .iter()
            .map(|row| {
                vec![Some(Score {
                    value: row.2,
                    stderr: Some(0.02),
                    n: Some(600),
                })]
            })
            .collect(),
        ..Dataset::default()
    }
}

const ROWS: [(&str, f64, f64, ModelKind); 6] = [
    ("a", 0.9, 0.80, ModelKind::General),
    ("b", 1.1, 0.70, ModelKind::Code),
    ("c", 1.4, 0.60, ModelKind::General),
    ("guesses", 2.5, 0.53, ModelKind::General),
    ("tuned", 1.0, 0.60, ModelKind::Instruct),
    ("both", 2.0, 0.50, ModelKind::Instruct),
];

#[test]
fn who_guesses_or_is_tuned_is_drawn_and_not_in_the_fit() {
    let found = study(data(&ROWS));
    let target = Target::Area("grammar".into());
    let fit = found.answer(&["web"], Metric::BitsPerCharacter, &target);
    let fit = fit.unwrap();
    let names: Vec<&str> = fit.models.iter().map(|part| part.model.as_str()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert_eq!(fit.models[0].stderr, Some(0.02));
    let drawn: Vec<(&str, Why)> = fit
        .drawn
        .iter()
        .map(|out| (out.model.as_str(), out.why))
        .collect();
    assert_eq!(
        drawn,
        [
            ("guesses", Why::Chance),
            ("tuned", Why::Instruct),
            ("both", Why::Instruct)
        ]
    );
    let reason = "not above chance: 53.0 % where guessing scores 50.0 %";
    assert_eq!(fit.drawn[0].reason, reason);

    let all = found.over_all(fit).unwrap();
    assert_eq!(all.question.population, Population::All);
    assert_eq!((all.n, all.drawn.len()), (6, 0));
    // The warnings stay known, so that they can be drawn.
    assert_eq!(all.question.leave_out, fit.question.leave_out);
    assert_ne!(
        all.pearson.as_ref().unwrap().value,
        fit.pearson.as_ref().unwrap().value
    );
}

#[test]
fn where_nobody_is_left_out_there_is_one_answer() {
    let found = study(data(&ROWS[..3]));
    let target = Target::Benchmark("blimp".into());
    let fit = found.answer(&["web"], Metric::BitsPerCharacter, &target);
    assert_eq!(found.over_all(fit.unwrap()), None);
    assert!(
        found
            .answers
            .iter()
            .all(|one| one.question.population == Population::Fit)
    );
}

#[test]
fn reports_show_both() {
    let report = report(study(data(&ROWS)));
    let markdown = report.to_markdown();
    assert!(
        markdown.contains("| Grammar (average) | web | fit | 3 |"),
        "{markdown}"
    );
    assert!(
        markdown.contains("| Grammar (average) | web | all | 6 |"),
        "{markdown}"
    );
    assert!(markdown.contains("| tuned | instruct |"), "{markdown}");
    let csv = report.correlations_csv();
    assert!(csv.contains(",fit,3,") && csv.contains(",all,6,"), "{csv}");
    // Too few for a line of their own: the picture has that of all.
    let few = lmz_study::report::report(study(data(&ROWS[1..])));
    assert!(few.to_svg().unwrap().contains("n = 5, all models"));
    assert!(report.to_svg().unwrap().contains("n = 3"));
}
