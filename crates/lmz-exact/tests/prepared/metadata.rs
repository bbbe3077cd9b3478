//! Versions, and values of the metadata.

use lmz_exact::{Engine, ExactError, Kernel, NUMERICS_VERSION, Prepared};
use lmz_model::ErrorKind;
use lmz_testkit::models::ODD;
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde_json::{Value, json};

use crate::parts::{Parts, open, refused};
use lmz_testkit::engine::{logits, prepared, tokens, under_numerics, with_fine_rows};

#[test]
fn other_versions_are_named() {
    let parts = Parts::new(&prepared(ODD, 1));
    for (field, value) in [
        ("version", 2),
        ("version", 0),
        ("recipe", 5),
        ("numerics", 3),
    ] {
        let mut other = parts.clone();
        other.metadata[field] = json!(value);
        if field == "version" {
            // A later file version may have other fields.
            other.metadata["something"] = json!({ "new": [1, 2] });
        }
        let error = refused(field, &other);
        assert!(
            matches!(error, ExactError::Version { found, .. } if found == value),
            "{field}: {error}"
        );
        assert_eq!(error.kind(), ErrorKind::Compatibility);
    }
}

#[test]
fn a_model_for_the_draft_of_the_numerics_differs_only_in_its_identity() {
    let model = prepared(ODD, 1);
    assert_eq!(model.numerics, NUMERICS_VERSION);
    let mut parts = Parts::new(&model);
    parts.metadata["numerics"] = json!(0);
    let draft = Prepared::from_bytes(parts.bytes()).unwrap();
    assert_eq!(draft.numerics, 0);
    assert_ne!(draft.identity(), model.identity());
    // Each knows the other's name.
    assert_eq!(model.identity_under(0), Some(draft.identity()));
    assert_eq!(draft.identity_under(1), Some(model.identity()));
    assert_eq!(draft.identity_under(0), Some(draft.identity()));
    assert_eq!(model.identity_under(NUMERICS_VERSION + 1), None);
    assert_eq!(model.identity_under(77), None);
}

#[test]
fn a_model_of_version_2_has_no_other_name_and_says_which_layers_are_wide() {
    let model = under_numerics(&prepared(ODD, 1), 2);
    assert_eq!(model.identity_under(2), Some(model.identity()));
    assert_eq!(model.identity_under(1), None);
    let parts = Parts::new(&model);
    Engine::new(&model, Kernel::detect()).unwrap();
    let refused = |change: &dyn Fn(&mut Parts)| {
        let mut damaged = parts.clone();
        change(&mut damaged);
        let damaged = Prepared::from_bytes(damaged.bytes()).unwrap();
        let error = Engine::new(&damaged, Kernel::detect()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corruption);
        error.to_string()
    };
    let missing = refused(&|parts| drop(parts.tensors.remove("scores.wide")));
    assert!(missing.contains("scores.wide is missing"), "{missing}");
    let beyond = refused(&|parts| parts.tensors.get_mut("scores.wide").unwrap().2[1] = 2);
    assert!(
        beyond.contains("scores.wide holds a value above 1"),
        "{beyond}"
    );
}

