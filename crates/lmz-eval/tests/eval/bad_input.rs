//! What is wrong is named: the file, the place, and what to do.

use lmz_eval::EvalError;
use lmz_eval::data::DataDirectory;
use lmz_eval::prompt::{Selection, items};
use lmz_eval::report::Report;
use lmz_eval::task::{all, choose, parse};

use super::common::{task, write};

const GOOD: &str = r#"
name = "mine"
title = "Mine"
version = "1"
output = "multiple_choice"
headline = "acc"
metrics = ["acc"]
public = "nowhere"
[[source]]
split = "test"
file = "mine.jsonl"
[prompt]
context = "{{ q }}"
choices = "options"
gold = "right"
"#;

#[test]
fn a_broken_task_names_line_and_field() {
    assert!(parse("mine.toml", GOOD).is_ok());
    for (from, to, message) in [
        ("version = \"1\"", "version = 1", "line 4"),
        ("title =", "titel =", "unknown field `titel`"),
        (
            "output = \"multiple_choice\"",
            "output = \"guess\"",
            "unknown variant `guess`",
        ),
        ("gold = \"right\"", "", "prompt.gold is missing"),
        ("gold = \"right\"", "gold = \"right +\"", "prompt.gold"),
        ("\"{{ q }}\"", "\"{{ q \"", "context"),
        (
            "[\"acc\"]",
            "[\"accuracy\"]",
            "\"accuracy\" is none of acc, acc_norm",
        ),
        (
            "headline = \"acc\"",
            "headline = \"f1\"",
            "headline = \"f1\" is none of its metrics",
        ),
        (
            "split = \"test\"",
            "split = \"dev\"",
            "none has split = \"test\"",
        ),
        ("name = \"mine\"", "name = \"../mine\"", "letters, digits"),
    ] {
        assert!(GOOD.contains(from));
        let error = parse("mine.toml", &GOOD.replace(from, to))
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("mine.toml: ") && error.contains(message),
            "{message}: {error}"
        );
    }
}

#[test]
fn a_task_of_a_directory_is_read_beside_those_of_the_program() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), "mine.toml", GOOD);
    let tasks = all(Some(directory.path())).unwrap();
    let chosen = choose(&tasks, &["small".into(), "mine".into(), "blimp".into()]).unwrap();
    let names: Vec<&str> = chosen.iter().map(|one| one.task.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "arc_easy",
            "blimp",
            "hellaswag",
            "lambada_openai",
            "piqa",
            "mine"
        ]
    );
    assert!(chosen[1].by_name && !chosen[0].by_name);
    let error = choose(&tasks, &["none".into()]).unwrap_err();
    assert!(matches!(error, EvalError::NoTask { .. }));
    assert_eq!(choose(&tasks, &["all".into()]).unwrap().len(), tasks.len());
    write(directory.path(), "other.toml", "name = 1");
    assert!(
        all(Some(directory.path()))
            .unwrap_err()
            .to_string()
            .contains("other.toml")
    );
}

#[test]
fn a_record_that_is_not_what_the_task_says_is_named() {
    let good = r#"{"q": "Two?", "options": ["2", "3"], "right": 0}"#;
    for (bad, message) in [
        (
            r#"{"q": "Two?", "options": ["2", "3"], "right": 2}"#,
            "record 2: prompt.gold is 2, and there are 2 choices",
        ),
        (
            r#"{"q": "Two?", "options": ["2", "3"], "right": -1}"#,
            "prompt.gold is -1",
        ),
        (
            r#"{"q": "Two?", "options": [], "right": 0}"#,
            "an empty list",
        ),
        (
            r#"{"q": "Two?", "options": ["2", ""], "right": 0}"#,
            "an empty choice",
        ),
        (r#"{"q": "Two?", "options": "2", "right": 0}"#, "no list"),
        (
            r#"{"options": ["2", "3"], "right": 0}"#,
            "record 2: context",
        ),
        (
            r#"{"q": "Two?", "options": ["2", "3"]}"#,
            "prompt.gold: right is not there",
        ),
        ("{", "record 2: EOF"),
        ("[1]", "record 2: no JSON object"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        write(directory.path(), "mine.jsonl", &format!("{good}\n{bad}\n"));
        let task = parse("mine.toml", GOOD).unwrap();
        let data = DataDirectory::new(Some(directory.path()));
        let error = items(&task, &data, Selection::default())
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("mine.jsonl") && error.contains(message),
            "{message}: {error}"
        );
    }
}

#[test]
fn missing_files_are_named_with_where_the_public_has_them() {
    let directory = tempfile::tempdir().unwrap();
    let piqa = task("piqa");
    let data = DataDirectory::new(Some(directory.path()));
    let error = items(&piqa, &data, Selection::default())
        .unwrap_err()
        .to_string();
    for word in ["piqa_valid.jsonl", "piqa.jsonl", "yonatanbisk.com"] {
        assert!(error.contains(word), "{error}");
    }
    let error = items(&piqa, &DataDirectory::default(), Selection::default()).unwrap_err();
    assert!(error.to_string().contains("--data"), "{error}");
    let wanted = Selection {
        shots: Some(9),
        ..Selection::default()
    };
    let error = items(&task("mmlu"), &data, wanted).unwrap_err().to_string();
    assert!(
        error.contains("9 examples are wanted, and there are 5"),
        "{error}"
    );
}

#[test]
fn a_csv_file_of_another_form_is_named() {
    let directory = tempfile::tempdir().unwrap();
    // As published: no names of columns, and letters.
    write(
        directory.path(),
        "mmlu/test/anatomy_test.csv",
        "\"One, or two?\",1,2,3,4,B\n",
    );
    write(
        directory.path(),
        "mmlu/dev/anatomy_dev.csv",
        &"Zero?,0,1,2,3,A\n".repeat(5),
    );
    let mmlu = task("mmlu");
    let data = DataDirectory::new(Some(directory.path()));
    let prompted = items(&mmlu, &data, Selection::default()).unwrap();
    let text = prompted.items[0].question.text(4);
    assert_eq!(
        text,
        "The following are multiple choice questions (with answers) about anatomy.\n\nZero?\nA. 0\nB. 1\nC. 2\nD. 3\nAnswer: A\n\n\
         One, or two?\nA. 1\nB. 2\nC. 3\nD. 4\nAnswer:"
    );
    write(
        directory.path(),
        "mmlu/test/anatomy_test.csv",
        "One?,1,2,3,4\n",
    );
    let error = items(&mmlu, &data, Selection::default())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("anatomy_test.csv, record 1: 5 columns, not 6"),
        "{error}"
    );
}

#[test]
fn a_result_of_another_version_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("blimp.json");
    for (text, message) in [
        ("{\"eval\": 2}", "a result of version 2; this build reads 1"),
        ("{}", "no result of lmz eval"),
        ("{", "EOF"),
    ] {
        std::fs::write(&path, text).unwrap();
        let error = Report::read(&path).unwrap_err().to_string();
        assert!(
            error.contains("blimp.json") && error.contains(message),
            "{error}"
        );
    }
}
