//! Every statistic against SciPy (fixtures of tools/study/stats_fixtures.py), and where there is none.

use lmz_study::stats::{
    Statistic, Undefined, bootstrap, correlation, fisher_interval, fit, kendall, leave_groups_out,
    partial, pearson, permutation, ranks, residuals, spearman,
};
use proptest::prelude::*;
use serde_json::Value;

fn numbers(value: &Value) -> Vec<f64> {
    let array = value.as_array().expect("an array");
    array
        .iter()
        .map(|v| v.as_f64().expect("a number"))
        .collect()
}

fn near(name: &str, ours: f64, theirs: &Value) {
    let theirs = theirs
        .as_f64()
        .unwrap_or_else(|| panic!("{name}: {theirs}"));
    let error = (ours - theirs).abs();
    assert!(
        error <= 1e-9 * theirs.abs().max(1e-3),
        "{name}: {ours} here, {theirs} by SciPy"
    );
}

fn cases() -> Vec<Value> {
    let fixtures: Value = serde_json::from_str(include_str!("fixtures/stats.json")).unwrap();
    let cases = fixtures["cases"].as_array().unwrap().clone();
    assert_eq!(cases.len(), 7);
    cases
}

#[test]
fn coefficients_and_their_p_values() {
    for case in cases() {
        let (x, y) = (numbers(&case["x"]), numbers(&case["y"]));
        let name = case["name"].as_str().unwrap();
        for (rank, theirs) in ranks(&x).into_iter().zip(numbers(&case["ranks"])) {
            assert_eq!(rank, theirs, "{name}");
        }
        for (kind, found) in [
            ("pearson", pearson(&x, &y)),
            ("spearman", spearman(&x, &y)),
            ("kendall", kendall(&x, &y)),
        ] {
            let found = found.unwrap();
            near(
                &format!("{name}, {kind}"),
                found.value,
                &case[kind]["value"],
            );
            near(&format!("{name}, p of {kind}"), found.p, &case[kind]["p"]);
        }
        let rho = pearson(&x, &y).unwrap();
        match fisher_interval(rho.value, rho.n) {
            Some((low, high)) => {
                near(&format!("{name}, low"), low, &case["pearson"]["low"]);
                near(&format!("{name}, high"), high, &case["pearson"]["high"]);
            }
            None => assert_eq!(rho.n, 3),
        }
    }
}

#[test]
fn lines_bands_and_influence() {
    for case in cases() {
        let (x, y) = (numbers(&case["x"]), numbers(&case["y"]));
        let name = case["name"].as_str().unwrap();
        let theirs = &case["fit"];
        let line = fit(&x, &y).unwrap();
        near(name, line.slope, &theirs["slope"]);
        near(name, line.intercept, &theirs["intercept"]);
        near(name, line.rmse, &theirs["rmse"]);
        near(name, line.r2, &theirs["r2"]);
        near(name, line.slope_error, &theirs["slope_error"]);
        // At 1e6 the normal equations of the fixture themselves lose digits.
        if name != "large offset" {
            for band in theirs["bands"].as_array().unwrap() {
                let ours = line.band(band[0].as_f64().unwrap());
                near(&format!("{name}, band of the line"), ours.line, &band[1]);
                near(&format!("{name}, prediction"), ours.prediction, &band[2]);
            }
            for (i, ours) in residuals(&x, &y).unwrap().iter().enumerate() {
                let close = |ours: f64, key: &str| {
                    let theirs = theirs[key][i].as_f64().unwrap();
                    let error = (ours - theirs).abs();
                    assert!(error < 1e-7, "{name}, {key} {i}: {ours}, {theirs}");
                };
                close(ours.residual, "residuals");
                close(ours.leverage, "leverage");
                close(ours.studentized, "studentized");
                close(ours.cook, "cook");
            }
        }
        let rows: Vec<String> = (0..x.len()).map(|i| i.to_string()).collect();
        let groups: Vec<&str> = rows.iter().map(String::as_str).collect();
        for (i, left) in leave_groups_out(&x, &y, &groups).iter().enumerate() {
            match (&left.pearson, &case["leave_one_out"][i]) {
                (Ok(ours), theirs) => near(name, *ours, theirs),
                (Err(undefined), theirs) => {
                    assert!(theirs.is_null());
                    let few = Undefined::TooFew {
                        needed: 3,
                        found: 2,
                    };
                    assert_eq!(*undefined, few);
                }
            }
        }
    }
}

