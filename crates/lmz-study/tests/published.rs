//! The paper's figures from the paper's tables.

use lmz_study::analysis::study;
use lmz_study::dataset::{Metric, Target};
use lmz_study::published::{Comparison, compare, leaderboard, mmlu_styles, paper, to_text};

#[test]
fn every_reported_figure_reproduces_or_is_said_to_lack_data() {
    let published = compare();
    assert_eq!(published.figures.len(), 23);
    assert_eq!(published.unavailable, 4);
    assert_eq!(published.differing, 0, "{}", to_text(&published));
    let Comparison::Computed { n, rho, rmse, .. } = &published.figures[0].ours else {
        panic!("no headline");
    };
    assert_eq!(
        (*n, format!("{rho:.3}"), format!("{rmse:.3}")),
        (19, "-0.931".into(), "0.031".into())
    );
    assert!((published.resampling.ours - 0.0021).abs() < 2e-4);
}

#[test]
fn a_figure_that_differs_is_marked() {
    let mut published = compare();
    if let Comparison::Computed { reproduced, .. } = &mut published.figures[0].ours {
        *reproduced = false;
    }
    assert_eq!(to_text(&published).matches("DIFFERS").count(), 1);
}

#[test]
fn the_tables_agree_with_each_other() {
    let data = paper();
    assert_eq!(
        (data.models.len(), data.benchmarks.len(), data.corpora.len()),
        (31, 12, 3)
    );
    let with = |c: usize| {
        data.compression
            .iter()
            .filter(|row| row[c].is_some())
            .count()
    };
    assert_eq!([with(0), with(1), with(2)], [19, 28, 22]);
    let (cloze, cc) = (
        data.benchmark("mmlu_cloze").unwrap(),
        data.corpus("cc").unwrap(),
    );
    for row in mmlu_styles() {
        let model = data.model(&row.model).unwrap();
        let score = data.scores[model][cloze].unwrap().value * 100.0;
        assert!((score - row.mmlu_cloze).abs() < 1e-9, "{}", row.model);
        assert!(
            (row.mmlu_default - row.mmlu_cloze - row.delta).abs() < 0.11,
            "{}",
            row.model
        );
    }
    let mut common = 0;
    for row in leaderboard() {
        let mean = (row.bpc_cc + row.bpc_python + row.bpc_arxiv_math) / 3.0;
        assert!((mean - row.average).abs() < 0.002, "{}", row.model);
        if let Some(model) = data
            .models
            .iter()
            .position(|m| m.name.eq_ignore_ascii_case(&row.model))
        {
            let bpc = data.compression[model][cc]
                .unwrap()
                .bits_per_character
                .unwrap();
            assert!((bpc - row.bpc_cc).abs() < 1e-9, "{}", row.model);
            common += 1;
        }
    }
    assert_eq!((common, leaderboard().len()), (18, 28));
}

#[test]
fn whom_an_area_leaves_out_is_named_with_the_reason() {
    let study = study(paper());
    let mathematics = Target::Area("mathematics".into());
    let answer = study
        .answer(&["arxiv_math"], Metric::BitsPerCharacter, &mathematics)
        .unwrap();
    let names: Vec<&str> = answer.drawn.iter().map(|out| out.model.as_str()).collect();
    assert_eq!(names, ["Qwen-7b", "Qwen-14b", "Qwen-72b"]);
    assert_eq!((answer.n, answer.missing.len()), (19, 9));
    assert_eq!(study.main_answers(Metric::BitsPerCharacter).len(), 4);
    assert_eq!(study.over_all(answer).unwrap().n, 22);
    // The five columns of mathematics with the Qwen models, too.
    assert_eq!(study.answers.len(), 16 * 4 + 5 * 4);
}