#[test]
fn fine_rows_that_contradict_themselves_are_refused() {
    let model = with_fine_rows(&prepared(ODD, 1), 3);
    Engine::new(&model, Kernel::detect()).unwrap();
    let parts = Parts::new(&model);
    let names: Vec<&String> = parts
        .tensors
        .keys()
        .filter(|n| n.ends_with(".fine"))
        .collect();
    assert!(names.len() > 8);
    let accepted = |change: &dyn Fn(&mut Parts)| {
        let mut damaged = parts.clone();
        change(&mut damaged);
        open(damaged.bytes()).is_ok()
    };
    for rows in names {
        let matrix = rows.strip_suffix(".fine").unwrap();
        let low = format!("{matrix}.low");
        let last = parts.tensors[rows].1[0] - 1;
        let height = parts.tensors[&format!("{matrix}.w")].1[0] as i32;
        for (what, change) in [
            (
                "no rows",
                &(|p: &mut Parts| drop(p.tensors.remove(rows))) as &dyn Fn(&mut Parts),
            ),
            ("no plane", &|p| drop(p.tensors.remove(&low))),
            ("-128", &|p| p.data(&low)[0] = 0x80),
            ("a row too many", &|p| p.put_i32(rows, last, height)),
            ("a negative row", &|p| p.put_i32(rows, last, -1)),
            ("a row twice", &|p| {
                let data = p.data(rows);
                data.copy_within(0..4, 4);
            }),
            ("none", &|p| {
                let part = p.tensors.get_mut(rows).unwrap();
                (part.1, part.2) = (vec![0], Vec::new());
                let part = p.tensors.get_mut(&low).unwrap();
                (part.1[0], part.2) = (0, Vec::new());
            }),
            ("another type", &|p| {
                p.tensors.get_mut(rows).unwrap().0 = Dtype::I32
            }),
            ("another width", &|p| {
                let part = p.tensors.get_mut(&low).unwrap();
                part.1[1] += 1;
                part.2.resize(part.1[0] * part.1[1], 0);
            }),
            ("another rank", &|p| {
                p.tensors.get_mut(rows).unwrap().1.push(1)
            }),
        ] {
            assert!(!accepted(change), "{rows}: {what}");
        }
    }
    // Version 1 does not know them.
    let mut old = parts.clone();
    old.metadata["numerics"] = json!(1);
    let old = Prepared::from_bytes(old.bytes()).unwrap();
    let plain = prepared(ODD, 1);
    let [old, plain] = [&old, &plain].map(|prepared| {
        let engine = Engine::new(prepared, Kernel::detect()).unwrap();
        logits(&engine, &tokens(&engine, 30, 5))
    });
    assert!(old == plain);
}

#[test]
fn a_checkpoint_is_not_a_prepared_model() {
    let mut parts = Parts::new(&prepared(ODD, 1));
    let weights = safetensors::serialize(
        parts
            .tensors
            .iter()
            .map(|(n, (d, s, b))| (n.as_str(), TensorView::new(*d, s.clone(), b).unwrap())),
        None,
    );
    assert!(matches!(
        open(weights.unwrap()),
        Err(ExactError::NotPrepared(_))
    ));
    parts.metadata = json!("no object");
    assert!(matches!(
        refused("metadata", &parts),
        ExactError::Damaged(_)
    ));
}

#[test]
fn metadata_out_of_range_is_refused() {
    let parts = Parts::new(&prepared(ODD, 1));
    for (field, value) in [
        ("residual_frac_bits", json!(25)),
        ("residual_frac_bits", json!(-1)),
        ("eps_fixed", json!((1u64 << 62) + 1)),
        ("eps_fixed", json!(0.5)),
        ("name", json!("x".repeat(256))),
        ("checkpoint", json!("xyz")),
        ("blueprint", json!("{}")),
        ("blueprint", json!({ "hidden_size": 24 })),
        ("unknown_field", json!(1)),
    ] {
        let mut damaged = parts.clone();
        damaged.metadata[field] = value.clone();
        let error = refused(&format!("{field} = {value}"), &damaged);
        assert_eq!(error.kind(), ErrorKind::Corruption, "{field}: {error}");
        damaged.metadata.as_object_mut().unwrap().remove(field);
        if parts.metadata.get(field).is_some() {
            refused(&format!("no {field}"), &damaged);
        }
    }
    let text = parts.metadata["blueprint"].as_str().unwrap();
    let blueprint: Value = serde_json::from_str(text).unwrap();
    for (field, value) in [
        ("hidden_size", json!(0)),
        ("hidden_size", json!(25)),
        ("hidden_size", json!(1 << 16)),
        ("intermediate_size", json!(1u64 << 40)),
        ("layers", json!(3)),
        ("layers", json!(1u64 << 33)),
        ("heads", json!(0)),
        ("kv_heads", json!(2)),
        ("head_dim", json!(7)),
        ("head_dim", json!(8)),
        ("vocab_size", json!(38)),
        ("start_token", json!(37)),
        ("tied_head", json!("yes")),
        ("surprise", json!(0)),
    ] {
        let mut damaged = parts.clone();
        let mut blueprint = blueprint.clone();
        blueprint[field] = value.clone();
        damaged.metadata["blueprint"] = json!(blueprint.to_string());
        refused(&format!("blueprint.{field} = {value}"), &damaged);
    }
}