#[test]
fn partial_correlations() {
    for case in cases() {
        let columns = ["x", "y", "z"].map(|name| numbers(&case[name]));
        let found = partial(&columns[0], &columns[1], &columns[2]);
        match &case["partial"] {
            Value::Null => assert!(matches!(found, Err(Undefined::TooFew { .. }))),
            theirs => {
                let found = found.unwrap();
                let name = case["name"].as_str().unwrap();
                near(name, found.value, &theirs["value"]);
                near(name, found.p, &theirs["p"]);
            }
        }
    }
}

#[test]
fn resampling_digit_by_digit() {
    let mut seen = 0;
    for case in cases() {
        let (x, y) = (numbers(&case["x"]), numbers(&case["y"]));
        let name = case["name"].as_str().unwrap();
        for (kind, statistic) in [
            ("pearson", Statistic::Pearson),
            ("spearman", Statistic::Spearman),
            ("kendall", Statistic::Kendall),
        ] {
            if let Some(theirs) = case["bootstrap"].get(kind) {
                let ours = bootstrap(statistic, &x, &y);
                if name == "a far one" && ours.is_err() {
                    continue;
                }
                let ours = ours.unwrap();
                near(&format!("{name}, {kind}, low"), ours.low, &theirs["low"]);
                near(&format!("{name}, {kind}, high"), ours.high, &theirs["high"]);
                assert_eq!(u64::from(ours.defined), theirs["defined"].as_u64().unwrap());
                seen += 1;
            }
            if let Some(theirs) = case["permutation"].get(kind) {
                let ours = permutation(statistic, &x, &y).unwrap();
                near(
                    &format!("{name}, {kind}, permutation"),
                    ours.p,
                    &theirs["p"],
                );
                assert_eq!(ours.exact, theirs["exact"].as_bool().unwrap());
                seen += 1;
            }
        }
    }
    assert!(seen >= 16, "{seen}");
}

#[test]
fn what_has_no_value_says_why() {
    let few = |needed, found| Undefined::TooFew { needed, found };
    for statistic in Statistic::ALL {
        assert_eq!(correlation(statistic, &[], &[]), Err(few(3, 0)));
        let two = correlation(statistic, &[1.0, 2.0], &[2.0, 1.0]);
        assert_eq!(two, Err(few(3, 2)), "two points always lie on a line");
        let constant = correlation(statistic, &[1.0, 2.0, 3.0], &[5.0; 3]);
        assert_eq!(constant, Err(Undefined::Constant("y".into())));
        let constant = bootstrap(statistic, &[5.0; 3], &[1.0, 2.0, 3.0]);
        assert_eq!(constant, Err(Undefined::Constant("x".into())));
    }
    let flat = fit(&[1.0, 2.0, 3.0], &[5.0; 3]).unwrap();
    assert_eq!((flat.slope, flat.r2, flat.rmse), (0.0, 0.0, 0.0));
    let x = [1.0, 2.0, 3.0, 4.5];
    let explained = partial(&x, &[1.0, 0.0, 2.0, 5.0], &x.map(|x| 2.0 * x + 1.0));
    assert_eq!(explained, Err(Undefined::Explained("x".into())));
    let control = partial(&x, &[1.0, 0.0, 2.0, 5.0], &[7.0; 4]);
    assert_eq!(control, Err(Undefined::Constant("the control".into())));
    // Three models: a good part of the resamples draw one or two of them only.
    let three = bootstrap(Statistic::Pearson, &[1.0, 2.0, 3.0], &[1.0, 2.5, 3.0]);
    assert!(
        matches!(three, Err(Undefined::Resamples { .. })),
        "{three:?}"
    );
}

proptest! {
    #[test]
    fn coefficients_do_not_depend_on_order_scale_or_direction(
        rows in prop::collection::vec((-100i32..100, -100i32..100), 3..30),
        scale in 1u32..1000,
    ) {
        let x: Vec<f64> = rows.iter().map(|row| f64::from(row.0)).collect();
        let y: Vec<f64> = rows.iter().map(|row| f64::from(row.1)).collect();
        let scaled: Vec<f64> = x.iter().rev().map(|x| 3.0 - x * f64::from(scale)).collect();
        let reversed: Vec<f64> = y.iter().rev().copied().collect();
        for statistic in Statistic::ALL {
            let one = correlation(statistic, &x, &y);
            let other = correlation(statistic, &reversed, &scaled);
            match (one, other) {
                (Ok(one), Ok(other)) => {
                    prop_assert!((one.value + other.value).abs() < 1e-9);
                    prop_assert!((-1.0..=1.0).contains(&one.value));
                    prop_assert!((0.0..=1.0 + 1e-12).contains(&one.p));
                }
                (one, other) => prop_assert!(one.is_err() && other.is_err()),
            }
        }
    }
}
